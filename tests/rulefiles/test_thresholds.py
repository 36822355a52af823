"""
Cut-offs as written, and fitted to what they are compared with.
"""

from decimal import Decimal

import pytest

from cds.core.clauses import Case, Place
from cds.core.quantity import Conversion
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.fixes import applied
from cds.rulefiles.nodes import Source
from cds.rulefiles.source import read_source
from cds.rulefiles.thresholds import Target, literal, read_amount, read_range, read_thresholds

PLACE = Place("x.yaml", 1, 1)
GLUCOSE = Target(
    "glucose",
    "mg/dL",
    {
        "mg/dL": Conversion(low=Decimal(20), high=Decimal(800)),
        "mmol/L": Conversion(Decimal("18.016")),
    },
)


def read(text):
    """Read the threshold `x`, and give what was reported."""
    report = Report()
    block = read_source(Source("x.yaml", f"x: {text}\n"), report)
    return read_thresholds(block, report, ("asian",))["x"], report


def fit(text, target=GLUCOSE):
    """Fit a threshold, and give what was reported."""
    written, report = read(text)
    fitted = written.fit(target, PLACE, report)
    return fitted, [(one.code, one.headline) for one in report.sorted()]


def test_a_threshold_by_sex_age_and_group():
    """
    Every number knows for whom it holds.
    """
    written, report = read(
        "{male: 5, female: {below 50 years: 6, from 50 below 65 years: 7, from 65 years: 8},"
        " asian: {value: 4}, cite: a, or_own: lower limit}"
    )

    assert () == report.sorted()
    assert (
        Case(Decimal(5), sex="male"),
        Case(Decimal(6), sex="female", age_below=50),
        Case(Decimal(7), sex="female", age_from=50, age_below=65),
        Case(Decimal(8), sex="female", age_from=65),
        Case(Decimal(4), group="asian"),
    ) == written.as_written.cases
    assert ("a", "lower", "1") == (
        written.as_written.cite,
        written.as_written.or_own,
        written.as_written.unit,
    )


def test_ages_may_repeat_their_word():
    """
    `from 35 years below 65 years` is English too.
    """
    written, report = read(
        "{below 35 years: 1, from 35 years below 65 years: 2, from 65 years: 3, "
        "or_own: upper limit}"
    )

    assert () == report.sorted()
    assert (35, 65) == (written.cases[1].age_from, written.cases[1].age_below)
    assert "upper" == written.or_own


@pytest.mark.parametrize(
    ("text", "code", "headline"),
    [
        ("{values: 5}", "CDS102", "`values` is not a key of a threshold"),
        ("{years: 5}", "CDS102", "`years` is not a key of a threshold"),
        ("{male: {cite: a}}", "CDS102", "`cite` is not a key of a threshold"),
        ("{cite: a}", "CDS104", "the threshold `x` has no number"),
        ("{value: much}", "CDS105", "expected a number with its unit"),
        ("{value: 5%}", "CDS105", "expected a number with its unit"),
        ("{pair: [1 a]}", "CDS105", "expected a number with its unit"),
        ("{pair: [1 a, [2]]}", "CDS105", "expected a number with its unit"),
        ("{value: 5, localisable: a lot}", "CDS105", "`localisable` is not a range"),
        ("{value: 5, localisable: [1]}", "CDS105", "`localisable` is not a range"),
    ],
)
def test_what_is_no_threshold(text, code, headline):
    """
    Keys and numbers that cannot be read.
    """
    _, report = read(text)

    assert (code, headline) in [(one.code, one.headline) for one in report.sorted()]


def test_thresholds_that_are_no_blocks_are_passed_over():
    """
    Their shape was reported before.
    """
    report = Report()
    block = read_source(Source("x.yaml", "x: 5\n"), report)

    assert {} == read_thresholds(block, report)
    assert {} == read_thresholds(None, report)


def test_a_threshold_is_fitted_to_the_canonical_unit():
    """
    Converted by the concept's own factor and rounded once, with its range.
    """
    fitted, reported = fit("{value: 7.0 mmol/L, cite: a, localisable: 6 to 8}")

    assert [] == reported
    assert (Case(Decimal("126.1120")),) == fitted.cases
    assert ("mg/dL", (Decimal("108.096"), Decimal("144.128"))) == (
        fitted.unit,
        fitted.localisable,
    )


def test_a_threshold_without_numbers_fits_to_nothing():
    """
    It was reported when it was read.
    """
    assert () == fit("{cite: a, localisable: 1 to 2}")[0].cases


def test_a_threshold_is_fitted_once_for_each_target():
    """
    What is wrong with it is said once, at its first use.
    """
    written, report = read("{value: 5 g}")

    assert written.fit(GLUCOSE, PLACE, report) is written.fit(GLUCOSE, PLACE, report)


def test_a_pair_keeps_its_numbers_whichever_comes_first():
    """
    The canonical unit is the one that is compared.
    """
    expected = (Case(Decimal(126), alternate=Decimal("7.0"), alternate_unit="mmol/L"),)

    assert expected == fit("{pair: [126 mg/dL, 7.0 mmol/L]}")[0].cases
    assert expected == fit("{pair: [7.0 mmol/L, 126 mg/dL]}")[0].cases
    assert expected == fit("{value: [126 mg/dL, 7.0 mmol/L]}")[0].cases


def test_units_that_are_not_accepted():
    """
    Named with those that are, and with where the threshold says otherwise.
    """
    written, report = read("{value: 50 g/L}")
    written.fit(GLUCOSE, PLACE, report)
    (found,) = report.sorted()

    assert "CDS301" == found.code
    assert ("accepted units: mg/dL, mmol/L",) == found.notes
    assert ["declared in g/L"] == [one.label for one in found.spans]


@pytest.mark.parametrize(
    ("unit", "target", "code", "headline"),
    [
        ("mol/L", "mg/dL", "CDS303", "mol/L is an amount, and `a` is kept as a mass"),
        ("ng/dL", "nmol/L", "CDS303", "ng/dL is a mass, and `a` is kept as an amount"),
        ("g/L", "mg/dL", "CDS301", "`a` cannot be compared with a value in g/L"),
        ("gtt/L", "mol/L", "CDS301", "`a` cannot be compared with a value in gtt/L"),
        ("cm", "mol/L", "CDS301", "`a` cannot be compared with a value in cm"),
    ],
)
def test_mass_and_amount_are_told_apart(unit, target, code, headline):
    """
    No dimension knows the way from one to the other.
    """
    found = fit(f"{{value: 5 {unit}}}", Target("a", target, {target: Conversion()}))[1]

    assert [(code, headline)] == found


@pytest.mark.parametrize("text", ["1e2 mg/dL", "100. mg/dL", "1_00 mg/dL"])
def test_numbers_that_can_be_read_in_more_than_one_way(text):
    """
    The plain form is written safely.
    """
    source = Source("rules/x.yaml", f"x: {{value: {text}}}\n")
    report = Report({source.path: source})
    read_thresholds(read_source(source, Report()), report)
    (found,) = report.sorted()

    assert f"`{text}` can be read in more than one way" == found.headline
    assert "write `100 mg/dL`" == found.help
    assert "x: {value: 100 mg/dL}\n" == applied(source.text, found.fix.edits)
    assert found.fix.safe


def test_a_number_without_its_unit():
    """
    Beside a number the unit is written; of a name the place of its declaration is shown.
    """
    source = Source(PLACE.path, "\n" * PLACE.line + " " * 99)
    report = Report({source.path: source})
    literal("50", "", PLACE).fit(GLUCOSE, PLACE, report)
    written, other = read("{value: 50}")
    written.fit(GLUCOSE, PLACE, other)
    (bare,), (named,) = report.sorted(), other.sorted()

    assert ("CDS302", "50 mg/dL", False) == (bare.code, bare.fix.edits[0].text, bare.fix.safe)
    assert (None, ["no unit here"]) == (named.fix, [one.label for one in named.spans])


def test_a_range_that_is_open():
    """
    A target may have no plausible range, or only one end.
    """
    open_below = Target("a", "mg", {"mg": Conversion(high=Decimal(9))})
    open_above = Target("a", "mg", {"mg": Conversion(low=Decimal(2))})

    assert [] == fit("{value: 5 mg}", open_below)[1]
    assert ["CDS305"] == [code for code, _ in fit("{value: 10 mg}", open_below)[1]]
    assert ["CDS305"] == [code for code, _ in fit("{value: 1 mg}", open_above)[1]]
    assert [] == fit("{value: 5}", Target("a", "1", {}))[1]


def test_amounts_and_ranges():
    """
    A number, a blank, a unit; two numbers with `to`.
    """
    assert (Decimal("5.7"), "%") == read_amount("5.7 %")
    assert (Decimal(-1), "") == read_amount(" -1 ")
    assert None is read_amount("5.7%")
    assert (Decimal(20), Decimal(800)) == read_range("20 to 800 mg/dL")
    assert None is read_range("20-800")


@pytest.mark.parametrize(
    ("pair", "equal"),
    [
        ("[126 mg/dL, 7.0 mmol/L]", True),
        ("[100 mg/dL, 5.6 mmol/L]", True),
        ("[126 mg/dL, 9.0 mmol/L]", False),
        ("[100 mmol/L, 5.6 mg/dL]", False),
        ("[126 mg/dL, 7.0 g]", True),
    ],
)
def test_a_pair_is_one_amount(pair, equal):
    """
    But for what printing rounds away; a unit that cannot be read is said once.
    """
    _, found = fit(f"{{pair: {pair}}}")

    assert equal == ("CDS307" not in [code for code, _ in found])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{value: 4.5, localisable: 4 to 7}", []),
        ("{value: 4.5, localisable: 400 to 700}", ["CDS305"]),
        ("{male: 94, female: 80, localisable: 80 to 102}", []),
        ("{male: 94, female: 80, localisable: 90 to 102}", ["CDS305"]),
        ("{value: 25, asian: 23, localisable: 24 to 30}", []),
    ],
)
def test_a_threshold_lies_in_its_own_range(text, found):
    """
    But for the cut-offs of a group of people.
    """
    _, report = read(text)

    assert found == [one.code for one in report.sorted()]
