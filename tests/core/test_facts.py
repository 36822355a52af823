"""What is known of one patient, and whether two results are one collection."""

from dataclasses import replace

from cds.core.facts import Gap, ListState, Person
from cds.core.findings import Interval
from cds.core.quantity import Conversion
from tests.reasoning.release import NOW, born, patient, result


def test_one_specimen_is_one_collection():
    """Whatever the times say."""
    one = result("glucose", "90 mg/dL", days=1, specimen="Specimen/1")
    other = result("insulin_level", "9", days=2, specimen="Specimen/1")

    assert one.with_same_collection(other)


def test_without_a_specimen_the_time_decides():
    """The same instant, or not."""
    one = result("glucose", "90 mg/dL", days=1)

    assert one.with_same_collection(result("insulin_level", "9", days=1))
    assert not one.with_same_collection(result("insulin_level", "9", days=2))


def test_age_needs_a_birth_date():
    """Without one there is no age, not age zero."""

    assert None is Person("p").age(NOW)
    assert (50, 50) == Person("p", born=born(50)).age(NOW)


def test_a_list_nobody_mentions_was_not_sent():
    """Silence is not completeness."""

    assert ListState(complete=False, reason=Gap.NOT_SENT) == patient(lists={}).state_of("problems")


def test_an_interval_has_a_value_where_it_is_exact():
    """Bounds alone are no value."""

    assert 3 == Interval.exactly(3).value
    assert None is Interval(None, 3).value
    assert None is Interval(2, 3).value


def test_same_unit_converts_to_itself():
    """A factor alone, or an offset alone, is a conversion."""
    shifted = Conversion(offset=2)

    assert 5 == shifted.to_canonical(3)
    assert 3 == shifted.from_canonical(5)


def test_results_are_compared_as_a_whole():
    """The raw resource is no part of equality."""
    one = result("glucose", "90 mg/dL")

    assert one == replace(one, source=replace(one.source, raw={"a": 1}))
