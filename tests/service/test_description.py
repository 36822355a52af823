"""
The interface as it is described: good requests fit, those that lack something do not.
"""

import copy

import pytest
from jsonschema import Draft202012Validator

from tests.attacks.envelopes import REQUIRED
from tests.attacks.good import HOOKS, call


@pytest.fixture(scope="module")
def document(service):
    """
    What is said of the shipped service.
    """
    return service.client.get("/openapi.json").json()


def validator(document, name):
    """
    What checks a value by one of the schemas.
    """
    return Draft202012Validator({**document, "$ref": f"#/components/schemas/{name}"})


def call_of(hook):
    """
    The name of the schema of a call.
    """
    return "".join(word.capitalize() for word in hook.split("-")) + "Call"


def test_every_schema_is_one(document):
    """
    And every reference leads to one.
    """
    for name in document["components"]["schemas"]:
        Draft202012Validator.check_schema(document["components"]["schemas"][name])
        validator(document, name).is_valid({})


@pytest.mark.parametrize("hook", HOOKS)
def test_a_good_request_is_described(document, hook):
    """
    By the schema of its hook, and of no other.
    """
    fits = [one for one in HOOKS if validator(document, call_of(one)).is_valid(call(hook))]

    assert [hook] == fits


@pytest.mark.parametrize("hook", HOOKS)
def test_what_is_required_is_described(document, hook):
    """
    Each member of the envelope and of the context.
    """
    paths = [("hook",), ("hookInstance",), ("context",), ("fhirServer",)]
    paths += [("context", name) for name in REQUIRED[hook]]
    for *before, name in paths:
        request = copy.deepcopy(call(hook))
        holder = request
        for one in before:
            holder = holder[one]
        del holder[name]

        assert not validator(document, call_of(hook)).is_valid(request), name


def test_answers_are_described(service, document):
    """
    Cards, discovery, refusals and what is said to feedback.
    """
    request = call("patient-view")
    post = service.client.post
    path = "/cds-services/metabolic-patient-view"
    feedback = {
        "card": "2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f",
        "outcome": "accepted",
        "outcomeTimestamp": "2026-06-01T12:00:00Z",
        "acceptedSuggestions": [{"id": "2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f"}],
    }
    answers = {
        "Answer": post(path, json=request),
        "Discovery": service.client.get("/cds-services"),
        "Outcome": post(path, json={}),
        "Received": post(f"{path}/feedback", json={"feedback": [feedback, {}]}),
    }

    assert validator(document, "Feedback").is_valid({"feedback": [feedback]})
    for name, response in answers.items():
        assert validator(document, name).is_valid(response.json()), name


def test_no_status_is_described_that_never_comes(document):
    """
    422 is the framework's own; bodies are read by hand.
    """
    for item in document["paths"].values():
        for operation in item.values():
            assert "422" not in operation["responses"]
