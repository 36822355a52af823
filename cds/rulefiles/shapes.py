"""
Shapes of nodes, as data: what may stand where.

The same shapes check files and give the JSON Schemas that editors read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cds.rulefiles.diagnostics import Report, listed, nearest
from cds.rulefiles.hints import hint
from cds.rulefiles.nodes import Block, Items, Node, Scalar

__all__ = [
    "Anything",
    "ByKey",
    "Either",
    "Grammar",
    "Keys",
    "Many",
    "Named",
    "Pattern",
    "Shape",
    "Text",
    "refuse_key",
]


class Shape(Protocol):
    """What a node may look like."""

    def check(self, node: Node, report: Report) -> None:
        """Report where *node* looks otherwise."""

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""


_LONG: Final = 40
_SLIP: Final = 0.75


@dataclass(frozen=True, slots=True)
class Text:
    """A text: any, one of *choices*, or one that *pattern* describes in words (*form*)."""

    choices: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    form: str = "a text"
    empty: bool = False

    def check(self, node: Node, report: Report) -> None:
        """Report what is no text, or not one of those that may stand here."""
        if not isinstance(node, Scalar):
            _wrong(node, self._wanted(), report)
            return
        text = node.text
        if self.choices:
            if text not in self.choices:
                near = nearest(text, self.choices)
                _wrong(node, self._wanted(), report, near=near)
        elif self.pattern is not None:
            if self.pattern.fullmatch(text) is None:
                _wrong(node, self.form, report)
        elif not text.strip() and not self.empty:
            _wrong(node, self.form, report, "write it, or take the key out")

    def _wanted(self) -> str:
        return "one of " + listed(self.choices) if self.choices else self.form

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        if self.choices:
            return {"enum": list(self.choices)}
        if self.pattern is not None:
            return {"type": ["string", "number"], "pattern": f"^(?:{self.pattern.pattern})$"}
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A plain word of a fixed form that YAML might read as something else.

    *clear* writes what is *like* it as it was meant; empty where nobody can tell.
    """

    pattern: re.Pattern[str]
    form: str
    like: re.Pattern[str]
    type: str
    clear: Callable[[str], str]

    def check(self, node: Node, report: Report) -> None:
        """Report another form; one that looks nearly right is called ambiguous."""
        if not isinstance(node, Scalar):
            _wrong(node, self.form, report)
        elif not self.pattern.fullmatch(node.text):
            if self.like.fullmatch(node.text):
                clear = self.clear(node.text)
                report.add(
                    "CDS106",
                    node,
                    f"`{node.text}` can be read in more than one way",
                    label=f"expected {self.form}",
                    help=f"write `{clear}`" if clear else f"write {self.form}",
                    fix=report.rewriting(node.place, clear, safe=True),
                )
            else:
                _wrong(node, self.form, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {"type": self.type}


@dataclass(frozen=True, slots=True)
class Many:
    """A list of *of*, with *least* members or more."""

    of: Shape
    least: int = 0

    def check(self, node: Node, report: Report) -> None:
        """Report what is no list, and what is wrong in it."""
        if not isinstance(node, Items):
            _wrong(node, "a list", report)
            return
        if len(node.items) < self.least:
            _wrong(node, f"a list of {self.least} or more", report)
        for one in node.items:
            self.of.check(one, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {"type": "array", "items": self.of.schema(), "minItems": self.least}


@dataclass(frozen=True, slots=True)
class Named:
    """A block whose keys the author chooses; every value is *of*."""

    of: Shape
    keys: re.Pattern[str] | None = None

    def check(self, node: Node, report: Report) -> None:
        """Report what is no block, keys that are no names, and what is wrong in it."""
        if not isinstance(node, Block):
            _wrong(node, "a block of names", report)
            return
        for key, one in node.entries():
            if self.keys is not None and not self.keys.fullmatch(key.text):
                _wrong(key, "a name in small letters, like `fasting_insulin`", report)
            self.of.check(one, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        found = {"type": "object", "additionalProperties": self.of.schema()}
        if self.keys is not None:
            found["propertyNames"] = {"pattern": f"^(?:{self.keys.pattern})$"}
        return found


@dataclass(frozen=True, slots=True)
class Keys:
    """A block with keys of ours: *must* and *may*."""

    what: str
    must: Mapping[str, Shape] = field(default_factory=dict)
    may: Mapping[str, Shape] = field(default_factory=dict)

    def check(self, node: Node, report: Report) -> None:
        """Report unknown and missing keys, and what is wrong below the known ones."""
        if not isinstance(node, Block):
            _wrong(node, f"a block: {self.what}", report)
            return
        must, may = self.must, self.may
        for key, one in node.values.items():
            shape = must.get(key) or may.get(key)
            if shape is None:
                refuse_key(node, node.keys[key], self.what, [*must, *may], report)
            else:
                shape.check(one, report)
        for key in must:
            if key not in node.values:
                report.add(
                    "CDS104",
                    _head(node),
                    f"{self.what} needs `{key}`",
                    help=_to_add(key, must[key]),
                )

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        every = {**self.must, **self.may}
        return {
            "type": "object",
            "properties": {key: self._described(key, shape) for key, shape in every.items()},
            "required": list(self.must),
            "additionalProperties": False,
        }

    def _described(self, key: str, shape: Shape) -> dict[str, Any]:
        words, schema = hint(self.what, key), shape.schema()
        if not words:
            return schema
        # What stands beside a reference is not read.
        return {"description": words, **({"allOf": [schema]} if "$ref" in schema else schema)}


@dataclass(frozen=True, slots=True)
class Either:
    """A text, a list or a block, whichever of them may stand here."""

    text: Shape | None = None
    items: Shape | None = None
    block: Shape | None = None

    def check(self, node: Node, report: Report) -> None:
        """Report a kind of node that may not stand here."""
        shape = (
            self.text
            if isinstance(node, Scalar)
            else self.items
            if isinstance(node, Items)
            else self.block
        )
        if shape is not None:
            shape.check(node, report)
            return
        words = (
            ("a text", self.text),
            ("a list", self.items),
            ("a block", self.block),
        )
        _wrong(node, " or ".join(word for word, one in words if one), report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        shapes = (self.text, self.items, self.block)
        return {"anyOf": [one.schema() for one in shapes if one is not None]}


@dataclass(frozen=True, slots=True)
class ByKey:
    """Two kinds of block that are told apart by whether *key* stands in them."""

    key: str
    present: Shape
    absent: Shape

    def check(self, node: Node, report: Report) -> None:
        """Report what is wrong in the kind of block that it is."""
        found = isinstance(node, Block) and self.key in node
        (self.present if found else self.absent).check(node, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        # Which of the two it is shows once the key stands there: until then, either's keys.
        one, other = self.present.schema(), self.absent.schema()
        properties = {**other["properties"], **one["properties"]}
        for key in one["properties"].keys() & other["properties"].keys():
            if one["properties"][key] != other["properties"][key]:
                properties[key] = {"anyOf": [one["properties"][key], other["properties"][key]]}
        return {
            "type": "object",
            "properties": properties,
            "required": [key for key in one["required"] if key in other["required"]],
            "if": {"required": [self.key]},
            "then": one,
            "else": other,
        }


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever has a grammar of its own, or none."""

    what: str = "a value"

    def check(self, node: Node, report: Report) -> None:
        """Leave it to whoever reads it."""

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {}


def refuse_key(node: Block, key: Scalar, what: str, known: Iterable[str], report: Report) -> None:
    """
    Report a key that nothing reads, with the keys that there are.

    One that differs from a free key by a letter or two is a slip, safely mended.
    """
    words = list(known)
    near = "" if report.is_crowded(key.source.path) else nearest(key.text, words)
    slip = difflib.SequenceMatcher(None, key.text, near).ratio() > _SLIP
    free = near not in node.values
    report.add(
        "CDS102",
        key,
        f"`{key.text}` is not a key of {what}",
        notes=[f"keys: {listed(words)}"],
        help=f"did you mean `{near}`?" if near and free else "",
        fix=report.rewriting(key.place, near, safe=slip) if free else None,
    )


@dataclass(frozen=True, slots=True)
class Grammar:
    """What is read by a grammar of its own, *name*; *of* is all that is looked at here."""

    name: str
    of: Shape = field(default_factory=Anything)

    def check(self, node: Node, report: Report) -> None:
        """Report what no reader of the grammar would look at."""
        self.of.check(node, report)

    def schema(self) -> dict[str, Any]:
        """Refer to the schema of the grammar."""
        return {"$ref": f"#/definitions/{self.name}"}


def _found(node: Node) -> str:
    if isinstance(node, Scalar):
        return f"`{node.text}`" if node.text and len(node.text) < _LONG else "a text"
    return "a list" if isinstance(node, Items) else "a block"


def _wrong(node: Node, wanted: str, report: Report, help_: str = "", near: str = "") -> None:
    report.add(
        "CDS105",
        node,
        f"expected {wanted}, found {_found(node)}",
        help=f"did you mean `{near}`?" if near else help_,
        fix=report.rewriting(node.place, near),
    )


def _head(node: Block) -> Node:
    return next(iter(node.keys.values()), node)


def _to_add(key: str, shape: Shape) -> str:
    """Say what to add: in a line, or as a piece to paste."""
    lines = _sample(key, shape)
    return f"add `{lines[0]}`" if len(lines) == 1 else "\n".join(["add:", *lines])


def _sample(key: str, shape: Shape) -> list[str]:
    if isinstance(shape, Either):
        shape = shape.text or shape.items or shape
    if isinstance(shape, Keys) and shape.must:
        inner = [line for word, one in shape.must.items() for line in _sample(word, one)]
        return [f"{key}:", *(f"  {line}" for line in inner)]
    if isinstance(shape, Many) and isinstance(shape.of, Keys):
        keys = ", ".join(f"{word}: …" for word in shape.of.must or shape.of.may)
        return [f"{key}:", f"  - {{{keys}}}"]
    if isinstance(shape, Text):
        return [f"{key}: {shape.choices[0] if shape.choices else '…'}"]
    if isinstance(shape, Many):
        return [f"{key}: […]"]
    return [f"{key}: {{…}}" if isinstance(shape, Keys | Named) else f"{key}: …"]
