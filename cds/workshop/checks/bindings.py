"""
Codes of concepts: one code that means two things (CDS207), marks of the register (CDS206).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cds.rulefiles.diagnostics import listed
from cds.rulefiles.fixes import Fix, taken_out
from cds.rulefiles.nodes import Block, Items, Scalar
from cds.workshop.checks.context import Context

__all__ = ["check"]

_MARKS: Final = ("V1", "V2", "V3", "text")
_CODES: Final = ("codes", "codes_if_fasting", "codes_ever", "codes_if")


@dataclass(frozen=True, slots=True)
class _Concept:
    """A concept as it was written."""

    key: Scalar
    block: Block

    @property
    def shares(self) -> frozenset[str]:
        return frozenset(self.block.texts("shares_with"))


def check(context: Context) -> None:
    """Report codes that mean two concepts without a word about it, and unknown marks."""
    concepts = {
        key.text: _Concept(key, node)
        for root in context.loaded.roots["concepts"]
        for key, node in root.pairs("concepts")
        if isinstance(node, Block)
    }
    for one in concepts.values():
        mark = one.block.get("verified")
        if isinstance(mark, Scalar) and mark.text not in _MARKS:
            context.report.add(
                "CDS206",
                mark,
                f"`{mark.text}` is not a mark of the register",
                notes=[f"marks: {listed(_MARKS)}"],
                help="look the codes up, and say where they were seen",
            )
    _check_person(context)
    shared = _check_codes(concepts, context)
    _check_shares(concepts, shared, context)


def _check_person(context: Context) -> None:
    """Report a folder that never asks for the Patient: nobody would have an age or a sex."""
    searches = [
        root.keys["searches"] for root in context.loaded.roots["concepts"] if "searches" in root
    ]
    known = context.rules.searches.values()
    if searches and all(one.resource != "Patient" for one in known):
        context.report.add(
            "CDS104",
            searches[0],
            "no search brings the Patient",
            help="add `patient: {resource: Patient, title: Patient}`",
        )


def _check_codes(concepts: dict[str, _Concept], context: Context) -> set[tuple[str, str]]:
    first: dict[tuple[str, str], list[tuple[str, Scalar]]] = {}
    shared: set[tuple[str, str]] = set()
    reported: set[tuple[str, str, str]] = set()
    for name, one in concepts.items():
        for system, code in _codes_of(one.block):
            others = first.setdefault((system, code.text), [])
            for other, earlier in others:
                if other == name:
                    continue
                shared |= {(name, other), (other, name)}
                said = other in one.shares or name in concepts[other].shares
                if said or (name, other, code.text) in reported:
                    continue
                reported.add((name, other, code.text))
                context.report.add(
                    "CDS207",
                    code,
                    f"the {system} code `{code.text}` means both `{name}` and `{other}`",
                    label=f"means `{name}`",
                    spans=[(earlier, f"means `{other}`")],
                    help=f"take it out of one, or say so: `shares_with: [{other}]`",
                )
            others.append((name, code))
    return shared


def _codes_of(block: Block) -> Iterator[tuple[str, Scalar]]:
    for word in _CODES:
        for one in (block.get(word), *block.blocks(word)):
            if not isinstance(one, Block):
                continue
            for system, codes in one.entries():
                if isinstance(codes, Items):
                    for code in codes.items:
                        if isinstance(code, Scalar):
                            yield system.text, code


def _check_shares(
    concepts: dict[str, _Concept], shared: set[tuple[str, str]], context: Context
) -> None:
    for name, one in concepts.items():
        for other in one.block.scalars("shares_with"):
            if other.text not in concepts:
                context.report.missing("a concept", other, other.text, concepts)
            elif (name, other.text) not in shared:
                items = one.block.at("shares_with")
                alone = not isinstance(items, Items) or len(items.items) == 1
                edit = (
                    taken_out(one.block, one.block.keys["shares_with"])
                    if alone or not isinstance(items, Items)
                    else taken_out(items, other)
                )
                context.report.add(
                    "CDS207",
                    other,
                    f"`{name}` shares no code with `{other.text}`",
                    help="take the name out",
                    fix=Fix("take it out", (edit,)),
                )
