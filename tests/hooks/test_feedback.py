"""
Feedback as record systems really send it: what is taken, what is refused and where.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.errors import BadRequest
from cds.hooks.feedback import MOST_COMMENT, MOST_FEEDBACK, MOST_ITEMS, Feedback, read_feedback

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT = "2026-06-01T11:58:00Z"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
OTHER = "9d1c5b1a-7c1f-4f5e-8a54-3a4cf2d9a001"
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"
MARK = "Zebedee"


def accepted(card=CARD, *suggestions, at=AT, **more):
    """
    An item that says that suggestions were accepted.
    """
    ids = [{"id": one} for one in suggestions or (SUGGESTION,)]
    return {
        "card": card,
        "outcome": "accepted",
        "acceptedSuggestions": ids,
        "outcomeTimestamp": at,
        **more,
    }


def overridden(reason=None, *, at=AT, **more):
    """
    An item that says that a card was overridden.
    """
    item = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": at, **more}
    if reason is not None:
        item["overrideReason"] = reason
    return item


def read(*items):
    """
    Read a body with these items.
    """
    return read_feedback(json.dumps({"feedback": items}).encode(), now=NOW)


def only(item):
    """
    Read a body with one item that can be used.
    """
    found = read(item)

    assert () == found.refused
    return found.items[0]


def test_several_cards_come_in_one_call():
    """
    Of one card or of several, accepted and overridden, in the order of the call (FB-02, FB-06).
    """
    found = read(accepted(), overridden(), accepted(OTHER, SUGGESTION, OTHER))

    assert [(CARD, "accepted"), (CARD, "overridden"), (OTHER, "accepted")] == [
        (one.card, one.outcome) for one in found.items
    ]
    assert [(SUGGESTION,), (), (SUGGESTION, OTHER)] == [one.suggestions for one in found.items]
    assert () == found.refused


@pytest.mark.parametrize("missing", ["card", "outcome", "outcomeTimestamp"])
def test_what_is_required_is_named(missing):
    """
    Card, outcome and time are required of each item (FB-03).
    """
    item = accepted()
    del item[missing]
    found = read(item, overridden())

    assert [f"$.feedback[0].{missing}"] == [one.path for one in found.refused]
    assert ["overridden"] == [one.outcome for one in found.items]


@pytest.mark.parametrize("ids", [None, [], {}, "x", [{}], [{"id": 1}], [{"id": "x"}], [None]])
def test_an_acceptance_names_what_was_accepted(ids):
    """
    One without its suggestions is refused, the others count (FB-04).
    """
    found = read(accepted(acceptedSuggestions=ids), accepted())

    assert 1 == len(found.items)
    assert found.refused[0].path.startswith("$.feedback[0].acceptedSuggestions")


def test_ids_of_suggestions_may_stand_alone():
    """
    Strings in place of objects, as an earlier proposal had it, each once.
    """
    found = only(accepted(acceptedSuggestions=[SUGGESTION, {"id": SUGGESTION.upper()}]))

    assert (SUGGESTION,) == found.suggestions


REASON = {"code": "patient-declined", "system": "urn:ir-cds:override-reason"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (overridden(), ("", "", "")),
        (overridden({"reason": REASON}), (*REASON.values(), "")),
        (overridden({"reason": {"code": "x"}}), ("x", "", "")),
        (overridden({"userComment": "no"}), ("", "", "no")),
        (overridden({"reason": REASON, "userComment": "no"}), (*REASON.values(), "no")),
        (overridden(REASON), (*REASON.values(), "")),
        (overridden(overrideReasons={"reason": REASON}), (*REASON.values(), "")),
        (overridden(overrideReasons=[{"reason": REASON}]), (*REASON.values(), "")),
        (overridden(overrideReasons=[]), ("", "", "")),
        (overridden({"reason": {"display": "Declined"}}), ("", "", "")),
    ],
    ids=[
        "no reason",
        "coding",
        "no system, as the sandbox",
        "comment alone",
        "both",
        "flat, as older sandboxes",
        "plural, as Epic",
        "a list of one",
        "an empty list",
        "no code",
    ],
)
def test_a_reason_is_read_in_every_form(item, expected):
    """
    System, display and comment may be missing; clients write it in several ways (FB-05).
    """
    found = only(item)

    assert expected == (found.reason, found.system, found.comment)


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("x", "overrideReason"),
        ({"reason": "x"}, "overrideReason.reason"),
        ({"reason": {"code": 1}}, "overrideReason.reason.code"),
        ({"reason": {"code": "x" * 201}}, "overrideReason.reason.code"),
        ({"reason": {"code": "x", "system": []}}, "overrideReason.reason.system"),
        ({"userComment": 5}, "overrideReason.userComment"),
        ({"userComment": "x" * (MOST_COMMENT + 1)}, "overrideReason.userComment"),
    ],
)
def test_a_reason_of_another_type_is_refused(reason, path):
    """
    With its place; a comment has at most 2,000 characters.
    """
    found = read(overridden(reason))

    assert () == found.items
    assert [f"$.feedback[0].{path}"] == [one.path for one in found.refused]


def test_a_comment_may_be_as_long_as_it_may():
    """
    The limit itself is inside.
    """
    assert MOST_COMMENT == len(only(overridden({"userComment": "x" * MOST_COMMENT})).comment)


def test_a_comment_is_not_shown():
    """
    It may be about the patient: neither in a log of the object nor in a refusal (FB-08, T56).
    """
    found = only(overridden({"userComment": MARK}))
    refused = read(
        overridden({"reason": MARK}),
        overridden(card=MARK),
        overridden(outcome=MARK),
        overridden(at=MARK),
        accepted(MARK),
        accepted(acceptedSuggestions=[{"id": MARK}]),
    )

    assert MARK == found.comment
    assert MARK not in repr(found)
    assert 6 == len(refused.refused)
    assert MARK not in repr(refused)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-06-01T11:58:00Z", NOW - timedelta(minutes=2)),
        ("2026-06-01T11:58:00.000z", NOW - timedelta(minutes=2)),
        ("2026-05-31T23:59:60Z", NOW - timedelta(hours=12, seconds=1)),
        ("2026-05-31T18:59:60.5-05:00", NOW - timedelta(hours=12, seconds=0.5)),
        ("2026-06-01T13:58:00+02:00", NOW - timedelta(minutes=2)),
        ("2026-06-01t06:58:00.123456789-05:00", NOW - timedelta(seconds=119, microseconds=876544)),
    ],
)
def test_an_instant_may_have_an_offset(at, expected):
    """
    UTC is asked for; an offset says the same. A minute may have a leap second (FB-03).
    """
    found = only(overridden(at=at))

    assert expected == found.at
    assert timedelta(0) == found.at.utcoffset()


@pytest.mark.parametrize(
    "at",
    [
        "",
        "2026-06-01",
        "2026-06-01T11:58:00",
        "2026-06-01 11:58:00Z",
        "2026-02-30T11:58:00Z",
        "2026-06-01T11:58:61Z",
        "0001-01-01T00:00:00+23:59",
        "20260601T115800Z",
        1780315080,
        None,
        "٢026-06-01T11:58:00Z",
    ],
)
def test_what_is_no_instant_is_refused(at):
    """
    RFC 3339 with its zone, and a day that exists (FB-03).
    """
    found = read(overridden(at=at))

    assert ["$.feedback[0].outcomeTimestamp"] == [one.path for one in found.refused]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW + timedelta(minutes=5), False),
        (NOW + timedelta(minutes=5, seconds=1), True),
        (NOW - timedelta(days=30), False),
        (NOW - timedelta(days=30, seconds=1), True),
    ],
)
def test_a_time_that_cannot_be_is_marked(at, expected):
    """
    More than five minutes ahead or thirty days ago: taken, and marked (T57).
    """
    assert expected is only(overridden(at=at.isoformat())).is_out_of_time


def test_repeats_are_known_by_their_key():
    """
    The same sent again, in another order, has the same keys; another outcome has another (T57).
    """
    items = [accepted(CARD, SUGGESTION, OTHER), overridden(), accepted(OTHER)]
    again = [accepted(OTHER), overridden({"userComment": "x"}), accepted(CARD, OTHER, SUGGESTION)]

    assert {one.key for one in read(*items).items} == {one.key for one in read(*again).items}
    assert 3 == len({one.key for one in read(*items, *again).items})


def test_nobody_reports_that_a_card_was_ignored():
    """
    There is no such outcome; what is not reported says nothing (FB-11).
    """
    found = read(overridden(outcome="ignored"), overridden())

    assert ["$.feedback[0].outcome"] == [one.path for one in found.refused]
    assert 1 == len(found.items)


def test_cards_are_named_in_any_case():
    """
    Upper case, and with the prefix of URNs.
    """
    assert CARD == only(overridden(card=CARD.upper())).card
    assert CARD == only(overridden(card=f"urn:uuid:{CARD}")).card


def test_members_nobody_knows_are_ignored():
    """
    Of vendors and of later versions, at every level (EXT-03).
    """
    extension = {"com.epic.cdshooks.feedback": {"x": [1]}}
    item = overridden({"reason": {**REASON, "extension": extension}, "x": 1}, extension=extension)
    raw = json.dumps({"feedback": [item], "extension": extension, "y": None}).encode()

    assert "patient-declined" == read_feedback(raw, now=NOW).items[0].reason


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "$"),
        (None, "$"),
        ({}, "$.feedback"),
        ({"feedback": {}}, "$.feedback"),
        ({"feedback": []}, "$.feedback"),
        ({"feedback": [overridden()] * (MOST_ITEMS + 1)}, "$.feedback"),
        (overridden(), "$.feedback"),
    ],
    ids=["list", "null", "empty", "object", "no item", "too many", "an item alone"],
)
def test_a_call_is_a_list_of_items(body, path):
    """
    From one to a hundred (FB-02).
    """
    with pytest.raises(BadRequest) as caught:
        read_feedback(json.dumps(body).encode(), now=NOW)

    assert path == caught.value.path


def test_the_limits_are_those_agreed():
    """
    256 KiB, a hundred items, comments of 2,000 characters (T54, T56).
    """
    assert (262_144, 100, 2_000) == (MOST_FEEDBACK, MOST_ITEMS, MOST_COMMENT)


def test_a_hundred_items_are_taken():
    """
    The limit itself is inside.
    """
    assert MOST_ITEMS == len(read(*[overridden()] * MOST_ITEMS).items)


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=9)
    | st.just(CARD)
    | st.just(AT),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=9), one, max_size=3),
    max_leaves=6,
)
MEMBERS = (
    "card",
    "outcome",
    "outcomeTimestamp",
    "acceptedSuggestions",
    "overrideReason",
    "overrideReasons",
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from([accepted(), overridden({"reason": REASON, "userComment": "no"})]),
    st.dictionaries(st.sampled_from(MEMBERS), JSONS),
)
def test_an_item_is_taken_or_refused(item, changed):
    """
    Whatever stands in an item, it is read or refused at its place; nothing else happens.
    """
    found = read({**item, **changed}, overridden())

    assert isinstance(found.items[-1], Feedback)
    assert 2 == len(found.items) + len(found.refused)
    assert all(one.path.startswith("$.feedback[0]") for one in found.refused)
