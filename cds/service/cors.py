"""
Pages in a browser: which of them may call, and what their preflights are told.

Starlette's middleware, with an exact list of origins, and with refusals that are
OperationOutcomes like all others. It stands inside the frame and outside everything that
answers, so that a page can read every failure too (ERR-12).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cds.hooks.strict import encode
from cds.service.outcomes import OUTCOME_TYPE, outcome

__all__ = ["EVERY_ORIGIN", "Cors", "marks_of"]

EVERY_ORIGIN: Final = frozenset({"*"})
"""Any page may call; for development, which only this machine can reach."""

_REFUSED: Final = 403


class Cors(CORSMiddleware):
    """
    Let pages of *origins* call, and none else; none where the list is empty.

    A preflight carries no token and needs none (SEC-19). Cookies are never asked for.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            # `*` would not cover Authorization.
            allow_headers=["Authorization", "Content-Type", "X-Request-Id"],
            expose_headers=["Retry-After", "X-Request-Id"],
            # Who registers a page wants it to call, also into a network of its own.
            allow_private_network=True,
            max_age=600,
        )

    def marks(self, origin: str) -> list[tuple[bytes, bytes]]:
        """Give the headers by which a page of *origin* may read an answer; it may be unknown."""
        headers = MutableHeaders(self.simple_headers if origin or self.allow_all_origins else None)
        if origin and not self.allow_all_origins and self.is_allowed_origin(origin):
            self.allow_explicit_origin(headers, origin)
        else:
            headers["Vary"] = "Origin"
        return headers.raw

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight: 204, or 403 with an OperationOutcome."""
        answer = super().preflight_response(request_headers)
        headers = {
            name: value
            for name, value in answer.headers.items()
            if name not in {"content-length", "content-type"}
        }
        if answer.status_code < 300:  # noqa: PLR2004 - a status is its number
            return Response(status_code=204, headers=headers)
        return Response(
            encode(outcome(_REFUSED)),
            status_code=_REFUSED,
            headers=headers,
            media_type=OUTCOME_TYPE,
        )


def marks_of(origins: Collection[str]) -> Callable[[str], list[tuple[bytes, bytes]]]:
    """Give what marks an answer that goes out before there is a request to be answered."""
    return Cors(_nobody, origins=origins).marks


async def _nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Answer nothing: what is marked was written by somebody else."""
