"""A formula with its numbers: exact, or a range."""

from decimal import Decimal

import pytest

from tests.reasoning.release import patient, result


def number(release, formula, snapshot, more="", inputs="a: {concept: ratio}, b: {concept: enzyme}"):
    """Work out one formula of the inputs `a` and `b`."""
    release.index("score", f"{more}\ninputs: {{{inputs}}}\nformula: {formula}")
    return release.conclude(snapshot).numbers["score"]


@pytest.mark.parametrize(
    ("expected", "formula"),
    [
        ("5", "a + b"),
        ("-1", "a - b"),
        ("6", "a * b"),
        ("0.666666666667", "a / b"),
        ("8", "a ^ b"),
        ("2", "min(a, b)"),
        ("3", "max(a, b)"),
        ("0.693147180560", "ln(a)"),
        ("1", "log10(a * 5)"),
        ("7.38905609893", "exp(a)"),
        ("2", "sqrt(a * 2)"),
        ("0.5", "logistic(a - 2)"),
        ("-2", "-a"),
    ],
)
def test_operators_and_functions(release, expected, formula):
    """Each to twelve digits."""
    found = number(release, f'"{formula}"', patient(ratio="2", enzyme="3 U/L"))

    assert Decimal(expected) == found.number.value


def test_steps_constants_and_conditions(release):
    """Named by `let`, by sex, and by yes or no."""
    found = number(
        release,
        "step * factor + one_if(gouty) + 10 * one_if(young)",
        patient(ratio="2", enzyme="3 U/L", sex="male", listed=("gout",)),
        more=(
            "let: {step: a + b}\nconstants: {factor: {male: 2, female: 3}}\n"
            "conditions: {gouty: gout is present, young: age < 18 years}"
        ),
    )

    assert Decimal(11) == found.number.value


def test_a_constant_needs_the_sex(release):
    """Two that differ are no number; two alike would be."""
    more = "constants: {factor: {male: 2, female: 3}}"

    found = number(
        release, "a * factor", patient(ratio="2", sex="unknown"), more, "a: {concept: ratio}"
    )

    assert ("unknown", "score") == (found.state, found.needs[0].name)


@pytest.mark.parametrize(
    "formula", ["ln(a - 9)", "max(ln(a - 9), 0)", "1 / (a - a)", "sqrt(a - 9)"]
)
def test_what_cannot_be_computed_is_said_so(release, formula):
    """Neither an error nor a number."""
    found = number(release, f'"{formula}"', patient(ratio="2"), inputs="a: {concept: ratio}")

    assert ("unknown", "cannot be computed from these values") == (
        found.state,
        found.needs[0].reason,
    )


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        ((Decimal(0), Decimal(4), False, True), "< 4"),
        ((Decimal(0), Decimal(4), False, False), "<= 4"),
        ((Decimal(4), None, True, True), "> 4"),
        ((Decimal(4), None, False, False), ">= 4"),
    ],
)
def test_a_bound_gives_a_range(release, expected, sent):
    """Both ends are worked out; an end that is excluded stays so."""
    found = number(release, "a", patient(ratio=sent), inputs="a: {concept: ratio}").number

    assert expected[:3] == (found.low, found.high, found.low_open)
    assert expected[1] is None or expected[3] == found.high_open


def test_a_range_through_a_constant_is_one_number(release):
    """An end that was excluded before does not matter after."""
    found = number(
        release, '"min(a, 3)"', patient(ratio="> 4"), inputs="a: {concept: ratio}"
    ).number

    assert (Decimal(3), False, False) == (found.value, found.low_open, found.high_open)


def test_one_over_a_range_from_zero_is_open_above(release):
    """Infinity is no number to print."""
    found = number(release, "1 / a", patient(ratio="< 4"), inputs="a: {concept: ratio}").number

    assert (Decimal("0.25"), None) == (found.low, found.high)


class TestUnits:
    """Inputs as plain numbers in a unit."""

    def test_what_was_sent_in_that_unit_is_taken_as_sent(self, release):
        """No detour through another unit."""
        found = number(
            release, '"a[mmol/L]"', patient(glucose="5.6 mmol/L"), inputs="a: {concept: glucose}"
        )

        assert Decimal("5.6") == found.number.value

    def test_what_was_sent_otherwise_is_converted(self, release):
        """By the factor of the concept."""
        found = number(
            release, '"a[mmol/L]"', patient(glucose="180.16 mg/dL"), inputs="a: {concept: glucose}"
        )

        assert Decimal(10) == found.number.value

    def test_a_bound_is_converted_at_both_ends(self, release):
        """It has no one number that was sent."""
        found = number(
            release,
            '"a[mmol/L]"',
            patient(glucose="< 180.16 mg/dL"),
            inputs="a: {concept: glucose}",
        )

        assert (Decimal(0), Decimal(10)) == (found.number.low, found.number.high)

    @pytest.mark.parametrize(("expected", "sent"), [(1, "180 mg/dL"), (2, "10 mmol/L"), (1, "")])
    def test_a_formula_for_each_unit(self, release, expected, sent):
        """The first input decides by how it was sent; the first formula where it was not."""
        release.index(
            "score",
            """
            inputs: {a: {concept: glucose, optional: true}, b: {concept: ratio}}
            formula_in: {mg/dL: b, mmol/L: 2 * b}
            """,
        )
        sent = {"glucose": sent} if sent else {}

        found = release.conclude(patient(ratio="1", **sent)).numbers["score"]

        assert expected == found.number.value

    def test_an_optional_input_that_is_missing_is_no_number(self, release):
        """A formula that needs it cannot be computed."""
        inputs = "a: {concept: ratio}, b: {concept: enzyme, optional: true}"

        assert "unknown" == number(release, "a + b", patient(ratio="2"), inputs=inputs).state

    def test_an_odd_result_of_a_unit(self, release):
        """What was sent as a number is used although the canonical one is rounded."""
        one = result("glucose", "7.123456789012345 mmol/L")

        found = number(
            release, '"a[mmol/L]"', patient(glucose=[one]), inputs="a: {concept: glucose}"
        )

        assert Decimal("7.12345678901") == found.number.value
