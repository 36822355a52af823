"""
Which variables there are.
"""

from cds.proofs.prover import Proofs

COUNTS = """
thresholds:
  high: {value: 6.5 %, cite: book}
readings:
  many: {count days of: hba1c, where: at least high, within: 365 days}
holds_if: many >= 1
"""


def test_two_rules_that_count_the_same_share_a_variable(release):
    """
    Whatever they call it.
    """
    release.condition("one", COUNTS)
    release.condition("other", COUNTS.replace("many", "several").replace("high", "raised"))
    rules = release.load()
    one, other = (rules.conditions[name].holds_if for name in ("one", "other"))

    assert Proofs(rules).implies(one, other)


def test_two_rules_that_count_otherwise_do_not(release):
    """
    One word is enough.
    """
    release.condition("one", COUNTS)
    release.condition("other", COUNTS.replace("365 days", "90 days"))
    rules = release.load()
    one, other = (rules.conditions[name].holds_if for name in ("one", "other"))

    assert not Proofs(rules).implies(one, other)


def test_a_change_is_a_number_of_its_own(asked):
    """
    And so is a distance between two numbers.
    """
    proofs, more, less, beside = asked(
        more="hba1c rose by 2 points within 365 days",
        less="hba1c rose by 1 points within 365 days",
        beside="hba1c at least 90 days after enzyme",
    )

    assert proofs.implies(more, less)
    assert not proofs.implies(less, more)
    assert proofs.can_be(beside, "no", [(more, "yes")])


def test_how_long_a_thing_has_lasted(asked):
    """
    More than two years is more than one; what began is there.
    """
    proofs, long, longer, there, ahead = asked(
        long="statin began more than 365 days ago",
        longer="statin began at least 730 days ago",
        there="statin is present",
        ahead="due_date is in the future",
    )

    assert proofs.implies(longer, long)
    assert not proofs.implies(long, longer)
    assert proofs.implies(long, there)
    assert proofs.can_be(ahead, "yes")


def test_a_result_of_one_concept_is_a_result(asked):
    """
    Whoever asks about any result that was not used asks about this one, in each window.
    """
    proofs, every, one, longer = asked(
        every="some result was not used because of [unit] within 9 days",
        one="some result of [hba1c] was not used because of [unit] within 7 days",
        longer="some result of [hba1c] was not used because of [unit] within 30 days",
    )

    assert proofs.implies(one, every)
    assert proofs.implies(one, longer)
    assert not proofs.implies(longer, every)
