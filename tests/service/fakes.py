"""
A release as small as can be, and something that answers in place of the pipeline.
"""

import uuid
from dataclasses import dataclass, field, replace

from cds.core.clauses import Place, StageIs
from cds.core.headers import About, Upkeep
from cds.core.hooks import HOOKS
from cds.core.rules import Card, Profile, Ruleset

NOWHERE = Place("rules/x.yaml", 1, 1)


def ruleset(**members):
    """
    Make a release with one card, for every hook, with *members* in their places.
    """
    card = Card(
        id="card",
        title="A card",
        version="1.0.0",
        status="active",
        about=About("", "", (), ()),
        upkeep=Upkeep("", (), "pending"),
        place=NOWHERE,
        code="MC-CARD",
        hooks=HOOKS,
        group="",
        priority=1,
        show_if=StageIs(text="stage is S1", key="stage is S1", place=NOWHERE, labels=("S1",)),
        unless=(),
        inputs=(),
        indicators=(("info", None),),
        summaries=(),
        details=(),
        source="",
        grade="",
        suggestions=(),
        choose="any",
        override_reasons=(),
    )
    profile = Profile(
        id="default",
        title="Default",
        override_reasons=(),
        override_system="urn:x",
        signals_system="urn:x",
        source_label="Test",
        source_url="",
        topic_system="urn:x",
        most_cards=5,
        texts={},
    )
    empty = {
        "release": "2026.11",
        "profile": profile,
        "concepts": {},
        "searches": {},
        "systems": {"loinc": ("http://loinc.org",)},
        "sources": {},
        "actions": {},
        "groups": {},
        "population": None,
        "indices": {},
        "conditions": {},
        "stages": None,
        "factors": {},
        "cards": {"card": card},
        "readings": {},
        "order": (),
    }
    return Ruleset(**(empty | members))


@dataclass
class Told:
    """
    What a fake answers.
    """

    response: dict
    foreign: int = 0
    undrafted: tuple = ()
    unwritten: tuple = ()
    would_have_shown: tuple = ()


def whole(card):
    """
    Complete a card with what every card must have.
    """
    return {"uuid": str(uuid.uuid4()), "indicator": "info", "source": {"label": "Test"}, **card}


@dataclass
class Fake:
    """
    Answers with *told*, or raises it.
    """

    told: object = field(default_factory=lambda: Told({"cards": []}))
    why_not_durable: str = ""
    engine: str = "both"
    ruleset: Ruleset = field(default_factory=ruleset)
    seen: list = field(default_factory=list)
    closed: bool = False

    async def answer(self, raw, call):
        """
        Answer, and remember what was asked.
        """
        self.seen.append((raw, call.trace_id))
        if isinstance(self.told, Exception):
            raise self.told
        cards = [whole(one) for one in self.told.response.get("cards") or ()]
        if not cards:
            return self.told
        return replace(self.told, response={**self.told.response, "cards": cards})

    def close(self):
        """
        Remember that it was closed.
        """
        self.closed = True
