"""
References: what they name, inside one Bundle and across the request.

R4 2.36.4.1: a reference is relative, absolute, versioned, `urn:` by fullUrl in the same
Bundle, or `#id` into the contained resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from cds.core.facts import Gap
from cds.core.hooks import Act

__all__ = [
    "Attribution",
    "Item",
    "Resource",
    "Scope",
    "Standing",
    "bare_id",
    "base_of",
    "id_of",
    "identity_of",
]

Resource = Mapping[str, Any]

_MEMO: Final = 4096
_BASE_TYPE_ID: Final = 3


class Scope:
    """
    The entries of one Bundle, by the names a reference may use.

    The index is made when first asked for: most Bundles are never asked.
    """

    __slots__ = ("_entries", "_index", "_names")

    def __init__(self, entries: Iterable[tuple[str, Resource]] = ()) -> None:
        self._entries = tuple(entries)
        self._index: dict[str, Resource] | None = None
        self._names: dict[str, str] = {}

    def find(self, name: str) -> Resource | None:
        """
        Find an entry by fullUrl or by `Type/id`; the first of several that are alike.

        A resource without an id has the one that its fullUrl ends in.
        """
        if self._index is None:
            self._index = {}
            for url, resource in self._entries:
                if url:
                    self._index.setdefault(url, resource)
                named = identity_of(resource) or _named_by(url, resource)
                if named:
                    self._index.setdefault(named, resource)
        return self._index.get(name)

    def name(self, reference: str) -> str:
        """
        Spell a reference one way: `Type/id`, or the `urn:` where nothing better is known.

        Contained and unreadable references give an empty text.
        """
        known = self._names.get(reference)
        if known is None:
            known = self._spell(reference)
            if len(self._names) < _MEMO:
                self._names[reference] = known
        return known

    def _spell(self, reference: str) -> str:
        text = reference.partition("/_history/")[0]
        if text.startswith("#"):
            return ""
        if text.startswith("urn:"):
            target = self.find(text)
            return (identity_of(target) or text) if target is not None else text
        head, _, last = text.rpartition("/")
        kind = head.rpartition("/")[2]
        return f"{kind}/{last}" if kind and last else ""


Standing = Act | Literal["background"]


class Item(NamedTuple):
    """
    One received resource: where it stood, and the Bundle that resolves its references.

    *act* marks what the call itself is about; a draft that is not is `background`, and
    counts as if it had been signed.
    """

    path: str
    key: str
    resource: Resource
    scope: Scope
    url: str = ""
    act: Standing = ""


def identity_of(resource: Resource) -> str:
    """Give `Type/id`; empty where either is missing."""
    kind, own = resource.get("resourceType"), id_of(resource)
    return f"{kind}/{own}" if type(kind) is str and kind and own else ""


def id_of(resource: Resource) -> str:
    """Give the id, also where it was sent as a number; empty where there is none."""
    own = resource.get("id")
    if type(own) is str:
        return own
    return str(own) if type(own) is int else ""


def bare_id(reference: str) -> str:
    """Cut an id out of `Patient/x`, an absolute address, a version or a `urn:uuid:`."""
    text = reference.strip().partition("/_history/")[0].rpartition("/")[2]
    return text.removeprefix("urn:uuid:")


def _named_by(url: str, resource: Resource) -> str:
    """Give `Type/id` of a resource that says its id in its address alone."""
    kind, own = resource.get("resourceType"), bare_id(url)
    return f"{kind}/{own}" if type(kind) is str and kind and own else ""


def base_of(address: str) -> str:
    """Give server and folder of an absolute address, without `http` or `https`."""
    scheme, found, rest = address.partition("://")
    if not found or scheme.lower() not in {"http", "https"}:
        return ""
    parts = rest.partition("/_history/")[0].rsplit("/", 2)
    return parts[0].lower() if len(parts) == _BASE_TYPE_ID else ""


class Attribution:
    """
    Says whether a resource is about the patient.

    *urls* are the fullUrls under which the patient arrived. Where they name a server,
    an absolute reference must name the same one.
    """

    def __init__(self, patient_id: str, urls: Iterable[str]) -> None:
        self._name = f"Patient/{patient_id}"
        self._urls = frozenset(urls) | {f"urn:uuid:{patient_id}"}
        self._bases = frozenset(filter(None, map(base_of, self._urls)))

    def judge(self, resource: Resource, scope: Scope) -> Gap | None:
        """Give None for the patient's own, else why the resource cannot be used."""
        subject = resource.get("subject")
        if subject is None:
            subject = resource.get("patient")
        reference = subject.get("reference") if type(subject) is dict else None
        if type(reference) is not str:
            return Gap.NO_SUBJECT
        return self.judge_reference(reference, scope)

    def judge_reference(self, reference: str, scope: Scope) -> Gap | None:
        """Do the same for the text of a reference."""
        if reference == self._name or reference in self._urls:
            return None
        name = scope.name(reference)
        if name.startswith("urn:"):
            target = scope.find(name)
            is_patient = target is not None and target.get("resourceType") == "Patient"
            return Gap.OTHER_PATIENT if is_patient else Gap.NO_SUBJECT
        if not name.startswith("Patient/"):
            return Gap.NO_SUBJECT
        if name != self._name:
            return Gap.OTHER_PATIENT
        base = base_of(reference)
        return Gap.OTHER_PATIENT if base and self._bases and base not in self._bases else None
