"""
The FHIR R4 resources that a service suggests, or refuses with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from tests.contract.looking import Look

__all__ = ["created", "faults_of", "updated"]

# What a suggested resource may say of its own state: nothing that is in force.
_NOT_IN_FORCE: Final = {
    "status": frozenset({"draft", "proposed"}),
    "lifecycleStatus": frozenset({"proposed"}),
    "intent": frozenset({"proposal", "plan", "order", "option"}),
}
_UNCONFIRMED: Final = frozenset({"unconfirmed", "provisional", "differential"})
_ABOUT: Final = ("subject", "patient", "for", "beneficiary")


def faults_of(resource: Any) -> list[str]:
    """Name what the models of R4 do not like; never its value."""
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return ["no resource"]
    try:
        model = get_fhir_model_class(resource["resourceType"])
    except ValueError:
        return ["no resource of R4"]
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [
            "not valid in R4: " + ".".join(str(part) for part in one["loc"])
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    return []


def created(look: Look, resource: dict[str, Any], patient: str, at: str) -> None:
    """Check what would be created: valid, with an id, not in force, about this patient."""
    for fault in faults_of(resource):
        look.wrong("SUG-13" if "no resource of" in fault else "SUG-07", fault, at)
    look.text("SUG-10", resource, "id", at)
    for name, allowed in _NOT_IN_FORCE.items():
        if name in resource and resource[name] not in allowed:
            look.wrong("SUG-12", f"{name} is in force", f"{at}.{name}")
    _condition(look, resource, at)
    _about(look, resource, patient, at)


def updated(
    look: Look, resource: dict[str, Any], draft: Mapping[str, Any] | None, patient: str, at: str
) -> None:
    """Check what would be updated: the whole of the draft, with nothing lost."""
    look.text("SUG-08", resource, "id", at)
    _about(look, resource, patient, at)
    if draft is None:
        return
    lost = sorted(set(_members(draft)) - set(_members(resource)))
    # What an update is there to change may go; more than a little gone is another resource.
    for name in sorted(set(draft) - set(resource)):
        look.wrong("SUG-08", f"the update loses {name}", at)
    if len(lost) > 10:
        look.wrong("SUG-08", f"the update loses {len(lost)} members", at)
    if resource.get("status") != draft.get("status"):
        look.wrong("SUG-12", "the update changes the status", at)
    if not faults_of(draft):
        for fault in faults_of(resource):
            look.wrong("SUG-08", fault, at)


def _condition(look: Look, resource: Mapping[str, Any], at: str) -> None:
    if resource.get("resourceType") != "Condition":
        return
    coding = resource.get("verificationStatus", {}).get("coding", [{}])
    if not {one.get("code") for one in coding} & _UNCONFIRMED:
        look.wrong("SUG-12", "a problem that is confirmed", f"{at}.verificationStatus")


def _about(look: Look, resource: Mapping[str, Any], patient: str, at: str) -> None:
    found = {
        name: resource[name].get("reference")
        for name in _ABOUT
        if isinstance(resource.get(name), dict)
    }
    if not found:
        look.wrong("SUG-12", "about nobody", at)
    for name, reference in found.items():
        bare = str(reference).rpartition("Patient/")[2].partition("/")[0]
        if patient and (bare != patient or "Patient/" not in str(reference)):
            look.wrong("SUG-12", "about somebody else", f"{at}.{name}")


def _members(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield f"{path}.{name}"
            yield from _members(one, f"{path}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _members(one, f"{path}[{number}]")
