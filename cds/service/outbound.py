"""
The only way out: one request to another server, at an address that was checked.

No redirects, no proxies, no cookies, nothing of the environment but the operator's trust
in certificates (`SSL_CERT_FILE`). Names are resolved once for each line that is opened,
every answer is judged, and the connection goes to an address that was; the name stays in
TLS and in `Host`. Bodies are counted as they come, and encoded ones are not taken, so
that nothing small can become large. A line lives as long as its `async with`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpcore2

from cds.errors import NotFetched
from cds.service.addresses import Network, Place, is_allowed, place_of

__all__ = ["Answer", "Limits", "Line", "Outbound", "Resolve"]

_MIB: Final = 1024 * 1024
_REDIRECTS: Final = range(300, 400)

Resolve = Callable[[str, int], Awaitable[Iterable[str]]]
"""Gives every address of a host."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How long and how much one request may take.

    *connect_seconds* hold for a connection and again for TLS, *read_seconds* for each
    silence, *total_seconds* for everything, *most_bytes* for the body.
    """

    connect_seconds: float = 0.25
    read_seconds: float = 0.3
    total_seconds: float = 0.35
    most_bytes: int = _MIB


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back, whole.

    *media* is the content type without its parameters, in lower case; *retry_after* are
    seconds, where the server named some, and endless where it named a date.
    """

    status: int
    media: str
    body: bytes = field(repr=False)
    retry_after: float | None = None


class Outbound:
    """
    Asks other servers.

    In *development* http is spoken too, and loopback may be named among the networks.
    *resolve*, *backend* and *tls* are for tests: who finds addresses, who connects, whom
    to trust.
    """

    def __init__(
        self,
        *,
        development: bool = False,
        resolve: Resolve | None = None,
        backend: httpcore2.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._development = development
        self._resolve = resolve or _addresses
        self._backend = backend or httpcore2.AnyIOBackend()
        self._tls = tls
        if tls is None and not development:
            # Reading whom to trust takes longer than many an answer: not with the first.
            self._tls = _trusted()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        networks: Collection[Network] = (),
    ) -> Answer:
        """
        Get one address; *networks* are the private ones that may be connected to.

        Any status but a redirect is an answer. Raises `NotFetched` with the reason.
        """
        place = place_of(url)
        if place is None:
            raise NotFetched("address")
        async with self.line(place, networks=networks) as line:
            return await line.get(place, headers=headers, limits=limits)

    @asynccontextmanager
    async def line(
        self,
        place: Place,
        *,
        networks: Collection[Network] = (),
        alike: int = 4,
        most_bytes: int = 2 * _MIB,
    ) -> AsyncIterator[Line]:
        """
        Open a line to the server of *place*, for several requests; it ends with the block.

        It is made of up to *alike* connections, each of which serves one request after the
        other. *most_bytes* is what may come over it in all. Nothing is sent yet. Raises
        `NotFetched` where the scheme is not spoken here.
        """
        if place.scheme != "https" and not self._development:
            raise NotFetched("scheme")
        tls = (self._tls or _trusted()) if place.scheme == "https" else None
        pinned = _Pinned(
            place,
            self._resolve,
            self._backend,
            lambda one: is_allowed(one, networks=networks, development=self._development),
        )
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls, max_connections=alike, http2=False, network_backend=pinned
        )
        async with pool:
            yield Line(place, pool, most_bytes)


class Line:
    """Some connections to one server; made by `Outbound.line`."""

    def __init__(self, place: Place, pool: httpcore2.AsyncConnectionPool, most_bytes: int) -> None:
        self._place = place
        self._pool = pool
        self._left = most_bytes

    async def get(
        self,
        place: Place,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Get one address of this server; see `Outbound.get`."""
        return await self._ask("GET", place, None, headers, limits)

    async def post(
        self,
        place: Place,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """Post a body to one address of this server; otherwise as `get`."""
        return await self._ask("POST", place, body, headers, limits)

    async def _ask(
        self,
        method: str,
        place: Place,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        limits: Limits | None,
    ) -> Answer:
        if place.origin != self._place.origin:
            raise NotFetched("address")
        limits = limits or Limits()
        try:
            async with asyncio.timeout(limits.total_seconds):
                return await self._send(method, place, body, headers or {}, limits)
        except (TimeoutError, httpcore2.TimeoutException) as error:
            reason = "connect" if isinstance(error, httpcore2.ConnectTimeout) else "timeout"
            raise NotFetched(reason) from None
        except httpcore2.ConnectError as error:
            raise NotFetched("tls" if _is_of_tls(error) else "connect") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError):
            # Their messages may hold what was sent.
            raise NotFetched("protocol") from None

    async def _send(
        self,
        method: str,
        place: Place,
        body: bytes | None,
        headers: Mapping[str, str],
        limits: Limits,
    ) -> Answer:
        timeouts = {
            "connect": limits.connect_seconds,
            "pool": limits.total_seconds,
            "read": limits.read_seconds,
            "write": limits.read_seconds,
        }
        async with self._pool.stream(
            method,
            httpcore2.URL(
                scheme=place.scheme,
                host=f"[{place.host}]" if ":" in place.host else place.host,
                port=place.port,
                target=place.target,
            ),
            headers=[
                ("Host", place.authority),
                ("Accept-Encoding", "identity"),
                ("User-Agent", "metabolic-cds"),
                *([] if body is None else [("Content-Length", str(len(body)))]),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": timeouts, "sni_hostname": place.host},
        ) as response:
            return await self._read(response, limits)

    async def _read(self, response: httpcore2.Response, limits: Limits) -> Answer:
        if response.status in _REDIRECTS:
            raise NotFetched("redirect")
        sent = {
            name.decode("latin-1").lower(): value.decode("latin-1").strip()
            for name, value in response.headers
        }
        encodings = [
            value for name, value in response.headers if name.lower() == b"content-encoding"
        ]
        if any(one.strip().lower() not in {b"", b"identity"} for one in encodings):
            raise NotFetched("encoded")
        most = min(limits.most_bytes, self._left)
        promised = sent.get("content-length", "")
        if promised.isdigit() and int(promised[:19]) > most:
            raise NotFetched("too large")
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_stream():
            size += len(part)
            # Others read at the same time: what all of them took counts.
            self._left -= len(part)
            if size > limits.most_bytes or self._left < 0:
                raise NotFetched("too large")
            parts.append(part)
        after = sent.get("retry-after", "")
        return Answer(
            response.status,
            sent.get("content-type", "").partition(";")[0].strip().lower(),
            b"".join(parts),
            _seconds(after),
        )


class _Pinned(httpcore2.AsyncNetworkBackend):
    """
    Connects to addresses that were judged, and to no others.

    The name is resolved once, so that nothing can change between judging and connecting;
    one address that may not be connected to spoils them all.
    """

    def __init__(
        self,
        place: Place,
        resolve: Resolve,
        backend: httpcore2.AsyncNetworkBackend,
        may: Callable[[str], bool],
    ) -> None:
        self._place = place
        self._resolve = resolve
        self._backend = backend
        self._may = may
        self._found: tuple[str, ...] = ()
        self._lock = asyncio.Lock()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore2
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers."""
        if (host.strip("[]"), port) != (self._place.host, self._place.port):
            raise NotFetched("address")
        try:
            async with asyncio.timeout(timeout):
                *others, last = await self._addresses()
                for one in others:
                    # An address that does not answer leaves time for the next one.
                    share = None if timeout is None else timeout / (len(others) + 1)
                    try:
                        async with asyncio.timeout(share):
                            return await self._connect(one, port, local_address, socket_options)
                    except (TimeoutError, httpcore2.ConnectError):
                        continue
                return await self._connect(last, port, local_address, socket_options)
        except TimeoutError:
            raise httpcore2.ConnectTimeout from None

    async def _connect(
        self, address: str, port: int, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore2.AsyncNetworkStream:
        return await self._backend.connect_tcp(
            address, port, None, local_address=local_address, socket_options=options
        )

    async def _addresses(self) -> tuple[str, ...]:
        async with self._lock:
            if not self._found:
                try:
                    found = tuple(await self._resolve(self._place.host, self._place.port))
                except OSError:
                    raise NotFetched("name") from None
                if not found:
                    raise NotFetched("name")
                if not all(map(self._may, found)):
                    raise NotFetched("forbidden address")
                self._found = found
        return self._found


def _seconds(after: str) -> float | None:
    """Read `Retry-After`; a date is later than anything we would wait for."""
    if not after:
        return None
    return float(after) if after.isdigit() and after.isascii() else float("inf")


async def _addresses(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def _trusted() -> ssl.SSLContext:
    """Trust whom the system trusts, or `SSL_CERT_FILE`; read once."""
    return httpcore2.default_ssl_context()


def _is_of_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
