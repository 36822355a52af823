"""
OperationOutcome: the body of every answer that is not 2xx.
"""

from __future__ import annotations

from typing import Any, Final

from cds.errors import RequestError

__all__ = ["OUTCOME_TYPE", "outcome", "outcome_of"]

OUTCOME_TYPE: Final = "application/fhir+json"

_ISSUES: Final = {
    400: ("invalid", "The request is not valid."),
    404: ("not-found", "There is nothing at this address."),
    405: ("not-supported", "This method is not supported at this address."),
    408: ("timeout", "The request did not arrive in time."),
    412: ("required", "Required data is missing."),
    413: ("too-long", "The body is larger than this service accepts."),
    415: ("not-supported", "The body must be application/json or application/fhir+json."),
    500: ("exception", "This service failed; no conclusion may be drawn from that."),
    503: ("throttled", "This service is busy; try again."),
}


def outcome(status: int, *, request: str = "") -> dict[str, Any]:
    """Say what went wrong where only the status is known; *request* is what to ask us for."""
    code, sentence = _ISSUES.get(status, ("processing", "The request could not be answered."))
    if request:
        sentence = f"{sentence} Request {request}."
    return _outcome(code, sentence)


def outcome_of(error: RequestError) -> dict[str, Any]:
    """Say what the caller should send instead, and where."""
    found = _outcome(error.issue, f"{error.path} {error.message}.")
    found["issue"][0]["expression"] = [error.path]
    return found


def _outcome(code: str, sentence: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": sentence}],
    }
