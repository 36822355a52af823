"""
A FHIR server for tests: a real one, on loopback, that searches, pages, and fails when told to.

It knows what an EHR's server knows of FHIR R4 and nothing of this project, so that what is
fetched from it says what an EHR would see. `FhirServer.app` answers without a socket too;
`served` puts it behind one. Every request is kept in `seen`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds.hooks.strict import encode

__all__ = ["FAULTS", "FHIR", "FhirServer", "Seen", "served"]

FHIR: Final = "application/fhir+json"

# Where each type keeps its date, for `_sort`.
_DATES: Final = {
    "date": ("effectiveDateTime", "performedDateTime", "date", "period.start", "created"),
    "recorded-date": ("recordedDate",),
    "authoredon": ("authoredOn",),
    "authored": ("authoredOn",),
    "effective": ("effectiveDateTime", "effectivePeriod.start"),
    "onset-date": ("onsetDateTime",),
    "_lastUpdated": ("meta.lastUpdated",),
}
_SUBJECTS: Final = ("subject", "patient", "beneficiary", "individual")

FAULTS: Final = (
    "401",
    "403",
    "404",
    "429",
    "500",
    "502",
    "503",
    "504",
    "html",
    "html 500",
    "text",
    "plain json",
    "json+fhir",
    "chunked",
    "no media",
    "empty",
    "garbage",
    "truncated",
    "list",
    "null",
    "no type",
    "twice named",
    "not a number",
    "too deep",
    "outcome",
    "outcome entry",
    "encoded",
    "bomb",
    "huge",
    "endless",
    "trickle",
    "silent",
    "hang up",
    "half a head",
    "too short",
    "too long",
    "no answer of http",
    "long header",
    "301",
    "302",
    "303",
    "307",
    "308",
    "redirect loop",
    "redirect elsewhere",
    "foreign next",
    "loop next",
    "next to another path",
    "next in http",
    "endless pages",
    "another patient",
    "dstu2",
)
"""What can go wrong, by the names that `FhirServer.fail` takes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived; *target* is path and query, exactly as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """Path alone."""
        return self.target.partition("?")[0]

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of the query, decoded."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(slots=True)
class _Fault:
    kind: str
    part: str
    times: int | None
    value: Any = None


@dataclass(slots=True)
class FhirServer:
    """
    The resources of some patients behind the interface of FHIR R4.

    *base_path* is the path prefix of the server, *page* the most entries it gives at a
    time, whatever `_count` asks for. With *token* nothing is answered without it. *delay*
    is waited in seconds before each answer.
    """

    resources: list[dict[str, Any]] = field(default_factory=list)
    base_path: str = "/fhir/r4"
    page: int | None = None
    token: str = ""
    delay: float = 0
    origin: str = "http://127.0.0.1"
    seen: list[Seen] = field(default_factory=list)
    faults: list[_Fault] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    @property
    def base(self) -> str:
        """Base URL, as a client would register it."""
        return self.origin + self.base_path

    def hold(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Hold these resources and no others."""
        self.resources[:] = [dict(one) for one in resources]

    def fail(
        self, kind: str, part: str = "", *, times: int | None = None, value: Any = None
    ) -> None:
        """
        From now on answer requests whose target holds *part* with a fault; *times* often.

        *value* is where `redirect elsewhere` and `foreign next` lead.
        """
        if kind not in FAULTS:
            raise ValueError(kind)
        if kind == "bomb":
            _bomb()  # made here, so that the server has it at hand
        self.faults.append(_Fault(kind, part, times, value))

    def reset(self) -> None:
        """Forget requests, faults and manners; keep the resources."""
        self.seen.clear()
        self.faults.clear()
        self.page, self.token, self.delay = None, "", 0
        self.most_in_flight = 0

    @property
    def targets(self) -> list[str]:
        """What was asked for, relative to the base, in the order received."""
        return [one.target.removeprefix(self.base_path + "/") for one in self.seen]

    @property
    def app(self) -> Any:
        """The application, for a server or for a transport without one."""
        base = self.base_path
        inner = Starlette(
            routes=[
                Route(base + "/metadata", self._answer(self._metadata), methods=["GET"]),
                Route(base + "/{kind}/_search", self._answer(self._search), methods=["POST"]),
                Route(base + "/{kind}/{id}", self._answer(self._read), methods=["GET"]),
                Route(base + "/{kind}", self._answer(self._search), methods=["GET"]),
                Route("/{path:path}", self._answer(self._nothing), methods=["GET", "POST", "HEAD"]),
            ]
        )

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["send"] = send  # for what is written past the framework
            await inner(scope, receive, send)

        return app

    # --- answering ----------------------------------------------------------------

    def _answer(self, handler: Callable[[Request, dict[str, str]], Response]) -> Any:
        async def endpoint(request: Request) -> Any:
            body = await request.body()
            raw = request.scope.get("raw_path") or request.url.path.encode()
            query = request.scope.get("query_string") or b""
            target = raw.partition(b"?")[0].decode("latin-1")
            target += "?" + query.decode("latin-1") if query else ""
            self.seen.append(Seen(request.method, target, dict(request.headers), body))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                if self.delay:
                    await asyncio.sleep(self.delay)
                parameters = dict(request.query_params)
                parameters.update(parse_qsl(body.decode("utf-8", "replace")))
                found = self._refusal(request) or handler(request, parameters)
            finally:
                self.in_flight -= 1
            return self._spoilt(found, target)

        return endpoint

    def _refusal(self, request: Request) -> Response | None:
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _json(_outcome("login"), 401)
        return None

    def _spoilt(self, response: Response, target: str) -> Any:
        for fault in self.faults:
            if fault.part in target and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return _fault(self, fault, response, target)
        return response

    def _nothing(self, _request: Request, _parameters: dict[str, str]) -> Response:
        return _json(_outcome("not-found"), 404)

    def _metadata(self, _request: Request, _parameters: dict[str, str]) -> Response:
        return _json(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "kind": "instance",
                "fhirVersion": "4.0.1",
                "format": ["json"],
                "rest": [{"mode": "server"}],
            }
        )

    def _read(self, request: Request, _parameters: dict[str, str]) -> Response:
        kind, own = request.path_params["kind"], request.path_params["id"]
        for one in self.resources:
            if one["resourceType"] == kind and one.get("id") == own:
                return _json(one)
        return _json(_outcome("not-found"), 404)

    def _search(self, request: Request, parameters: dict[str, str]) -> Response:
        kind = request.path_params["kind"]
        offset = int(parameters.pop("_offset", "0"))
        found = self.found(kind, parameters)
        wanted = int(parameters.get("_count", "50"))
        size = wanted if self.page is None else min(wanted, self.page)
        page = found[offset : offset + size]
        bundle: dict[str, Any] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": [{"relation": "self", "url": self._url(kind, parameters, offset)}],
        }
        if offset + size < len(found):
            bundle["link"].append(
                {"relation": "next", "url": self._url(kind, parameters, offset + size)}
            )
        if page:
            bundle["entry"] = [
                {
                    "fullUrl": f"{self.base}/{one['resourceType']}/{one.get('id', '')}",
                    "resource": one,
                    "search": {"mode": "match"},
                }
                for one in page
            ]
        return _json(bundle)

    def _url(self, kind: str, parameters: Mapping[str, str], offset: int) -> str:
        asked = dict(parameters)
        if offset:
            asked["_offset"] = str(offset)
        return f"{self.base}/{kind}?{urlencode(asked)}"

    def found(self, kind: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        """Search as R4 says, by patient, code, category, `_id` and status."""
        found = [one for one in self.resources if one["resourceType"] == kind]
        for name, value in parameters.items():
            wanted = value.split(",")
            if name in {"patient", "subject"}:
                names = {one.removeprefix("Patient/") for one in wanted}
                found = [one for one in found if _subject_of(one) & names]
            elif name in {"code", "category", "status", "clinical-status"}:
                member = {"clinical-status": "clinicalStatus"}.get(name, name)
                found = [one for one in found if _has_code(one.get(member), wanted)]
            elif name == "_id":
                found = [one for one in found if one.get("id") in wanted]
        for name in reversed(parameters.get("_sort", "").split(",")):
            if name:
                places = _DATES.get(name.removeprefix("-"), ())
                found.sort(key=lambda one: _date_of(one, places), reverse=name.startswith("-"))
        return found


def _json(value: Any, status: int = 200, media: str = FHIR) -> Response:
    return Response(encode(value), status_code=status, media_type=media)


def _outcome(code: str, severity: str = "error") -> dict[str, Any]:
    issue = {"severity": severity, "code": code, "diagnostics": "diagnostics of the server"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _subject_of(resource: Mapping[str, Any]) -> set[str]:
    references = [resource.get(one) for one in _SUBJECTS]
    return {
        one["reference"].rpartition("/")[2]
        for one in references
        if isinstance(one, dict) and isinstance(one.get("reference"), str)
    }


def _has_code(value: Any, wanted: Iterable[str]) -> bool:
    concepts = value if isinstance(value, list) else [value]
    codings = [
        each
        for one in concepts
        if isinstance(one, dict)
        for each in one.get("coding", [])
        if isinstance(each, dict)
    ]
    plain = {one for one in concepts if isinstance(one, str)}
    for one in wanted:
        system, bar, code = one.rpartition("|")
        if not bar and code in plain:
            return True
        for coding in codings:
            if coding.get("code") == code and (not bar or coding.get("system", "") == system):
                return True
    return False


def _date_of(resource: Mapping[str, Any], places: Iterable[str]) -> str:
    for place in places:
        found: Any = resource
        for part in place.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, str):
            return found
    return ""


# --- faults -----------------------------------------------------------------------------


class _Raw:
    """An answer whose bytes are ours: what the framework would refuse to send."""

    def __init__(
        self,
        *chunks: bytes,
        headers: Iterable[tuple[bytes, bytes]] = (),
        status: int = 200,
        every: float = 0,
        endless: bool = False,
    ) -> None:
        self._chunks = chunks
        self._headers = [(b"content-type", FHIR.encode()), *headers]
        self._status = status
        self._every = every
        self._endless = endless

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await send(
                {"type": "http.response.start", "status": self._status, "headers": self._headers}
            )
            while not gone.done():
                for one in self._chunks:
                    await send({"type": "http.response.body", "body": one, "more_body": True})
                    await asyncio.wait([gone], timeout=self._every)
                if not self._endless:
                    break
            if not gone.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _OnTheWire:
    """An answer written past the server, byte for byte; then the line is cut."""

    def __init__(self, raw: bytes, *, wait: float = 0) -> None:
        self._raw = raw
        self._wait = wait

    async def __call__(self, scope: Any, receive: Any, _send: Any) -> None:
        transport = scope["send"].__self__.transport
        if self._raw:
            transport.write(self._raw)
        if self._wait:
            gone = asyncio.ensure_future(_gone(receive))
            await asyncio.wait([gone], timeout=self._wait)
            gone.cancel()
        transport.close()


def _head(length: int, status: str = "200 OK", extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: {FHIR}\r\ncontent-length: {length}\r\n{extra}\r\n"
    ).encode()


def _with_next(response: Response, url: str) -> Response:
    bundle = json.loads(bytes(response.body))
    if bundle.get("resourceType") != "Bundle":
        return response
    links = [one for one in bundle.get("link", []) if one["relation"] != "next"]
    return _json({**bundle, "link": [*links, {"relation": "next", "url": url}]})


_BOMB_SIZE: Final = 200 * 1024 * 1024


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(6, wbits=31)
    parts = [packer.compress(b" " * 1024 * 1024) for _ in range(_BOMB_SIZE // 1024 // 1024)]
    return b"".join([*parts, packer.flush()])


def _fault(server: FhirServer, fault: _Fault, response: Response, target: str) -> Any:
    kind = fault.kind
    body = bytes(response.body)
    here = server.origin + target
    if kind in {"301", "302", "303", "307", "308"}:
        return Response(status_code=int(kind), headers={"location": server.base + "/Patient/moved"})
    if kind.isdigit():
        return _json(_outcome("exception"), int(kind))
    paged = here + ("&" if "?" in here else "?") + f"_again={len(server.seen)}"
    made: dict[str, Callable[[], Any]] = {
        "html": lambda: Response("<html>Please log in</html>", media_type="text/html"),
        "html 500": lambda: Response("<html>Oops</html>", 500, media_type="text/html"),
        "text": lambda: Response(body, media_type="text/plain"),
        "plain json": lambda: Response(body, media_type="application/json; charset=utf-8"),
        "json+fhir": lambda: Response(body, media_type="application/json+fhir"),
        "chunked": lambda: _Raw(*(body[one : one + 7] for one in range(0, len(body), 7))),
        "no media": lambda: Response(body),
        "empty": lambda: Response(b"", media_type=FHIR),
        "garbage": lambda: Response(b"\x00\xff\xfe{{{{", media_type=FHIR),
        "truncated": lambda: Response(body[: len(body) // 2], media_type=FHIR),
        "list": lambda: _json([]),
        "null": lambda: Response(b"null", media_type=FHIR),
        "no type": lambda: _json({"entry": []}),
        "twice named": lambda: Response(
            b'{"resourceType":"Bundle","type":"searchset","total":0,"total":1}', media_type=FHIR
        ),
        "not a number": lambda: Response(
            b'{"resourceType":"Bundle","type":"searchset","total":NaN}', media_type=FHIR
        ),
        "too deep": lambda: Response(b'{"a":' * 5000 + b"1" + b"}" * 5000, media_type=FHIR),
        "outcome": lambda: _json(_outcome("exception")),
        "outcome entry": lambda: _json(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "entry": [{"search": {"mode": "outcome"}, "resource": _outcome("exception")}],
            }
        ),
        "encoded": lambda: Response(
            gzip.compress(body), media_type=FHIR, headers={"content-encoding": "gzip"}
        ),
        "bomb": lambda: Response(_bomb(), media_type=FHIR, headers={"content-encoding": "gzip"}),
        "huge": lambda: Response(body + b" " * 3_000_000, media_type=FHIR),
        "endless": lambda: _Raw(b" " * 65536, endless=True),
        "trickle": lambda: _Raw(b" ", every=0.02, endless=True),
        "silent": lambda: _OnTheWire(b"", wait=30),
        "hang up": lambda: _OnTheWire(b""),
        "half a head": lambda: _OnTheWire(b"HTTP/1.1 200 OK\r\ncontent-ty", wait=30),
        "too short": lambda: _OnTheWire(_head(len(body) + 100) + body),
        "too long": lambda: _OnTheWire(_head(max(len(body) - 10, 0)) + body),
        "no answer of http": lambda: _OnTheWire(b"SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n"),
        "long header": lambda: _OnTheWire(_head(2, extra="x: " + "y" * 300_000 + "\r\n") + b"{}"),
        "redirect loop": lambda: Response(status_code=302, headers={"location": here}),
        "redirect elsewhere": lambda: Response(
            status_code=302, headers={"location": fault.value or "http://169.254.169.254/"}
        ),
        "foreign next": lambda: _with_next(response, fault.value or "http://127.0.0.1:9/fhir/r4/x"),
        "loop next": lambda: _with_next(response, here),
        "next to another path": lambda: _with_next(response, server.origin + "/admin?page=2"),
        "next in http": lambda: _with_next(response, fault.value or here),
        "endless pages": lambda: _with_next(response, paged),
        "another patient": lambda: _json(_of_another(json.loads(body))),
        "dstu2": lambda: _json(_of_another_age(json.loads(body))),
    }
    return made[kind]()


def _of_another(found: dict[str, Any]) -> dict[str, Any]:
    if found.get("resourceType") == "Patient":
        return {**found, "id": "somebody-else"}
    for entry in found.get("entry", []):
        for name in _SUBJECTS:
            if name in entry["resource"]:
                entry["resource"][name] = {"reference": "Patient/somebody-else"}
    return found


def _of_another_age(found: dict[str, Any]) -> dict[str, Any]:
    for entry in found.get("entry", []):
        resource = entry["resource"]
        if resource["resourceType"] == "MedicationRequest":
            resource["resourceType"] = "MedicationOrder"
            resource["patient"] = resource.pop("subject", None)
        elif resource["resourceType"] == "Condition":
            resource["clinicalStatus"] = "active"
            resource["patient"] = resource.pop("subject", None)
        elif resource["resourceType"] == "Observation":
            resource["comments"] = "as it was written then"
    return found


# --- behind a socket ---------------------------------------------------------------------


@contextmanager
def served(server: FhirServer, *, certificate: str = "", key: str = "") -> Iterator[FhirServer]:
    """Serve on a port of loopback; with a certificate over TLS."""
    listening = socket.create_server(("127.0.0.1", 0))
    loggers = [logging.getLogger(one) for one in ("uvicorn.error", "uvicorn.asgi")]
    levels = [one.level for one in loggers]
    scheme = "https" if certificate else "http"
    server.origin = f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"
    running = uvicorn.Server(
        uvicorn.Config(
            server.app,
            http="h11",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            ssl_certfile=certificate or None,
            ssl_keyfile=key or None,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
    thread.start()
    try:
        while not running.started:
            if not thread.is_alive():
                raise RuntimeError("the FHIR server for tests did not start")
            threading.Event().wait(0.005)
        yield server
    finally:
        running.should_exit = True
        running.force_exit = True
        thread.join(10)
        listening.close()
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
