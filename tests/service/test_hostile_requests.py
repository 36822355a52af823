"""
Hostile and dirty requests: an answer or a refusal to each, and nothing of it anywhere else.

`tests/attacks` says what is done to a good request. All hooks are served with all cards of
patient-view, so that whatever gets through is reasoned about in full.
"""

import json
import socket

import pytest
from markdown_it import MarkdownIt

from tests.attacks.good import FOREIGN, HOOKS, MARK, OWN, call, raw
from tests.attacks.groups import ROWS
from tests.attacks.leaks import leaks
from tests.calling import EVALUATION, is_outcome

HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'",
}
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
FORBIDDEN = {"html_block", "html_inline", "link_open", "image", "heading_open", "fence", "s_open"}


@pytest.fixture(scope="module")
def clean(client):
    """
    The answers to the good requests.
    """
    return {hook: client.post(*address(hook), content=raw(call(hook))) for hook in HOOKS}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    """
    No name is looked up and nothing is connected to.
    """

    def refuse(*_args, **_others):
        pytest.fail("something was asked for")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def address(hook):
    """
    Where a hook is answered.
    """
    return (f"/cds-services/metabolic-{hook}",)


def sent(client, row, hook):
    """
    Send what a row makes of a good request.
    """
    return client.request(
        row.method,
        row.path or address(hook)[0],
        content=row.body(hook),
        headers={"Content-Type": "application/json", **row.headers},
    )


def faults_of(response, row):
    """
    Name what is wrong with an answer to a row.
    """
    status, text = response.status_code, response.text
    if status not in row.expected:
        yield f"{status}, not {row.expected}: {text[:200]}"
    for name, value in HEADERS.items():
        if response.headers.get(name) != value:
            yield f"{name} is missing"
    if len(response.headers.get("x-request-id", "")) != 36:
        yield "no id of the request"
    if row.method == "HEAD":
        return
    if status == 200:
        yield from faults_of_answer(response)
    elif not is_outcome(response):
        yield "a refusal that is no OperationOutcome"
    elif status in {400, 412, 413}:
        for issue in response.json()["issue"]:
            (place,) = issue.get("expression", [""])
            if not place.startswith(row.place or "$"):
                yield f"the place {place}, not {row.place}"
    yield from leaks(response)


def faults_of_answer(response):
    """
    Name what an answer must not be: without an evaluation, or with markup that bites.
    """
    body = response.json()
    if "cards" not in body:
        return
    if EVALUATION not in body["extension"]:
        yield "no evaluation"
    for card in body["cards"]:
        found = set(kinds(PARSER.parse(card.get("detail", "")))) & FORBIDDEN
        if found:
            yield f"markup: {sorted(found)}"
        if "<" in card["summary"].replace(" < ", " "):
            yield "markup in a summary"


def kinds(tokens):
    """
    Give the kinds of all tokens, those inside others too.
    """
    for one in tokens:
        yield one.type
        yield from kinds(one.children or ())


def every_row():
    """
    Each row of each group as a test of its own.
    """
    for group, rows in ROWS.items():
        for number, row in enumerate(rows):
            marks = [pytest.mark.nightly] if row.nightly else []
            yield pytest.param(row, id=f"{group}-{number}", marks=marks)


@pytest.mark.parametrize("row", [*every_row()])
def test_a_hostile_request(client, log, row):
    """
    The right refusal or an answer, with every header, and no mark anywhere.

    Bodies (T19, T22, T23, T24, T25, T26, T28), markup (T41, T48), other patients (T31),
    logs (T59) and what may be asked for outside (T12).
    """
    found = []
    for hook in row.services:
        log.seek(0)
        log.truncate()
        found += [f"{hook}: {fault}" for fault in faults_of(sent(client, row, hook), row)]
        found += [f"{hook}: {fault}" for fault in faults_of_log(log.getvalue())]

    assert [] == found, row.name


def faults_of_log(text):
    """
    Name what the log of one request must not hold: marks, alarms, more than JSON lines.
    """
    for mark in (MARK, FOREIGN, OWN):
        if mark in text.lower():
            yield "something of the request is in the log"
    for line in text.splitlines():
        if json.loads(line)["level"] == "error":
            yield f"an alarm: {line[:600]}"


def test_there_are_enough():
    """
    Two hundred were asked for; names tell them apart.
    """
    names = [f"{group}: {row.name}" for group, rows in ROWS.items() for row in rows]

    assert 200 <= len(names)
    assert len(names) == len(set(names))
    assert set(HOOKS) == {hook for rows in ROWS.values() for row in rows for hook in row.services}


def test_the_good_requests_are_good(clean):
    """
    Each is answered with cards and drafts, so that a leak would have a place to stand.
    """
    for hook, response in clean.items():
        cards = response.json()["cards"]

        assert 200 == response.status_code, hook
        assert 3 <= len(cards), hook
        assert any("suggestions" in one for one in cards), hook
        assert [] == [*leaks(response)], hook


def test_it_still_answers(client, clean):
    """
    After all of that as before: the same cards for every hook.
    """
    assert 200 == client.get("/livez").status_code
    for hook, response in clean.items():
        again = client.post(*address(hook), content=raw(call(hook)))

        assert [one["detail"] for one in response.json()["cards"]] == [
            one["detail"] for one in again.json()["cards"]
        ], hook
