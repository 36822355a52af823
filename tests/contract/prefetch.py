"""
The templates of discovery: what every client of CDS Hooks 2.0.1 can fill in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tests.contract.looking import Look

__all__ = ["TOKENS", "templates"]

_USERS: Final = frozenset(
    {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
)
_THREE: Final = frozenset({"context.userId", "context.patientId", "context.encounterId"})
TOKENS: Final = {
    "patient-view": _THREE,
    "order-select": _THREE,
    "order-sign": _THREE,
    # dispatchedOrders is an array: a token of the table, but no primitive (PF-03).
    "order-dispatch": frozenset({"context.patientId", "context.performer"}),
    "encounter-start": _THREE,
    "encounter-discharge": _THREE,
    "appointment-book": _THREE,
    "problem-list-item-create": _THREE,
    "allergyintolerance-create": _THREE,
    "medication-refill": _THREE,
}
"""What each hook lets stand between double braces."""

_TOKEN: Final = re.compile(r"\{\{(.*?)\}\}")
_READ: Final = re.compile(r"[A-Z][A-Za-z]+/\{\{[^{}]+\}\}")
_SEARCH: Final = re.compile(r"([A-Z][A-Za-z]+)\?(\S+)")
_NAME: Final = re.compile(r"([a-z][a-z-]*)(:in)?")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_DATE: Final = re.compile(r"(eq|lt|gt|ge|le)?(\d{4}(-\d\d){0,2}.*|\{\{.*)")
# Search parameters of R4 that we may use, by resource; the names are HL7's.
_R4: Final = {
    "Observation": {"patient", "code", "category", "date", "status"},
    "Condition": {"patient", "code", "category", "clinical-status", "onset-date"},
    "MedicationRequest": {"patient", "code", "status", "intent", "authoredon"},
    "MedicationStatement": {"patient", "code", "status", "effective"},
    "Procedure": {"patient", "code", "date", "status"},
    "ServiceRequest": {"patient", "code", "status", "authored", "intent"},
    "CarePlan": {"patient", "category", "status", "date"},
    "NutritionOrder": {"patient", "datetime", "oraldiet", "status"},
    "FamilyMemberHistory": {"patient", "code", "status", "relationship"},
    "Encounter": {"patient", "date", "status", "class", "type"},
    "AllergyIntolerance": {"patient", "code", "clinical-status"},
    "DiagnosticReport": {"patient", "code", "category", "date", "status"},
    "Goal": {"patient", "lifecycle-status"},
    "Immunization": {"patient", "vaccine-code", "date", "status"},
    "EpisodeOfCare": {"patient", "status", "date", "type"},
}
_DATES: Final = frozenset({"date", "authored", "authoredon", "onset-date", "effective"})


def templates(look: Look, prefetch: Mapping[str, str], hook: str, at: str) -> None:
    """Check the templates of one service."""
    for key, template in prefetch.items():
        place = f"{at}.{key}"
        if _KEY.fullmatch(key) is None:
            look.wrong("PF-09", "a key that is not simple", place)
        _tokens(look, template, hook, place)
        search = _SEARCH.fullmatch(template)
        if search is not None:
            _search(look, search[1], search[2], place)
        elif _READ.fullmatch(template) is None:
            look.wrong("PF-01", "neither a relative read nor a relative search", place)
    if len(set(prefetch.values())) != len(prefetch):
        look.wrong("PF-09", "two keys for one thing", at)


def _tokens(look: Look, template: str, hook: str, at: str) -> None:
    if {"{", "}"} & set(_TOKEN.sub("", template)):
        look.wrong("PF-02", "braces that hold no token", at)
    for token in _TOKEN.findall(template):
        if re.fullmatch(r"(context\.)?[A-Za-z]+", token) is None:
            look.wrong("PF-05" if "(" in token or "%" in token else "PF-03", f"{token}", at)
        elif token not in _USERS | TOKENS.get(hook, _THREE):
            look.wrong("PF-04", f"{token} is no token of {hook}", at)


def _search(look: Look, resource: str, query: str, at: str) -> None:
    names = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        names.append(name.removesuffix(":in"))
        if name == "_sort" and re.fullmatch(r"-?[a-z-]+", value):
            continue
        if name == "_count" and value.isdigit():
            continue
        match = _NAME.fullmatch(name)
        if match is None or not value:
            look.wrong("PF-06", f"{name} is beyond the recommended subset", at)
        elif match[1] not in _R4.get(resource, ()):
            look.wrong("PF-07", f"{name} is no parameter of {resource} in R4", at)
        elif match[1] in _DATES and _DATE.fullmatch(value) is None:
            look.wrong("PF-06", f"{name} compares in a way beyond the subset", at)
        elif match[1] == "patient" and value != "{{context.patientId}}":
            look.wrong("PF-10", "not the patient of the context", at)
    if len(names) != len(set(names)):
        look.wrong("PF-08", "a parameter twice", at)
    if "_count" not in names or "patient" not in names:
        look.wrong("PF-10", "a search without patient and _count", at)
    if resource == "Observation" and not {"code", "category"} & set(names):
        look.wrong("PF-10", "observations of every kind", at)
