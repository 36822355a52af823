"""
The stage that is proved first, and the grade of a factor from points as an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cds.core.clauses import Expr
from cds.core.findings import GradeResult, StageResult
from cds.core.rules import Evidence, Factor, Stages
from cds.core.truth import Truth
from cds.reasoning.questions import Asked, answered

__all__ = ["Ask", "Grades", "Newest", "stage"]

Ask = Callable[[str], Truth]
Newest = Callable[[Expr], int | None]


def stage(stages: Stages, ask: Ask) -> StageResult:
    """Take the first line that is proved; keep the unknown ones it passed."""
    could_be: list[str] = []
    for line in stages.lines:
        if line.condition is None:
            return StageResult(line.label, tuple(could_be))
        answer = ask(f"{stages.id}.{line.label}")
        if answer.is_yes:
            return StageResult(line.label, tuple(could_be))
        if answer.is_unknown:
            could_be.append(line.label)
    msg = f"{stages.place}: the last line of a staging table is `otherwise`"
    raise ValueError(msg)


def _excluded(factor: Factor, ask: Ask) -> tuple[str, Truth] | None:
    for one in factor.exclude_if:
        name = f"{factor.id}.exclude_if.{one.id}"
        if one.relevant is not None and ask(f"{name}.relevant").is_no:
            continue
        answer = ask(name)
        if answer.is_yes or (answer.is_unknown and one.if_unknown == "hide"):
            return one.id, answer
    return None


def _points(factor: Factor, items: Iterable[Evidence]) -> int:
    """Add the points of what counts; of a group in `counts_once` only the largest."""
    counts = {one.id: one.points for one in items}
    for group in factor.counts_once:
        members = [name for name in group if name in counts]
        for name in sorted(members, key=lambda one: -counts[one])[1:]:
            counts[name] = 0
    return sum(counts.values())


class Grades:
    """
    Grades the factors of one snapshot.

    *asked* names the questions of each factor. *worked* keeps grades by name and
    answers: the second evaluator grades again only where its answers differ in what matters.
    """

    def __init__(
        self,
        asked: Asked,
        worked: dict[tuple[str | bool, ...], GradeResult] | None = None,
    ) -> None:
        self._asked = asked
        self._worked = {} if worked is None else worked
        self.known: dict[str, GradeResult] = {}

    def again(self, asked: Asked) -> Grades:
        """Keep what is known, for the same snapshot with another text of one rule."""
        other = Grades({**self._asked, **asked})
        other.known.update(self.known)
        return other

    def grade(self, factor: Factor, ask: Ask, newest: Newest) -> GradeResult:
        """
        Grade a factor: not assessed, excluded, ceiling and floor, points.

        *newest* gives the age in days of the newest datum behind a condition.
        """
        key = (factor.id, *answered(self._asked.get(factor.id, {}), ask))
        found = self._worked.get(key)
        if found is None:
            found = self._worked[key] = _graded(factor, ask, newest)
        self.known[factor.id] = found
        return found


def _graded(factor: Factor, ask: Ask, newest: Newest) -> GradeResult:
    """Grade; where a floor stands above a ceiling, `if_conflict` says who wins."""
    if factor.assess_if is not None:
        answer = ask(f"{factor.id}.assess_if")
        if not answer.is_yes:
            return GradeResult(factor.id, "not assessed", needs=answer.needs)
    stop = _excluded(factor, ask)
    if stop is not None:
        return GradeResult(factor.id, "excluded", reason=stop[0], needs=stop[1].needs)

    answers = {one.id: ask(f"{factor.id}.{one.id}") for one in factor.evidence_for}
    true = [one for one in factor.evidence_for if answers[one.id].is_yes]
    open_ = [
        one
        for one in factor.evidence_for
        if answers[one.id].is_unknown and one.if_missing == "could_be_true"
    ]
    low = _points(factor, true)
    high = _points(factor, [*true, *open_])
    names = [one.name for one in factor.grades]
    floors = [one for one in true if one.at_least]
    ceilings = [one for one in factor.evidence_against if ask(f"{factor.id}.{one.id}").is_yes]
    ceilings = [one for one in ceilings if one.at_most]

    reached = _by_points(factor, low, len({one.domain for one in true}), high)
    could = _by_points(factor, high, len({one.domain for one in (*true, *open_)}), high)
    because = tuple(one.id for one in true)
    needs = tuple(
        dict.fromkeys(
            need
            for one in sorted(open_, key=lambda one: -one.points)
            for need in answers[one.id].needs
        )
    )
    disagrees: tuple[str, ...] = ()
    ranks = {name: len(names) - at for at, name in enumerate(names)}
    ranks["undetermined"] = 0
    if floors or ceilings:
        floor = max((one.at_least for one in floors), key=lambda one: ranks[one], default="")
        ceiling = min((one.at_most for one in ceilings), key=lambda one: ranks[one], default="")
        if floor and ceiling and ranks[floor] > ranks[ceiling]:
            floor, ceiling, disagrees = _settle(factor, floors, ceilings, floor, ceiling, newest)
            if not floor and not ceiling:
                return GradeResult(
                    factor.id,
                    "graded",
                    "conflicting",
                    "conflicting",
                    (low, high),
                    because,
                    disagrees,
                    needs,
                )
        if floor and ranks[reached] < ranks[floor]:
            reached = floor
        if ceiling:
            if ranks[reached] > ranks[ceiling]:
                disagrees = disagrees or because
                reached = ceiling
            could = min(could, ceiling, key=ranks.__getitem__)
            # What can be no more than the lowest grade is that grade.
            if reached == "undetermined" and ranks[could] <= 1:
                reached = ceiling
    if ranks[could] < ranks[reached]:
        could = reached
    return GradeResult(factor.id, "graded", reached, could, (low, high), because, disagrees, needs)


def _by_points(factor: Factor, points: int, domains: int, high: int) -> str:
    for one in factor.grades:
        if one.points is not None and points >= one.points and domains >= one.domains:
            return one.name
        if one.cannot_reach is not None and high < one.cannot_reach:
            return one.name
    return "undetermined"


def _settle(
    factor: Factor,
    floors: list[Evidence],
    ceilings: list[Evidence],
    floor: str,
    ceiling: str,
    newest: Callable[[Expr], int | None],
) -> tuple[str, str, tuple[str, ...]]:
    """Decide between a floor above a ceiling; empty words mean that neither wins."""
    for_ = tuple(one.id for one in floors)
    against = tuple(one.id for one in ceilings)
    if factor.if_conflict == "trust_against":
        return "", ceiling, for_
    if factor.if_conflict == "newest":
        a = min((days for one in floors if (days := newest(one.when)) is not None), default=None)
        b = min((days for one in ceilings if (days := newest(one.when)) is not None), default=None)
        if a is not None and (b is None or a < b):
            return floor, "", against
        if b is not None and (a is None or b < a):
            return "", ceiling, for_
    return "", "", (*for_, *against)
