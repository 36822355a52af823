"""
Whether a resource that a card rests on is valid R4, and where it is not.

Data are read leniently; what a card cites is checked. One resource at a time, because
one bad entry refuses a whole Bundle. The classes of `fhir.resources` check shapes, but
neither required codes nor numbers sent as text: both are looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from fhir.resources.R4B import get_fhir_model_class

__all__ = ["code_faults", "faults", "known_faults", "model_of", "places_of", "warm_up"]

# A class of `fhir.resources`: pydantic makes them, and only that library is known here.
Model = Any

_UNKNOWN_ELEMENT: Final = "extra_forbidden"
_MOST: Final = 20
_MOST_MEMBERS: Final = 5_000
"""How much may stand in a resource that is checked: checking takes ten times as long as reading."""
_MOST_UNKNOWN: Final = 100
# The classes abbreviate long value sets with "+" and leave some out; these a card can cite.
_OWN_SETS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("Quantity", "comparator"): frozenset({"<", "<=", ">=", ">"}),
    ("Observation", "status"): frozenset(
        {
            "registered",
            "preliminary",
            "final",
            "amended",
            "corrected",
            "cancelled",
            "entered-in-error",
            "unknown",
        }
    ),
    ("Encounter", "status"): frozenset(
        {
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "onleave",
            "finished",
            "cancelled",
            "entered-in-error",
            "unknown",
        }
    ),
}


@cache
def model_of(kind: str) -> Model | None:
    """Give the R4B class of a resource type; None for a type that R4 does not have."""
    try:
        return get_fhir_model_class(kind)
    except Exception:  # noqa: BLE001 - the library raises whatever an import may
        return None


@cache
def _codes_of(model: Model) -> tuple[tuple[str, str, frozenset[str]], ...]:
    """List the elements of a class whose codes are fixed: attribute, FHIR name, codes."""
    found = []
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        sent = extra.get("enum_values") if isinstance(extra, dict) else None
        codes = frozenset(map(str, sent)) if isinstance(sent, list) else frozenset()
        codes = _OWN_SETS.get((model.__name__, name), codes)
        if codes and "+" not in codes:
            found.append((name, field.alias or name, codes))
    return tuple(found)


@cache
def _names_of(model: Model) -> tuple[tuple[str, str], ...]:
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())


def faults(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Say where a resource is not valid R4, as FHIRPath without any value; empty where it is.

    Names that FHIR does not have are not repeated: the element that holds them is named.
    Of a vast one the whole is named, unchecked.
    """
    kind = resource.get("resourceType")
    model = model_of(kind) if isinstance(kind, str) else None
    if model is None or not isinstance(kind, str):
        return ("resourceType",)
    if _is_vast(resource):
        return (kind,)
    try:
        made = model.model_validate(resource)
    except Exception as error:  # noqa: BLE001 - KeyError for contained types, RecursionError
        return places_of(kind, error)
    return tuple(dict.fromkeys(code_faults(made, resource, kind)))[:_MOST]


def known_faults(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Say the same of a resource without its elements that R4 does not have, at any depth."""
    kind = resource.get("resourceType")
    model = model_of(kind) if isinstance(kind, str) else None
    if model is None:
        return ("resourceType",)
    if _is_vast(resource):
        return (str(kind),)
    try:
        model.model_validate(resource)
    except Exception as error:  # noqa: BLE001 - as above
        unknown = list(_unknown_elements(error))
        if len(unknown) > _MOST_UNKNOWN:
            # Each is left out in a copy of its own: of a flood none is.
            return (str(kind),)
        for loc in unknown:
            resource = _without(resource, loc)
    return faults(resource)


def _is_vast(resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource has more in it than any that somebody wrote (T28)."""
    count = 0
    inside: list[Any] = [resource]
    while inside:
        one = inside.pop()
        if isinstance(one, Mapping | list):
            count += len(one)
            if count > _MOST_MEMBERS:
                return True
            inside.extend(one.values() if isinstance(one, Mapping) else one)
    return False


def _unknown_elements(error: Exception) -> Iterator[tuple[int | str, ...]]:
    errors = getattr(error, "errors", None)
    if callable(errors):
        for one in errors(include_url=False, include_context=False, include_input=False):
            if one["type"] == _UNKNOWN_ELEMENT:
                yield tuple(one["loc"])


def _without(value: Any, loc: tuple[int | str, ...]) -> Any:
    """Copy what holds a place, and leave that place out."""
    step, *rest = loc
    if isinstance(value, Mapping):
        if not rest:
            return {name: one for name, one in value.items() if name != step}
        return {n: _without(one, tuple(rest)) if n == step else one for n, one in value.items()}
    if isinstance(value, list) and rest:
        return [_without(one, tuple(rest)) if at == step else one for at, one in enumerate(value)]
    return value


def places_of(kind: str, error: Exception) -> tuple[str, ...]:
    """Name the places that a failed validation complains of; the whole where it names none."""
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return (kind,)
    found = errors(include_url=False, include_context=False, include_input=False)
    places = (
        _place(kind, one["loc"][:-1] if one["type"] == _UNKNOWN_ELEMENT else one["loc"])
        for one in found
    )
    return tuple(dict.fromkeys(places))[:_MOST] or (kind,)


def _place(kind: str, loc: tuple[int | str, ...]) -> str:
    return kind + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in loc)


def _is_element(value: object) -> bool:
    return hasattr(type(value), "model_fields")


def code_faults(made: Model, sent: Any, place: str) -> Iterator[str]:
    """Walk a validated resource beside what was sent: fixed codes, and numbers sent as text."""
    model: Model = type(made)
    for name, alias, codes in _codes_of(model):
        value = getattr(made, name)
        if value is not None and value not in codes:
            yield f"{place}.{alias}"
    for name, alias in _names_of(model):
        value = getattr(made, name, None)
        if value is None or type(value) is str:
            continue
        raw = sent.get(alias) if isinstance(sent, Mapping) else None
        where = f"{place}.{alias}"
        if _is_element(value):
            yield from code_faults(value, raw, where)
        elif isinstance(value, list):
            for position, one in enumerate(value):
                if _is_element(one):
                    inner = raw[position] if isinstance(raw, list) else None
                    yield from code_faults(one, inner, f"{where}[{position}]")
        elif isinstance(value, Decimal | int) and type(raw) is str:
            yield where


def warm_up(samples: Mapping[str, Mapping[str, Any]]) -> None:
    """Load the classes of these types and validate one sample of each: the first use is slow."""
    for kind, sample in samples.items():
        if model_of(kind) is not None:
            faults({"resourceType": kind, **sample})
