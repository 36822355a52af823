"""
What rules draw on besides each other: evidence, groups, population, profile, release.
"""

from __future__ import annotations

from typing import Final, Literal, cast

from cds.core.rules import Exclusion, Group, OverrideReason, Population, Profile, SourceText
from cds.rulefiles.conclusions import read_exclusions
from cds.rulefiles.conditions import read_required
from cds.rulefiles.names import Scope
from cds.rulefiles.nodes import Block, Scalar

__all__ = [
    "NO_PROFILE",
    "read_groups",
    "read_population",
    "read_profile",
    "read_sources",
]

_MOST_CARDS: Final = 5

NO_PROFILE: Final = Profile(
    id="default",
    title="",
    override_reasons=(),
    override_system="",
    signals_system="",
    source_label="",
    source_url="",
    topic_system="",
    most_cards=_MOST_CARDS,
    texts={},
)
"""What stands in for a profile in a folder without one."""


def read_sources(roots: list[Block]) -> dict[str, SourceText]:
    """Read the evidence library, whose keys are known to be there once each."""
    return {
        key.text: SourceText(
            key=key.text,
            title=node.text("title"),
            by=node.text("by"),
            where=node.text("in"),
            year=node.whole("year") or 0,
            url=node.text("url"),
            check=node.text("check"),
        )
        for root in roots
        for key, node in root.pairs("sources")
        if isinstance(node, Block)
    }


def read_groups(roots: list[Block]) -> dict[str, Group]:
    """Read what becomes of the cards of each group."""
    return {
        root.text("id"): Group(
            id=root.text("id"),
            when_several_fire=cast(
                "Literal['show_one', 'merge']", root.text("when_several_fire", "show_one")
            ),
            title=root.text("title"),
            option=root.text("option"),
        )
        for root in roots
    }


def read_population(root: Block, scope: Scope) -> Population:
    """Read the gates of every card."""
    blocks = root.blocks("unless")
    exclusions: tuple[Exclusion, ...] = read_exclusions(blocks, scope, ("hide", "note", "show"))
    return Population(
        require=read_required(root, "require", scope),
        because=root.text("because"),
        unless=tuple(
            (one, block.texts("except")) for one, block in zip(exclusions, blocks, strict=True)
        ),
    )


def read_profile(root: Block) -> Profile:
    """Read the default profile."""
    return Profile(
        id=root.text("id"),
        title=root.text("title"),
        override_reasons=tuple(
            OverrideReason(one.text("code"), one.text("display"), one.text("hl7"))
            for one in root.blocks("override_reasons")
        ),
        override_system=root.text("override_system"),
        hl7_override_system=root.text("hl7_override_system"),
        signals_system=root.text("signals_system"),
        source_label=root.text("source_label"),
        source_url=root.text("source_url"),
        topic_system=root.text("topic_system"),
        most_cards=root.whole("most_cards") or _MOST_CARDS,
        texts={
            key.text: node.text for key, node in root.pairs("texts") if isinstance(node, Scalar)
        },
        ethnic_group=root.text("ethnic_group"),
    )
