"""
Looking at JSON: what is wrong, each with the id of the clause and the place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["CODE", "UUID", "Look", "is_absolute", "parsed"]

UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
"""A uuid as FHIR writes it: lower case, bare."""
CODE: Final = re.compile(r"[^\s]+( [^\s]+)*")
"""The type `code` of FHIR: no blanks around it, none in a row."""
_NAME: Final = re.compile(r"[A-Za-z0-9]+([-.][A-Za-z0-9]+)*\.[A-Za-z0-9-]+")


def parsed(raw: bytes) -> Any:
    """
    Read strict JSON: UTF-8, no member twice, no NaN.

    Raises `ValueError`.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a member stands twice")
        return found

    def finite(text: str) -> Any:
        raise ValueError(f"{text} is no JSON")

    return json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=finite)


def is_absolute(url: Any) -> bool:
    """Tell whether an address has a scheme of the web and a host."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and " " not in url


class Look:
    """What was found so far; every check adds a line for what it does not like."""

    def __init__(self, *, ballot: bool = False) -> None:
        self.found: list[str] = []
        self.ballot = ballot
        """Whether what the 3.0 ballot adds may be there."""

    def wrong(self, clause: str, what: str, at: str) -> None:
        """Note that something breaks a clause."""
        self.found.append(f"{clause}: {what} at {at}")

    def object_at(self, clause: str, value: Any, at: str) -> dict[str, Any] | None:
        """Want an object."""
        if isinstance(value, dict):
            return value
        self.wrong(clause, f"{_kind(value)} where an object belongs", at)
        return None

    def items_at(
        self, clause: str, value: Any, at: str, *, least: int = 1
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Want an array of objects, with at least so many; give each with its place."""
        if not isinstance(value, list):
            self.wrong(clause, f"{_kind(value)} where an array belongs", at)
            return
        if len(value) < least:
            self.wrong(clause, "an empty array", at)
        for number, one in enumerate(value):
            inside = self.object_at(clause, one, f"{at}[{number}]")
            if inside is not None:
                yield f"{at}[{number}]", inside

    def text(self, clause: str, parent: dict[str, Any], name: str, at: str) -> str:
        """Want a string that is not blank; the empty string where there is none."""
        value = parent.get(name)
        if name not in parent:
            self.wrong(clause, f"no {name}", at)
        elif not isinstance(value, str):
            self.wrong(clause, f"{name} is {_kind(value)}", f"{at}.{name}")
        elif not value.strip():
            self.wrong(clause, f"{name} is blank", f"{at}.{name}")
        return value if isinstance(value, str) else ""

    def members(self, clause: str, parent: dict[str, Any], known: frozenset[str], at: str) -> None:
        """Want no member beside the known ones."""
        for name in sorted(set(parent) - known):
            self.wrong(clause, f"the unknown member {name}", at)

    def nothing_empty(self, value: Any, at: str, *, but: frozenset[str] = frozenset()) -> None:
        """Want no null, no empty text, array or object at any depth (HTTP-03)."""
        if value == [] and at in but:
            return
        if value is None or (isinstance(value, str | list | dict) and not value):
            self.wrong("HTTP-03", f"{_kind(value)} without a value", at)
        elif isinstance(value, dict):
            for name, one in value.items():
                self.nothing_empty(one, f"{at}.{name}", but=but)
        elif isinstance(value, list):
            for number, one in enumerate(value):
                self.nothing_empty(one, f"{at}[{number}]", but=but)

    def extension(self, parent: dict[str, Any], at: str) -> None:
        """Want an object with names that are unique in the world, where there is one."""
        if "extension" not in parent:
            return
        inside = self.object_at("EXT-01", parent["extension"], f"{at}.extension")
        for name in inside or ():
            if _NAME.fullmatch(name) is None:
                self.wrong("EXT-02", f"{name} is no name of a domain", f"{at}.extension")

    def uuid(self, clause: str, parent: dict[str, Any], at: str) -> str:
        """Want a uuid as FHIR writes it."""
        found = self.text(clause, parent, "uuid", at)
        if found and UUID.fullmatch(found) is None:
            self.wrong(clause, "no uuid in lower case", f"{at}.uuid")
        return found

    def coding(self, clause: str, value: Any, at: str, *required: str) -> None:
        """Want a coding with what is required of it."""
        found = self.object_at(clause, value, at)
        if found is None:
            return
        for name in required:
            self.text(clause, found, name, at)
        self.members("CARD-16", found, frozenset({"code", "system", "display"}), at)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    names |= {list: "an array", dict: "an object"}
    return names.get(type(value), type(value).__name__)
