"""
Codes: a system and a code together, never a code alone and never a display.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cds.core.concepts import CodeRule, Concept

__all__ = ["Code", "CodeIndex", "Hit", "Systems", "code_in", "codings_of", "texts_of"]

_MEMO: Final = 16384
_LONGEST_CODE: Final = 64
_LONGEST_SYSTEM: Final = 256
_OID: Final = "urn:oid:"

Code = tuple[str, str]


class Systems:
    """
    What the rule files call a code system, by any spelling of its address.

    Accepted besides the listed addresses: a bare OID, `https` for `http`, a trailing
    slash, a version behind `|`, and capitals in scheme and host.
    """

    def __init__(self, systems: Mapping[str, Iterable[str]]) -> None:
        self._names = {
            _spelled(address): name for name, addresses in systems.items() for address in addresses
        }

    def name(self, address: str) -> str:
        """Give the name of a system; empty for one that no rule reads."""
        return self._names.get(_spelled(address), "")


def _spelled(address: str) -> str:
    text = address.strip().partition("|")[0].rstrip("/")
    if text[: len(_OID)].lower() == _OID:
        return text[len(_OID) :]
    scheme, found, rest = text.partition("://")
    if not found:
        return text
    host, slash, path = rest.partition("/")
    scheme = scheme.lower()
    return f"{'http' if scheme == 'https' else scheme}://{host.lower()}{slash}{path}"


@dataclass(frozen=True, slots=True)
class Hit:
    """One concept that a code means, and how; *denied*: it was decided that it does not."""

    concept: Concept
    rule: CodeRule
    denied: bool = False


class CodeIndex:
    """
    The concepts that a code means.

    Codes are compared without dots and without case: `E11.9` is sent as `E119` too.
    """

    def __init__(self, concepts: Iterable[Concept], systems: Systems) -> None:
        self._systems = systems
        self._exact: dict[Code, list[Hit]] = {}
        self._prefixes: dict[Code, list[Hit]] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}
        for concept in concepts:
            for rule in concept.codes:
                self._enter(Hit(concept, rule))
            for rule in concept.not_codes:
                self._enter(Hit(concept, rule, denied=True))
        self._memo: dict[Code, tuple[Hit, ...]] = {}

    def _enter(self, hit: Hit) -> None:
        key = (hit.rule.system, _plain(hit.rule.code))
        if hit.rule.prefix:
            self._prefixes.setdefault(key, []).append(hit)
            lengths = {*self._lengths.get(key[0], ()), len(key[1])}
            self._lengths[key[0]] = tuple(sorted(lengths))
        else:
            self._exact.setdefault(key, []).append(hit)

    def hits(self, system: str, code: str) -> tuple[Hit, ...]:
        """Find what one coding means, denials included; *system* as received."""
        key = (system, code)
        found = self._memo.get(key)
        if found is None:
            found = self._look(system, code)
            if len(code) <= _LONGEST_CODE and len(system) <= _LONGEST_SYSTEM:
                if len(self._memo) >= _MEMO:
                    self._memo.clear()
                self._memo[key] = found
        return found

    def _look(self, system: str, code: str) -> tuple[Hit, ...]:
        if len(code) > _LONGEST_CODE or len(system) > _LONGEST_SYSTEM:
            return ()
        name, plain = self._systems.name(system), _plain(code)
        found = list(self._exact.get((name, plain), ()))
        for length in self._lengths.get(name, ()):
            if length <= len(plain):
                found.extend(self._prefixes.get((name, plain[:length]), ()))
        return tuple(found)

    def all_hits(self, codes: Iterable[Code]) -> tuple[tuple[Hit, Code], ...]:
        """
        Find what several codings of one thing mean: any of them counts.

        What one coding denies no other can say, but that it once was (codes of history
        are not denied). Where two codings mean a concept in different ways, each way is
        given once.
        """
        found: dict[tuple[str, CodeRule], tuple[Hit, Code]] = {}
        denied: set[str] = set()
        for code in codes:
            for hit in self.hits(*code):
                if hit.denied:
                    denied.add(hit.concept.id)
                else:
                    found.setdefault((hit.concept.id, hit.rule), (hit, code))
        return tuple(
            one for one in found.values() if one[0].concept.id not in denied or one[0].rule.history
        )


def _plain(code: str) -> str:
    return code.replace(".", "").upper()


def codings_of(concept: Any) -> Iterator[Code]:
    """Walk the codings of a CodeableConcept (or a Coding) that have system and code."""
    if type(concept) is not dict:
        return
    codings = concept.get("coding")
    for one in codings if type(codings) is list else (concept,):
        if type(one) is dict:
            system, code = one.get("system"), one.get("code")
            if type(system) is str and type(code) is str and code:
                yield system, code


def texts_of(concept: Any) -> Iterator[str]:
    """Walk the texts of a CodeableConcept: its own, then every display."""
    if type(concept) is not dict:
        return
    text = concept.get("text")
    if type(text) is str:
        yield text
    codings = concept.get("coding")
    for one in codings if type(codings) is list else (concept,):
        if type(one) is dict and type(one.get("display")) is str:
            yield one["display"]


def code_in(concept: Any, codes: Iterable[str]) -> str:
    """
    Find which of *codes* an HL7 status says, by any coding or, without codings, by text.

    Status code systems are HL7's own and their codes do not overlap, so the system is
    not asked for.
    """
    if type(concept) is str:
        return concept if concept in codes else ""
    if type(concept) is not dict:
        return ""
    codings = concept.get("coding")
    sent = (
        [one.get("code") for one in codings if type(one) is dict] if type(codings) is list else []
    )
    if not sent and type(concept.get("text")) is str:
        sent = [concept["text"].strip().lower()]
    return next((one for one in sent if type(one) is str and one in codes), "")
