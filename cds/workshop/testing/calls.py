"""
The `given:` of an inline case as the whole call of a hook: its context beside its prefetch.

    {metformin: ordered}    {metformin: "present and ordered, by route oral"}
    {keto_plan: drafted}
    {type_2_diabetes: being added}    {metformin: being refilled}    {hook: order-select}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cds.core.hooks import ACTS, DEFAULT_HOOK, HOOKS
from cds.core.rules import Ruleset
from cds.workshop.testing.patients import CannotRead, prefetch_of, resource_of

__all__ = ["Call", "call_of"]

_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "ordered": frozenset({"medicine", "plan", "order"}),
    "drafted": frozenset({"medicine", "plan", "order"}),
    "being added": frozenset({"problem"}),
    "being refilled": frozenset({"medicine"}),
}
_MEMBERS: Final = {"being added": "conditions", "being refilled": "medications"}
# Which hook is called where a case does not say, and its card does not settle it.
_HOOK_OF: Final = {
    "ordered": "order-sign",
    "drafted": "order-select",
    "being added": "problem-list-item-create",
    "being refilled": "medication-refill",
}
_DISPATCH: Final = "order-dispatch"
# What a case says of the call and not of the patient.
_ASIDE: Final = frozenset({"history", "hook"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call as an EHR would send it."""

    hook: str
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Draft:
    concept: str
    act: str
    remarks: str


@dataclass(slots=True)
class _Split:
    """A case, sorted by what is on record and what the call brings."""

    record: dict[str, Any] = field(default_factory=dict)
    drafts: list[_Draft] = field(default_factory=list)


def call_of(rules: Ruleset, given: Mapping[str, Any], *, hooks: Sequence[str] = ()) -> Call:
    """
    Make the call of a test patient.

    The hook is the one that `hook:` names; else the first of *hooks* (those of the card)
    that can bring what the case orders, adds or refills; else the first of them.
    Raises `CannotRead` where no call could bring what is given.
    """
    split = _Split()
    for name, value in given.items():
        if name not in _ASIDE:
            _sort(rules, name, value, split)
    hook = _hook(given.get("hook"), {one.act for one in split.drafts}, hooks)
    prefetch = prefetch_of(rules, split.record)
    if hook == _DISPATCH:
        orders = [one for _, one in _resources(rules, split.drafts, signed=True)]
        prefetch["dispatched"] = _bundle(orders)
        return Call(hook, {"dispatchedOrders": [_name(one) for one in orders]}, prefetch)
    return Call(hook, _context(rules, hook, split.drafts), prefetch)


def _sort(rules: Ruleset, name: str, value: Any, split: _Split) -> None:
    concept = rules.concepts.get(name)
    if concept is None or concept.type in {"quantity", "answer", "date"}:
        split.record[name] = value
        return
    rest: list[str] = []
    for one in value if isinstance(value, list | tuple) else [value]:
        words, comma, remarks = str(one).partition(", ")
        for part in words.split(" and "):
            if part not in _TYPES:
                rest.append(f"{part}{comma}{remarks}")
            elif concept.type not in _TYPES[part]:
                msg = f"`{name}: {part}`: {name} is a {concept.type}"
                raise CannotRead(msg)
            else:
                split.drafts.append(_Draft(name, part, f"{comma}{remarks}"))
    if rest:
        split.record[name] = rest


def _hook(said: Any, acts: set[str], hooks: Sequence[str]) -> str:
    if said is not None:
        if said not in HOOKS:
            msg = f"`{said}` is not a hook; hooks are {', '.join(HOOKS)}"
            raise CannotRead(msg)
        wanted = [str(said)]
    elif not acts:
        return hooks[0] if hooks else DEFAULT_HOOK
    else:
        wanted = [*hooks, *(_HOOK_OF[act] for act in sorted(acts))]
    possible = [hook for hook in wanted if not hooks or hook in hooks]
    found = next((hook for hook in possible if all(_brings(hook, act) for act in acts)), None)
    if found is None:
        asked = " or ".join(dict.fromkeys(hooks or wanted))
        what = f"what is {', '.join(sorted(acts))}" if acts else f"the hook {said}"
        msg = f"no call of {asked} has {what}"
        raise CannotRead(msg)
    return found


def _brings(hook: str, act: str) -> bool:
    if act == "drafted":
        return hook == "order-select"
    return ACTS.get(hook, "") == act.removeprefix("being ")


def _context(rules: Ruleset, hook: str, drafts: Sequence[_Draft]) -> dict[str, Any]:
    resources = list(_resources(rules, drafts))
    bundle = _bundle([one for _, one in resources])
    if hook in {"order-select", "order-sign"}:
        context: dict[str, Any] = {"draftOrders": bundle}
        if hook == "order-select":
            context["selections"] = [_name(one) for act, one in resources if act == "ordered"]
        return context
    return {_MEMBERS[act]: bundle for act, _ in resources}


def _bundle(resources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in resources],
    }


def _name(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _resources(
    rules: Ruleset, drafts: Sequence[_Draft], *, signed: bool = False
) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, one in enumerate(drafts):
        resource = resource_of(rules, rules.concepts[one.concept], f"present{one.remarks}")
        if not signed and not one.act.startswith("being "):
            resource |= {"status": "draft"}
        resource["id"] = f"draft-{number}"
        yield one.act, resource
