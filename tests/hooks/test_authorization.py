"""
`fhirAuthorization`: read whatever it is, used only where it is whole, never shown.
"""

import json
import pickle

import pytest

from cds.hooks.authorization import Token, read_authorization
from cds.hooks.strict import encode

MARK = "s3cret-Zebedee"
WHOLE = {
    "access_token": MARK,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "metabolic-cds",
}


def test_a_whole_one_is_read():
    """
    Every member of it (REQ-07).
    """
    found = read_authorization({**WHOLE, "patient": "Patient/1"})

    assert (MARK, 300, "patient/*.read", "metabolic-cds", "1", "") == (
        found.access_token.reveal(),
        found.expires_in,
        found.scope,
        found.subject,
        found.patient,
        found.fault,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("access_token", "token_type", "expires_in", "scope", "subject")
        for value in ("absent", None, "", [], {}, 1.5, "a\nb", -1)
        # A text, and nothing is sent to anybody with it.
        if not (name in {"scope", "subject"} and value == "a\nb")
    ],
)
def test_one_that_lacks_something_is_not_used(name, value):
    """
    No refusal, no crash: the call is answered from what came with it (REQ-07, T11).
    """
    members = {**WHOLE, name: value}
    if value == "absent":
        del members[name]

    assert read_authorization(members).fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"token_type": "bearer"}, ""),
        ({"token_type": "mac"}, "token type"),
        ({"expires_in": 0}, "expired"),
        ({"expires_in": True}, "malformed"),
        ({"access_token": "a b"}, "malformed"),
        ({"access_token": "a\r\nX: y"}, "malformed"),
        ({"patient": 7}, "malformed"),
        ({"access_token": "a" * 16_385}, "malformed"),
        ({"scope": "patient/*.read " * 1_100}, "malformed"),
        ({"scope": "patient/*.read " * 1_092}, ""),
    ],
)
def test_why_it_is_not_used_is_one_word(changes, fault):
    """
    Of a closed list (T11).
    """
    assert fault == read_authorization({**WHOLE, **changes}).fault


def test_a_token_does_not_show_itself():
    """
    Not printed, not formatted, not written as JSON, not pickled (FHIR-03, FHIR-04, T10).
    """
    token = read_authorization(WHOLE).access_token

    assert ["***"] * 3 == [repr(token), str(token), f"{token}"]
    assert MARK not in repr(read_authorization(WHOLE))
    for write in (json.dumps, encode, pickle.dumps):
        with pytest.raises(TypeError):
            write(token)
    with pytest.raises(AttributeError):
        Token(MARK).text  # noqa: B018 - reading it is the test
