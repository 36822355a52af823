"""
What a site changes in rules: cut-offs inside the range of their rule, and cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cds.core.quantity import plain
from cds.core.rules import Card
from cds.rulefiles.headers import plain_value
from cds.rulefiles.names import Names
from cds.rulefiles.nodes import Block, Node, Scalar
from cds.rulefiles.overrides import Overrides, Said
from cds.rulefiles.thresholds import Written, WrittenCase, read_threshold

__all__ = ["LocalCards", "LocalThresholds"]


class LocalThresholds:
    """The cut-offs that profiles give; of two profiles the nearer counts."""

    def __init__(self, sites: list[Block], names: Names, overrides: Overrides) -> None:
        self._names = names
        self._overrides = overrides
        self._thresholds: dict[str, dict[str, Said]] = {}
        self._moved: list[tuple[Said, Written]] = []
        for root in sites:
            for key, node in root.pairs("thresholds"):
                if isinstance(node, Block):
                    rule, _, name = key.text.rpartition(".")
                    self._thresholds.setdefault(rule, {})[name] = Said(key, node, node)

    def localise(self, rule: str, found: dict[str, Written]) -> dict[str, Written]:
        """Put the numbers of the site into the thresholds of a rule."""
        for name, said in self._thresholds.pop(rule, {}).items():
            own = found.get(name)
            if own is None:
                self._names.missing(
                    f"a threshold of `{rule}`", name, said.key.place, found, code="CDS202"
                )
            elif own.localisable is None:
                self._names.report.add(
                    "CDS802",
                    said.key,
                    f"`{said.key.text}` is not for sites to change",
                    notes=[f"the rule says {own.words}, and nothing of `localisable`"],
                    help="ask the owner of the rule for a range",
                )
            else:
                found[name] = self._moved_to(said, own)
        return found

    def _moved_to(self, said: Said, own: Written) -> Written:
        because = self._overrides.because(said, "the threshold")
        approved = said.block.block("approved")
        if approved is None or not approved.text("by") or not approved.text("date"):
            self._names.report.add(
                "CDS803",
                said.key,
                f"nobody has approved `{said.key.text}`",
                help="add `approved: {by: WHO, date: 2026-08-20}`",
            )
        numbers = Block(said.block.source, said.block.start, said.block.end)
        for key, node in said.block.entries():
            if key.text in {"cite", "or_own", "localisable"}:
                self._names.report.add(
                    "CDS802",
                    key,
                    f"`{key.text}` of a threshold is not for sites to change",
                    help="leave it out: that of the rule counts",
                )
            elif key.text not in {"because", "approved"}:
                numbers.keys[key.text], numbers.values[key.text] = key, node
        site = read_threshold(said.key, numbers, self._names.report, self._names.groups_of_people)
        if {_whom(one) for one in site.cases} != {_whom(one) for one in own.cases}:
            self._names.report.add(
                "CDS105",
                said.key,
                f"`{said.key.text}` does not tell the same people apart as the rule",
                notes=[f"the rule says {own.words}"],
                help="give a number for each of them",
            )
        moved = own.localised(site)
        self._moved.append((said, moved))
        self._overrides.note(
            f"thresholds.{said.key.text}",
            said.key,
            rule=own.words,
            site=site.words,
            because=because,
            approved=approved,
        )
        return moved

    def check_ranges(self) -> None:
        """Report numbers outside the range of their rule, once conditions were read."""
        for said, moved in self._moved:
            fits = moved.fits.values()
            values = [(fit.localisable, case.value) for fit in fits for case in fit.cases]
            if not fits and moved.unit == moved.reach:
                values = [(moved.localisable, one.value) for one in moved.cases]
            elif not fits:
                unit = moved.unit or "no unit"
                self._names.report.add(
                    "CDS301",
                    said.key,
                    f"`{said.key.text}` cannot be compared with a value in {unit}",
                    notes=[f"the rule gives it in {moved.reach or 'no unit'}"],
                )
            if any(reach and not reach[0] <= value <= reach[1] for reach, value in values):
                reach = " to ".join(plain(end) for end in moved.localisable or ())
                self._names.report.add(
                    "CDS801",
                    said.key,
                    f"{moved.words} is outside the range the rule allows, {reach} "
                    f"{moved.reach}".rstrip(),
                    help="choose a number of that range, or ask the owner of the rule",
                )

    def left(self) -> Iterator[tuple[str, Scalar]]:
        """Give what was said of rules that there are not."""
        for rule, said in self._thresholds.items():
            yield from ((rule, one.key) for one in said.values())


class LocalCards:
    """What profiles say of cards; of two that say something of one key the nearer counts."""

    def __init__(self, sites: list[Block], names: Names, overrides: Overrides) -> None:
        self._names = names
        self._overrides = overrides
        self._cards: dict[str, dict[str, Said]] = {}
        self._named: dict[str, Scalar] = {}
        for root in sites:
            for key, node in root.pairs("cards"):
                if isinstance(node, Block):
                    self._named[key.text] = key
                    said = self._cards.setdefault(key.text, {})
                    said.update(
                        {name: Said(at, one, inner) for name, at, one, inner in _parts(node)}
                    )

    def card(self, card: Card) -> Card:
        """Give a card as the site has it."""
        for name, said in self._cards.pop(card.id, {}).items():
            if name.startswith("suggestions."):
                card = self._without(card, name.partition(".")[2], said)
            else:
                card = _CHANGES[name](self, card, said)
        return card

    def _disabled(self, card: Card, said: Said) -> Card:
        if not said.block.flag("disabled"):
            return card
        self._change(card, said, "shown", "switched off", what="switching a card off")
        return replace(card, status="retired")

    def _status(self, card: Card, said: Said) -> Card:
        if card.status != "active":
            self._names.report.add(
                "CDS802",
                said.node,
                f"`{card.id}` is {card.status}, and a profile only demotes what is active",
                help="leave `status` out",
            )
            return card
        self._change(card, said, card.status, "trial", what="putting a card on trial")
        return replace(card, status="trial")

    def _hooks(self, card: Card, said: Said) -> Card:
        chosen = said.block.scalars("hooks")
        for one in chosen:
            if one.text not in card.hooks:
                self._names.report.add(
                    "CDS801",
                    one,
                    f"`{card.id}` is not made for {one.text}",
                    notes=[f"its hooks: {', '.join(card.hooks)}"],
                    help="choose among those",
                )
        hooks = tuple(one.text for one in chosen)
        before, after = ", ".join(card.hooks), ", ".join(hooks)
        self._change(card, said, before, after, what="leaving hooks out")
        # Where the site keeps none of the card's own, those it keeps are its own.
        keeps_own = bool({*hooks} - {*card.also_on})
        also = tuple(one for one in card.also_on if one in hooks and keeps_own)
        return replace(card, hooks=hooks, also_on=also)

    def _repeat_after(self, card: Card, said: Said) -> Card:
        days = said.block.days("repeat_after") or 0
        quiet = card.quiet
        if quiet is None or quiet.repeat_after is None:
            self._names.report.add(
                "CDS802",
                said.node,
                f"`{card.id}` is never quiet, and a profile only lengthens a silence",
                help="leave `repeat_after` out",
            )
            return card
        if days < quiet.repeat_after:
            self._names.report.add(
                "CDS801",
                said.node,
                f"{days} days are shorter than the {quiet.repeat_after} days of the rule",
                notes=["a profile lengthens a silence and never shortens it"],
                help=f"write {quiet.repeat_after} days or more",
            )
        self._change(card, said, f"{quiet.repeat_after} days", f"{days} days")
        return replace(card, quiet=replace(quiet, repeat_after=days))

    def _links(self, card: Card, said: Said) -> Card:
        links = tuple(plain_value(one) for one in said.block.blocks("links"))
        before = ", ".join(one.get("label", "") for one in card.links) or "none"
        after = ", ".join(one.get("label", "") for one in links) or "none"
        self._change(card, said, before, after)
        return replace(card, links=links)

    def _without(self, card: Card, name: str, said: Said) -> Card:
        known = [one.id for one in card.suggestions]
        if name not in known:
            self._names.missing(f"a suggestion of `{card.id}`", name, said.key.place, known)
            return card
        if not said.block.flag("disabled"):
            return card
        self._overrides.note(
            f"cards.{card.id}.suggestions.{name}",
            said.key,
            rule="offered",
            site="switched off",
            because=self._overrides.because(said, "switching a suggestion off"),
        )
        # What would have been offered in its place is not: its guard then only blocks.
        kept = tuple(
            replace(
                one,
                guards=tuple(
                    replace(guard, if_unknown="block", instead="")
                    if guard.instead == name
                    else guard
                    for guard in one.guards
                ),
            )
            for one in card.suggestions
            if one.id != name
        )
        return replace(card, suggestions=kept)

    def _change(self, card: Card, said: Said, rule: str, site: str, *, what: str = "") -> None:
        because = self._overrides.because(said, what) if what else said.block.text("because")
        key = f"cards.{card.id}.{said.key.text}"
        self._overrides.note(key, said.key, rule=rule, site=site, because=because)

    def left(self) -> Iterator[tuple[str, Scalar]]:
        """Give what was said of cards that there are not."""
        yield from ((card, self._named[card]) for card in self._cards)


_CHANGES: Final = {
    "disabled": LocalCards._disabled,  # noqa: SLF001 - its own
    "status": LocalCards._status,  # noqa: SLF001
    "hooks": LocalCards._hooks,  # noqa: SLF001
    "repeat_after": LocalCards._repeat_after,  # noqa: SLF001
    "links": LocalCards._links,  # noqa: SLF001
}


def _parts(block: Block) -> Iterator[tuple[str, Scalar, Node, Block]]:
    """Walk what a profile says of one card; each suggestion is a part with a reason of its own."""
    for key, node in block.entries():
        if key.text in _CHANGES:
            yield key.text, key, node, block
    for key, node in block.pairs("suggestions"):
        if isinstance(node, Block):
            yield f"suggestions.{key.text}", key, node, node


def _whom(one: WrittenCase) -> tuple[object, ...]:
    return one.sex, one.age_from, one.age_below, one.group
