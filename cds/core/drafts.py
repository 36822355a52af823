"""
What keeps a drafted resource a draft: said once for the rule files and for what goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MEDICINES", "UNCONFIRMED", "draft_fields"]

MEDICINES: Final = frozenset(
    {
        "MedicationRequest",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationStatement",
        "Immunization",
        "ImmunizationRecommendation",
    }
)
"""Resource types that are never drafted."""

UNCONFIRMED: Final = "unconfirmed"
"""The verification status that a drafted Condition must have."""

# Where a type has no intent, its status alone; in R4 a request to communicate has none.
_LIVE: Final[Mapping[str, Mapping[str, str]]] = {
    "Goal": {"lifecycleStatus": "proposed"},
    "Appointment": {"status": "proposed"},
    "CommunicationRequest": {"status": "draft"},
}
_REQUEST: Final[Mapping[str, str]] = {"status": "draft", "intent": "proposal"}


def draft_fields(kind: str) -> Mapping[str, str]:
    """Give the fields, with their values, that a drafted resource of a type must have."""
    return _LIVE.get(kind, _REQUEST)
