"""
What the engine could not hold is refused with the rules, not with a request.
"""

import pytest

from cds.errors import RuleError
from cds.reasoning.compile import compile_program
from cds.reasoning.limits import MOST_PENDING, most_pending
from cds.reasoning.questions import questions
from tests.reasoning.release import patient


def many(release, clauses):
    """Write cards that ask these clauses, a few in each."""
    for number in range(0, len(clauses), 3):
        joined = ", ".join(f'"{one}"' for one in clauses[number : number + 3])
        release.card(f"card{number}", f"show_if: {{any: [{joined}]}}")


def test_as_many_cut_offs_as_the_engine_holds(release):
    """All of them true of one value."""
    many(release, [f"enzyme >= {number} U/L" for number in range(1, MOST_PENDING + 1)])

    found = release.conclude(patient(enzyme="999 U/L"), everything=False)

    assert {"fires"} == {one.state for one in found.cards.values()}


def test_one_more_is_refused(release):
    """With the name of what is compared so often."""
    many(release, [f"enzyme >= {number} U/L" for number in range(MOST_PENDING + 1)])
    rules = release.load()

    with pytest.raises(RuleError, match="65 comparisons of the quantity `enzyme`"):
        compile_program(rules, questions(rules))


def test_more_cut_offs_that_are_never_true_together(release):
    """From below and from above."""
    below = [f"enzyme < {number} U/L" for number in range(1, 50)]
    many(release, [*below, *(f"enzyme >= {number} U/L" for number in range(50, 99))])

    found = release.conclude(patient(enzyme="98 U/L"), everything=False)

    assert 17 == sum(one.state == "fires" for one in found.cards.values())


def test_windows_share_their_cut_offs(release):
    """What lies behind another condition waits only while that is looked into."""
    clauses = [
        f"enzyme >= {number} U/L within {days} days"
        for days in (10, 20, 30, 40)
        for number in range(1, 41)
    ]
    many(release, clauses)

    found = release.conclude(patient(enzyme="99 U/L"), everything=False)

    assert {"fires"} == {one.state for one in found.cards.values()}


def tree(*tests):
    """Make a tree of one level."""
    return {test: {} for test in tests}


@pytest.mark.parametrize(
    ("expected", "tests"),
    [
        (0, []),
        (1, [("v", "=", 1), ("v", "=", 2)]),
        (2, [("w0", "=", 1), ("w0", "=", 0), ("w1", "=", 1)]),
        (2, [("unit", "!=", "a"), ("unit", "!=", "b")]),
        (2, [("lo", ">=", 5.0), ("hi", "<", 5.0), ("lo", ">", 4.0)]),
        (2, [("lo", ">", 5.0), ("hi", "<=", 5.0), ("lo", ">=", 5.0)]),
        (2, [("days", "<=", 30), ("lo", ">=", 5.0)]),
    ],
)
def test_what_can_be_true_together(expected, tests):
    """Two values of one property never are."""
    assert expected == most_pending(tree(*tests))


def test_what_waits_while_another_is_looked_into():
    """The others of its level, and all of the next."""
    deep = {("days", "<=", 9): tree(("lo", ">=", 1.0), ("lo", ">=", 2.0)), ("lo", ">", 0.0): {}}

    assert 3 == most_pending(deep)


def test_many_sets_of_labels_are_spread_over_facts(release):
    """However many are asked about."""
    labels = [f"L{number}" for number in range(70)]
    lines = ", ".join(f"{{label: {one}, if: age < 0 years}}" for one in labels)
    release.stages(f"lines: [{lines}, {{label: Z, otherwise: true}}]")
    for label in labels:
        release.card(f"card_{label.lower()}", f"show_if: {{not: stage is {label}}}")

    found = release.conclude(patient(), everything=False)

    assert {"fires"} == {one.state for one in found.cards.values()}
