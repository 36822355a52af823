"""The shipped release, ready to answer, for tests that look inside."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cds.core.facts import Snapshot
from cds.core.findings import Conclusions
from cds.core.reads import concepts_read
from cds.core.rules import Ruleset
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import retrieve
from cds.reasoning.evaluator import Reasoner
from cds.rulefiles.loader import load_ruleset

RULES = Path(__file__).resolve().parent.parent / "rules"


class Opened:
    """One release with its extractor and its reasoner."""

    def __init__(self, rules: Ruleset) -> None:
        self.rules = rules
        read = concepts_read(rules)
        self.extractor = Extractor(
            concepts={name: one for name, one in rules.concepts.items() if name in read},
            searches=rules.searches,
            systems=rules.systems,
            groups=rules.groups_of_people,
            group_extension=rules.group_extension,
        )
        self.reasoner = Reasoner(rules, engine="both")

    def snapshot(self, prefetch: Mapping[str, Any], patient_id: str, as_of: datetime) -> Snapshot:
        """Read a prefetch."""
        retrieved = retrieve(prefetch, patient_id=patient_id, searches=self.rules.searches)
        return self.extractor.extract(retrieved, as_of=as_of)

    def conclude(
        self, prefetch: Mapping[str, Any], patient_id: str, as_of: datetime
    ) -> Conclusions:
        """Read a prefetch and conclude."""
        return self.reasoner.conclude(self.snapshot(prefetch, patient_id, as_of))


@cache
def shipped() -> Opened:
    """Open the rules of this checkout, once."""
    return Opened(load_ruleset(RULES))


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run something to its end that waits for nothing, and so needs no event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    msg = "it waits for something"
    raise AssertionError(msg)


def searchset(resources: list[Any]) -> dict[str, Any]:
    """Make a complete answer to a search."""
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
    }
    if resources:
        bundle["entry"] = [{"resource": one} for one in resources]
    return bundle
