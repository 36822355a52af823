"""
How a number came about: the inputs that were chosen, the formula with them, the gates.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cds.core.clauses import Limit
from cds.core.findings import IndexResult, Interval
from cds.core.indices import Band, Index, Input, InputRef, OneIf, Step
from cds.core.latest import gap_of, range_of, sent_of
from cds.core.rules import Ruleset
from cds.reasoning.comparison import possible_cases
from cds.reasoning.formula import Chosen, Formula
from cds.reasoning.reference import Run
from cds.workshop.why.formulas import formula_for, written_formula
from cds.workshop.why.values import Values, span

__all__ = ["Workings"]


class Workings:
    """Says of the readings and indices of one evaluation how they were worked out."""

    def __init__(self, rules: Ruleset, run: Run, values: Values) -> None:
        self._rules = rules
        self._run = run
        self._values = values
        self._known = run.conclude().numbers

    def say(self, found: IndexResult) -> str:
        """Write a number with how it came about; "" where it is unknown."""
        if found.state == "not valid":
            return f"not valid: {self.because(found)}"
        if found.state == "unknown" or found.number is None:
            return ""
        index = self._rules.indices.get(found.name)
        text = self._values.number(found)
        if index is None:
            return f"{text} ({self._values.results(found.results)})" if found.results else text
        if index.count_of:
            return f"{text} of {len(index.count_of)} criteria"
        return f"{text}{self.origin(index, found)}"

    def because(self, found: IndexResult) -> str:
        """Name the gate that makes a number not valid."""
        return found.because.replace("_", " ")

    def origin(self, index: Index, found: IndexResult) -> str:
        """Write ` = ` and the formula with its numbers, or the name that was taken."""
        for name in index.first_of:
            if name == "formula" and self._by_formula(index, found):
                break
            if name in self._known and self._known[name].state != "unknown":
                inner = self._rules.indices.get(name)
                return self.origin(inner, self._known[name]) if inner is not None else ""
            if any(one.concept == name for one in found.results):
                return f" = {name}, {self._values.result(found.results[0])}"
        for name in index.highest_known_of:
            other = self._known.get(name)
            if other is not None and other.number == found.number:
                return f" = {name}"
            if any(one.concept == name for one in found.results):
                return f" = {name}, {self._values.result(found.results[0])}"
        formula = self.with_numbers(index, found)
        # A number that is taken as it is needs no second mention.
        return f" = {formula}" if " " in formula or "(" in formula else ""

    def _by_formula(self, index: Index, found: IndexResult) -> bool:
        """Tell whether a number was made by the index's own formula."""
        chosen = self.chosen(index, found)
        return all(one.optional or one.name in chosen for one in index.inputs)

    # --- formulas ---------------------------------------------------------------

    def formula(self, index: Index, found: IndexResult) -> str:
        """Write the formula that applied, with the names of its inputs."""
        expr = formula_for(index, self._first(index, found)[1])
        return "" if expr is None else written_formula(expr, _named)

    def with_numbers(self, index: Index, found: IndexResult) -> str:
        """Write the formula that applied with the numbers that went into it."""
        first, unit = self._first(index, found)
        expr = formula_for(index, unit)
        if expr is None:
            return ""
        worked = self._formula(index, found)

        def name(part: InputRef | Step | OneIf) -> str:
            number = worked.interval(part, first if index.formula_in else "", unit)
            text = "?" if number is None else span(number)
            return f"({text})" if " " in text else text

        return written_formula(expr, name)

    def steps(self, index: Index, found: IndexResult) -> Iterator[tuple[str, str, str]]:
        """Give the named steps and constants of a formula: name, how, number."""
        worked = self._formula(index, found)
        for name, threshold in index.constants.items():
            cases = possible_cases(threshold, self._values.facing)
            yield name, "constant", " or ".join(dict.fromkeys(str(one.value) for one in cases))
        for name, expr in index.let.items():
            number = worked.interval(expr, "", "")
            yield name, written_formula(expr, _named), "?" if number is None else span(number)

    def _formula(self, index: Index, found: IndexResult) -> Formula:
        constants = {
            name: cases[0].value
            for name, threshold in index.constants.items()
            if (cases := possible_cases(threshold, self._values.facing))
        }
        ones = {
            name: Decimal(1 if self._run.ask(f"{index.id}.conditions.{name}").is_yes else 0)
            for name in index.conditions
        }
        concepts = {
            one.name: self._rules.concepts.get(one.source) if one.what == "concept" else None
            for one in index.inputs
        }
        return Formula(index, self.chosen(index, found), ones, concepts, constants)

    def _first(self, index: Index, found: IndexResult) -> tuple[str, str]:
        """Give the first input and the unit in which the formula takes it."""
        if not index.inputs:
            return "", ""
        first = index.inputs[0].name
        if not index.formula_in:
            return first, ""
        chosen = self.chosen(index, found).get(first)
        sent = chosen.unit if chosen is not None else ""
        return first, sent if sent in index.formula_in else next(iter(index.formula_in))

    # --- inputs -----------------------------------------------------------------

    def chosen(self, index: Index, found: IndexResult) -> dict[str, Chosen]:
        """Give the inputs that were chosen, by their names in the file."""
        chosen: dict[str, Chosen] = {}
        for one in index.inputs:
            if one.what == "concept":
                result = next((got for got in found.results if got.concept == one.source), None)
                if result is not None:
                    number = range_of(result.value, result.bound)
                    chosen[one.name] = Chosen(number, sent_of(result), result.unit, result)
            elif one.what == "age":
                ages = self._values.facing.ages
                if ages is not None:
                    middle = Interval.exactly(Decimal(sum(ages)) / 2)
                    chosen[one.name] = Chosen(middle, middle, "a")
            else:
                other = self._known[one.source]
                if other.state == "value" and other.number is not None:
                    chosen[one.name] = Chosen(other.number, other.number, "")
        return chosen

    def input(self, index: Index, one: Input, found: IndexResult) -> tuple[str, str]:
        """Say what was found for an input, and why nothing was."""
        chosen = self.chosen(index, found).get(one.name)
        if one.what == "age":
            return self._values.age(), "" if chosen is not None else "not recorded"
        if one.what != "concept":
            other = self._known[one.source]
            return self.say(other), self._values.reasons(other.needs, one.source)
        if chosen is not None and chosen.result is not None:
            return self._values.result(chosen.result), ""
        needs = [need for need in found.needs if need.name == one.source]
        newest = self._values.latest(one.source)
        return newest, self._values.reasons(needs, one.source)

    def gap(self, concept: str, within: int | None) -> str:
        """Say why a concept has no value inside a window."""
        search = self._rules.concepts[concept].search
        return gap_of(self._run.snapshot, concept, search, within)

    # --- bands ------------------------------------------------------------------

    @staticmethod
    def limits_of(band: Band) -> tuple[Limit | None, Limit | None]:
        """Give the ends of a band as limits of a comparison."""
        return (
            Limit(band.low, inclusive=True) if band.low is not None else None,
            Limit(band.high, inclusive=False) if band.high is not None else None,
        )

    def needed_for(self, index: str, band: Band) -> str:
        """Write what a number must be for a band, and whether a site has set that."""
        limits = self.limits_of(band)
        return self._values.needed(*limits) + self._values.by_site(index, limits)


def _named(part: InputRef | Step | OneIf) -> str:
    if isinstance(part, InputRef):
        return f"{part.name}[{part.unit}]" if part.unit else part.name
    return f"one_if({part.name})" if isinstance(part, OneIf) else part.name
