"""
Key files: public keys as their owners hand them over, and key pairs to try things with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cds.errors import BadKeys, BadRequest
from cds.hooks.strict import decode
from cds.service.keys import read_key_set

__all__ = ["make_key_pair", "public_keys_of", "read_private_key", "thumbprint", "write_privately"]

_OF_A_KEY: Final = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
_KEPT: Final = ("kid", "kty", "use", "alg", "crv", "x", "y", "n", "e")


def public_keys_of(raw: bytes, *, kid: str = "") -> tuple[dict[str, Any], ...]:
    """
    Read public keys: PEM, a certificate, a JWK or a JWK Set; as JWKs.

    A key without an id is called *kid*, or by its thumbprint (RFC 7638). Raises `BadKeys`,
    loudly where a private key was handed over.
    """
    if b"PRIVATE KEY" in raw:
        raise BadKeys(
            "holds a PRIVATE key, which nobody but its owner may have; if it was sent to you,"
            " it is spent: ask for a new one, and for the public part alone"
            " (openssl pkey -in key.pem -pubout)"
        )
    found = _from_pem(raw) if b"-----BEGIN" in raw else _from_json(raw)
    named = [
        {**one, "kid": one.get("kid") or (kid if len(found) == 1 else "") or thumbprint(one)}
        for one in found
    ]
    usable = read_key_set({"keys": named})
    if not usable:
        raise BadKeys("holds no key that calls are signed with: EC P-384 or P-256, or RSA")
    return tuple(
        {name: one[name] for name in _KEPT if name in one} for one in named if one["kid"] in usable
    )


def _from_pem(raw: bytes) -> list[dict[str, Any]]:
    from cryptography import x509  # noqa: PLC0415 - for PEM alone
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_public_key,
    )

    try:
        if b"CERTIFICATE" in raw:
            public: Any = x509.load_pem_x509_certificate(raw).public_key()
        else:
            public = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeys("holds no public key in PEM that can be read") from None
    return [_jwk(public)]


def _from_json(raw: bytes) -> list[dict[str, Any]]:
    try:
        found = decode(raw)
    except BadRequest:
        raise BadKeys("is neither PEM nor JSON") from None
    if isinstance(found, dict) and "keys" not in found:
        found = {"keys": [found]}
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
        raise BadKeys("must be a JWK, or an object with a list of keys")
    return keys


def _jwk(public: Any) -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - for PEM alone
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm  # noqa: PLC0415 - the same

    if isinstance(public, rsa.RSAPublicKey):
        found = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        found = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        raise BadKeys("holds no key that calls are signed with: EC P-384 or P-256, or RSA")
    return {name: one for name, one in found.items() if name != "key_ops"}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Give the name that a key has of itself (RFC 7638, SHA-256)."""
    members = {name: jwk.get(name) for name in _OF_A_KEY.get(str(jwk.get("kty")), ())}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def make_key_pair(algorithm: str) -> tuple[bytes, dict[str, Any]]:
    """Make a key pair: the private key in PEM, the public one as a JWK named by itself."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only here
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - the same

    private: Any
    if algorithm.startswith("ES"):
        curve = ec.SECP384R1() if algorithm == "ES384" else ec.SECP256R1()
        private = ec.generate_private_key(curve)
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = _jwk(private.public_key())
    return pem, {"kid": thumbprint(public), "use": "sig", "alg": algorithm, **public}


def read_private_key(raw: bytes) -> tuple[Any, dict[str, Any]]:
    """Read a private key in PEM, and give its public part beside it. Raises `BadKeys`."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only here
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_private_key,
    )

    try:
        private = load_pem_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKeys("holds no private key in PEM that can be read without a password") from None
    return private, _jwk(private.public_key())


def write_privately(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file that its owner alone can read; one that is there only with *replace*."""
    if replace:
        # Beside it first: whoever reads meanwhile finds the old file or the new one whole.
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        write_privately(beside, content)
        beside.replace(path)
        return
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
