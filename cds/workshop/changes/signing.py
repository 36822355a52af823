"""
What a profile really changes, as a table that a committee can sign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cds.core.rules import Override, Ruleset
from cds.errors import CdsError
from cds.workshop.changes.asking import Answer, Answers, Key, Subject

__all__ = ["Effect", "effects", "table"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of a profile, and whose answers it alone changes, by card code."""

    override: Override
    subjects: tuple[str, ...]
    cards: tuple[str, ...]


def effects(
    default: Ruleset, site: Ruleset, population: Sequence[Subject]
) -> tuple[tuple[Effect, ...], int]:
    """
    Say whom each change of a profile concerns, made by itself; and of how many.

    Changes of one rule, or of one concept, are looked at together.
    """
    base = Answers(default)
    before: list[tuple[Subject, dict[Key, Answer]]] = []
    for subject in population:
        try:
            before.append((subject, base.of(subject)))
        except CdsError:
            continue
    known: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {}
    found = []
    for one in site.profile.overrides:
        thing = _thing(one)
        if thing not in known:
            mixed = _mixed(default, site, *thing)
            known[thing] = _concerned(before, mixed) if mixed is not None else ((), ())
        found.append(Effect(one, *known[thing]))
    return tuple(found), len(before)


def _thing(one: Override) -> tuple[str, str]:
    kind, _, rest = one.key.partition(".")
    if kind == "thresholds":
        return "rule", rest.rpartition(".")[0]
    return kind, rest.partition(".")[0]


def _mixed(default: Ruleset, site: Ruleset, kind: str, name: str) -> Ruleset | None:
    """Give the default release with one thing as the site has it; None: only words differ."""
    if kind == "codes":
        concepts = {**default.concepts, name: site.concepts[name]}
        return replace(default, concepts=concepts, systems=site.systems)
    if kind == "ethnic_group":
        return replace(default, profile=site.profile)
    if kind not in {"rule", "cards"}:
        return None
    only_card = kind == "cards"
    own = {key: one for key, one in site.readings.items() if key.startswith(f"{name}.")}
    return replace(
        default,
        readings={**default.readings, **own},
        cards=_with(default.cards, site.cards, name),
        indices=default.indices if only_card else _with(default.indices, site.indices, name),
        factors=default.factors if only_card else _with(default.factors, site.factors, name),
        conditions=default.conditions
        if only_card
        else _with(default.conditions, site.conditions, name),
        stages=site.stages
        if site.stages is not None and site.stages.id == name
        else default.stages,
    )


def _with(table: Mapping[str, _T], other: Mapping[str, _T], name: str) -> Mapping[str, _T]:
    return {**table, name: other[name]} if name in other else table


def _concerned(
    before: Sequence[tuple[Subject, dict[Key, Answer]]], mixed: Ruleset
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    answers = Answers(mixed)
    people: list[str] = []
    cards: dict[str, int] = {}
    for subject, was in before:
        now = answers.of(subject)
        differing = [key for key, one in was.items() if _differ(key[0], one, now[key])]
        if differing:
            people.append(subject.name)
        for kind, name in differing:
            if kind == "card":
                code = mixed.cards[name].code
                cards[code] = cards.get(code, 0) + 1
    return tuple(people), tuple(f"{code} {count}" for code, count in sorted(cards.items()))


def _differ(kind: str, one: Answer, other: Answer) -> bool:
    """Tell whether somebody would see it: of a card only what is shown counts."""
    seen = kind != "card" or "shown (" in one.text + other.text
    return seen and one != other


def table(site: Ruleset, found: Sequence[Effect], people: int) -> Iterator[str]:
    """Write the table in Markdown, with room for names below it."""
    profile = site.profile
    yield f"# {profile.title} (`{profile.id}`)"
    yield ""
    yield (
        f"What differs from the default profile in release {site.release}. "
        f"Written for releases {profile.pinned}; extends `{profile.extends}`."
    )
    yield ""
    yield f"| key | the rule | here | because | approved | of {people} patients |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in found:
        override = one.override
        approved = " ".join(part for part in (override.approved_by, override.approved_on) if part)
        cells = (
            f"`{override.key}`",
            override.rule,
            override.site,
            override.because or "-",
            approved or "-",
            _people(one),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    if not found:
        yield "| nothing | - | - | - | - | 0 |"
    yield ""
    yield "The last column counts patients with any other answer when only this rule or concept"
    yield "is as it is here; behind it, the cards that change and for how many."
    yield ""
    yield "Approved by: ______________________    Date: ______________"


def _people(one: Effect) -> str:
    if not one.subjects:
        return "0"
    cards = f" ({', '.join(one.cards)})" if one.cards else ""
    return f"{len(one.subjects)}{cards}"
