"""
Profiles: which one counts, and what it may change.
"""

from decimal import Decimal

import pytest

from cds.core.concepts import CodeRule
from cds.core.rules import OverrideReason
from cds.rulefiles import load_ruleset
from cds.rulefiles.loader import load_every

HEAD = """\
kind: profile
id: site
title: A site
extends: default
rules: ">=2026.6 <2027"
upkeep: {owner: someone, review_by: 2027-06-01}
"""


A_LIST = "CDS105 expected a name in small letters, like `fasting_insulin`, found a list"


def under(rules, text="", changes=None, profile="site"):
    """Load the sample folder under the profile `site`, which says *text* besides its head."""
    return rules.load({"profiles/site.yaml": HEAD + text, **(changes or {})}, profile)


def said(loaded):
    """Give code and headline of every finding."""
    return [f"{one.code} {one.headline}" for one in loaded.diagnostics]


def test_an_empty_profile_changes_nothing_but_the_name(rules):
    """
    What it does not say, the default one says.
    """
    default = rules.load().ruleset
    loaded = under(rules)
    profile = loaded.ruleset.profile

    assert [] == said(loaded)
    assert ("site", "A site", "default", ">=2026.6 <2027", ()) == (
        profile.id,
        profile.title,
        profile.extends,
        profile.pinned,
        profile.overrides,
    )
    assert default.profile.texts == profile.texts
    assert default.cards == loaded.ruleset.cards
    assert ("default", "site") == loaded.profiles


def test_load_ruleset_takes_a_profile(rules):
    """
    As the service asks for it.
    """
    under(rules)

    assert "site" == load_ruleset(rules.folder, "site").profile.id
    assert "default" == load_ruleset(rules.folder).profile.id


def test_a_profile_that_is_not_there(rules):
    """
    Neither is anything like it served.
    """
    loaded = under(rules, profile="sites")
    (found,) = loaded.diagnostics

    assert None is loaded.ruleset
    assert ("CDS201", "`sites` is not a profile", "did you mean `site`?") == (
        found.code,
        found.headline,
        found.help,
    )
    assert "rules/profiles/sites.yaml" == found.place.path


def test_what_another_profile_gets_wrong_does_not_stop_this_one(rules):
    """
    A hospital must not take the others down; whoever looks at all of them sees it.
    """
    changes = {"profiles/site.yaml": HEAD + "most_cards: 9\nthresholds: {homa.x: {value: 3}}\n"}

    assert [] == rules.found(changes)
    assert ["CDS102", "CDS202"] == [one.code for one in load_every(rules.folder).diagnostics]
    assert None is not load_every(rules.folder).ruleset


# --- the chain ------------------------------------------------------------------------


WARD = """
    kind: profile
    id: ward
    title: A ward of it
    extends: site
    rules: ">=2026.6"
    upkeep: {owner: someone, review_by: 2027-06-01}
"""


def test_the_nearer_profile_counts(rules):
    """
    Of two that say something of one key; the rest is inherited.
    """
    changes = {
        "profiles/ward.yaml": WARD
        + """
    texts: {pending: Wait.}
    ethnic_group: asian
    show_units: {glucose: mmol/L}
    codes: {glucose: {add: {loinc: [a]}}}
"""
    }
    text = """\
texts: {pending: Patience.}
show_units: {glucose: mmol/L, insulin_level: pmol/L}
codes: {glucose: {add: {loinc: [b]}}}
"""
    profile = under(rules, text, changes, "ward").ruleset.profile

    assert "Wait." == profile.texts["pending"]
    assert "asian" == profile.ethnic_group
    assert {"glucose": "mmol/L", "insulin_level": "pmol/L"} == profile.show_units
    assert [
        ("codes.glucose", "2 codes", "also loinc b"),
        ("show_units.insulin_level", "as received", "pmol/L"),
        ("codes.glucose", "3 codes", "also loinc a"),
        ("show_units.glucose", "as received", "mmol/L"),
        ("texts.pending", "Not yet reviewed.", "Wait."),
        ("ethnic_group", "as recorded", "asian"),
    ] == [(one.key, one.rule, one.site) for one in profile.overrides]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD.replace("extends: default", "extends: site"), ["CDS210 site -> site"]),
        (HEAD.replace("extends: default", "extends: ward"), ["CDS210 ward -> site -> ward"]),
        (HEAD.replace("extends: default", "extends: wart"), ["CDS201 `wart` is not a profile"]),
        (HEAD.replace("extends: default", "extends: [a]"), [A_LIST]),
    ],
)
def test_a_chain_that_does_not_end_at_the_default_profile(rules, text, expected):
    """
    A circle, a name that is none, and no name.
    """
    profile = "ward" if "ward" in text else "site"
    changes = {"profiles/site.yaml": text, "profiles/ward.yaml": WARD}

    assert expected == said(rules.load(changes, profile))


def test_a_profile_of_a_folder_without_a_default_one(rules):
    """
    Stands on nothing.
    """
    changes = {"profiles/default.yaml": None, "cards/sample.yaml": None}

    assert [
        "CDS104 there is no rules/profiles/default.yaml",
        "CDS201 `default` is not a profile",
    ] == said(under(rules, "", changes))


# --- the pinned release ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("pin", "fits"),
    [
        (">=2026.6 <2027", True),
        (">=2026.11", True),
        ("=2026.11", True),
        ("<=2026.11 >2026.10", True),
        (">=2026.12", False),
        ("<2026.11", False),
        (">2026.11", False),
        ("=2026.1", False),
    ],
)
def test_a_profile_belongs_to_a_range_of_releases(rules, pin, fits):
    """
    The sample folder is release 2026.11; months are numbers, not digits.
    """
    loaded = rules.load({"profiles/site.yaml": HEAD.replace(">=2026.6 <2027", pin)}, "site")

    assert fits == (loaded.ruleset is not None)
    assert fits or ["CDS804"] == [one.code for one in loaded.diagnostics]


def test_outside_its_range_it_says_what_to_approve_again(rules):
    """
    Its own keys, not those it inherits.
    """
    ward = WARD.replace(">=2026.6", "<2026") + "    ethnic_group: asian\n"
    loaded = under(rules, "texts: {pending: Wait.}\n", {"profiles/ward.yaml": ward}, "ward")
    (found,) = loaded.diagnostics

    assert "release 2026.11 lies outside <2026, for which `ward` was written" == found.headline
    assert ("to approve again: `ethnic_group`",) == found.notes


def test_a_profile_without_changes_has_nothing_to_approve(rules):
    """
    Only the range is moved.
    """
    loaded = rules.load({"profiles/site.yaml": HEAD.replace("<2027", "<2026.7")}, "site")

    assert [()] == [one.notes for one in loaded.diagnostics]


def test_a_range_that_is_none(rules):
    """
    Words are not releases.
    """
    for pin in ("latest", ">= 2026.6"):
        loaded = rules.load({"profiles/site.yaml": HEAD.replace(">=2026.6 <2027", pin)}, "site")

        assert ["CDS105 `rules` is not a range of releases"] == said(loaded)


def test_a_release_without_a_number_is_in_no_range(rules):
    """
    There is no telling.
    """
    changes = {"release.yaml": ('"2026.11"', "spring")}

    assert ["CDS804"] == [one.code for one in under(rules, "", changes).diagnostics]


# --- codes, systems, units ------------------------------------------------------------


def test_codes_of_the_site_are_added(rules):
    """
    In a system of the site's own, whose address is added too.
    """
    loaded = under(
        rules,
        """\
systems: {add: {local: ["https://hospital.example"], loinc: ["urn:loinc"]}}
codes: {glucose: {add: {local: [GLUF, GLU*]}}}
""",
    )
    glucose = loaded.ruleset.concepts["glucose"]

    assert [] == said(loaded)
    assert (
        CodeRule("local", "GLUF"),
        CodeRule("local", "GLU", prefix=True),
    ) == glucose.codes[-2:]
    assert ("https://hospital.example",) == loaded.ruleset.systems["local"]
    assert ("http://loinc.org", "urn:loinc") == loaded.ruleset.systems["loinc"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("codes: {glucos: {add: {loinc: [a]}}}\n", "CDS201 `glucos` is not a concept"),
        ("codes: {glucose: {add: {here: [a]}}}\n", "CDS201 `here` is not a code system"),
        ("codes: {pregnancy: {add: {loinc: [a]}}}\n", "CDS205 `pregnancy` is not found by codes"),
        (
            "codes: {glucose: a}\n",
            "CDS105 expected a block: what a profile says of codes, found `a`",
        ),
        ("show_units: {glucos: mg/dL}\n", "CDS201 `glucos` is not a concept"),
        ("show_units: {glucose: g/L}\n", "CDS301 `glucose` cannot be shown in g/L"),
        ("show_units: {metformin: g}\n", "CDS301 `metformin` cannot be shown in g"),
        ("show_units: {glucose: [g]}\n", "CDS105 expected a text, found a list"),
        ("texts: {pendin: x}\n", "CDS102 no card has a text called `pendin`"),
        ("texts: {pending: [x]}\n", "CDS105 expected a text, found a list"),
        ("ethnic_group: asiatic\n", "CDS201 `asiatic` is not a group of people"),
        (
            "systems: {sends: [loink, loinc, snomed, rxnorm, icd10cm]}\n",
            "CDS201 `loink` is not a code system",
        ),
        ("most_cards: 9\n", "CDS102 `most_cards` is not a key of a profile of a site"),
        (
            "tests: [{name: a, rule: home, given: {}, expect: {}}]\n",
            "CDS201 `home` is not a rule",
        ),
        ("thresholds: {home.raised: {value: 3}}\n", "CDS201 `home` is not a rule"),
        ("cards: {simple: {disabled: true, because: x}}\n", "CDS201 `simple` is not a card"),
        ("thresholds: {homa.raised: 3}\n", "CDS105 expected a block of names, found `3`"),
        (
            "cards: {sample: 3}\n",
            "CDS105 expected a block: what a profile says of a card, found `3`",
        ),
    ],
)
def test_what_a_profile_cannot_say(rules, text, expected):
    """
    Names that nothing has, and what is not for a site.
    """
    assert [expected] == said(under(rules, text))


def test_the_default_profile_may_choose_a_group_too(rules):
    """
    Of those that there are.
    """
    base = {"profiles/default.yaml": ("kind: profile", "ethnic_group: martian\nkind: profile")}

    assert ["CDS201 `martian` is not a group of people"] == rules.found(base)


def test_a_code_that_the_concept_refuses(rules):
    """
    Its author kept it out on purpose; a prefix keeps out what begins so.
    """
    changes = {
        "concepts/sample.yaml": (
            "codes: {loinc: [1558-6]}",
            "codes: {loinc: [1558-6]}, not_codes: {loinc: [2339-0, 99*], snomed: [1]}",
        )
    }
    loaded = under(rules, "codes: {glucose: {add: {loinc: [2339-0, 991, 1]}}}\n", changes)

    assert [
        "CDS802 `glucose` refuses the code 2339-0",
        "CDS802 `glucose` refuses the code 991",
    ] == said(loaded)


def test_a_concept_that_the_site_cannot_send(rules):
    """
    Where it says what it sends; medicines are also found by their text.
    """
    found = under(rules, "systems: {sends: [loinc]}\n")

    assert [
        "CDS805 nothing that this site sends can mean `type_1_diabetes`",
    ] == said(found)
    assert ("it has codes of `icd10cm`",) == found.diagnostics[0].notes
    assert [] == said(under(rules, "systems: {sends: [loinc, icd10cm]}\n"))
    assert ("loinc", "icd10cm") == under(
        rules, "systems: {sends: [loinc, icd10cm]}\n"
    ).ruleset.profile.sends


def test_a_site_sends_what_the_profile_beneath_says(rules):
    """
    Unless it says so itself.
    """
    text = "systems: {sends: [loinc]}\n"
    loaded = under(rules, text, {"profiles/ward.yaml": WARD}, "ward")
    nearer = WARD + "    systems: {sends: [loinc, icd10cm]}\n"

    assert ["CDS805"] == [one.code for one in loaded.diagnostics]
    assert [] == said(under(rules, text, {"profiles/ward.yaml": nearer}, "ward"))


# --- texts, reasons, tests ------------------------------------------------------------


def test_reasons_are_replaced_as_a_whole(rules):
    """
    A card that takes all of them takes the site's.
    """
    loaded = under(rules, "override_reasons: [{code: other, display: Other}]\n")
    rule = loaded.ruleset.cards["sample"]

    assert [] == said(loaded)
    assert (OverrideReason("other", "Other"),) == loaded.ruleset.profile.override_reasons
    assert ("other",) == rule.override_reasons
    assert [("override_reasons", "declined, done", "other")] == [
        (one.key, one.rule, one.site) for one in loaded.ruleset.profile.overrides
    ]


def test_a_reason_that_a_card_asks_for_must_stay(rules):
    """
    Or its own exception could no longer be named.
    """
    changes = {"cards/sample.yaml": ("override_reasons: all", "override_reasons: [done]")}
    text = "override_reasons: [{code: other, display: Other}]\n"

    assert ["CDS201 `done` is not an override reason"] == said(under(rules, text, changes))


def test_a_profile_brings_its_own_tests(rules):
    """
    Each names its rule.
    """
    text = """\
patients: {one: {age: 50 years}}
tests:
  - name: raised here
    rule: homa
    use: one
    expect: {band: raised}
  - {name: card, rule: sample, given: {}, expect: {shown: "no"}}
"""
    cases = under(rules, text).ruleset.profile.tests

    assert [("raised here", "homa", {"age": "50 years"}), ("card", "sample", {})] == [
        (one.name, one.rule, one.given) for one in cases
    ]


def test_numbers_are_decimal(rules):
    """
    From the digits of the profile.
    """
    text = """\
thresholds:
  homa.raised: {value: 3.10, because: Ours, approved: {by: Lead, date: 2026-08-20}}
"""
    rule = under(rules, text).ruleset.indices["homa"]

    assert Decimal("3.10") == rule.thresholds["raised"].cases[0].value
    assert Decimal("3.10") == rule.bands[1].low.cases[0].value
