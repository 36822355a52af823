"""
What must still be asked for: prefetch templates that nobody answered, filled for one patient.

An answer is whatever stands under a key: null, an empty Bundle and an OperationOutcome
are answers too (CDS Hooks 2.0 "Prefetch"), and are never asked again. What fills a
template obeys the grammar of FHIR and is percent-encoded besides, so that an id stays an
id wherever it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urljoin

from cds.fhir.bundles import EveryPage
from cds.fhir.references import base_of, identity_of

__all__ = [
    "Query",
    "count_of",
    "merged",
    "narrowed",
    "next_of",
    "product_of",
    "queries",
    "reads",
    "tokens_of",
]

_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}")
_TOKEN: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_COUNT: Final = re.compile(r"[?&]_count=([0-9]{1,6})(?:&|$)")
_USERS: Final[Mapping[str, str]] = {
    "Practitioner": "userPractitionerId",
    "PractitionerRole": "userPractitionerRoleId",
    "Patient": "userPatientId",
    "RelatedPerson": "userRelatedPersonId",
}
# What stands in codes and dates anyway and means nothing in a query.
_PLAIN: Final = ",:/"


@dataclass(frozen=True, slots=True)
class Query:
    """
    One read or search: under *key* its answer will stand.

    *id* is empty for a search, *parameters* for a read.
    """

    key: str
    resource: str
    id: str = ""
    parameters: Mapping[str, str] | None = None

    @property
    def target(self) -> str:
        """Address below the base of a server, encoded."""
        if self.parameters is None:
            return f"{self.resource}/{quote(self.id, safe='')}"
        return f"{self.resource}?{self.form}"

    @property
    def form(self) -> str:
        """Parameters of a search, encoded, as they stand in an address or in a form."""
        return "&".join(
            f"{quote(name, safe=':')}={quote(value, safe=_PLAIN)}"
            for name, value in (self.parameters or {}).items()
        )


def tokens_of(*, patient_id: str, user_id: str = "", encounter_id: str = "") -> dict[str, str]:
    """
    Give what fills the tokens of templates; what is not known or no valid id is left out.

    *user_id* is a reference such as `Practitioner/1`.
    """
    tokens = {}
    for name, value in (("patientId", patient_id), ("encounterId", encounter_id)):
        if _is_id(value):
            tokens[f"context.{name}"] = value
    kind, _, own = user_id.partition("/")
    if _TYPE.fullmatch(kind) and _is_id(own):
        tokens["context.userId"] = user_id
        if kind in _USERS:
            tokens[_USERS[kind]] = own
    return tokens


def queries(
    templates: Mapping[str, str], prefetch: Mapping[str, Any], tokens: Mapping[str, str]
) -> Iterator[Query]:
    """
    Give a query for every template whose key is absent from *prefetch*, in their order.

    A template with a token that is not known, or that is neither a read nor a search, is
    passed over: its key stays absent.
    """
    for key, template in templates.items():
        if key not in prefetch:
            found = _filled(key, template, tokens)
            if found is not None:
                yield found


def reads(references: Iterable[str], known: Iterable[str], *, base: str) -> Iterator[Query]:
    """
    Give a read for every reference that is not *known* yet; its key is `Type/id`.

    References are relative, or absolute on *base*; versions are cut off, since the present
    state is asked for. Whatever else is named is passed over: contained resources, entries
    of a Bundle, other servers.
    """
    done = set(known)
    for one in references:
        text = one.partition("/_history/")[0]
        if "://" in text:
            if base_of(text) != base_of(f"{base}/Any/1"):
                continue
            text = "/".join(text.rsplit("/", 2)[1:])
        kind, _, own = text.partition("/")
        if _TYPE.fullmatch(kind) and _is_id(own) and text not in done:
            done.add(text)
            yield Query(text, kind, own)


def product_of(resource: Mapping[str, Any]) -> str:
    """Give the reference to the Medication of an order; empty where it is not elsewhere."""
    sent = resource.get("medicationReference")
    reference = sent.get("reference") if isinstance(sent, dict) else None
    if not isinstance(reference, str) or reference.startswith("#"):
        return ""
    return reference


def count_of(template: str) -> int | None:
    """Give the `_count` of a search; None for a read, or a search without one."""
    found = _COUNT.search(template)
    return int(found[1]) if found is not None else None


def next_of(bundle: Any, *, base: str = "") -> str:
    """
    Give the address of the next page; empty where there is none, or none that is text.

    A relative one is of *base*, as R4 has it for what stands in a Bundle.
    """
    for one in _links(bundle) if isinstance(bundle, dict) else ():
        if _is_next(one):
            url = one.get("url")
            if not isinstance(url, str) or "://" in url or not base:
                return url if isinstance(url, str) else ""
            try:
                return urljoin(f"{base}/", url)
            except ValueError:
                return url
    return ""


def merged(pages: Sequence[Mapping[str, Any]], *, count: int | None = None) -> dict[str, Any]:
    """
    Make one answer of the pages of a search: the first one with the entries of all.

    It links to a next page where the last one does: then it is not the whole. Where the
    last one does not and holds fewer than *count*, it is `EveryPage`. An entry that moved
    to the next page while pages were turned counts once, and the largest total is kept,
    so that one which was lost on the way is missed.
    """
    first, last = pages[0], pages[-1]
    links = [one for one in _links(first) if one is not None and not _is_next(one)]
    ends = [one for one in _links(last) if _is_next(one)]
    rest = {name: value for name, value in first.items() if name not in {"link", "entry"}}
    if links or ends:
        rest["link"] = [*links, *ends]
    totals = [one["total"] for one in pages if type(one.get("total")) is int]
    if totals:
        rest["total"] = max(totals)
    entries = list(_each_once(each for one in pages for each in one.get("entry") or ()))
    found = {**rest, "entry": entries} if entries else rest
    is_end = not ends and count is not None and len(last.get("entry") or ()) < count
    return EveryPage(found) if is_end else found


def _each_once(entries: Iterable[Any]) -> Iterator[Any]:
    known: dict[str, Any] = {}
    for one in entries:
        resource = one.get("resource") if isinstance(one, dict) else None
        name = identity_of(resource) if isinstance(resource, dict) else ""
        if name and known.get(name) == resource:
            continue
        known.setdefault(name, resource)
        yield one


def narrowed(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Mark the answer to a search that saw only some of what there is: nothing is absent by it."""
    return {**bundle, "type": "collection"}


def _links(bundle: Mapping[str, Any]) -> list[Any]:
    links = bundle.get("link")
    return links if isinstance(links, list) else [links]


def _is_next(link: Any) -> bool:
    return isinstance(link, dict) and link.get("relation") == "next"


def _is_id(text: str) -> bool:
    """Tell whether a text is an id of FHIR that no server takes for a step in a path."""
    return _ID.fullmatch(text) is not None and set(text) != {"."}


def _filled(key: str, template: str, tokens: Mapping[str, str]) -> Query | None:
    if any(one not in tokens for one in _TOKEN.findall(template)):
        return None
    head, mark, tail = template.partition("?")
    if not mark:
        kind, _, own = _fill(head, tokens).partition("/")
        return Query(key, kind, own) if _TYPE.fullmatch(kind) and _is_id(own) else None
    if _TYPE.fullmatch(head) is None:
        return None
    parameters: dict[str, str] = {}
    for part in tail.split("&"):
        name, _, value = part.partition("=")
        parameters[name] = _fill(value, tokens)
    return Query(key, head, parameters=parameters)


def _fill(text: str, tokens: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda found: tokens[found[1]], text)
