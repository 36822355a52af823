"""
Findings written for machines: JSON, JUnit, GitHub's log lines, SARIF.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import quote

import cds
from cds.core.clauses import Place
from cds.rulefiles.checks import CHECKS
from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.fixes import Edit, Fix
from cds.rulefiles.nodes import Source
from cds.workshop.checks.pages import what_it_does

__all__ = ["as_github", "as_json", "as_junit", "as_sarif"]

_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"

Sources = Mapping[str, Source]


def as_json(found: Iterable[Diagnostic], sources: Sources) -> str:
    """Write findings as one list; lines and columns count from one, ends are not included."""
    return json.dumps([_plain(one, sources) for one in found], indent=1, ensure_ascii=False)


def _plain(one: Diagnostic, sources: Sources) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.name,
        "severity": one.severity,
        "headline": one.headline,
        **_where(one.place),
        "label": one.label,
        "spans": [{**_where(span.place), "label": span.label} for span in one.spans],
        "notes": list(one.notes),
        "help": one.help,
        "page": _page(one.code),
        "fix": None if one.fix is None else _plain_fix(one.fix, sources),
    }


def _where(place: Place) -> dict[str, Any]:
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_column": place.column + place.width,
    }


def _plain_fix(fix: Fix, sources: Sources) -> dict[str, Any]:
    return {
        "title": fix.title,
        "safe": fix.safe,
        "rename": fix.rename,
        "edits": [
            {
                "path": one.path,
                "start": _position(one, one.start, sources),
                "end": _position(one, one.end, sources),
                "text": one.text,
            }
            for one in fix.edits
        ],
    }


def _position(edit: Edit, offset: int, sources: Sources) -> dict[str, int]:
    line, column = sources[edit.path].position(offset)
    return {"line": line, "column": column}


def _page(code: str) -> str:
    return f"cds explain {code}"


# --- JUnit ----------------------------------------------------------------------------


def as_junit(found: Iterable[Diagnostic], paths: Sequence[str]) -> str:
    """Write a suite with a case for each file: it fails by its errors, and prints its warnings."""
    by_path: dict[str, list[Diagnostic]] = {path: [] for path in paths}
    for one in found:
        by_path.setdefault(one.place.path, []).append(one)
    failed = sum(any(one.severity == "error" for one in several) for several in by_path.values())
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name="cds check" tests="{len(by_path)}" failures="{failed}" errors="0">',
    ]
    for path, several in by_path.items():
        name = _xml(path)
        out.append(f'<testcase classname="cds check" name="{name}" file="{name}">')
        errors = [one for one in several if one.severity == "error"]
        if errors:
            first = f'type="{errors[0].code}" message="{_xml(errors[0].headline)}"'
            out.append(f"<failure {first}>{_lines(errors)}</failure>")
        warnings = [one for one in several if one.severity == "warning"]
        if warnings:
            out.append(f"<system-out>{_lines(warnings)}</system-out>")
        out.append("</testcase>")
    return "\n".join([*out, "</testsuite>"])


def _lines(found: Iterable[Diagnostic]) -> str:
    return _xml("\n".join(str(one) for one in found))


def _xml(text: str) -> str:
    """Escape a text, and leave out what XML cannot hold."""
    return escape("".join(one for one in text if one in "\t\n" or one.isprintable()))


# --- GitHub ---------------------------------------------------------------------------


def as_github(found: Iterable[Diagnostic]) -> str:
    """Write the log lines from which GitHub makes annotations."""
    return "\n".join(_annotation(one) for one in found)


def _annotation(one: Diagnostic) -> str:
    place = one.place
    values = {
        "file": place.path,
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(place.column + place.width),
        "title": f"{one.code} {one.name}",
    }
    properties = ",".join(f"{key}={_property(value)}" for key, value in values.items())
    words = "\n".join([one.headline, *one.notes, *([one.help] if one.help else [])])
    return f"::{one.severity} {properties}::{_message(words)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


# --- SARIF ----------------------------------------------------------------------------


def as_sarif(found: Iterable[Diagnostic], sources: Sources) -> str:
    """Write a log of the Static Analysis Results Interchange Format, version 2.1.0."""
    found = list(found)
    codes = sorted({one.code for one in found})
    rules = [
        {
            "id": code,
            "name": CHECKS[code].name,
            "shortDescription": {"text": what_it_does(code) or CHECKS[code].name},
            "help": {"text": _page(code)},
            "defaultConfiguration": {"level": CHECKS[code].severity},
        }
        for code in codes
    ]
    log = {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "cds", "version": cds.__version__, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, codes.index(one.code), sources) for one in found],
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False)


def _result(one: Diagnostic, index: int, sources: Sources) -> dict[str, Any]:
    words = [one.headline, *one.notes, *([one.help] if one.help else [])]
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": one.severity,
        "message": {"text": "\n".join(words)},
        "locations": [_location(one.place, one.label)],
    }
    if one.spans:
        result["relatedLocations"] = [
            {"id": number, **_location(span.place, span.label)}
            for number, span in enumerate(one.spans)
        ]
    if one.fix is not None and one.fix.edits:
        result["fixes"] = [_sarif_fix(one.fix, sources)]
    return result


def _location(place: Place, label: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.path)},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.column + place.width,
            },
        }
    }
    if label:
        found["message"] = {"text": label}
    return found


def _sarif_fix(fix: Fix, sources: Sources) -> dict[str, Any]:
    by_path: dict[str, list[dict[str, Any]]] = {}
    for one in fix.edits:
        start = _position(one, one.start, sources)
        end = _position(one, one.end, sources)
        by_path.setdefault(one.path, []).append(
            {
                "deletedRegion": {
                    "startLine": start["line"],
                    "startColumn": start["column"],
                    "endLine": end["line"],
                    "endColumn": end["column"],
                },
                "insertedContent": {"text": one.text},
            }
        )
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {"artifactLocation": {"uri": quote(path)}, "replacements": several}
            for path, several in by_path.items()
        ],
    }
