"""
Whether the cases of a threshold cover everybody once: both sexes, every age, every group.

A gap would be an unknown that nobody meant; an overlap two cut-offs for one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Final, Protocol

from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Scalar

__all__ = ["check_cover"]

_SEXES: Final = ("male", "female")


class _Case(Protocol):
    """What a case says of whom it is for."""

    @property
    def sex(self) -> str: ...
    @property
    def age_from(self) -> int | None: ...
    @property
    def age_below(self) -> int | None: ...
    @property
    def group(self) -> str: ...


def check_cover(name: Scalar, cases: Sequence[_Case], report: Report) -> None:
    """Report the first people of each group without a cut-off, or with two."""
    groups = dict.fromkeys(["", *(one.group for one in cases)])
    for group in groups:
        own = [one for one in cases if one.group == group]
        if not own:
            _gap(name, "people of no named group", report)
            continue
        told_apart = _SEXES if any(one.sex for one in own) else ("",)
        cuts = sorted({cut for one in own for cut in (one.age_from, one.age_below) if cut})
        for sex, (low, high) in product(told_apart, pairwise([None, *cuts, None])):
            fitting = sum(_fits(one, sex, low, high) for one in own)
            if fitting != 1:
                who = _who(sex, low, high, group)
                (_overlap if fitting else _gap)(name, who, report)
                break


def _fits(case: _Case, sex: str, low: int | None, high: int | None) -> bool:
    """Tell whether a case is for this sex and this span of ages between two cuts."""
    return (
        case.sex in {"", sex}
        and (not case.age_from or (low is not None and low >= case.age_from))
        and (not case.age_below or (high is not None and high <= case.age_below))
    )


def _who(sex: str, low: int | None, high: int | None, group: str) -> str:
    words = {"male": "men", "female": "women"}.get(sex, "people")
    ages = " ".join([f"from {low}"] * (low is not None) + [f"below {high}"] * (high is not None))
    of_group = f" of the group `{group}`" if group else ""
    return f"{words} {ages} years{of_group}" if ages else f"{words}{of_group}"


def _gap(name: Scalar, who: str, report: Report) -> None:
    report.add(
        "CDS415",
        name,
        f"the threshold `{name.text}` says nothing of {who}",
        notes=["for somebody without a cut-off every comparison is unknown"],
        help="add a case for them, or ask about them in a clause of its own",
    )


def _overlap(name: Scalar, who: str, report: Report) -> None:
    report.add(
        "CDS414",
        name,
        f"the threshold `{name.text}` says two things of {who}",
        help="begin each age band where the one before ends, and write one case for each",
    )
