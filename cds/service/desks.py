"""
What a release keeps ready for each hook: what is asked, read and reasoned there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds.core.hooks import DEFAULT_HOOK
from cds.core.reads import concepts_read
from cds.core.rules import Ruleset
from cds.fhir.extract import Extractor
from cds.hooks.discovery import by_worth, hooks_of
from cds.reasoning.evaluator import EngineChoice, Reasoner

__all__ = ["Desk", "desks_of"]


@dataclass(frozen=True, slots=True)
class Desk:
    """
    What answers the calls of one hook, or of several that ask the same.

    *asked* are its active cards, *read* the concepts that they read.
    """

    asked: frozenset[str]
    read: frozenset[str]
    templates: Mapping[str, str]
    extractor: Extractor
    reasoner: Reasoner


def desks_of(ruleset: Ruleset, engine: EngineChoice) -> dict[str, Desk]:
    """Make what answers each hook; hooks for which the same cards are share it."""
    made: dict[tuple[str, ...], Desk] = {}
    desks = {}
    for hook in dict.fromkeys((DEFAULT_HOOK, *hooks_of(ruleset))):
        cards = tuple(one.id for one in ruleset.cards.values() if hook in one.hooks)
        if cards not in made:
            made[cards] = _desk(ruleset, hook, engine)
        desks[hook] = made[cards]
    return desks


def _desk(ruleset: Ruleset, hook: str, engine: EngineChoice) -> Desk:
    read = concepts_read(ruleset, hook)
    return Desk(
        asked=frozenset(
            one.id for one in ruleset.cards.values() if hook in one.hooks and one.status == "active"
        ),
        read=read,
        templates=by_worth(ruleset, hook),
        extractor=Extractor(
            concepts={name: one for name, one in ruleset.concepts.items() if name in read},
            searches=ruleset.searches,
            systems=ruleset.systems,
            groups=ruleset.groups_of_people,
            group_extension=ruleset.group_extension,
        ),
        reasoner=Reasoner(ruleset, engine=engine, hook=hook),
    )
