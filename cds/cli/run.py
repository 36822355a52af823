"""
`cds run`: one patient or many, all rules, the cards as a clinician would see them.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cds.cli.console import REFUSED, clean, console, say_rule_error, say_usage
from cds.cli.records import HookCall, Record, read_records
from cds.cli.show import show, show_trial
from cds.errors import BadRequest, CdsError, EvaluatorsDisagree, RequestError, RuleError
from cds.fhir.retrieve import whole_record
from cds.hooks.strict import encode
from cds.reasoning.evaluator import EngineChoice
from cds.service.pipeline import Answer, Pipeline
from cds.service.release import NotServedError, open_release
from cds.service.settings import chosen_profile, default_rules, instant_of

__all__ = ["run_file"]


def run_file(
    file: str,
    *,
    rules: Path | None,
    profile: str | None,
    as_of: str | None,
    partial: bool,
    trial: bool,
    as_json: bool,
    brief: bool,
    ids: bool,
    width: int | None,
    color: bool | None,
    engine: EngineChoice,
) -> int:
    """Run every patient of *file*; give the exit code."""
    try:
        instant = instant_of(as_of or os.environ.get("CDS_CLOCK", "")) or datetime.now(UTC)
        records = list(read_records(file))
    except ValueError:
        name = "--as-of" if as_of else "CDS_CLOCK"
        return say_usage(f"{name} must be a date, or an instant with its zone")
    except OSError as error:
        return say_usage(f"{file}: {error.strerror}")
    except BadRequest as error:
        return say_usage(f"{file}: {error.message}")
    try:
        release = open_release(
            rules or default_rules(), unreviewed=True, profile=profile or chosen_profile()
        )
    except RuleError as error:
        return say_rule_error(error)
    except NotServedError as error:
        return say_usage(str(error))
    pipeline = Pipeline(release.ruleset, engine=engine, now=lambda: instant, trial=trial)
    out = console(width=width, color=color)

    def write(answer: Answer) -> None:
        if as_json:
            written = {**answer.response, **({"trial": answer.trial} if trial else {})}
            sys.stdout.write(_json(written, pretty=len(records) == 1) + "\n")
        else:
            show(answer, release.ruleset, out, brief=brief, ids=ids)
            if trial:
                show_trial(answer.trial, out)

    failures = sum(_run(pipeline, one, instant, partial=partial, write=write) for one in records)
    pipeline.close()
    return REFUSED if failures else 0


def _run(
    pipeline: Pipeline,
    record: HookCall | Record,
    as_of: datetime,
    *,
    partial: bool,
    write: Callable[[Answer], None],
) -> bool:
    """Run one patient; tell whether it failed."""
    try:
        if isinstance(record, HookCall):
            answer = asyncio.run(pipeline.answer(record.raw))
        else:
            retrieved = whole_record(
                record.content,
                searches=pipeline.ruleset.searches,
                patient_id=record.patient_id,
                partial=partial,
            )
            answer = pipeline.conclude(retrieved, as_of=as_of)
    except RequestError as error:
        sys.stderr.write(f"cds: {error.status} {clean(str(error))}\n")
    except EvaluatorsDisagree as error:
        sys.stderr.write(f"cds: the two evaluators differ: {', '.join(error.nodes)}\n")
    except CdsError as error:
        sys.stderr.write(f"cds: {clean(str(error))}\n")
    else:
        write(answer)
        return False
    return True


def _json(response: dict[str, Any], *, pretty: bool) -> str:
    raw = encode(response)
    return (msgspec.json.format(raw, indent=2) if pretty else raw).decode()
