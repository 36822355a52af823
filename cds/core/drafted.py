"""
Which of the reasons of a card is what the call itself is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds.core.clauses import All, Any_, AtLeast, CardFires, Expr, Holds, Listed, clauses_of
from cds.core.concepts import Concept
from cds.core.hooks import ACTED_ON, ACTS, Act
from cds.core.rules import Card, Condition

__all__ = ["draft_reason", "orders_asked_about"]


def draft_reason(
    card: Card,
    conditions: Mapping[str, Condition],
    cards: Mapping[str, Card],
    concepts: Mapping[str, Concept],
) -> Expr | None:
    """
    Say when `show_if` holds because of something that is being ordered, added or refilled.

    The answer is a condition of its own, which holds only where `show_if` does. Only what
    an act can happen to is asked about: no plan is refilled. None where the card does not
    need a draft, or where nothing of it could be one.
    """
    if not card.needs_draft:
        return None
    acts = tuple(dict.fromkeys(ACTS[hook] for hook in card.hooks if hook in ACTS))
    return _Drafted(acts, conditions, cards, concepts).of(card.show_if)


def orders_asked_about(
    card: Card,
    conditions: Mapping[str, Condition],
    cards: Mapping[str, Card],
    concepts: Mapping[str, Concept],
) -> tuple[str, ...]:
    """Name the concepts of which an order can be why a card is shown."""
    reason = _Drafted(("ordered",), conditions, cards, concepts).of(card.show_if)
    if reason is None:
        return ()
    asked = (
        one
        for one in clauses_of(reason)
        if isinstance(one, Listed) and one.ordered == "only" and one.act == "ordered"
    )
    return tuple(dict.fromkeys(name for one in asked for name in one.names))


@dataclass(frozen=True, slots=True)
class _Drafted:
    acts: tuple[Act, ...]
    conditions: Mapping[str, Condition]
    cards: Mapping[str, Card]
    concepts: Mapping[str, Concept]

    def of(self, expr: Expr) -> Expr | None:
        """Give the condition; what is denied, and whatever is measured, is nobody's draft."""
        if isinstance(expr, Listed):
            return _any(self._variants(expr), expr)
        if isinstance(expr, Any_):
            return _any((self.of(one) for one in expr.of), expr)
        if isinstance(expr, All | AtLeast):
            return _both(expr, _any((self.of(one) for one in expr.of), expr))
        if isinstance(expr, Holds):
            return self.of(self.conditions[expr.name].holds_if)
        if isinstance(expr, CardFires):
            return _both(expr, self.of(self.cards[expr.name].show_if))
        return None

    def _variants(self, clause: Listed) -> Iterable[Expr]:
        for act in self.acts:
            # A draft is not present yet; what is added or refilled is.
            asks = clause.act == act if clause.ordered == "only" else act != "ordered"
            names = tuple(one for one in clause.names if self._can_be(one, act))
            if names and (asks or (act == "ordered" and clause.ordered == "also")):
                key = f"{clause.key} being {act}"
                yield replace(
                    clause, key=key, names=names, ordered="only", act=act, on_record=False
                )

    def _can_be(self, name: str, act: Act) -> bool:
        concept = self.concepts.get(name.partition(":")[0])
        return concept is not None and concept.type in ACTED_ON[act]


def _any(parts: Iterable[Expr | None], whole: Expr) -> Expr | None:
    found = {one.key: one for one in parts if one is not None}
    if len(found) <= 1:
        return next(iter(found.values()), None)
    key = f"any({'; '.join(sorted(found))})"
    return Any_(of=tuple(found.values()), key=key, place=whole.place)


def _both(one: Expr, other: Expr | None) -> Expr | None:
    if other is None:
        return None
    key = f"all({'; '.join(sorted((one.key, other.key)))})"
    return All(of=(one, other), key=key, place=one.place)
