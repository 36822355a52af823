"""
Everything this package raises on purpose.

* CdsError
  x RuleError               a rule file cannot be used; carries diagnostics
  x RequestError            the caller's doing; carries an HTTP status and a path
    + BadRequest            400
      - ForeignData         data of another patient, where a client wants none
      - WrongGrant          a token for somebody else, or about somebody else
    + NotAuthenticated      401
    + NotAllowed            403
    + UnknownService        404
    + CannotProceed         412
    + TooSlow               408
    + TooLarge              413
    + Throttled             to be sent again later
      x TooManyCalls        429
      x Busy                503
  x NotFetched              another server did not give what it was asked for
  x ReasoningFailed         ours
    + EvaluatorsDisagree    engine and reference gave different answers
    + EngineFailed          the engine refused a fact, a call or a session
    + AnswerIncomplete      something that was to be decided or shown was not
  x BadKeys                 a set of public keys cannot be used
  x StoreFailed             what workers share cannot be read or written

Messages never hold anything of a patient: they name a place and a remedy, not the
value that was found there.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "AnswerIncomplete",
    "BadKeys",
    "BadRequest",
    "Busy",
    "CannotProceed",
    "CdsError",
    "EngineFailed",
    "EvaluatorsDisagree",
    "ForeignData",
    "NotAllowed",
    "NotAuthenticated",
    "NotFetched",
    "ReasoningFailed",
    "RequestError",
    "RuleError",
    "StoreFailed",
    "Throttled",
    "TooLarge",
    "TooManyCalls",
    "TooSlow",
    "UnknownService",
    "WrongGrant",
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


class ForeignData(BadRequest):
    """Data of another patient arrived, and the client asked to refuse a call for that."""


class WrongGrant(BadRequest):
    """`fhirAuthorization` was given to somebody else, or is about somebody else."""


class NotAuthenticated(RequestError):
    """
    Nobody has proved who is calling.

    *reason* is for our own log, of a closed set of words; the caller is never told. *client*
    is the name of the registered client that the token claims to be from, where it does.
    """

    status = 401
    issue = "login"

    def __init__(self, reason: str, *, client: str = "") -> None:
        self.reason = reason
        self.client = client
        super().__init__("the call must be signed by a registered client")


class NotAllowed(RequestError):
    """The caller is known, and is not to have this."""

    status = 403
    issue = "forbidden"


class UnknownService(RequestError):
    """No service has this id."""

    status = 404
    issue = "not-found"


class CannotProceed(RequestError):
    """Required data was neither sent nor can it be had."""

    status = 412
    issue = "required"


class TooSlow(RequestError):
    """The body did not arrive in time."""

    status = 408
    issue = "timeout"


class TooLarge(RequestError):
    """The body is larger than this service accepts."""

    status = 413
    issue = "too-long"


class Throttled(RequestError):
    """Not now; *retry_after* says in how many whole seconds."""

    issue = "throttled"

    def __init__(self, message: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class TooManyCalls(Throttled):
    """The caller sends more calls than agreed."""

    status = 429


class Busy(Throttled):
    """There is no place for another call at the moment."""

    status = 503


class NotFetched(CdsError):
    """
    Another server did not give what it was asked for.

    *reason* is one of a few words of ours: `address`, `scheme`, `name`, `forbidden
    address`, `connect`, `tls`, `timeout`, `protocol`, `redirect`, `encoded`, `too large`,
    and what callers add. Never an address, a header or an answer.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


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


class AnswerIncomplete(ReasoningFailed):
    """
    Something that was to be decided or shown got lost on the way.

    *nodes* names the cards in the rule files.
    """

    def __init__(self, nodes: Sequence[str]) -> None:
        self.nodes = tuple(nodes)
        super().__init__("lost on the way: " + ", ".join(self.nodes))


class BadKeys(CdsError):
    """A set of public keys cannot be used; the message says which member and why."""


class StoreFailed(CdsError):
    """What workers share cannot be read or written; whoever depends on it answers 503."""
