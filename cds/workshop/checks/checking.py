"""
A folder of rule files in; everything that is wrong with it out, in one pass.

The loader's own errors alone keep rules from being served. What else is worth saying is
said here, by the modules of `cds.workshop.checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cds.rulefiles.collecting import uncollected
from cds.rulefiles.diagnostics import Diagnostic, Report, in_order
from cds.rulefiles.loader import Loaded, load, load_every
from cds.rulefiles.source import Memory
from cds.workshop.checks.allowing import without_allowed
from cds.workshop.checks.bindings import check as check_bindings
from cds.workshop.checks.cases import check as check_cases
from cds.workshop.checks.context import Context
from cds.workshop.checks.definitions import check as check_definitions
from cds.workshop.checks.drafts import check as check_drafts
from cds.workshop.checks.layout import check as check_layout
from cds.workshop.checks.logic import check as check_logic
from cds.workshop.checks.offers import check as check_offers
from cds.workshop.checks.quantities import check as check_quantities
from cds.workshop.checks.texts import check as check_texts
from cds.workshop.checks.upkeep import check as check_upkeep

__all__ = ["FAMILIES", "THOROUGH", "Checked", "check_folder"]

FAMILIES: Final[tuple[Callable[[Context], None], ...]] = (
    check_layout,
    check_bindings,
    check_definitions,
    check_quantities,
    check_logic,
    check_texts,
    check_drafts,
    check_offers,
    check_upkeep,
    check_cases,
)
"""The families of checks, in the order in which they run."""

THOROUGH: Final = frozenset({"CDS702", "CDS703", "CDS704"})
"""The checks that run the cases, and take seconds."""

_OF_UPKEEP: Final = frozenset({"CDS603", "CDS604", "CDS605", "CDS606", "CDS611"})


@dataclass(frozen=True, slots=True)
class Checked:
    """
    What was found, and what was held back.

    *held_back* has the findings about upkeep and tests of each file that is a draft.
    """

    loaded: Loaded
    findings: tuple[Diagnostic, ...]
    held_back: Mapping[str, tuple[Diagnostic, ...]]


def check_folder(
    folder: Path,
    *,
    as_of: date,
    profile: str | None = None,
    buffers: Mapping[str, str] = MappingProxyType({}),
    memory: Memory | None = None,
    thorough: bool = False,
) -> Checked:
    """
    Load a folder under a profile, or under each of its own, and run every check.

    What could be read is checked as it stands under that profile, else under the default.
    *thorough* also runs the cases of rules without an error, to see what they leave out.
    *buffers* and *memory* as for `load`.
    """
    with uncollected():
        return _checked(folder, as_of, profile, buffers, memory, thorough=thorough)


def _checked(
    folder: Path,
    as_of: date,
    profile: str | None,
    buffers: Mapping[str, str],
    memory: Memory | None,
    *,
    thorough: bool,
) -> Checked:
    if profile:
        loaded = load(folder, profile, buffers=buffers, memory=memory)
    else:
        loaded = load_every(folder, buffers=buffers, memory=memory)
    context = Context(loaded, Report(loaded.sources), as_of)
    for family in FAMILIES:
        family(context)
    runs = thorough and loaded.ruleset is not None
    if runs:
        # Imported where it is wanted: every other check is there before this has begun.
        from cds.workshop.checks.coverage import check  # noqa: PLC0415

        check(context)
    found = in_order([*loaded.diagnostics, *context.report.sorted()])
    allowed = Report(loaded.sources)
    left = without_allowed(
        found, Context(loaded, allowed, as_of), unsought=() if runs else THOROUGH
    )
    findings: list[Diagnostic] = []
    held_back: dict[str, list[Diagnostic]] = {}
    unfinished = {path for path, root in context.roots.items() if root.text("status") == "draft"}
    for one in in_order([*left, *allowed.sorted()]):
        if one.place.path in unfinished and _is_held_back(one, loaded):
            held_back.setdefault(one.place.path, []).append(one)
        else:
            findings.append(one)
    return Checked(
        loaded, tuple(findings), {path: tuple(several) for path, several in held_back.items()}
    )


def _is_held_back(one: Diagnostic, loaded: Loaded) -> bool:
    """Tell whether a finding is about upkeep or tests; what stops the loader never waits."""
    stops = one.severity == "error" and one in loaded.diagnostics
    return not stops and (one.code in _OF_UPKEEP or one.code.startswith("CDS7"))
