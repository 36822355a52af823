"""
The route a medicine goes by, in the words that its concept has for each route.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cds.core.concepts import Concept
from cds.fhir.codings import codings_of, texts_of
from cds.fhir.references import Resource
from cds.fhir.words import Phrases, is_readable, tokens_of

__all__ = ["Routes", "routes_sent"]


def routes_sent(resource: Resource) -> list[list[str]]:
    """Collect the texts and codes of each route that an order or statement names."""
    return [
        list(texts_of(one)) + [code for _, code in codings_of(one)] for one in _dosages(resource)
    ]


def _dosages(resource: Resource) -> Iterator[Any]:
    for name in ("dosageInstruction", "dosage"):
        dosages = resource.get(name)
        for one in dosages if type(dosages) is list else ():
            if type(one) is dict and type(one.get("route")) is dict:
                yield one["route"]


class Routes:
    """Reads the routes of some concepts; made once."""

    def __init__(self, concepts: Sequence[Concept]) -> None:
        self._words = {
            one.id: {route: Phrases(words) for route, words in one.routes.items()}
            for one in concepts
            if one.routes
        }

    def of(self, concept: str, resource: Resource, texts: Sequence[str]) -> tuple[str, ...] | None:
        """
        Name the routes by which an entry of *concept* goes; None where nobody says.

        A route that was sent decides; without a readable one, the words of the product do.
        """
        known = self._words.get(concept)
        if known is None:
            return None
        sent = [one for one in routes_sent(resource) if one]
        named = [self._named(known, one) for one in sent]
        if any(named) or any(is_readable(text) for one in sent for text in one):
            return tuple(dict.fromkeys(route for one in named for route in one))
        return self._named(known, texts) or None

    @staticmethod
    def _named(known: dict[str, Phrases], texts: Sequence[str]) -> tuple[str, ...]:
        several = [tokens_of(one) for one in texts]
        return tuple(
            route
            for route, words in known.items()
            if any(True for tokens in several for _ in words.at(tokens))
        )
