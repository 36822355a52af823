"""
What cards say: summaries that fit (CDS501), holes that are never empty (CDS503), text that
is safe to show (CDS509), characters that are what they seem (CDS109).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cds.core.clauses import All, Any_, AtLeast, Expr, Not, Place
from cds.core.quantity import Conversion, plain, shown
from cds.core.rules import Card, Ruleset, Say
from cds.hooks.words import MOST_IN_SUMMARY, unit_shown
from cds.rulefiles.diagnostics import listed
from cds.rulefiles.fixes import Fix, put_at
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.workshop.checks.certainty import Certainty
from cds.workshop.checks.context import Context
from cds.workshop.checks.walking import HOLE

__all__ = ["check", "longest"]

_NEEDS_VALUE: Final = frozenset({"value", "number", "date", "days", "band"})
_DATE: Final = "2026-12-31"
_DAYS: Final = "3650"
_STAGE: Final = "NOT_STAGED(pregnancy)"
_UNKNOWN_NUMBER: Final = Decimal(1000)
_DECIMALS: Final = 2
_MET: Final = re.compile(r"met\((\w+)\)")
_RISKS: Final = (
    (re.compile(r"<[A-Za-z!/][^>\n]*>?"), "HTML", "write plain text or Markdown"),
    (re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)"), "an image", "say it in words"),
    (re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE), "a table", "write a list: one `- ` a line"),
    (re.compile(r"\]\((?!https://)[^)\n]*\)"), "a link without https", "link by `https://`"),
)
_ODD: Final = {
    "\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u2009": " ", "\u200b": "", "\u200c": "",
    "\u200d": "", "\u2060": "", "\ufeff": "", "\u00ad": "", "\u200e": "", "\u200f": "",
    "\u202a": "", "\u202b": "", "\u202c": "", "\u202d": "", "\u202e": "", "\u2066": "",
    "\u2067": "", "\u2068": "", "\u2069": "",
}  # fmt: skip
_ODD_CLASS: Final = re.compile("[" + "".join(_ODD) + "]+")


def check(context: Context) -> None:
    """Look at every text of every card, and at the characters of every file."""
    certainty = Certainty(context.rules)
    for card in context.rules.cards.values():
        if card.place.path not in context.broken:
            root = context.root_of(card)
            _check_lengths(card, root, context)
            _check_holes(card, root, certainty, context)
        _check_markdown(context.root_of(card), context)
    _check_characters(context)


def _face(root: Block) -> Block:
    return root.block("card") or Block(root.source, root.start, root.end)


def _says(face: Block, key: str) -> list[Scalar]:
    """Give the sentences under a key as they were written, in order."""
    node = face.get(key)
    several: list[Node] = node.items if isinstance(node, Items) else [node] if node else []
    found = [one.get("say") if isinstance(one, Block) else one for one in several]
    return [one for one in found if isinstance(one, Scalar)]


# --- length ---------------------------------------------------------------------------


def _check_lengths(card: Card, root: Block, context: Context) -> None:
    for say in _says(_face(root), "summary"):
        values = {hole: longest(hole, card, context.rules) for hole in HOLE.findall(say.text)}
        length = len(HOLE.sub(lambda match, of=values: of[match[1]], say.text))  # type: ignore[misc]
        fixed = len(HOLE.sub("", say.text))
        if length > MOST_IN_SUMMARY and fixed <= MOST_IN_SUMMARY:
            context.report.add(
                "CDS501",
                say,
                f"the summary can reach {length} characters; "
                f"CDS Hooks wants fewer than {MOST_IN_SUMMARY + 1}",
                label="longest values: " + listed(values.values()),
                help="move a part into `detail:`",
            )


def longest(hole: str, card: Card, rules: Ruleset) -> str:
    """Give the longest text that a hole of a card can bring."""
    met = _MET.fullmatch(hole)
    if met:
        # A list that is too long is cut to one member and a count.
        labels = [_filled(one, card, rules) for one in _labels(card, met[1])]
        first = max(labels, key=len, default="")
        return f"{first} and {len(labels) - 1} more" if len(labels) > 1 else first
    name, _, part = hole.partition(".")
    if name == "stage":
        return _longest_stage(part, rules)
    if name == "threshold":
        return _longest_threshold(part, card)
    if name == "unusable":
        return "99" if part == "count" else "x" * 40
    if name in {"as_of", "patient"} or part == "date":
        return _DATE
    if part == "days":
        return _DAYS
    if name in rules.factors:
        grades = [*(one.name for one in rules.factors[name].grades), "undetermined"]
        return "99 of 99" if part == "points" else max(grades, key=len)
    if part == "band" and name in rules.indices:
        return max((one.name for one in rules.indices[name].bands), key=len, default="")
    if part == "gap":
        return "not used: taken during or soon after acute illness"
    return _longest_number(name, card, rules, with_unit=part == "value")


def _longest_number(name: str, card: Card, rules: Ruleset, *, with_unit: bool) -> str:
    concept = rules.concepts.get(name)
    if concept is not None:
        found = []
        for unit, how in (concept.units or {concept.unit: Conversion()}).items():
            high = how.high if how.high is not None else _UNKNOWN_NUMBER
            number = plain(high.quantize(Decimal(1))) + "." + "9" * _DECIMALS
            text = unit_shown(unit) if with_unit else ""
            found.append(f"{number} {text}" if text else number)
        return max(found, key=len)
    index = rules.indices.get(name)
    if index is not None:
        number = shown(_UNKNOWN_NUMBER, index.digits)
        text = unit_shown(index.unit) if with_unit else ""
        return f"{number} {text}" if text else number
    reading = card.readings.get(name)
    if reading is not None and reading.concept in rules.concepts and "count" not in reading.kind:
        return _longest_number(reading.concept, card, rules, with_unit=with_unit)
    return "99"


def _longest_stage(part: str, rules: Ruleset) -> str:
    lines = rules.stages.lines if rules.stages is not None else ()
    words = [one.meaning if part == "meaning" else one.label for one in lines]
    return max([*words, "" if part == "meaning" else _STAGE], key=len)


def _longest_threshold(name: str, card: Card) -> str:
    found = card.thresholds.get(name)
    if found is None:
        return ""
    parts = []
    for case in found.cases:
        text = f"{plain(case.value)} {unit_shown(found.unit)}".rstrip()
        if case.alternate is not None:
            text += f" ({plain(case.alternate)} {unit_shown(case.alternate_unit)})"
        who = [{"male": "men", "female": "women"}.get(case.sex, ""), case.group]
        who += [f"from {case.age_from} years"] * (case.age_from is not None)
        who += [f"below {case.age_below} years"] * (case.age_below is not None)
        words = ", ".join(one for one in who if one)
        parts.append(f"{text} {words}" if words else text)
    return " / ".join(parts)


def _filled(text: str, card: Card, rules: Ruleset) -> str:
    return HOLE.sub(lambda match: longest(match[1], card, rules), text)


def _labels(card: Card, block: str) -> list[str]:
    """Give the words by which the members of a block are listed."""
    found: list[str] = []
    conditions: list[Expr | None] = [card.show_if, *(one.when for one in card.unless)]
    conditions += [one.condition for one in (*card.summaries, *card.details)]
    for one in card.suggestions:
        conditions += [one.offer_if, *one.raised.values(), *(guard.when for guard in one.guards)]
    for expr in conditions:
        for joined in _blocks(expr):
            if joined.id == block:
                found += [one.label for one in joined.of if one.label]
    return list(dict.fromkeys(found))


def _blocks(expr: Expr | None) -> Iterator[All | Any_ | AtLeast]:
    if isinstance(expr, Not):
        yield from _blocks(expr.of)
    elif isinstance(expr, All | Any_ | AtLeast):
        yield expr
        for one in expr.of:
            yield from _blocks(one)


# --- holes ----------------------------------------------------------------------------


def _check_holes(card: Card, root: Block, certainty: Certainty, context: Context) -> None:
    shown_if = certainty.when(card.show_if, answer=True)
    for key, says in (("summary", card.summaries), ("detail", card.details)):
        nodes = _says(_face(root), key)
        for node, say in zip(nodes, says, strict=False):
            sure = shown_if | certainty.when(say.condition, answer=True)
            _check_sentence(node, say, key, sure, context)


def _check_sentence(
    node: Scalar, say: Say, key: str, sure: frozenset[str], context: Context
) -> None:
    for match in HOLE.finditer(node.text):
        name, _, part = match[1].partition(".")
        known = name in context.rules.concepts or name in context.rules.indices
        if not known or part not in _NEEDS_VALUE or name in sure:
            continue
        context.report.add(
            "CDS503",
            node.span(match.start(), match.end()),
            f"`{match[0]}` is empty where `{name}` is not known",
            label="nothing here says that it is",
            help=f"say the sentence only `if: {name} is known`"
            if key == "detail" or say.condition is not None
            else f"add a summary with `if: {name} is known` before one that does without it",
        )


# --- what may not be shown -------------------------------------------------------------


def _check_markdown(root: Block, context: Context) -> None:
    for node in (*_says(_face(root), "summary"), *_says(_face(root), "detail")):
        for pattern, what, advice in _RISKS:
            match = pattern.search(node.text)
            if match:
                context.report.add(
                    "CDS509",
                    node.span(match.start(), match.end()),
                    f"not every EHR shows {what} as it is meant",
                    help=advice,
                )


def _check_characters(context: Context) -> None:
    for source in context.sources.values():
        if source.text.isascii():
            continue
        for number, line in enumerate(source.lines, start=1):
            for match in _ODD_CLASS.finditer(line):
                place = Place(source.path, number, match.start() + 1, len(match[0]))
                text = "".join(_ODD[one] for one in match[0])
                name = unicodedata.name(match[0][0], "a control character").lower()
                context.report.add(
                    "CDS109",
                    place,
                    f"a character that cannot be seen: {name}",
                    help="write a plain blank" if text else "take it out",
                    fix=Fix("write what is seen", (put_at(place, text, source),)),
                )
