"""
Which of the reasons of a card is what the call itself is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cds.core.clauses import All, Any_, AtLeast, CardFires, Expr, Holds, Listed
from cds.core.hooks import ACTS, Act
from cds.core.rules import Card, Condition

__all__ = ["draft_reason"]


def draft_reason(
    card: Card, conditions: Mapping[str, Condition], cards: Mapping[str, Card]
) -> Expr | None:
    """
    Say when `show_if` holds because of something that is being ordered, added or refilled.

    The answer is a condition of its own, which holds only where `show_if` does. None
    where the card does not need a draft, or where nothing of it could be one.
    """
    if not card.needs_draft:
        return None
    acts = tuple(dict.fromkeys(ACTS[hook] for hook in card.hooks if hook in ACTS))
    return _Drafted(acts, conditions, cards).of(card.show_if)


@dataclass(frozen=True, slots=True)
class _Drafted:
    acts: tuple[Act, ...]
    conditions: Mapping[str, Condition]
    cards: Mapping[str, Card]

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
            if asks or (act == "ordered" and clause.ordered == "also"):
                key = f"{clause.key} being {act}"
                yield replace(clause, key=key, ordered="only", act=act, on_record=False)


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
