"""
Two releases of the rules, compared in patients: whose answers change, and why.

They are asked about the patients of a population, about those of their own cases, and
about patients on both sides of every cut-off of a rule that changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cds.core.clauses import Place
from cds.core.reads import leaned_on
from cds.core.rules import Ruleset
from cds.errors import CdsError
from cds.fhir.retrieve import Retrieved, retrieve
from cds.rulefiles.diagnostics import Diagnostic, Report
from cds.workshop.book.cutoffs import cut_off
from cds.workshop.changes.asking import Answer, Answers, Key, Subject
from cds.workshop.changes.cells import cells_of, cut_offs_of
from cds.workshop.changes.versions import (
    Bump,
    bumped,
    logic_of,
    lost_names,
    needed_bump,
    next_version,
    size_of_bump,
)
from cds.workshop.testing.cases import cases_of, every_rule
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.testing.lab import Lab
from cds.workshop.testing.patients import NOW, CannotRead, prefetch_of

__all__ = ["SORTS", "Change", "Changed", "Comparison", "Version", "compare"]

SORTS: Final = ("patients", "cases", "cut-offs")
"""Who is compared, in the order in which it is said."""

_LIBRARIES: Final = ("concepts", "searches", "actions", "groups")
_NOBODY: Final = Answer("not there")


@dataclass(frozen=True, slots=True)
class Change:
    """One answer to one question that is another one now, and for whom."""

    before: str
    after: str
    subjects: tuple[Subject, ...]

    def count(self, sort: str) -> int:
        """Count those of one sort."""
        return sum(one.sort == sort for one in self.subjects)


@dataclass(frozen=True, slots=True)
class Changed:
    """
    What changed about one rule.

    *state* is `new`, `gone`, or empty; *own* tells whether its own logic changed, *through*
    names what else could explain its answers.
    """

    kind: str
    id: str
    changes: tuple[Change, ...]
    state: str = ""
    own: bool = False
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """What the version of a rule was, is, and should be at least."""

    id: str
    old: str
    new: str
    bump: Bump
    why: str

    @property
    def proposed(self) -> str:
        """Give the version that it should have."""
        return next_version(self.old, self.bump)

    @property
    def is_enough(self) -> bool:
        """Tell whether the version moved as far as it should."""
        return size_of_bump(bumped(self.old, self.new)) >= size_of_bump(self.bump)


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Everything that two releases differ in.

    *cut_offs* and *others* are sentences about what was written otherwise; *tried* counts
    subjects by sort, *unread* those whom one of the two could not read.
    """

    cut_offs: tuple[str, ...]
    others: tuple[str, ...]
    rules: tuple[Changed, ...]
    versions: tuple[Version, ...]
    findings: tuple[Diagnostic, ...]
    tried: Mapping[str, int]
    unread: tuple[str, ...] = ()


@dataclass(slots=True)
class _Pair:
    """One rule in both releases."""

    old: Rule | None
    new: Rule | None
    own: bool = False
    changes: dict[tuple[str, str], list[Subject]] = field(default_factory=dict)

    @property
    def is_moved(self) -> bool:
        """Tell whether it is new, gone, or has other logic."""
        return self.own or self.old is None or self.new is None


def _made(
    rules: Ruleset, name: str, sort: str, given: Mapping[str, Any], place: Place | None = None
) -> Subject | None:
    try:
        prefetch = prefetch_of(rules, given)
    except CannotRead:
        return None

    def gather(other: Ruleset) -> Retrieved:
        return retrieve(prefetch, patient_id="case", searches=other.searches)

    return Subject(name, sort, gather, NOW, place)


def compare(old: Ruleset, new: Ruleset, population: Iterable[Subject]) -> Comparison:
    """Compare two releases on a *population*, on their cases and at their cut-offs."""
    pairs = _pairs(old, new)
    for pair in pairs.values():
        pair.own = (
            pair.old is not None
            and pair.new is not None
            and logic_of(pair.old) != logic_of(pair.new)
        )
    others = tuple(_others(old, new))
    about = _affected(old, new, pairs, everything=bool(others))
    subjects = _subjects(old, new, pairs, population) if about else iter(())
    before, after = Answers(old, about), Answers(new, about)
    tried = dict.fromkeys(SORTS, 0)
    unread = []
    for subject in subjects:
        try:
            was, now = before.of(subject), after.of(subject)
        except (CdsError, ValueError) as problem:
            unread.append(f"{subject.name}: {problem}")
            continue
        tried[subject.sort] += 1
        for key in about:
            one, other = was.get(key, _NOBODY), now.get(key, _NOBODY)
            if one != other:
                pairs[key].changes.setdefault(_texts(one, other), []).append(subject)
    changed = tuple(_changed(old, new, pairs, others))
    versions = tuple(_versions(pairs))
    return Comparison(
        cut_offs=tuple(_moved(pairs)),
        others=others,
        rules=changed,
        versions=versions,
        findings=_findings(pairs, versions),
        tried=tried,
        unread=tuple(unread),
    )


def _texts(one: Answer, other: Answer) -> tuple[str, str]:
    """Say how two answers differ: by the band alone, or in digits that are not shown."""
    if one.band and one.exact.removesuffix(one.band) == other.exact.removesuffix(other.band):
        return one.band, other.band or "no band"
    return (one.exact, other.exact) if one.text == other.text else (one.text, other.text)


def _affected(
    old: Ruleset, new: Ruleset, pairs: Mapping[Key, _Pair], *, everything: bool
) -> list[Key]:
    """Name the rules whose answers can be others: changed, or leaning on one that is."""
    moved = {key for key, pair in pairs.items() if pair.is_moved}
    found = []
    for key, pair in pairs.items():
        sides = ((old, pair.old), (new, pair.new))
        leans = {one for rules, rule in sides if rule for one in leaned_on(rules, *key)}
        if everything or key in moved or leans & moved:
            found.append(key)
    return found


def _pairs(old: Ruleset, new: Ruleset) -> dict[Key, _Pair]:
    before = {(kind_of(one), one.id): one for one in every_rule(old)}
    after = {(kind_of(one), one.id): one for one in every_rule(new)}
    keys = dict.fromkeys((*before, *after))
    return {key: _Pair(before.get(key), after.get(key)) for key in keys}


def _subjects(
    old: Ruleset, new: Ruleset, pairs: Mapping[Key, _Pair], population: Iterable[Subject]
) -> Iterator[Subject]:
    yield from population
    seen: set[str] = set()
    for rules in (new, old):
        for rule, case in cases_of(rules):
            key = json.dumps(case.given, sort_keys=True, default=str)
            if key not in seen:
                seen.add(key)
                name = f"{rule.id}: {case.name}"
                made = _made(rules, name, "cases", case.given, case.place)
                yield from [made] if made is not None else []
    labs = Lab(old, engine="reference"), Lab(new, engine="reference")
    for pair in pairs.values():
        if not pair.own:
            continue
        both = [(lab, rule) for lab, rule in zip(labs, (pair.old, pair.new), strict=True) if rule]
        cut_offs = cut_offs_of(both[0][1])
        for what, values in cut_offs_of(both[-1][1]).items():
            cut_offs.setdefault(what, set()).update(values)
        for lab, rule in both:
            known = {what: one for what, one in cut_offs.items() if _is_known(lab.rules, what)}
            for name, given in cells_of(lab, rule, known):
                key = json.dumps(given, sort_keys=True, default=str)
                if key not in seen:
                    seen.add(key)
                    made = _made(lab.rules, name, "cut-offs", given)
                    yield from [made] if made is not None else []


def _is_known(rules: Ruleset, what: Key) -> bool:
    kind, name = what
    return kind != "concept" or name in rules.concepts


# --- what was written otherwise -------------------------------------------------------


def _moved(pairs: Mapping[Key, _Pair]) -> Iterator[str]:
    """Say each cut-off that is another one, in one line."""
    for (_, name), pair in pairs.items():
        before = {} if pair.old is None else pair.old.thresholds
        after = {} if pair.new is None else pair.new.thresholds
        if pair.old is None or pair.new is None:
            continue
        for key in dict.fromkeys((*before, *after)):
            was = cut_off(before[key]) if key in before else "none"
            now = cut_off(after[key]) if key in after else "none"
            if was != now:
                yield f"{name}.{key}  {was} -> {now}"


def _others(old: Ruleset, new: Ruleset) -> Iterator[str]:
    """Name concepts, searches, actions and the like that are otherwise, new or gone."""
    for kind in _LIBRARIES:
        before: Mapping[str, Any] = getattr(old, kind)
        after: Mapping[str, Any] = getattr(new, kind)
        for name in dict.fromkeys((*before, *after)):
            word = kind.removesuffix("es") if kind == "searches" else kind.removesuffix("s")
            if name not in after:
                yield f"{word} {name} is gone"
            elif name not in before:
                yield f"{word} {name} is new"
            elif logic_of(before[name]) != logic_of(after[name]):
                yield f"{word} {name} changed"
    if logic_of(old.population) != logic_of(new.population):
        yield "the population changed"
    if old.never_cancel != new.never_cancel:
        yield "what is never cancelled changed"
    if old.also_on != new.also_on:
        yield "the hooks that answer like another changed"
    if old.profile.ethnic_group != new.profile.ethnic_group:
        yield "the group of people of the profile changed"


# --- whose answers changed ------------------------------------------------------------


def _changed(
    old: Ruleset, new: Ruleset, pairs: Mapping[Key, _Pair], others: tuple[str, ...]
) -> Iterator[Changed]:
    moved = {key for key, pair in pairs.items() if pair.is_moved}
    for (kind, name), pair in pairs.items():
        state = "new" if pair.old is None else "gone" if pair.new is None else ""
        if not (pair.changes or pair.own or state):
            continue
        rules = old if pair.new is None else new
        leans = [*leaned_on(rules, kind, name), *leaned_on(old if pair.old else new, kind, name)]
        through = [word for what, word in dict.fromkeys(leans) if (what, word) in moved]
        if pair.changes and not pair.own and not [one for one in through if one != name]:
            through += others
        yield Changed(
            kind=kind,
            id=name,
            changes=() if state else tuple(
                Change(was, now, tuple(subjects))
                for (was, now), subjects in sorted(pair.changes.items())
            ),
            state=state,
            own=pair.own,
            through=tuple(one for one in through if one != name),
        )  # fmt: skip


def _versions(pairs: Mapping[Key, _Pair]) -> Iterator[Version]:
    for (_, name), pair in pairs.items():
        old, new = pair.old, pair.new
        if old is None or new is None:
            continue
        lost = list(lost_names(old, new))
        answers = pair.own and bool(pair.changes)
        words = pair.own or _words(old) != _words(new)
        bump = needed_bump(answers=answers, words=words, lost=lost)
        if not bump:
            continue
        why = ", ".join(lost) or ("answers change" if answers else "no answer changed")
        yield Version(name, old.version, new.version, bump, why)


def _words(rule: Rule) -> str:
    """Write what is said in a rule without changing an answer, its cases left out."""
    said = (rule.title, rule.about, getattr(rule, "logic", ""), getattr(rule, "note", ""))
    texts = [one.say for one in (*getattr(rule, "summaries", ()), *getattr(rule, "details", ()))]
    return repr((said, texts, getattr(rule, "links", ()), getattr(rule, "override_reasons", ())))


def _findings(pairs: Mapping[Key, _Pair], versions: Iterable[Version]) -> tuple[Diagnostic, ...]:
    """Report rules whose answers changed and whose version did not."""
    report = Report()
    for one in versions:
        pair = next(pair for (_, name), pair in pairs.items() if name == one.id and pair.new)
        if bumped(one.old, one.new) or one.bump == "patch" or pair.new is None:
            continue
        people = sum(map(len, pair.changes.values()))
        report.add(
            "CDS607",
            pair.new.place,
            f"`{one.id}` answers otherwise than before and is still {one.new}",
            notes=[f"{one.why}; seen in {people} of those who were tried"],
            help=f"write `version: {one.proposed}`",
        )
    return report.sorted()
