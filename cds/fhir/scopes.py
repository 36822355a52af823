"""
SMART scopes: what a token says it is good for, in the grammar of version 1 and of version 2.

Version 1: `patient/Observation.read`, `user/*.*`. Version 2: `patient/Observation.rs`,
perhaps with a query behind it that narrows what is seen. Scopes about anything else
(`launch`, `openid`) and those that cannot be read say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl

__all__ = ["Coverage", "Interaction", "Scopes"]

Coverage = Literal["whole", "part", "none"]
"""How much of what is there a token lets one see."""

Interaction = Literal["read", "search"]

_SCOPE: Final = re.compile(
    r"(?:patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]{1,63})"
    r"\.(?P<may>read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(?P<query>[^\s?#]+))?"
)
# Version 1 says `read` for both; version 2 has a letter for each.
_READS: Final[Mapping[Interaction, str]] = {"read": "r", "search": "s"}


@dataclass(frozen=True, slots=True)
class _Grant:
    type: str
    may: frozenset[str]
    only: tuple[tuple[str, frozenset[str]], ...] = ()

    def holds(self, parameters: Mapping[str, str]) -> bool:
        """Tell whether a search asks for nothing that the grant leaves out."""
        return all(
            name in parameters and frozenset(parameters[name].split(",")) <= values
            for name, values in self.only
        )


class Scopes:
    """The scopes of one token, as the blank-separated text that came with it."""

    def __init__(self, text: str) -> None:
        self._grants = tuple(_grants(text.split()))

    def cover(
        self, resource: str, interaction: Interaction, parameters: Mapping[str, str] | None = None
    ) -> Coverage:
        """
        Say whether a read or search of *resource* would be answered in full.

        `part`: the token sees some of what there is, so that nothing proves absence. A
        search that asks for no more than the scope allows (by the same parameter) is
        whole. Several narrowed scopes together are never taken for the whole.
        """
        letter = _READS[interaction]
        found: Coverage = "none"
        for one in self._grants:
            if one.type in {"*", resource} and letter in one.may:
                if one.holds(parameters or {}):
                    return "whole"
                found = "part"
        return found


def _grants(texts: Iterable[str]) -> Iterable[_Grant]:
    for text in texts:
        scope = _SCOPE.fullmatch(text)
        if scope is None:
            continue
        may, query = scope["may"], scope["query"]
        letters = {"read": "rs", "*": "cruds", "write": "cud"}.get(may, may)
        only = tuple(
            (name, frozenset(value.split(",")))
            for name, value in parse_qsl(query or "", keep_blank_values=True)
        )
        if query and not only:
            continue
        yield _Grant(scope["type"], frozenset(letters), only)
