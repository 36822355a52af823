"""
What `cds run` reads: a hook request, a Bundle, a resource, or NDJSON of one or many patients.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cds.errors import BadRequest
from cds.fhir.references import bare_id
from cds.hooks.strict import decode

__all__ = ["HookCall", "Record", "read_records"]

_GZIP: Final = b"\x1f\x8b"
# Where a resource names whom it is about.
_SUBJECTS: Final = ("subject", "patient", "beneficiary", "individual")


@dataclass(frozen=True, slots=True)
class HookCall:
    """A hook request, as bytes: the service reads it itself."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A Bundle, or the resources of one patient; *patient_id* None: it holds only one."""

    content: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    patient_id: str | None


def read_records(file: str) -> Iterator[HookCall | Record]:
    """
    Read *file* (`-` is stdin; gzip is unpacked) and give each patient in it.

    Raises `OSError`, or `BadRequest` where it is none of what can be read.
    """
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    if raw.startswith(_GZIP):
        raw = gzip.decompress(raw)
    lines = [line for line in raw.splitlines() if line.strip()]
    if len(lines) > 1 and _is_object(lines[0]):
        return _of_lines([decode(line) for line in lines])
    return _of_document(decode(raw), raw)


def _is_object(line: bytes) -> bool:
    """Tell whether a line is a whole resource: then this is NDJSON."""
    try:
        return isinstance(decode(line), dict)
    except BadRequest:
        return False


def _of_document(document: Any, raw: bytes) -> Iterator[HookCall | Record]:
    if not isinstance(document, dict):
        raise BadRequest("must be a JSON object")
    if "hook" in document:
        yield HookCall(raw)
    elif "resourceType" in document:
        yield from _of_resource(document)
    else:
        raise BadRequest("is neither a hook request nor a FHIR resource")


def _of_resource(resource: Mapping[str, Any]) -> Iterator[Record]:
    """Give a record for every Patient of a Bundle; one of its own where there is no other."""
    if resource.get("resourceType") != "Bundle":
        yield Record([resource], None)
        return
    patients = [
        str(one["id"])
        for one in _resources_of(resource)
        if one.get("resourceType") == "Patient" and one.get("id")
    ]
    several = list(dict.fromkeys(patients))
    if len(several) < 2:  # noqa: PLR2004 - one or none: the record itself knows
        yield Record(resource, None)
        return
    for patient in several:
        yield Record(resource, patient)


def _resources_of(bundle: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def _of_lines(lines: Sequence[Any]) -> Iterator[Record]:
    """Give a record for every Bundle of a line, and for every Patient among single resources."""
    about: dict[str, list[Mapping[str, Any]]] = {}
    nobody: list[Mapping[str, Any]] = []
    for line in lines:
        if not isinstance(line, dict) or "resourceType" not in line:
            raise BadRequest("every line must be a FHIR resource")
        if line["resourceType"] == "Bundle":
            yield from _of_resource(line)
        elif line["resourceType"] == "Patient":
            about.setdefault(str(line.get("id", "")), []).insert(0, line)
        else:
            about.setdefault(_subject_of(line), []).append(line)
    nobody.extend(about.pop("", ()))
    for patient, resources in about.items():
        # What names nobody may be what others refer to: a Medication, an Encounter.
        yield Record([*resources, *nobody], patient)


def _subject_of(resource: Mapping[str, Any]) -> str:
    for name in _SUBJECTS:
        target = resource.get(name)
        if isinstance(target, dict) and isinstance(target.get("reference"), str):
            return bare_id(target["reference"])
    return ""
