"""
Discovery: which services there are, and what they ask for, derived from what the rules read.

One service for each hook that a card is active on (`metabolic-patient-view`, ...): some
clients keep services by their address, so that one id for two hooks would lose one (Q-03).

The templates stay inside what CDS Hooks 2.0.1 allows every client (PF-01 to PF-10):
reads and simple searches, one token, no parameter twice, no filter on status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cds.core.concepts import Concept, Search
from cds.core.hooks import DEFAULT_HOOK
from cds.core.reads import concepts_read, decisive_for
from cds.core.rules import Ruleset
from cds.hooks.contexts import CONTEXTS

__all__ = [
    "by_worth",
    "faults_of",
    "hook_of",
    "hooks_of",
    "prefetch_of",
    "service_of",
    "services",
]

_PREFIX: Final = "metabolic-"
# The version of CDS Hooks that is claimed where the client can be told (DISC-10).
_VERSION: Final = "3.0.0-ballot"

_TITLE: Final = "Insulin resistance and metabolic risk"
_WHEN: Final[Mapping[str, str]] = {
    "patient-view": "when a chart is opened",
    "order-select": "while an order is chosen",
    "order-sign": "before orders are signed",
    "order-dispatch": "when signed orders are sent out",
    "encounter-start": "when an encounter begins",
    "encounter-discharge": "at discharge",
    "appointment-book": "when an appointment is booked",
    "problem-list-item-create": "when a problem has been added",
    "medication-refill": "when a refill is asked for",
}
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
    "NutritionOrder": "plan",
    "Goal": "plan",
    "ServiceRequest": "plan",
    "FamilyMemberHistory": "family",
    "Encounter": "encounter",
}


def service_of(hook: str) -> str:
    """Name the service of a hook."""
    return _PREFIX + hook


def hook_of(service: str) -> str:
    """Name the hook of a service; empty where the id is none of ours."""
    hook = service.removeprefix(_PREFIX)
    return hook if hook != service and hook in CONTEXTS else ""


def hooks_of(ruleset: Ruleset) -> tuple[str, ...]:
    """List the hooks that a card is active on, in the order of the documentation."""
    active = {
        hook for one in ruleset.cards.values() if one.status == "active" for hook in one.hooks
    }
    return tuple(hook for hook in CONTEXTS if hook in active)


def services(
    ruleset: Ruleset,
    *,
    spec: str = "2.0",
    extension: Callable[[str], Mapping[str, Any]] = lambda _: {},
) -> dict[str, Any]:
    """
    Answer `GET /cds-services`; the same bytes for the same release.

    With *spec* 3.0 every entry says which version it speaks, of CDS Hooks and of its hook;
    readers of 2.0 do not know these members. *extension* gives what else is said of a hook.
    """
    return {
        "services": [
            _service(ruleset, hook, spec=spec, extension=extension(hook))
            for hook in hooks_of(ruleset)
        ]
    }


def _service(
    ruleset: Ruleset, hook: str, *, spec: str, extension: Mapping[str, Any]
) -> dict[str, Any]:
    service: dict[str, Any] = {
        "hook": hook,
        "id": service_of(hook),
        "title": f"{_TITLE}, {_WHEN[hook]}",
        "description": _DESCRIPTION,
        "usageRequirements": _USAGE,
    }
    prefetch = prefetch_of(ruleset, hook)
    if prefetch:
        service["prefetch"] = prefetch
    if spec == "3.0":
        service |= {"version": _VERSION, "hookVersion": CONTEXTS[hook].version}
    if extension:
        service["extension"] = dict(extension)
    return service


def prefetch_of(ruleset: Ruleset, hook: str = "") -> dict[str, str]:
    """Write a template for every search that brings something active rules (of *hook*) read."""
    names = concepts_read(ruleset, hook)
    read = [one for name, one in ruleset.concepts.items() if name in names]
    templates = {}
    for search in ruleset.searches.values():
        if search.resource == "Patient":
            templates[search.id] = f"Patient/{_PATIENT}"
        elif any(_brings(search, one) for one in read):
            templates[search.id] = _template(ruleset, search, read)
    return templates


def by_worth(ruleset: Ruleset, hook: str) -> dict[str, str]:
    """
    Give the templates of *hook* in the order in which they should be asked where time is short.

    The Patient first, then what decides most rules of safety (groups that nobody may
    switch off), then what decides most others; last what adds to a list of another search.
    """
    cards = [one for one in ruleset.cards.values() if one.status == "active" and hook in one.hooks]
    read = [(one, decisive_for(ruleset, one)) for one in cards if one.is_rule]
    templates = prefetch_of(ruleset, hook)

    def worth(key: str) -> tuple[bool, bool, int, int]:
        search = ruleset.searches[key]
        brought = {name: one for name, one in ruleset.concepts.items() if _brings(search, one)}
        decided = [one for one, names in read if not names.isdisjoint(brought)]
        safety = sum(not ruleset.groups[one.group].option for one in decided)
        # Without these a list is whole all the same.
        only_adds = search.resource not in {"Patient", "MedicationStatement"} and not any(
            one.search == key for one in brought.values()
        )
        return search.resource != "Patient", only_adds, -safety, -len(decided)

    return {key: templates[key] for key in sorted(templates, key=worth)}


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
_TOKEN: Final = re.compile(r"\{\{([^{}]*)\}\}")
_OF_THE_USER: Final = frozenset(
    {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_PARAMETER: Final = re.compile(r"[a-z][a-z-]*|_count|_sort")
_DATE: Final = re.compile(r"(eq|lt|gt|ge|le)?\d{4}.*")


def faults_of(prefetch: Mapping[str, str], hook: str = DEFAULT_HOOK) -> list[str]:
    """Name what in a set of templates for *hook* a CDS client need not support."""
    faults = [
        f"{key}: {fault}"
        for key, template in prefetch.items()
        for fault in _faults(key, template, hook)
    ]
    if len(set(prefetch.values())) != len(prefetch):
        faults.append("two keys ask for the same (PF-09)")
    return faults


def _faults(key: str, template: str, hook: str) -> Iterator[str]:
    if _KEY.fullmatch(key) is None:
        yield "the key is not simple (PF-09)"
    tokens = _OF_THE_USER | {f"context.{one}" for one in CONTEXTS[hook].tokens}
    for token in _TOKEN.findall(template):
        if token not in tokens:
            yield f"{token} is no token of {hook} (PF-03, PF-04)"
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
