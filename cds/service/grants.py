"""
Whose `fhirAuthorization` it is: a token that was given to somebody else is none of ours.
"""

from __future__ import annotations

from cds.errors import WrongGrant
from cds.hooks.authorization import Authorization
from cds.service.clients import Client

__all__ = ["check_grant"]


def check_grant(authorization: Authorization | None, client: Client) -> None:
    """
    Refuse a token that was made out to another service.

    Where the client has registered what we are called there. What the token is good for
    is judged where it is used: too little of it is data that is not known, and no fault.
    Raises `WrongGrant`.
    """
    if authorization is None or not client.subject or not authorization.subject:
        return
    if authorization.subject != client.subject:
        raise WrongGrant(
            "must be the id under which this service is registered with the client",
            path="$.fhirAuthorization.subject",
        )
