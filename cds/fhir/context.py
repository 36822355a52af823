"""
What a hook call itself is about: drafts to be signed, a problem being added, a refill.

References between the drafts are resolved among the drafts: they are not on the server.
Orders that are dispatched are only named in the call; they stand where they were received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cds.core.facts import Gap, ListState
from cds.core.hooks import ACTS, DEFAULT_HOOK
from cds.fhir.asking import product_of
from cds.fhir.bundles import Answer, unpack
from cds.fhir.references import Item, Scope, Standing, bare_id, identity_of
from cds.fhir.versions import is_equal

__all__ = ["NOTHING", "About", "about", "found_among", "references_of"]

_WHOLE: Final = ListState(complete=True)
_NOT_SENT: Final = ListState(complete=False, reason=Gap.NOT_SENT)
_DISPATCH: Final = "order-dispatch"
# How the call of order-dispatch names its orders, in its version 1.1 and in 1.0.
_DISPATCHED: Final = ("dispatchedOrders", "order")

# The member of each context that brings what the call is about.
_MEMBERS: Final[Mapping[str, str]] = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "problem-list-item-create": "conditions",
    "medication-refill": "medications",
}


@dataclass(frozen=True, slots=True)
class About:
    """
    What one call is about.

    *items* are the resources of its context, each with its `act`; *state* says whether
    everything that was named could be read. *named* are references to what the context
    does not hold itself: `found_among` looks for it in the rest of the request.
    """

    hook: str = DEFAULT_HOOK
    items: tuple[Item, ...] = ()
    state: ListState = _WHOLE
    named: tuple[str, ...] = ()


NOTHING: Final = About()
"""A chart that was opened, and nothing else."""


def about(hook: str, context: Mapping[str, Any]) -> About:
    """
    Read the context of a call of *hook*; never raises.

    On order-select only the drafts that `selections` names are ordered; the others are
    in the background and count as signed. A selection that names no draft, and a Bundle
    that cannot be read, leave open what is ordered. On order-dispatch the orders that it
    names are ordered; both versions of that hook are read.
    """
    if hook == _DISPATCH:
        return _dispatched(context)
    member = _MEMBERS.get(hook)
    if member is None:
        return About(hook)
    answer = unpack(context.get(member), path=f"$.context.{member}", key=member)
    if hook != "order-select":
        items = _acted(_named_once(answer.items), ACTS[hook])
        return About(hook, items, _state(answer))
    chosen, missing = _selected(answer.items, context.get("selections"))
    items = tuple(
        one._replace(act="ordered" if at in chosen else "background")
        for at, one in enumerate(_named_once(answer.items))
    )
    state = _state(answer)
    if missing and state.complete:
        state = _NOT_SENT
    return About(hook, items, state)


def found_among(about: About, items: Iterable[Item]) -> tuple[list[Item], About]:
    """
    Mark what the call names where it was received, and say whether all of it was.

    A reference that names nothing of the request leaves open what is ordered.
    """
    received = list(items)
    if not about.named:
        return received, about
    act = ACTS[about.hook]
    names, brought = _Names(received), _Names(about.items)
    hits = [names.hit_by(one) for one in about.named]
    for at in names.places(hits):
        received[at] = received[at]._replace(act=act)
    missing = any(
        not (hit or brought.hit_by(one)) for hit, one in zip(hits, about.named, strict=True)
    )
    if missing and about.state.complete:
        about = replace(about, state=_NOT_SENT)
    return received, about


def references_of(about: About) -> tuple[str, ...]:
    """
    List the references to what a call is about but did not bring.

    These are the orders it names, and the medicines of its drafts that are neither among
    the drafts nor contained in them.
    """
    found = list(about.named)
    for item in about.items:
        name = product_of(item.resource)
        if name and item.scope.find(item.scope.name(name)) is None:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _dispatched(context: Mapping[str, Any]) -> About:
    """Read the orders of order-dispatch: references, or the resources in their place."""
    sent = [context[one] for one in _DISPATCHED if context.get(one) is not None]
    many = [each for one in sent or [None] for each in (one if isinstance(one, list) else [one])]
    references = [_reference(one) for one in many]
    named = tuple(one for one in references if one)
    held = [
        item
        for member, value in context.items()
        if isinstance(value, dict | list)
        for item in unpack(value, path=f"$.context.{member}", key=member).items
    ]
    names = _Names(held)
    chosen = names.places(names.hit_by(one) for one in named)
    items = _acted(
        (one for at, one in enumerate(held) if one.key in _DISPATCHED or at in chosen),
        ACTS[_DISPATCH],
    )
    # What is neither a reference nor a resource could be any order.
    unread = sum(one.key in _DISPATCHED for one in items) < len(many) - len(named)
    return About(_DISPATCH, items, _NOT_SENT if unread else _WHOLE, named)


def _reference(one: Any) -> str:
    if isinstance(one, dict) and "resourceType" not in one:
        one = one.get("reference")
    return one if isinstance(one, str) else ""


def _named_once(items: Sequence[Item]) -> list[Item]:
    """
    Take its id from a draft that shares it with another one: it names neither of them.

    Each is judged, then, and none can be taken back by that name. The same twice is one
    draft; products keep their ids, because drafts refer to them.
    """
    places: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        name = identity_of(item.resource)
        if name and item.resource["resourceType"] != "Medication":
            places.setdefault(name, []).append(at)
    found = list(items)
    for shared in places.values():
        first = items[shared[0]].resource
        if any(not is_equal(first, items[at].resource) for at in shared[1:]):
            for at in shared:
                rest = {name: one for name, one in items[at].resource.items() if name != "id"}
                found[at] = items[at]._replace(resource=rest)
    return found


def _acted(items: Iterable[Item], act: Standing) -> tuple[Item, ...]:
    return tuple(one._replace(act=act) for one in items)


def _state(answer: Answer) -> ListState:
    """Tell whether the drafts could be read; a context is a collection, never a page."""
    if answer.failed or answer.continues:
        return ListState(complete=False, reason=answer.gap or Gap.INCOMPLETE)
    return _WHOLE


def _selected(items: list[Item], selections: Any) -> tuple[set[int], bool]:
    """Find the selected drafts, and tell whether some selection names none."""
    names = _Names(items)
    hits = [names.hit_by(one) for one in (selections if isinstance(selections, list) else ())]
    return names.places(hits), not all(hits)


_Key = tuple[str | int, ...]


class _Names:
    """
    Items by what a reference may call them.

    References and items are looked at once each: there may be thousands of both (T28).
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._places: dict[_Key, list[int]] = {}
        self._plain = Scope()
        self._urns: dict[str, frozenset[_Key]] = {}
        for at, item in enumerate(items):
            for key in _keys_of(item):
                self._places.setdefault(key, []).append(at)

    def hit_by(self, reference: Any) -> frozenset[_Key]:
        """Give the names of items that a reference is one of; empty where it names none."""
        if not isinstance(reference, str):
            return frozenset()
        spelt = self._plain.name(reference)
        names: tuple[_Key, ...] = (
            ("url", reference),
            ("named", reference),
            ("named", spelt),
            ("bare", bare_id(reference)),
        )
        hit = frozenset(one for one in names if one in self._places)
        return hit | self._urn(spelt) if spelt.startswith("urn:") else hit

    def places(self, hits: Iterable[frozenset[_Key]]) -> set[int]:
        """Give the positions of the items that were hit."""
        keys = {key for hit in hits for key in hit}
        return {at for key in keys for at in self._places[key]}

    def _urn(self, urn: str) -> frozenset[_Key]:
        """Resolve a urn in each of the Bundles that hold it."""
        if urn not in self._urns:
            scopes = {
                id(self._items[at].scope): self._items[at].scope
                for at in self._places.get(("url", urn), ())
            }
            targets = ((number, scope.find(urn)) for number, scope in scopes.items())
            keys: set[_Key] = {
                ("inside", number, identity_of(one)) for number, one in targets if one is not None
            }
            self._urns[urn] = frozenset(keys & self._places.keys())
        return self._urns[urn]


def _keys_of(item: Item) -> Iterable[_Key]:
    if item.url:
        yield ("url", item.url)
    named = identity_of(item.resource)
    if named:
        yield ("named", named)
        yield ("inside", id(item.scope), named)
    elif item.url:
        yield ("bare", bare_id(item.url))
