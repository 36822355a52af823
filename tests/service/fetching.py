"""
What tests of fetching share: a record behind a server, a client that registered it, answers.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cds.hooks.authorization import Authorization, Token
from cds.hooks.discovery import prefetch_of
from cds.hooks.strict import encode
from cds.hooks.wire import HookRequest
from cds.service.clients import Caller, Client
from cds.service.fetching import Fetching
from cds.service.outbound import Outbound
from cds.service.pipeline import Call, Pipeline
from tests.serving import searchset, shipped

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
INSTANCE = "2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f"
# Ample, so that only tests of the deadline meet it, also on a busy machine.
SECONDS = 8.0
TOKEN = "canary-token-c7b1f0d2"  # noqa: S105
EVERYTHING = "patient/*.read"


def client_of(base, **members):
    """
    A client that registered this base, on loopback.
    """
    members = {"private_networks": ["127.0.0.0/8"], **members}
    return Client.model_validate({"name": "hospital", "fhir_bases": [base], **members})


def authorization(**members):
    """
    What a client gives us to ask its server with.
    """
    given = {
        "access_token": Token(TOKEN),
        "expires_in": 300,
        "scope": EVERYTHING,
        "subject": "metabolic-cds",
        **members,
    }
    return Authorization(**given)


def request_of(server, patient_id="p", prefetch=None, **members):
    """
    A call as it was read.
    """
    given = {
        "hook": "patient-view",
        "hook_instance": INSTANCE,
        "user_id": "Practitioner/1",
        "patient_id": patient_id,
        "context": {},
        "prefetch": prefetch or {},
        "fhir_server": server,
        **members,
    }
    return HookRequest(**given)


def complete(
    server, templates, *, client=None, prefetch=None, fetching=None, references=(), **members
):
    """
    Complete a request from a server of tests, in a loop of its own.
    """
    base = server if isinstance(server, str) else server.base
    fetching = fetching or Fetching(Outbound(development=True), seconds=SECONDS)

    async def run():
        found = await fetching.complete(
            request_of(base, prefetch=prefetch, **members),
            templates,
            client or client_of(base),
            references=references,
            trace_id="t",
        )
        # Nothing goes on behind the answer (FHIR-11).
        assert {asyncio.current_task()} == asyncio.all_tasks()
        return found

    return asyncio.run(run())


@cache
def templates():
    """
    What patient-view asks for.
    """
    return prefetch_of(shipped().rules, "patient-view")


def pipeline(*, seconds=SECONDS, engine="reference", **options):
    """
    The shipped rules, with a way to servers on loopback.
    """
    fetching = Fetching(Outbound(development=True, **options), seconds=seconds)
    return Pipeline(shipped().rules, engine=engine, now=lambda: NOW, fetching=fetching)


def call(opened, server, patient_id, prefetch=None, *, client=None, **body):
    """
    Call the service, as a client that registered the server.
    """
    base = server if isinstance(server, str) else server.base
    raw = {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": patient_id},
        "fhirServer": base,
        **({} if prefetch is None else {"prefetch": prefetch}),
        **body,
    }
    caller = Caller(client or client_of(base))
    return asyncio.run(opened.answer(encode(raw), Call("patient-view", caller, "t")))


def told(answer):
    """
    Everything an answer says, but for what is new each time: uuids and the trace.
    """
    text = json.dumps(json.loads(encode(answer.response)), sort_keys=True)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\"traceId\": \"t\"", "-", text)


def stories():
    """
    The patients of the fixtures, by name.
    """
    return sorted(one.stem for one in (FIXTURES / "patients").glob("*.json"))


@cache
def record(story):
    """
    The resources of one of them.
    """
    bundle = json.loads((FIXTURES / "patients" / f"{story}.json").read_text("utf-8"))
    return tuple(one["resource"] for one in bundle["entry"])


def patient_id_of(story):
    """
    The id of one of them.
    """
    return next(one["id"] for one in record(story) if one["resourceType"] == "Patient")


def sent(story):
    """
    What an EHR would send for every template, found by tests' own search.
    """
    from tests.calling import _answer  # noqa: PLC0415 - the one definition of it

    return {key: _answer(text, list(record(story))) for key, text in templates().items()}


def page_of(resources, *, after=""):
    """
    One page of a search, with the address of the next.
    """
    bundle = searchset(resources)
    return {**bundle, "link": [{"relation": "next", "url": after}]} if after else bundle
