"""
Key sets: the public keys by which a client proves that a call is its own.

They are registered with the client, or stand at an address that is: never at one that a
token names. What was fetched is kept, so that neither a client whose server is down nor
somebody with a thousand made-up key ids makes this service wait or ask again and again.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cds.errors import BadKeys, BadRequest, Busy, NotFetched
from cds.hooks.strict import decode
from cds.service.clients import Client
from cds.service.logs import log, told_of

if TYPE_CHECKING:
    from cds.service.outbound import Outbound

__all__ = [
    "MOST_BYTES",
    "MOST_KEYS",
    "MOST_KID",
    "Fetch",
    "Key",
    "Keys",
    "decoy",
    "family_of",
    "fetch_over",
    "read_key_set",
]

MOST_BYTES: Final = 64 * 1024
MOST_KEYS: Final = 20
MOST_KID: Final = 128
_FEWEST_BITS: Final = 2048
_MOST_BITS: Final = 8192

_FAMILIES: Final = {"ES256": "P-256", "ES384": "P-384", "RS256": "RSA", "RS384": "RSA"}
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")

_COOL_DOWN: Final = 30.0
"""Seconds between two tries to fetch one set."""
_FRESH: Final = 600.0
"""Seconds after which a set is fetched again while it is still used."""
_AGED: Final = 3600.0
"""Seconds after which a set is fetched again before it is used."""
_OLDEST: Final = 86_400.0
"""Seconds after which a set that could not be fetched again is used no more."""
_ABSENT: Final = 300.0
"""Seconds for which a key id that was not in a fetched set is not looked for again."""
_MOST_ABSENT: Final = 128
_MOST_WAITING: Final = 8
"""How many calls may wait for a key that the set we have does not hold; each takes a place."""
_SECONDS: Final = 2.0
_OK: Final = 200

Fetch = Callable[[Client], Awaitable[bytes]]
"""Gets the document at the registered address of a client; raises whatever went wrong."""


def family_of(algorithm: str) -> str:
    """Name the keys that an algorithm takes: a curve, or RSA; empty for one we do not take."""
    return _FAMILIES.get(algorithm, "")


@dataclass(frozen=True, slots=True)
class Key:
    """
    One public key.

    *algorithm* is what it was published for; empty where that was left open.
    """

    kid: str
    family: str
    algorithm: str
    public: Any = field(repr=False)

    def fits(self, algorithm: str) -> bool:
        """Tell whether signatures of an algorithm may be checked with this key."""
        return self.family == family_of(algorithm) and self.algorithm in {"", algorithm}


def read_key_set(found: Any) -> Mapping[str, Key]:
    """
    Read a JWK Set; the keys by their ids.

    Keys of a kind that signs nothing here are left out. Raises `BadKeys` where the set
    holds what no public set may hold (a symmetric key, a private part), one id twice, a
    weak key, a broken one, or too many.
    """
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
        raise BadKeys("must be an object with a list of keys")
    if len(keys) > MOST_KEYS:
        raise BadKeys(f"keys: must be no more than {MOST_KEYS}")
    read: dict[str, Key] = {}
    for number, one in enumerate(keys):
        key = _key(one, f"keys.{number}")
        if key is None:
            continue
        if key.kid in read:
            raise BadKeys(f"keys.{number}.kid: is that of another key too")
        read[key.kid] = key
    return read


def _key(jwk: Mapping[str, Any], place: str) -> Key | None:
    kind = jwk.get("kty")
    if kind == "oct":
        raise BadKeys(f"{place}: is a symmetric key, which is no public key")
    private = [name for name in _PRIVATE if name in jwk]
    if private:
        raise BadKeys(f"{place}.{private[0]}: is part of a private key; register the public one")
    family = {"RSA": "RSA", "EC": jwk.get("crv")}.get(kind if isinstance(kind, str) else "")
    if family not in _FAMILIES.values() or not _is_for_signatures(jwk):
        return None
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= MOST_KID:
        raise BadKeys(f"{place}.kid: must be a string of at most {MOST_KID} characters")
    algorithm = jwk.get("alg", "")
    if not isinstance(algorithm, str):
        raise BadKeys(f"{place}.alg: must be a string")
    return Key(kid, str(family), algorithm, _public(jwk, str(family), place))


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    )


def _public(jwk: Mapping[str, Any], family: str, place: str) -> Any:
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm  # noqa: PLC0415 - where calls are signed
    from jwt.exceptions import InvalidKeyError  # noqa: PLC0415 - the same

    reader = RSAAlgorithm if family == "RSA" else ECAlgorithm
    try:
        public = reader.from_jwk(dict(jwk))
    except (InvalidKeyError, ValueError, TypeError, KeyError):
        raise BadKeys(f"{place}: is not a whole {jwk['kty']} key") from None
    if family == "RSA" and not _FEWEST_BITS <= public.key_size <= _MOST_BITS:
        raise BadKeys(f"{place}.n: must have {_FEWEST_BITS} to {_MOST_BITS} bits")
    return public


class _Decoys:
    """Keys that no client has, one of each family, made when they are first needed."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    def of(self, family: str) -> Key:
        if family not in self._keys:
            self._keys[family] = Key("", family, "", _made_up(family))
        return self._keys[family]


def _made_up(family: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    if family == "RSA":
        # Nobody has the factors of this number, and making a real key takes long.
        return rsa.RSAPublicNumbers(65537, (1 << _FEWEST_BITS) - 159).public_key()
    curve = ec.SECP384R1() if family == "P-384" else ec.SECP256R1()
    return ec.generate_private_key(curve).public_key()


_decoys: Final = _Decoys()


def decoy(algorithm: str) -> Key:
    """
    Give a key for an algorithm that verifies nothing.

    Whoever is refused before a key was found has one checked all the same, so that the
    time it takes does not say how far a token came.
    """
    return _decoys.of(family_of(algorithm))


def fetch_over(outbound: Outbound) -> Fetch:
    """Make what gets a key set from its address, the way everything is got from outside."""
    from cds.service.outbound import Limits  # noqa: PLC0415 - where sets are fetched

    limits = Limits(
        connect_seconds=1, read_seconds=1, total_seconds=_SECONDS, most_bytes=MOST_BYTES
    )

    async def fetch(client: Client) -> bytes:
        answer = await outbound.get(
            client.jwks_url,
            headers={"Accept": "application/jwk-set+json, application/json"},
            limits=limits,
            networks=client.private_networks,
        )
        if answer.status != _OK:
            raise NotFetched(f"status {answer.status}")
        return answer.body

    return fetch


class Keys:
    """
    The keys of every client.

    *fetch* gets a document, *now* is a clock in seconds that only goes forward. Raises
    `BadKeys` with the name of the client whose registered keys cannot be used.
    """

    def __init__(
        self, clients: Iterable[Client], *, fetch: Fetch, now: Callable[[], float]
    ) -> None:
        self._registered: dict[str, Mapping[str, Key]] = {}
        self._fetched: dict[str, _Fetched] = {}
        for one in clients:
            if one.jwks_url:
                self._fetched[one.name] = _Fetched(one, fetch=fetch, now=now)
                continue
            try:
                self._registered[one.name] = read_key_set({"keys": [dict(key) for key in one.keys]})
            except BadKeys as error:
                raise BadKeys(f"client {one.name}: {error}") from None

    async def find(self, client: Client, kid: str) -> Key | None:
        """
        Find the key that a client calls *kid*; None where it has none.

        Raises `Busy` where too many wait for its address already.
        """
        if client.name in self._fetched:
            return await self._fetched[client.name].find(kid)
        return self._registered.get(client.name, {}).get(kid)


class _Fetched:
    """The set at the address of one client: the last good one, and when to ask again."""

    def __init__(self, client: Client, *, fetch: Fetch, now: Callable[[], float]) -> None:
        self._client = client
        self._fetch = fetch
        self._now = now
        self._keys: Mapping[str, Key] = {}
        self._loaded = -math.inf
        self._tried = -math.inf
        self._task: asyncio.Task[bool] | None = None
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._waiting = 0

    async def find(self, kid: str) -> Key | None:
        age = self._now() - self._loaded
        if kid not in self._keys:
            return await self._look_for(kid)
        if age > _AGED:
            await self._refresh()
            if self._now() - self._loaded > _OLDEST:
                self._keys = {}
        elif age > _FRESH:
            self._begin()
        return self._keys.get(kid)

    async def _look_for(self, kid: str) -> Key | None:
        if self._now() < self._absent.get(kid, -math.inf):
            return None
        if self._keys and self._waiting >= _MOST_WAITING:
            # Whoever makes up key ids must not hold every place while a slow server answers.
            raise Busy("as many calls as may be wait for new keys", retry_after=1)
        self._waiting += 1
        try:
            found = await self._refresh()
        finally:
            self._waiting -= 1
        if found and kid not in self._keys:
            self._absent[kid] = self._now() + _ABSENT
            self._absent.move_to_end(kid)
            if len(self._absent) > _MOST_ABSENT:
                self._absent.popitem(last=False)
        return self._keys.get(kid)

    async def _refresh(self) -> bool:
        """Fetch the set unless that was tried just now; tell whether there is a new one."""
        task = self._begin()
        # Whoever goes away takes nothing away from the others who wait for it.
        return task is not None and await asyncio.shield(task)

    def _begin(self) -> asyncio.Task[bool] | None:
        """Begin to fetch, or join those who wait already; None: it was tried just now."""
        if self._task is None or self._task.done():
            self._task = None
            if self._now() - self._tried >= _COOL_DOWN:
                self._tried = self._now()
                self._task = asyncio.create_task(self._load())
        return self._task

    async def _load(self) -> bool:
        try:
            self._keys = _read(await self._fetch(self._client))
        except (BadKeys, BadRequest, NotFetched) as error:
            log.warning("keys_unavailable", client=self._client.name, why=str(error)[:200])
            return False
        except Exception as error:  # noqa: BLE001 - whatever a network can do
            log.warning("keys_unavailable", client=self._client.name, **told_of(error))
            return False
        self._loaded = self._now()
        return True


def _read(raw: bytes) -> Mapping[str, Key]:
    """Read a document that was fetched."""
    if len(raw) > MOST_BYTES:
        raise BadKeys(f"must have no more than {MOST_BYTES} bytes")
    return read_key_set(decode(raw))
