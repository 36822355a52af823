"""
Family history: what a relative has, or had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.facts import Gap
from cds.fhir.codings import Code, CodeIndex, Systems, codings_of, texts_of
from cds.fhir.gathering import Gathered, source_of
from cds.fhir.moments import read
from cds.fhir.references import Item, Resource
from cds.fhir.words import tokens_of

__all__ = ["Families"]

_READ: Final = frozenset({"partial", "completed"})


class Families:
    """Reads FamilyMemberHistory for concepts of type `family`; made once."""

    def __init__(self, concepts: Sequence[Concept], systems: Systems) -> None:
        own = [one for one in concepts if one.type == "family"]
        self._index = CodeIndex(own, systems)
        self._relatives = {
            one.id: frozenset(word.casefold() for word in one.relatives) for one in own
        }
        self.is_needed = bool(own)

    def take(self, item: Item, gathered: Gathered) -> None:
        """Read the history of one relative of the patient."""
        resource = item.resource
        found: dict[str, Code] = {}
        conditions = resource.get("condition")
        for one in conditions if type(conditions) is list else ():
            code = one.get("code") if type(one) is dict else None
            for hit, sent in self._index.all_hits(codings_of(code)):
                if self._is_meant(hit.concept.id, resource):
                    found.setdefault(hit.concept.id, sent)
        status = resource.get("status")
        if status == "entered-in-error":
            gathered.count(found, Gap.STATUS, resource)
            return
        if status not in _READ:
            for name, code in found.items():
                gathered.leave_out(name, Gap.STATUS, source_of(item, code))
            return
        when = read(resource.get("date"), gathered.zone)
        for name, code in found.items():
            gathered.enter(name, source_of(item, code, status), active=True, when=when)

    def _is_meant(self, concept: str, resource: Resource) -> bool:
        """Tell whether this relative is one of those that count; all do where none is named."""
        wanted = self._relatives[concept]
        return not wanted or not wanted.isdisjoint(_said(resource.get("relationship")))


def _said(relationship: Any) -> set[str]:
    """Collect the codes and words by which a relative is named."""
    words = {token for text in texts_of(relationship) for token in tokens_of(text)}
    return words | {code.casefold() for _, code in codings_of(relationship)}
