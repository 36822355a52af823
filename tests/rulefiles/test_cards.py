"""
Cards: when they are shown, what they say, what they offer.
"""

from decimal import Decimal

import pytest

from cds.core.rules import Cut, Quiet

CARD = "cards/sample.yaml"
INDICATOR = "indicator: info"
SUMMARY = '"HbA1c {{hba1c.value}}: {{met(why)}}"'
QUIET = "{repeat_after: 180 days}"
OFFER = "first of [order_glucose, order_hba1c] whose result is not known"
GUARD = "{instead: plan}"
LINK = 'url: "https://example.org"'
PLAN = "{id: plan, action: plan, guards: none}"


def card(rules, before, after):
    """Load the sample card with a change."""
    loaded = rules.load({CARD: (before, after)})
    assert [] == [str(one) for one in loaded.diagnostics]
    return loaded.ruleset.cards["sample"]


def test_a_card(rules):
    """
    Every key has its field.
    """
    found = rules.load().ruleset.cards["sample"]

    assert ("IR-STG-04", ("patient-view",), "ir", 30, "C", "ada_2025", 180) == (
        found.code,
        found.hooks,
        found.group,
        found.priority,
        found.grade,
        found.source,
        found.quiet and found.quiet.repeat_after,
    )
    assert (("homa", "hba1c", "sample.highest"), ("resistance",)) == (found.inputs, found.drivers)
    assert (("info", None),) == found.indicators
    assert ["HbA1c {{hba1c.value}}: {{met(why)}}"] == [one.say for one in found.summaries]
    assert ["{{homa.band}} {{resistance.grade}} {{stage.label}}", "Think."] == [
        one.say for one in found.details
    ]
    assert "homa is known" == found.details[0].condition.text
    assert ({"label": "More", "url": "https://example.org", "type": "absolute"},) == found.links
    assert ("declined", "done") == found.override_reasons
    assert [("pregnant", "hide")] == [(one.id, one.if_unknown) for one in found.unless]
    assert "any" == found.choose
    assert found.is_rule


def test_suggestions(rules):
    """
    Two ways to name an action; an empty list of guards is said out loud.
    """
    plan, test = rules.load().ruleset.cards["sample"].suggestions

    assert ("plan", "plan", (), "", ()) == (
        plan.id,
        plan.action,
        plan.guards,
        plan.first_of,
        plan.choices,
    )
    assert ("test", "", "not known", ("order_glucose", "order_hba1c")) == (
        test.id,
        test.action,
        test.first_of,
        test.choices,
    )
    assert [("metformin", "instead", "plan", "")] == [
        (one.id, one.if_unknown, one.instead, one.warn) for one in test.guards
    ]


def test_everything_else_of_a_suggestion(rules):
    """
    Label, condition, whether it is recommended, whether only a substitute.
    """
    found = card(
        rules,
        PLAN,
        "{id: plan, action: plan, guards: none, label: L, offer_if: sex is male, "
        "recommended: true, only_instead: true}",
    ).suggestions[0]

    assert ("L", "sex is male", True, True) == (
        found.label,
        found.offer_if.text,
        found.recommended,
        found.only_instead,
    )


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("block", ("block", "", "")),
        ("show", ("show", "", "")),
        ("{instead: plan}", ("instead", "plan", "")),
        ("{warn: Not known.}", ("warn", "", "Not known.")),
    ],
)
def test_a_guard_says_what_unknown_does(rules, choice, expected):
    """
    Four ways, and none by default.
    """
    found = card(rules, GUARD, choice).suggestions[1].guards[0]

    assert expected == (found.if_unknown, found.instead, found.warn)


def test_a_guard_may_be_relevant_to_some(rules):
    """
    And is called after what it asks where it has no name.
    """
    found = card(rules, "{id: metformin, block_if", "{when_relevant: sex is female, block_if")

    assert "sex is female" == found.suggestions[1].guards[0].relevant.text
    assert "metformin" == found.suggestions[1].guards[0].id


def test_an_offer_may_ask_for_raised_results(rules):
    """
    The other question that a choice can ask.
    """
    raised = "raised_if: {order_glucose: glucose >= 126 mg/dL, order_hba1c: hba1c >= raised}"
    offer = f"{OFFER.replace('known', 'raised')}\n      {raised}"
    found = card(rules, OFFER, offer).suggestions[1]

    assert ("not raised", ["order_glucose", "order_hba1c"]) == (found.first_of, [*found.raised])


def test_indicator_and_summary_by_case(rules):
    """
    The first that is proved; the last has no condition.
    """
    indicators = card(rules, INDICATOR, "indicator: [{critical: hba1c >= 9 %}, {info: otherwise}]")
    summaries = card(rules, SUMMARY, "[{say: High, if: hba1c >= 9 %}, {say: Raised}]")

    assert [("critical", "hba1c >= 9 %"), ("info", None)] == [
        (word, condition and condition.text) for word, condition in indicators.indicators
    ]
    assert [("High", "hba1c >= 9 %"), ("Raised", None)] == [
        (one.say, one.condition and one.condition.text) for one in summaries.summaries
    ]


def test_priority_by_case(rules):
    """
    The plain number is then that of the last.
    """
    found = card(rules, "priority: 30", "priority: [{12: sex is male}, {70: otherwise}]")

    assert 70 == found.priority
    assert [(12, "sex is male"), (70, None)] == [
        (number, condition and condition.text) for number, condition in found.priorities
    ]


def test_a_card_beside_others(rules):
    """
    Lines for other cards, cards that it cuts, a card that needs an offer.
    """
    found = card(
        rules,
        "override_reasons: all",
        "override_reasons: [done]\nappended_to: [sample]\nneeds_offer: true\n"
        "cuts: [{indicator: info}, {group: ir}, {indicator: warning, group: ir}]",
    )

    cuts = (Cut(indicator="info"), Cut(group="ir"), Cut(indicator="warning", group="ir"))
    assert (("done",), ("sample",), True, cuts) == (
        found.override_reasons,
        found.appended_to,
        found.needs_offer,
        found.cuts,
    )


def test_everything_about_silence(rules):
    """
    Periods, what ends them, where they hold, and when so many overrides are too many.
    """
    found = card(
        rules,
        QUIET,
        "{repeat_after: 180 days, after_override: {declined: 365 days, any: 7 days}, "
        "again_early_when_raised: [resistance, homa], hooks: [patient-view], "
        "review_when: {overridden_over: 80.5 %, after_shown: 50}}",
    ).quiet

    assert (
        Quiet(
            repeat_after=180,
            after_override={"declined": 365, "any": 7},
            again_early=("resistance", "homa"),
            hooks=("patient-view",),
            review_over=Decimal("80.5"),
            review_after=50,
        )
        == found
    )


def test_why_an_unknown_is_passed_over(rules):
    """
    It is kept for the page about the rule.
    """
    found = card(rules, "if_unknown: hide}", "if_unknown: show, show_because: It is rare.}")

    assert ("show", "It is rare.") == (found.unless[0].if_unknown, found.unless[0].show_because)


def test_a_guard_may_hide(rules):
    """
    The suggestion is then left out without a word.
    """
    (guard,) = card(rules, "{instead: plan}", "hide").suggestions[1].guards

    assert ("hide", "") == (guard.if_unknown, guard.instead)


def test_a_card_may_leave_most_things_out(rules):
    """
    No suggestions, no quiet time, no table, no reasons.
    """
    text = rules.load() and (rules.folder / CARD).read_text()
    start, end = text.index("suggestions:"), text.index("thresholds:")
    found = card(rules, text[start:end], "")

    assert () == found.suggestions
    assert None is found.quiet
    assert () == found.override_reasons


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("group: ir", "group: diet", "CDS201 `diet` is not a group"),
        (
            "inputs: [homa, hba1c, highest]",
            "inputs: [pregnant]",
            "CDS201 `pregnant` is not a concept, an index or a reading",
        ),
        ("drivers: [resistance]", "drivers: [homa]", "CDS201 `homa` is not a factor"),
        ("override_reasons: all", "cuts: [{group: diet}]", "CDS201 `diet` is not a group"),
        ("override_reasons: all", "cuts: [{}]", "CDS104 this cut does not say what it takes"),
        (QUIET, "{after_override: {gone: 3 days}}", "CDS201 `gone` is not an override reason"),
        (QUIET, "{after_override: {any: 3}}", "CDS105 expected a number of days"),
        (QUIET, "{again_early_when_raised: [hba1c]}", "CDS201 `hba1c` is not a factor, or an"),
        (QUIET, "{again_early_when_raised: [diet]}", "CDS201 `diet` is not a factor, or an"),
        (QUIET, "{hooks: [patient-vew]}", "CDS105 expected one of `patient-view`"),
        (QUIET, "{review_when: {overridden_over: 8, after_shown: 5}}", "CDS105 expected a share"),
        (QUIET, "{review_when: {}}", "CDS104 `review_when` needs `overridden_over`"),
        ("if_unknown: hide}", "if_unknown: show}", "CDS425 exclusion `pregnant` does not say why"),
        ("override_reasons: all", "override_reasons: [undone]", "CDS201 `undone` is not an over"),
        (LINK, 'url: "/relative"', "CDS105 expected an https address"),
        (LINK, 'url: "http://example.org"', "CDS105 expected an https address"),
        (LINK, 'url: "javascript:alert(1)"', "CDS105 expected an https address"),
        (LINK, 'url: "https://example.org/{{hba1c}}"', "CDS105 expected an https address"),
        (LINK, 'url: "https://example.org/app?launch=x"', "CDS105 expected an https address"),
        ("override_reasons: all", "override_reasons: some", "CDS105 expected one of `all`"),
        ("quiet:", "appended_to: [simple]\nquiet:", "CDS201 `simple` is not a card"),
        ("source: {cite: ada_2025}", "source: {cite: ada}", "CDS602 `ada` is not a source"),
        ("source: {cite: ada_2025}", "source: {}", "CDS104 `source` needs `cite`"),
        (INDICATOR, "indicator: red", "CDS105 `red` is not an indicator"),
        (INDICATOR, "indicator: [{red: otherwise}]", "CDS105 `red` is not an indicator"),
        (
            INDICATOR,
            "indicator: [{info: sex is male}]",
            "CDS104 nothing is left when no condition holds",
        ),
        (
            INDICATOR,
            "indicator: [{info: sex is male, warning: otherwise}]",
            "CDS105 expected one word with its condition",
        ),
        (INDICATOR, "indicator: [info]", "CDS105 expected one word with its condition"),
        (INDICATOR, "x: y", "CDS104 `card` needs `indicator`"),
        ("priority: 30", "priority: [{high: otherwise}]", "CDS105 expected a number"),
        (SUMMARY, f'"{"x" * 140}"', "CDS501 the summary has 140 characters"),
        (SUMMARY, f'[{{say: "{"x" * 141}"}}]', "CDS501 the summary has 141 characters"),
        (
            SUMMARY,
            "[{say: x, if: sex is male}]",
            "CDS104 no summary is left when no condition holds",
        ),
        (SUMMARY, "[]", "CDS105 expected a list of 1 or more"),
        (SUMMARY, "[[x]]", "CDS105 expected a text or a block"),
        (OFFER, "first of [order_glucose]", "CDS110 `offer` cannot be read"),
        (OFFER, OFFER.replace("_hba1c", "_hb1ac"), "CDS201 `order_hb1ac` is not an action"),
        (OFFER, OFFER.replace("order_hba1c", "plan"), "CDS104 the action `plan` does not say"),
        ("offer: first", "offers: first", "CDS104 suggestion `test` needs an action"),
        ("action: plan,", "action: plans,", "CDS201 `plans` is not an action of the library"),
        ("{id: plan, action", "{id: test, action", "CDS203 two suggestions are called `test`"),
        (", guards: none", "", "CDS105 suggestion `plan` does not say what guards it"),
        (", guards: none", ", guards: []", "CDS105 suggestion `plan` does not say what guards it"),
        (",\n           if_unknown: {instead: plan}", "", "CDS420 guard `metformin` does not say"),
        (GUARD, "{}", "CDS420 guard `metformin` does not say"),
        (GUARD, "{instead: plans}", "CDS201 `plans` is not a suggestion of this card"),
        ("show_if:", "show_when:", "CDS104 a card needs `show_if`"),
        ("code: IR-STG-04", "code: 4", "CDS105 expected a code like IR-STG-04"),
        ("hooks: [patient-view]", "hooks: [patient-vew]", "CDS105 expected one of `patient-view`"),
    ],
)
def test_what_is_wrong_with_a_card(rules, before, after, expected):
    """
    Each is said where it stands (HOOK-10, LINK-02, LINK-03, LINK-07, T42).
    """
    found = rules.found({CARD: (before, after)})

    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    ("hooks", "text", "expected"),
    [
        ("[patient-view]", "metformin is present or ordered", "no hook of this card says what is"),
        ("[order-sign]", "type_2_diabetes is being added", "no hook of this card says which prob"),
        ("[order-sign]", "metformin is being refilled", "no hook of this card says which medic"),
        ("[order-select, patient-view]", "metformin is newly ordered", ""),
        ("[problem-list-item-create]", "type_2_diabetes is being added", ""),
        ("[medication-refill]", "metformin is being refilled", ""),
        ("[encounter-start, order-dispatch]", "metformin is present", ""),
    ],
)
def test_drafts_are_asked_about_where_there_are_any(rules, hooks, text, expected):
    """
    A card that no hook tells of orders would never say yes.
    """
    found = rules.found(
        {CARD: ("hooks: [patient-view]\n", f"hooks: {hooks}\n")}
        | {
            "cards/other.yaml": rules.base[CARD]
            .replace("id: sample", "id: other")
            .replace("IR-STG-04", "IR-STG-05")
            .replace("hooks: [patient-view]", f"hooks: {hooks}")
            .replace("    - stage is S2\n", f"    - {text}\n")
        }
    )

    assert ([f"CDS413 {expected}"] if expected else []) == [
        one[: len(expected) + 7] for one in found
    ]


@pytest.mark.parametrize(
    ("hooks", "show", "found"),
    [
        ("[order-sign]", "metformin is present or ordered", []),
        ("[order-sign]", "{any: [hba1c is known, {at_least: {n: 1, of: [x holds]}}]}", []),
        ("[order-sign]", "metformin is present", ["CDS413 nothing in `show_if` of `sample` could"]),
        ("[order-sign]", "card other fires", []),
        (
            "[order-sign]",
            "{all: [{not: metformin is ordered}, card plain fires]}",
            ["CDS413 nothing in `show_if` of `sample` could"],
        ),
        ("[patient-view]", "x holds", ["CDS413 nothing in `show_if` of `sample` could"]),
        ("[medication-refill]", "metformin is present", []),
    ],
)
def test_what_needs_a_draft_asks_for_one(rules, hooks, show, found):
    """
    Here, in a condition, or in another card.
    """
    rules.base["conditions/x.yaml"] = (
        rules.base["conditions/pregnant.yaml"]
        .replace("id: pregnant", "id: x")
        .replace("holds_if: pregnancy is present", "holds_if: metformin is present or ordered")
    )
    plain = rules.base[CARD].replace("IR-STG-04", "IR-STG-06").replace("id: sample", "id: plain", 1)
    rules.base["cards/plain.yaml"] = plain
    other = plain.replace("IR-STG-06", "IR-STG-07").replace("id: plain", "id: other", 1)
    rules.base["cards/other.yaml"] = other.replace("[patient-view]", "[order-sign]").replace(
        "    - stage is S2\n", "    - metformin is ordered\n"
    )
    text = rules.base[CARD]
    start, end = text.index("show_if:"), text.index("unless:")
    text = text[:start] + f"needs_draft: true\nshow_if: {show}\n" + text[end:]
    text = text.replace("{{met(why)}}", "x").replace("[patient-view]", hooks)

    assert found == [one[:45].strip() for one in rules.found({CARD: text})]


def test_a_summary_may_have_139_characters(rules):
    """
    CDS Hooks wants fewer than 140.
    """
    assert [] == rules.found({CARD: (SUMMARY, f'"{"x" * 139}{{{{hba1c.value}}}}"')})


def test_a_card_without_a_face(rules):
    """
    Nothing fails on the way to the diagnostic.
    """
    found = rules.found({CARD: ("card:\n  indicator", "cart:\n  indicator")})

    assert "CDS104 a card needs `card`" in found
    assert "CDS102 `cart` is not a key of a card" in found


RAISED = "offer: first of [order_hba1c] whose result is not raised"
WHOLE = "offer: first of [order_glucose, order_hba1c] whose result is not known"


@pytest.mark.parametrize(
    ("offer", "found"),
    [
        (
            f"{RAISED}\n      raised_if: {{order_hba1c: hba1c >= raised}}",
            [],
        ),
        (
            RAISED,
            ["CDS104 `test` does not say when each result is raised"],
        ),
        (
            f"{WHOLE}\n      raised_if: {{order_hba1c: hba1c >= raised}}",
            ["CDS102 `raised_if` says nothing about this offer"],
        ),
        (
            f"{RAISED}\n      raised_if: {{order_hba1c: hba1c >= raised, plan: hba1c >= raised}}",
            ["CDS201 `plan` is not a choice of this offer"],
        ),
    ],
)
def test_when_a_result_is_raised(rules, offer, found):
    """
    Said for each choice, where it matters and nowhere else.
    """
    assert found == rules.found({"cards/sample.yaml": (WHOLE, offer)})
