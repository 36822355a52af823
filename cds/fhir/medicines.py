"""
Medicines: what is taken, what was, by code and by the words of the product.

A list with an entry that nobody can identify is not complete: it may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.facts import Gap
from cds.core.moment import Moment
from cds.fhir.codings import Code, CodeIndex, Systems, codings_of, texts_of
from cds.fhir.gathering import WITHDRAWN, Gathered, source_of
from cds.fhir.moments import read
from cds.fhir.references import Item, Resource
from cds.fhir.routes import Routes, routes_sent
from cds.fhir.versions import is_foreign
from cds.fhir.words import Words, is_readable, tokens_of

__all__ = ["Library", "Medicines"]

_ORDERS: Final = (
    "order",
    "plan",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
)
_ON: Final = {
    "MedicationRequest": ("active",),
    "MedicationStatement": ("active", "intended"),
}
_NOT_ORDERS: Final = ("proposal", "option")
_OFF: Final = ("on-hold", "stopped", "completed")
_NEVER: Final = ("draft", "cancelled", "not-taken")

# How EHRs and product names spell the routes that rule files name.
_ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "topical": ("topical", "cutaneous", "skin", "cream", "ointment", "lotion", "shampoo"),
    "inhaled": ("inhal", "nebuliz", "nebulis"),
    "nasal": ("nasal", "intranasal", "nose", "nostril"),
    "eye": ("eye", "ophthalm", "ocular", "conjunctival", "intravitreal"),
    "ear": ("ear", "ears", "otic", "aural"),
    "vaginal": ("vagin", "intravagin"),
}
_PARTS: Final = frozenset({"inhal", "nebuliz", "nebulis", "ophthalm", "vagin", "intravagin"})

Library = Mapping[str, Resource]


class Medicines:
    """Reads MedicationRequests and MedicationStatements; made once."""

    def __init__(self, concepts: Sequence[Concept], systems: Systems) -> None:
        own = [one for one in concepts if one.type == "medicine"]
        self._concepts = {one.id: one for one in own}
        self._index = CodeIndex(own, systems)
        self._words = Words(own)
        self._systems = systems
        self._routes = Routes(own)
        # A code of these can be looked up by anybody, without a name beside it.
        self._known = {rule.system for one in own for rule in one.codes}

    def take(self, item: Item, gathered: Gathered, library: Library) -> None:
        """Read one order or statement of the patient."""
        resource = item.resource
        codes, texts = _product(item, library)
        if is_foreign(resource):
            gathered.leave_open(item, Gap.VERSION)
            self._leave_out(item, codes, texts, Gap.VERSION, gathered)
            return
        standing = _standing(resource) if not item.act else _drafted(resource)
        if resource.get("doNotPerform") is True or standing == "never":
            return
        if standing == "error":
            names = self._find(resource, codes, texts)
            if names:
                gathered.count(names, Gap.STATUS, resource)
        elif standing == "unknown":
            # It may be taken: neither is its absence proved.
            if self._leave_out(item, codes, texts, Gap.STATUS, gathered):
                gathered.spoil(resource["resourceType"], Gap.STATUS)
        else:
            self._enter(item, codes, texts, gathered, is_on=standing == "on")

    def _enter(
        self,
        item: Item,
        codes: Sequence[Code],
        texts: tuple[str, ...],
        gathered: Gathered,
        *,
        is_on: bool,
    ) -> None:
        resource = item.resource
        found = self._find(resource, codes, texts)
        if not found and not self._is_identified(codes, texts):
            gathered.count((), Gap.UNREADABLE, resource)
            if is_on:
                gathered.leave_open(item, Gap.UNREADABLE)
        when, ended = _times(resource, gathered)
        for name, code in found.items():
            gathered.enter(
                name,
                source_of(item, code, resource.get("status")),
                active=is_on,
                when=when,
                ended=None if is_on else ended,
                act=item.act,
                routes=self._routes.of(name, resource, texts),
            )

    def _is_identified(self, codes: Sequence[Code], texts: Sequence[str]) -> bool:
        if any(is_readable(one) for one in texts):
            return True
        return any(self._systems.name(system) in self._known for system, _ in codes)

    def _find(
        self, resource: Resource, codes: Sequence[Code], texts: tuple[str, ...]
    ) -> dict[str, Code]:
        """Find every class a product belongs to; a combination belongs to several."""
        found = {hit.concept.id: code for hit, code in self._index.all_hits(codes)}
        meant, excluded = self._words.meant_by(texts)
        for name in meant:
            found.setdefault(name, codes[0] if codes else ("", ""))
        saved = self._words.saved_by(texts)
        for name in list(found):
            routes = self._concepts[name].not_routes
            # Where a route can exclude, the name of the product can too, coded or not.
            if (
                routes
                and name not in saved
                and (name in excluded or _goes_by(routes, resource, texts))
            ):
                del found[name]
        return found

    def _leave_out(
        self,
        item: Item,
        codes: Sequence[Code],
        texts: tuple[str, ...],
        gap: Gap,
        gathered: Gathered,
    ) -> bool:
        found = self._find(item.resource, codes, texts)
        if not found:
            gathered.count((), gap, item.resource)
        for name, code in found.items():
            gathered.leave_out(name, gap, source_of(item, code, item.resource.get("status")))
        return bool(found)


def _standing(resource: Resource) -> str:
    """Say whether a medicine is `on`, `off`, was `never` taken, an `error`, or `unknown`."""
    status = resource.get("status")
    intent = resource.get("intent")
    if status == "entered-in-error":
        return "error"
    is_order = resource["resourceType"] == "MedicationRequest"
    if status in _NEVER or (is_order and intent in _NOT_ORDERS):
        return "never"
    if is_order and intent not in _ORDERS:
        return "unknown"
    if status in _ON[resource["resourceType"]]:
        return "on"
    return "off" if status in _OFF else "unknown"


def _drafted(resource: Resource) -> str:
    """Say the same of a draft, whose status may be any before it is signed."""
    status = resource.get("status")
    if status == "entered-in-error":
        return "error"
    return "never" if status in WITHDRAWN else "on"


def _product(item: Item, library: Library) -> tuple[tuple[Code, ...], tuple[str, ...]]:
    """Collect the codes and texts of a product, from the entry or from its Medication."""
    resource = item.resource
    concepts = [resource.get("medicationCodeableConcept")]
    texts: list[str] = []
    reference = resource.get("medicationReference")
    if type(reference) is dict:
        if type(reference.get("display")) is str:
            texts.append(reference["display"])
        target = _target(item, reference.get("reference"), library)
        if target is not None:
            concepts.extend(_of_medication(target))
    elsewhere = resource.get("medication")
    if type(elsewhere) is dict:
        concepts.append(elsewhere.get("concept"))
    codes = [code for one in concepts for code in codings_of(one)]
    texts.extend(text for one in concepts for text in texts_of(one))
    return tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(texts))


def _of_medication(medication: Resource) -> Iterator[Any]:
    yield medication.get("code")
    ingredients = medication.get("ingredient")
    for one in ingredients if type(ingredients) is list else ():
        if type(one) is dict and one.get("isActive") is not False:
            yield one.get("itemCodeableConcept")


def _target(item: Item, reference: object, library: Library) -> Resource | None:
    """Find a Medication: contained, in the same Bundle, or elsewhere in the request."""
    if type(reference) is not str:
        return None
    if reference.startswith("#"):
        contained = item.resource.get("contained")
        for one in contained if type(contained) is list else ():
            # Some write the mark of the reference into the id.
            if type(one) is dict and one.get("id") in (reference[1:], reference):
                return one
        return None
    name = item.scope.name(reference)
    return item.scope.find(name) or item.scope.find(reference) or library.get(name)


def _goes_by(routes: Sequence[str], resource: Resource, texts: Sequence[str]) -> bool:
    """
    Tell whether a product goes only by these routes.

    A route that was sent decides; without a readable one, the words of the product do.
    """
    sent = routes_sent(resource)
    readable = [
        one for one in sent if any(is_readable(text) for text in one) or _names(routes, one)
    ]
    if readable:
        return all(_names(routes, one) for one in readable)
    return _names(routes, texts)


def _names(routes: Sequence[str], texts: Sequence[str]) -> bool:
    tokens = {token for text in texts for token in tokens_of(text)}
    for route in routes:
        for word in _ROUTES.get(route, (route,)):
            if word in tokens or (
                word in _PARTS and any(token.startswith(word) for token in tokens)
            ):
                return True
    return any(text in routes for text in texts)


def _times(resource: Resource, gathered: Gathered) -> tuple[Moment | None, Moment | None]:
    """Say since when a medicine was taken, and until when; an unknown end stays unknown."""
    zone = gathered.zone
    if resource["resourceType"] == "MedicationStatement":
        period = resource.get("effectivePeriod")
        if type(period) is dict:
            return read(period.get("start"), zone), read(period.get("end"), zone)
        when = read(resource.get("effectiveDateTime"), zone)
        return when or read(resource.get("dateAsserted"), zone), None
    ends = []
    start = None
    dosages = resource.get("dosageInstruction")
    for one in dosages if type(dosages) is list else ():
        bounds = _inside(one, "timing", "repeat", "boundsPeriod")
        start = start or read(_inside(bounds, "start"), zone)
        end = read(_inside(bounds, "end"), zone)
        if end is not None:
            ends.append(end)
    last = max(ends, key=lambda one: (one.end, one.written), default=None)
    if last is None:
        last = read(_inside(resource, "dispenseRequest", "validityPeriod", "end"), zone)
    return read(resource.get("authoredOn"), zone) or start, last


def _inside(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if type(value) is dict else None
    return value
