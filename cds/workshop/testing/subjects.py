"""
Whom a rule is explained for: a patient of a rule file, words on a command line, a record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cds.core.clauses import Place
from cds.core.facts import Snapshot
from cds.core.moment import Moment
from cds.core.rules import Ruleset
from cds.fhir.context import about
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import Retrieved, retrieve
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.headers import plain_value
from cds.rulefiles.nodes import Block, Source
from cds.rulefiles.source import read_source
from cds.workshop.testing.calls import call_of
from cds.workshop.testing.patients import NOW, CannotRead

__all__ = ["Subjects", "patients_of", "read_given"]


def read_given(text: str, *, called: str) -> dict[str, Any]:
    """
    Read `egfr: none, hba1c: 5.8 %` as a case of a rule file would.

    Raises `CannotRead` with what is wrong; *called* names the option it was given by.
    """
    report = Report()
    root = read_source(Source(called, f"{{{text}}}\n"), report)
    problem = next(iter(report.sorted()), None)
    if root is None or problem is not None:
        said = problem.headline if problem is not None else "nothing was said"
        msg = f"{called}: {said}; write `NAME: VALUE, NAME: VALUE`"
        raise CannotRead(msg)
    found = {name: plain_value(node) for name, node in root.values.items()}
    for name, value in found.items():
        if value is None:
            msg = f"{called}: `{name}` has no value; write `NAME: VALUE, NAME: VALUE`"
            raise CannotRead(msg)
    return found


def patients_of(folder: Path, place: Place) -> dict[str, dict[str, Any]]:
    """Read the `patients:` of the rule file that holds *place*."""
    source = Source(place.path, (folder.parent / place.path).read_text("utf-8-sig"))
    root = read_source(source, Report())
    if root is None:
        return {}
    return {
        key.text: {name: plain_value(one) for name, one in node.values.items()}
        for key, node in root.pairs("patients")
        if isinstance(node, Block)
    }


class Subjects:
    """Makes snapshots, by the code that reads what an EHR sends."""

    def __init__(self, rules: Ruleset) -> None:
        self._rules = rules
        self._extractor = Extractor(
            concepts=rules.concepts,
            searches=rules.searches,
            systems=rules.systems,
            groups=rules.groups_of_people,
            group_extension=rules.group_extension,
        )

    def of_case(self, given: Mapping[str, Any], hooks: Sequence[str] = ()) -> Snapshot:
        """Read a test patient, in a call of one of *hooks*; raises `CannotRead`."""
        call = call_of(self._rules, given, hooks=hooks)
        retrieved = retrieve(
            call.prefetch,
            patient_id="case",
            searches=self._rules.searches,
            about=about(call.hook, call.context),
        )
        return self.of_record(retrieved, NOW)

    def of_record(self, retrieved: Retrieved, as_of: datetime) -> Snapshot:
        """Read what was gathered, from a request or a record."""
        return self._extractor.extract(retrieved, as_of=as_of)

    def changed(self, snapshot: Snapshot, but: Mapping[str, Any]) -> Snapshot:
        """
        Put other data in the place of some of a record's, as `but:` does in a case.

        Days are counted back from the time of evaluation. Raises `CannotRead`.
        """
        other = self.of_case({name: one for name, one in but.items() if one != "none"})
        shift = snapshot.as_of - other.as_of
        results = dict(snapshot.results)
        unusable = dict(snapshot.unusable)
        entries = dict(snapshot.entries)
        for name in but:
            for table in (results, unusable, entries):
                for key in [one for one in table if one.partition(":")[0] == name]:
                    del table[key]
        results |= {
            name: tuple(replace(one, when=_moved(one.when, shift)) for one in many)
            for name, many in other.results.items()
        }
        unusable |= {
            name: tuple(
                replace(one, when=_moved(one.when, shift) if one.when else None) for one in many
            )
            for name, many in other.unusable.items()
        }
        entries |= {
            name: tuple(
                replace(one, when=_moved(one.when, shift) if one.when else None) for one in many
            )
            for name, many in other.entries.items()
        }
        lists = {**snapshot.lists, **_spoiled(other)}
        drafted = any(one.act for many in other.entries.values() for one in many)
        person = snapshot.person
        if "sex" in but:
            person = replace(person, sex=other.person.sex)
        if "age" in but:
            born = other.person.born
            person = replace(person, born=_moved(born, shift) if born is not None else None)
        if "group" in but:
            person = replace(person, group=other.person.group)
        return replace(
            snapshot,
            person=person,
            results=results,
            unusable=unusable,
            entries=entries,
            lists=lists,
            hook=other.hook if drafted else snapshot.hook,
        )


def _spoiled(other: Snapshot) -> dict[str, Any]:
    """Take over the lists that `not_sent` and `not_complete` name."""
    return {name: state for name, state in other.lists.items() if not state.complete}


def _moved(moment: Moment, shift: timedelta) -> Moment:
    """Move a moment; what is written of it moves with it."""
    start, end = moment.start + shift, moment.end + shift
    written = start.isoformat() if moment.is_exact else start.date().isoformat()
    return Moment(start, end, written, moment.clock)
