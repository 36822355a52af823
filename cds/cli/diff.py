"""
`cds diff`: what changes between two versions of the rules, said in patients.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cds.cli.console import REFUSED, clean, say_rule_error, say_usage
from cds.cli.records import HookCall, Record, read_records
from cds.core.rules import Ruleset
from cds.errors import BadRequest, RuleError
from cds.fhir.context import about
from cds.fhir.retrieve import Retrieved, retrieve, whole_record
from cds.hooks.wire import read_request
from cds.rulefiles.loader import load_ruleset
from cds.rulefiles.profiles import DEFAULT
from cds.rulefiles.rendering import render
from cds.service.settings import default_rules, instant_of
from cds.workshop.changes.asking import Subject
from cds.workshop.changes.comparing import SORTS, Change, Changed, Comparison, compare
from cds.workshop.changes.revisions import NoSuchRulesError, rules_at
from cds.workshop.changes.signing import effects, table
from cds.workshop.testing.patients import NOW

__all__ = ["Diffed", "diff_rules"]

_ENDINGS: Final = (".json", ".ndjson", ".json.gz", ".ndjson.gz")
_MOST_ANSWERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffed:
    """What is compared with what, on whom, and how it is printed."""

    old: str | None
    new: str | None
    population: Path | None = None
    profile: str | None = None
    as_of: str | None = None
    patients: bool = False
    as_json: bool = False


def diff_rules(asked: Diffed, *, rules: Path | None) -> int:
    """Compare; give the exit code."""
    folder = rules or default_rules()
    if asked.old is None and asked.profile is None:
        return say_usage("say what to compare with: a folder, a revision of git, or --profile ID")
    try:
        as_of = instant_of(asked.as_of or "")
        people = list(_population(asked.population, folder, as_of))
        if asked.old is None:
            return _sign(asked, folder, people)
        with ExitStack() as stack:
            old = stack.enter_context(rules_at(asked.old, folder))
            new = stack.enter_context(rules_at(asked.new, folder)) if asked.new else folder
            before = load_ruleset(old, asked.profile or DEFAULT)
            after = load_ruleset(new, asked.profile or DEFAULT)
    except RuleError as error:
        return say_rule_error(error)
    except (NoSuchRulesError, ValueError, OSError) as problem:
        return say_usage(str(problem))
    except BadRequest as error:
        return say_usage(error.message)
    found = compare(before, after, people)
    if asked.as_json:
        sys.stdout.write(json.dumps(_as_json(found), ensure_ascii=False, indent=2) + "\n")
    else:
        for line in _written(found, patients=asked.patients):
            sys.stdout.write(clean(line).rstrip() + "\n")
    return REFUSED if found.findings else 0


def _sign(asked: Diffed, folder: Path, people: Sequence[Subject]) -> int:
    default, site = load_ruleset(folder), load_ruleset(folder, str(asked.profile))
    found, count = effects(default, site, people)
    if asked.as_json:
        rows = [
            {
                "key": one.override.key,
                "rule": one.override.rule,
                "site": one.override.site,
                "because": one.override.because,
                "approvedBy": one.override.approved_by,
                "approvedOn": one.override.approved_on,
                "patients": list(one.subjects),
                "cards": list(one.cards),
            }
            for one in found
        ]
        sys.stdout.write(json.dumps({"of": count, "changes": rows}, indent=2) + "\n")
        return 0
    for line in table(site, found, count):
        sys.stdout.write(clean(line) + "\n")
    if asked.patients:
        for one in found:
            if one.subjects:
                sys.stdout.write(clean(f"{one.override.key}: {', '.join(one.subjects)}\n"))
    return 0


# --- on whom --------------------------------------------------------------------------


def _population(folder: Path | None, rules: Path, as_of: datetime | None) -> Iterator[Subject]:
    """Read every patient of a folder; without one, those that come with the rules."""
    day = as_of or (datetime.now(UTC) if folder else NOW)
    if folder is None:
        beside = [
            one.resolve().parent / "fixtures" / "patients" for one in (rules, default_rules())
        ]
        folder = next((one for one in beside if one.is_dir()), beside[0])
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.name.endswith(_ENDINGS):
            continue
        records = list(read_records(str(path)))
        for number, record in enumerate(records, start=1):
            name = path.name.partition(".")[0] + (f" {number}" if len(records) > 1 else "")
            yield Subject(name, "patients", _gatherer(record), day)


def _gatherer(record: HookCall | Record) -> Any:
    def gather(rules: Ruleset) -> Retrieved:
        if isinstance(record, HookCall):
            request = read_request(record.raw)
            return retrieve(
                request.prefetch,
                patient_id=request.patient_id,
                searches=rules.searches,
                about=about(request.hook, request.context),
            )
        return whole_record(record.content, searches=rules.searches, patient_id=record.patient_id)

    return gather


# --- printing -------------------------------------------------------------------------


def _written(found: Comparison, *, patients: bool) -> Iterator[str]:
    yield from found.cut_offs
    yield from found.others
    width = max((len(one.id) for one in found.rules), default=0)
    for one in found.rules:
        yield from _of_rule(one, found, width, patients=patients)
    for line in found.unread:
        yield f"not read: {line}"
    for version in found.versions:
        if version.is_enough:
            yield f"version  {version.id}: {version.old} -> {version.new} ({version.why})"
        else:
            yield (
                f"version  {version.id}: {version.new} needs a {version.bump} bump, "
                f"{version.proposed} ({version.why})"
            )
    for finding in found.findings:
        yield ""
        yield from render(finding, {}).splitlines()
    tried = ", ".join(f"{found.tried[sort]} {_called(sort)}" for sort in SORTS)
    yield (
        f"tried on {tried}"
        if any(found.tried.values())
        else "nothing changed that decides an answer"
    )


def _called(sort: str) -> str:
    return "patients at cut-offs" if sort == "cut-offs" else sort


def _of_rule(one: Changed, found: Comparison, width: int, *, patients: bool) -> Iterator[str]:
    head = one.id.ljust(width)
    if one.state:
        yield f"{head}  {one.kind} is {one.state}"
        return
    through = "" if one.own or not one.through else f"  through {', '.join(one.through)}"
    if not one.changes:
        yield f"{head}  written otherwise; no answer changed"
    shown = sorted(one.changes, key=lambda change: -len(change.subjects))
    for change in shown[:_MOST_ANSWERS]:
        yield f"{head}  {_counts(change, found)}: {change.before} -> {change.after}{through}"
        if patients:
            yield from (f"{'':{width}}    {subject.name}" for subject in change.subjects)
    if len(shown) > _MOST_ANSWERS:
        rest = sum(len(change.subjects) for change in shown[_MOST_ANSWERS:])
        yield f"{head}  and {rest} with other changes"


def _counts(change: Change, found: Comparison) -> str:
    return ", ".join(
        f"{change.count(sort)} of {found.tried[sort]} {_called(sort)}"
        for sort in SORTS
        if change.count(sort)
    )


def _as_json(found: Comparison) -> dict[str, Any]:
    return {
        "thresholds": list(found.cut_offs),
        "others": list(found.others),
        "tried": dict(found.tried),
        "rules": [
            {
                "kind": one.kind,
                "id": one.id,
                "state": one.state or ("changed" if one.own else "through others"),
                "through": list(one.through),
                "answers": [
                    {
                        "before": change.before,
                        "after": change.after,
                        **{
                            sort: [who.name for who in change.subjects if who.sort == sort]
                            for sort in SORTS
                        },
                    }
                    for change in one.changes
                ],
            }
            for one in found.rules
        ],
        "versions": [
            {
                "id": one.id,
                "old": one.old,
                "new": one.new,
                "bump": one.bump,
                "proposed": one.proposed,
                "because": one.why,
                "enough": one.is_enough,
            }
            for one in found.versions
        ],
        "findings": [
            {"code": one.code, "headline": one.headline, "place": str(one.place), "help": one.help}
            for one in found.findings
        ],
        "notRead": list(found.unread),
    }
