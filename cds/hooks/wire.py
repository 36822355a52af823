"""
The CDS Hooks wire, 2.0.1: requests in, and the shape of what goes out.

A request is read by hand (`read_request`): quick, lenient where the specification asks
for it, and never repeating what was sent. The models below describe our own answers,
strictly; they guard tests and development, where every response passes through them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from cds.errors import BadRequest
from cds.hooks.strict import decode

__all__ = [
    "EVALUATION",
    "RULE",
    "Action",
    "Card",
    "Coding",
    "HookRequest",
    "Link",
    "Response",
    "Service",
    "Services",
    "Source",
    "Suggestion",
    "read_request",
]

# The names of our extensions: of a response, and of a card.
EVALUATION: Final = "org.metabolic-cds.evaluation"
RULE: Final = "org.metabolic-cds.rule"

# --- requests -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HookRequest:
    """
    One call of a service.

    *patient_id* is bare even where `Patient/1` was sent. *prefetch* holds what came,
    under whatever keys: a resource, a Bundle, or None where the client found nothing.
    """

    hook: str
    hook_instance: str
    user_id: str
    patient_id: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    fhir_server: str = ""


_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_USER: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9._-]{1,128}")
# The grammar of FHIR: what is drafted for this patient must be valid.
_PATIENT: Final = re.compile(r"(?:Patient/)?([A-Za-z0-9.-]{1,64})")


def read_request(raw: bytes, *, hook: str) -> HookRequest:
    """
    Read the body of a call of a service for *hook*.

    Members nobody knows are ignored at every level.
    """
    body = decode(raw)
    if not isinstance(body, dict):
        raise BadRequest("must be a JSON object")
    if _text(body, "hook", "$") != hook:
        raise BadRequest(f"must be {hook}, which is what this service answers", path="$.hook")
    instance = _text(body, "hookInstance", "$")
    if _UUID.fullmatch(instance) is None:
        raise BadRequest("must be a UUID", path="$.hookInstance")
    context = _object(body, "context", "$", required=True)
    user = _text(context, "userId", "$.context")
    if _USER.fullmatch(user) is None:
        raise BadRequest(
            "must be a type and an id, such as Practitioner/1", path="$.context.userId"
        )
    if type(context.get("patientId")) is int:
        # Some records number their resources; an id is a string all the same.
        context = {**context, "patientId": str(context["patientId"])}
    patient = _patient(_text(context, "patientId", "$.context"), "$.context.patientId")
    prefetch = _object(body, "prefetch", "$")
    if any(one is not None and not isinstance(one, dict) for one in prefetch.values()):
        raise BadRequest("every value must be a resource or null", path="$.prefetch")
    return HookRequest(
        hook=hook,
        hook_instance=instance,
        user_id=user,
        patient_id=patient,
        context=context,
        prefetch=prefetch,
        fhir_server=_server(body, patient),
    )


def _text(parent: Mapping[str, Any], name: str, path: str) -> str:
    value = parent.get(name)
    if value is None:
        raise BadRequest("is required", path=f"{path}.{name}")
    if not isinstance(value, str) or not value:
        raise BadRequest("must be a string that is not empty", path=f"{path}.{name}")
    return value


def _object(
    parent: Mapping[str, Any], name: str, path: str, *, required: bool = False
) -> dict[str, Any]:
    if name not in parent and not required:
        return {}
    value = parent.get(name)
    if value is None and required:
        raise BadRequest("is required", path=f"{path}.{name}")
    if not isinstance(value, dict):
        raise BadRequest("must be an object", path=f"{path}.{name}")
    return value


def _patient(text: str, path: str) -> str:
    found = _PATIENT.fullmatch(text)
    if found is None:
        raise BadRequest(
            "must be the id of a Patient: at most 64 letters, digits, '-' and '.'", path=path
        )
    return found.group(1)


def _server(body: Mapping[str, Any], patient: str) -> str:
    server = body.get("fhirServer", "")
    if not isinstance(server, str):
        raise BadRequest("must be a URL", path="$.fhirServer")
    token = _object(body, "fhirAuthorization", "$")
    if token and not server:
        raise BadRequest("is required with fhirAuthorization", path="$.fhirServer")
    bound = token.get("patient")
    if bound is not None and (
        not isinstance(bound, str) or bound.removeprefix("Patient/") != patient
    ):
        raise BadRequest("must be the patient of the context", path="$.fhirAuthorization.patient")
    return server


# --- responses ------------------------------------------------------------------


def _is_absolute(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("must be an absolute URL")
    return url


def _holds_something(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse null, "", [] and {} at any depth (HTTP-03)."""
    inside: list[Any] = [value]
    while inside:
        one = inside.pop()
        if one is None or (isinstance(one, str | list | dict) and not one):
            raise ValueError("holds an empty value; leave the member out")
        if isinstance(one, dict):
            inside.extend(one.values())
        elif isinstance(one, list):
            inside.extend(one)
    return value


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=False, pattern=r"\S")]
Url = Annotated[str, AfterValidator(_is_absolute)]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Members = Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_holds_something)]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}$")]

_DOTTED: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)+")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(one is None for one in value.values()):
            raise ValueError("holds null; leave the member out")
        return value


class _Extended(_Model):
    extension: Members | None = None

    @model_validator(mode="after")
    def _names_are_global(self) -> Self:
        if any(_DOTTED.fullmatch(name) is None for name in self.extension or {}):
            raise ValueError("extension names are reverse domains")
        return self


class Coding(_Model):
    """A code of some system."""

    code: Text
    system: Text
    display: Text | None = None


class OverrideReason(_Model):
    """A reason to disagree; its display is required since 2.0 (CARD-13)."""

    code: Text
    system: Text
    display: Text


class Source(_Model):
    """Who says so."""

    label: Text
    url: Url | None = None
    icon: Url | None = None
    topic: Coding | None = None


class Link(_Model):
    """Where to read on, or an app to launch."""

    label: Text
    url: Url
    type: Literal["absolute", "smart"]
    app_context: Text | None = Field(default=None, alias="appContext")
    autolaunchable: bool | None = None

    @model_validator(mode="after")
    def _context_is_for_apps(self) -> Self:
        if self.app_context is not None and self.type != "smart":
            raise ValueError("appContext belongs to smart links (LINK-04)")
        return self


class Action(_Extended):
    """What a suggestion does."""

    type: Literal["create", "update", "delete"]
    description: Text
    resource: Members | None = None
    resource_id: Reference | None = Field(default=None, alias="resourceId")

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        if self.type == "delete":
            if self.resource_id is None or self.resource is not None:
                raise ValueError("delete names a resourceId and no resource (SUG-09)")
        elif self.resource is None or self.resource_id is not None:
            raise ValueError("create and update carry a resource and no resourceId")
        elif not self.resource.get("resourceType") or not self.resource.get("id"):
            raise ValueError("a resource has a resourceType and an id (SUG-08, SUG-10)")
        return self


class Suggestion(_Extended):
    """One thing to do, all its actions together."""

    label: Text
    uuid: Uuid
    is_recommended: bool | None = Field(default=None, alias="isRecommended")
    actions: Annotated[list[Action], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [one.resource["id"] for one in self.actions or [] if one.resource]
        if len(ids) != len(set(ids)):
            raise ValueError("ids of resources are unique in a suggestion (SUG-10)")
        return self


class Card(_Extended):
    """What the clinician sees."""

    uuid: Uuid
    summary: Annotated[str, StringConstraints(min_length=1, max_length=139, pattern=r"^[^\r\n]+$")]
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: Text | None = None
    suggestions: Annotated[list[Suggestion], Field(min_length=1)] | None = None
    selection_behavior: Literal["at-most-one", "any"] | None = Field(
        default=None, alias="selectionBehavior"
    )
    override_reasons: Annotated[list[OverrideReason], Field(min_length=1)] | None = Field(
        default=None, alias="overrideReasons"
    )
    links: Annotated[list[Link], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _selection_goes_with_suggestions(self) -> Self:
        if (self.suggestions is None) != (self.selection_behavior is None):
            raise ValueError("selectionBehavior goes with suggestions (CARD-11)")
        recommended = sum(bool(one.is_recommended) for one in self.suggestions or [])
        if recommended > 1 and self.selection_behavior == "at-most-one":
            raise ValueError("at most one suggestion is recommended then (SUG-03)")
        return self


_URGENCY: Final = {"critical": 0, "warning": 1, "info": 2}


class Response(_Extended):
    """The whole answer of a service."""

    cards: list[Card]

    @model_validator(mode="after")
    def _most_urgent_first(self) -> Self:
        order = [_URGENCY[one.indicator] for one in self.cards]
        if order != sorted(order):
            raise ValueError("the most urgent card comes first (RESP-05)")
        uuids = [one.uuid for one in self.cards]
        uuids += [each.uuid for one in self.cards for each in one.suggestions or []]
        if len(uuids) != len(set(uuids)):
            raise ValueError("every uuid is used once (CARD-09)")
        return self


class Service(_Extended):
    """One entry of discovery."""

    hook: Text
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$")]
    description: Text
    title: Text
    usage_requirements: Text | None = Field(default=None, alias="usageRequirements")
    prefetch: Annotated[dict[str, Text], Field(min_length=1)] | None = None


class Services(_Model):
    """The answer of discovery."""

    services: list[Service]
