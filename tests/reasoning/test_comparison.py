"""A number, or a range, against cut-offs that differ by sex, age, group and unit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cds.core.clauses import Case, Limit, Threshold
from cds.core.facts import Person
from cds.core.findings import Interval
from cds.core.truth import Need
from cds.reasoning.comparison import Facing, compare, possible_cases
from tests.reasoning.release import born, result

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def facing(sex="female", age=50, group="", older=0, site=""):
    """Make somebody."""
    person = Person("p", sex=sex, born=None if age is None else born(age, older), group=group)
    return Facing(person, NOW, site)


def threshold(*cases, **more):
    """Make a cut-off."""
    return Threshold("cut", cases, "1", **more)


def case(value, **more):
    """Make one number of a cut-off."""
    return Case(Decimal(value), **more)


def at_least(number, *cases, who=None, **more):
    """Compare `number >= cut`."""
    cut = Limit(threshold(*cases), inclusive=True)
    return compare(number, cut, None, who or facing(), **more).word


def between(low, high, **ends):
    """Make a range."""
    return Interval(
        None if low is None else Decimal(low), None if high is None else Decimal(high), **ends
    )


class TestRanges:
    """A range is compared as a whole."""

    @pytest.mark.parametrize(
        ("at", "above", "number"),
        [
            ("yes", "no", between(5, 5)),
            ("yes", "yes", between(6, 7)),
            ("no", "no", between(3, 4)),
            ("unknown", "unknown", between(4, 6)),
            ("yes", "unknown", between(5, 6)),
            ("yes", "yes", between(5, 6, low_open=True)),
            ("unknown", "no", between(4, 5)),
            ("no", "no", between(4, 5, high_open=True)),
            ("yes", "unknown", between(5, None)),
            ("unknown", "no", between(None, 5)),
            ("unknown", "unknown", between(None, None)),
        ],
    )
    def test_against_five(self, at, above, number):
        """What belongs to the range decides `>=` and `>`; `<` and `<=` are their opposites."""
        opposite = {"yes": "no", "no": "yes", "unknown": "unknown"}
        closed = Limit(threshold(case(5)), inclusive=True)
        opened = Limit(threshold(case(5)), inclusive=False)

        assert [at, above, opposite[at], opposite[above]] == [
            compare(number, closed, None, facing()).word,
            compare(number, opened, None, facing()).word,
            compare(number, None, opened, facing()).word,
            compare(number, None, closed, facing()).word,
        ]

    def test_between_two_limits(self):
        """Both ends must hold; an unknown says why."""
        low, high = (Limit(threshold(case(one)), inclusive=True) for one in (3, 7))
        need = Need("x", "known within bounds only")

        assert ["yes", "no", "no"] == [
            compare(Interval.exactly(Decimal(one)), low, high, facing()).word for one in (5, 2, 8)
        ]
        assert (need,) == compare(between(5, 9), low, high, facing(), needs=[need]).needs


class TestPeople:
    """Whose cut-off it is."""

    BY_SEX = (case(40, sex="male"), case(30, sex="female"))
    BY_AGE = (case(40, age_below=65), case(30, age_from=65, age_below=75), case(20, age_from=75))

    @pytest.mark.parametrize(
        ("expected", "sex", "number"),
        [
            ("no", "male", 35),
            ("yes", "female", 35),
            ("unknown", "unknown", 35),
            ("yes", "unknown", 45),
        ],
    )
    def test_by_sex(self, expected, sex, number):
        """Where sex is not known, all cut-offs must agree."""

        assert expected == at_least(
            Interval.exactly(Decimal(number)), *self.BY_SEX, who=facing(sex=sex)
        )

    @pytest.mark.parametrize(
        ("expected", "age", "older"),
        [([40], 64, 0), ([30], 65, 0), ([20], 75, 0), ([40, 30], 64, 1), ([40, 30, 20], None, 0)],
    )
    def test_by_age(self, expected, age, older):
        """A birth year leaves two ages, and perhaps two cut-offs."""
        found = possible_cases(threshold(*self.BY_AGE), facing(age=age, older=older))

        assert set(expected) == {one.value for one in found}

    @pytest.mark.parametrize(
        ("expected", "group", "site"),
        [(25, "", ""), (23, "asian", ""), (23, "", "asian"), (25, "other", "")],
    )
    def test_by_group(self, expected, group, site):
        """A group's own cut-off counts where the group was sent, or set by the site."""
        cut = threshold(case(25), case(23, group="asian"))

        assert [expected] == [
            one.value for one in possible_cases(cut, facing(group=group, site=site))
        ]

    @pytest.mark.parametrize(
        ("expected", "who"),
        [
            (1, facing(sex="male", age=70)),
            (0, facing(sex="female", age=70)),
            (0, facing(sex="unknown", age=70)),
            (0, facing(sex="male", age=64)),
            (0, facing(sex="male", age=64, older=1)),
            (0, facing(sex="male", age=None)),
        ],
    )
    def test_who_may_be_nobody_it_speaks_of_has_no_cut_off(self, expected, who):
        """A cut-off for old men says nothing of others, nor of who may be another."""
        cut = threshold(case(5, sex="male", age_from=65))

        assert expected == len(possible_cases(cut, who))

    def test_a_cut_off_of_one_group_is_nobody_elses(self):
        """Without a general one there is none."""

        assert "unknown" == at_least(between(9, 9), case(5, group="asian"))
        assert "yes" == at_least(between(9, 9), case(5, group="asian"), who=facing(group="asian"))


class TestUnits:
    """A printed pair, and the laboratory's own limit."""

    PAIR = case(126, alternate=Decimal(7), alternate_unit="mmol/L")

    def test_a_pair_is_compared_as_sent(self):
        """7.0 mmol/L is 126.112 mg/dL, and 6.99 is below either way."""
        sent = Interval.exactly(Decimal("7.0"))

        assert "yes" == at_least(between(125, 125), self.PAIR, sent=sent, unit="mmol/L")
        assert "no" == at_least(between(125, 125), self.PAIR, sent=sent, unit="mg/dL")

    @pytest.mark.parametrize(
        ("expected", "own", "limits"),
        [
            ("yes", "lower", {"own_low": Decimal(4)}),
            ("no", "lower", {"own_low": Decimal(6)}),
            ("yes", "upper", {"own_high": Decimal(4)}),
            ("no", "upper", {}),
            ("no", "", {"own_low": Decimal(4)}),
        ],
    )
    def test_the_laboratorys_own_limit_goes_first(self, expected, own, limits):
        """Where it was sent and the threshold takes it."""
        one = result("enzyme", "5", **limits)
        cut = Limit(threshold(case(9), or_own=own), inclusive=True)

        assert expected == compare(between(5, 5), cut, None, facing(), result=one).word
