"""
The formula grammar.
"""

from decimal import Decimal

import pytest

from cds.core.indices import Binary, Call, InputRef, Number, OneIf, Step
from cds.core.quantity import Conversion
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.formulas import Vocabulary, parse_formula
from cds.rulefiles.nodes import Source
from cds.rulefiles.source import read_source
from cds.rulefiles.thresholds import Target


def words(**more):
    """Make the words of a formula with two inputs."""
    units = {"mg/dL": Conversion(), "mmol/L": Conversion(Decimal("18.016"))}
    inputs = {
        "glucose": Target("glucose", "mg/dL", units),
        "insulin": Target("insulin", "u[IU]/mL", {"u[IU]/mL": Conversion()}),
        "bmi": Target("bmi", "1", {"1": Conversion()}),
    }
    return Vocabulary(inputs, {"k"}, {"female"}, **more)


def parse(text, **more):
    """Parse one formula; give it, and what was reported as code, marked text, headline."""
    report = Report()
    block = read_source(Source("x.yaml", f"a: {text}\n"), report)
    found = parse_formula(block.get("a"), words(**more), report)
    line = block.source.lines[0]
    return found, [
        (
            one.code,
            line[one.place.column - 1 : one.place.column - 1 + one.place.width],
            one.headline,
        )
        for one in report.sorted()
    ]


def worth(expr):
    """Work a formula of numbers out."""
    if isinstance(expr, Number):
        return expr.value
    left, right = worth(expr.left), worth(expr.right)
    return {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "/": left / right,
        "^": left**right,
    }[expr.op]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("16 / 4 / 2", 2),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("(-2) ^ 2", 4),
        ("2 ^ -1", Decimal("0.5")),
        ("--3", 3),
        ("+3 - -2", 5),
        ("2 * -3", -6),
        ("1.5e2", 150),
        ("1e-3", Decimal("0.001")),
    ],
)
def test_signs_bind_as_in_mathematics(text, value):
    """
    `^` to the right and tightest, then a sign, then `* /`, then `+ -`.
    """
    found, reported = parse(text)

    assert [] == reported
    assert value == worth(found)


def test_inputs_carry_their_unit():
    """
    A bare name means the canonical unit; brackets of a unit may be nested.
    """
    assert InputRef("glucose") == parse("glucose")[0]
    assert InputRef("glucose", "mmol/L") == parse("glucose[mmol/L]")[0]
    assert (InputRef("insulin", "u[IU]/mL"), []) == parse("insulin[u[IU]/mL]")


def test_an_input_as_it_was_sent():
    """
    Under a unit of `formula_in` the bare first input is in that unit.
    """
    found, _ = parse("glucose * bmi", as_sent=("glucose", "mmol/L"))

    assert Binary("*", InputRef("glucose", "mmol/L"), InputRef("bmi")) == found


def test_steps_and_conditions():
    """
    Steps are named by `let:` and `constants:`, conditions by `conditions:`.
    """
    assert Step("k") == parse("k")[0]
    assert OneIf("female") == parse("one_if(female)")[0]


def test_functions():
    """
    One argument, or for the smallest and largest two and more.
    """
    assert Call("ln", (InputRef("glucose", "mg/dL"),)) == parse("ln(glucose[mg/dL])")[0]
    assert Call("min", (Number(Decimal(1)), Step("k"), Step("k"))) == parse("min(1, k, k)")[0]
    assert [] == parse("sqrt(glucose) + logistic(bmi)")[1]


@pytest.mark.parametrize(
    ("text", "code", "marked", "headline"),
    [
        ("1 +", "CDS110", "+", "the formula ends too early"),
        ("1 2", "CDS110", "2", "`2` does not fit here"),
        ("1 + * 2", "CDS110", "*", "`*` does not fit here"),
        ("(1 + 2", "CDS110", "2", "the formula ends too early"),
        ("1 § 2", "CDS110", "§", "`§` does not fit here"),
        ("glucose[mg/dL", "CDS110", "L", "the formula ends too early"),
        ("glucose[g]", "CDS301", "glucose", "`glucose` cannot be expressed in g"),
        (
            "glucos * 2",
            "CDS201",
            "glucos",
            "`glucos` is not an input or a step of this formula",
        ),
        ("k[mg]", "CDS110", "k", "`k` is a plain number and has no unit"),
        ("sin(1)", "CDS110", "sin", "`sin` is not a function"),
        ("log(1)", "CDS110", "log", "`log` is not a function"),
        ("max(1)", "CDS110", "max", "`max` compares two or more"),
        ("ln(1, 2)", "CDS110", ",", "`,` does not fit here"),
        ("one_if(male)", "CDS201", "male", "`male` is not a name of `conditions:`"),
        ("one_if(", "CDS110", "(", "the formula ends too early"),
        ("exp(glucose)", "CDS304", "glucose", "`exp` of something with a unit"),
        ("ln(sqrt(glucose))", "CDS304", "glucose", "`ln` of something with a unit"),
    ],
)
def test_what_is_wrong_in_a_formula(text, code, marked, headline):
    """
    The caret stands where it stops making sense.
    """
    assert (code, marked, headline) in parse(text)[1]


@pytest.mark.parametrize("text", ["(" * 100, "2^" * 100 + "2", "(" * 5000])
def test_a_formula_has_a_depth(text):
    """
    Nobody reads forty brackets, and no file can exhaust the stack.
    """
    _, reported = parse(text)

    assert ["CDS110"] == [code for code, _, _ in reported]


def test_a_formula_that_cannot_be_read_stands_for_zero():
    """
    Its file does not load anyway.
    """
    assert Number(Decimal(0)) == parse("/")[0]
