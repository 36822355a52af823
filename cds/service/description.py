"""
The interface in JSON Schema, for `/openapi.json`: what may be sent and what comes back.

The framework sees routes only: bodies are read by hand. Contexts come from the same table
that reads them, answers from the strict models that check them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cds.hooks.contexts import CONTEXTS, Context
from cds.hooks.feedback import MOST_COMMENT, MOST_ITEMS
from cds.hooks.wire import Response, Services
from cds.service.outcomes import OUTCOME_TYPE

__all__ = ["described"]

Schema = dict[str, Any]

_REFS: Final = "#/components/schemas/"
_JSON: Final = "application/json"


def described(document: Mapping[str, Any]) -> Schema:
    """Complete what the framework wrote: bodies, answers, refusals; no status that never comes."""
    schemas = {**_parts(), **_calls()}
    for name, model in (("Answer", Response), ("Discovery", Services)):
        found = model.model_json_schema(ref_template=_REFS + "{model}")
        schemas |= found.pop("$defs", {})
        schemas[name] = found
    calls = [_ref(_call_of(hook)) for hook in CONTEXTS]
    bodies = {"call": {"anyOf": calls}, "feedback": _ref("Feedback")}
    answers = {
        "call": _ref("Answer"),
        "feedback": _ref("Received"),
        "discover": _ref("Discovery"),
    }
    paths = {
        path: {method: _operation(operation, bodies, answers) for method, operation in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths, "components": {"schemas": schemas}}


def _operation(
    operation: Mapping[str, Any], bodies: Mapping[str, Schema], answers: Mapping[str, Schema]
) -> Schema:
    # The framework names an operation for its function, its path and its method.
    name = operation["operationId"].partition("_")[0]
    found = {**operation, "responses": dict(_responses(operation, answers.get(name)))}
    if name in bodies:
        found["requestBody"] = {"required": True, "content": {_JSON: {"schema": bodies[name]}}}
    return found


def _responses(operation: Mapping[str, Any], answer: Schema | None) -> Iterator[tuple[str, Schema]]:
    for status, response in operation["responses"].items():
        if status == "422":
            # What the framework would say, did it read anything itself.
            continue
        if status == "200":
            yield status, {**response, "content": {_JSON: {"schema": answer or {"type": "object"}}}}
        else:
            yield status, {**response, "content": {OUTCOME_TYPE: {"schema": _ref("Outcome")}}}


# --- what is sent -------------------------------------------------------------------


def _ref(name: str) -> Schema:
    return {"$ref": _REFS + name}


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Make an object; members nobody knows are ignored, so they are allowed."""
    return {"type": "object", "required": list(required), "properties": properties}


def _list(of: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": of, **limits}


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_UUID: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
}
_ID: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9-][A-Za-z0-9.-]{0,63}$"}
_USER: Final[Schema] = {"type": "string", "pattern": "^[A-Z][A-Za-z]{1,20}/[A-Za-z0-9._-]{1,64}$"}
_NAMES: Final[Schema] = _list({"type": "string"})
_MEMBERS: Final[Mapping[str, Schema]] = {
    "userId": _USER,
    "patientId": _ID,
    "encounterId": _ID,
    "selections": _NAMES,
    "dispatchedOrders": _NAMES,
    "order": _TEXT,
    "performer": _TEXT,
    "draftOrders": _ref("Bundle"),
    "appointments": _ref("Bundle"),
    "conditions": _ref("Bundle"),
    "medications": _ref("Bundle"),
}


def _call_of(hook: str) -> str:
    return "".join(word.capitalize() for word in hook.split("-")) + "Call"


def _context(definition: Context) -> Schema:
    names = dict.fromkeys((*definition.required, *definition.optional))
    names |= dict.fromkeys(name for names in definition.either for name in names)
    found = _object(definition.required, **{name: _MEMBERS[name] for name in names})
    for names_of_one in definition.either:
        found["anyOf"] = [{"required": [name]} for name in names_of_one]
    return found


def _calls() -> dict[str, Schema]:
    return {
        _call_of(hook): _object(
            ("hook", "hookInstance", "context"),
            hook={"const": hook},
            hookInstance=_UUID,
            context=_context(definition),
            prefetch=_ref("Prefetch"),
            fhirServer={"type": "string", "format": "uri"},
            fhirAuthorization=_ref("Authorization"),
            extension={"type": "object"},
        )
        | {"dependentRequired": {"fhirAuthorization": ["fhirServer"]}}
        for hook, definition in CONTEXTS.items()
    }


def _parts() -> dict[str, Schema]:
    resource = _object(("resourceType",), resourceType=_TEXT, id={"type": "string"})
    entry = _object((), fullUrl={"type": "string"}, resource=_ref("Resource"))
    reason = _object(("code",), code=_TEXT, system={"type": "string"}, display={"type": "string"})
    issue = _object(
        ("severity", "code"), severity={"enum": ["fatal", "error", "warning"]}, code=_TEXT
    )
    return {
        "Resource": resource,
        "Bundle": _object(
            ("resourceType",),
            resourceType={"const": "Bundle"},
            type={"type": "string"},
            entry=_list(entry),
        ),
        "Prefetch": {
            "type": "object",
            "additionalProperties": {"anyOf": [_ref("Resource"), _ref("Bundle"), {"type": "null"}]},
        },
        "Authorization": _object(
            ("access_token", "token_type", "expires_in", "scope", "subject"),
            access_token=_TEXT,
            token_type={"const": "Bearer"},
            expires_in={"type": "integer", "minimum": 1},
            scope=_TEXT,
            subject=_TEXT,
            patient=_ID,
        ),
        "Feedback": _object(
            ("feedback",), feedback=_list(_ref("Item"), minItems=1, maxItems=MOST_ITEMS)
        ),
        "Item": _object(
            ("card", "outcome", "outcomeTimestamp"),
            card=_UUID,
            outcome={"enum": ["accepted", "overridden"]},
            outcomeTimestamp={"type": "string", "format": "date-time"},
            acceptedSuggestions=_list(_object(("id",), id=_UUID)),
            overrideReason=_object(
                (),
                reason=reason,
                userComment={"type": "string", "maxLength": MOST_COMMENT},
            ),
        ),
        "Received": _object(
            ("received",),
            received={"type": "integer"},
            refused=_list(_object(("path", "because"), path=_TEXT, because=_TEXT)),
        ),
        "Outcome": _object(
            ("resourceType", "issue"),
            resourceType={"const": "OperationOutcome"},
            id=_TEXT,
            issue=_list(issue, minItems=1),
        ),
    }
