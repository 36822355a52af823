"""
The body of a request: what it is said to be, received within its limits.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request

from cds.errors import BadRequest, TooLarge, TooSlow

__all__ = ["is_json", "receive"]

_QUIET: Final = 2.0  # seconds without a byte of the body
_MEDIA: Final = frozenset({"", "application/json", "application/fhir+json"})
_CHARSETS: Final = frozenset({"utf-8", "utf8"})


def is_json(request: Request) -> bool:
    """Tell whether the body is said to be JSON in UTF-8, as it is (T17, T25)."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        return False
    media, _, rest = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() not in _MEDIA:
        return False
    parameters = [one.strip().lower().partition("=") for one in rest.split(";")]
    charsets = [value.strip("\"' ") for name, _, value in parameters if name.strip() == "charset"]
    return set(charsets) <= _CHARSETS and len(charsets) <= 1


async def receive(request: Request, *, most: int, seconds: float) -> bytes:
    """
    Receive the body: at most *most* bytes in *seconds*, whatever was promised.

    Raises `TooLarge`, `TooSlow`, `BadRequest` where there is none.
    """
    promised = request.headers.get("content-length", "")
    too_large = TooLarge(f"must have no more than {most} bytes")
    if promised.isdigit() and int(promised) > most:
        raise too_large
    parts: list[bytes] = []
    size = 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds), asyncio.timeout(_QUIET) as quiet:
            async for part in request.stream():
                quiet.reschedule(loop.time() + _QUIET)
                size += len(part)
                if size > most:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise TooSlow("must arrive in time") from None
    if not size:
        raise BadRequest("must be a JSON object")
    return b"".join(parts)
