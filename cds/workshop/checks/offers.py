"""
How cards behave: alarms that are alarms, ways out, silence, order, codes of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cds.core.rules import Card
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.workshop.checks.context import Context

__all__ = ["check"]

_URGENT: Final = frozenset({"urgent", "asap", "stat"})
_ON_OPENING: Final = "patient-view"
_ON_ORDERS: Final = frozenset({"order-select", "order-sign"})


def check(context: Context) -> None:
    """Look at indicators, offers, silence, priorities and public codes."""
    codes: dict[str, Card] = {}
    ranks: dict[tuple[str, int], Card] = {}
    for card in context.rules.cards.values():
        root = context.root_of(card)
        if card.status == "retired":
            continue
        _check_alarm(card, root, context)
        _check_ways_out(card, root, context)
        _check_silence(card, root, context)
        first = codes.setdefault(card.code, card)
        if first is not card and card.code:
            context.report.add(
                "CDS208",
                root.at("code"),
                f"`{card.code}` is already the code of `{first.id}`",
                spans=[(context.root_of(first).at("code"), "first")],
                help="give it the code of the knowledge base",
            )
        tie = ranks.setdefault((card.group, card.priority), card)
        group = context.rules.groups.get(card.group)
        merged = group is not None and group.when_several_fire == "merge"
        if tie is not card and not merged and not card.priorities:
            context.report.add(
                "CDS512",
                root.at("priority"),
                f"`{card.id}` and `{tie.id}` have one priority in the group `{card.group}`",
                spans=[(context.root_of(tie).at("priority"), f"`{tie.id}`")],
                help="one of them is shown: say which, by the lower number",
            )


def _check_alarm(card: Card, root: Block, context: Context) -> None:
    words = [word for word, _ in card.indicators]
    if "critical" not in words or any(_is_urgent(one) for one in _drafts(card, context)):
        return
    if _ON_ORDERS & set(card.hooks):
        # Not to sign what is being ordered is done at once.
        return
    face = root.block("card")
    node = face.at("indicator") if face else root
    context.report.add(
        "CDS508",
        _word(node),
        f"`{card.id}` is critical, and nothing it offers is urgent",
        help="offer what is to be done now (a draft with `priority: urgent`), or say `warning`",
    )


def _word(node: Node) -> Node:
    """Point at `critical` itself, wherever it stands in the list of indicators."""
    for one in node.items if isinstance(node, Items) else ():
        if isinstance(one, Block) and "critical" in one:
            return one.keys["critical"]
    return node


def _drafts(card: Card, context: Context) -> Iterator[Mapping[str, Any]]:
    for one in card.suggestions:
        for name in (one.action, *one.choices):
            action = context.rules.actions.get(name)
            yield from action.resources if action is not None else ()


def _is_urgent(resource: Mapping[str, Any]) -> bool:
    return resource.get("priority") in _URGENT


def _check_ways_out(card: Card, root: Block, context: Context) -> None:
    if card.suggestions and not card.override_reasons:
        at = root.get("override_reasons") or root.keys["suggestions"]
        context.report.add(
            "CDS510",
            at,
            f"`{card.id}` offers something, and no reason to decline it",
            help="add `override_reasons: all`, or a list of those that fit",
        )


def _check_silence(card: Card, root: Block, context: Context) -> None:
    if _ON_OPENING in card.hooks and "quiet" not in root:
        hooks = root.at("hooks")
        at = next(
            (
                one
                for one in (hooks.items if isinstance(hooks, Items) else ())
                if isinstance(one, Scalar) and one.text == _ON_OPENING
            ),
            hooks,
        )
        context.report.add(
            "CDS511",
            at,
            f"`{card.id}` comes back each time the chart is opened",
            help="add `quiet: {repeat_after: 180 days}`, or `quiet: none` where it has to",
        )
