"""
The FHIR server for tests: what is fetched from it must be worth something.
"""

import json
import urllib.error
import urllib.request

import pytest

from tests.fhir_server import FhirServer, served

A1C = "http://loinc.org|4548-4"


def observation(number, *, patient="a", code="4548-4"):
    """
    One result of a day in January.
    """
    return {
        "resourceType": "Observation",
        "id": f"{patient}{number}",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": f"2026-01-{number:02}",
    }


@pytest.fixture(scope="module")
def server():
    """
    Two patients, seven results of one, two of the other.
    """
    held = FhirServer(
        [
            {"resourceType": "Patient", "id": "a"},
            *(observation(one) for one in range(1, 8)),
            *(observation(one, patient="b") for one in (1, 2)),
            observation(9, code="1558-6"),
        ]
    )
    with served(held) as one:
        yield one


@pytest.fixture(autouse=True)
def _fresh(server):
    server.reset()


def ask(server, target, *, data=None, headers=None):
    """
    Ask like anybody.
    """
    request = urllib.request.Request(f"{server.base}/{target}", data=data, headers=headers or {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def ids(bundle):
    """
    The ids of its entries.
    """
    return [one["resource"]["id"] for one in bundle.get("entry", [])]


def test_it_reads_and_says_not_found(server):
    """
    A read, and one of nothing.
    """
    assert (200, {"resourceType": "Patient", "id": "a"}) == ask(server, "Patient/a")
    assert 404 == ask(server, "Patient/z")[0]
    assert "OperationOutcome" == ask(server, "Patient/z")[1]["resourceType"]
    assert "4.0.1" == ask(server, "metadata")[1]["fhirVersion"]


def test_it_searches_sorts_and_counts(server):
    """
    By patient and code, newest first, no more than asked for, by GET and by POST.
    """
    query = f"patient=a&code={A1C}&_sort=-date&_count=3"
    status, found = ask(server, f"Observation?{query}")

    assert 200 == status
    assert ["a7", "a6", "a5"] == ids(found)
    assert 7 == found["total"]
    assert ids(found) == ids(ask(server, "Observation/_search", data=query.encode())[1])
    assert ["b1", "b2"] == ids(ask(server, "Observation?subject=Patient/b&_sort=date")[1])
    assert [] == ids(ask(server, "Condition?patient=a")[1])


def test_it_pages(server):
    """
    Its own size of pages, and a link to the next until there is none.
    """
    server.page = 3
    pages = []
    target = f"Observation?patient=a&code={A1C}&_count=50"
    while target:
        found = ask(server, target)[1]
        pages.append(len(ids(found)))
        links = [one["url"] for one in found["link"] if one["relation"] == "next"]
        target = links[0].removeprefix(server.base + "/") if links else ""

    assert [3, 3, 1] == pages


def test_it_keeps_what_it_saw_and_wants_its_token(server):
    """
    Every request, with its headers.
    """
    server.token = "t"  # noqa: S105

    assert 401 == ask(server, "Patient/a")[0]
    assert 200 == ask(server, "Patient/a", headers={"Authorization": "Bearer t"})[0]
    assert ["Patient/a", "Patient/a"] == server.targets
    assert "Bearer t" == server.seen[1].headers["authorization"]


def test_it_fails_as_often_as_told(server):
    """
    And only where it was told to.
    """
    server.fail("500", "Patient/a", times=1)

    assert 200 == ask(server, "Observation?patient=a")[0]
    assert 500 == ask(server, "Patient/a")[0]
    assert 200 == ask(server, "Patient/a")[0]
