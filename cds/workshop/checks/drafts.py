"""
Templates of the action library, filled with samples and validated: CDS504 and CDS505.

Classes of FHIR resources check shapes, and take any text for most codes; both are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from cds.core.rules import Action
from cds.fhir.drafts import codeable, fill
from cds.fhir.evidence import code_faults, model_of
from cds.rulefiles.nodes import Block, Items, Node
from cds.workshop.checks.context import Context

__all__ = ["check"]

_DATE: Final = "2026-12-31"
_MOST: Final = 5
_UNKNOWN: Final = "extra_forbidden"
_MISSING: Final = frozenset({"missing", "value_error"})
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def check(context: Context) -> None:
    """Validate every template of a file without errors."""
    concepts = {
        name: codeable(concept, context.rules.systems)
        for name, concept in context.rules.concepts.items()
    }
    for root in context.loaded.roots["actions"]:
        if root.source.path in context.broken:
            continue
        for key, node in root.pairs("actions"):
            action = context.rules.actions.get(key.text)
            if action is None or not isinstance(node, Block):
                continue
            blocks = node.blocks("resources")
            for block, template in zip(blocks, action.resources, strict=False):
                _check_template(action, block, template, concepts, context)


class _Samples(Mapping[str, "str | Decimal"]):
    """Something to put into every hole: a date, an id, a number."""

    def __getitem__(self, hole: str) -> str | Decimal:
        return _DATE if hole.startswith("as_of") or hole.endswith(".date") else Decimal(1)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _check_template(
    action: Action,
    block: Block,
    template: Mapping[str, Any],
    concepts: Mapping[str, Mapping[str, Any]],
    context: Context,
) -> None:
    kind = str(template.get("resourceType", ""))
    model = model_of(kind) if kind else None
    if model is None:
        context.report.add(
            "CDS504",
            block.at("resourceType"),
            f"`{kind}` is not a resource type of FHIR R4" if kind else "a template without a type",
            help="write a type of R4, like `ServiceRequest`",
        )
        return
    try:
        resource = fill(template, _Samples(), concepts=concepts)
        made = model.model_validate(resource)
    except Exception as error:  # noqa: BLE001 - the library raises whatever validation may
        _report_faults(action, kind, block, error, context)
        return
    for place in list(dict.fromkeys(code_faults(made, resource, kind)))[:_MOST]:
        node = _at(block, place.removeprefix(kind))
        context.report.add(
            "CDS505",
            node,
            f"`{getattr(node, 'text', place)}` is not a code of {place}",
            help=f"write a code that R4 allows for {place}",
        )


def _report_faults(
    action: Action, kind: str, block: Block, error: Exception, context: Context
) -> None:
    errors = getattr(error, "errors", None)
    found: Sequence[Mapping[str, Any]] = (
        errors(include_url=False, include_context=False, include_input=False)
        if callable(errors)
        else ()
    )
    for one in found[:_MOST]:
        loc = tuple(one["loc"])
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
        unknown = one["type"] == _UNKNOWN
        parent = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc[:-1])
        node = _at(block, path)
        holder = _at(block, parent)
        if unknown and isinstance(holder, Block) and str(loc[-1]) in holder:
            context.report.add(
                "CDS504",
                holder.keys[str(loc[-1])],
                f"`{loc[-1]}` is not an element of {kind}{parent}",
                help="look the element up in FHIR R4, or take it out",
            )
            continue
        missing = not isinstance(holder, Block) or str(loc[-1]) not in holder
        context.report.add(
            "CDS504",
            holder if missing else node,
            f"{kind}{path} is missing" if missing else f"{kind}{path} is not valid in R4",
            label=str(one["msg"]).partition("\n")[0] if not missing else "",
            help="add it" if missing else "write it as FHIR R4 has it",
        )
    if not found:
        context.report.add(
            "CDS504", block.at("resourceType"), f"the template of `{action.id}` is not valid R4"
        )


def _at(block: Block, path: str) -> Node:
    """Find the node that a path of FHIR leads to, or the last one on the way."""
    node: Node = block
    for match in _STEP.finditer(path):
        after: Node | None = None
        if match[1] is not None and isinstance(node, Block):
            after = node.get(match[1])
        elif match[2] is not None and isinstance(node, Items):
            number = int(match[2])
            after = node.items[number] if number < len(node.items) else None
        if after is None:
            return node
        node = after
    return node
