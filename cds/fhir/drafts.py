"""
Drafts: a template of the action library, filled, and proved to be no more than a draft.

A dict goes out as it was checked, never a dump of the model: a dump changes numbers and
dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.drafts import MEDICINES, UNCONFIRMED, draft_fields
from cds.fhir import evidence
from cds.fhir.evidence import code_faults, known_faults, model_of, places_of

__all__ = ["Drafts", "Hole", "changed", "checked", "codeable", "fill", "warm_up"]

Hole = str | Decimal

_HOLE: Final = re.compile(r"\{\{(=?)\s*([\w.]{1,80})\s*\}\}", re.ASCII)
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}", re.ASCII)
_SUBJECT: Final[Mapping[str, str]] = {"NutritionOrder": "patient", "Task": "for"}
_SAMPLE: Final[Mapping[str, Any]] = {
    "code": {"coding": [{"system": "urn:sample", "code": "sample"}], "text": "Sample"},
    "subject": {"reference": "Patient/sample"},
}
_REQUESTED: Final = {"status": "draft", "intent": "proposal", **_SAMPLE}
_PLANNED: Final = {"status": "draft", "intent": "proposal", "subject": _SAMPLE["subject"]}
_SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "ServiceRequest": {**_REQUESTED, "priority": "routine", "reasonCode": [_SAMPLE["code"]]},
    "CarePlan": {
        **_PLANNED,
        "activity": [{"detail": {"status": "not-started", "code": _SAMPLE["code"]}}],
    },
    "Goal": {
        "lifecycleStatus": "proposed",
        "description": {"text": "Sample"},
        "subject": _SAMPLE["subject"],
        "target": [{"detailQuantity": {"value": 1, "unit": "kg"}, "dueDate": "2026-01-01"}],
    },
    "CommunicationRequest": {
        "status": "draft",
        "subject": _SAMPLE["subject"],
        "payload": [{"contentString": "Sample"}],
    },
    "Condition": {
        **_SAMPLE,
        "verificationStatus": {"coding": [{"system": "urn:sample", "code": UNCONFIRMED}]},
    },
    "Observation": {
        **_SAMPLE,
        "status": "final",
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 1, "unit": "kg"},
    },
    "MedicationRequest": {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _SAMPLE["code"],
        "subject": _SAMPLE["subject"],
    },
}


def codeable(concept: Concept, systems: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """
    Write the codes of a concept as a CodeableConcept: the first plain one of each system.

    Codes of a family (`E11*`), of history, or bound to an age are no codes to send.
    """
    codings: dict[str, dict[str, str]] = {}
    for rule in concept.codes:
        bound = rule.age_above is not None or rule.age_below is not None
        if rule.prefix or rule.history or rule.with_fasting or bound:
            continue
        addresses = systems.get(rule.system, ())
        if addresses and rule.system not in codings:
            codings[rule.system] = {"system": addresses[0], "code": rule.code}
    made: dict[str, Any] = {"coding": list(codings.values())} if codings else {}
    return {**made, "text": concept.title}


def fill(
    template: Mapping[str, Any],
    holes: Mapping[str, Hole],
    *,
    concepts: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """
    Fill a template once: what is filled in is never read again.

    `{{a.b}}` becomes text, `{{=a.b}}` standing alone a JSON number, `{$concept: name}`
    the CodeableConcept that *concepts* holds. Raises `ValueError` with the place where
    nothing is there to fill in.
    """
    kind = template.get("resourceType")
    place = kind if isinstance(kind, str) else "resource"
    return _filled_members(template, holes, concepts or {}, place)


def _filled_members(
    node: Mapping[str, Any],
    holes: Mapping[str, Hole],
    concepts: Mapping[str, Mapping[str, Any]],
    place: str,
) -> dict[str, Any]:
    return {
        name: _filled(value, holes, concepts, f"{place}.{name}") for name, value in node.items()
    }


def _filled(
    node: Any, holes: Mapping[str, Hole], concepts: Mapping[str, Mapping[str, Any]], place: str
) -> Any:
    if isinstance(node, str):
        return _filled_text(node, holes, place) if "{{" in node else node
    if isinstance(node, Mapping):
        name = node.get("$concept")
        if name is None:
            return _filled_members(node, holes, concepts, place)
        if name not in concepts:
            raise ValueError(f"{place}: no codes for what stands there")
        rest = {key: one for key, one in node.items() if key != "$concept"}
        return {**concepts[name], **_filled_members(rest, holes, concepts, place)}
    if isinstance(node, list | tuple):
        return [
            _filled(one, holes, concepts, f"{place}[{position}]")
            for position, one in enumerate(node)
        ]
    return node


def _filled_text(text: str, holes: Mapping[str, Hole], place: str) -> Hole:
    alone = _HOLE.fullmatch(text)
    if alone is not None and alone[1]:
        number = holes.get(alone[2])
        if not isinstance(number, Decimal) or not number.is_finite():
            raise ValueError(f"{place}: no number to fill in")
        return number

    def value(hole: re.Match[str]) -> str:
        found = holes.get(hole[2])
        if found is None or hole[1]:
            raise ValueError(f"{place}: nothing to fill in")
        return format(found, "f") if isinstance(found, Decimal) else found

    return _HOLE.sub(value, text)


def checked(resource: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give back a resource that is valid R4, about the patient, and no more than a draft.

    Raises `ValueError` with the place of what is wrong, and no value.
    """
    kind = resource.get("resourceType")
    model = model_of(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or model is None or kind in MEDICINES:
        raise ValueError("resourceType: not a type that is drafted")
    _check_draft(kind, resource)
    made = dict(resource)
    try:
        valid = model.model_validate(made)
    except Exception as error:  # noqa: BLE001 - whatever it was, it does not go out
        raise ValueError(f"{places_of(kind, error)[0]}: not valid R4") from None
    wrong = next(code_faults(valid, made, kind), None)
    if wrong is not None:
        raise ValueError(f"{wrong}: not a code that R4 allows")
    return made


def _check_draft(kind: str, resource: Mapping[str, Any]) -> None:
    name = _SUBJECT.get(kind, "subject")
    subject = resource.get(name)
    reference = subject.get("reference") if isinstance(subject, Mapping) else None
    if not isinstance(reference, str) or _PATIENT.fullmatch(reference) is None:
        raise ValueError(f"{kind}.{name}: not a reference to the patient")
    if kind == "Condition":
        status = resource.get("verificationStatus")
        codings = status.get("coding") if isinstance(status, Mapping) else None
        sent = {one.get("code") for one in codings} if isinstance(codings, list) else set()
        if sent != {UNCONFIRMED}:
            raise ValueError(f"{kind}.verificationStatus: not unconfirmed")
        return
    for field, wanted in draft_fields(kind).items():
        if resource.get(field) != wanted:
            raise ValueError(f"{kind}.{field}: more than a draft")


def changed(draft: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give the whole of a draft that was received, with other members.

    What R4 does not know is kept as it came. Raises `ValueError` with the place where the
    draft is not valid R4, before or after, or is more than a draft; and no value.
    """
    kind = draft.get("resourceType")
    if not isinstance(kind, str):
        raise ValueError("resourceType: not a type of R4")  # noqa: TRY004 - as all that is wrong here
    for field, wanted in draft_fields(kind).items():
        if field != "intent" and draft.get(field) != wanted:
            raise ValueError(f"{kind}.{field}: not a draft")
    made = {**draft, **members}
    for one in (draft, made):
        wrong = next(iter(known_faults(one)), "") or _empty(one, kind)
        if wrong:
            raise ValueError(f"{wrong}: not valid R4")
    return made


def _empty(value: Any, place: str) -> str:
    """Find a member that holds nothing, which FHIR JSON must not have; empty where none does."""
    if value is None or (isinstance(value, str | list | dict) and not value):
        return place
    if isinstance(value, Mapping):
        inside = ((f"{place}.{name}", one) for name, one in value.items())
    elif isinstance(value, list):
        inside = ((f"{place}[{at}]", one) for at, one in enumerate(value))
    else:
        return ""
    return next((found for where, one in inside if (found := _empty(one, where))), "")


class Drafts:
    """
    Drafts resources from templates, and changes drafts that were received.

    A template that is filled with nothing but the patient's id and dates is validated
    the first time it is used; one that takes in a number, every time.
    """

    def __init__(self, concepts: Mapping[str, Mapping[str, Any]]) -> None:
        self._concepts = concepts
        # By their text: a plan is put together for each card. There are as many texts as
        # the rules have templates, and plans as they have ways to offer actions.
        self._proved: set[str] = set()

    def __call__(self, template: Mapping[str, Any], holes: Mapping[str, Hole]) -> dict[str, Any]:
        """Fill and check one template; raises `ValueError` with the place of what is wrong."""
        filled = fill(template, holes, concepts=self._concepts)
        text = repr(template)
        if text in self._proved:
            _check_draft(filled["resourceType"], filled)
            return filled
        drafted = checked(filled)
        if _is_fixed(template):
            self._proved.add(text)
        return drafted

    def change(
        self,
        draft: Mapping[str, Any],
        members: Mapping[str, Any],
        holes: Mapping[str, Hole],
    ) -> dict[str, Any]:
        """Fill *members* and put them into a draft; raises `ValueError` with a place."""
        return changed(draft, fill(members, holes, concepts=self._concepts))


_FIXED: Final = ("patient.", "as_of.")


def _is_fixed(value: Any) -> bool:
    """Tell whether every hole is the patient's id or a date."""
    if isinstance(value, str):
        return all(name.startswith(_FIXED) for _, name in _HOLE.findall(value))
    if isinstance(value, Mapping):
        return all(_is_fixed(one) for one in value.values())
    if isinstance(value, list | tuple):
        return all(_is_fixed(one) for one in value)
    return True


def warm_up() -> None:
    """Load the classes that drafts and citations need; the first use would be slow."""
    evidence.warm_up(_SAMPLES)
