"""
Cut-offs: read as they were written, then fitted to what they are compared with.

A threshold may differ by sex, age or group, come as a printed pair of units, or give
way to the laboratory's own limit. Only fitting knows the concept, so a threshold that
two clauses use is fitted to each of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Literal

from cds.core.clauses import Case, Place, Threshold
from cds.core.quantity import Conversion, Quantity, plain, read_unit, round12
from cds.rulefiles.clearing import clear_amount
from cds.rulefiles.covering import check_cover
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.rulefiles.shapes import refuse_key

__all__ = [
    "AGES",
    "Target",
    "Written",
    "WrittenCase",
    "literal",
    "read_amount",
    "read_range",
    "read_threshold",
    "read_thresholds",
]

_AMOUNT: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s+(\S.*))?")
_RANGE: Final = re.compile(r"([+-]?\d+(?:\.\d+)?) to ([+-]?\d+(?:\.\d+)?)(?:\s+(\S.*))?")
AGES: Final = re.compile(r"(?:from (\d+) )?(?:years )?(?:below (\d+) )?years")
_SUBSTANCE: Final = re.compile(r"[kdcmunpf]?(g|mol|eq)(?:/|$)")
_ASIDE: Final = frozenset({"cite", "or_own", "localisable"})


_ROUNDED_AWAY: Final = Decimal("0.1")
"""By how much the numbers of a printed pair may differ, of the larger."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a threshold is compared with: its name, canonical unit and accepted units."""

    name: str
    unit: str
    units: Mapping[str, Conversion]


@dataclass(frozen=True, slots=True)
class WrittenCase:
    """One number as the author wrote it; *unit* is spelled by `read_unit`, or empty."""

    value: Decimal
    unit: str
    second: Decimal | None = None
    second_unit: str = ""
    sex: str = ""
    age_from: int | None = None
    age_below: int | None = None
    group: str = ""


@dataclass(slots=True)
class Written:
    """
    A threshold as declared, and the fits made of it so far.

    With *site* its numbers are those of a profile, where what is wrong with them is said;
    *reach* is then the unit of *localisable*, which stays the rule's.
    """

    name: str
    cases: tuple[WrittenCase, ...]
    place: Place
    cite: str = ""
    or_own: Literal["", "lower", "upper"] = ""
    localisable: tuple[Decimal, Decimal] | None = None
    site: bool = False
    reach: str = ""
    fits: dict[str, Threshold] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Give the unit of its first number; empty where none was written."""
        return self.cases[0].unit if self.cases else ""

    @property
    def as_written(self) -> Threshold:
        """Give it with the numbers and the unit of the file: what texts print."""
        return Threshold(
            name=self.name,
            cases=tuple(_case(one, one.value, one.second, one.second_unit) for one in self.cases),
            unit=self.unit or "1",
            cite=self.cite,
            or_own=self.or_own,
            localisable=self.localisable,
        )

    @property
    def words(self) -> str:
        """Write its numbers in one line, as a table of changes prints them."""
        return ", ".join(_in_words(one) for one in self.cases)

    def localised(self, site: Written) -> Written:
        """Give it with the numbers of a *site*, inside the range that stays its own."""
        return replace(
            self,
            cases=site.cases,
            place=site.place,
            cite="",
            site=True,
            reach=self.unit,
            fits={},
        )

    def fit(self, target: Target, at: Place, report: Report) -> Threshold:
        """Express it in the canonical unit of *target*; complain at *at* if it cannot."""
        fitted = self.fits.get(target.name)
        if fitted is None:
            at = self.place if self.site else at
            fitted = Threshold(
                name=self.name,
                cases=tuple(self._fit_case(one, target, at, report) for one in self.cases),
                unit=target.unit,
                cite=self.cite,
                or_own=self.or_own,
                localisable=self._fit_range(target),
            )
            self.fits[target.name] = fitted
        return fitted

    def _fit_case(self, one: WrittenCase, target: Target, at: Place, report: Report) -> Case:
        if one.second is not None:
            return self._fit_pair(one, one.second, target, at, report)
        how = self._conversion(one, one.unit, target, at, report)
        value = one.value if how.factor == 1 else round12(how.to_canonical(one.value))
        self._check_plausible(value, target, at, report)
        return _case(one, value, None, "")

    def _fit_pair(
        self, one: WrittenCase, other: Decimal, target: Target, at: Place, report: Report
    ) -> Case:
        ways = (
            self._conversion(one, one.unit, target, at, report),
            self._conversion(one, one.second_unit, target, at, report),
        )
        if one.unit in target.units and one.second_unit in target.units:
            amounts = ways[0].to_canonical(one.value), ways[1].to_canonical(other)
            self._check_pair(*amounts, target, report)
        first, second = (one.value, one.unit), (other, one.second_unit)
        if first[1] != target.unit and second[1] == target.unit:
            first, second = second, first
        self._check_plausible(first[0], target, at, report)
        return _case(one, first[0], second[0], second[1])

    def _check_pair(self, first: Decimal, second: Decimal, target: Target, report: Report) -> None:
        """Report a pair whose numbers differ by more than what printing rounds away."""
        if abs(first - second) > _ROUNDED_AWAY * max(abs(first), abs(second)):
            both = f"{plain(round12(first))} and {plain(round12(second))}"
            report.add(
                "CDS307",
                self.place,
                f"the two numbers of `{self.name}` are not the same amount",
                notes=[f"in {target.unit}: {both}"],
                help="were the units changed over, or is one of them a slip?",
            )

    def _fit_range(self, target: Target) -> tuple[Decimal, Decimal] | None:
        if self.localisable is None or not self.cases:
            return self.localisable
        how = target.units.get(self.reach or self.unit, Conversion())
        low, high = (round12(how.to_canonical(end)) for end in self.localisable)
        return low, high

    def _conversion(
        self, one: WrittenCase, unit: str, target: Target, at: Place, report: Report
    ) -> Conversion:
        if not unit:
            if target.unit != "1":
                text = f"{plain(one.value)} {target.unit}"
                report.add(
                    "CDS302",
                    at,
                    f"a number without a unit is compared with `{target.name}`",
                    label=f"`{target.name}` is kept in {target.unit}",
                    help=f"write the unit: {text}",
                    spans=[(self.place, "no unit here")] if self.name else [],
                    fix=None if self.name else report.rewriting(at, text),
                )
            return Conversion()
        how = target.units.get(unit)
        if how is not None:
            return how
        measured = _measured(unit), _measured(target.unit)
        apart = set(measured) == {"mass", "amount"}
        report.add(
            "CDS303" if apart else "CDS301",
            at,
            f"{unit} is a{'n' * (measured[0] == 'amount')} {measured[0]}, "
            f"and `{target.name}` is kept as a{'n' * (measured[1] == 'amount')} {measured[1]}"
            if apart
            else f"`{target.name}` cannot be compared with a value in {unit}",
            label=f"`{target.name}` is kept in {target.unit}",
            notes=[f"accepted units: {', '.join(target.units) or target.unit}"],
            help=f"say how one becomes the other: `units: {{{unit}: x …}}` of `{target.name}`"
            if apart
            else f"write it in one of them, or accept {unit} under `units:` of `{target.name}`",
            spans=[(self.place, f"declared in {unit}")] if self.name else [],
        )
        return Conversion()

    def _check_plausible(self, value: Decimal, target: Target, at: Place, report: Report) -> None:
        bounds = target.units.get(target.unit)
        if bounds is None or bounds.is_plausible(value):
            return
        low = plain(bounds.low) if bounds.low is not None else ""
        high = plain(bounds.high) if bounds.high is not None else ""
        report.add(
            "CDS305",
            at,
            f"{plain(value)} {target.unit} lies outside what is plausible for `{target.name}`",
            notes=[f"plausible: {low} to {high} {target.unit}"],
            help="was the number meant in another unit?",
            spans=[(self.place, "declared here")] if self.name else [],
        )


def _measured(unit: str) -> str:
    """Say whether a unit counts a mass, an amount of substance, or something else."""
    match = _SUBSTANCE.match(unit)
    return "" if match is None else "amount" if match[1] in {"mol", "eq"} else "mass"


def _case(one: WrittenCase, value: Decimal, second: Decimal | None, second_unit: str) -> Case:
    return Case(
        value=value,
        sex=one.sex,
        age_from=one.age_from,
        age_below=one.age_below,
        group=one.group,
        alternate=second,
        alternate_unit=second_unit,
    )


def _in_words(one: WrittenCase) -> str:
    text = str(Quantity(one.value, one.unit or "1"))
    if one.second is not None:
        text += f" ({Quantity(one.second, one.second_unit or '1')})"
    whom = [one.sex, one.group]
    whom += [f"from {one.age_from} years"] if one.age_from is not None else []
    whom += [f"below {one.age_below} years"] if one.age_below is not None else []
    return " ".join([*(word for word in whom if word), text])


def literal(number: str, unit: str, place: Place) -> Written:
    """Make the unnamed threshold of a number that stands in a clause."""
    return Written("", (WrittenCase(Decimal(number), unit),), place)


def read_amount(text: str) -> tuple[Decimal, str] | None:
    """Read `5.7 %`; the unit is empty where none was written."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        return None
    unit = match[2]
    return Decimal(match[1]), read_unit(unit, is_code=True) if unit else ""


def read_range(text: str) -> tuple[Decimal, Decimal] | None:
    """Read `20 to 800`, with or without a unit behind it."""
    match = _RANGE.fullmatch(text.strip())
    return (Decimal(match[1]), Decimal(match[2])) if match else None


def read_thresholds(
    block: Block | None, report: Report, groups: Collection[str] = ()
) -> dict[str, Written]:
    """Read the `thresholds:` of a rule file; *groups* are the groups of people it may name."""
    found: dict[str, Written] = {}
    if block is None:
        return found
    for name, node in block.entries():
        if isinstance(node, Block):
            found[name.text] = read_threshold(name, node, report, groups)
    return found


def read_threshold(
    name: Scalar, block: Block, report: Report, groups: Collection[str] = ()
) -> Written:
    """Read one threshold."""
    cases: list[WrittenCase] = []
    _read_cases(block, WrittenCase(Decimal(0), ""), cases, report, groups, outer=True)
    if not cases:
        report.add(
            "CDS104",
            name,
            f"the threshold `{name.text}` has no number",
            help="write `value:`, `pair:`, `male:` and `female:`, or ages",
        )
    else:
        check_cover(name, cases, report)
    own = block.text("or_own").partition(" ")[0]
    reach = block.get("localisable")
    bounds = read_range(reach.text) if isinstance(reach, Scalar) else None
    if reach is not None and bounds is None:
        report.add(
            "CDS105",
            reach,
            "`localisable` is not a range",
            help="write two numbers: `1.6 to 3.8`",
        )
    if bounds is not None and any(not _is_within(one, bounds) for one in cases):
        report.add(
            "CDS305",
            reach or name,
            f"`{name.text}` itself lies outside the range from which sites may choose",
            help="was the range meant in another unit?",
        )
    return Written(
        name=name.text,
        cases=tuple(cases),
        place=name.place,
        cite=block.text("cite"),
        or_own="lower" if own == "lower" else "upper" if own == "upper" else "",
        localisable=bounds,
    )


def _is_within(one: WrittenCase, bounds: tuple[Decimal, Decimal]) -> bool:
    """Tell whether a number lies in a range; a group of people may have one of its own."""
    return bool(one.group) or bounds[0] <= one.value <= bounds[1]


def _read_cases(
    block: Block,
    whom: WrittenCase,
    cases: list[WrittenCase],
    report: Report,
    groups: Collection[str],
    *,
    outer: bool,
) -> None:
    for key, node in block.entries():
        word = key.text
        if outer and word in _ASIDE:
            continue
        ages = AGES.fullmatch(word)
        if word in {"value", "pair"}:
            inner = whom
        elif word in {"male", "female"}:
            inner = replace(whom, sex=word)
        elif word in groups:
            inner = replace(whom, group=word)
        elif ages and (ages[1] or ages[2]):
            inner = replace(
                whom,
                age_from=int(ages[1]) if ages[1] else None,
                age_below=int(ages[2]) if ages[2] else None,
            )
        else:
            known = ["value", "pair", "male", "female", *groups, *sorted(_ASIDE), "below 65 years"]
            refuse_key(block, key, "a threshold", known, report)
            continue
        if isinstance(node, Block):
            _read_cases(node, inner, cases, report, groups, outer=False)
        else:
            _read_case(node, inner, cases, report)


def _amount(node: Scalar, report: Report) -> tuple[Decimal, str] | None:
    """Read an amount; one with odd digits is reported, and read as it was meant."""
    amount = read_amount(node.text)
    clear = "" if amount else clear_amount(node.text)
    if not clear:
        return amount
    report.add(
        "CDS106",
        node,
        f"`{node.text}` can be read in more than one way",
        label="expected plain digits, and a point",
        help=f"write `{clear}`",
        fix=report.rewriting(node.place, clear, safe=True),
    )
    return read_amount(clear)


def _read_case(node: Node, whom: WrittenCase, cases: list[WrittenCase], report: Report) -> None:
    texts = node.items if isinstance(node, Items) else [node]
    amounts = [_amount(one, report) if isinstance(one, Scalar) else None for one in texts]
    wanted = 2 if isinstance(node, Items) else 1
    if len(amounts) != wanted or None in amounts:
        report.add(
            "CDS105",
            node,
            "expected a number with its unit",
            help="write `5.7 %`, or a pair: `[126 mg/dL, 7.0 mmol/L]`",
        )
        return
    sure = [one for one in amounts if one is not None]
    value, unit = sure[0]
    if wanted == 1:
        cases.append(replace(whom, value=value, unit=unit))
        return
    second, second_unit = sure[1]
    cases.append(replace(whom, value=value, unit=unit, second=second, second_unit=second_unit))
