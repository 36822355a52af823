"""
Header, about, upkeep, thresholds and tests of every rule.
"""

import pytest

from cds.core.headers import About, Citation, Upkeep

CARD = "cards/sample.yaml"
TESTS = "tests: [{name: one, use: typical, expect: {shown: true}}]"


def cases(rules, text):
    """Give the cases of a `tests:`."""
    return rules.load({CARD: (TESTS, f"tests: {text}")}).ruleset.cards["sample"].tests


def test_what_a_rule_says_of_itself(rules):
    """
    Every field of the header is kept.
    """
    card = rules.load().ruleset.cards["sample"]

    assert ("sample", "Sample", "1.0.0", "active") == (
        card.id,
        card.title,
        card.version,
        card.status,
    )
    assert (
        About(
            "Show one thing.",
            "It does what it says.",
            ("It is a sample.",),
            (Citation("ada_2025", "all of it"),),
        )
        == card.about
    )
    assert Upkeep("rules@example.org", ("A",), "by B", review_by="2027-06-01") == card.upkeep


def test_thresholds_are_kept_as_written(rules):
    """
    Texts print the number of the file, not the converted one.
    """
    threshold = rules.load({CARD: ("5.7 %", "39 mmol/mol")}).ruleset.cards["sample"].thresholds

    assert "mmol/mol" == threshold["raised"].unit
    assert "39" == str(threshold["raised"].cases[0].value)


def test_a_case_takes_a_patient_and_changes_it(rules):
    """
    `use` first, then `given`, then `but`; `none` removes.
    """
    (case,) = cases(
        rules,
        "[{name: one, use: typical, given: {sex: male}, but: {age: none, hba1c: 5 %, x: none}, "
        "history: {last_shown: 30 days ago}, expect: {shown: false}, todo: true}]",
    )

    assert {"hba1c": "5 %", "sex": "male", "history": {"last_shown": "30 days ago"}} == case.given
    assert {"shown": False} == case.expect
    assert case.todo


def test_each_makes_a_case_of_its_own(rules):
    """
    With a number in its name, and what all expect.
    """
    found = cases(
        rules,
        "[{name: edges, use: typical, expect: {shown: true}, each: ["
        "{but: {age: 17 years}, expect: {shown: false}}, {but: {age: 18 years}}]}]",
    )

    assert [
        ("edges [1]", "17 years", {"shown": False}),
        ("edges [2]", "18 years", {"shown": True}),
    ] == [(one.name, one.given["age"], one.expect) for one in found]


def test_values_of_cases_are_plain(rules):
    """
    Numbers stay texts, so that none of their digits is lost.
    """
    (case,) = cases(
        rules, '[{name: one, given: {a: 1.50, b: "true", c: false, d: [~, null], e: {f: ""}}}]'
    )

    assert {
        "a": "1.50",
        "b": "true",
        "c": False,
        "d": [None, None],
        "e": {"f": ""},
    } == case.given


def test_a_patient_is_repeated_as_the_author_wrote_it(rules):
    """
    What it uses, what is given, what differs.
    """
    tests = """tests:
  - name: a
    use: typical
    given: {hba1c: [5.8 %, 6 % 9 days ago]}
    history: {last_shown: 30 days ago}
    each:
      - {but: {sex: none}}
      - {expect: {shown: true}}
"""
    found = rules.load({CARD: (TESTS, tests)}).ruleset.cards["sample"].tests
    given = "typical, hba1c: [5.8 %, 6 % 9 days ago]"

    assert [
        f"{given}, but sex: none, history last_shown: 30 days ago",
        f"{given}, history last_shown: 30 days ago",
    ] == [one.said for one in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("limits: [It is a sample.]", "limits: []", "CDS606 no limits are noted"),
        ("clinical_review: by B", "clinical_review: pending", "CDS611 no clinician has reviewed"),
        ("cite: ada_2025, supports", "cite: ada, supports", "CDS602 `ada` is not a source"),
        ("5.7 %, cite: ada_2025", "5.7 %, cite: ada", "CDS602 `ada` is not a source"),
        (", cite: ada_2025}", "}", "CDS601 the threshold `raised` cites no source"),
        (
            TESTS,
            "tests: [{name: a}, {name: a}]",
            "CDS705 two tests are called `a`",
        ),
        (
            TESTS,
            "tests: [{name: a, expect: {shwon: true}}]",
            "CDS102 `shwon` is nothing that a test here can expect",
        ),
        (
            "use: typical",
            "use: typicl",
            "CDS201 `typicl` is not a patient of this file",
        ),
        ("about:", "above:", "CDS104 a card needs `about`"),
        ("upkeep:", "upkept:", "CDS104 a card needs `upkeep`"),
        ("evidence: [{cite: ada_2025, supports", "evidence: [{supports", "CDS104 a citation needs"),
        ("thresholds:\n  raised:", "thresholds:\n  x: y\n  raised:", "CDS105"),
        ("typical: {age", "other: x\n  typical: {age", None),
    ],
)
def test_what_is_wrong_with_a_header(rules, before, after, expected):
    """
    Who answers, what it rests on, how it is tested.
    """
    found = rules.found({CARD: (before, after)})

    if expected is None:
        assert found
    else:
        assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    ("status", "severity"), [("active", "error"), ("draft", "warning"), ("trial", "warning")]
)
def test_only_an_active_rule_must_cite(rules, status, severity):
    """
    A draft may still look for its source.
    """
    rules.load()
    text = (rules.folder / CARD).read_text()
    changed = text.replace("5.7 %, cite: ada_2025", "5.7 %").replace(
        "status: active", f"status: {status}"
    )

    (found,) = rules.load({CARD: changed}).diagnostics

    assert ("CDS601", severity) == (found.code, found.severity)


def test_the_second_of_two_ids_is_shown_beside_the_first(rules):
    """
    A reader sees both without searching.
    """
    changes = {"factors/resistance.yaml": ("{id: low", "{id: index")}
    (found,) = [one for one in rules.load(changes).diagnostics if one.code == "CDS203"]

    assert ["the first"] == [one.label for one in found.spans]
    assert found.spans[0].place.line < found.place.line


def test_an_excused_mutant_has_its_reason(rules):
    """
    In the words of `cds test --mutate`.
    """
    excuse = "equivalent: [{mutant: one thing left out, because: Nobody could see it.}]\n"
    found = rules.load({CARD: (TESTS, f"{TESTS}\n{excuse}")}).ruleset.cards["sample"]

    assert (("one thing left out", "Nobody could see it."),) == found.equivalent
