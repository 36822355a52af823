"""
JSON Schemas of the rule files, from the shapes that the loader checks.

Draft 7, because that is what the language servers of editors read.
"""

from __future__ import annotations

from typing import Any, Final

from cds.rulefiles.conditions import JOINERS
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.thresholds import AGES

__all__ = ["EVERY_KIND", "schema_of", "schema_of_all"]

EVERY_KIND: Final = "rule"
"""The schema that takes a file of any kind."""

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_CONDITION: Final = {"$ref": "#/definitions/condition"}
_AMOUNT: Final = {"type": ["string", "number"], "pattern": r"^[+-]?\d+(?:\.\d+)?(?:\s+\S.*)?$"}
_CASE: Final = {"$ref": "#/definitions/case"}

_JOINED: Final[dict[str, str]] = {
    "all": "Yes if every one is; no if one is no.",
    "any": "Yes if one or more are; no if every one is no.",
    "not": "The opposite; unknown stays unknown.",
    "at_least": "Yes if so many of them are: {n: 2, of: [..]}.",
}


def _several(*, counted: bool) -> dict[str, Any]:
    """Describe what stands below `all`, `any` or `at_least`."""
    plain = {"type": "array", "items": _CONDITION, "minItems": 1}
    keys: dict[str, Any] = {
        "id": {
            "description": "A name, so that texts can list what is proved: {{met(ID)}}.",
            "type": "string",
        },
        "of": {"description": "What is joined.", **plain},
    }
    if counted:
        keys["n"] = {"description": "How many.", "type": "integer", "minimum": 1}
    block = {
        "type": "object",
        "properties": keys,
        "required": ["n", "of"] if counted else ["of"],
        "additionalProperties": False,
    }
    return block if counted else {"anyOf": [plain, block]}


def _condition() -> dict[str, Any]:
    joined = {
        word: {
            "description": _JOINED[word],
            **({"allOf": [_CONDITION]} if word == "not" else _several(counted=word == "at_least")),
        }
        for word in JOINERS
    }
    named = {
        "when": {"description": "The clause itself.", "allOf": [_CONDITION]},
        "as": {"description": "How texts call the clause.", "type": "string"},
    }
    alone = [{"required": [word], "maxProperties": 1} for word in JOINERS]
    named_only = {"required": ["when"], "not": {"anyOf": [{"required": [one]} for one in JOINERS]}}
    return {
        "description": "A clause such as `hba1c >= high within 365 days`, or several joined.",
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "properties": {**joined, **named},
                "additionalProperties": False,
                "oneOf": [*alone, named_only],
            },
        ],
    }


def _threshold_keys() -> dict[str, Any]:
    of_whom = {
        "value": "The number with its unit.",
        "pair": "The number in two units, as the guideline prints it.",
        "male": "For men.",
        "female": "For women.",
    }
    return {key: {"description": words, "allOf": [_CASE]} for key, words in of_whom.items()}


_GROUP: Final = r"^(?!(?:value|pair|male|female|cite|or_own|localisable)$)[a-z][a-z0-9_]*$"
_PEOPLE: Final[dict[str, Any]] = {
    f"^(?:{AGES.pattern})$": _CASE,
    _GROUP: {
        "description": "For people of this group; it is declared under `groups_of_people`.",
        "allOf": [_CASE],
    },
}


def _case() -> dict[str, Any]:
    pair = {"type": "array", "items": _AMOUNT, "minItems": 2, "maxItems": 2}
    block = {
        "type": "object",
        "properties": _threshold_keys(),
        "patternProperties": _PEOPLE,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [_AMOUNT, pair, block]}


def _threshold() -> dict[str, Any]:
    aside = {
        "cite": {"description": "A source of the evidence library, by key.", "type": "string"},
        "or_own": {
            "description": "The laboratory's own limit goes first.",
            "enum": ["lower limit", "upper limit"],
        },
        "localisable": {
            "description": "The range in which a site may choose: 1.6 to 3.8.",
            "type": "string",
        },
    }
    return {
        "description": "A cut-off with its source; by sex, age or group where it differs.",
        "type": "object",
        "properties": {**_threshold_keys(), **aside},
        # Somebody is meant besides the people of a group.
        "anyOf": [
            *({"required": [word]} for word in ("value", "pair", "male", "female")),
            {"not": {"propertyNames": {"not": {"pattern": f"^(?:{AGES.pattern})$"}}}},
        ],
        "patternProperties": _PEOPLE,
        "additionalProperties": False,
    }


def _definitions() -> dict[str, Any]:
    return {"condition": _condition(), "threshold": _threshold(), "case": _case()}


def _of_kind(kind: str) -> dict[str, Any]:
    found = KINDS[kind].shape.schema()
    found["properties"]["kind"] = {**found["properties"]["kind"], "const": kind}
    return found


def schema_of(kind: str) -> dict[str, Any]:
    """Give the JSON Schema of one kind of file."""
    return {
        "$schema": _DRAFT,
        "title": f"kind: {kind}",
        **_of_kind(kind),
        "definitions": _definitions(),
    }


def schema_of_all() -> dict[str, Any]:
    """Give one JSON Schema for files of every kind: `kind:` says which part holds."""
    return {
        "$schema": _DRAFT,
        "title": "a rule file",
        "type": "object",
        "properties": {"kind": {"description": "What this file is.", "enum": list(KINDS)}},
        "required": ["kind"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/definitions/kind_{kind}"},
            }
            for kind in KINDS
        ],
        "definitions": {
            **_definitions(),
            **{f"kind_{kind}": _of_kind(kind) for kind in KINDS},
        },
    }
