"""
Test patients: the `given:` of an inline case as the FHIR resources an EHR would send.

Cases go through the same door as requests: a value becomes an Observation, is read,
converted and judged by the code that reads an EHR's data, so a case proves that too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from cds.core.concepts import CodeRule, Concept
from cds.core.rules import Ruleset

__all__ = ["NOW", "CannotRead", "prefetch_of", "resource_of"]

NOW: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
_ID: Final = "case"
_AGO: Final = re.compile(
    r"^(?P<value>.*?)\s*(?:(?:from (?P<since>\d+) to )?(?P<ago>\d+) days? ago"
    r"|in (?P<ahead>\d+) days?)?"
    r"(?:\s+at (?P<clock>\d\d:\d\d)|\s+(?P<timeless>without time))?$"
)
_REMARK: Final = re.compile(r"(coded|called|by route|of) (.+)")
_NUMBER: Final = re.compile(r"^(?P<bound><=|>=|<|>)?\s*(?P<number>-?\d+(?:\.\d+)?)\s*(?P<unit>.*)$")
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_DEFAULT_DAYS: Final = 10
_LOCAL: Final = "08:10"


_SEXES: Final = ("male", "female", "other", "unknown")


class CannotRead(ValueError):
    """Something in `given:` that no patient can have; names the key and what is possible."""


def prefetch_of(rules: Ruleset, given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Make the prefetch of a test patient.

    Every search is answered and complete unless `not_sent` or `not_complete` names it.
    Values are ten days old, drawn at 08:10, unless they say otherwise.
    """
    patient: dict[str, Any] = {"resourceType": "Patient", "id": _ID}
    bundles: dict[str, list[dict[str, Any]]] = {
        name: [] for name, search in rules.searches.items() if search.resource != "Patient"
    }
    missing: set[str] = set()
    partial: set[str] = set()
    for name, value in given.items():
        if value in ("none", None):
            continue
        if name == "age":
            patient["birthDate"] = _birth_date(str(value))
        elif name == "sex":
            if value not in _SEXES:
                msg = f"`{value}` is not a sex: {', '.join(_SEXES)}"
                raise CannotRead(msg)
            patient["gender"] = str(value)
        elif name == "group":
            patient["extension"] = [_group(rules, str(value))]
        elif name == "not_sent":
            missing = set(_names(rules, value))
        elif name == "not_complete":
            partial = set(_names(rules, value))
        elif name in rules.concepts:
            concept = rules.concepts[name]
            if concept.type == "episode":
                parts = ", ".join(concept.begins)
                msg = f"`{name}` is made of other data and cannot be given; give one of {parts}"
                raise CannotRead(msg)
            for number, resource in enumerate(_resources(rules, concept, value)):
                resource["id"] = f"{name.replace('_', '-')}-{number}"[:64]
                bundles[_search_of(rules, concept)].append(resource)
        else:
            msg = f"`{name}` is not a concept; a case gives data, age, sex, group, not_sent"
            raise CannotRead(msg)
    prefetch: dict[str, Any] = {_patient_search(rules): patient}
    for name, resources in bundles.items():
        if name not in missing:
            prefetch[name] = _bundle(resources, partial=name in partial)
    return prefetch


def _patient_search(rules: Ruleset) -> str:
    return next(name for name, one in rules.searches.items() if one.resource == "Patient")


def _names(rules: Ruleset, value: Any) -> Iterator[str]:
    for name in value if isinstance(value, list | tuple) else [value]:
        if str(name) not in rules.searches:
            msg = f"`{name}` is not a search; searches are {', '.join(sorted(rules.searches))}"
            raise CannotRead(msg)
        yield str(name)


def _search_of(rules: Ruleset, concept: Concept) -> str:
    if concept.search not in rules.searches:
        msg = f"`{concept.id}` names no search"
        raise CannotRead(msg)
    return concept.search


def _bundle(resources: list[dict[str, Any]], *, partial: bool) -> dict[str, Any]:
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one, "search": {"mode": "match"}} for one in resources],
    }
    if partial:
        bundle["link"] = [{"relation": "next", "url": "urn:more"}]
    else:
        bundle["total"] = len(resources)
    if not resources:
        del bundle["entry"]
    return bundle


def _birth_date(text: str) -> str:
    years = int(text.split(maxsplit=1)[0])
    return NOW.replace(year=NOW.year - years).date().isoformat()


def _group(rules: Ruleset, group: str) -> dict[str, Any]:
    code = next((code for code, name in rules.groups_of_people.items() if name == group), None)
    if code is None:
        msg = f"`{group}` is not a group of people that the rule files know"
        raise CannotRead(msg)
    return {"url": rules.group_extension, "valueCode": code}


# --- one concept ----------------------------------------------------------------


def _resources(rules: Ruleset, concept: Concept, value: Any) -> Iterator[dict[str, Any]]:
    for one in value if isinstance(value, list | tuple) else [value]:
        yield resource_of(rules, concept, str(one))


def resource_of(rules: Ruleset, concept: Concept, text: str) -> dict[str, Any]:
    """Make the resource of one value, such as `5.8 % 3 days ago` or `present`."""
    match = _AGO.match(text)
    if match is None:  # pragma: no cover - the pattern matches every text
        raise CannotRead(text)
    word, more = _remarks(concept, match["value"].rstrip(",").strip())
    dated = match["ago"] is not None or match["ahead"] is not None
    days = -int(match["ahead"]) if match["ahead"] else int(match["ago"] or _DEFAULT_DAYS)
    day = (NOW - timedelta(days=days)).date().isoformat()
    when = f"{day}T{match['clock'] or _LOCAL}:00+00:00"
    if match["timeless"]:
        when = day
    if concept.type in {"quantity", "answer", "date"}:
        return _observation(rules, concept, word, when, days, more)
    if concept.type == "encounter":
        return _encounter(concept, word, day)
    ended = ""
    if match["since"]:
        day, ended = (NOW - timedelta(days=int(match["since"]))).date().isoformat(), day
    return _listed(rules, concept, word, day if dated else "", ended, more)


def _remarks(concept: Concept, text: str) -> tuple[str, dict[str, str]]:
    """Split `present, called low-carb diet, by route topical` into its word and what follows."""
    word, *parts = text.split(", ")
    more: dict[str, str] = {}
    for part in parts:
        match = _REMARK.fullmatch(part)
        if match is None:
            forms = "`coded CODE`, `called TEXT`, `by route ROUTE` or `of WHOM`"
            msg = f"`{concept.id}: {part}`: expected {forms}"
            raise CannotRead(msg)
        more[match[1]] = match[2]
    return word, more


def _coding(rules: Ruleset, concept: Concept, more: Mapping[str, str]) -> dict[str, str]:
    """Give the first plain code of a concept, or the one that was asked for."""
    code = _plain_code(concept)
    system, _, wanted = more.get("coded", "").rpartition("|")
    if wanted:
        system = system or (code.system if code is not None else "")
        if system not in rules.systems:
            msg = f"`{concept.id}: coded {wanted}`: write `coded SYSTEM|{wanted}`"
            raise CannotRead(msg)
        return {"system": rules.systems[system][0], "code": wanted}
    if code is None:
        return {}
    return {"system": rules.systems[code.system][0], "code": code.code}


def _plain_code(concept: Concept) -> CodeRule | None:
    plain = [one for one in concept.codes if not one.with_fasting and not one.history]
    return next(iter(plain or concept.codes), None)


def _observation(
    rules: Ruleset, concept: Concept, word: str, when: str, days: int, more: Mapping[str, str]
) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "survey"}]}],
        "code": {"coding": [_coding(rules, concept, more)]},
        "subject": {"reference": f"Patient/{_ID}"},
        "effectiveDateTime": when,
    }
    if concept.type == "date":
        moment = NOW - timedelta(days=days)
        resource["effectiveDateTime"] = NOW.date().isoformat()
        resource["valueDateTime"] = moment.date().isoformat()
        return resource
    if concept.type == "answer" or (concept.answers and not _NUMBER.match(word)):
        resource.update(_answer(concept, word))
        return resource
    match = _NUMBER.match(word)
    if match is None:
        msg = f"`{concept.id}: {word}` is not a number with its unit"
        raise CannotRead(msg)
    quantity: dict[str, Any] = {"value": Decimal(match["number"])}
    if match["bound"]:
        quantity["comparator"] = match["bound"]
    if match["unit"]:
        quantity |= {
            "unit": match["unit"],
            "system": "http://unitsofmeasure.org",
            "code": match["unit"],
        }
    elif concept.unit == "1":
        quantity |= {"unit": "1", "system": "http://unitsofmeasure.org", "code": "1"}
    resource["valueQuantity"] = quantity
    return resource


def _answer(concept: Concept, word: str) -> dict[str, Any]:
    wanted = {"present": "yes", "absent": "no"}.get(word, word)
    for code, meaning in concept.answers.items():
        if wanted in (code, meaning):
            if code in {"true", "false"}:
                return {"valueBoolean": code == "true"}
            return {"valueCodeableConcept": {"coding": [{"system": "urn:answer", "code": code}]}}
    msg = f"`{concept.id}: {word}` is not an answer; answers are {', '.join(concept.answers)}"
    raise CannotRead(msg)


def _encounter(concept: Concept, word: str, day: str) -> dict[str, Any]:
    code = _plain_code(concept)
    running = word == "present"
    period = {"start": day} if running else {"start": day, "end": day}
    return {
        "resourceType": "Encounter",
        "status": "in-progress" if running else "finished",
        "class": {"code": code.code if code else ""},
        "subject": {"reference": f"Patient/{_ID}"},
        "period": period,
    }


_WORDS: Final = ("present", "history", "suspected", "refuted")


def _listed(
    rules: Ruleset, concept: Concept, word: str, day: str, ended: str, more: Mapping[str, str]
) -> dict[str, Any]:
    if word not in _WORDS:
        msg = f"`{concept.id}: {word}`: a listed thing is {', '.join(_WORDS)} [N days ago], or none"
        raise CannotRead(msg)
    subject = {"reference": f"Patient/{_ID}"}
    coding = _coding(rules, concept, more)
    text = (concept.text.words or concept.text.endings or ("",))[0] if concept.text else ""
    meaning = {"coding": [coding]} if coding else {"text": text}
    if "called" in more:
        meaning = {"text": more["called"]}
    if concept.type == "medicine":
        order: dict[str, Any] = {
            "resourceType": "MedicationRequest",
            "status": "active" if word == "present" else "stopped",
            "intent": "order",
            "medicationCodeableConcept": meaning,
            "subject": subject,
        }
        if day:
            order["authoredOn"] = day
        if ended:
            order["dispenseRequest"] = {"validityPeriod": {"end": ended}}
        if "by route" in more:
            order["dosageInstruction"] = [{"route": {"text": more["by route"]}}]
        return order
    if concept.type == "order":
        return {
            "resourceType": "ServiceRequest",
            "status": "active" if word == "present" else "completed",
            "intent": "order",
            "code": meaning,
            "subject": subject,
            **({"authoredOn": day} if day else {}),
        }
    if concept.type == "procedure":
        return {
            "resourceType": "Procedure",
            "status": "completed",
            "code": meaning,
            "subject": subject,
            **({"performedDateTime": day} if day else {}),
        }
    if concept.type == "family":
        return {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "patient": subject,
            "relationship": {"text": more.get("of", next(iter(concept.relatives), ""))},
            "condition": [{"code": meaning}],
            **({"date": day} if day else {}),
        }
    if concept.type == "plan":
        return {
            "resourceType": "CarePlan",
            "status": "active" if word == "present" else "completed",
            "intent": "plan",
            "subject": subject,
            "category": [meaning],
            **({"period": {"start": day}} if day else {}),
        }
    resource = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "resolved" if word == "history" else "active"}]},
        "verificationStatus": {
            "coding": [{"code": "refuted" if word == "refuted" else "confirmed"}]
        },
        "code": meaning,
        "subject": subject,
    }
    if day:
        resource["onsetDateTime"] = day
    if ended:
        resource["abatementDateTime"] = ended
    return resource
