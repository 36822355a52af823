"""
Every shipped card, composed as a response for each way in which its own cases make it fire.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from cds.core.findings import Decision
from cds.core.rules import Ruleset
from cds.fhir.drafts import Drafts, codeable
from cds.hooks.cards import compose
from cds.hooks.wire import EVALUATION
from cds.workshop.testing.expectations import hooks_of
from cds.workshop.testing.lab import Lab


def composed(rules: Ruleset) -> Iterator[tuple[str, dict[str, Any]]]:
    """Compose a card for every set of suggestions, texts and indicator that its cases bring."""
    draft = Drafts({name: codeable(one, rules.systems) for name, one in rules.concepts.items()})
    lab = Lab(rules, engine="reference")
    for card in rules.cards.values():
        seen = set()
        for case in card.tests:
            if not case.expect.get("shown") or case.expect["shown"] == "unknown":
                continue
            snapshot = lab.snapshot(case.given, hooks_of(card))
            conclusions = lab.conclude(card, snapshot)
            finding = conclusions.cards[card.id].finding
            if finding is None:
                continue
            way = (finding.indicator, finding.summary, finding.details, finding.offers)
            if way in seen:
                continue
            seen.add(way)
            decision = Decision((card.id,), (finding,), (), (), (), ())
            cards = compose(
                rules,
                snapshot,
                conclusions,
                decision,
                draft=draft,
                change=draft.change,
                new_uuid=lambda: str(uuid.uuid4()),
            )
            about = {"release": rules.release}
            yield card.id, {"cards": cards, "extension": {EVALUATION: about}}
    lab.close()
