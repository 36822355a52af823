"""
Every answer of the application, in every test, against the contract.

`Watch.install` wraps the outermost application once for the process, so that no test can
go round it: a client of Starlette, a bare ASGI call, a server in a thread. A server in
another process is watched too, as long as it gets the environment (`Watch.environment`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from tests.contract import wire
from tests.contract.looking import UUID, parsed

__all__ = ["BALLOT", "FILE", "Exchange", "Watch", "faults_of", "python_path"]

BALLOT: Final = "reads-the-ballot"
"""The name of a client that is registered as one that reads what the 3.0 ballot adds."""
FILE: Final = "CONTRACT_FAULTS"
"""The variable that names where other processes write what they find."""

_SITE: Final = Path(__file__).resolve().parent / "site"
_DISCOVERY: Final = re.compile(r".*/cds-services/?")
_SERVICE: Final = re.compile(r".*/cds-services//?([^/]+)/?")
_FEEDBACK: Final = re.compile(r".*/cds-services//?[^/]+/feedback/?")
_STATUSES: Final = frozenset(
    {200, 204, 400, 401, 403, 404, 405, 408, 412, 413, 415, 429, 431, 500, 503, 504}
)
_EVERY: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_RETRY: Final = frozenset({429, 503})
# What a refusal may say although the caller said it too: it is the vocabulary of both.
_VOCABULARY: Final = frozenset(
    {*wire.HOOKS, "Practitioner/1", "MedicationRequest", "Encounter", "OperationOutcome"}
    | {"accepted", "overridden"}
)


def python_path(*folders: Path | str) -> str:
    """Write a PYTHONPATH for a process of its own, and have its application watched."""
    return os.pathsep.join([str(_SITE), *map(str, folders)])


Message = MutableMapping[str, Any]
Application = Callable[..., Awaitable[None]]


@dataclass(slots=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    asked: Mapping[str, str]
    sent: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
    repeated: tuple[str, ...] = ()
    ballot: bool = False

    @property
    def name(self) -> str:
        """Say which it was."""
        return f"{self.method} {self.path} -> {self.status}"


def faults_of(one: Exchange) -> list[str]:
    """Name what is wrong with an answer, by its route and status."""
    found = [*_heads(one)]
    if one.method == "OPTIONS" and "access-control-request-method" in one.asked:
        return [*found, *_preflight(one)]
    if one.method == "HEAD" or one.status == 204:  # nothing follows
        return found
    try:
        body = parsed(one.body) if one.body else None
    except ValueError as error:
        return [*found, f"HTTP-01: no strict JSON: {type(error).__name__} at $"]
    if one.status >= 400:
        return [*found, *_refusal(one, body)]
    return [*found, *_success(one, body)]


def _heads(one: Exchange) -> Iterable[str]:
    if one.status not in _STATUSES:
        yield f"ERR-02: a status that nobody documents: {one.status}"
    for name, value in _EVERY.items():
        if one.headers.get(name) != value:
            yield f"SEC-21: no {name}: {value}"
    if UUID.fullmatch(one.headers.get("x-request-id", "")) is None:
        yield "ERR-08: no X-Request-Id"
    for name in one.repeated:
        if name not in {"vary", "set-cookie"}:
            yield f"HTTP-01: the header {name} twice"
    media = one.headers.get("content-type", "").partition(";")[0]
    if one.body and media not in {"application/json", "application/fhir+json"}:
        yield f"HTTP-01: the media type {media or 'missing'}"
    if one.status in _RETRY and not one.headers.get("retry-after", "").isdigit():
        yield "ERR-09: no Retry-After"
    if one.status == 405 and not one.headers.get("allow"):
        yield "ERR-06: no Allow"
    if one.headers.get("access-control-allow-credentials"):
        yield "SEC-19: credentials allowed"
    if "set-cookie" in one.headers:
        yield "SEC-19: a cookie"


def _preflight(one: Exchange) -> Iterable[str]:
    allowed = one.headers.get("access-control-allow-origin")
    if one.status not in {200, 204}:
        if allowed and one.status == 401:
            yield "SEC-19: a preflight that wants a token"
        return
    names = {
        each.strip().lower()
        for each in one.headers.get("access-control-allow-headers", "").split(",")
    }
    if not {"authorization", "content-type"} <= names:
        yield "SEC-19: Authorization or Content-Type not named"
    methods = one.headers.get("access-control-allow-methods", "")
    if not {"GET", "POST", "OPTIONS"} <= {each.strip() for each in methods.split(",")}:
        yield "SEC-19: not every method named"
    if allowed not in {"*", one.asked.get("origin")}:
        yield "SEC-19: a preflight that allows another origin"


@cache
def _program() -> str:
    """Give the text of the whole program."""
    folder = Path(__file__).resolve().parents[2] / "cds"
    return "\n".join(one.read_text("utf-8") for one in sorted(folder.rglob("*.py")))


def _refusal(one: Exchange, body: Any) -> Iterable[str]:
    if one.headers.get("content-type", "").partition(";")[0] != "application/fhir+json":
        yield "ERR-10: a refusal that is no FHIR JSON"
    yield from wire.outcome(body)
    if one.status == 401 and not one.headers.get("www-authenticate"):
        yield "ERR-03: no WWW-Authenticate"
    # Words of FHIR's own lists are nobody's, wherever else they stand.
    issues = body.get("issue", ()) if isinstance(body, dict) else ()
    listed = _VOCABULARY | {each.get("code") for each in issues if isinstance(each, dict)}
    for said in _texts(_read(one.sent)):
        if len(said) < 8 or said in listed or said.encode() not in one.body:
            continue
        # Property tests draw texts from the program itself: those are no echo.
        if said not in _program():
            yield "ERR-11: something of the request in the refusal"
            return


def _success(one: Exchange, body: Any) -> Iterable[str]:
    if one.method == "GET" and _DISCOVERY.fullmatch(one.path):
        yield from wire.discovery(body)
    elif one.method == "POST" and _FEEDBACK.fullmatch(one.path):
        if body is not None and not isinstance(body, dict):
            yield "FB-10: an answer to feedback that is no object"
        if len(one.body) > 4096:
            yield "FB-10: a large answer to feedback"
    elif one.method == "POST" and _SERVICE.fullmatch(one.path):
        request = _read(one.sent)
        yield from wire.response(
            body, patient=_patient(request), drafts=_drafts(request), ballot=one.ballot
        )
    elif not isinstance(body, dict):
        yield "HTTP-01: a body that is no object"


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _texts(value: Any) -> Iterable[str]:
    """Give every text of a request, unless it is nested as only an attacker nests."""
    inside = [(value, 0)]
    while inside:
        one, depth = inside.pop()
        if isinstance(one, str):
            yield one
        elif depth < 60 and isinstance(one, dict | list):
            some = one.values() if isinstance(one, dict) else one
            inside.extend((each, depth + 1) for each in some)


def _patient(request: Any) -> str:
    context = request.get("context") if isinstance(request, dict) else None
    found = context.get("patientId") if isinstance(context, dict) else ""
    return str(found or "").removeprefix("Patient/")


def _drafts(request: Any) -> dict[str, Any] | None:
    """Give the drafts of a call by `Type/id`; none at all where the hook has none."""
    context = request.get("context") if isinstance(request, dict) else None
    if not isinstance(context, dict):
        return None
    found: dict[str, Any] = {}
    for name in ("draftOrders", "medications", "appointments", "conditions"):
        bundle = context.get(name)
        entries = bundle.get("entry") if isinstance(bundle, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            one = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(one, dict):
                found[f"{one.get('resourceType')}/{one.get('id')}"] = one
    return found


@dataclass(slots=True)
class Watch:
    """What was seen and found since the start of the process."""

    seen: int = 0
    found: list[str] = field(default_factory=list)
    file: Path | None = None
    _uuids: set[str] = field(default_factory=set)
    _refusals: WeakKeyDictionary[Any, bytes] = field(default_factory=WeakKeyDictionary)
    _origins: WeakKeyDictionary[Any, dict[str, bool]] = field(default_factory=WeakKeyDictionary)

    def install(self, frame: type[Any]) -> None:
        """Stand around the outermost application from now on."""
        inner = frame.__call__
        watch = self

        async def watched(self: Any, scope: Message, receive: Any, send: Any) -> None:
            await watch.around(self, inner, scope, receive, send)

        frame.__call__ = watched

    async def around(
        self, app: Any, inner: Application, scope: Message, receive: Any, send: Any
    ) -> None:
        """Pass a request on, and look at what came back."""
        if scope["type"] != "http":
            await inner(app, scope, receive, send)
            return
        sent = bytearray()
        body = bytearray()
        start: Message = {}

        async def receives() -> Any:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def sends(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))
            await send(message)

        await inner(app, scope, receives, sends)
        if start:
            self.look_at(app, _exchange(scope, bytes(sent), start, bytes(body)))

    def look_at(self, app: Any, one: Exchange) -> None:
        """Note what is wrong with an answer, by itself and beside those before it."""
        self.seen += 1
        found = [*faults_of(one), *self._beside(app, one)]
        lines = [f"{one.name}: {fault}" for fault in found]
        self.found.extend(lines)
        if self.file is not None and lines:
            with self.file.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)

    def _beside(self, app: Any, one: Exchange) -> Iterable[str]:
        """Compare with other answers: uuids, what 401 says, which pages may read."""
        if one.status == 200 and one.method == "POST":
            for uuid in re.findall(rb'"uuid": ?"([^"]+)"', one.body):
                if uuid.decode() in self._uuids:
                    yield "CARD-09: a uuid of another answer"
                self._uuids.add(uuid.decode())
        if one.status == 401 and self._refusals.setdefault(app, one.body) != one.body:
            yield "SEC-18: a 401 unlike the one before"
        origin = one.asked.get("origin")
        if origin is not None:
            readable = "access-control-allow-origin" in one.headers
            known = self._origins.setdefault(app, {})
            if known.setdefault(origin, readable) != readable:
                yield "ERR-12: a page may read one answer and not another"

    def drain(self) -> list[str]:
        """Give what was found since the last time, other processes included."""
        found, self.found = self.found, []
        path = os.environ.get(FILE)
        if self.file is None and path and Path(path).exists() and Path(path).stat().st_size:
            found += Path(path).read_text("utf-8").splitlines()
            Path(path).write_text("", "utf-8")
        return found

    @staticmethod
    def environment(file: Path) -> dict[str, str]:
        """Give the variables that have other processes watched as well."""
        before = os.environ.get("PYTHONPATH", "")
        return {FILE: str(file), "PYTHONPATH": python_path(*filter(None, [before]))}


def _exchange(scope: Message, sent: bytes, start: Message, body: bytes) -> Exchange:
    headers: dict[str, str] = {}
    repeated = []
    for name, value in start.get("headers", ()):
        key = name.decode("latin-1").lower()
        if key in headers:
            repeated.append(key)
        headers[key] = value.decode("latin-1")
    asked = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    return Exchange(
        scope["method"],
        scope["path"],
        asked,
        sent,
        start["status"],
        headers,
        body,
        tuple(repeated),
        ballot=scope.get("cds.caller", ("", ""))[0] == BALLOT,
    )
