"""
Conditions that cannot be, that cannot fail, and clauses that change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from cds.core.clauses import (
    All,
    Any_,
    AtLeast,
    BandIs,
    Compare,
    Expr,
    GradeIs,
    Known,
    Listed,
    Not,
    SexIs,
    StageIs,
    clauses_of,
)
from cds.core.rules import Condition
from cds.proofs.prover import Proofs, every_expression, opens
from cds.rulefiles.keys import key_of
from cds.workshop.checks.proving import Proving, parts_of, said

__all__ = ["check_conditions"]

_MADE_TO_FAIL = (Compare, Known, BandIs, GradeIs, StageIs, SexIs)


def check_conditions(proving: Proving, *, all_of_them: bool) -> frozenset[str]:
    """
    Judge every condition of every sound rule by itself, or those that ask about other rules.

    Gives the files in which one can never be true, or never be false: what leans on those
    would only repeat it.
    """
    judge = _Judge(proving)
    seen = set()
    for expr in every_expression(proving.rules):
        mark = (expr.key, expr.place)
        wanted = expr.place.path not in proving.broken and (all_of_them or opens(expr))
        if wanted and mark not in seen:
            seen.add(mark)
            with proving.skipping(expr.place, "whether this can be true, and false"):
                judge.of(expr)
    for rule in proving.sound:
        if isinstance(rule, Condition) and rule.ruled_out_if is not None:
            with proving.skipping(rule.ruled_out_if.place, "whether both answers can be proved"):
                _check_ruled_out(proving, rule.holds_if, rule.ruled_out_if)
    return frozenset(judge.amiss)


def _check_ruled_out(proving: Proving, holds: Expr, ruled_out: Expr) -> None:
    """
    Report where one number proves a condition and also rules it out.

    Two things on record may well point both ways: what proves it goes first then.
    """
    for one in _compared(holds):
        for other in _compared(ruled_out):
            if one.name == other.name and proving.proofs.possible([(one, "yes"), (other, "yes")]):
                proving.report.add(
                    "CDS424",
                    other.place,
                    f"{said(one)} and {said(other)} overlap",
                    label="also rules it out",
                    spans=[(one.place, "proves it")],
                    notes=["where both are true the condition holds"],
                    help="let one begin where the other ends",
                )


def _compared(expr: Expr) -> Iterator[Compare]:
    """Walk the comparisons that prove a condition by themselves."""
    if isinstance(expr, Compare):
        yield expr
    elif isinstance(expr, Any_):
        for part in expr.of:
            yield from _compared(part)


class _Judge:
    """Judges conditions from the inside outwards: what a part explains is said of the part."""

    def __init__(self, proving: Proving) -> None:
        self._proving = proving
        self._proofs = proving.proofs
        self._sound: set[str] = set()
        self.amiss: set[str] = set()

    def of(self, expr: Expr) -> None:
        """Judge a condition: first what it says, then what in it says nothing."""
        if not self._answers(expr) and parts_of(expr):
            for part in _redundant(self._proofs, expr):
                self._redundant(*part)

    def _answers(self, expr: Expr) -> bool:
        """Report what cannot be yes or cannot be no; tell whether anything was reported."""
        # What is equal is judged once, where nothing was found.
        if expr.key in self._sound:
            return False
        found = [self._answers(part) for part in parts_of(expr)]
        if any(found):
            return True
        if self._never_holds(expr):
            self._never(expr)
        elif not isinstance(expr, All | Not) and self._never_fails(expr):
            self._always(expr, self._cover(expr))
        else:
            self._sound.add(expr.key)
            return False
        self.amiss.add(expr.place.path)
        return True

    def _never_holds(self, expr: Expr) -> bool:
        """Tell whether a condition is never yes; one part that can be makes an `any` yes."""
        if isinstance(expr, Any_):
            return False
        if isinstance(expr, Not):
            return not self._proofs.can_be(expr.of, "no")
        return not self._proofs.can_be(expr, "yes")

    def _never_fails(self, expr: Expr) -> bool:
        """Tell whether a condition is never no, though its clauses could be."""
        if self._proofs.can_be(expr, "no"):
            return False
        return self._should_fail(expr) or self._cover(expr) is not None

    def _should_fail(self, expr: Expr) -> bool:
        """Tell whether a condition of this form could be no, if its clauses were apart."""
        if isinstance(expr, All):
            return any(self._should_fail(part) for part in expr.of)
        if isinstance(expr, Any_):
            return all(self._should_fail(part) for part in expr.of)
        if isinstance(expr, AtLeast):
            failing = sum(self._should_fail(part) for part in expr.of)
            return failing > len(expr.of) - expr.count
        if isinstance(expr, Not):
            return True
        return isinstance(expr, _MADE_TO_FAIL) or self._proofs.can_be(expr, "no")

    def _never(self, expr: Expr) -> None:
        report = self._proving.report
        clash = _pair(self._proofs, expr.of, "yes") if isinstance(expr, All) else None
        if clash is not None:
            first, second = clash
            report.add(
                "CDS401",
                second.place,
                f"{said(first)} and {said(second)} cannot both be true",
                label="never true beside the other",
                spans=[(first.place, "this one")],
                help="take one out, or join them with `any:`",
            )
        elif isinstance(expr, All | AtLeast):
            report.add(
                "CDS401",
                expr.place,
                f"{said(expr)} cannot be true together",
                help="take one out, or join some of them with `any:`",
            )
        else:
            report.add(
                "CDS401",
                expr.place,
                f"{said(expr)} can never be true",
                notes=_why_never(self._proving, expr),
                help="change the cut-off or the word, or take it out",
            )

    def _always(self, expr: Expr, cover: tuple[Expr, Expr] | None) -> None:
        self._proving.report.add(
            "CDS402",
            cover[1].place if cover else expr.place,
            f"{said(cover[0])} or {said(cover[1])}: one is always true"
            if cover
            else f"{said(expr)} can never be false",
            label="always true where the other is not" if cover else "",
            spans=[(cover[0].place, "this one")] if cover else [],
            notes=["without data it is unknown"] if self._proofs.can_be(expr, "unknown") else [],
            help="turn a comparison round, or take it out",
        )

    def _cover(self, expr: Expr) -> tuple[Expr, Expr] | None:
        """Find two parts of a block that can each be false, and never both."""
        if not isinstance(expr, Any_):
            return None
        parts = tuple(one for one in expr.of if self._proofs.can_be(one, "no"))
        return _pair(self._proofs, parts, "no")

    def _redundant(self, part: Expr, block: Expr, says: Expr | None) -> None:
        joint = "requires" if isinstance(block, All) else "allows"
        self._proving.report.add(
            "CDS403",
            part.place,
            f"{said(part)} changes no answer",
            label="already said",
            spans=[] if says is None else [(says.place, f"already {joint} it")],
            help="take the line out",
            fix=self._proving.removal(part),
        )


def _why_never(proving: Proving, expr: Expr) -> list[str]:
    """Say why an absence can never be proved, where that is the reason."""
    if isinstance(expr, Not):
        return [
            f"of `{name}` a list proves no absence: `absent_means: unknown`"
            for clause in clauses_of(expr)
            if isinstance(clause, Listed)
            for name in clause.names
            if proving.rules.concepts[name.partition(":")[0]].absent_means == "unknown"
        ]
    if isinstance(expr, Compare) and expr.what == "concept":
        concept = proving.rules.concepts[expr.name]
        own = concept.units.get(concept.unit)
        if own is not None and own.low is not None and own.high is not None:
            return [f"plausible values of `{expr.name}` lie from {own.low} to {own.high}"]
    return []


def _pair(proofs: Proofs, parts: tuple[Expr, ...], answer: str) -> tuple[Expr, Expr] | None:
    """Find two parts that cannot both have this answer."""
    for at, second in enumerate(parts):
        for first in parts[:at]:
            if not proofs.possible([(first, answer), (second, answer)]):
                return first, second
    return None


def _redundant(proofs: Proofs, root: Expr) -> Iterator[tuple[Expr, All | Any_, Expr | None]]:
    """
    Find the parts of blocks that could go and nothing would change.

    Gives each with its block, and the part beside it that says it already, where one does.
    Of two alike the second is given.
    """
    for block, rebuilt in _blocks(root, lambda same: same):
        left = list(block.of)
        for part in reversed(block.of):
            rest = [one for one in left if one is not part]
            if not rest or not proofs.touches(part, root):
                continue
            smaller = _joined(block, rest)
            if not proofs.same(root, rebuilt(smaller)):
                continue
            left = rest
            pairs = [(one, part) if isinstance(block, All) else (part, one) for one in rest]
            implied = (one for one, pair in zip(rest, pairs, strict=True) if proofs.implies(*pair))
            yield part, block, next(implied, None)


def _blocks(
    expr: Expr, rebuilt: Callable[[Expr], Expr]
) -> Iterator[tuple[All | Any_, Callable[[Expr], Expr]]]:
    """Walk the blocks of a condition, each with how to put another in its place."""
    if isinstance(expr, Not):
        inner = expr
        yield from _blocks(
            expr.of, lambda new: rebuilt(replace(inner, of=new, key=key_of("not", [new])))
        )
    elif isinstance(expr, All | Any_ | AtLeast):
        if isinstance(expr, All | Any_):
            yield expr, rebuilt
        for at, part in enumerate(expr.of):
            yield from _blocks(part, _placed(expr, at, rebuilt))


def _placed(
    block: All | Any_ | AtLeast, at: int, rebuilt: Callable[[Expr], Expr]
) -> Callable[[Expr], Expr]:
    def put(new: Expr) -> Expr:
        return rebuilt(_joined(block, [*block.of[:at], new, *block.of[at + 1 :]]))

    return put


def _joined(block: All | Any_ | AtLeast, parts: list[Expr]) -> Expr:
    word = block.key.partition("(")[0]
    return replace(block, of=tuple(parts), key=key_of(word, parts))
