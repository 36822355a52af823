"""
A client that signs its calls, for tests: keys, claims, tokens, and a registration to go with.

`Signer` signs as a client should; `forge` puts together whatever else could arrive.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds.service.clients import Client, Clients
from cds.service.keys import Keys
from cds.service.tokens import Tokens

BASE: Final = "https://cds.example.org/metabolic"
ISSUER: Final = "https://ehr.example.org"
JWKS: Final = "https://ehr.example.org/keys"
SERVICE: Final = "metabolic-patient-view"
NOW: Final = 1_780_000_000
_CURVES: Final = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@cache
def private_key(algorithm: str = "ES384", which: str = "one", *, bits: int = 2048) -> Any:
    """Make a key pair, the same one whenever it is asked for by the same name."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_jwk(key: Any, *, kid: str = "one", **members: Any) -> dict[str, Any]:
    """Write the public part of a key pair as a JWK."""
    writer = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**writer.to_jwk(key.public_key(), as_dict=True), "kid": kid, **members}


def pem_of(key: Any) -> bytes:
    """Write the public part of a key pair as PEM."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem_of(key: Any) -> bytes:
    """Write a key pair as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class Signer:
    """
    One key of a client, and how it signs.

    Claims and header are those of an honest client; a member that is given as None is left
    out, any other takes the place of what would stand there.
    """

    def __init__(
        self, algorithm: str = "ES384", *, kid: str = "one", key: Any = None, issuer: str = ISSUER
    ) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self.issuer = issuer
        self.key = key or private_key(algorithm)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as it is registered."""
        return public_jwk(self.key, kid=self.kid)

    def claims(self, *, now: int = NOW, **changes: Any) -> dict[str, Any]:
        """Make the claims of a call of the service."""
        found = {
            "iss": self.issuer,
            "aud": f"{BASE}/cds-services/{SERVICE}",
            "exp": now + 300,
            "iat": now,
            "jti": str(uuid.uuid4()),
            **changes,
        }
        return {name: one for name, one in found.items() if one is not None}

    def token(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Sign the claims of a call of the service."""
        return self.sign(self.claims(**changes), header)

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """Sign any claims, under any header."""
        head = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid, **(header or {})}
        return forge(
            {name: one for name, one in head.items() if one is not None},
            claims,
            lambda text: jwt.get_algorithm_by_name(self.algorithm).sign(text, self.key),
        )

    def authorization(self, **changes: Any) -> dict[str, str]:
        """Give the header of a signed call."""
        return {"Authorization": f"Bearer {self.token(**changes)}"}


def encoded(part: Any) -> str:
    """Write a part of a token; text as it is, anything else as JSON."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: Any, claims: Any, sign: Any = lambda _text: b"") -> str:
    """Put a token together from any header, any claims, and any signature over the two."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def client_of(*signers: Signer, **members: Any) -> Client:
    """Register a client that signs with these keys."""
    keys = () if "jwks_url" in members else tuple(one.jwk for one in signers or (Signer(),))
    return Client(**{"name": "ehr", "issuer": ISSUER, "keys": keys, **members})


class Seen:
    """Remembers used tokens in memory, for tests of everything around that."""

    def __init__(self) -> None:
        self.used: set[tuple[str, str]] = set()

    async def claim(self, issuer: str, jti: str, until: float) -> bool:
        """Tell whether a token is used for the first time."""
        first = (issuer, jti) not in self.used
        self.used.add((issuer, jti))
        return first

    async def open(self) -> None:
        """Have nothing to open."""

    def close(self) -> None:
        """Have nothing open."""


async def unreachable(client: Client) -> bytes:
    """Fetch nothing."""
    raise AssertionError(f"the keys of {client.name} are registered and not fetched")


def tokens_for(*clients: Client, now: Any = lambda: NOW, **members: Any) -> Tokens:
    """Make what identifies these clients, its clock standing still."""
    registered = Clients(clients or (client_of(),))
    keys = Keys(registered.by_name.values(), fetch=unreachable, now=lambda: 0.0)
    return Tokens(
        registered, **{"base_url": BASE, "keys": keys, "replays": Seen(), "now": now, **members}
    )
