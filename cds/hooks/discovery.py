"""
Discovery: which service there is, and what it asks for, derived from what the rules read.

The templates stay inside what CDS Hooks 2.0.1 allows every client (PF-01 to PF-10):
reads and simple searches, one token, no parameter twice, no filter on status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cds.core.concepts import Concept, Search
from cds.core.reads import concepts_read
from cds.core.rules import Ruleset

__all__ = ["HOOK", "SERVICE", "faults_of", "prefetch_of", "services"]

SERVICE: Final = "metabolic-patient-view"
HOOK: Final = "patient-view"

_TITLE: Final = "Insulin resistance and metabolic risk"
_DESCRIPTION: Final = (
    "Cards about insulin resistance, its stage, what drives it and what could be done, "
    "each with the results and dates it rests on. Decision support for health "
    "professionals; not a medical device."
)
_USAGE: Final = (
    "FHIR R4. Only the Patient is required; whatever else is missing counts as unknown, "
    "and cards say so."
)
_PATIENT: Final = "{{context.patientId}}"

# Which resource carries which type of concept, where a search is not by code.
_CARRIES: Final = {
    "Condition": "problem",
    "MedicationRequest": "medicine",
    "MedicationStatement": "medicine",
    "Procedure": "procedure",
    "CarePlan": "plan",
    "ServiceRequest": "plan",
    "FamilyMemberHistory": "family",
    "Encounter": "encounter",
}


def services(ruleset: Ruleset) -> dict[str, Any]:
    """Answer `GET /cds-services`; the same bytes for the same release."""
    return {
        "services": [
            {
                "hook": HOOK,
                "id": SERVICE,
                "title": _TITLE,
                "description": _DESCRIPTION,
                "usageRequirements": _USAGE,
                "prefetch": prefetch_of(ruleset),
            }
        ]
    }


def prefetch_of(ruleset: Ruleset) -> dict[str, str]:
    """Write a template for every search that brings something active rules read."""
    names = concepts_read(ruleset, HOOK)
    read = [one for name, one in ruleset.concepts.items() if name in names]
    templates = {}
    for search in ruleset.searches.values():
        if search.resource == "Patient":
            templates[search.id] = f"Patient/{_PATIENT}"
        elif any(_brings(search, one) for one in read):
            templates[search.id] = _template(ruleset, search, read)
    return templates


def _brings(search: Search, concept: Concept) -> bool:
    return concept.search == search.id or (
        not search.by_code and concept.type == _CARRIES.get(search.resource)
    )


def _template(ruleset: Ruleset, search: Search, read: list[Concept]) -> str:
    parameters = {"patient": _PATIENT}
    if search.by_code:
        codes = sorted({each for one in read for each in _codes(ruleset, search, one)})
        # What the rule file adds: panels, whose components are what is read.
        codes += [each for each in search.parameters.get("code", "").split(",") if each]
        parameters["code"] = ",".join(dict.fromkeys(codes))
    parameters |= {name: text for name, text in search.parameters.items() if name != "code"}
    if search.sort:
        parameters["_sort"] = search.sort
    if search.count is not None:
        parameters["_count"] = str(search.count)
    return f"{search.resource}?" + "&".join(f"{name}={text}" for name, text in parameters.items())


def _codes(ruleset: Ruleset, search: Search, concept: Concept) -> Iterator[str]:
    if concept.search != search.id:
        return
    for one in concept.codes:
        if not one.prefix:
            yield f"{ruleset.systems[one.system][0]}|{one.code}"


# --- what a template may be ---------------------------------------------------------

_READ: Final = re.compile(r"[A-Z][A-Za-z]+/\{\{[^{}]*\}\}")
_SEARCH: Final = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")
_TOKEN: Final = re.compile(r"\{\{(.*?)\}\}")
_TOKENS: Final = frozenset(
    {
        "context.patientId",
        "context.userId",
        "context.encounterId",
        "userPractitionerId",
        "userPractitionerRoleId",
        "userPatientId",
        "userRelatedPersonId",
    }
)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_PARAMETER: Final = re.compile(r"[a-z][a-z-]*|_count|_sort")
_DATE: Final = re.compile(r"(eq|lt|gt|ge|le)?\d{4}.*")


def faults_of(prefetch: Mapping[str, str]) -> list[str]:
    """Name what in a set of templates a CDS client need not support."""
    faults = [
        f"{key}: {fault}" for key, template in prefetch.items() for fault in _faults(key, template)
    ]
    if len(set(prefetch.values())) != len(prefetch):
        faults.append("two keys ask for the same (PF-09)")
    return faults


def _faults(key: str, template: str) -> Iterator[str]:
    if _KEY.fullmatch(key) is None:
        yield "the key is not simple (PF-09)"
    for token in _TOKEN.findall(template):
        if token not in _TOKENS:
            yield f"{token} is no token of patient-view (PF-03, PF-04)"
    if {"{", "}"} & set(_TOKEN.sub("", template)):
        yield "braces stand alone (PF-02)"
    search = _SEARCH.fullmatch(template)
    if search is not None:
        pairs = [one.partition("=") for one in search.group(2).split("&")]
        names = [name.removesuffix(":in") for name, _, _ in pairs]
        yield from _faults_of_search(search.group(1), names)
        for name, _, value in pairs:
            yield from _faults_of_parameter(name, value)
    elif _READ.fullmatch(template) is None:
        yield "neither a relative read nor a relative search (PF-01)"


def _faults_of_search(resource: str, names: list[str]) -> Iterator[str]:
    if len(set(names)) != len(names):
        yield "a parameter is repeated (PF-08)"
    if "_count" not in names:
        yield "no _count (PF-10)"
    if not {"patient", "subject"} & set(names):
        yield "not about one patient (PF-10)"
    if resource == "Observation" and not {"code", "category"} & set(names):
        yield "observations of every kind (PF-10)"


def _faults_of_parameter(name: str, value: str) -> Iterator[str]:
    if _PARAMETER.fullmatch(name.removesuffix(":in")) is None:
        yield f"{name} is beyond the recommended subset (PF-06)"
    if not value:
        yield f"{name} has no value (PF-06)"
    if name in {"date", "authored"} and _DATE.fullmatch(value) is None:
        yield f"{name} compares in a way beyond the subset (PF-06)"
    if name in {"status", "clinical-status"}:
        yield f"{name} hides entries that rules read (decision 23)"
