"""
The context of every hook: what must be in it, and in what form.

The table restates the hook definitions of the CDS Hooks library (HOOK-01). A context is
read leniently where clients are known to differ: ids sent as references, Bundles without
a type, both shapes of order-dispatch. What no definition names is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cds.core.hooks import HOOKS
from cds.errors import BadRequest

__all__ = ["CONTEXTS", "Context", "HookContext", "read_context"]

_USER: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9._-]{1,128}")
# The grammar of FHIR: what is drafted for this patient must be valid. It allows an id of
# dots alone, which leads upwards in an address (T19).
_ID: Final = r"((?!\.+$)[A-Za-z0-9.-]{1,64})"
_PATIENT: Final = re.compile(rf"(?:Patient/)?{_ID}")
_ENCOUNTER: Final = re.compile(rf"(?:Encounter/)?{_ID}")


@dataclass(frozen=True, slots=True)
class Context:
    """
    What the definition of one hook says of its context.

    *version* is the `hookVersion` of its metadata table. *required* and *optional* name
    the members; of each tuple in *either*, one must be there. *tokens* are the members
    that prefetch templates may use.
    """

    version: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ("encounterId",)
    either: tuple[tuple[str, ...], ...] = ()
    tokens: tuple[str, ...] = ("userId", "patientId", "encounterId")


_WHO: Final = ("userId", "patientId")

CONTEXTS: Final[Mapping[str, Context]] = {
    "patient-view": Context("1.0", _WHO),
    "order-select": Context("1.0", (*_WHO, "selections", "draftOrders")),
    "order-sign": Context("1.0", (*_WHO, "draftOrders")),
    "order-dispatch": Context(
        "1.1",
        ("patientId", "performer"),
        optional=("userId",),
        # The shape of 1.1, and that of 1.0.
        either=(("dispatchedOrders", "order"),),
        tokens=("patientId", "dispatchedOrders", "performer"),
    ),
    "encounter-start": Context("1.0", (*_WHO, "encounterId"), optional=()),
    "encounter-discharge": Context("1.0", (*_WHO, "encounterId"), optional=()),
    "appointment-book": Context("1.0", (*_WHO, "appointments")),
    "problem-list-item-create": Context("0.1.0", (*_WHO, "conditions")),
    "medication-refill": Context(
        "0.1.0", ("patientId", "medications"), optional=("userId", "encounterId")
    ),
}
"""Every hook there is a service for, in the order of `cds.core.hooks.HOOKS`."""

assert tuple(CONTEXTS) == HOOKS, "every hook has a context, in the same order"  # noqa: S101


@dataclass(frozen=True, slots=True)
class HookContext:
    """
    A context as read: *patient_id* and *encounter_id* bare, also where references came.

    *user_id* and *encounter_id* are empty where they were not sent. *members* is the
    context as it came, numbers of the patient written as text.
    """

    patient_id: str
    user_id: str
    encounter_id: str
    members: Mapping[str, Any]


def read_context(hook: str, members: Mapping[str, Any]) -> HookContext:
    """
    Read the context of a call of *hook*.

    Raises `BadRequest` with the place of the first member that is missing or of a wrong
    form; what is optional and cannot be read counts as not sent.
    """
    definition = CONTEXTS[hook]
    if type(members.get("patientId")) is int:
        # Some records number their resources; an id is a string all the same.
        members = {**members, "patientId": str(members["patientId"])}
    for name in definition.required:
        if members.get(name) is None:
            raise BadRequest("is required", path=f"$.context.{name}")
        _FORMS[name](members[name], f"$.context.{name}")
    for names in definition.either:
        found = [name for name in names if members.get(name) is not None]
        if not found:
            raise BadRequest("is required", path=f"$.context.{names[0]}")
        _FORMS[found[0]](members[found[0]], f"$.context.{found[0]}")
    return HookContext(
        patient_id=_bare(_PATIENT, members["patientId"]),
        user_id=_user_of(members.get("userId")),
        encounter_id=_bare(_ENCOUNTER, members.get("encounterId")),
        members=members,
    )


def _bare(form: re.Pattern[str], value: Any) -> str:
    found = form.fullmatch(value) if isinstance(value, str) else None
    return "" if found is None else found.group(1)


def _user_of(value: Any) -> str:
    return value if isinstance(value, str) and _USER.fullmatch(value) else ""


def _is_text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequest("must be a string that is not empty", path=path)
    return value


def _is_user(value: Any, path: str) -> None:
    if _USER.fullmatch(_is_text(value, path)) is None:
        raise BadRequest("must be a type and an id, such as Practitioner/1", path=path)


def _is_patient(value: Any, path: str) -> None:
    if _PATIENT.fullmatch(_is_text(value, path)) is None:
        raise BadRequest(
            "must be the id of a Patient: at most 64 letters, digits, '-' and '.'", path=path
        )


def _is_encounter(value: Any, path: str) -> None:
    if _ENCOUNTER.fullmatch(_is_text(value, path)) is None:
        raise BadRequest(
            "must be the id of an Encounter: at most 64 letters, digits, '-' and '.'", path=path
        )


def _are_texts(value: Any, path: str) -> None:
    if not isinstance(value, list) or any(not isinstance(one, str) for one in value):
        raise BadRequest("must be an array of references, such as MedicationRequest/1", path=path)


def _is_bundle(value: Any, path: str) -> None:
    # Most examples leave out the type of the Bundle, some its resourceType (HOOK-06).
    is_one = isinstance(value, dict) and value.get("resourceType", "Bundle") == "Bundle"
    if not is_one or not isinstance(value.get("entry"), list | None):
        raise BadRequest("must be a Bundle", path=path)


_FORMS: Final[Mapping[str, Callable[[Any, str], object]]] = {
    "userId": _is_user,
    "patientId": _is_patient,
    "encounterId": _is_encounter,
    "selections": _are_texts,
    "dispatchedOrders": _are_texts,
    "order": _is_text,
    "performer": _is_text,
    "draftOrders": _is_bundle,
    "appointments": _is_bundle,
    "conditions": _is_bundle,
    "medications": _is_bundle,
}
