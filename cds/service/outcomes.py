"""
OperationOutcome: the body of every answer that is not 2xx.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from cds.errors import RequestError

__all__ = ["OUTCOME_TYPE", "outcome", "outcome_of", "outcome_of_places"]

OUTCOME_TYPE: Final = "application/fhir+json"

_ISSUES: Final = {
    400: ("invalid", "The request is not valid."),
    401: ("login", "The caller is not known."),
    403: ("forbidden", "The caller may not do this."),
    404: ("not-found", "There is nothing at this address; GET /cds-services lists what there is."),
    405: ("not-supported", "This method is not supported at this address."),
    408: ("timeout", "The request did not arrive in time."),
    412: ("required", "Required data is missing."),
    413: ("too-long", "The body is larger than this service accepts."),
    415: (
        "not-supported",
        "The body must be application/json or application/fhir+json, in UTF-8, not compressed.",
    ),
    429: ("throttled", "More calls than agreed; try again later."),
    431: ("too-long", "The head of the request is larger than this service accepts."),
    500: ("exception", "This service failed; no conclusion may be drawn from that."),
    503: ("throttled", "This service is busy; try again."),
}


def outcome(status: int, *, request: str = "") -> dict[str, Any]:
    """Say what went wrong where only the status is known; *request* is what to ask us for."""
    code, sentence = _ISSUES.get(status, ("processing", "The request could not be answered."))
    if request and status >= 500:  # noqa: PLR2004 - a status is its number
        sentence = f"{sentence} Request {request}."
    return _outcome(code, sentence, request)


def outcome_of(error: RequestError, *, request: str = "") -> dict[str, Any]:
    """Say what the caller should send instead, and where; *request* is what to ask us for."""
    found = _outcome(error.issue, f"{error.path} {error.message}.", request)
    found["issue"][0]["expression"] = [error.path]
    return found


def outcome_of_places(places: Iterable[tuple[str, str]], *, request: str = "") -> dict[str, Any]:
    """Say of each place, by its path, what would have been right there."""
    found = _outcome("invalid", "", request)
    found["issue"] = [
        {
            "severity": "error",
            "code": "invalid",
            "diagnostics": f"{path} {because}.",
            "expression": [path],
        }
        for path, because in places
    ]
    return found


def _outcome(code: str, sentence: str, request: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        **({"id": request} if request else {}),
        "issue": [{"severity": "error", "code": code, "diagnostics": sentence}],
    }
