"""
Plans and orders: diets and exercise, found in care plans, goals and orders by code or by
words, and what else was ordered, found in service requests alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.facts import Gap
from cds.fhir.codings import Code, CodeIndex, Systems, codings_of, texts_of
from cds.fhir.gathering import WITHDRAWN, Gathered, source_of
from cds.fhir.moments import read
from cds.fhir.references import Item, Resource
from cds.fhir.words import Words, is_readable, tokens_of

__all__ = ["PLAN_TYPES", "Plans"]

_CURRENT: Final = frozenset({"active", "draft"})
_CURRENT_GOAL: Final = frozenset({"proposed", "planned", "accepted", "active", "draft"})
_PAST: Final = frozenset({"completed", "on-hold"})
_DATES: Final = ("authoredOn", "dateTime", "startDate", "created")
_LABORATORY: Final = frozenset({"laboratory", "lab"})

# Where each type says what is planned: paths of element names.
_PLACES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "CarePlan": (("category",), ("activity", "detail", "code")),
    "Goal": (("description",), ("category",)),
    "NutritionOrder": (
        ("oralDiet", "type"),
        ("foodPreferenceModifier",),
        ("excludeFoodModifier",),
    ),
    "ServiceRequest": (("code",), ("orderDetail",)),
    "CommunicationRequest": (("category",), ("reasonCode",)),
}
# What is drafted before it is complete, and what else a draft of them can be instead of a diet.
_DRAFTED: Final = frozenset({"NutritionOrder", "ServiceRequest"})
_NO_DIET: Final = frozenset({"supplement", "enteralFormula"})
PLAN_TYPES: Final = frozenset(_PLACES)
_TEXTS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "CarePlan": (("title",), ("description",), ("activity", "detail", "description")),
    "NutritionOrder": (("oralDiet", "instruction"),),
    "CommunicationRequest": (("payload", "contentString"),),
}


class Plans:
    """Reads everything that may hold a plan; made once."""

    def __init__(self, concepts: Sequence[Concept], systems: Systems) -> None:
        own = [one for one in concepts if one.type in {"plan", "order"}]
        self._orders = frozenset(one.id for one in own if one.type == "order")
        self._index = CodeIndex(own, systems)
        self._words = Words(own)
        self._systems = systems
        self._known = {rule.system for one in own for rule in one.codes}
        self.is_needed = bool(own)

    def take(self, item: Item, gathered: Gathered) -> None:
        """Read one plan, goal or order of the patient."""
        resource = item.resource
        kind = resource["resourceType"]
        places = [one for path in _PLACES[kind] for one in _walk(resource, path)]
        codes = [code for one in places for code in codings_of(one)]
        found: dict[str, Code] = {hit.concept.id: code for hit, code in self._index.all_hits(codes)}
        texts = [text for one in places for text in texts_of(one)]
        for path in _TEXTS.get(kind, ()):
            texts.extend(one for one in _walk(resource, path) if type(one) is str)
        meant, _ = self._words.meant_by(tuple(dict.fromkeys(texts)), deniable=True)
        # The words of a test never name a plan.
        is_test = bool(meant) and self._is_test(resource, codes)
        for name in meant:
            if name in self._orders or not is_test:
                found.setdefault(name, ("", ""))
        if kind != "ServiceRequest":
            found = {name: code for name, code in found.items() if name not in self._orders}
        if found:
            self._enter(item, found, gathered)
        elif item.act == "ordered" and not self._is_identified(resource, codes, texts):
            gathered.count((), Gap.UNREADABLE, resource)
            gathered.leave_open(item, Gap.UNREADABLE)

    def _enter(self, item: Item, found: dict[str, Code], gathered: Gathered) -> None:
        resource = item.resource
        status = resource.get("lifecycleStatus" if resource["resourceType"] == "Goal" else "status")
        current = _CURRENT_GOAL if resource["resourceType"] == "Goal" else _CURRENT
        if resource.get("doNotPerform") is True or (type(status) is not str and not item.act):
            return
        if status == "entered-in-error":
            gathered.count(found, Gap.STATUS, resource)
            return
        if status in WITHDRAWN if item.act else status not in current | _PAST:
            return
        when = next(filter(None, (read(resource.get(one), gathered.zone) for one in _DATES)), None)
        period = resource.get("period")
        if type(period) is dict:
            when = read(period.get("start"), gathered.zone) or when
        for name, code in found.items():
            gathered.enter(
                name,
                source_of(item, code, status),
                active=bool(item.act) or status in current,
                when=when,
                act=item.act,
            )

    def _is_identified(
        self, resource: Resource, codes: Sequence[Code], texts: Sequence[str]
    ) -> bool:
        """Tell whether a draft says what is ordered, in words or in a code that all can look up."""
        if resource["resourceType"] not in _DRAFTED or not _NO_DIET.isdisjoint(resource):
            return True
        status = resource.get("status")
        if resource.get("doNotPerform") is True or status in WITHDRAWN | {"entered-in-error"}:
            return True  # nothing is ordered at all
        if any(is_readable(one) for one in texts):
            return True
        return any(self._systems.name(system) in self._known for system, _ in codes)

    def _is_test(self, resource: Resource, codes: Sequence[Code]) -> bool:
        """Tell whether an order is for a laboratory: its words never name a plan."""
        if resource["resourceType"] != "ServiceRequest":
            return False
        if any(self._systems.name(system) == "loinc" for system, _ in codes):
            return True
        said = [text for one in _walk(resource, ("category",)) for text in texts_of(one)]
        # Its code is a word, and says the same without a system.
        for path in (("category", "coding", "code"), ("category", "code")):
            said += [one for one in _walk(resource, path) if type(one) is str]
        return any(not _LABORATORY.isdisjoint(tokens_of(text)) for text in said)


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Follow element names; lists are walked through."""
    if type(value) is list:
        for one in value:
            yield from _walk(one, path)
    elif not path:
        yield value
    elif type(value) is dict and path[0] in value:
        yield from _walk(value[path[0]], path[1:])
