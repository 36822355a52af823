"""
Every name of a folder of rules: what it names, where it is declared, and what to say of it.

Taken from the files as they were written, so that a folder with errors has one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cds.core.clauses import Place
from cds.rulefiles.loader import Loaded
from cds.rulefiles.nodes import Block, Items, Node, Scalar

__all__ = ["Term", "Vocabulary", "cut_off"]

_RULES: Final = ("condition", "index", "stages", "factor", "card", "group")
_MEMBERS: Final = {
    "concepts": (("concepts", "concept"), ("searches", "search")),
    "evidence": (("sources", "source"),),
    "actions": (("actions", "action"),),
}
_OWN: Final = (
    ("thresholds", "threshold"),
    ("readings", "reading"),
    ("patients", "patient"),
    ("inputs", "input"),
    ("conditions", "named"),
)
_ASIDE: Final = frozenset({"cite", "localisable", "or_own"})
_MOST_CODES: Final = 8


@dataclass(frozen=True, slots=True)
class Term:
    """A name: of what *kind* of thing, what readers call it, where it is declared."""

    kind: str
    id: str
    title: str
    place: Place
    node: Node


class Vocabulary:
    """
    The names of a folder, and those that a single file declares for itself.

    *remembered* are files as they were when they could last be read: a file that is being
    written is often broken, and its names are wanted all the same.
    """

    def __init__(self, loaded: Loaded, remembered: Mapping[str, Block]) -> None:
        self._terms: dict[str, dict[str, Term]] = {}
        found = {root.source.path: root for roots in loaded.roots.values() for root in roots}
        kept = {path: root for path, root in remembered.items() if path in loaded.sources}
        self.roots: Mapping[str, Block] = {**kept, **found}
        for root in self.roots.values():
            kind = root.text("kind")
            if kind in _RULES:
                self._add(Term(kind, root.text("id"), root.text("title"), _id(root), root))
            for key, what in _MEMBERS.get(kind, ()):
                for name, node in root.pairs(key):
                    self._add(Term(what, name.text, _title(node), name.place, node))

    def _add(self, term: Term) -> None:
        self._terms.setdefault(term.kind, {}).setdefault(term.id, term)

    def of(self, *kinds: str, path: str = "") -> Iterator[Term]:
        """Give the terms of some kinds, with those of one file."""
        own = list(self._own(path))
        for kind in kinds:
            yield from (one for one in own if one.kind == kind)
            yield from self._terms.get(kind, {}).values()

    def find(self, name: str, *kinds: str, path: str = "") -> Term | None:
        """Find a name, in the order of the kinds."""
        return next((one for one in self.of(*kinds, path=path) if one.id == name), None)

    def _own(self, path: str) -> Iterator[Term]:
        """Give what a file declares for itself."""
        root = self.roots.get(path)
        if root is None:
            return
        for key, kind in _OWN:
            for name, node in root.pairs(key):
                yield Term(kind, name.text, _title(node), name.place, node)
        for one in (*root.blocks("evidence_for"), *root.blocks("evidence_against")):
            yield Term("evidence", one.text("id"), "", _id(one), one)
        suggestions = root.block("suggestions")
        for one in suggestions.blocks("items") if suggestions else ():
            yield Term("suggestion", one.text("id"), one.text("label"), _id(one), one)

    # --- what to say --------------------------------------------------------------------

    def words_about(self, term: Term) -> str:
        """Say in Markdown what a term is."""
        head = f"**{term.id}** ({term.kind})" + (f": {term.title}" if term.title else "")
        say = {
            "concept": _about_concept,
            "threshold": self._about_threshold,
            "source": _about_source,
            "action": _about_action,
        }.get(term.kind, _about_rule)
        block = term.node if isinstance(term.node, Block) else None
        lines = [head, *(say(block) if block is not None else ())]
        return "\n".join([lines[0], "", *(f"- {one}" for one in lines[1:])]).rstrip()

    def _about_threshold(self, block: Block) -> Iterator[str]:
        yield cut_off(block)
        if "or_own" in block:
            yield f"the laboratory's own {block.text('or_own')} goes first"
        if "localisable" in block:
            yield f"a site may choose {block.text('localisable')}"
        source = self.find(block.text("cite"), "source")
        if source is not None and isinstance(source.node, Block):
            yield f"source: {_citation(source.node)}"


def written(node: Node) -> str:
    """Write a value as a reader would."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return " or ".join(written(one) for one in node.items)
    return ", ".join(f"{key.text} {written(one)}" for key, one in node.entries())


def cut_off(node: Node) -> str:
    """Write the numbers of a threshold: `7 h`, or `male 102 cm, female 88 cm`."""
    if not isinstance(node, Block):
        return ""
    numbers = [(key.text, one) for key, one in node.entries() if key.text not in _ASIDE]
    return ", ".join(
        written(one) if key in {"value", "pair"} else f"{key} {written(one)}"
        for key, one in numbers
    )


def _id(root: Block) -> Place:
    return root.at("id").place


def _title(node: Node) -> str:
    return node.text("title") or node.text("label") if isinstance(node, Block) else ""


def _about_concept(block: Block) -> Iterator[str]:
    yield block.text("type") + (f", kept in {block.text('unit')}" if "unit" in block else "")
    if "units" in block:
        yield "also in " + ", ".join(key.text for key, _ in block.pairs("units"))
    if "plausible" in block:
        yield f"plausible: {block.text('plausible')}"
    if "within" in block:
        yield f"counts for {block.text('within')} unless a clause says otherwise"
    for key, node in block.pairs("codes"):
        codes = [written(one) for one in node.items] if isinstance(node, Items) else []
        more = f" and {len(codes) - _MOST_CODES} more" if len(codes) > _MOST_CODES else ""
        yield f"{key.text}: {', '.join(codes[:_MOST_CODES])}{more}"


def _about_source(block: Block) -> Iterator[str]:
    yield f"{block.text('by')}, {block.text('year')}, {block.text('kind')}"
    if "population" in block:
        yield f"in {block.text('population')}"


def _citation(block: Block) -> str:
    return f"{block.text('by')}: {block.text('title')} ({block.text('year')})"


def _about_action(block: Block) -> Iterator[str]:
    yield block.text("description")
    if "result" in block:
        yield f"brings {block.text('result')}"


def _about_rule(block: Block) -> Iterator[str]:
    """Say what an index, condition, factor, card, group, reading or patient is."""
    about = block.block("about")
    if about is None:
        yield from (f"{key.text}: {written(node)}" for key, node in block.entries())
        return
    yield about.text("purpose")
    for key in ("code", "status", "unit", "show"):
        if key in block:
            yield f"{key}: {block.text(key)}"
    bands = [one.text("name") for one in block.blocks("bands")]
    grades = [key.text for key, _ in block.pairs("grades")]
    if bands:
        yield f"bands: {', '.join(bands)}"
    if grades:
        yield f"grades: {', '.join(grades)}"
