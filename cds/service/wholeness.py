"""
Nothing was lost on the way: what was asked was answered, and what is shown was written.

An empty list of cards looks like a healthy patient, so it may only come out where every
card was decided and none of them fired (T45).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cds.core.findings import CardFinding, Conclusions, Decision
from cds.core.rules import Ruleset
from cds.errors import AnswerIncomplete

__all__ = ["check_conclusions", "check_decision", "check_response"]


def check_conclusions(conclusions: Conclusions, asked: Collection[str]) -> None:
    """Raise `AnswerIncomplete` unless every card that was *asked* for was decided."""
    _refuse(set(asked) - set(conclusions.cards))


def check_decision(rules: Ruleset, conclusions: Conclusions, decision: Decision) -> None:
    """Raise `AnswerIncomplete` unless every active card that fires came to some end."""
    fires = {
        name
        for name, one in conclusions.cards.items()
        if one.state == "fires" and rules.cards[name].status == "active"
    }
    ends = {*_named(decision.shown), *decision.cut, *decision.quiet, *decision.switched_off}
    _refuse(fires ^ set(decision.fired))
    _refuse(fires - ends)


def check_response(response: Mapping[str, Any], decision: Decision, *, besides: int = 0) -> None:
    """
    Raise `AnswerIncomplete` unless there is a card for everything that is shown.

    *besides* is how many there are that stand for no finding.
    """
    if len(response["cards"]) != len(decision.shown) + besides:
        raise AnswerIncomplete(sorted(_named(decision.shown)))


def _named(findings: Iterable[CardFinding]) -> Iterable[str]:
    """Name cards, and those that became a part of them."""
    for one in findings:
        yield one.card
        yield from _named((*one.appended, *one.merged))


def _refuse(lost: Iterable[str]) -> None:
    nodes = sorted(lost)
    if nodes:
        raise AnswerIncomplete(nodes)
