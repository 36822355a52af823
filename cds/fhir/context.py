"""
What a hook call itself is about: drafts to be signed, a problem being added, a refill.

References between the drafts are resolved among the drafts: they are not on the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cds.core.facts import Gap, ListState
from cds.core.hooks import ACTS, DEFAULT_HOOK
from cds.fhir.bundles import Answer, unpack
from cds.fhir.references import Item, Standing, bare_id, identity_of

__all__ = ["NOTHING", "About", "about"]

_WHOLE: Final = ListState(complete=True)

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
    everything that was named could be read.
    """

    hook: str = DEFAULT_HOOK
    items: tuple[Item, ...] = ()
    state: ListState = _WHOLE


NOTHING: Final = About()
"""A chart that was opened, and nothing else."""


def about(hook: str, context: Mapping[str, Any]) -> About:
    """
    Read the context of a call of *hook*; never raises.

    On order-select only the drafts that `selections` names are ordered; the others are
    in the background and count as signed. A selection that names no draft, and a Bundle
    that cannot be read, leave open what is ordered.
    """
    member = _MEMBERS.get(hook)
    if member is None:
        return About(hook)
    answer = unpack(context.get(member), path=f"$.context.{member}", key=member)
    if hook != "order-select":
        items = _acted(answer.items, ACTS[hook])
        return About(hook, items, _state(answer))
    chosen, missing = _selected(answer.items, context.get("selections"))
    items = tuple(
        one._replace(act="ordered" if at in chosen else "background")
        for at, one in enumerate(answer.items)
    )
    state = _state(answer)
    if missing and state.complete:
        state = ListState(complete=False, reason=Gap.NOT_SENT)
    return About(hook, items, state)


def _acted(items: Iterable[Item], act: Standing) -> tuple[Item, ...]:
    return tuple(one._replace(act=act) for one in items)


def _state(answer: Answer) -> ListState:
    """Tell whether the drafts could be read; a context is a collection, never a page."""
    if answer.failed or answer.continues:
        return ListState(complete=False, reason=answer.gap or Gap.INCOMPLETE)
    return _WHOLE


def _selected(items: list[Item], selections: Any) -> tuple[set[int], bool]:
    """Find the selected drafts, and tell whether some selection names none."""
    chosen: set[int] = set()
    missing = False
    for one in selections if isinstance(selections, list) else ():
        found = {at for at, item in enumerate(items) if _is_named(item, one)}
        chosen |= found
        missing = missing or not found
    return chosen, missing


def _is_named(item: Item, selection: Any) -> bool:
    if not isinstance(selection, str):
        return False
    if item.url and selection == item.url:
        return True
    named = identity_of(item.resource)
    if named:
        return named == item.scope.name(selection) or named == selection
    return bool(item.url) and bare_id(item.url) == bare_id(selection)
