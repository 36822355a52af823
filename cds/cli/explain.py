"""
`cds explain`: why a rule answers as it does, in the words of its file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.markdown import Markdown

from cds.cli.console import REFUSED, clean, console, say_rule_error, say_usage
from cds.cli.records import HookCall, read_records
from cds.core.facts import Snapshot
from cds.core.rules import Card, Condition, Ruleset
from cds.errors import BadRequest, RequestError, RuleError
from cds.fhir.context import about
from cds.fhir.retrieve import retrieve, whole_record
from cds.hooks.wire import read_request
from cds.reasoning.arbiter import arbitrate
from cds.reasoning.evaluator import Reasoner
from cds.rulefiles.checks import CHECKS, code_of
from cds.rulefiles.diagnostics import did_you_mean
from cds.rulefiles.loader import load_ruleset
from cds.service.settings import chosen_profile, default_rules, instant_of
from cds.workshop.checks.pages import page_of
from cds.workshop.testing.cases import cases_of
from cds.workshop.testing.histories import past_of
from cds.workshop.testing.patients import CannotRead
from cds.workshop.testing.subjects import Subjects, patients_of, read_given
from cds.workshop.why.explaining import Explained, Explainer, conclude, rule_called
from cds.workshop.why.flipping import NoSuchAnswer, answers_of, flips, told
from cds.workshop.why.reasons import Reason, as_json, written
from cds.workshop.why.solving import usual_values

__all__ = ["Asked", "explain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be explained, for whom, and how it is printed."""

    what: str
    patient: str | None = None
    given: str | None = None
    but: tuple[str, ...] = ()
    as_of: str | None = None
    depth: int = 1
    why_not: bool = False
    why: bool = False
    wanted: str | None = None
    as_json: bool = False
    width: int | None = None


class _CannotAnswer(Exception):
    """The call itself cannot be answered; the message says why."""


def explain(asked: Asked, *, rules: Path | None, profile: str | None = None) -> int:
    """Explain one rule for one patient, or one check; give the exit code."""
    code = code_of(asked.what)
    if code:
        return _show_page(asked, code)
    folder = rules or default_rules()
    try:
        ruleset = load_ruleset(folder, profile or chosen_profile())
        rule = _find(ruleset, asked.what)
        snapshot, given = _subject(asked, ruleset, rule, folder)
        past = past_of(ruleset, rule.id, given).history
    except RuleError as error:
        return say_rule_error(error)
    except RequestError as error:
        sys.stderr.write(f"cds: {error.status} {clean(str(error))}\n")
        return REFUSED
    except (_CannotAnswer, CannotRead) as problem:
        return say_usage(str(problem))
    reasoner = Reasoner(ruleset, engine="reference", everything=True)
    run = reasoner.start(snapshot)
    seen, decision = reasoner.rules, None
    if isinstance(rule, Card):
        found = conclude(seen, run)
        decision = arbitrate(seen, found, past, hook=snapshot.hook, rehearsed=rule.id)
    rule = rule_called(seen, rule.id) or rule
    before = past.cards.get(rule.id)
    explainer = Explainer(seen, run, depth=asked.depth, decision=decision, past=before)
    reason = explainer.rule(rule)
    if asked.why or asked.why_not or asked.wanted:
        return _explain_flips(asked, ruleset, rule, snapshot, reason)
    if asked.as_json:
        return _write_json(as_json(reason))
    return _write(asked, [reason])


def _show_page(asked: Asked, code: str) -> int:
    """Print the page of a check."""
    text = page_of(code)
    if not text:
        return say_usage(f"there is no page about {code} {CHECKS[code].name} here")
    if asked.as_json:
        return _write_json({"code": code, "name": CHECKS[code].name, "page": text})
    console(width=asked.width).print(Markdown(text, hyperlinks=False))
    return 0


def _write(asked: Asked, reasons: Sequence[Reason], *, lines: bool = True) -> int:
    width = asked.width or console().width
    for reason in reasons:
        for line in written(reason, width=width, lines=lines):
            sys.stdout.write(clean(line) + "\n")
    return 0


def _write_json(value: object) -> int:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    return 0


def _explain_flips(
    asked: Asked, ruleset: Ruleset, rule: Explained, snapshot: Snapshot, reason: Reason
) -> int:
    """Say what would have to be otherwise for another answer."""
    wanted = asked.wanted or _turned(asked, rule)
    if wanted is None:
        answers = ", ".join(answers_of(rule))
        return say_usage(f"say which answer is wanted, with --wanted: {answers}")
    usual = usual_values(ruleset, _cases(ruleset))
    try:
        found = flips(ruleset, rule, snapshot, wanted, usual)
    except NoSuchAnswer as problem:
        return say_usage(str(problem))
    if asked.as_json:
        changes = [
            {"change": [text for _, text in one.said], "then": list(one.then)}
            for one in found.found
        ]
        return _write_json(
            {
                "rule": rule.id,
                "state": found.state,
                "wanted": found.wanted,
                "changes": changes,
                "notEnoughAlone": list(found.not_enough),
                "tried": found.tried,
                "foundBesides": found.more,
                "isCut": found.cut,
                "noChangeKnownFor": list(found.limits),
            }
        )
    return _write(asked, [replace(reason, of=()), *told(found)], lines=False)


def _turned(asked: Asked, rule: Explained) -> str | None:
    """Say which answer is meant by "why", "why not"; None where there are several."""
    if isinstance(rule, Card):
        return "not shown" if asked.why else "shown"
    if isinstance(rule, Condition):
        return "no" if asked.why else "yes"
    return None


def _cases(ruleset: Ruleset) -> Iterator[Snapshot]:
    """Read the test patients of all rules: they say which values are usual."""
    subjects = Subjects(ruleset)
    for _, case in cases_of(ruleset):
        with suppress(CannotRead):
            yield subjects.of_case(case.given)


def _find(ruleset: Ruleset, what: str) -> Explained:
    rule = rule_called(ruleset, what)
    if rule is not None:
        return rule
    known = [
        *ruleset.cards,
        *ruleset.indices,
        *ruleset.conditions,
        *ruleset.factors,
        *(one.code for one in ruleset.cards.values()),
        *CHECKS,
        *(one.name for one in CHECKS.values()),
    ]
    meant = did_you_mean(what, known)
    raise _CannotAnswer(f"`{what}` is no rule, code or check" + (f"; {meant}" if meant else ""))


def _subject(
    asked: Asked, ruleset: Ruleset, rule: Explained, folder: Path
) -> tuple[Snapshot, Mapping[str, Any]]:
    """Read whom it is explained for, and what was said of the patient in words."""
    subjects = Subjects(ruleset)
    but: dict[str, Any] = {}
    for text in asked.but:
        but |= read_given(text, called="--but")
    named = patients_of(folder, rule.place)
    hooks = rule.hooks if isinstance(rule, Card) else ()
    if asked.given is not None:
        given = read_given(asked.given, called="--given")
        if asked.patient is not None:
            given = {**_named(asked.patient, named), **given}
        given = _without({**given, **but})
        return subjects.of_case(given, hooks), given
    if asked.patient is None and not named:
        raise _CannotAnswer(
            f"say for whom: `{rule.id}` has no patients of its own; "
            "use --patient FILE or --given 'age: 52 years, sex: male'"
        )
    patient = asked.patient or next(iter(named))
    if patient in named:
        given = _without({**named[patient], **but})
        return subjects.of_case(given, hooks), given
    if not Path(patient).is_file():
        _named(patient, named)
    snapshot = _of_file(patient, asked, ruleset, subjects)
    return (subjects.changed(snapshot, but) if but else snapshot), but


def _named(patient: str, named: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if patient not in named:
        known = ", ".join(named) or "none"
        raise _CannotAnswer(
            f"`{patient}` is neither a file nor a patient of this rule; its patients: {known}"
        )
    return named[patient]


def _without(given: Mapping[str, Any]) -> dict[str, Any]:
    """Take out what `none` removes."""
    return {name: value for name, value in given.items() if value not in ("none", None)}


def _of_file(file: str, asked: Asked, ruleset: Ruleset, subjects: Subjects) -> Snapshot:
    try:
        instant = instant_of(asked.as_of or os.environ.get("CDS_CLOCK", "")) or datetime.now(UTC)
        records = list(read_records(file))
    except BadRequest as error:
        raise _CannotAnswer(f"{file}: {error.message}") from None
    except ValueError:
        name = "--as-of" if asked.as_of else "CDS_CLOCK"
        raise _CannotAnswer(f"{name} must be a date, or an instant with its zone") from None
    except OSError as error:
        raise _CannotAnswer(f"{file}: {error.strerror}") from None
    if len(records) != 1:
        raise _CannotAnswer(f"{file}: holds {len(records)} patients; explain one at a time")
    record = records[0]
    if isinstance(record, HookCall):
        request = read_request(record.raw)
        gathered = retrieve(
            request.prefetch,
            patient_id=request.patient_id,
            searches=ruleset.searches,
            about=about(request.hook, request.context),
        )
    else:
        gathered = whole_record(
            record.content, searches=ruleset.searches, patient_id=record.patient_id
        )
    return subjects.of_record(gathered, instant)
