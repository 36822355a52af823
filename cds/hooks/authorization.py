"""
`fhirAuthorization`: the token with which the caller's FHIR server may be asked.

The token lives as long as its request and nowhere else. It is wrapped, so that nothing
that prints, logs or writes JSON can show it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["Authorization", "Token", "read_authorization"]

_VISIBLE: Final = re.compile(r"[!-~]+")
_LONGEST: Final = 16 * 1024
Fault = Literal["", "malformed", "token type", "expired"]


class Token:
    """A bearer token that does not show itself; `reveal` gives it to who sends it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the token, for the header of a request and for nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a token is not written anywhere")


@dataclass(frozen=True, slots=True)
class Authorization:
    """
    What a caller gave us to ask its FHIR server with.

    *expires_in* in seconds. *fault* says why it must not be used; empty where it may.
    *patient* is the bare id that the token is limited to, where one was sent.
    """

    access_token: Token
    expires_in: int
    scope: str
    subject: str
    patient: str = ""
    fault: Fault = ""


def read_authorization(members: Mapping[str, Any]) -> Authorization:
    """
    Read `fhirAuthorization`; never raises.

    One that lacks something is kept with its *fault*: the call is answered from what was
    sent with it, and no server is asked.
    """
    token, scope = members.get("access_token"), members.get("scope")
    subject, seconds = members.get("subject"), members.get("expires_in")
    patient = members.get("patient")
    fault: Fault = ""
    # Each scope is looked at for each query, and no server takes a longer head.
    if not all(
        isinstance(one, str) and 0 < len(one) <= _LONGEST for one in (token, scope, subject)
    ):
        fault = "malformed"
    elif _VISIBLE.fullmatch(str(token)) is None:
        # It could not stand in a header (RFC 6750 2.1).
        fault = "malformed"
    elif type(seconds) is not int or (patient is not None and not isinstance(patient, str)):
        fault = "malformed"
    elif str(members.get("token_type", "")).lower() != "bearer":
        fault = "token type"
    elif seconds <= 0:
        fault = "expired"
    return Authorization(
        access_token=Token(token if isinstance(token, str) else ""),
        expires_in=seconds if type(seconds) is int else 0,
        scope=scope if isinstance(scope, str) else "",
        subject=subject if isinstance(subject, str) else "",
        patient=patient.removeprefix("Patient/") if isinstance(patient, str) else "",
        fault=fault,
    )
