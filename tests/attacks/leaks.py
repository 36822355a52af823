"""
What of a request stands in its answer, and must not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from tests.attacks.good import FOREIGN, MARK, OWN

__all__ = ["leaks"]


def leaks(response: Any) -> Iterator[str]:
    """Name what stands in an answer, head and body, that came with the request."""
    said = f"{response.text} {dict(response.headers)}".lower()
    if response.status_code == 200:
        # Suggestions may change or take back what was drafted for this patient.
        said = json.dumps(_without_drafts(response.json())).lower()
    for mark in (MARK, FOREIGN):
        if mark in said:
            at = said.index(mark)
            yield f"of the request: {said[max(0, at - 60) : at + 40]}"
    if response.status_code != 200 and OWN in said:
        yield "the patient, in a refusal"


def _without_drafts(body: Any) -> Any:
    """Leave out the updates and deletes of drafts."""
    found = copy.deepcopy(body)
    for card in found.get("cards", []):
        for suggestion in card.get("suggestions", []):
            suggestion["actions"] = [
                one for one in suggestion.get("actions", []) if one["type"] == "create"
            ]
    return found
