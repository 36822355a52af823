"""
A release as small as can be, and something that answers in place of the pipeline.
"""

from dataclasses import dataclass, field

from cds.core.rules import Profile, Ruleset


def ruleset(**members):
    """
    Make a release without any rule, with *members* in their places.
    """
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
        "cards": {},
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
    would_have_shown: tuple = ()


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

    def answer(self, raw, *, trace_id=""):
        """
        Answer, and remember what was asked.
        """
        self.seen.append((raw, trace_id))
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def close(self):
        """
        Remember that it was closed.
        """
        self.closed = True
