"""
Limits: a bucket of calls for each tenant, and a share of the places.
"""

import asyncio
import io
from contextlib import ExitStack

import pytest

from cds.errors import Busy, TooManyCalls
from cds.service import limits as module
from cds.service.app import create_app
from cds.service.clients import DEFAULT_CLIENT, Client, Clients
from cds.service.limits import FEEDBACK_BURST, Limits
from cds.service.logs import configure
from cds.service.settings import Settings
from tests.service.fakes import Fake
from tests.tokens import BASE, Signer, client_of, tokens_for

NORTH = Client(name="north", issuer="https://north.example", rate=2, burst=3)
SOUTH = Client(name="south", issuer="https://south.example", tenants=("a", "b"))


class Clock:
    """
    Seconds that pass when told.
    """

    seconds = 1000.0

    def __call__(self):
        """
        Give the time.
        """
        return self.seconds


@pytest.fixture
def clock():
    """
    A clock that stands still.
    """
    return Clock()


def limits_of(clock, *clients, in_flight=8):
    """
    Limits for these clients.
    """
    return Limits(Clients(clients or (NORTH, SOUTH)), in_flight=in_flight, now=clock)


def calls(limits, client, tenant="", *, times):
    """
    Call so often, each answered before the next; how many were let through.
    """
    passed = 0
    for _ in range(times):
        try:
            with limits.call(client, tenant):
                passed += 1
        except TooManyCalls:
            pass
    return passed


def test_a_burst_and_then_the_rate(clock):
    """
    Three at once, then two a second, never more than the bucket holds (limit and limit + 1).
    """
    limits = limits_of(clock)
    first = calls(limits, NORTH, times=10)
    clock.seconds += 0.5
    second = calls(limits, NORTH, times=10)
    clock.seconds += 3600
    third = calls(limits, NORTH, times=10)

    assert (3, 1, 3) == (first, second, third)


def test_it_is_said_when_to_come_again(clock):
    """
    In whole seconds, until one more call is allowed.
    """
    slow = NORTH.model_copy(update={"rate": 0.25, "burst": 1})
    limits = limits_of(clock, slow)
    calls(limits, slow, times=1)
    clock.seconds += 1

    with pytest.raises(TooManyCalls) as caught, limits.call(slow):
        pass

    assert 3 == caught.value.retry_after


def test_a_refused_call_costs_nothing(clock):
    """
    Who hammers gets in as soon as who waits.
    """
    limits = limits_of(clock)
    calls(limits, NORTH, times=1000)
    clock.seconds += 0.5

    assert 1 == calls(limits, NORTH, times=1)


def test_tenants_and_clients_have_buckets_of_their_own(clock):
    """
    One that is empty stops nobody else (T65).
    """
    limits = limits_of(clock)

    assert 60 == calls(limits, SOUTH, "a", times=100)
    assert 60 == calls(limits, SOUTH, "b", times=100)
    assert 3 == calls(limits, NORTH, times=100)


def test_feedback_is_counted_apart(clock):
    """
    A flood of it takes nothing from the hooks (T54).
    """
    limits = limits_of(clock)
    passed = 0
    for _ in range(10_000):
        try:
            with limits.feedback(NORTH):
                passed += 1
        except TooManyCalls:
            pass

    assert FEEDBACK_BURST == passed
    assert 3 == calls(limits, NORTH, times=3)


def test_nobody_holds_more_than_half_of_the_places(clock):
    """
    Where several share; a place that is left can be taken again (T65).
    """
    limits = limits_of(clock, in_flight=8)
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(limits.call(SOUTH, "a"))
        with pytest.raises(Busy) as caught, limits.call(SOUTH, "a"):
            pass
        with limits.call(SOUTH, "b"), limits.call(NORTH):
            pass

    assert 1 == caught.value.retry_after
    assert 1 == calls(limits, SOUTH, "a", times=1)


def test_a_place_is_left_also_where_the_call_fails(clock):
    """
    Or the caller would be shut out for good.
    """
    limits = limits_of(clock, in_flight=2)
    for _ in range(5):
        with pytest.raises(KeyError), limits.call(SOUTH, "a"):
            raise KeyError

    assert 1 == calls(limits, SOUTH, "a", times=1)


def test_who_is_alone_has_every_place(clock):
    """
    Half of them would serve nobody.
    """
    limits = limits_of(clock, NORTH.model_copy(update={"burst": 9}), in_flight=8)
    alone = NORTH.model_copy(update={"burst": 9})

    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(limits.call(alone))
        with pytest.raises(Busy), limits.call(alone):
            pass


def test_one_client_with_several_tenants_shares_too(clock):
    """
    Its tenants are parties of their own (T65).
    """
    limits = limits_of(clock, SOUTH, in_flight=2)

    with limits.call(SOUTH, "a"), pytest.raises(Busy), limits.call(SOUTH, "a"):
        pass


def test_development_without_authentication_is_not_limited(clock):
    """
    There is nobody to share with.
    """
    assert 1000 == calls(limits_of(clock), DEFAULT_CLIENT, times=1000)


def test_memory_is_bounded(clock, monkeypatch):
    """
    However many tenants come: full buckets go first, then the oldest.
    """
    monkeypatch.setattr(module, "_MOST_BUCKETS", 10)
    limits = limits_of(clock)
    for number in range(50):
        calls(limits, NORTH, str(number), times=3)
    kept = len(limits._buckets)
    clock.seconds += 3600
    calls(limits, NORTH, "new", times=1)

    assert 10 == kept
    assert 1 == len(limits._buckets)
    assert not limits._at_work


def test_a_noisy_client_leaves_room_for_the_others():
    """
    It holds half of the places and no more, and the next one is answered (T65).
    """
    noisy, quiet = Signer(issuer="https://noisy.example"), Signer(issuer="https://quiet.example")
    clients = [
        client_of(noisy, name="noisy", issuer=noisy.issuer, rate=1000, burst=1000),
        client_of(quiet, name="quiet", issuer=quiet.issuer),
    ]
    configure(io.StringIO(), strict=True)

    async def crowd():
        done = asyncio.Event()

        class Slow(Fake):
            async def answer(self, raw, call):
                if call.caller.client.name == "noisy":
                    await done.wait()
                return self.told

        app = create_app(
            Settings(env="development", public_url=BASE, in_flight=8),
            Slow(),
            clients=Clients(clients),
            callers=tokens_for(*clients),
        )

        async def call(signer):
            sent = []

            async def receive():
                return {"type": "http.request", "body": b"{}", "more_body": False}

            async def send(message):
                sent.append(message)

            path = "/cds-services/metabolic-patient-view"
            token = signer.authorization()["Authorization"].encode()
            scope = {
                "type": "http",
                "method": "POST",
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": [(b"content-type", b"application/json"), (b"authorization", token)],
            }
            await app(scope, receive, send)
            return sent[0]["status"]

        flood = [asyncio.create_task(call(noisy)) for _ in range(40)]
        refused = []
        for one in asyncio.as_completed(flood[:]):
            refused.append(await one)
            if len(refused) == 36:
                break
        answered = [await call(quiet) for _ in range(10)]
        done.set()
        return refused, answered, await asyncio.gather(*flood)

    refused, answered, noise = asyncio.run(crowd())

    assert {503} == set(refused)
    assert {200} == set(answered)
    assert 4 == noise.count(200)


def test_a_clock_that_jumps_back_gives_nothing_away(clock):
    """
    Nor does it take.
    """
    limits = limits_of(clock)
    calls(limits, NORTH, times=3)
    clock.seconds -= 500

    assert 0 == calls(limits, NORTH, times=1)
