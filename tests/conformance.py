"""
The tables of `docs/conformance.md`: every id, what we do, and the tests that show it.

`python -m tests.conformance` writes the page anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.contract.checklist import LATER, ROOT, Group, Item, Shown, by_id, read, shown

__all__ = ["PAGE", "page"]

PAGE: Final = ROOT / "docs" / "conformance.md"

_HEAD: Final = """\
# Conformance

What CDS Hooks asks of a service, what this one does, and the tests that show it.
The baseline on the wire is CDS Hooks 2.0.1; clients of 1.0 can read it, \
and what the 3.0 ballot adds is behind a switch.

This page is generated (`make conformance`) from `tests/contract/*.yaml` and from the ids \
that stand in the docstrings of tests; a test keeps it true.
A MUST without a test fails the build.
Every answer of every test is held to the strict model in `tests/contract` besides, \
whatever the test is about.

A star marks what the specification does not state but what clients, other guides or safety ask for.
C is a duty of the client that a service must survive; info states no duty.
"""
_PARTS: Final = (
    ("checklist", "## Clauses of CDS Hooks", "| id | level | what we do | shown by |"),
    ("invariants", "## Invariants of HL7's logical models", "| id | | what it says | shown by |"),
    ("threats", "## Threats", "| id | | what we do | shown by |"),
    ("sandbox", "## A public browser client", "| id | | what we do | shown by |"),
    ("extras", "## Decisions and extras", "| id | | what we do | shown by |"),
)
_MOST: Final = 4


def page() -> str:
    """Write the page."""
    tests = by_id(shown())
    lines = [_HEAD, _counted(tests)]
    for name, heading, columns in _PARTS:
        lines += [heading, ""]
        for group in read(name):
            lines += [*_table(group, columns, tests, alone=name in {"invariants", "sandbox"})]
    return "\n".join(lines).rstrip() + "\n"


def _counted(tests: Mapping[str, list[Shown]]) -> str:
    items = [one for group in read("checklist") for one in group.items]
    must = [one for one in items if one.level.startswith("MUST")]
    should = [one for one in items if one.level.startswith("SHOULD")]
    parts = [
        f"{sum(one.id in tests for one in some)} of {len(some)} {name}"
        for name, some in (("MUST", must), ("SHOULD", should))
    ]
    return f"Shown by tests: {', '.join(parts)}.\n"


def _table(
    group: Group, columns: str, tests: Mapping[str, list[Shown]], *, alone: bool
) -> Iterator[str]:
    if not alone:
        yield f"### {group.title}"
        yield ""
    yield columns
    yield "| --- | --- | --- | --- |"
    for one in group.items:
        yield f"| {one.id} | {one.level} | {one.does} | {_evidence(one, tests)} |"
    yield ""


def _evidence(item: Item, tests: Mapping[str, list[Shown]]) -> str:
    found = sorted(tests.get(item.id, ()), key=lambda one: (len(one.ids), one.node))
    places = [f"`{Path(one.path).name}::{one.name}`" for one in found[:_MOST]]
    if len(found) > _MOST:
        places.append(f"{len(found) - _MOST} more")
    if item.why == LATER:
        places.append("the rest later" if places else "later")
    elif item.why and not places:
        places.append(f"not tested: {item.why}")
    return ", ".join(places) or "none"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
