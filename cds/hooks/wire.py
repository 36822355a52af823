"""
The CDS Hooks wire, 2.0.1: requests in, and the shape of what goes out.

A request is read by hand (`read_request`): quick, lenient where the specification asks
for it, and never repeating what was sent. The models below describe our own answers,
strictly; they guard tests and development, where every response passes through them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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

from cds.errors import BadRequest, TooLarge, WrongGrant
from cds.hooks.authorization import Authorization, read_authorization
from cds.hooks.contexts import CONTEXTS, read_context
from cds.hooks.strict import decode

__all__ = [
    "ACTION",
    "EVALUATION",
    "MOST_ENTRIES",
    "MOST_KEYS",
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

# The names of our extensions: of a response, of a card, of a suggestion.
EVALUATION: Final = "org.metabolic-cds.evaluation"
RULE: Final = "org.metabolic-cds.rule"
ACTION: Final = "org.metabolic-cds.action"

MOST_ENTRIES: Final = 5_000
MOST_KEYS: Final = 1_000
"""Entries of all Bundles of one request together; all that discovery asks for are under 2,000."""

# --- requests -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HookRequest:
    """
    One call of a service.

    *patient_id* and *encounter_id* are bare even where references were sent, *user_id* and
    *encounter_id* empty where nothing was. *prefetch* holds what came, under whatever keys:
    a resource, a Bundle, or None where the client found nothing.
    """

    hook: str
    hook_instance: str
    user_id: str
    patient_id: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    encounter_id: str = ""
    fhir_server: str = ""
    authorization: Authorization | None = None
    extension: Mapping[str, Any] = field(default_factory=dict)


_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def read_request(raw: bytes, *, hook: str | None = None, keys: Collection[str] = ()) -> HookRequest:
    """
    Read the body of a call of a service for *hook*, or for any there is.

    *keys* are those of prefetch that were asked for. Members nobody knows are ignored at
    every level, and null in the place of an optional one is as good as none. Raises
    `BadRequest` with the place of what is wrong, `TooLarge` for more than `MOST_ENTRIES`
    or `MOST_KEYS`.
    """
    body = decode(raw)
    if not isinstance(body, dict):
        raise BadRequest("must be a JSON object")
    called = _text(body, "hook", "$")
    if hook is not None and called != hook:
        raise BadRequest(f"must be {hook}, which is what this service answers", path="$.hook")
    if called not in CONTEXTS:
        raise BadRequest("must be a hook that is answered here", path="$.hook")
    instance = _text(body, "hookInstance", "$")
    if _UUID.fullmatch(instance) is None:
        raise BadRequest("must be a UUID", path="$.hookInstance")
    context = read_context(called, _object(body, "context", "$", required=True))
    sent = _object(body, "prefetch", "$")
    if len(sent) > MOST_KEYS:
        raise TooLarge(f"must have no more than {MOST_KEYS} keys", path="$.prefetch")
    prefetch = _prefetch(sent, keys)
    if sum(_entries(one) for one in (*prefetch.values(), *context.members.values())) > MOST_ENTRIES:
        raise TooLarge(
            f"must have no more than {MOST_ENTRIES} entries in all its Bundles and lists"
        )
    server, authorization = _server(body, context.patient_id)
    extension = body.get("extension")
    return HookRequest(
        hook=called,
        hook_instance=instance,
        user_id=context.user_id,
        patient_id=context.patient_id,
        context=context.members,
        prefetch=prefetch,
        encounter_id=context.encounter_id,
        fhir_server=server,
        authorization=authorization,
        extension=extension if isinstance(extension, dict) else {},
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
    value = parent.get(name)
    if value is None and required:
        raise BadRequest("is required", path=f"{path}.{name}")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest("must be an object", path=f"{path}.{name}")
    return value


def _prefetch(sent: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Give what is a resource or null; under a key that was asked for, nothing else may stand."""
    found = {key: one for key, one in sent.items() if one is None or isinstance(one, dict)}
    for key in keys:
        if key in sent and key not in found:
            raise BadRequest("must be a resource or null", path=f"$.prefetch.{key}")
    return found


def _entries(value: Any) -> int:
    """Count the entries of a Bundle, those of Bundles in it too, and what a list holds."""
    count = 0
    bundles = [value]
    while bundles:
        one = bundles.pop()
        if isinstance(one, list):
            count += len(one)
            bundles.extend(one)
            continue
        found = one.get("entry") if isinstance(one, dict) else None
        if isinstance(found, list):
            count += len(found)
            bundles.extend(each.get("resource") for each in found if isinstance(each, dict))
    return count


def _server(body: Mapping[str, Any], patient: str) -> tuple[str, Authorization | None]:
    server = body.get("fhirServer")
    if server is None:
        server = ""
    if not isinstance(server, str):
        raise BadRequest("must be a URL", path="$.fhirServer")
    members = _object(body, "fhirAuthorization", "$")
    if members and not server:
        raise BadRequest("is required with fhirAuthorization", path="$.fhirServer")
    if not members:
        return server, None
    found = read_authorization(members)
    if found.patient and found.patient != patient:
        raise WrongGrant("must be the patient of the context", path="$.fhirAuthorization.patient")
    return server, found


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


def _name_of(resource: Mapping[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


class Suggestion(_Extended):
    """One thing to do, all its actions together."""

    label: Text
    uuid: Uuid
    is_recommended: bool | None = Field(default=None, alias="isRecommended")
    # Of the 3.0 ballot; only for clients that are known to read it (SUG-05).
    action_selection_behavior: Literal["all", "any", "at-most-one"] | None = Field(
        default=None, alias="actionSelectionBehavior"
    )
    actions: Annotated[list[Action], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        actions = self.actions or []
        ids = [one.resource_id or _name_of(one.resource or {}) for one in actions]
        if len(ids) != len(set(ids)):
            raise ValueError("nothing is named twice in a suggestion (SUG-10, SUG-11)")
        if [one.type == "delete" for one in actions] != sorted(
            (one.type == "delete" for one in actions), reverse=True
        ):
            raise ValueError("what is deleted comes first (SUG-11)")
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
    # Of the 3.0 ballot; only where it is switched on (DISC-10, DISC-11).
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[0-9a-z.]+)?$")] | None = (
        None
    )
    hook_version: Text | None = Field(default=None, alias="hookVersion")


class Services(_Model):
    """The answer of discovery."""

    services: list[Service]
