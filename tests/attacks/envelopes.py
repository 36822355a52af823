"""
Envelopes and contexts: every member missing, null, empty, huge, of every wrong type; hostile ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.attacks.good import FOREIGN, HOOKS, MARK, OWN, Request
from tests.attacks.table import ANSWERED, BAD, ODD, Change, Row, Sent, put, without

__all__ = ["REQUIRED", "contexts", "envelopes", "ids"]

_HUGE: Final = MARK * 20_000
_NO_TEXT: Final[dict[str, Any]] = {
    "null": None,
    "a number": 7,
    "true": True,
    "a list": [MARK],
    "an object": {MARK: MARK},
    "empty": "",
    "huge": _HUGE,
}
_NO_OBJECT: Final[dict[str, Any]] = {
    "null": None,
    "a number": 7,
    "false": False,
    "a list": [{MARK: MARK}],
    "a text": MARK,
    "empty": "",
}

# Restated from the hook library: what each context must hold.
REQUIRED: Final = {
    "patient-view": ("userId", "patientId"),
    "order-select": ("userId", "patientId", "selections", "draftOrders"),
    "order-sign": ("userId", "patientId", "draftOrders"),
    "order-dispatch": ("patientId", "dispatchedOrders", "performer"),
    "encounter-start": ("userId", "patientId", "encounterId"),
    "encounter-discharge": ("userId", "patientId", "encounterId"),
    "appointment-book": ("userId", "patientId", "appointments"),
    "problem-list-item-create": ("userId", "patientId", "conditions"),
    "medication-refill": ("patientId", "medications"),
}
_LISTS: Final = frozenset({"selections", "dispatchedOrders"})
_BUNDLES: Final = frozenset({"draftOrders", "appointments", "conditions", "medications"})


def envelopes() -> Iterator[Row]:
    """Yield what is wrong with the outermost object."""
    for member, wrong in (
        ("hook", _NO_TEXT),
        ("hookInstance", _NO_TEXT),
        ("context", _NO_OBJECT),
    ):
        place = f"$.{member}"
        yield Row(f"{member} missing", without(member), place=place, everywhere=True)
        for name, value in wrong.items():
            yield Row(f"{member} is {name}", put(member, value), place=place, everywhere=True)
    yield Row("hook is another", put("hook", "allergyintolerance-create"), place="$.hook")
    yield Row("hook in capitals", put("hook", "PATIENT-VIEW"), place="$.hook")
    yield Row("hookInstance in braces", put("hookInstance", "{" + "0" * 36 + "}"), BAD)
    yield Row("context holds nothing", put("context", {}), place="$.context.", everywhere=True)
    for name, value in _NO_OBJECT.items():
        expected = BAD if value is not None else (412,)
        yield Row(f"prefetch is {name}", put("prefetch", value), expected, "$.prefetch")
        if value:
            yield Row(f"fhirAuthorization is {name}", put("fhirAuthorization", value))
    yield Row(
        "prefetch with 50,000 keys", put("prefetch", {f"k{n}": None for n in range(50_000)}), (413,)
    )
    yield Row("prefetch with hostile keys", _hostile_keys, ANSWERED)
    yield from _servers()
    yield from _authorizations()
    for name, value in {**_NO_OBJECT, "huge": {MARK: _HUGE}, "an object": {MARK: {}}}.items():
        yield Row(f"extension is {name}", put("extension", value), ODD)
    yield Row("members nobody knows", _unknown_members, ANSWERED, everywhere=True)
    for name, value in {
        "a list": [],
        "a text": MARK,
        "a number": 3,
        "null": None,
        "true": True,
        "an empty object": {},
    }.items():
        yield Row(f"the body is {name}", _instead(value))
    yield Row("the body is a list of requests", lambda request: Sent([request, request]))


def _instead(value: Any) -> Change:
    return lambda _: Sent(value)


def _hostile_keys(request: Request) -> None:
    for key in ("__proto__", "constructor", "../" + MARK, "a\nb" + MARK, MARK * 100, "", "$.x"):
        request["prefetch"][key] = {"resourceType": "Basic", "id": MARK}


def _unknown_members(request: Request) -> None:
    for holder in (request, request["context"], request["fhirAuthorization"]):
        holder[MARK] = {MARK: [MARK, {MARK: None}]}
    request["prefetch"] |= {MARK: None, f"{MARK}-2": MARK, f"{MARK}-3": [MARK], f"{MARK}-4": 7}


def _servers() -> Iterator[Row]:
    for name, value in {"a number": 7, "a list": [], "an object": {}}.items():
        yield Row(f"fhirServer is {name}", put("fhirServer", value), BAD, "$.fhirServer")
    for url in (
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/fhir",
        "http://[::1]/fhir",
        "http://2130706433/",
        "http://0x7f.1/",
        f"https://user:{MARK}@example.org/fhir",
        "file:///etc/passwd",
        "gopher://127.0.0.1/_GET",
        "javascript:alert(1)",
        "https://example.org/fhir\r\nX-Evil: 1",
        "//example.org",
        "https://ex\u0430mple.org",
        "https://" + "a" * 100_000,
        "not a url",
        "https://example.org/fhir?token=" + MARK,
        "https://example.org/fhir#" + MARK,
        "https://[",
        "https://example.org:99999/",
        "https://example.org\\@127.0.0.1/",
    ):
        yield Row(f"fhirServer {url[:30]!r}", put("fhirServer", url), ODD)


def _authorizations() -> Iterator[Row]:
    yield Row("a token without a server", without("fhirServer"), BAD, "$.fhirServer")
    for name, value in {"an empty": "", "a null": None}.items():
        yield Row(f"a token for {name} server", put("fhirServer", value), BAD, "$.fhirServer")
    for member in ("access_token", "token_type", "expires_in", "scope", "subject", "patient"):
        path = f"fhirAuthorization.{member}"
        yield Row(f"{path} missing", without(path), ODD)
        for name, value in {**_NO_TEXT, "negative": -1, "a fraction": 0.5}.items():
            yield Row(f"{path} is {name}", put(path, value), ODD)
    for token in (f"{MARK}\r\nX-Evil: 1", f"{MARK}\0", f"{MARK}\u2028", "\ud7ff" + MARK):
        yield Row(f"a token with {token[-8:]!r}", put("fhirAuthorization.access_token", token), ODD)
    other = put("fhirAuthorization.patient", FOREIGN)
    yield Row("a token for another patient", other, BAD, "$.fhirAuthorization", everywhere=True)


def contexts() -> Iterator[Row]:
    """Yield what is wrong with the members that each hook must have."""
    for hook, members in REQUIRED.items():
        for member in members:
            yield from _member(hook, member)
    yield Row(
        "encounterId is hostile", put("context.encounterId", f"../{MARK}"), ODD, everywhere=True
    )
    yield Row("userId is no practitioner", put("context.userId", f"Patient/{OWN}"), ANSWERED)


def _member(hook: str, member: str) -> Iterator[Row]:
    path, hooks = f"context.{member}", (hook,)
    place = f"$.{path}"
    yield Row(f"{hook} without {member}", without(path), place=place, hooks=hooks)
    wrong = dict(_NO_TEXT)
    if member == "patientId":
        # Some records number their resources: 7 is then another patient.
        del wrong["a number"]
        yield Row(f"{hook}, patientId a number", put(path, 7), BAD, hooks=hooks)
    if member in _LISTS:
        del wrong["a list"]
        wrong |= {"a list of numbers": [1], "a list of nulls": [None], "a list of lists": [[MARK]]}
    if member in _BUNDLES:
        del wrong["an object"]
        wrong |= {
            "another resource": {"resourceType": "Patient", "id": MARK},
            "a Bundle of a text": {"resourceType": "Bundle", "entry": MARK},
            "a Bundle of an object": {"resourceType": "Bundle", "entry": {"resource": {}}},
        }
    if member == "performer":
        del wrong["huge"]
    lists = hook == "order-dispatch" and member == "dispatchedOrders"
    for name, value in wrong.items():
        expected = ODD if lists else BAD
        yield Row(f"{hook}, {member} {name}", put(path, value), expected, place, hooks)


_HOSTILE_IDS: Final = (
    "1&_include=*",
    "../../metadata",
    ".",
    "..",
    "...",
    "Patient/..",
    "%2e%2e%2f",
    "1/../2",
    "1\n2",
    "1\r\nHost: evil",
    "1 2",
    " 1",
    "1 ",
    "1?x=1",
    "1#x",
    "1;x",
    "1|2",
    "1,2",
    "*",
    "a" * 65,
    "",
    "\u0661",
    "\u00e9",
    "\u202e1",
    "1\u0000",
    "1%00",
    "<script>",
    "'; DROP TABLE x",
    "{{context.patientId}}",
    "${jndi:ldap://x}",
    "Patient/",
    "Patient/1/_history/2",
    "Observation/1",
    "https://example.org/Patient/1",
    "urn:uuid:" + "0" * 36,
    "_id",
)


def ids() -> Iterator[Row]:
    """Yield ids outside the grammar of FHIR (T19)."""
    for one in _HOSTILE_IDS:
        row = put("context.patientId", one)
        yield Row(f"patientId {one[:20]!r}", row, BAD, "$.context.patientId", hooks=HOOKS[:3])
    for good in ("Patient/" + OWN,):
        yield Row(
            "patientId as a reference", put("context.patientId", good), ANSWERED, everywhere=True
        )
