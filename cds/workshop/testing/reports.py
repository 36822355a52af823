"""
Results of cases as people and machines read them: full, junit, json.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from cds.workshop.testing.cases import CaseResult

__all__ = ["as_json", "as_junit", "in_full", "one_case", "summary"]

_BARE: Final = {ord(one): " " for one in map(chr, range(32)) if one not in "\t\n\r"}


def one_case(result: CaseResult) -> str:
    """
    Write a case that differs: its patient, each difference, and the reasons.

    Labels stand in one column, `expected` above `got`.
    """
    rows: list[tuple[str, str]] = []
    if result.given:
        rows.append(("given", result.given))
    for one in result.differences:
        rows += [(one.word, f"expected {one.expected}"), ("", f"got      {one.got}")]
    rows += [("why" if at == 0 else "", line) for at, line in enumerate(result.why)]
    width = max((len(label) for label, _ in rows), default=0) + 2
    lines = [f"FAIL  {result.name}", f"      {result.place.path}:{result.place.line}"]
    for label, text in rows:
        first, *rest = text.splitlines() or [""]
        lines.append(f"      {label:<{width}}{first}".rstrip())
        lines += [f"      {'':<{width}}{line}".rstrip() for line in rest]
    return "\n".join(lines)


def in_full(results: Sequence[CaseResult]) -> str:
    """Write what differs; where nothing does, how many cases passed in each file."""
    failed = [one for one in results if not one.passed]
    parts = [one_case(one) for one in failed]
    if not failed:
        counts = Counter(one.place.path for one in results)
        parts += [f"{path:<56} {count} passed" for path, count in sorted(counts.items())]
    parts += [
        f"no longer to do: {one.name}\n      {one.place.path}:{one.place.line}"
        for one in results
        if one.no_longer_to_do
    ]
    return "\n".join(parts)


def summary(results: Iterable[CaseResult]) -> str:
    """Count what passed, what failed and what is still to be done."""
    every = list(results)
    failed = sum(not one.passed for one in every)
    to_do = sum(one.todo and bool(one.differences) for one in every)
    parts = [f"{len(every) - failed - to_do} passed"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{to_do} still to be done"] if to_do else []
    return ", ".join(parts)


def as_json(results: Iterable[CaseResult]) -> str:
    """Write every case as JSON: one list, in the order of the run."""
    return json.dumps(
        [
            {
                "rule": one.rule,
                "name": one.name,
                "path": one.place.path,
                "line": one.place.line,
                "given": one.given,
                "state": _state(one),
                "differences": [
                    {"word": each.word, "expected": each.expected, "got": each.got}
                    for each in one.differences
                ],
                "why": list(one.why),
            }
            for one in results
        ],
        ensure_ascii=False,
        indent=1,
    )


def as_junit(results: Iterable[CaseResult]) -> str:
    """Write every case as JUnit XML, one suite for each file."""
    suites: dict[str, list[CaseResult]] = {}
    for one in results:
        suites.setdefault(one.place.path, []).append(one)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for path, cases in suites.items():
        failed = sum(_state(one) == "failed" for one in cases)
        skipped = sum(_state(one) == "to do" for one in cases)
        lines.append(
            f"<testsuite name={_attribute(path)} tests={_attribute(len(cases))} "
            f"failures={_attribute(failed)} skipped={_attribute(skipped)}>"
        )
        for one in cases:
            opening = (
                f"<testcase classname={_attribute(one.rule)} name={_attribute(one.name)} "
                f"file={_attribute(path)} line={_attribute(one.place.line)}"
            )
            inside = _inside(one)
            lines.append(f"{opening}>{inside}</testcase>" if inside else f"{opening}/>")
        lines.append("</testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines)


def _inside(one: CaseResult) -> str:
    if _state(one) == "failed":
        first = str(one.differences[0])
        text = escape(one_case(one).translate(_BARE))
        return f"<failure message={_attribute(first)}>{text}</failure>"
    return '<skipped message="still to be done"/>' if _state(one) == "to do" else ""


def _attribute(value: object) -> str:
    return quoteattr(str(value).translate(_BARE))


def _state(one: CaseResult) -> str:
    if one.differences:
        return "to do" if one.todo else "failed"
    return "no longer to do" if one.todo else "passed"
