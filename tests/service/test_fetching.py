"""
Fetching: what is asked, of whom, with what; what becomes of what comes back.
"""

import asyncio
import contextlib
import json
import time
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings, strategies

from cds.core.concepts import Search
from cds.core.facts import Gap
from cds.errors import CannotProceed
from cds.fhir.asking import merged
from cds.fhir.context import about, references_of
from cds.fhir.retrieve import retrieve
from cds.hooks.authorization import Token
from cds.hooks.strict import encode
from cds.service.clients import Caller
from cds.service.fetching import Fetching
from cds.service.outbound import Answer, Outbound
from cds.service.pipeline import Call
from tests.fhir_server import FAULTS, FhirServer, served
from tests.service.fetching import (
    FIXTURES,
    NOW,
    SECONDS,
    TOKEN,
    authorization,
    call,
    client_of,
    complete,
    page_of,
    patient_id_of,
    pipeline,
    record,
    request_of,
    sent,
    stories,
    templates,
    told,
)
from tests.service.test_addresses import ODD
from tests.service.test_outbound import Connecting
from tests.serving import shipped

STORY = "new_prediabetes_likely_fatty_liver"
PATIENT = "Patient/{{context.patientId}}"
LABS = (
    "Observation?patient={{context.patientId}}&code=http://loinc.org|4548-4&_sort=-date&_count=50"
)
ASKED = {"patient": PATIENT, "labs": LABS}


def result(number, patient="p"):
    """
    One result.
    """
    return {
        "resourceType": "Observation",
        "id": f"{patient}{number:02}",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]},
        "effectiveDateTime": f"2026-01-{number:02}",
    }


OWN = [{"resourceType": "Patient", "id": "p"}, *(result(one) for one in range(1, 8))]


@pytest.fixture(scope="module")
def behind():
    """
    One server for the whole file.
    """
    with served(FhirServer()) as one:
        yield one


@pytest.fixture
def server(behind):
    """
    The same, as new, with one patient and seven results.
    """
    behind.reset()
    behind.hold(OWN)
    return behind


@pytest.fixture(scope="module")
def opened():
    """
    The shipped rules.
    """
    one = pipeline()
    yield one
    one.close()


def ids(bundle):
    """
    The ids of the entries.
    """
    return [one["resource"]["id"] for one in bundle.get("entry", [])]


def is_failure(value):
    """
    Tell whether a value says that there is no answer.
    """
    return value["resourceType"] == "OperationOutcome"


# --- what is asked, and with what -------------------------------------------------------


def test_what_is_missing_is_asked_for_exactly(server):
    """
    By GET, for the patient of the context, as FHIR (FHIR-01, FHIR-09, FHIR-10).
    """
    found = complete(server, ASKED)

    assert {
        "Patient/p",
        "Observation?patient=p&code=http://loinc.org%7C4548-4&_sort=-date&_count=50",
    } == set(server.targets)
    assert {"GET"} == {one.method for one in server.seen}
    assert {"application/fhir+json"} == {one.headers["accept"] for one in server.seen}
    assert OWN[0] == found["patient"]
    assert [f"p{one:02}" for one in range(7, 0, -1)] == ids(found["labs"])


def test_the_token_goes_with_every_query(server):
    """
    Pages included (FHIR-02).
    """
    server.page, server.token = 3, TOKEN
    found = complete(server, ASKED, authorization=authorization())

    assert 7 == len(ids(found["labs"]))
    assert [f"Bearer {TOKEN}"] * 4 == [one.headers["authorization"] for one in server.seen]


def test_an_open_server_is_asked_without_a_token(server):
    """
    Where the client gave none (FHIR-02).
    """
    assert not is_failure(complete(server, ASKED)["patient"])
    assert all("authorization" not in one.headers for one in server.seen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fault": "malformed"},
        {"fault": "token type"},
        {"fault": "expired"},
        {"expires_in": 0},
        {"expires_in": -5},
        {"patient": "somebody-else"},
    ],
)
def test_a_token_that_must_not_be_used_is_not(server, wrong, lines):
    """
    Of another type, expired, or of another patient: nobody is asked (REQ-07, REQ-08, T11).
    """
    sent = {"labs": None}
    found = complete(server, ASKED, prefetch=sent, authorization=authorization(**wrong))

    assert sent == found
    assert [] == server.seen
    assert ["fetch_refused"] == [one["event"] for one in lines()]


def test_a_token_of_another_service_is_not_used(server, lines):
    """
    The client named somebody else as its subject (T11).
    """
    client = client_of(server.base, subject="metabolic-cds")
    other = authorization(subject="other")

    assert {} == complete(server, ASKED, client=client, authorization=other)
    assert [] == server.seen
    assert "subject" == lines()[0]["why"]
    assert 2 == len(complete(server, ASKED, client=client, authorization=authorization()))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("patient/*.read", {"patient", "labs"}),
        ("user/*.*", {"patient", "labs"}),
        ("system/*.rs", {"patient", "labs"}),
        ("patient/Patient.read", {"patient"}),
        ("launch openid fhirUser patient/Patient.rs", {"patient"}),
        ("patient/Observation.rs patient/Patient.s", {"labs"}),
        ("patient/Observation.r patient/Patient.r", {"patient"}),
        ("patient/Observation.write", set()),
        ("openid", set()),
    ],
)
def test_scopes_decide_what_is_asked(server, scope, expected):
    """
    What a scope does not cover is not asked for, and stays unknown (FHIR-07, T11).
    """
    found = complete(server, ASKED, authorization=authorization(scope=scope))

    assert expected == set(found)
    assert len(expected) == len(server.seen)


def test_a_scope_that_narrows_leaves_absence_open(server):
    """
    A version 2 scope with a query: what comes is used, and proves nothing absent (FHIR-07).
    """
    narrow = "patient/Patient.rs patient/Observation.rs?category=laboratory"
    found = complete(server, ASKED, authorization=authorization(scope=narrow))

    assert 7 == len(ids(found["labs"]))
    assert "collection" == found["labs"]["type"]
    assert "Patient" == found["patient"]["resourceType"]


def test_what_was_sent_is_not_asked_for_again(server):
    """
    null, an empty Bundle, an error: each is an answer (PF-21, PF-22, PF-23).
    """
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    for value in (None, {"resourceType": "Bundle", "type": "searchset"}, outcome):
        prefetch = {"patient": OWN[0], "labs": value}

        assert prefetch == complete(server, ASKED, prefetch=prefetch)
    assert [] == server.seen


def test_no_more_than_four_at_a_time(server):
    """
    And no less: queries do not wait for each other (FHIR-09).
    """
    server.delay = 0.2
    many = {f"k{one}": LABS.replace("4548-4", f"{one}-1") for one in range(9)}
    complete(server, many)

    assert 9 == len(server.seen)
    assert 4 == server.most_in_flight


def test_what_matters_most_is_asked_first(server):
    """
    The patient and what a draft names, then the searches in the order in which they are given,
    which is that of their worth (PERF-02).
    """
    server.delay = 0.02
    asked = {
        "problems": "Condition?patient={{context.patientId}}&_count=9",
        "labs": LABS,
        "medicines": "MedicationRequest?patient={{context.patientId}}&_count=9",
        "patient": PATIENT,
    }
    one_by_one = client_of(server.base, fhir_connections=1)
    found = complete(server, asked, references=["Medication/9"], client=one_by_one)

    kinds = [one.partition("?")[0] for one in server.targets]
    reads = ["Patient/p", "Medication/9"]
    assert [*reads, "Condition", "Observation", "MedicationRequest"] == kinds
    assert [*asked, "Medication/9"] == list(found)


@pytest.mark.parametrize("most", [1, 8, 20])
def test_a_client_says_how_many_at_a_time(server, most):
    """
    As many as were agreed on, and no more (FHIR-09).
    """
    server.delay = 0.1
    many = {f"k{one}": LABS.replace("4548-4", f"{one}-1") for one in range(2 * most)}
    complete(server, many, client=client_of(server.base, fhir_connections=most))

    assert 2 * most == len(server.seen)
    assert most == server.most_in_flight


def test_who_is_searched_by_post_is_asked_so(server):
    """
    Reads and next pages go by GET; ids and codes of searches stand in the body (FHIR-09).
    """
    by_get = complete(server, ASKED)
    server.reset()
    server.page, server.token = 4, TOKEN
    client = client_of(server.base, fhir_searches="post")
    found = complete(server, ASKED, client=client, authorization=authorization())
    searched = next(one for one in server.seen if one.method == "POST")

    assert ids(by_get["labs"]) == ids(found["labs"])
    assert {"Patient/p", "Observation/_search"} == set(server.targets[:2])
    assert ["GET", "GET", "POST"] == sorted(one.method for one in server.seen)
    assert b"patient=p&code=http://loinc.org%7C4548-4&_sort=-date&_count=50" == searched.body
    assert "application/x-www-form-urlencoded" == searched.headers["content-type"]
    assert f"Bearer {TOKEN}" == searched.headers["authorization"]


@pytest.mark.parametrize("fault", ["500", "403", "outcome", "302", "html", "hang up", "bomb"])
def test_a_search_by_post_that_fails_is_unknown(server, fault):
    """
    As one by GET (T16, T37).
    """
    server.fail(fault, "_search")
    client = client_of(server.base, fhir_searches="post")

    assert is_failure(complete(server, ASKED, client=client)["labs"])


# --- whom --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    ["{base}", "{base}/", "HTTP{rest}", "http://{host}:{port}{path}/"],
)
def test_a_base_may_be_spelt_as_usual(server, spelling):
    """
    Case of the scheme, a slash at the end.
    """
    host, _, port = server.origin.removeprefix("http://").partition(":")
    text = spelling.format(
        base=server.base,
        rest=server.base.removeprefix("http"),
        host=host,
        port=port,
        path=server.base_path,
    )
    found = complete(text, ASKED, client=client_of(server.base))

    assert {"patient", "labs"} == set(found)
    assert {host + ":" + port} == {one.headers["host"] for one in server.seen}


HOSTILE = [
    *(one for one in ODD if one),
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:8000/fhir",
    "http://127.0.0.1/fhir",
    "https://[::ffff:127.0.0.1]/fhir",
    "https://[64:ff9b::7f00:1]/fhir",
    "https://evil.example/fhir",
    "https://ehr.example.evil.example/fhir",
    "https://ehr.example/fhir2",
    "https://ehr.example/",
    "https://ehr.example:8443/fhir",
    "http://ehr.example/fhir",
    "https://ehr.example/FHIR",
    "https://ehr.example/fhir?x=1",
    "https://ehr.example/fhir/Patient",
]


@pytest.mark.parametrize("url", HOSTILE, ids=lambda one: ascii(one)[:40])
def test_no_other_server_is_ever_asked(url, lines):
    """
    Whatever the request names: no name is resolved, nothing connects (T12, FHIR-05, FHIR-06).
    """
    backend = Connecting()
    asked = []

    async def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    outbound = Outbound(development=True, backend=backend, resolve=resolve)
    found = complete(
        url,
        ASKED,
        client=client_of("https://ehr.example/fhir"),
        fetching=Fetching(outbound, seconds=1),
        authorization=authorization(),
    )

    assert {} == found
    assert [] == backend.told
    assert [] == asked
    assert [("fetch_refused", "not registered")] == [(one["event"], one["why"]) for one in lines()]


def test_there_are_more_than_forty_hostile_addresses():
    """
    As the threat model asks (T12).
    """
    assert 40 <= len(set(HOSTILE))


def test_production_gives_no_token_to_http(server, lines):
    """
    Even where it is registered so (REQ-06, HTTP-02).
    """
    fetching = Fetching(Outbound(), seconds=1)

    assert {} == complete(server, ASKED, fetching=fetching, authorization=authorization())
    assert [] == server.seen
    assert "scheme" == lines()[0]["why"]


def test_a_private_server_is_asked_only_where_its_network_was_named(server):
    """
    Loopback stands for it here (T13).
    """
    found = complete(server, ASKED, client=client_of(server.base, private_networks=[]))

    assert all(map(is_failure, found.values()))
    assert [] == server.seen


def test_who_names_no_server_is_not_told_off(lines):
    """
    Prefetch alone is normal (REQ-10).
    """
    prefetch = {"labs": None}

    assert prefetch == complete("", ASKED, client=client_of("https://x.example"), prefetch=prefetch)
    assert [] == lines()


# --- ids ---------------------------------------------------------------------------------


IDS = [
    "1&_include=*",
    "1&patient=2",
    "../../admin",
    "..",
    ".",
    "...",
    "1/../2",
    "1/$everything",
    "1?_format=xml",
    "1#x",
    "1%2e%2e",
    "1%00",
    "1\n",
    "1\r\nHost: evil",
    "\n1",
    " 1",
    "1 ",
    "1 2",
    "1\t",
    "1;2",
    "1,2",
    "1|2",
    "1'--",
    '1"',
    "1\\2",
    "1_2",
    "{{context.userId}}",
    "Patient/1",
    "",
    "x" * 65,
    "\u0661",
    "1\u2028",
    "http://evil.example/Patient/1",
]


@pytest.mark.parametrize("own", IDS, ids=lambda one: ascii(one)[:30])
def test_an_id_stays_an_id(server, own):
    """
    What is none is never sent, in a path or in a query (T19).
    """
    assert {} == complete(server, ASKED, patient_id=own)
    assert [] == server.seen


def test_there_are_thirty_ids():
    """
    As the threat model asks (T19).
    """
    assert 30 <= len(set(IDS))


@pytest.mark.parametrize("own", ["1", "a-b.C", "x" * 64, "-", "1..2"])
def test_a_valid_id_is_sent_as_it_is(server, own):
    """
    The outgoing path is exact (T19).
    """
    complete(server, {"patient": PATIENT}, patient_id=own)

    assert [f"Patient/{own}"] == server.targets


# --- pages -------------------------------------------------------------------------------


def test_pages_become_one_answer(server):
    """
    In the form in which it would have been sent (PF-25).
    """
    whole = complete(server, ASKED)["labs"]
    server.reset()
    server.page = 3
    found = complete(server, ASKED)["labs"]

    assert 4 == len(server.seen)
    assert ids(whole) == ids(found)
    assert whole["total"] == found["total"]
    assert all(one["relation"] != "next" for one in found["link"])


def test_three_pages_are_the_most(server):
    """
    What is beyond leaves the answer incomplete: it still links on (PF-25, T15).
    """
    server.page = 2
    found = complete(server, ASKED)["labs"]

    assert 4 == len(server.seen)
    assert 6 == len(ids(found))
    assert any(one["relation"] == "next" for one in found["link"])


def test_a_page_that_was_sent_gets_its_next_ones(server):
    """
    And the first one is not asked for again (PF-25).
    """
    first = page_of(OWN[7:4:-1], after=f"{server.base}/Observation?patient=p&_sort=-date&_offset=3")
    found = complete(server, ASKED, prefetch={"patient": OWN[0], "labs": first})["labs"]

    assert ["Observation?patient=p&_sort=-date&_offset=3"] == server.targets
    assert [f"p{one:02}" for one in range(7, 0, -1)] == ids(found)
    assert "link" not in found


def test_a_page_that_was_sent_stays_where_it_may_not_be_followed(server):
    """
    A scope too narrow, a server that fails.
    """
    first = page_of(OWN[7:4:-1], after=f"{server.base}/Observation?patient=p&_offset=3")
    prefetch = {"patient": OWN[0], "labs": first}
    narrow = authorization(scope="patient/Patient.read")

    assert prefetch == complete(server, ASKED, prefetch=prefetch, authorization=narrow)
    assert [] == server.seen
    server.fail("500")
    assert prefetch == complete(server, ASKED, prefetch=prefetch)


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("foreign next", "https://evil.example/fhir/r4/Observation?page=2"),
        ("foreign next", "http://127.0.0.1:9/fhir/r4/Observation?page=2"),
        ("foreign next", "file:///etc/passwd"),
        ("foreign next", "//evil.example/fhir/r4"),
        ("foreign next", "/admin?page=2"),
        ("foreign next", "../../admin?page=2"),
        ("foreign next", "/fhir/r4/../../admin?page=2"),
        ("foreign next", "mailto:somebody@evil.example"),
        ("foreign next", "//[evil"),
        ("foreign next", "https:fhir/r4/Observation?page=2"),
        ("next to another path", None),
        ("loop next", None),
    ],
)
def test_a_next_link_leads_nowhere_else(server, fault, value):
    """
    Another host, another path, itself: what came is used, and is not the whole (T15, FHIR-05).
    """
    server.fail(fault, "Observation", value=value)
    found = complete(server, ASKED, authorization=authorization())["labs"]

    assert 2 == len(server.seen)
    assert 7 == len(ids(found))
    assert any(one["relation"] == "next" for one in found["link"])


@pytest.mark.parametrize("climbs", ["/../admin?page=2", "/%2e%2e/admin", "/..%2fadmin"])
def test_a_next_link_does_not_climb(server, climbs):
    """
    Out of the folder that was registered (T15).
    """
    server.fail("foreign next", "Observation", value=server.base + climbs)
    complete(server, ASKED)

    assert 2 == len(server.seen)


@pytest.mark.parametrize("start", ["", "/fhir/r4/"])
def test_a_relative_next_link_is_of_the_base(server, start):
    """
    R4 allows it, and some servers send it (PF-25).
    """
    server.page = 4
    rest = f"{start}Observation?patient=p&_sort=-date&_count=50&_offset=4"
    server.fail("foreign next", "Observation", times=1, value=rest)
    found = complete(server, {"labs": LABS})["labs"]

    assert [f"p{one:02}" for one in range(7, 0, -1)] == ids(found)
    assert all(one["relation"] != "next" for one in found["link"])


def test_more_than_asked_for_is_whole_where_every_page_came(server, opened):
    """
    A full page says nothing; the pages behind it do, to a last one that is not full (T37).
    """
    few = LABS.replace("_count=50", "_count=5")
    searches = {"labs": Search("labs", "Observation", "Labs", count=5, by_code=True)}

    def state(prefetch=None, **members):
        found = complete(server, {"labs": few}, prefetch=prefetch, **members)
        read = retrieve({"patient": OWN[0], **found}, patient_id="p", searches=searches)
        return len(ids(found["labs"])), read.lists["labs"].complete

    assert (7, True) == state()
    first = page_of(OWN[7:2:-1], after="Observation?patient=p&_sort=-date&_count=5&_offset=5")
    assert (7, True) == state({"labs": first})
    assert (7, False) == state({"labs": page_of(OWN[7:0:-1])})
    server.hold(OWN[:6])
    assert (5, False) == state()


def test_what_moved_while_pages_were_turned_is_missed(server):
    """
    One entry twice and another never: the total tells (PF-25, T37).
    """
    first = {**page_of(OWN[7:4:-1], after=f"{server.base}/Observation?page=2"), "total": 7}
    second = {**page_of([OWN[5], *OWN[3:0:-1]]), "total": 6}
    found = merged([first, second], count=50)

    assert ["p07", "p06", "p05", "p03", "p02", "p01"] == ids(found)
    assert 7 == found["total"]
    searches = {"labs": Search("labs", "Observation", "Labs", count=50, by_code=True)}
    read = retrieve({"patient": OWN[0], "labs": found}, patient_id="p", searches=searches)
    assert not read.lists["labs"].complete


def test_endless_pages_end(server):
    """
    Each with a new link (T15).
    """
    server.fail("endless pages", "Observation")
    found = complete(server, {"labs": LABS})["labs"]

    assert 3 == len(server.seen)
    assert any(one["relation"] == "next" for one in found["link"])


@pytest.mark.parametrize("fault", ["500", "garbage", "outcome", "list", "302"])
def test_a_page_that_fails_leaves_the_ones_before(server, fault):
    """
    Which are not the whole then.
    """
    server.page = 3
    server.fail(fault, "_offset=3")
    found = complete(server, {"labs": LABS})["labs"]

    assert 3 == len(ids(found))
    assert any(one["relation"] == "next" for one in found["link"])


# --- faults ------------------------------------------------------------------------------

# What is an answer all the same, whatever is wrong with it.
_ANSWERS = {
    "plain json",
    "json+fhir",
    "chunked",
    "another patient",
    "dstu2",
    "foreign next",
    "loop next",
    "next to another path",
    "next in http",
    "endless pages",
    "outcome entry",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_unknown_and_never_none(server, opened, fault, lines):
    """
    In time, without the token in any line, and never as an empty list (T16, T37, FHIR-03).
    """
    server.token = TOKEN
    server.fail(fault, "Observation")
    quick = Fetching(Outbound(development=True), seconds=1.5)
    began = time.monotonic()
    found = complete(server, ASKED, fetching=quick, authorization=authorization())

    assert 8 > time.monotonic() - began
    assert OWN[0] == found["patient"]
    assert (fault not in _ANSWERS) == is_failure(found["labs"])
    assert is_failure(found["labs"]) or found["labs"]["entry"]
    assert TOKEN not in json.dumps(lines())
    assert TOKEN not in repr(found)


@pytest.mark.parametrize("fault", ["502", "503", "504", "429"])
def test_a_server_without_time_is_asked_once_more(server, fault):
    """
    Once, and never where it only fails (T16).
    """
    server.fail(fault, "Observation", times=1)

    assert not is_failure(complete(server, {"labs": LABS})["labs"])
    assert 2 == len(server.seen)
    server.reset()
    server.fail(fault)
    assert is_failure(complete(server, {"labs": LABS})["labs"])
    assert 2 == len(server.seen)


@pytest.mark.parametrize("fault", ["500", "401", "403", "404", "garbage", "302", "hang up"])
def test_what_will_not_get_better_is_not_asked_twice(server, fault):
    """
    One question, one failure.
    """
    server.fail(fault)

    assert is_failure(complete(server, {"labs": LABS})["labs"])
    assert 1 == len(server.seen)


@pytest.mark.parametrize("kept", [{"id": "somebody-else"}, {"resourceType": "Person"}])
def test_a_read_that_brings_something_else_is_a_failure(server, kept):
    """
    Another patient, or another type (T31).
    """
    server.fail("another patient", "Patient/p")
    found = complete(server, {"patient": PATIENT})["patient"]

    assert is_failure(found)


def test_a_server_that_keeps_failing_is_left_in_peace(server):
    """
    After five failures for thirty seconds; then one question decides (T16).
    """
    clock = [0.0]
    fetching = Fetching(Outbound(development=True), seconds=SECONDS, now=lambda: clock[0])
    server.fail("500")
    for _ in range(5):
        complete(server, {"patient": PATIENT}, fetching=fetching)
    assert 5 == len(server.seen)

    clock[0] = 29.9
    assert is_failure(complete(server, {"patient": PATIENT}, fetching=fetching)["patient"])
    assert 5 == len(server.seen)

    clock[0] = 30.1
    complete(server, ASKED, fetching=fetching)
    assert 6 == len(server.seen)

    server.faults.clear()
    clock[0] = 60.2
    found = complete(server, {"patient": PATIENT}, fetching=fetching)
    assert not is_failure(found["patient"])
    assert not any(map(is_failure, complete(server, ASKED, fetching=fetching).values()))


@pytest.mark.parametrize(("heard", "resting"), [(1, 0), (0, 1)])
def test_a_server_that_is_only_slow_is_not_left_in_peace(server, heard, resting):
    """
    What our own deadline cuts off is no failure of a server that answers (T16, PERF-02).
    """
    patient = Answer(200, "application/fhir+json", encode(OWN[0]))

    class Slow(Answering):
        async def get(self, place, *, headers, limits):
            if not heard or "Patient" not in place.path:
                await asyncio.Event().wait()
            return patient

    fetching = Fetching(Slow(patient), seconds=0.05)
    for _ in range(3):
        complete(server, ASKED | {"more": LABS}, fetching=fetching)

    assert {"servers": 1, "resting": resting} == fetching.about()


def test_a_server_that_asks_for_peace_until_a_date_is_not_asked_again(server):
    """
    `Retry-After` in its other form (T16).
    """
    answer = Answer(503, "", b"", retry_after=float("inf"))
    asked = []

    class Busy(Answering):
        async def get(self, place, *, headers, limits):
            asked.append(place)
            return answer

    fetching = Fetching(Busy(answer), seconds=SECONDS)

    assert is_failure(complete(server, {"patient": PATIENT}, fetching=fetching)["patient"])
    assert 1 == len(asked)


def test_status_counts_servers(server):
    """
    Those that were asked, and those that rest.
    """
    fetching = Fetching(Outbound(development=True), seconds=SECONDS)
    assert {"servers": 0, "resting": 0} == fetching.about()
    complete(server, ASKED, fetching=fetching)
    for _ in range(3):
        complete("http://127.0.0.1:9/fhir", ASKED, fetching=fetching)

    assert {"servers": 2, "resting": 1} == fetching.about()


@pytest.mark.parametrize("fault", ["401", "403", "404", "302", "encoded", "html", "garbage"])
def test_what_a_server_says_is_no_illness(server, fault):
    """
    Ten refusals do not close the door on other callers (T16).
    """
    fetching = Fetching(Outbound(development=True), seconds=SECONDS)
    server.fail(fault, times=10)
    for _ in range(10):
        complete(server, {"patient": PATIENT}, fetching=fetching)

    assert not is_failure(complete(server, {"patient": PATIENT}, fetching=fetching)["patient"])


def test_one_server_that_fails_is_not_all_of_them(server):
    """
    Each has its own breaker.
    """
    fetching = Fetching(Outbound(development=True), seconds=SECONDS)
    other = "http://127.0.0.1:9/fhir"
    for _ in range(6):
        complete(other, {"patient": PATIENT}, fetching=fetching)

    assert not is_failure(complete(server, {"patient": PATIENT}, fetching=fetching)["patient"])


# --- whatever is answered ----------------------------------------------------------------


class Answering:
    """
    An outbound that gives one answer to everything.
    """

    def __init__(self, answer):
        self._answer = answer

    @asynccontextmanager
    async def line(self, place, *, networks, alike):
        yield self

    async def get(self, place, *, headers, limits):
        return self._answer


JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-(10**6), 10**6)
    | strategies.sampled_from(["Bundle", "Patient", "p", "next", "http://127.0.0.1/fhir/x", ""]),
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(
            strategies.sampled_from(
                ["resourceType", "id", "entry", "link", "relation", "url", "resource", "total"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
BUNDLES = strategies.fixed_dictionaries(
    {"resourceType": strategies.just("Bundle")},
    optional={"entry": JSON, "link": JSON, "total": JSON},
)


@settings(deadline=None, max_examples=200)
@given(
    body=JSON.map(encode) | BUNDLES.map(encode) | strategies.binary(max_size=40),
    status=strategies.sampled_from([200, 200, 200, 200, 204, 206, 401, 404, 418, 500]),
    media=strategies.sampled_from(["application/fhir+json", "application/json", "text/html", ""]),
)
def test_any_answer_becomes_a_value_of_prefetch(body, status, media):
    """
    A resource of its kind, a Bundle, or a failure; never an error of ours (T16, PF-23).
    """
    base = "http://127.0.0.1/fhir"
    fetching = Fetching(Answering(Answer(status, media, body)), seconds=5)
    found = complete(base, ASKED, fetching=fetching)

    assert ["patient", "labs"] == list(found)
    assert found["patient"]["resourceType"] in {"Patient", "OperationOutcome"}
    assert found["labs"]["resourceType"] in {"Bundle", "OperationOutcome"}
    assert isinstance(found["labs"].get("entry", []), list)
    if status != 200 or media not in {"application/fhir+json", "application/json"}:
        assert is_failure(found["patient"])
        assert is_failure(found["labs"])
    # What reads a prefetch reads these too.
    with contextlib.suppress(CannotProceed):
        retrieve(found, patient_id="p", searches=shipped().rules.searches)


# --- time --------------------------------------------------------------------------------


def test_there_is_one_deadline_for_everything(server, lines):
    """
    What is there by then is used, the rest is unknown, nothing goes on (PERF-02, FHIR-08).
    """
    server.fail("silent", "Observation")
    fetching = Fetching(Outbound(development=True), seconds=1)
    many = {f"k{one}": LABS.replace("4548-4", f"{one}-1") for one in range(9)}
    began = time.monotonic()
    found = complete(server, {"patient": PATIENT, **many}, fetching=fetching)

    assert 4 > time.monotonic() - began
    assert OWN[0] == found["patient"]
    assert all(is_failure(found[one]) for one in many)
    assert [("fetched", 9)] == [(one["event"], one["failed"]) for one in lines()]


def test_pages_that_came_in_time_are_kept(server):
    """
    The answer links on, so it is not the whole.
    """
    server.page = 3
    server.fail("silent", "_offset=6")
    fetching = Fetching(Outbound(development=True), seconds=1)
    found = complete(server, {"labs": LABS}, fetching=fetching)["labs"]

    assert 6 == len(ids(found))
    assert any(one["relation"] == "next" for one in found["link"])


def test_a_token_that_ends_soon_ends_the_fetching(server):
    """
    Also where our own deadline is later (FHIR-08).
    """
    server.fail("silent")
    began = time.monotonic()
    found = complete(server, {"patient": PATIENT}, authorization=authorization(expires_in=1))

    assert is_failure(found["patient"])
    assert SECONDS - 2 > time.monotonic() - began


def test_who_goes_away_leaves_nothing_behind(server):
    """
    A call that is given up ends its queries, and the server is not blamed (FHIR-11).
    """
    server.fail("silent")
    fetching = Fetching(Outbound(development=True), seconds=SECONDS)

    async def run():
        asked = fetching.complete(request_of(server.base), ASKED, client_of(server.base))
        task = asyncio.create_task(asked)
        while len(server.seen) < 2:  # noqa: ASYNC110 - it is another thread that sees
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    for _ in range(3):
        server.seen.clear()
        assert set() == asyncio.run(run())
    server.faults.clear()
    assert not is_failure(complete(server, ASKED, fetching=fetching)["patient"])


def test_nothing_is_kept_for_another_request(server):
    """
    The same patient with another token is asked for again (T20, FHIR-03).
    """
    fetching = Fetching(Outbound(development=True), seconds=SECONDS)
    for token in ("one", "two"):
        complete(
            server,
            {"patient": PATIENT},
            fetching=fetching,
            authorization=authorization(access_token=Token(token)),
        )

    assert ["Bearer one", "Bearer two"] == [one.headers["authorization"] for one in server.seen]


# --- references --------------------------------------------------------------------------


def test_references_are_read_besides(server):
    """
    Each under its own name; what is on another server or in a Bundle is not (HOOK-09).
    """
    medicine = {"resourceType": "Medication", "id": "9", "code": {"text": "metformin"}}
    server.hold([*OWN, medicine])
    found = complete(
        server,
        {},
        references=[
            "Medication/9",
            "Medication/9/_history/2",
            f"{server.base}/Medication/9",
            "https://evil.example/fhir/Medication/8",
            "#contained",
            "urn:uuid:2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f",
            "Medication/../Patient/2",
            "Medication",
            "ServiceRequest/none",
        ],
    )

    assert ["Medication/9", "ServiceRequest/none"] == sorted(server.targets)
    assert medicine == found["Medication/9"]
    assert is_failure(found["ServiceRequest/none"])


def test_references_are_bounded(server):
    """
    Twenty are the most.
    """
    complete(server, {}, references=[f"Medication/{one}" for one in range(50)])

    assert 20 == len(server.seen)


METFORMIN = {
    "resourceType": "Medication",
    "id": "9",
    "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6809"}]},
}
ORDER = {
    "resourceType": "MedicationRequest",
    "id": "1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p"},
    "authoredOn": "2026-05-30",
    "medicationReference": {"reference": "Medication/9"},
}


def extracted(prefetch, concerned):
    """
    What is read of a call.
    """
    opened = shipped()
    retrieved = retrieve(prefetch, patient_id="p", searches=opened.rules.searches, about=concerned)
    return opened.extractor.extract(retrieved, as_of=NOW)


def test_the_product_of_a_draft_is_found_on_the_server(server):
    """
    As if it had been among the drafts (HOOK-09).
    """
    server.hold([*OWN, METFORMIN])
    draft = {**ORDER, "status": "draft"}
    alone = about("order-sign", {"draftOrders": page_of([draft])})
    among = about("order-sign", {"draftOrders": page_of([draft, METFORMIN])})
    prefetch = {"patient": OWN[0]}
    found = complete(server, {}, prefetch=prefetch, references=references_of(alone))

    assert ["Medication/9"] == server.targets
    ordered = extracted(found, alone).entries["metformin"]
    assert ["ordered"] == [one.act for one in ordered]
    assert ["ordered"] == [one.act for one in extracted(prefetch, among).entries["metformin"]]
    assert not extracted(prefetch, alone).entries.get("metformin")


def test_an_order_that_is_dispatched_is_found_with_its_product(server):
    """
    The order is only named in the call, its product only in the order (HOOK-08, HOOK-09).
    """
    server.hold([*OWN, METFORMIN, ORDER])
    named = about("order-dispatch", {"dispatchedOrders": ["MedicationRequest/1"]})
    found = complete(server, {}, prefetch={"patient": OWN[0]}, references=references_of(named))

    assert ["MedicationRequest/1", "Medication/9"] == server.targets
    assert ["ordered"] == [one.act for one in extracted(found, named).entries["metformin"]]


def test_one_product_of_two_orders_is_read_once(server):
    """
    Whichever of them comes first.
    """
    server.hold([*OWN, METFORMIN, ORDER, {**ORDER, "id": "2"}])
    found = complete(server, {}, references=["MedicationRequest/1", "MedicationRequest/2"])

    assert 1 == server.targets.count("Medication/9")
    assert {"MedicationRequest/1", "MedicationRequest/2", "Medication/9"} == set(found)


def test_a_product_that_the_token_is_not_good_for_is_not_read(server):
    """
    The order is (FHIR-07).
    """
    server.hold([*OWN, METFORMIN, ORDER])
    narrow = authorization(scope="patient/MedicationRequest.rs")
    found = complete(server, {}, references=["MedicationRequest/1"], authorization=narrow)

    assert {"MedicationRequest/1"} == set(found)
    assert ["MedicationRequest/1"] == server.targets


def test_orders_that_name_each_other_are_read_once(server):
    """
    A product is no order, whatever it says.
    """
    loop = {**ORDER, "medicationReference": {"reference": "MedicationRequest/1"}}
    server.hold([*OWN, loop])
    complete(server, {}, references=["MedicationRequest/1"])

    assert ["MedicationRequest/1"] == server.targets


# --- through the service -----------------------------------------------------------------


@pytest.fixture(scope="module")
def baselines(opened):
    """
    What is answered when everything was sent.
    """
    return {
        one: call(opened, "https://none.example", patient_id_of(one), sent(one))
        for one in stories()
    }


@pytest.mark.parametrize("story", stories())
def test_prefetch_and_fetch_give_the_same(behind, opened, baselines, story):
    """
    In one page or in three, with a token or without: every word but the uuids (PF-32).
    """
    behind.reset()
    behind.hold(record(story))
    expected = told(baselines[story])
    patient = patient_id_of(story)

    assert expected == told(call(opened, behind, patient))
    assert len(templates()) == len(behind.seen)
    longest = max(len(one.get("entry", [])) for one in sent(story).values() if one)
    behind.page = -(-longest // 3)
    assert expected == told(call(opened, behind, patient, {}))


def answered(opened, server, body, **members):
    """
    What is answered to a whole request, as a client that registered the server.
    """
    caller = Caller(client_of(server.base))
    raw = encode({**body, "fhirServer": server.base, **members})
    return asyncio.run(opened.answer(raw, Call(body["hook"], caller, "t")))


def resources_of(body):
    """
    Everything that the prefetch of a request holds.
    """
    for value in body["prefetch"].values():
        if value and value["resourceType"] == "Bundle":
            yield from (one["resource"] for one in value.get("entry", []))
        elif value:
            yield value


REQUESTS = sorted((FIXTURES / "requests").glob("*.json")) + sorted(
    (FIXTURES / "orders").glob("*.json")
)


@pytest.mark.parametrize("path", REQUESTS, ids=lambda one: one.stem)
def test_every_request_of_the_fixtures_is_answered_alike_by_fetch(behind, opened, path):
    """
    On every hook: as it is, and with nothing sent and everything on the server (PF-32).
    """
    behind.reset()
    body = json.loads(path.read_text("utf-8"))
    behind.hold(resources_of(body))
    expected = answered(opened, behind, body)
    missing = set(opened._desks[body["hook"]].templates) - set(body["prefetch"])
    asked = [one.partition("?")[0] for one in behind.targets]

    assert len(missing) == len(asked)
    behind.seen.clear()
    assert told(expected) == told(answered(opened, behind, body, prefetch={}))
    assert len(opened._desks[body["hook"]].templates) == len(behind.seen)


def test_an_order_of_a_product_on_the_server_gets_the_same_cards(behind, opened):
    """
    The draft names a Medication that only the server has (HOOK-09, PF-32).
    """
    behind.reset()
    path = FIXTURES / "orders" / "metformin_begun_at_egfr_38.json"
    body = json.loads(path.read_text("utf-8"))
    behind.hold(resources_of(body))
    cards = answered(opened, behind, body).response["cards"]
    product = body["context"]["draftOrders"]["entry"].pop()["resource"]
    behind.resources.append(product)
    behind.seen.clear()
    found = answered(opened, behind, body).response["cards"]
    behind.resources.pop()
    unknown = answered(opened, behind, body).response["cards"]

    assert f"Medication/{product['id']}" in behind.targets
    assert "warning" == cards[0]["indicator"]
    assert [one["summary"] for one in cards] == [one["summary"] for one in found]
    assert cards[0]["summary"] not in [one["summary"] for one in unknown]


@pytest.mark.parametrize("key", list(templates()))
def test_one_missing_key_is_one_question(behind, opened, baselines, key):
    """
    Prefetch is compared with our own templates, and nothing else is asked (PF-20, PF-33).
    """
    behind.reset()
    behind.hold(record(STORY))
    prefetch = sent(STORY)
    del prefetch[key]
    answer = call(opened, behind, patient_id_of(STORY), prefetch)

    assert 1 == len(behind.seen)
    assert told(baselines[STORY]) == told(answer)


def _empty(_value):
    return {"resourceType": "Bundle", "type": "searchset", "total": 0}


def _error(_value):
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception"}],
    }


def _wrapped(value):
    return {"response": {"status": "200 OK"}, "resource": value}


def _other_patient(value):
    text = json.dumps(value).replace(f"Patient/{patient_id_of(STORY)}", "Patient/somebody-else")
    return json.loads(text)


STATES = {
    "null": lambda _: None,
    "empty": _empty,
    "error": _error,
    "data": lambda value: value,
    "wrapped": _wrapped,
    "another patient": _other_patient,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("key", [one for one in templates() if one != "patient"])
def test_every_optional_key_in_every_state(behind, opened, baselines, key, state):
    """
    No question, 200, and known, none or unknown as the state says.

    (PF-21, PF-22, PF-23, PF-24, PF-26, PF-27, PF-31, T37)
    """
    behind.reset()
    behind.hold(record(STORY))
    prefetch = sent(STORY)
    value = STATES[state](prefetch[key])
    answer = call(opened, behind, patient_id_of(STORY), {**prefetch, key: value})
    holds_something = bool(prefetch[key].get("entry"))

    assert [] == behind.seen
    assert answer.snapshot is not None
    is_whole = answer.snapshot.state_of(key).complete
    assert (state != "error") == is_whole
    if state in {"data", "wrapped"}:
        assert told(baselines[STORY]) == told(answer)
    if state in {"null", "empty"} and not holds_something:
        assert told(baselines[STORY]) == told(answer)
    if state == "empty" and holds_something:
        none = call(opened, behind, patient_id_of(STORY), {**prefetch, key: None})
        assert told(none) == told(answer)
    if state == "another patient":
        assert holds_something == bool(answer.foreign)
        assert "somebody-else" not in told(answer)


@pytest.mark.parametrize("key", [one for one in templates() if one != "patient"])
def test_every_optional_key_as_a_page(behind, opened, baselines, key):
    """
    With the rest on the server it is followed; with the rest elsewhere it is unknown (PF-25, T37).
    """
    behind.reset()
    behind.hold(record(STORY))
    prefetch = sent(STORY)
    entries = [one["resource"] for one in prefetch[key].get("entry", [])]
    target = templates()[key].replace("{{context.patientId}}", patient_id_of(STORY))
    half = len(entries) // 2
    total = prefetch[key]["total"]
    page = page_of(entries[:half], after=f"{behind.base}/{target}&_offset={half}")
    followed = call(
        opened, behind, patient_id_of(STORY), {**prefetch, key: {**page, "total": total}}
    )

    assert 1 == len(behind.seen)
    assert told(baselines[STORY]) == told(followed)
    elsewhere = page_of(entries[:half], after="https://evil.example/fhir/next")
    cut = call(opened, behind, patient_id_of(STORY), {**prefetch, key: elsewhere})
    assert 1 == len(behind.seen)
    assert not cut.snapshot.state_of(key).complete


@pytest.mark.parametrize("state", ["null", "empty", "error", "data", "wrapped", "absent", "Bundle"])
def test_the_required_key_in_every_state(behind, opened, baselines, state):
    """
    Only an absent Patient is asked for; none, or an error in its place, is 412.

    (PF-20, PF-21, PF-23, PF-24, PF-26, PF-30)
    """
    behind.reset()
    behind.hold(record(STORY))
    prefetch = sent(STORY)
    patient = prefetch.pop("patient")
    if state == "Bundle":
        prefetch["patient"] = page_of([patient])
    elif state != "absent":
        prefetch["patient"] = STATES[state](patient)
    if state in {"null", "empty", "error"}:
        with pytest.raises(CannotProceed) as caught:
            call(opened, behind, patient_id_of(STORY), prefetch)
        assert 412 == caught.value.status
    else:
        answer = call(opened, behind, patient_id_of(STORY), prefetch)
        assert told(baselines[STORY]) == told(answer)
    assert (1 if state == "absent" else 0) == len(behind.seen)


@pytest.mark.parametrize(
    "fault", ["401", "403", "404", "500", "503", "silent", "html", "another patient", "huge"]
)
def test_without_a_patient_there_is_no_answer(server, fault):
    """
    412, and never an empty list of cards (PF-30, ERR-01).
    """
    server.fail(fault, "Patient/")
    quick = pipeline(seconds=0.4)
    with pytest.raises(CannotProceed) as caught:
        call(quick, server, "p")

    quick.close()
    assert 412 == caught.value.status


def test_a_bomb_in_place_of_the_patient(server):
    """
    412 (T17).
    """
    server.fail("bomb", "Patient/")
    patient = pipeline(seconds=SECONDS)
    with pytest.raises(CannotProceed):
        call(patient, server, "p")
    patient.close()


@pytest.mark.parametrize("key", ["problems", "medicines", "glycaemia"])
@pytest.mark.parametrize("fault", ["500", "403", "outcome", "outcome entry", "garbage", "text"])
def test_a_search_that_failed_is_unknown(behind, opened, baselines, key, fault):
    """
    The answer is not that of a patient who has none of it (T37, PF-23).
    """
    behind.reset()
    behind.hold(record(STORY))
    kind, _, query = templates()[key].partition("?")
    part = f"{kind}?" if kind != "Observation" else query.partition("code=")[2][-40:]
    behind.fail(fault, part.replace("|", "%7C"))
    prefetch = sent(STORY)
    del prefetch[key]
    answer = call(opened, behind, patient_id_of(STORY), prefetch)
    none = call(opened, behind, patient_id_of(STORY), {**prefetch, key: None})

    assert 1 <= len(behind.seen)
    assert not answer.snapshot.state_of(key).complete
    assert told(none) != told(answer)


def test_an_old_server_is_not_read_as_a_new_one(behind, opened):
    """
    Shapes of DSTU2 are left out with their reason; nothing is concluded from them (REQ-12).
    """
    behind.reset()
    behind.hold(record("type_2_diabetes_with_coronary_disease"))
    behind.fail("dstu2")
    answer = call(opened, behind, patient_id_of("type_2_diabetes_with_coronary_disease"))

    assert not any(answer.snapshot.results.values())
    assert not any(answer.snapshot.entries.values())
    assert Gap.VERSION in {one.reason for one in answer.snapshot.not_used}


def test_results_of_somebody_else_are_not_used(behind, opened):
    """
    A server that answers with another patient's: left out, counted, unknown (PF-27, T31).
    """
    behind.reset()
    behind.hold(record(STORY))
    behind.fail("another patient", "?")
    answer = call(opened, behind, patient_id_of(STORY))

    assert 0 < answer.foreign
    assert "somebody-else" not in told(answer)
    assert not any(answer.snapshot.results.values())
