"""
Numbers from several results: readings and indices.

Shared by both evaluators: what is compared must be the same number. Conditions are
asked through a function, so each evaluator brings its own answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from cds.core.clauses import All, Any_, AtLeast, Compare, Expr, Limit, Not
from cds.core.concepts import Concept, Reading
from cds.core.facts import Gap, Result, Snapshot
from cds.core.findings import IndexResult, Interval
from cds.core.indices import Index, Input
from cds.core.latest import gap_of, latest, range_of, sent_of
from cds.core.moment import DAY, Moment
from cds.core.truth import Need, Truth, all_of, any_of, at_least, negate, unknown
from cds.reasoning.comparison import Facing, compare, possible_cases
from cds.reasoning.formula import Chosen, Formula
from cds.reasoning.grading import Ask
from cds.reasoning.questions import Asked, answered, is_input
from cds.reasoning.readings import Readings

__all__ = ["Numbers", "input_answer"]


class Numbers:
    """
    Works out readings and indices of one snapshot.

    *known* collects what has been worked out, by name; an index may use another only
    after it, which the order of the release guarantees. *asked* names the questions of
    each index. *worked* keeps results by name and answers: the second evaluator works a
    number out again only where its answers differ in what matters.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        concepts: Mapping[str, Concept],
        facing: Facing,
        asked: Asked,
        worked: dict[tuple[str | bool, ...], IndexResult] | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._concepts = concepts
        self._facing = facing
        self._asked = asked
        self._worked = {} if worked is None else worked
        self._readings = Readings(snapshot, concepts, facing)
        self.known: dict[str, IndexResult] = {}

    def again(self, asked: Asked) -> Numbers:
        """Keep what is known, for the same snapshot with another text of one rule."""
        other = Numbers(self._snapshot, self._concepts, self._facing, {**self._asked, **asked})
        other.known.update(self.known)
        return other

    # --- readings -----------------------------------------------------------

    def read(self, reading: Reading) -> IndexResult:
        """Work out a number from several results of one concept."""
        found = self._worked.get((reading.id,))
        if found is None:
            found = self._worked[(reading.id,)] = self._readings.work_out(reading)
        self.known[reading.id] = found
        return found

    # --- indices ------------------------------------------------------------

    def compute(self, index: Index, ask: Ask) -> IndexResult:
        """
        Work out an index: inputs, pair, validity, formula.

        *ask* answers the questions of this index. The result is a value (exact, or
        within bounds), unknown with needs, or not valid with the reason.
        """
        key = (index.id, *answered(self._asked.get(index.id, {}), ask))
        found = self._worked.get(key)
        if found is None:
            found = self._worked[key] = self._computed(index, ask)
        self.known[index.id] = found
        return found

    def _computed(self, index: Index, ask: Ask) -> IndexResult:
        stop = self._gated(index, ask)
        if stop is not None:
            return IndexResult(name=index.id, state="not valid", because=stop)
        if index.count_of:
            found = self._criteria(index, ask)
        elif index.first_of:
            found = self._first_of(index, ask)
        elif index.highest_known_of:
            found = self._highest_known(index)
        else:
            found = self._own(index, ask)
        if index.bands and found.number is not None:
            return _called(found, index.id, self._band(index, found.number))
        return found

    def _band(self, index: Index, number: Interval) -> str:
        for band in index.bands:
            low = Limit(band.low, inclusive=True) if band.low is not None else None
            high = Limit(band.high, inclusive=False) if band.high is not None else None
            if compare(number, low, high, self._facing).is_yes:
                return band.name
        return ""

    def _gated(self, index: Index, ask: Ask) -> str | None:
        """Name the first gate that is proved, whether or not there are inputs."""
        asked = self._asked.get(index.id, {})
        for gate in index.not_valid_if:
            name = f"{index.id}.not_valid_if.{gate.id}"
            if name in asked and ask(name).is_yes:
                return gate.id
        return None

    def _criteria(self, index: Index, ask: Ask) -> IndexResult:
        answers = {name: ask(f"{index.id}.count_of.{name}") for name in index.count_of}
        sure = sum(one.is_yes for one in answers.values())
        possible = sum(not one.is_no for one in answers.values())
        return IndexResult(
            name=index.id,
            state="value",
            number=Interval(Decimal(sure), Decimal(possible)),
            criteria=answers,
            needs=tuple(dict.fromkeys(need for one in answers.values() for need in one.needs)),
        )

    def _first_of(self, index: Index, ask: Ask) -> IndexResult:
        needs: list[Need] = []
        for name in index.first_of:
            if name == "formula":
                found = self._own(index, ask)
            elif name in self.known:
                found = self.known[name]
            else:
                found = self._as_sent(index, name)
            if found.state != "unknown":
                return _called(found, index.id)
            needs.extend(found.needs)
        return self._missing(index.id, needs)

    def _highest_known(self, index: Index) -> IndexResult:
        """Take the highest of what is known; unknown only where nothing is."""
        every = [
            self.known[name] if name in self.known else self._as_sent(index, name)
            for name in index.highest_known_of
        ]
        known = [(one, one.number) for one in every if one.number is not None]
        if not known:
            needs = [need for one in every for need in one.needs]
            return self._missing(index.id, needs or [Need(index.id, Gap.NOT_VALID)])
        top = max(known, key=lambda one: _least(one[1]))[0]
        highs = [number.high for _, number in known]
        high = None if None in highs else max(one for one in highs if one is not None)
        low = max((number.low for _, number in known if number.low is not None), default=None)
        return IndexResult(
            name=index.id,
            state="value",
            number=Interval(low, high),
            needs=tuple(need for one, _ in known for need in one.needs),
            results=top.results,
            when=top.when,
            days=top.days,
        )

    def _as_sent(self, index: Index, concept: str) -> IndexResult:
        datum = latest(self._snapshot, concept)
        rule = self._concepts[concept]
        within = next((one.within for one in index.inputs if one.source == concept), rule.within)
        if datum is None or datum.conflict or (within is not None and datum.days > within):
            return self._missing(index.id, [Need(concept, self._gap(concept, within))])
        result = datum.result
        return IndexResult(
            name=index.id,
            state="value",
            number=datum.number,
            results=(result,) if result else (),
            when=result.when if result else None,
            days=datum.days,
        )

    def _own(self, index: Index, ask: Ask) -> IndexResult:
        chosen, needs = self._choose(index)
        if needs:
            return self._missing(index.id, needs)
        stop = self._stopped(index, chosen, ask)
        used = tuple(one.result for one in chosen.values() if one.result is not None)
        newest = max(used, key=lambda one: one.when.end, default=None)
        if stop is not None:
            return IndexResult(
                name=index.id,
                state="not valid",
                because=stop[0],
                needs=stop[1],
                results=used,
                when=newest.when if newest else None,
                days=newest.days if newest else None,
            )
        ones: dict[str, Decimal] = {}
        for name in index.conditions:
            answer = ask(f"{index.id}.conditions.{name}")
            if answer.is_unknown:
                return self._missing(index.id, answer.needs or (Need(name, Gap.NOT_RECORDED),))
            ones[name] = Decimal(1 if answer.is_yes else 0)
        number = self._value(index, chosen, ones)
        if number is None:
            return self._missing(index.id, [Need(index.id, _NOT_COMPUTABLE)])
        return IndexResult(
            name=index.id,
            state="value",
            number=number,
            results=used,
            when=newest.when if newest else None,
            days=newest.days if newest else None,
            notes=tuple(note for one in chosen.values() for note in one.notes),
        )

    def _stopped(
        self, index: Index, chosen: Mapping[str, Chosen], ask: Ask
    ) -> tuple[str, tuple[Need, ...]] | None:
        """Name the first gate that makes the number not valid, and what it lacks to know."""
        for gate in index.not_valid_if:
            name = f"{index.id}.not_valid_if.{gate.id}"
            if name in self._asked.get(index.id, {}):
                answer = ask(name)
            else:
                answer = self._of_inputs(gate.when, name, chosen, ask)
            if answer.is_yes or (answer.is_unknown and gate.if_unknown == "withhold"):
                return gate.id, answer.needs
        return None

    def _of_inputs(self, expr: Expr, name: str, chosen: Mapping[str, Chosen], ask: Ask) -> Truth:
        """Answer a gate about the chosen inputs; its other clauses are questions."""
        if isinstance(expr, Compare) and is_input(expr):
            one = chosen.get(expr.name)
            if one is None:
                return unknown(Need(expr.name, Gap.NO_PAIR))
            return input_answer(expr, chosen, self._facing)
        if isinstance(expr, Not):
            return negate(self._of_inputs(expr.of, name, chosen, ask))
        if isinstance(expr, All | Any_ | AtLeast):
            answers = [self._of_inputs(one, name, chosen, ask) for one in expr.of]
            if isinstance(expr, AtLeast):
                return at_least(expr.count, answers)
            return all_of(answers) if isinstance(expr, All) else any_of(answers)
        return ask(f"{name}.{expr.key}")

    def _choose(self, index: Index) -> tuple[dict[str, Chosen], list[Need]]:
        """Choose the newest set of inputs that satisfies every pair."""
        needs: list[Need] = []
        chosen: dict[str, Chosen] = {}
        candidates: dict[str, tuple[Result, ...]] = {}
        for one in index.inputs:
            if one.what == "concept":
                found = self._candidates(one)
                if found:
                    candidates[one.name] = found
                elif not one.optional:
                    reason = self._gap(one.source, self._window(one))
                    needs.append(Need(one.source, reason))
            elif one.what == "trial":
                if not one.optional:
                    needs.append(Need(one.source, Gap.ON_TRIAL))
            elif one.what == "age":
                age = self._age()
                if age is None:
                    needs.append(Need("age", Gap.NOT_RECORDED))
                else:
                    chosen[one.name] = age
            else:
                other = self.known[one.source]
                if other.state == "value" and other.number is not None:
                    # A reading rests on results of its own: the index has their date.
                    result = next(iter(other.results), None) if one.what == "reading" else None
                    chosen[one.name] = Chosen(other.number, other.number, "", result, other.notes)
                elif not one.optional:
                    needs.extend(other.needs or (Need(one.source, Gap.NOT_VALID),))
        if needs:
            return chosen, needs
        picked = self._matching(index, candidates)
        if picked is None:
            names = [one.source for one in index.inputs if one.name in candidates]
            return chosen, [Need(name, Gap.NO_PAIR) for name in names]
        for name, result in picked.items():
            chosen[name] = Chosen(
                range_of(result.value, result.bound),
                sent_of(result),
                result.unit,
                result,
            )
        return chosen, []

    def _window(self, one: Input) -> int | None:
        return one.within if one.within is not None else self._concepts[one.source].within

    def _candidates(self, one: Input) -> tuple[Result, ...]:
        within = self._window(one)
        return tuple(
            result
            for result in self._snapshot.results.get(one.source, ())
            if within is None or result.days <= within
        )

    def _age(self) -> Chosen | None:
        ages = self._facing.ages
        if ages is None:
            return None
        youngest, oldest = ages
        if youngest == oldest:
            return Chosen(Interval.exactly(Decimal(oldest)), Interval(None, None), "a")
        middle = Decimal(youngest + oldest) / 2
        return Chosen(Interval.exactly(middle), Interval(None, None), "a", None, ("age is about",))

    @staticmethod
    def _matching(
        index: Index, candidates: Mapping[str, tuple[Result, ...]]
    ) -> dict[str, Result] | None:
        """
        Find the newest results that fit together, the first input deciding first.

        An optional input that fits no collection is left out. The search looks at so
        many combinations and no more: a record cannot make it slow.
        """
        inputs = [one for one in index.inputs if one.name in candidates]
        picked: dict[str, Result] = {}
        tries = iter(range(_MOST_TRIES))
        return picked if _pick(index, inputs, candidates, picked, tries) else None

    def _value(
        self, index: Index, chosen: Mapping[str, Chosen], ones: Mapping[str, Decimal]
    ) -> Interval | None:
        formula = index.formula
        sent_unit = ""
        first = index.inputs[0].name if index.inputs else ""
        if index.formula_in:
            unit = chosen[first].unit if first in chosen else ""
            sent_unit = unit if unit in index.formula_in else next(iter(index.formula_in))
            formula = index.formula_in[sent_unit]
        if formula is None:
            return None
        units = {one.name: self._units_of(one) for one in index.inputs}
        constants: dict[str, tuple[Decimal, ...]] = {
            name: tuple({case.value for case in possible_cases(threshold, self._facing)})
            for name, threshold in index.constants.items()
        }
        if any(len(values) != 1 for values in constants.values()):
            return None
        worked = Formula(index, chosen, ones, units, {k: v[0] for k, v in constants.items()})
        return worked.interval(formula, first if sent_unit else "", sent_unit)

    def _units_of(self, one: Input) -> Concept | None:
        return self._concepts.get(one.source) if one.what == "concept" else None

    def _gap(self, concept: str, within: int | None) -> str:
        rule = self._concepts[concept]
        return gap_of(self._snapshot, concept, rule.search, within)

    @staticmethod
    def _missing(name: str, needs: Iterable[Need]) -> IndexResult:
        return IndexResult(name=name, state="unknown", needs=tuple(dict.fromkeys(needs)))


def input_answer(clause: Compare, chosen: Mapping[str, Chosen], facing: Facing) -> Truth:
    """Answer a comparison of an input that was chosen."""
    one = chosen[clause.name]
    return compare(one.number, clause.low, clause.high, facing, sent=one.sent, unit=one.unit)


_LOWEST = Decimal("-Infinity")
_MOST_TRIES = 10_000
_NOT_COMPUTABLE = "cannot be computed from these values"


def _least(number: Interval) -> Decimal:
    return _LOWEST if number.low is None else number.low


def _called(found: IndexResult, name: str, band: str = "") -> IndexResult:
    return IndexResult(
        name=name,
        state=found.state,
        number=found.number,
        needs=found.needs,
        because=found.because,
        results=found.results,
        when=found.when,
        days=found.days,
        criteria=found.criteria,
        notes=found.notes,
        band=band,
    )


def _days_apart(one: Result, other: Result) -> int:
    if one.with_same_collection(other):
        return 0
    a: Moment = one.when
    b: Moment = other.when
    return max(abs(a.end - b.start), abs(b.end - a.start)) // DAY


def _pick(
    index: Index,
    inputs: Sequence[Input],
    candidates: Mapping[str, tuple[Result, ...]],
    picked: dict[str, Result],
    tries: Iterator[int],
) -> bool:
    """Pick a result for each input, going back where the next finds none that fits."""
    if not inputs:
        return True
    one, rest = inputs[0], inputs[1:]
    for result in candidates[one.name]:
        if next(tries, None) is None:
            return False
        if _fits(index, one, result, picked):
            picked[one.name] = result
            if _pick(index, rest, candidates, picked, tries):
                return True
            del picked[one.name]
    return one.optional and _pick(index, rest, candidates, picked, tries)


def _fits(index: Index, one: Input, result: Result, picked: Mapping[str, Result]) -> bool:
    other = picked.get(one.same_collection_as)
    if other is not None and not result.with_same_collection(other):
        return False
    return all(
        _days_apart(result, picked[name]) <= pair.days
        for pair in index.same_draw
        if one.name in pair.of
        for name in pair.of
        if name in picked
    )
