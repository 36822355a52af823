"""
One prefetch value as it may arrive: nothing, a resource, a Bundle, an error, an old wrapper.

CDS Hooks 2.0 "Prefetch": null and an empty Bundle mean that there is none; an
OperationOutcome that the client tried and failed; a `next` link that this is a page.
Only an answer to a search can prove that something is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cds.core.facts import Gap
from cds.fhir.references import Item, Resource, Scope

__all__ = ["Answer", "EveryPage", "unpack"]

_HARMLESS: Final = frozenset({"information", "warning", "success"})
_NO_MATCH: Final = frozenset({"include", "outcome"})
# A Bundle without a type is read like the answer to a search; a document never is one.
_SEARCHES: Final = frozenset({"searchset", "batch-response", "transaction-response", ""})


class EveryPage(dict[str, Any]):
    """
    A Bundle made of all the pages of a search, to a last one that was not full.

    So it may hold more entries than `_count`, and is the whole all the same.
    """


@dataclass(slots=True)
class Answer:
    """
    What one value held.

    *matches* counts the entries that answer the search, *kinds* their types. *bundled*
    says that a Bundle was seen, *continues* that there is a next page, *failed* and
    *partial* that absence is not proved.
    """

    items: list[Item] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    matches: int = 0
    failed: bool = False
    partial: bool = False
    bundled: bool = False
    continues: bool = False

    @property
    def gap(self) -> Gap | None:
        """Say why absence is not proved; None where it is."""
        if self.failed:
            return Gap.SEARCH_FAILED
        return Gap.INCOMPLETE if self.partial else None


def unpack(value: Any, *, path: str, key: str) -> Answer:
    """Read one value, whatever it is; never raises."""
    answer = Answer()
    _take(answer, value, path, key)
    return answer


def _take(answer: Answer, value: Any, path: str, key: str) -> None:
    if value is None:
        return
    if isinstance(value, list):
        # No FHIR, but resources all the same: they prove presence.
        answer.partial = True
        scope = Scope(("", one) for one in value if isinstance(one, dict))
        for position, one in enumerate(value):
            if isinstance(one, dict):
                _add(answer, Item(f"{path}[{position}]", key, one, scope))
        return
    if not isinstance(value, dict):
        answer.failed = True
    elif _is_bundle(value):
        _bundle(answer, value, path, key, depth=0)
    elif "resourceType" not in value and ("resource" in value or "response" in value):
        _wrapper(answer, value, path, key)
    else:
        _add(answer, Item(path, key, value, Scope([("", value)])))


def _is_bundle(value: Resource) -> bool:
    kind = value.get("resourceType")
    return kind == "Bundle" or (kind is None and isinstance(value.get("entry"), list))


def _wrapper(answer: Answer, value: Resource, path: str, key: str) -> None:
    """Open `{response: {status}, resource}` of the drafts before CDS Hooks 1.0."""
    if not _succeeded(value.get("response")):
        answer.failed = True
    inner = value.get("resource")
    if inner is None or (isinstance(inner, dict) and "resourceType" in inner):
        _take(answer, inner, f"{path}.resource", key)
    else:
        answer.failed = True


def _succeeded(response: Any) -> bool:
    """Read `200`, `"200 OK"`, `"201"`; no response at all says nothing against it."""
    if response is None:
        return True
    status = response.get("status") if isinstance(response, dict) else response
    if status is None:
        return True
    return str(status).strip()[:1] == "2" if isinstance(status, str | int | Decimal) else False


def _add(answer: Answer, item: Item, *, is_match: bool = True) -> None:
    """Take one resource that is no Bundle; an error, or what has no type, is a failure."""
    kind = item.resource.get("resourceType")
    if type(kind) is not str or not kind or kind == "OperationOutcome":
        answer.failed = True
        return
    answer.items.append(item)
    if is_match:
        answer.kinds.add(kind)
        answer.matches += 1


def _is_error(outcome: Resource) -> bool:
    issues = outcome.get("issue")
    if not isinstance(issues, list) or not issues:
        return True
    return any(
        not isinstance(one, dict) or str(one.get("severity")) not in _HARMLESS for one in issues
    )


def _links_on(bundle: Resource) -> bool:
    links = bundle.get("link")
    return any(
        isinstance(one, dict) and one.get("relation") == "next"
        for one in (links if isinstance(links, list) else [links])
    )


def _bundle(answer: Answer, bundle: Resource, path: str, key: str, *, depth: int) -> None:
    kind = bundle.get("type")
    if (kind if isinstance(kind, str) else "") not in _SEARCHES:
        answer.partial = True
    if _links_on(bundle):
        answer.partial = answer.continues = True
    answer.bundled = True
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        answer.partial = answer.partial or entries is not None
        entries = []
    scope = Scope(
        (one["fullUrl"] if type(one.get("fullUrl")) is str else "", one["resource"])
        for one in entries
        if isinstance(one, dict) and isinstance(one.get("resource"), dict)
    )
    before = answer.matches
    for position, entry in enumerate(entries):
        if isinstance(entry, dict):
            where = f"{path}.entry[{position}]"
            _entry(answer, entry, where, key, scope, depth=depth)
        else:
            answer.partial = True
    total = bundle.get("total")
    if isinstance(total, int | Decimal) and total > answer.matches - before:
        answer.partial = True


def _entry(
    answer: Answer, entry: Resource, path: str, key: str, scope: Scope, *, depth: int
) -> None:
    if not _succeeded(entry.get("response")):
        answer.failed = True
    resource = entry.get("resource")
    if not isinstance(resource, dict):
        # `{"response": {"status": "204"}}` is an answer; an entry with neither is a hole.
        if resource is not None or not isinstance(entry.get("response"), dict):
            answer.partial = True
        return
    search = entry.get("search")
    mode = search.get("mode") if isinstance(search, dict) else None
    if resource.get("resourceType") == "OperationOutcome":
        answer.failed = answer.failed or _is_error(resource)
        return
    if _is_bundle(resource):
        if depth:
            answer.partial = True
        else:
            inside = f"{path}.resource"
            _bundle(answer, resource, inside, key, depth=depth + 1)
        return
    url = entry.get("fullUrl")
    address = url if type(url) is str else ""
    is_match = type(mode) is not str or mode not in _NO_MATCH
    item = Item(f"{path}.resource", key, resource, scope, address)
    _add(answer, item, is_match=is_match)
