"""
Tiny releases for tests: rules written as YAML in the test, snapshots from plain words.

    release = Release(tmp_path)
    release.condition("high", "holds_if: hba1c >= 6.5 %")
    release.conclude(patient(hba1c="7.1 %")).answers["high.holds_if"]
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds.core.facts import (
    Bound,
    Entry,
    Gap,
    ListState,
    Person,
    Result,
    Snapshot,
    Source,
    Unusable,
)
from cds.core.findings import Conclusions
from cds.core.moment import Moment
from cds.core.quantity import round12
from cds.core.rules import Ruleset
from cds.core.truth import Truth
from cds.reasoning.evaluator import EngineChoice, Reasoner
from cds.rulefiles.loader import load_ruleset

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

HEADER = """
title: Sample
version: 1.0.0
status: active
about:
  purpose: Show one thing.
  explanation: It does what it says.
  limits: [It is a sample.]
  evidence: [{cite: book, supports: all of it}]
upkeep: {owner: rules@example.org, authors: [A], clinical_review: by B, review_by: 2027-06-01}
tests: [{name: one, given: {}}]
"""

LIBRARY = {
    "release.yaml": 'kind: release\nid: release\nrelease: "2026.11"\n',
    "groups/one.yaml": "kind: group\nid: one\nwhen_several_fire: show_one\n",
    "groups/other.yaml": "kind: group\nid: other\nwhen_several_fire: show_one\n",
    "groups/joined.yaml": "kind: group\nid: joined\nwhen_several_fire: merge\n",
    "evidence/library.yaml": """
kind: evidence
id: library
sources:
  book: {title: A book, by: B, in: C, year: 2025, kind: guideline, check: chk}
""",
    "profiles/default.yaml": """
kind: profile
id: default
title: Default
override_reasons: [{code: declined, display: Declined}]
override_system: urn:x:reasons
signals_system: urn:x:signals
source_label: CDS
source_url: ""
topic_system: urn:x:topics
most_cards: 5
texts: {pending: Not yet reviewed.}
""",
    "concepts/searches.yaml": """
kind: concepts
id: searches
title: Searches
searches:
  tests: {resource: Observation, title: Tests, by_code: true}
  problems: {resource: Condition, title: Problems, lists: problems}
  medicines: {resource: MedicationRequest, title: Medicines, lists: medicines}
  plans: {resource: CarePlan, title: Plans}
systems: {loinc: ["http://loinc.org"]}
groups_of_people: {asian: ["2028-9"], other: []}
group_extension: http://example.org/group
""",
    "concepts/sample.yaml": """
kind: concepts
id: sample
title: Sample
concepts:
  hba1c:
    {signal: a1c, title: HbA1c, type: quantity, search: tests, unit: "%", conflicts: true,
     units: {mmol/mol: x 0.09148 + 2.152}, within: 365 days, codes: {loinc: [1-1]}, verified: V1}
  glucose:
    {signal: fpg, title: Glucose, type: quantity, search: tests, unit: mg/dL, conflicts: true,
     units: {mmol/L: x 18.016}, within: 365 days, codes: {loinc: [1-2]}, verified: V1}
  insulin_level:
    {signal: ins, title: Insulin, type: quantity, search: tests, unit: "u[IU]/mL",
     units: {pmol/L: / 6.0}, within: 365 days, codes: {loinc: [1-3]}, verified: V1}
  waist:
    {signal: waist, title: Waist, type: quantity, search: tests, unit: cm,
     units: {"[in_i]": x 2.54}, within: 365 days, codes: {loinc: [1-4]}, verified: V1}
  enzyme:
    {signal: alt, title: Enzyme, type: quantity, search: tests, unit: U/L, within: 365 days,
     codes: {loinc: [1-5]}, verified: V1}
  ratio:
    {signal: ratio, title: Ratio, type: quantity, search: tests, unit: "1", within: 365 days,
     codes: {loinc: [1-6]}, verified: V1}
  thirst:
    {signal: thirst, title: Thirst, type: answer, search: tests, within: 30 days,
     codes: {loinc: [1-7]}, answers: {Y: yes, N: no}, verified: V1}
  due_date:
    {signal: edd, title: Due date, type: date, search: tests, within: 300 days,
     codes: {loinc: [1-8]}, verified: V1}
  diabetes:
    {signal: dm, title: Diabetes, type: problem, search: problems, codes: {loinc: [1-9]},
     absent_means: false_if_list_complete, verified: V1}
  gout:
    {signal: gout, title: Gout, type: problem, search: problems, codes: {loinc: [2-1]},
     absent_means: false_if_list_complete, verified: V1}
  snoring:
    {signal: osa, title: Snoring, type: problem, search: problems, codes: {loinc: [2-2]},
     verified: V1}
  statin:
    {signal: stat, title: Statin, type: medicine, search: medicines, codes: {loinc: [2-3]},
     routes: {oral: [oral], skin: [skin]}, absent_means: false_if_list_complete, verified: V1}
  diet:
    {signal: diet, title: Diet, type: plan, search: plans, codes: {loinc: [2-4]},
     absent_means: false_if_list_complete, verified: V1}
  pregnancy:
    {signal: preg, title: Pregnancy, type: episode, begins: [due_date], ends: [thirst],
     longest: 300 days}
""",
    "actions/library.yaml": """
kind: actions
id: library
actions:
  order_hba1c:
    label: Order HbA1c
    description: Draft a request
    result: hba1c
    resources: [{resourceType: ServiceRequest, status: draft, intent: proposal}]
  order_glucose:
    label: Order glucose
    description: Draft a request
    result: glucose
    resources: [{resourceType: ServiceRequest, status: draft, intent: proposal}]
  order_waist:
    label: Measure the waist
    description: Draft a request
    result: waist
    resources: [{resourceType: ServiceRequest, status: draft, intent: proposal}]
  advise:
    label: Advise
    description: Draft a plan
    resources: [{resourceType: CarePlan, status: draft, intent: proposal}]
  refer:
    label: Refer
    description: Draft a plan
    resources: [{resourceType: CarePlan, status: draft, intent: proposal}]
""",
}

CARD = """
code: {code}
hooks: [patient-view]
group: one
priority: 50
grade: C
override_reasons: all
card: {{indicator: info, summary: Look here, source: {{cite: book}}}}
"""


class Release:
    """A folder of rules that grows by a call for each file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rules"
        for path, text in LIBRARY.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        """Write one file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def _rule(self, kind: str, folder: str, name: str, *texts: str) -> None:
        body = "".join(textwrap.dedent(one) + "\n" for one in texts)
        keys = {line.partition(":")[0] for line in body.splitlines()}
        header = "".join(
            f"{line}\n" for line in HEADER.splitlines() if line.partition(":")[0] not in keys
        )
        self.write(f"{folder}/{name}.yaml", f"kind: {kind}\nid: {name}\n{header}\n{body}")

    def condition(self, name: str, text: str) -> None:
        """Add a named condition."""
        self._rule("condition", "conditions", name, text)

    def index(self, name: str, text: str) -> None:
        """Add an index; its unit and digits where the text does not say them."""
        preset = "" if "\nunit:" in textwrap.dedent(f"\n{text}") else 'unit: "1"\n'
        self._rule("index", "indices", name, text, preset + "show: 2 decimals")

    def stages(self, text: str) -> None:
        """Add the staging table."""
        self._rule("stages", "stages", "staging", text)

    def factor(self, name: str, text: str) -> None:
        """Add a factor."""
        self._rule("factor", "factors", name, text)

    def card(self, name: str, text: str) -> None:
        """Add a card; what the text does not say is filled in."""
        own = {line.partition(":")[0] for line in textwrap.dedent(text).splitlines()}
        code = "IR-" + name.upper().replace("_", "-")
        preset = "\n".join(
            line
            for line in CARD.format(code=code).splitlines()
            if line.partition(":")[0] not in own
        )
        self._rule("card", "cards", name, text, preset)

    def population(self, text: str) -> None:
        """Add the gates that apply to every card."""
        self.write(
            "population/adults.yaml",
            "kind: population\nid: adults\ntitle: Adults\nbecause: Adults only.\n"
            + textwrap.dedent(text),
        )

    def load(self) -> Ruleset:
        """Load what was written; any error of the files fails the test."""
        return load_ruleset(self.folder)

    def reasoner(self, *, engine: EngineChoice = "both", everything: bool = True) -> Reasoner:
        """Open what was written; everything is worked out unless told otherwise."""
        return Reasoner(self.load(), engine=engine, everything=everything)

    def conclude(self, snapshot: Snapshot, *, everything: bool = True) -> Conclusions:
        """Conclude by both evaluators."""
        reasoner = self.reasoner(everything=everything)
        try:
            return reasoner.conclude(snapshot)
        finally:
            reasoner.close()

    def ask(self, clause: str, *snapshots: Snapshot, more: str = "") -> list[str]:
        """Ask one clause of each snapshot, by both evaluators, yes rail and no rail."""
        return [one.word for one in self.truths(clause, *snapshots, more=more)]

    def truths(self, clause: str, *snapshots: Snapshot, more: str = "") -> list[Truth]:
        """Give the answers with their reasons."""
        self.condition("asked", f"{more}\nholds_if: {clause}")
        # Who reads a condition makes the engine compile both of its rails.
        self.condition("read", "holds_if: asked holds")
        self.card("yes", "show_if: asked holds")
        self.card("no", "show_if: {not: asked holds}")
        reasoner = self.reasoner(everything=False)
        try:
            return [reasoner.conclude(one).answers["asked.holds_if"] for one in snapshots]
        finally:
            reasoner.close()


def amount(text: str) -> tuple[Decimal, str, Bound]:
    """Read `< 5.7 %`."""
    words = text.split()
    bound = Bound(words.pop(0)) if words[0] in {"<", "<=", ">", ">="} else Bound.EXACT
    return Decimal(words[0]), words[1] if len(words) > 1 else "1", bound


_TO_CANONICAL = {
    "mmol/mol": (Decimal("0.09148"), Decimal("2.152")),
    "mmol/L": (Decimal("18.016"), Decimal(0)),
    "pmol/L": (Decimal(1) / Decimal(6), Decimal(0)),
    "[in_i]": (Decimal("2.54"), Decimal(0)),
}


def moment(days: float = 0, clock: str = "") -> Moment:
    """Make an instant so many days ago; *clock* is the local time that was sent."""
    at = NOW - timedelta(days=days)
    hour = datetime.strptime(clock, "%H:%M").time() if clock else None  # noqa: DTZ007 - a time of day
    return Moment(at, at, at.isoformat(), hour)


def date(days: int) -> Moment:
    """Make a bare date so many days ago."""
    start = (NOW - timedelta(days=days)).replace(hour=0)
    return Moment(start, start + timedelta(hours=23, minutes=59), start.date().isoformat())


def result(concept: str, text: str, days: float = 0, **more: Any) -> Result:
    """Make a usable result from `7.1 %`, so many days old."""
    sent, unit, bound = amount(text)
    factor, offset = _TO_CANONICAL.get(unit, (Decimal(1), Decimal(0)))
    made = Result(
        concept=concept,
        value=round12(sent * factor + offset),
        sent=sent,
        unit=unit,
        when=moment(days),
        days=int(days),
        source=Source("Observation", f"Observation/{concept}-{days}", "$"),
        bound=bound,
    )
    return replace(made, **more)


def conflict(concept: str, *texts: str, days: int = 0) -> tuple[Unusable, ...]:
    """Make results of one day that contradict each other."""
    return tuple(
        Unusable(
            concept,
            Gap.CONFLICT,
            one.source,
            one.when,
            days,
            one.sent,
            one.unit,
            one.value,
        )
        for one in (result(concept, text, days) for text in texts)
    )


def unusable(concept: str, reason: Gap, days: int | None = 0) -> Unusable:
    """Make something that arrived and is not used."""
    when = None if days is None else moment(days)
    return Unusable(concept, reason, Source("Observation", "Observation/x", "$"), when, days)


def entry(concept: str, days: int | None = 0, **more: Any) -> Entry:
    """Make an entry of a list."""
    when = None if days is None else moment(days)
    return replace(
        Entry(concept, Source("Condition", "Condition/x", "$"), when=when, days=days), **more
    )


WHOLE = {name: ListState(complete=True) for name in ("tests", "problems", "medicines", "plans")}


def born(years: int, or_older: int = 0) -> Moment:
    """Make the birth date of somebody of so many years, exactly or within a year or more."""
    end = NOW.replace(year=NOW.year - years) - timedelta(days=1)
    start = end.replace(year=end.year - or_older)
    return Moment(start, end, start.date().isoformat())


def patient(
    *,
    age: int | tuple[int, int] | None = 50,
    sex: str = "female",
    group: str = "",
    unusable: Mapping[str, tuple[Unusable, ...]] | None = None,
    listed: Mapping[str, tuple[Entry, ...]] | tuple[str, ...] = (),
    lists: Mapping[str, ListState] | None = None,
    **results: Any,
) -> Snapshot:
    """
    Make a snapshot: `patient(hba1c="7.1 %", listed=("diabetes",))`.

    A result is a text of today, or a list of results, newest first. Every list came
    whole unless *lists* says otherwise.
    """
    ages = (age, age) if isinstance(age, int) else age
    entries = (
        {name: (entry(name.partition(":")[0]),) for name in listed}
        if isinstance(listed, tuple)
        else listed
    )
    return Snapshot(
        as_of=NOW,
        person=Person(
            id="p",
            sex=sex,
            born=None if ages is None else born(ages[0], ages[1] - ages[0]),
            group=group,
        ),
        results={
            name: (result(name, found),) if isinstance(found, str) else tuple(found)
            for name, found in results.items()
        },
        unusable=unusable or {},
        entries=entries,
        lists=WHOLE if lists is None else lists,
    )
