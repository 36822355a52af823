"""
`quiet:`, the silence of a card that was shown or overridden before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from cds.core.rules import Quiet
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import Block, Scalar

__all__ = ["ANY_REASON", "read_quiet"]

ANY_REASON: Final = ("any", "any_reason")
"""Stand for every override, and for every one with a reason."""


def read_quiet(block: Block | None, scope: Scope) -> Quiet | None:
    """Read `quiet:`, where there is one."""
    if block is None:
        return None
    overrides = block.block("after_override")
    known = (*scope.names.reasons, *ANY_REASON)
    for key, _ in overrides.entries() if overrides else ():
        if key.text not in known:
            scope.names.missing("an override reason", key.text, key.place, known)
    names = [one for one in block.scalars("again_early_when_raised") if _rises(one, scope)]
    review = block.block("review_when")
    return Quiet(
        repeat_after=block.days("repeat_after"),
        after_override={
            reason: days
            for reason in (overrides.values if overrides else ())
            if (days := overrides.days(reason)) is not None  # type: ignore[union-attr]
        },
        again_early=tuple(one.text for one in names),
        hooks=block.texts("hooks"),
        review_over=_share(review.text("overridden_over")) if review else None,
        review_after=(review.whole("after_shown") or 0) if review else 0,
    )


def _share(text: str) -> Decimal | None:
    return Decimal(text.removesuffix(" %")) if text.endswith(" %") else None


def _rises(one: Scalar, scope: Scope) -> bool:
    """Tell whether a name has grades or bands, and note that the card needs it."""
    declared = scope.names.operands.get(one.text)
    if declared is None or declared.kind not in {"factor", "index"} or not declared.words:
        known = [word for word, it in scope.names.operands.items() if it.words]
        scope.names.missing("a factor, or an index with bands", one.text, one.place, known)
        return False
    scope.lean(declared.kind, one.text, one.place)
    return True
