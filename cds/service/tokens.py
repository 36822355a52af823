"""
Who is calling: the signed token of a call, checked claim by claim.

In the order issuer, audience, time, tenant, signature, use (SEC-18). Whoever is refused
learns nothing but that: the reason is for our own log, and a key is tried in any case, so
that the time taken says little either.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from cds.errors import BadRequest, NotAllowed, NotAuthenticated
from cds.hooks.strict import decode
from cds.service.clients import ANYBODY, Caller, Client, Clients
from cds.service.keys import MOST_KID, Key, decoy, family_of

__all__ = ["LEEWAY", "MOST_TOKEN", "Anybody", "Callers", "Refusal", "Tokens"]

MOST_TOKEN: Final = 8 * 1024
LEEWAY: Final = 60
"""Seconds by which the clock of a client may differ from ours."""

_MOST_CLAIM: Final = 128
_MOST_AUDIENCES: Final = 20
_LAST_SECOND: Final = 253_402_300_799
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_SLASHES: Final = re.compile(r"/{2,}")
# Each names a key, or changes what a signature is about.
_NEVER: Final = ("jwk", "x5u", "x5c", "crit", "b64", "enc", "zip", "cty")


class Refusal(StrEnum):
    """Why a call is refused; for our own log, in no answer."""

    NO_TOKEN = "no token"  # noqa: S105 - a reason, not a secret
    TWO_TOKENS = "more than one token"
    TOO_LONG = "too long"
    MALFORMED = "not a signed token"
    HEADER = "a header that is never taken"
    ALGORITHM = "algorithm"
    TYPE = "typ"
    KEY_ID = "kid"
    KEY_ADDRESS = "jku"
    ISSUER = "iss"
    AUDIENCE = "aud"
    TIME = "exp, iat or nbf"
    LIFETIME = "valid for too long"
    TENANT = "tenant"
    TOKEN_ID = "jti"  # noqa: S105 - the same
    SUBJECT = "sub"
    KEY = "no such key"
    SIGNATURE = "signature"
    USED = "used before"


class Callers(Protocol):
    """What tells who is calling: `Tokens`, or `Anybody` where that is not asked."""

    @property
    def need_tokens(self) -> bool:
        """Whether a call must be signed."""
        ...

    @property
    def registered(self) -> int:
        """How many clients there are."""
        ...

    async def identify(
        self, authorizations: Sequence[str], *, routes: Sequence[str], service: str = ""
    ) -> Caller:
        """Say who is calling."""
        ...

    async def open(self) -> None:
        """Open what is needed to tell."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class Anybody:
    """Lets everybody in as the one client of development; asks for nothing."""

    need_tokens = False

    def __init__(self, *, registered: int = 0) -> None:
        self.registered = registered

    async def identify(
        self,
        authorizations: Sequence[str],  # noqa: ARG002 - as `Callers`
        *,
        routes: Sequence[str],  # noqa: ARG002 - the same
        service: str = "",  # noqa: ARG002 - the same
    ) -> Caller:
        """Say that it is nobody in particular."""
        return ANYBODY

    async def open(self) -> None:
        """Have nothing to open."""

    def close(self) -> None:
        """Have nothing open."""


class FindsKeys(Protocol):
    """Where keys are found: `cds.service.keys.Keys`."""

    async def find(self, client: Client, kid: str) -> Key | None:
        """Find the key that a client calls *kid*."""
        ...


class Remembers(Protocol):
    """What remembers used tokens: `cds.service.replay.Replays`."""

    async def claim(self, issuer: str, jti: str, until: float) -> bool:
        """Tell whether a token is used for the first time."""
        ...

    async def open(self) -> None:
        """Open it."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Tokens:
    """
    Tells who is calling by the JWT of CDS Hooks.

    *base_url* is our own as callers know it: `aud` is compared with it and never with what
    a request says of its host. *now* is the time of day in seconds.
    """

    need_tokens = True

    def __init__(
        self,
        clients: Clients,
        *,
        base_url: str,
        keys: FindsKeys,
        replays: Remembers,
        now: Callable[[], float],
    ) -> None:
        from jwt.api_jws import PyJWS  # noqa: PLC0415 - only where calls are signed

        self._clients = clients
        self._base_url = base_url
        self._keys = keys
        self._replays = replays
        self._now = now
        self._jws = PyJWS()

    @property
    def registered(self) -> int:
        """How many clients there are."""
        return len(self._clients.by_name)

    async def identify(
        self, authorizations: Sequence[str], *, routes: Sequence[str], service: str = ""
    ) -> Caller:
        """
        Say who is calling, by every `Authorization` header of the call.

        *routes* are the paths behind the base URL that `aud` may name, *service* the id of
        the service that is called. Raises `NotAuthenticated`, `NotAllowed` where the client
        may not call this service, `StoreFailed` where nobody can tell whether the token
        was used before.
        """
        token = _token_of(authorizations)
        header, claims = _opened(token)
        client = self._clients.by_issuer.get(_text(claims, "iss", most=2048))
        refusal = self._judge(header, claims, client, routes)
        found = await self._key(header, client, refusal)
        key = found or decoy(_algorithm_of(header))
        signed = self._verifies(token, key, header)
        if client is None or refusal is not None:
            raise NotAuthenticated(refusal or Refusal.ISSUER, client=client.name if client else "")
        if found is None or not signed:
            reason = Refusal.SIGNATURE if found else Refusal.KEY
            raise NotAuthenticated(reason, client=client.name)
        until = claims["exp"] + LEEWAY
        if not await self._replays.claim(client.issuer, claims["jti"], until):
            raise NotAuthenticated(Refusal.USED, client=client.name)
        if service and client.services and service not in client.services:
            raise NotAllowed("this client may not call this service", path="/cds-services/{id}")
        return Caller(client, claims.get("tenant", ""))

    async def open(self) -> None:
        """Open what remembers used tokens. Raises `StoreFailed`."""
        await self._replays.open()

    def close(self) -> None:
        """Close what remembers used tokens."""
        self._replays.close()

    def _judge(
        self,
        header: Mapping[str, Any],
        claims: Mapping[str, Any],
        client: Client | None,
        routes: Sequence[str],
    ) -> Refusal | None:
        """Look at everything that needs no key, and give the first reason to refuse."""
        if client is None:
            return Refusal.ISSUER
        return (
            _judge_header(header, client)
            or self._judge_audience(claims, client, routes)
            or self._judge_time(claims, client)
            or _judge_rest(claims, client)
        )

    def _judge_audience(
        self, claims: Mapping[str, Any], client: Client, routes: Iterable[str]
    ) -> Refusal | None:
        audiences = claims.get("aud")
        if isinstance(audiences, str):
            audiences = [audiences]
        if (
            not isinstance(audiences, list)
            or len(audiences) > _MOST_AUDIENCES
            or not all(isinstance(one, str) for one in audiences)
        ):
            return Refusal.AUDIENCE
        bases = (self._base_url, *client.audiences)
        ours = {_normal(f"{base}{route}") for base in bases for route in routes}
        return None if ours & {_normal(one) for one in audiences} else Refusal.AUDIENCE

    def _judge_time(self, claims: Mapping[str, Any], client: Client) -> Refusal | None:
        now = self._now()
        begins = claims.get("nbf", 0)
        instants = (claims.get("exp"), claims.get("iat"), begins)
        # type(), not isinstance: true is no number of seconds.
        if any(type(one) is not int or not 0 <= one <= _LAST_SECOND for one in instants):
            return Refusal.TIME
        expires, issued = claims["exp"], claims["iat"]
        if now >= expires + LEEWAY or issued > now + LEEWAY or begins > now + LEEWAY:
            return Refusal.TIME
        return None if 0 < expires - issued <= client.token_seconds else Refusal.LIFETIME

    async def _key(
        self, header: Mapping[str, Any], client: Client | None, refusal: Refusal | None
    ) -> Key | None:
        if client is None or refusal is not None:
            return None
        key = await self._keys.find(client, header["kid"])
        return key if key is not None and key.fits(header["alg"]) else None

    def _verifies(self, token: str, key: Key, header: Mapping[str, Any]) -> bool:
        from jwt.exceptions import PyJWTError  # noqa: PLC0415 - only where calls are signed

        algorithm = _algorithm_of(header)
        try:
            self._jws.decode_complete(token, key=key.public, algorithms=[algorithm])
        except (PyJWTError, ValueError, TypeError):
            return False
        return header.get("alg") == algorithm


def _token_of(authorizations: Sequence[str]) -> str:
    """Take the token out of the one header it may stand in."""
    if not authorizations:
        raise NotAuthenticated(Refusal.NO_TOKEN)
    if len(authorizations) > 1:
        raise NotAuthenticated(Refusal.TWO_TOKENS)
    scheme, _, token = authorizations[0].strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated(Refusal.NO_TOKEN)
    # Before anything is decoded: what cannot be ours costs nothing.
    if len(token) > MOST_TOKEN:
        raise NotAuthenticated(Refusal.TOO_LONG)
    return token


def _opened(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Read header and claims, which nobody has vouched for yet."""
    if _SHAPE.fullmatch(token) is None:
        raise NotAuthenticated(Refusal.MALFORMED)
    try:
        header, claims = (
            decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in token.split(".")[:2]
        )
    except (ValueError, BadRequest):
        raise NotAuthenticated(Refusal.MALFORMED) from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotAuthenticated(Refusal.MALFORMED)
    return header, claims


def _judge_header(header: Mapping[str, Any], client: Client) -> Refusal | None:
    if any(name in header for name in _NEVER):
        return Refusal.HEADER
    if header.get("alg") not in client.algorithms:
        return Refusal.ALGORITHM
    if _text(header, "typ", most=16).upper() != "JWT":
        return Refusal.TYPE
    if not _text(header, "kid", most=MOST_KID):
        return Refusal.KEY_ID
    if "jku" in header and (not client.jwks_url or header["jku"] != client.jwks_url):
        return Refusal.KEY_ADDRESS
    return None


def _judge_rest(claims: Mapping[str, Any], client: Client) -> Refusal | None:
    tenant = _text(claims, "tenant", most=_MOST_CLAIM) if "tenant" in claims else None
    # Where there are tenants, one that is not named could be any of them.
    if tenant not in (client.tenants or (None,)):
        return Refusal.TENANT
    if "sub" in claims and not isinstance(claims["sub"], str):
        return Refusal.SUBJECT
    return None if _text(claims, "jti", most=_MOST_CLAIM) else Refusal.TOKEN_ID


def _text(parent: Mapping[str, Any], name: str, *, most: int) -> str:
    """Give a member that is a text of some printable characters; else nothing."""
    found = parent.get(name)
    fine = isinstance(found, str) and 0 < len(found) <= most and found.isprintable()
    return found if isinstance(found, str) and fine else ""


def _algorithm_of(header: Mapping[str, Any]) -> str:
    """Name the algorithm to try: that of the header where it is one of ours at all."""
    named = header.get("alg")
    return named if isinstance(named, str) and family_of(named) else "ES384"


def _normal(url: str) -> str:
    """Write an address with single slashes and none at the end (AMB-04)."""
    scheme, mark, rest = url.partition("://")
    return scheme + mark + _SLASHES.sub("/", rest).rstrip("/")
