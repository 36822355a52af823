"""
The thirteen source attributes of a rule that users of decision support are to be told.

What is used of a person is found in what was compiled, through everything that the rule
leans on; an attribute that is not used says so, and none is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds.core.clauses import Beside, Changed, Compare, Expr, SexIs, Threshold, clauses_of
from cds.core.indices import Index, Input
from cds.core.reads import needed_by
from cds.core.rules import Ruleset
from cds.workshop.changes.cells import conditions_of
from cds.workshop.testing.cases import every_rule
from cds.workshop.testing.expectations import Rule, kind_of

__all__ = ["NAMES", "attributes_of"]

NAMES = (
    "bibliographic citation",
    "developer",
    "funding source",
    "release and revision dates",
    "race",
    "ethnicity",
    "language",
    "sexual orientation",
    "gender identity",
    "sex",
    "date of birth",
    "social determinants of health",
    "health-status assessments",
)
"""The attributes, in the order in which they are asked for."""

_NOT_USED = "Not used."


def attributes_of(rules: Ruleset, rule: Rule, funding: str) -> dict[str, str]:
    """Say each attribute of one rule, by its name."""
    used = _Used(rules, rule)
    groups = used.groups
    people = f"Used: cut-offs of their own for {', '.join(groups)} people." if groups else _NOT_USED
    values = (
        _citations(rules, rule),
        f"{', '.join(rule.upkeep.authors)} ({rule.upkeep.owner}).",
        f"{funding or 'Not declared'}.",
        _dates(rules, rule),
        people,
        people,
        _NOT_USED,
        _NOT_USED,
        used.gender(),
        "Used." if used.sex else _NOT_USED,
        "Used: the age." if used.age else _NOT_USED,
        used.marked("social determinants"),
        used.marked("health assessment"),
    )
    return dict(zip(NAMES, values, strict=True))


def _citations(rules: Ruleset, rule: Rule) -> str:
    found = [
        f"{text.by}: {text.title} ({text.where}, {text.year})"
        for one in rule.about.evidence
        if (text := rules.sources.get(one.cite)) is not None
    ]
    return f"{'; '.join(dict.fromkeys(found))}." if found else "None: a rule of the project's own."


def _dates(rules: Ruleset, rule: Rule) -> str:
    upkeep = rule.upkeep
    reviewed = f"reviewed {upkeep.reviewed}" if upkeep.reviewed else "not yet reviewed"
    return (
        f"Version {rule.version} in release {rules.release}; {reviewed}; "
        f"to be looked at again by {upkeep.review_by}."
    )


class _Used:
    """What of a person can decide one rule's answer."""

    def __init__(self, rules: Ruleset, rule: Rule) -> None:
        kind = kind_of(rule)
        names = {*needed_by(rules, kind, rule.id), (kind, rule.id)}
        if ("stages", "") in names and rules.stages is not None:
            names.add(("stages", rules.stages.id))
        self._rules = rules
        self._concepts = {name for what, name in names if what == "concept"}
        self._behind = [one for one in every_rule(rules) if (kind_of(one), one.id) in names]
        self._exprs = [expr for one in self._behind for expr in conditions_of(one)]
        if kind == "card" and rules.population is not None:
            self._exprs += _gates(rules)
        self._thresholds = [
            *(one for expr in self._exprs for one in _compared(expr)),
            *(cut for one in self._behind for cut in _of_index(one)),
            *(
                end.threshold
                for what, name in names
                if what == "reading"
                for end in (rules.readings[name].low, rules.readings[name].high)
                if end is not None
            ),
        ]
        cases = [case for cut in self._thresholds for case in cut.cases]
        clauses = [one for expr in self._exprs for one in clauses_of(expr)]
        codes = [code for name in self._concepts for code in rules.concepts[name].codes]
        self.groups = sorted({case.group for case in cases if case.group})
        self.sex = any(case.sex for case in cases) or any(isinstance(one, SexIs) for one in clauses)
        self.age = (
            any(case.age_from is not None or case.age_below is not None for case in cases)
            or any(isinstance(one, Compare) and one.what == "age" for one in clauses)
            or any(one.age_above is not None or one.age_below is not None for one in codes)
            or any(one.what == "age" for index in self._behind for one in _inputs(index))
        )

    def marked(self, attribute: str) -> str:
        """Name the concepts that are marked as one attribute."""
        concepts = self._rules.concepts
        found = sorted(
            concepts[name].title for name in self._concepts if concepts[name].attribute == attribute
        )
        return f"Used: {', '.join(found)}." if found else _NOT_USED

    def gender(self) -> str:
        """Say whether a care context can make the sex unknown."""
        bending = [
            one.title
            for one in self._rules.concepts.values()
            if one.attribute == "gender identity"
            and (one.id in self._concepts or (one.governs and self.sex))
        ]
        if not bending:
            return _NOT_USED
        return f"Used: an entry of {', '.join(bending)} makes the sex on record unknown."


def _gates(rules: Ruleset) -> Iterator[Expr]:
    if rules.population is not None:
        yield rules.population.require
        for one, _ in rules.population.unless:
            yield from (expr for expr in (one.when, one.relevant) if expr is not None)


def _compared(expr: Expr) -> Iterator[Threshold]:
    for clause in clauses_of(expr):
        if isinstance(clause, Compare | Changed | Beside):
            yield from (end.threshold for end in (clause.low, clause.high) if end is not None)


def _of_index(rule: Rule) -> Iterable[Threshold]:
    if not isinstance(rule, Index):
        return ()
    ends = [end for band in rule.bands for end in (band.low, band.high) if end is not None]
    return (*rule.constants.values(), *ends)


def _inputs(rule: Rule) -> Iterable[Input]:
    return rule.inputs if isinstance(rule, Index) else ()
