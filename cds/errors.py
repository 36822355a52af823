"""
Everything this package raises on purpose.

* CdsError
  x RuleError               a rule file cannot be used; carries diagnostics
  x RequestError            the caller's doing; carries an HTTP status and a path
    + BadRequest            400
    + UnknownService        404
    + CannotProceed         412
    + TooLarge              413
  x ReasoningFailed         ours
    + EvaluatorsDisagree    engine and reference gave different answers
    + EngineFailed          the engine refused a fact, a call or a session

Messages never hold anything of a patient: they name a place and a remedy, not the
value that was found there.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BadRequest",
    "CannotProceed",
    "CdsError",
    "EngineFailed",
    "EvaluatorsDisagree",
    "ReasoningFailed",
    "RequestError",
    "RuleError",
    "TooLarge",
    "UnknownService",
]


class CdsError(Exception):
    """Base of everything this package raises on purpose."""


class RuleError(CdsError):
    """
    A rule file cannot be used.

    Carries every diagnostic of the pass, not only the first one.
    """

    def __init__(self, diagnostics: Sequence[object]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(one) for one in self.diagnostics))


class RequestError(CdsError):
    """
    The caller's doing.

    *path* points into the request (`$.context.patientId`); *message* says what
    would have been right. Neither repeats what was sent.
    """

    status = 400
    issue = "invalid"

    def __init__(self, message: str, *, path: str = "$") -> None:
        self.message = message
        self.path = path
        super().__init__(f"{path}: {message}")


class BadRequest(RequestError):
    """The request cannot be read as a CDS Hooks call of this service."""


class UnknownService(RequestError):
    """No service has this id."""

    status = 404
    issue = "not-found"


class CannotProceed(RequestError):
    """Required data was neither sent nor can it be had."""

    status = 412
    issue = "required"


class TooLarge(RequestError):
    """The body is larger than this service accepts."""

    status = 413
    issue = "too-long"


class ReasoningFailed(CdsError):
    """Reasoning did not come to an end that may be shown."""


class EvaluatorsDisagree(ReasoningFailed):
    """
    Engine and reference evaluator gave different answers.

    *nodes* names the places in the rule files, never a value of the patient.
    """

    def __init__(self, nodes: Sequence[str]) -> None:
        self.nodes = tuple(nodes)
        super().__init__("engine and reference differ on " + ", ".join(self.nodes))


class EngineFailed(ReasoningFailed):
    """The engine refused a fact, a call or a session."""
