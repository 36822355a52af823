"""
Whether a card that fires keeps quiet, because it was shown or overridden before.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds.core.findings import Conclusions
from cds.core.history import CardHistory, History, Override
from cds.core.rules import Card, Quiet, Ruleset

__all__ = ["is_for_review", "is_quiet"]


def is_quiet(
    card: Card, rules: Ruleset, conclusions: Conclusions, history: History, hook: str
) -> bool:
    """
    Tell whether a card keeps quiet on *hook*.

    So it does up to the last day of a period, unless a grade that the card names has risen
    since it was shown. What a grade was must be known for that.
    """
    quiet, past = card.quiet, history.cards.get(card.id)
    if quiet is None or past is None or not _is_quiet_on(hook, quiet, rules):
        return False
    if not (_was_shown(quiet, past) or any(_silences(quiet, one) for one in past.overrides)):
        return False
    return not any(
        _has_risen(name, rules, conclusions, past.levels.get(name, ""))
        for name in quiet.again_early
    )


def is_for_review(card: Card, *, shown: int, overridden: int) -> bool:
    """Tell whether a card was overridden too often and is to be reviewed."""
    quiet = card.quiet
    if quiet is None or quiet.review_over is None or not shown or shown < quiet.review_after:
        return False
    return overridden * 100 > quiet.review_over * shown


def _is_quiet_on(hook: str, quiet: Quiet, rules: Ruleset) -> bool:
    """Tell whether a silence counts on a hook, or on one that it answers like."""
    alike = (other for one in quiet.hooks for other in rules.also_on.get(one, ()))
    return not quiet.hooks or hook in (*quiet.hooks, *alike)


def _was_shown(quiet: Quiet, past: CardHistory) -> bool:
    if quiet.repeat_after is None or past.last_shown is None:
        return False
    return past.last_shown <= quiet.repeat_after


def _silences(quiet: Quiet, one: Override) -> bool:
    """Tell whether an override is recent enough; its own reason goes first, then any."""
    words = (one.reason, "any_reason", "any") if one.reason else ("any",)
    period = next(
        (quiet.after_override[word] for word in words if word in quiet.after_override), -1
    )
    return one.days <= period


def _has_risen(name: str, rules: Ruleset, conclusions: Conclusions, then: str) -> bool:
    """Tell whether a grade or a band is higher now than it was *then*."""
    if name in rules.factors:
        # The highest grade stands first, the highest band last.
        levels: Iterable[str] = reversed([one.name for one in rules.factors[name].grades])
        levels = ["undetermined", *levels]
        graded = conclusions.grades.get(name)
        now = graded.grade if graded is not None and graded.state == "graded" else ""
    else:
        levels = [one.name for one in rules.indices[name].bands]
        found = conclusions.numbers.get(name)
        now = found.band if found is not None else ""
    ranks = {level: at for at, level in enumerate(levels)}
    return then in ranks and now in ranks and ranks[now] > ranks[then]
