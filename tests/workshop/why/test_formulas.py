"""
Formulas as their authors wrote them.
"""

from decimal import Decimal

import pytest

from cds.core.indices import Binary, Call, InputRef, Number, OneIf, Step
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.formulas import Vocabulary, parse_formula
from cds.rulefiles.nodes import Source
from cds.rulefiles.source import read_source
from cds.rulefiles.thresholds import Target
from cds.workshop.why.formulas import formula_for, written_formula
from tests.workshop.explained import shipped

NAMES = {name: Target(name, "1", {}) for name in ("a", "b", "c")}


def named(part):
    """
    An input or a step by its name.
    """
    return part.name


def read(text):
    """
    A formula of the grammar.
    """
    report = Report()
    block = read_source(Source("rules/a.yaml", f"a: {text}\n"), report)
    found = parse_formula(block.get("a"), Vocabulary(NAMES, {"step"}, {"cond"}), report)
    assert [] == [one for one in report.sorted() if one.severity == "error"]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "a * b / 22.5",
        "a / (b / c)",
        "a - (b - c)",
        "a - b - c",
        "(a + b) * c",
        "a + b * c",
        "2 ^ a ^ b",
        "(a ^ b) ^ c",
        "ln(a * b / 2)",
        "100 * logistic(0.953 * ln(a) + 0.139 * b - 15.745)",
        "min(a / b, 1) ^ c",
        "step * one_if(cond)",
        "-a + b",
        "a * -1.2",
        "(-2) ^ a",
    ],
)
def test_what_is_written_is_what_was_read(text):
    """
    The formula that is written reads as the same formula again.
    """

    def name(part):
        return f"one_if({part.name})" if isinstance(part, OneIf) else part.name

    formula = read(text)

    assert formula == read(written_formula(formula, name))


def test_brackets_stand_only_where_they_are_needed():
    """
    As one would write it.
    """
    texts = ["a * b / 22.5", "a / (b / c)", "(a + b) * c", "a - b - c", "ln(a) + b"]

    assert texts == [written_formula(read(one), named) for one in texts]


def test_numbers_stand_for_names():
    """
    A name that stands for several words gets its brackets from who names it.
    """
    formula = Binary("*", Call("ln", (InputRef("a"),)), Binary("+", Step("b"), Number(Decimal(2))))

    assert "ln(7) * (7 + 2)" == written_formula(formula, lambda _: "7")
    assert "a * (-3)" == written_formula(
        Binary("*", InputRef("a"), InputRef("b")), lambda one: {"a": "a", "b": "-3"}[one.name]
    )


def test_a_formula_goes_by_the_unit_that_was_sent():
    """
    The first where no other fits; none where an index has none.
    """
    homa, count = shipped().indices["homa_ir"], shipped().indices["metabolic_syndrome"]
    mmol, mgdl = homa.formula_in["mmol/L"], homa.formula_in["mg/dL"]

    assert (mmol, mgdl, mgdl) == tuple(formula_for(homa, one) for one in ("mmol/L", "mg/dL", ""))
    assert formula_for(count, "") is None
