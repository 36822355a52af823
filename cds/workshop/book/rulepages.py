"""
One page for each rule, in Markdown: everything a committee asks, nothing typed twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from cds.core.clauses import Threshold
from cds.core.concepts import CodeRule, Concept
from cds.core.indices import Index, OneIf, Step
from cds.core.quantity import plain
from cds.core.reads import asked_by_rule
from cds.core.rules import Card, Condition, Exclusion, Factor, Guard, Quiet, Ruleset, Stages
from cds.hooks.words import unit_shown
from cds.workshop.book.attributes import attributes_of
from cds.workshop.book.cutoffs import cut_off
from cds.workshop.book.readback import Readback
from cds.workshop.changes.answers import answer_of
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.testing.lab import Lab, concluded
from cds.workshop.testing.patients import CannotRead
from cds.workshop.why.formulas import written_formula

__all__ = ["Neighbours", "page_of", "row"]

_UNKNOWN: Final[Mapping[str, str]] = {
    "hide": "not shown either",
    "note": "shown, with “Not known: …, check before acting”",
    "show": "shown",
    "assess": "assessed all the same",
    "withhold": "no number is given",
    "compute": "the number is given",
}
_ABSENT: Final[Mapping[str, str]] = {
    "unknown": "unknown",
    "false_if_list_complete": "absent, if the whole list came; else unknown",
}
_MOST_CODES: Final = 12
_HOLE: Final = re.compile(r"\{\{=?\s*(.*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What a rule rests on and what rests on it, by kind and name."""

    below: tuple[tuple[str, str], ...]
    above: tuple[tuple[str, str], ...]


def row(cells: Iterable[str]) -> str:
    """Write a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    body = [row(one) for one in rows]
    if body:
        yield row(head)
        yield row(["---"] * len(head))
        yield from body
        yield ""


def page_of(
    rule: Rule,
    lab: Lab,
    neighbours: Neighbours,
    *,
    link: Callable[[str, str], str],
    history: Sequence[str],
    funding: str,
) -> str:
    """Write the page of one rule; *link* makes a link of a name and its title."""
    page = _Page(rule, lab, link)
    lines = [
        *page.head(),
        *page.read_back(),
        *page.cut_offs(),
        *page.data(),
        *page.missing(),
        *page.evidence(),
        *page.tests(),
        *page.neighbours(neighbours),
        *_section("History", [f"- {one}" for one in history] or ["Nothing is noted yet."]),
        *_section(
            "Source attributes",
            [
                *_table(
                    ("attribute", ""),
                    attributes_of(lab.rules, rule, funding).items(),
                )
            ],
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield f"## {title}"
        yield ""
        yield from body
        if body[-1]:
            yield ""


class _Page:
    """Writes the sections of one page."""

    def __init__(self, rule: Rule, lab: Lab, link: Callable[[str, str], str]) -> None:
        self._rule = rule
        self._lab = lab
        self._rules: Ruleset = lab.rules
        self._link = link
        self._read = Readback(self._rules, link)

    def head(self) -> Iterator[str]:
        """Write title, status, purpose, explanation and limits."""
        rule = self._rule
        code = f"{rule.code} " if isinstance(rule, Card) else ""
        upkeep = rule.upkeep
        review = upkeep.clinical_review
        yield f"# {code}{rule.title}"
        yield ""
        yield (
            f"`{rule.id}`, {kind_of(rule)}, version {rule.version}, **{rule.status}**. "
            f"Owner {upkeep.owner}; clinical review: {review}; "
            f"to be looked at again by {upkeep.review_by}."
        )
        yield ""
        yield f"{rule.about.purpose}"
        yield ""
        yield f"{rule.about.explanation}"
        yield ""
        yield from _section("Limits", [f"- {one}" for one in rule.about.limits])

    # --- the logic ----------------------------------------------------------------------

    def read_back(self) -> Iterator[str]:
        """Write the logic in English, with the readings it uses."""
        rule = self._rule
        if isinstance(rule, Card):
            lines = list(self._card(rule))
        elif isinstance(rule, Condition):
            lines = list(self._condition(rule))
        elif isinstance(rule, Stages):
            lines = list(self._stages(rule))
        elif isinstance(rule, Factor):
            lines = list(self._factor(rule))
        else:
            lines = list(self._index(rule))
        for reading in rule.readings.values():
            name = reading.id.rpartition(".")[2].replace("_", " ")
            lines += [f"Here *{name}* is {self._read.reading(reading)}.", ""]
        yield from _section("The rule, read back", lines)

    def _condition(self, rule: Condition) -> Iterator[str]:
        yield "It holds when:"
        yield ""
        yield from self._read.lines(rule.holds_if)
        yield ""
        if rule.ruled_out_if is None:
            yield "It does not hold when that is proved to be otherwise; else it is unknown."
            return
        yield "It does not hold when this is proved; where neither is, it is unknown:"
        yield ""
        yield from self._read.lines(rule.ruled_out_if)

    def _stages(self, rule: Stages) -> Iterator[str]:
        yield "The first line that is proved gives the stage."
        yield ""
        for number, line in enumerate(rule.lines, start=1):
            meaning = f": {line.meaning}" if line.meaning else ""
            yield f"{number}. **{line.label}**{meaning}"
            if line.condition is None:
                yield "   - whoever is left"
            else:
                yield from (f"   {one}" for one in self._read.lines(line.condition))
        yield ""

    def _factor(self, rule: Factor) -> Iterator[str]:
        if rule.assess_if is not None:
            yield f"Assessed when {self._read.sentence(rule.assess_if)}."
            yield ""
        yield from self._exclusions(rule.exclude_if, "Not assessed")
        yield from self._pieces(rule, against=False)
        yield from self._pieces(rule, against=True)
        for group in rule.counts_once:
            yield f"Of {', '.join(one.replace('_', ' ') for one in group)} only the largest counts."
            yield ""
        yield from _table(
            ("grade", "reached with"),
            [(grade.name, self._grade(rule, grade)) for grade in rule.grades],
        )
        yield "What fits no grade is undetermined."

    def _grade(self, rule: Factor, grade: Any) -> str:
        if grade.cannot_reach is not None:
            return f"fewer than {grade.cannot_reach} points, even if all that is unknown were true"
        if grade.points is None:
            return "a floor only, whatever the points"
        domains = f" from {grade.domains} domains" if grade.domains > 1 else ""
        best = sum(one.points for one in rule.evidence_for)
        return f"{grade.points} points or more{domains} (of {best} in all)"

    def _pieces(self, rule: Factor, *, against: bool) -> Iterator[str]:
        pieces = rule.evidence_against if against else rule.evidence_for
        rows = []
        for one in pieces:
            bound = [f"at least {one.at_least}"] if one.at_least else []
            bound += [f"at most {one.at_most}"] if one.at_most else []
            missing = "could be true" if one.if_missing == "could_be_true" else "does not count"
            rows.append(
                (
                    self._read.sentence(one.when),
                    str(one.points or ""),
                    one.domain,
                    ", ".join(bound),
                    "" if against else missing,
                )
            )
        head = "evidence against" if against else "evidence"
        yield from _table((head, "points", "domain", "bound", "when not known"), rows)
        if against and rows:
            yield f"Where the two contradict each other: {rule.if_conflict.replace('_', ' ')}."
            yield ""

    def _index(self, rule: Index) -> Iterator[str]:
        inputs = []
        for one in rule.inputs:
            name = "the age" if one.what == "age" else self._read.called(one.source)
            within = f", no more than {one.within} days old" if one.within else ""
            optional = ", may be missing" if one.optional else ""
            same = f", of the draw of {one.same_collection_as}" if one.same_collection_as else ""
            inputs.append(f"- `{one.name}`: {name}{within}{same}{optional}")
        yield from ([*inputs, ""] if inputs else [])
        for pair in rule.same_draw:
            days = "1 day" if pair.days == 1 else f"{pair.days} days"
            yield f"{' and '.join(pair.of)} lie no more than {days} apart."
            yield ""
        yield from self._worked_out(rule)
        for gate in rule.not_valid_if:
            when = self._read.sentence(gate.when)
            yield f"- Not valid when {when}: {gate.because} Not known: {_UNKNOWN[gate.if_unknown]}."
        yield from ([""] if rule.not_valid_if else [])
        rows = []
        for band in rule.bands:
            low = cut_off(band.low) if band.low else ""
            high = cut_off(band.high) if band.high else ""
            rows.append((band.name, low, high))
        yield from _table(("band", "from", "below"), rows)
        if rule.note:
            yield f"Printed with it: {rule.note}"

    def _worked_out(self, rule: Index) -> Iterator[str]:
        def name(one: Any) -> str:
            if isinstance(one, OneIf):
                return f"(1 if {self._read.sentence(rule.conditions[one.name])}, else 0)"
            if isinstance(one, Step):
                return one.name
            return f"{one.name} [{unit_shown(one.unit)}]" if one.unit else str(one.name)

        for step, expr in rule.let.items():
            yield f"- `{step} = {written_formula(expr, name)}`"
        for key, cut in rule.constants.items():
            yield f"- `{key}` is {cut_off(cut)}"
        if rule.let or rule.constants:
            yield ""
        unit = unit_shown(rule.unit)
        for sent, expr in rule.formula_in.items():
            yield f"- sent in {unit_shown(sent)}: `{written_formula(expr, name)}`"
        if rule.formula is not None:
            yield f"- `{written_formula(rule.formula, name)}`{f' in {unit}' if unit else ''}"
        for key, criterion in rule.count_of.items():
            yield f"- counted: {key.replace('_', ' ')}, when {self._read.sentence(criterion)}"
        if rule.first_of:
            names = [
                "the formula" if one == "formula" else self._read.called(one)
                for one in rule.first_of
            ]
            yield f"- the first that is known of {', '.join(names)}"
        yield ""

    # --- cards --------------------------------------------------------------------------

    def _card(self, rule: Card) -> Iterator[str]:
        alike = f", and alike on {', '.join(rule.also_on)}," if rule.also_on else ""
        yield f"Shown on {', '.join(rule.as_written.hooks)}{alike} when:"
        yield ""
        yield from self._read.lines(rule.show_if)
        yield ""
        yield from self._exclusions(rule.unless, "Not shown")
        population = self._rules.population
        if population is not None:
            yield f"As every card, only when {self._read.sentence(population.require)}."
            yield ""
            gates = [
                one
                for one, spared in population.unless
                if not any(fnmatchcase(rule.code, pattern) for pattern in spared)
            ]
            yield from self._exclusions(gates, "As most cards, not shown")
        rows = []
        for word, expr in rule.indicators:
            rows.append((word, "else" if expr is None else self._read.sentence(expr)))
        yield from _table(("indicator", "when"), rows)
        says = [
            (one.say, "" if one.condition is None else self._read.sentence(one.condition))
            for one in (*rule.summaries, *rule.details)
        ]
        yield from _table(("it says", "when"), [(_hole(text), when) for text, when in says])
        yield from self._suggestions(rule)
        if rule.quiet is not None:
            yield from self._quiet(rule.quiet)

    def _quiet(self, quiet: Quiet) -> Iterator[str]:
        where = f" on {', '.join(quiet.hooks)}" if quiet.hooks else ""
        if quiet.repeat_after is not None:
            yield f"- Quiet for {quiet.repeat_after} days after it was shown{where}."
        reasons = {one.code: one.display for one in self._rules.profile.override_reasons}
        for code, days in quiet.after_override.items():
            words = reasons.get(code, code.replace("_", " "))
            yield f"- Quiet for {days} days after an override: {words}{where}."
        if quiet.again_early:
            names = ", ".join(self._read.called(one) for one in quiet.again_early)
            yield f"- Again before that when this has risen: {names}."
        if quiet.review_over is not None:
            yield (
                f"- To be reviewed when more than {plain(quiet.review_over)} % of more than "
                f"{quiet.review_after} that were shown were overridden."
            )
        yield ""

    def _exclusions(self, gates: Sequence[Exclusion], what: str) -> Iterator[str]:
        rows = []
        for one in gates:
            when = self._read.sentence(one.when)
            if one.relevant is not None:
                when += f" (asked only when {self._read.sentence(one.relevant)})"
            rows.append((when, one.because, _UNKNOWN[one.if_unknown]))
        yield from _table((f"{what} when", "because", "when that is not known"), rows)

    def _suggestions(self, rule: Card) -> Iterator[str]:
        rows = []
        for one in rule.suggestions:
            actions = [self._rules.actions[name].label for name in one.choices or (one.action,)]
            label = one.label or " or else ".join(actions)
            label += "".join(map(self._on_drafts, filter(None, (one.action,))))
            if one.choices:
                label = f"the first of {', '.join(actions)} whose result is {one.first_of}"
            when = "always" if one.offer_if is None else self._read.sentence(one.offer_if)
            when = f"only in place of another; {when}" if one.only_instead else when
            guards = "; ".join(self._guard(guard) for guard in one.guards)
            rows.append((label, when, guards or "none"))
        yield from _table(("suggestion", "offered when", "held back when"), rows)

    def _on_drafts(self, name: str) -> str:
        """Say which drafts an action takes back or changes; empty where it does neither."""
        action = self._rules.actions[name]
        if not action.drafts:
            return ""
        names = ", ".join(self._read.called(one) for one in action.drafts)
        return f" ({'takes back' if action.cancel else 'changes'} drafts of {names})"

    def _guard(self, guard: Guard) -> str:
        unknown = "offered all the same" if guard.if_unknown == "show" else "not offered"
        if guard.instead:
            unknown = f"{guard.instead.replace('_', ' ')} is offered instead"
        if guard.warn:
            unknown = f"offered with “{guard.warn}”"
        when = self._read.sentence(guard.when)
        if guard.relevant is not None:
            when += f" (asked only when {self._read.sentence(guard.relevant)})"
        return f"{when}: {guard.because} Not known: {unknown}"

    # --- cut-offs, data -----------------------------------------------------------------

    def cut_offs(self) -> Iterator[str]:
        """Write the cut-offs with their sources and local limits."""
        rows = [
            (f"`{name}`", cut_off(one), self._source(one.cite), _reach(one))
            for name, one in self._rule.thresholds.items()
        ]
        yield from _section(
            "Cut-offs", _table(("name", "value", "source", "a site may choose"), rows)
        )

    def _source(self, key: str) -> str:
        text = self._rules.sources.get(key)
        return f"{text.by}: {text.title} ({text.year})" if text is not None else key or "this site"

    def data(self) -> Iterator[str]:
        """Write what the rule itself reads, with codes, units, windows and searches."""
        rows = [
            (
                f"{one.title} (`{one.id}`)",
                _codes(one),
                ", ".join(unit_shown(unit) or "no unit" for unit in one.units),
                "any age" if one.within is None else f"{one.within} days",
                self._searched(one),
                _ABSENT[one.absent_means],
            )
            for one in self._concepts()
        ]
        yield from _section(
            "Data",
            _table(
                ("datum", "codes", "units", "counts for", "comes with", "nothing found means"), rows
            ),
        )

    def _searched(self, one: Concept) -> str:
        search = self._rules.searches.get(one.search)
        return search.title if search is not None else ""

    def _concepts(self) -> list[Concept]:
        asked = asked_by_rule(self._rules, kind_of(self._rule), self._rule.id)
        names = [name for kind, name in asked if kind == "concept"]
        names += [self._rules.readings[name].concept for kind, name in asked if kind == "reading"]
        return [self._rules.concepts[name] for name in dict.fromkeys(names)]

    def missing(self) -> Iterator[str]:
        """Say what becomes of a patient of the cases when each datum is not there."""
        rule = self._rule
        for case in rule.tests:
            try:
                usual = self._answer(case.given)
            except CannotRead:
                continue
            if not usual.startswith(("no", "unknown", "undetermined", "UNDET", "not")):
                break
        else:
            return
        rows = []
        for one in self._concepts():
            without = {name: value for name, value in case.given.items() if name != one.id}
            if one.search not in self._rules.searches:
                continue
            gone = self._answer(without)
            unsent = self._answer({**without, "not_sent": [one.search]})
            if (gone, unsent) != (usual, usual):
                rows.append((one.title, gone, unsent))
        yield from _section(
            "When something is missing",
            [
                f"The patient of the case “{case.name}”, of whom the answer is *{usual}*.",
                "What is not in this table makes no difference to that patient.",
                "",
                *_table(("datum", "there is none", "the search was not answered"), rows),
            ]
            if rows
            else [],
        )

    def _answer(self, given: Mapping[str, Any]) -> str:
        run = self._lab.start(self._rule, self._lab.snapshot(given))
        return answer_of(self._rule, concluded(self._rule, self._rules, run))

    # --- evidence, tests, neighbours -----------------------------------------------------

    def evidence(self) -> Iterator[str]:
        """List the sources, what each supports, and what is our own reading."""
        rows = []
        for one in self._rule.about.evidence:
            text = self._rules.sources.get(one.cite)
            where = f"{text.where}, {text.year}" if text is not None else ""
            grade = ", ".join(part for part in (one.strength, one.grade) if part)
            ours = "our reading: " if one.inferred else ""
            mark = (
                " (from memory, to be checked)" if text is not None and text.check == "mem" else ""
            )
            rows.append((f"{self._source(one.cite)}{mark}", where, f"{ours}{one.supports}", grade))
        yield from _section("Evidence", _table(("source", "in", "supports", "grade"), rows))

    def tests(self) -> Iterator[str]:
        """List the cases."""
        rows = [
            (
                one.name + (" (still to be done)" if one.todo else ""),
                one.said,
                _expected(one.expect),
            )
            for one in self._rule.tests
        ]
        yield from _section("Tests", _table(("case", "patient", "expected"), rows))

    def neighbours(self, found: Neighbours) -> Iterator[str]:
        """Link what the rule rests on and what rests on it."""
        for title, names in (("Rests on", found.below), ("Used by", found.above)):
            links = [self._read.called(name, kind) for kind, name in names]
            yield from _section(title, [f"- {one}" for one in dict.fromkeys(links)])


def _reach(one: Threshold) -> str:
    if one.localisable is None:
        return "no"
    low, high = one.localisable
    return f"{plain(low)} to {plain(high)}"


def _codes(one: Concept) -> str:
    codes = [_code(code) for code in one.codes]
    shown = codes[:_MOST_CODES]
    more = [f"and {len(codes) - len(shown)} more"] if len(codes) > len(shown) else []
    words = ["words in its text"] if one.text is not None else []
    return ", ".join([*shown, *more, *words])


def _code(one: CodeRule) -> str:
    """Write a code with what binds it."""
    bound = [
        *(["a past one"] if one.history else []),
        *(["when fasting"] if one.with_fasting else []),
        *([f"above {one.age_above} years"] if one.age_above is not None else []),
        *([f"below {one.age_below} years"] if one.age_below is not None else []),
    ]
    words = f" ({', '.join(bound)})" if bound else ""
    return f"{one.system} {one.code}{'*' if one.prefix else ''}{words}"


def _hole(text: str) -> str:
    return _HOLE.sub(r"[\1]", text)


def _expected(expect: Mapping[str, Any]) -> str:
    parts = []
    for word, value in expect.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{name} {one}" for name, one in value.items())
        elif isinstance(value, list | tuple):
            text = ", ".join(map(str, value))
        else:
            text = {True: "yes", False: "no"}.get(value, str(value))
        parts.append(f"{word.replace('_', ' ')}: {text}")
    return "; ".join(parts)
