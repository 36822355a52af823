"""
Which of several is newest, and which were written for another release of FHIR.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from cds.fhir.moments import read
from cds.fhir.references import Item, Resource

__all__ = ["is_equal", "is_foreign", "is_foreign_observation", "latest_items", "newest"]

_LONGEST: Final = 19
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)

# Elements that a type has in another release only, and those whose JSON type changed.
_FOREIGN: Final[dict[str, tuple[str, ...]]] = {
    "Condition": ("participant", "dateRecorded", "assertedDate", "context", "patient"),
    "MedicationRequest": ("medication", "context", "definition"),
    "MedicationStatement": ("medication", "taken", "notTaken", "wasNotTaken"),
    "Procedure": ("notDone", "notPerformed", "occurrenceDateTime", "occurrencePeriod", "context"),
    "Encounter": (),
    "MedicationOrder": ("resourceType",),
    "MedicationPrescription": ("resourceType",),
}
_PLAIN_TEXT: Final = {
    "Condition": ("clinicalStatus", "verificationStatus"),
    "Encounter": ("class",),
}


def is_foreign(resource: Resource) -> bool:
    """Tell whether a resource has the shape of DSTU2, STU3 or R5 where that matters."""
    kind = resource["resourceType"]
    for name in _FOREIGN.get(kind, ()):
        if name in resource:
            return True
    return any(type(resource.get(name)) is str for name in _PLAIN_TEXT.get(kind, ()))


def is_foreign_observation(resource: Resource) -> bool:
    """Do the same for an Observation, of which there are many."""
    return (
        "comment" in resource
        or "comments" in resource
        or "context" in resource
        or type(resource.get("category")) is dict
    )


def _rank(item: Item) -> tuple[int, datetime, str]:
    """Order versions: by number, then by date, then by content, so that order is no reason."""
    meta = item.resource.get("meta")
    version: Any = None
    updated = None
    if type(meta) is dict:
        version = meta.get("versionId")
        updated = read(meta.get("lastUpdated"))
    digits = (
        type(version) is str and version.isascii() and version.isdigit() and len(version) < _LONGEST
    )
    return (
        int(version) if digits else -1,
        updated.end if updated is not None else _EARLIEST,
        content(item),
    )


def content(item: Item) -> str:
    """Give a text that equal resources share."""
    try:
        return repr(item.resource)
    except RecursionError:
        return item.path


def newest(items: Iterable[Item]) -> Item:
    """Choose the newest version of one resource."""
    found = list(items)
    return found[0] if len(found) == 1 else max(found, key=_rank)


def is_equal(one: Resource, other: Resource) -> bool:
    """Tell whether two resources hold the same; one too deep to compare holds something else."""
    try:
        return one == other
    except RecursionError:
        return False


def latest_items(items: Iterable[Item], wanted: Iterable[str]) -> list[Item]:
    """
    Drop older versions and repetitions; only *wanted* types are looked at twice.

    Resources are the same by `Type/id`, without an id by what they hold. A draft of the
    hook is never the same as a resource of the record.
    """
    types = frozenset(wanted)
    kept: dict[object, Item] = {}
    again: dict[object, list[Item]] = {}
    for item in items:
        resource = item.resource
        kind, own = resource["resourceType"], resource.get("id")
        key: object
        if type(own) is str and own:
            key = (kind, own, item.act)
        elif kind in types:
            key = (kind, item.url, content(item), item.act)
        else:
            key = id(item)
        first = kept.setdefault(key, item)
        if first is not item and not is_equal(first.resource, resource):
            again.setdefault(key, [first]).append(item)
    for key, several in again.items():
        kept[key] = newest(several)
    return list(kept.values())
