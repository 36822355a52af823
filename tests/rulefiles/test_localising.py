"""
Cut-offs and cards of a site: inside the limits of their rule, each with a reason.
"""

from decimal import Decimal

import pytest

from tests.rulefiles.test_profiles import HEAD, WARD, said, under

APPROVED = "because: Ours, approved: {by: Lead, date: 2026-08-20}"


def moved(rules, number, rule="homa.raised", changes=None):
    """Load under a profile that moves one threshold."""
    return under(rules, f"thresholds:\n  {rule}: {{{number}, {APPROVED}}}\n", changes)


def changed(rules, text, changes=None):
    """Load under a profile that says something of the card `sample`."""
    return under(rules, f"cards:\n  sample: {text}\n", changes)


# --- cut-offs -------------------------------------------------------------------------


def test_a_cut_off_moves_inside_its_range(rules):
    """
    Everywhere it is used; the source of the rule does not stand behind it.
    """
    loaded = moved(rules, "value: 3.8")
    rule = loaded.ruleset.indices["homa"]
    (override,) = loaded.ruleset.profile.overrides

    assert [] == said(loaded)
    assert Decimal("3.8") == rule.bands[0].high.cases[0].value
    assert "" == rule.thresholds["raised"].cite
    assert ("thresholds.homa.raised", "2.5", "3.8", "Ours", "Lead", "2026-08-20") == (
        override.key,
        override.rule,
        override.site,
        override.because,
        override.approved_by,
        override.approved_on,
    )


@pytest.mark.parametrize("number", ["1.59", "3.81", "0"])
def test_a_cut_off_outside_its_range(rules, number):
    """
    The ends themselves are inside.
    """
    loaded = moved(rules, f"value: {number}")

    assert [f"CDS801 {number} is outside the range the rule allows, 1.6 to 3.8"] == said(loaded)
    assert (
        "  homa.raised:"
        in loaded.sources["rules/profiles/site.yaml"].lines[loaded.diagnostics[0].place.line - 1]
    )


def test_a_cut_off_that_is_not_for_sites(rules):
    """
    Its rule gives no range.
    """
    loaded = moved(rules, "value: 6 %", "sample.raised")

    assert ["CDS802 `sample.raised` is not for sites to change"] == said(loaded)
    assert ("the rule says 5.7 %, and nothing of `localisable`",) == loaded.diagnostics[0].notes


def test_a_cut_off_that_is_not_there(rules):
    """
    Of a rule that is.
    """
    loaded = moved(rules, "value: 3", "homa.raise")

    assert ["CDS202 `raise` is not a threshold of `homa`"] == said(loaded)
    assert "did you mean `raised`?" == loaded.diagnostics[0].help


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{value: 3}", ["the threshold needs a reason", "nobody has approved `homa.raised`"]),
        ("{value: 3, because: x}", ["nobody has approved `homa.raised`"]),
        ("{value: 3, because: x, approved: {by: Lead}}", ["nobody has approved `homa.raised`"]),
        ("{value: 3, because: x, approved: {date: d}}", ["nobody has approved `homa.raised`"]),
        ("{value: 3, approved: {by: a, date: b}}", ["the threshold needs a reason"]),
    ],
)
def test_a_cut_off_needs_a_reason_and_a_name(rules, text, expected):
    """
    And the date of the approval.
    """
    loaded = under(rules, f"thresholds:\n  homa.raised: {text}\n")

    assert [f"CDS803 {one}" for one in sorted(expected, key=expected.index)] == sorted(
        said(loaded), key=lambda one: "needs" not in one
    )


@pytest.mark.parametrize("key", ["cite: ada_2025", "or_own: lower limit", "localisable: 1 to 9"])
def test_the_rest_of_a_threshold_stays_that_of_the_rule(rules, key):
    """
    A site cannot widen its own limits.
    """
    loaded = moved(rules, f"value: 3, {key}")

    assert [f"CDS802 `{key.partition(':')[0]}` of a threshold is not for sites to change"] == said(
        loaded
    )


BY_SEX = {
    "cards/sample.yaml": (
        "raised: {value: 5.7 %, cite: ada_2025}",
        (
            "raised: {male: 5.7 %, female: [5.6 %, 38 mmol/mol], localisable: 5.5 to 6.0 %, "
            "cite: ada_2025}"
        ),
    )
}


def test_a_number_for_each_whom_the_rule_tells_apart(rules):
    """
    With units; a pair may take the place of one number, and one that of a pair.
    """
    text = "male: [5.8 %, 40 mmol/mol], female: 5.5 %"
    loaded = moved(rules, text, "sample.raised", BY_SEX)

    assert [] == said(loaded)
    assert ("male 5.7 %, female 5.6 % (38 mmol/mol)", "male 5.8 % (40 mmol/mol), female 5.5 %") == (
        loaded.ruleset.profile.overrides[0].rule,
        loaded.ruleset.profile.overrides[0].site,
    )


def test_a_number_for_everybody_where_the_rule_tells_apart(rules):
    """
    A difference that its author made is not to be lost by the way.
    """
    loaded = moved(rules, "value: 5.8 %", "sample.raised", BY_SEX)

    assert ["CDS105 `sample.raised` does not tell the same people apart as the rule"] == said(
        loaded
    )


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("42 mmol/mol", []),
        ("31 mmol/mol", ["CDS801"]),
        ("6 g/L", ["CDS301", "CDS801"]),
        ("45 %", ["CDS305", "CDS801"]),
    ],
)
def test_another_unit_is_converted_before_it_is_compared(rules, number, expected):
    """
    With the range of the rule; what cannot be converted is said where the number stands.
    """
    changes = {
        "cards/sample.yaml": ("ada_2025}\nreadings", "ada_2025, localisable: 5.5 to 6.5}\nreadings")
    }
    loaded = moved(rules, f"value: {number}", "sample.raised", changes)

    assert expected[:1] == [one.code for one in loaded.diagnostics][: len(expected[:1])]
    assert {"rules/profiles/site.yaml"} >= {one.place.path for one in loaded.diagnostics}
    assert (not expected) == (loaded.ruleset is not None)


UNUSED = {
    "cards/sample.yaml": (
        "raised: {value: 5.7 %, cite: ada_2025}",
        (
            "raised: {value: 5.7 %, cite: ada_2025}\n"
            "  printed: {value: 7 h, cite: ada_2025, localisable: 6 to 8}\n"
            "  bare: {value: 7, cite: ada_2025, localisable: 6 to 8}"
        ),
    )
}


NOT_IN = "CDS301 `sample.{}` cannot be compared with a value in {}"


@pytest.mark.parametrize(
    ("rule", "number", "expected"),
    [
        ("sample.printed", "8 h", []),
        ("sample.printed", "9 h", ["CDS801 9 h is outside the range the rule allows, 6 to 8 h"]),
        ("sample.printed", "400 min", [NOT_IN.format("printed", "min")]),
        ("sample.bare", "7 h", [NOT_IN.format("bare", "h")]),
        ("sample.printed", "7", [NOT_IN.format("printed", "no unit")]),
    ],
)
def test_a_cut_off_that_is_only_printed_keeps_its_unit(rules, rule, number, expected):
    """
    Nothing knows how it would be converted.
    """
    assert expected == said(moved(rules, f"value: {number}", rule, UNUSED))


def test_a_cut_off_without_a_number(rules):
    """
    Is said once, and as such.
    """
    loaded = under(rules, f"thresholds:\n  homa.raised: {{{APPROVED}}}\n")

    assert [
        "CDS104 the threshold `homa.raised` has no number",
        "CDS105 `homa.raised` does not tell the same people apart as the rule",
    ] == said(loaded)


def test_a_reading_counts_by_the_number_of_the_site(rules):
    """
    Readings are read with the rule's thresholds, so with those of the site.
    """
    changes = {
        "cards/sample.yaml": (
            "raised: {value: 5.7 %, cite: ada_2025}\nreadings:\n",
            (
                "raised: {value: 5.7 %, cite: ada_2025, localisable: 5.5 to 6.5}\nreadings:\n"
                "  days: {count days of: hba1c, where: at least raised, within: 365 days}\n"
            ),
        )
    }
    loaded = moved(rules, "value: 6.0 %", "sample.raised", changes)

    assert [] == said(loaded)
    assert Decimal("6.0") == loaded.ruleset.readings["sample.days"].low.threshold.cases[0].value


# --- cards ----------------------------------------------------------------------------


def test_a_card_is_switched_off(rules):
    """
    It stays in the release, for other rules may ask about it; nobody sees it.
    """
    loaded = changed(rules, "{disabled: true, because: We send a letter.}")

    assert [] == said(loaded)
    assert "retired" == loaded.ruleset.cards["sample"].status
    assert [("cards.sample.disabled", "shown", "switched off", "We send a letter.")] == [
        (one.key, one.rule, one.site, one.because) for one in loaded.ruleset.profile.overrides
    ]


def test_a_ward_has_on_what_its_hospital_has_off(rules):
    """
    The nearer profile counts.
    """
    off = """\
cards:
  sample:
    disabled: true
    because: No.
    suggestions: {plan: {disabled: true, because: No.}}
"""
    ward = WARD + "    cards: {sample: {disabled: false, suggestions: {plan: {disabled: false}}}}\n"
    loaded = under(rules, off, {"profiles/ward.yaml": ward}, "ward")

    assert [] == said(loaded)
    assert "active" == loaded.ruleset.cards["sample"].status
    assert ["plan", "test"] == [one.id for one in loaded.ruleset.cards["sample"].suggestions]
    assert () == loaded.ruleset.profile.overrides


def test_a_card_goes_on_trial(rules):
    """
    It is worked out and never shown.
    """
    loaded = changed(rules, "{status: trial, because: We count first.}")

    assert "trial" == loaded.ruleset.cards["sample"].status
    assert ["active", "trial"] == [
        word for one in loaded.ruleset.profile.overrides for word in (one.rule, one.site)
    ]


def test_only_what_is_active_goes_on_trial(rules):
    """
    A profile promotes nothing.
    """
    changes = {"cards/sample.yaml": ("status: active", "status: draft")}
    found = said(changed(rules, "{status: trial, because: x}", changes))

    assert "CDS802 `sample` is draft, and a profile only demotes what is active" in found


@pytest.mark.parametrize("status", ["active", "retired"])
def test_no_other_status_can_be_given(rules, status):
    """
    To retire a rule is for its owner.
    """
    found = said(changed(rules, f"{{status: {status}, because: x}}"))

    assert ["CDS105"] == [one.partition(" ")[0] for one in found]


def test_hooks_are_chosen_among_those_of_the_rule(rules):
    """
    With a reason; none can be added.
    """
    changes = {"cards/sample.yaml": ("[patient-view]", "[patient-view, order-sign]")}
    loaded = changed(rules, "{hooks: [order-sign], because: Busy enough.}", changes)
    wrong = changed(rules, "{hooks: [order-select], because: x}", changes)

    assert ("order-sign",) == loaded.ruleset.cards["sample"].hooks
    assert ["patient-view, order-sign", "order-sign"] == [
        word for one in loaded.ruleset.profile.overrides for word in (one.rule, one.site)
    ]
    assert ["CDS801 `sample` is not made for order-select"] == said(wrong)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("180 days", []),
        ("365 days", []),
        ("179 days", ["CDS801 179 days are shorter than the 180 days of the rule"]),
    ],
)
def test_a_silence_is_only_lengthened(rules, days, expected):
    """
    To no less than the rule's own.
    """
    loaded = changed(rules, f"{{repeat_after: {days}}}")

    assert expected == said(loaded)
    assert expected or int(days[:3]) == loaded.ruleset.cards["sample"].quiet.repeat_after


def test_a_card_that_is_never_quiet_stays_so(rules):
    """
    Its author did not want it missed.
    """
    changes = {"cards/sample.yaml": ("quiet: {repeat_after: 180 days}\n", "")}

    assert ["CDS802 `sample` is never quiet, and a profile only lengthens a silence"] == said(
        changed(rules, "{repeat_after: 400 days}", changes)
    )


def test_a_silence_without_a_number_is_no_silence(rules):
    """
    It is wrong by its shape, and shorter than the rule's.
    """
    found = said(changed(rules, "{repeat_after: long}"))

    assert "CDS801 0 days are shorter than the 180 days of the rule" in found
    assert None is changed(rules, "{repeat_after: long}").ruleset


@pytest.mark.parametrize(
    ("links", "site"),
    [("[{label: Ours, url: 'https://x', type: absolute}]", "Ours"), ("[]", "none")],
)
def test_links_are_replaced(rules, links, site):
    """
    All of them, without a reason.
    """
    loaded = changed(rules, f"{{links: {links}}}")

    assert [] == said(loaded)
    assert ("More", site) == (
        loaded.ruleset.profile.overrides[0].rule,
        loaded.ruleset.profile.overrides[0].site,
    )
    assert [] == [
        one["label"] for one in loaded.ruleset.cards["sample"].links if one["label"] != site
    ]


def test_links_of_a_card_that_had_none(rules):
    """
    None is a word too.
    """
    link = '  links: [{label: More, url: "https://example.org", type: absolute}]\n'
    loaded = changed(
        rules,
        "{links: [{label: Ours, url: 'https://x', type: absolute}]}",
        {"cards/sample.yaml": (link, "")},
    )

    assert "none" == loaded.ruleset.profile.overrides[0].rule


def test_a_suggestion_is_switched_off(rules):
    """
    A guard that offered it in place of another still blocks that other.
    """
    loaded = changed(rules, "{suggestions: {plan: {disabled: true, because: Not here.}}}")
    (left,) = loaded.ruleset.cards["sample"].suggestions

    assert [] == said(loaded)
    assert ("test", "block", "") == (left.id, left.guards[0].if_unknown, left.guards[0].instead)
    assert ["cards.sample.suggestions.plan"] == [
        one.key for one in loaded.ruleset.profile.overrides
    ]


def test_the_guards_of_other_suggestions_stay(rules):
    """
    As they are.
    """
    loaded = changed(rules, "{suggestions: {test: {disabled: true, because: Not here.}}}")

    assert ["plan"] == [one.id for one in loaded.ruleset.cards["sample"].suggestions]


A_KEY = "CDS102 `{}` is not a key of what a profile says of a card"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{disabled: true}", "CDS803 switching a card off needs a reason"),
        ("{status: trial}", "CDS803 putting a card on trial needs a reason"),
        ("{hooks: [patient-view]}", "CDS803 leaving hooks out needs a reason"),
        (
            "{suggestions: {plan: {disabled: true}}}",
            "CDS803 switching a suggestion off needs a reason",
        ),
        (
            "{suggestions: {plans: {disabled: true, because: x}}}",
            "CDS201 `plans` is not a suggestion of `sample`",
        ),
        (
            "{suggestions: {plan: off}}",
            "CDS105 expected a block: what a profile says of a suggestion, found `off`",
        ),
        ("{guards: none}", A_KEY.format("guards")),
        ("{indicator: critical}", A_KEY.format("indicator")),
        ("{unless: []}", A_KEY.format("unless")),
    ],
)
def test_what_a_profile_cannot_say_of_a_card(rules, text, expected):
    """
    No change without a reason, no guard away, no louder voice.
    """
    assert [expected] == said(changed(rules, text))


def test_the_head_of_these_tests_is_sound(rules):
    """
    Or no other would mean anything.
    """
    assert [] == said(rules.load({"profiles/site.yaml": HEAD}, "site"))
