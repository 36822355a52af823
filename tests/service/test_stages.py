"""
Every stage of an answer killed in turn: never an empty list, and one card takes no other along.
"""

import asyncio
import json
from dataclasses import replace

import pytest

from cds.fhir.extract import Extractor
from cds.hooks import cards as writing
from cds.hooks.suggestions import Suggesting
from cds.hooks.wire import RULE, Response
from cds.reasoning.evaluator import Reasoner
from cds.service import composing
from cds.service import pipeline as module
from tests.calling import SERVICE, open_service, read_fixture

MARK = "Zebedee"
STORY = "new_prediabetes_likely_fatty_liver"
STAGES = [
    (module, "read_request"),
    (module, "check_grant"),
    (module, "retrieve"),
    (module, "about"),
    (module, "arbitrate"),
    (composing, "evidence_of"),
    (composing, "faults"),
    (composing, "compose"),
    (module, "evaluation"),
    (module, "unchecked"),
    (module, "adapt"),
]


def breaks(*_given, **_named):
    """
    Fail with something of the patient in the message.
    """
    raise RuntimeError(MARK)


@pytest.fixture(scope="module")
def service():
    """
    The shipped release behind HTTP.
    """
    with open_service() as client:
        yield client


def call(service, story=STORY):
    """
    Call for the patient of a story.
    """
    return service.post(SERVICE, json=read_fixture(f"requests/{story}.json"))


def codes(response):
    """
    The codes of the cards, in their order.
    """
    return [one["extension"][RULE]["code"] for one in response.json()["cards"]]


@pytest.mark.parametrize(("place", "stage"), STAGES, ids=[name for _, name in STAGES])
def test_a_stage_that_fails_is_no_empty_list(service, written, monkeypatch, place, stage):
    """
    A failure is a 500 and an alarm, whichever stage it is (T45, ERR-08).
    """
    monkeypatch.setattr(place, stage, breaks)

    response = call(service)

    assert 500 == response.status_code
    assert "OperationOutcome" == response.json()["resourceType"]
    assert "failed" in written.getvalue()
    assert MARK not in response.text + written.getvalue()


@pytest.mark.parametrize("part", ["extractor", "reasoner"])
def test_extracting_and_reasoning_that_fail_are_no_empty_list(service, written, monkeypatch, part):
    """
    The same of what is made once for a release (T45).
    """
    kinds = {"extractor": (Extractor, "extract"), "reasoner": (Reasoner, "conclude")}
    kind, method = kinds[part]
    monkeypatch.setattr(kind, method, breaks)

    response = call(service)

    assert 500 == response.status_code
    assert MARK not in response.text + written.getvalue()


NONSENSE = {
    "no conclusion": (Reasoner, "conclude", lambda found: replace(found, cards={})),
    "one card undecided": (
        Reasoner,
        "conclude",
        lambda found: replace(found, cards=dict([*found.cards.items()][1:])),
    ),
    "nothing fired": (module, "arbitrate", lambda found: replace(found, fired=(), shown=())),
    "nothing shown": (module, "arbitrate", lambda found: replace(found, shown=())),
    "one not shown": (module, "arbitrate", lambda found: replace(found, shown=found.shown[1:])),
    "no card": (composing, "compose", lambda _: []),
    "one card less": (composing, "compose", lambda found: found[1:]),
    "cards that are none": (composing, "compose", lambda found: [None for _ in found]),
    "cards of nothing": (composing, "compose", lambda found: [{} for _ in found]),
    "no card left": (module, "adapt", lambda found: {**found, "cards": []}),
    "an empty answer": (module, "adapt", lambda _: {}),
    "no snapshot": (Extractor, "extract", lambda _: None),
    "nothing retrieved": (module, "retrieve", lambda _: None),
    "no request": (module, "read_request", lambda _: None),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_stage_that_gives_nonsense_is_no_empty_list(service, written, monkeypatch, what):
    """
    What is lost between two stages is a 500 and an alarm, in production too (T45, T43).
    """
    place, name, spoil = NONSENSE[what]
    works = getattr(place, name)
    monkeypatch.setattr(place, name, lambda *given, **named: spoil(works(*given, **named)))

    response = call(service)

    assert 500 == response.status_code
    assert "OperationOutcome" == response.json()["resourceType"]
    assert '"level": "error"' in written.getvalue()


WRITING = [(writing._Writer, one) for one in ("_summary", "_blocks", "_body", "_basis", "_orders")]


@pytest.mark.parametrize(("kind", "method"), [*WRITING, (Suggesting, "of")])
def test_one_broken_rule_does_not_lose_the_cards_of_the_others(
    service, written, lines, monkeypatch, kind, method
):
    """
    Its card says that it could not be evaluated, in its place, and an alarm names it (ERR-13).
    """
    whole = call(service)
    first = whole.json()["cards"][0]["extension"][RULE]["id"]
    works = getattr(kind, method)

    def breaks_once(self, finding, *rest):
        part = finding[0] if isinstance(finding, tuple) else finding
        found = getattr(part, "card", None) or getattr(part, "id", None)
        return breaks() if found == first else works(self, finding, *rest)

    monkeypatch.setattr(kind, method, breaks_once)

    response = call(service)

    shown, expected = response.json()["cards"], whole.json()["cards"]
    (alarm,) = [one for one in lines() if one["event"] == "unwritten"]
    assert 200 == response.status_code
    assert len(expected) > 1
    assert codes(whole) == codes(response)
    assert shown[0]["summary"].endswith("could not be evaluated")
    assert expected[0]["indicator"] == shown[0]["indicator"]
    assert [one["detail"] for one in expected[1:]] == [one["detail"] for one in shown[1:]]
    assert (first, "RuntimeError") == (alarm["card"], alarm["error"])
    assert Response.model_validate(response.json())
    assert MARK not in response.text + written.getvalue()


def test_requests_at_the_same_time_do_not_mix(service):
    """
    Two hundred patients at once, each answered with its own cards (T46).
    """
    stories = ["compensated_insulin_resistance", "raised_homa_ir_alone", "age_and_sex_only", STORY]
    expected = {
        story: [one["detail"] for one in call(service, story).json()["cards"]] for story in stories
    }
    app = service.app

    async def one(story):
        raw = json.dumps(read_fixture(f"requests/{story}.json")).encode()
        sent, pieces = [], [raw[at : at + 3000] for at in range(0, len(raw), 3000)]
        messages = [
            {"type": "http.request", "body": piece, "more_body": at + 1 < len(pieces)}
            for at, piece in enumerate(pieces)
        ]

        async def receive():
            await asyncio.sleep(0)
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": SERVICE,
            "raw_path": SERVICE.encode(),
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
        }
        await app(scope, receive, send)
        return story, b"".join(each.get("body", b"") for each in sent)

    async def crowd():
        app._in_flight, before = 1000, app._in_flight
        try:
            return await asyncio.gather(*(one(stories[at % 4]) for at in range(200)))
        finally:
            app._in_flight = before

    answers = asyncio.run(crowd())

    assert 200 == len(answers)
    assert [] == [
        story
        for story, raw in answers
        if [card["detail"] for card in json.loads(raw)["cards"]] != expected[story]
    ]
