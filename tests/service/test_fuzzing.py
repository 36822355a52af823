"""
Requests made by chance: from the description of the interface, and from good ones spoiled.

Whatever comes, the answer is one that the description names, and the contract of
`tests/contract` holds for it.
"""

import copy
import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.attacks.good import FOREIGN, HOOKS, MARK, OWN, call, raw
from tests.attacks.leaks import leaks
from tests.calling import is_outcome

CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]
STATUSES = {200, 400, 404, 405, 412, 413, 415}


def few(examples):
    """
    A number of examples that are the same in every run.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def document(client):
    """
    The description of the interface, with an address for each service and its own body.
    """
    found = client.get("/openapi.json").json()
    paths = found["paths"]
    for pattern, tail in (
        ("/cds-services/{service}", ""),
        ("/cds-services/{service}/feedback", "/feedback"),
    ):
        operation = paths.pop(pattern)["post"]
        for hook in HOOKS:
            one = copy.deepcopy(operation)
            one["operationId"] = f"{hook}{tail}"
            del one["parameters"]
            if not tail:
                name = "".join(word.capitalize() for word in hook.split("-")) + "Call"
                body = one["requestBody"]["content"]["application/json"]
                assert {"$ref": f"#/components/schemas/{name}"} in body["schema"]["anyOf"]
                body["schema"] = {"$ref": f"#/components/schemas/{name}"}
            paths[f"/cds-services/metabolic-{hook}{tail}"] = {"post": one}
    return found


@pytest.fixture
def looked_at(client, log, watch):
    """
    Look at an answer: status, refusal, leaks, log and contract.
    """

    def look(response):
        assert response.status_code in STATUSES, response.text[:300]
        assert response.status_code == 200 or is_outcome(response)
        assert [] == [*leaks(response)]
        assert '"level": "error"' not in log.getvalue(), log.getvalue()[:1000]
        for mark in (MARK, FOREIGN, OWN):
            assert mark not in log.getvalue().lower()
        assert [] == watch.drain()
        log.seek(0)
        log.truncate()
        return response

    return look


# --- from the description -----------------------------------------------------------


def cases(document, path, method, mode):
    """
    A strategy for the requests of one operation.
    """
    schema = schemathesis.openapi.from_dict(document)
    return schema[path][method].as_strategy(generation_mode=mode)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda one: one.value)
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    "examples", [5, pytest.param(150, marks=pytest.mark.nightly)], ids=["few", "many"]
)
def test_calls_of_a_service(client, document, looked_at, hook, mode, examples):
    """
    What the description allows, and what it does not: never a 5xx, never another shape.
    """
    path = f"/cds-services/metabolic-{hook}"

    @few(examples)
    @given(case=cases(document, path, "POST", mode), with_patient=st.booleans())
    def run(case, with_patient):
        body = case.body
        if with_patient and isinstance(body, dict) and isinstance(body.get("context"), dict):
            # Else nothing would come as far as the rules.
            body = copy.deepcopy(body)
            good = call(hook)
            body["context"]["patientId"] = OWN
            prefetch = body.get("prefetch")
            body["prefetch"] = good["prefetch"] | (prefetch if isinstance(prefetch, dict) else {})
            body["prefetch"]["patient"] = good["prefetch"]["patient"]
            if isinstance(body.get("fhirAuthorization"), dict):
                body["fhirAuthorization"].pop("patient", None)
        response = sent(client, case, body)
        looked_at(response)
        case.validate_response(response, checks=CHECKS)

    run()


def sent(client, case, body):
    """
    Send what was generated; numbers and texts as JSON has them.
    """
    return client.request(
        case.method,
        case.path,
        content=json.dumps(body, default=str, allow_nan=False).encode("utf-8", "replace"),
        headers={"Content-Type": "application/json"},
    )


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda one: one.value)
@pytest.mark.parametrize(
    "examples", [20, pytest.param(500, marks=pytest.mark.nightly)], ids=["few", "many"]
)
def test_feedback(client, document, looked_at, mode, examples):
    """
    The same for what became of cards.
    """
    path = f"/cds-services/metabolic-{HOOKS[0]}/feedback"

    @few(examples)
    @given(case=cases(document, path, "POST", mode))
    def run(case):
        response = sent(client, case, case.body)
        looked_at(response)
        case.validate_response(response, checks=CHECKS)

    run()


@pytest.mark.parametrize("path", ["/cds-services", "/livez", "/readyz", "/status"])
def test_what_is_asked_for(client, document, path):
    """
    Discovery and health are as described.
    """
    schema = schemathesis.openapi.from_dict(document)
    case = schema[path]["GET"].Case()

    response = client.get(path)

    assert 200 == response.status_code
    case.validate_response(response, checks=CHECKS)


def test_every_service_is_described(client, document):
    """
    With its own call, and with every status that it may answer.
    """
    offered = {one["id"] for one in client.get("/cds-services").json()["services"]}
    paths = document["paths"]

    assert {f"metabolic-{hook}" for hook in HOOKS} == offered
    for hook in HOOKS:
        statuses = {
            int(one) for one in paths[f"/cds-services/metabolic-{hook}"]["post"]["responses"]
        }
        assert {200, 400, 401, 403, 404, 408, 412, 413, 415, 429, 500, 503} == statuses


# --- good requests spoiled ----------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**19), 10**19)
    | st.sampled_from([0.5, -1.25, 1e20, "", MARK, f"Patient/{FOREIGN}", "#", "urn:uuid:x", "%"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "reference", "coding", "code", "value", "entry", "resource", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
SPOILS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "delete", "repeat", "move", "rename", "wrap"]),
        st.lists(st.integers(0, 40), min_size=1, max_size=9),
        st.lists(st.integers(0, 40), min_size=1, max_size=9),
        VALUES,
    ),
    min_size=1,
    max_size=6,
)
KEPT = ("hook", "hookInstance")
"""Spoiling these is all that would ever be seen, if it were done often."""


def holder_at(request, steps):
    """
    Walk down as far as the steps lead, and give the last container and a key in it.
    """
    holder, key = None, None
    here = request
    for step in steps:
        keys = list(here) if isinstance(here, dict) else range(len(here))
        keys = [one for one in keys if one not in KEPT or here is not request]
        if not keys:
            break
        holder, key = here, keys[step % len(keys)]
        here = holder[key]
        if not isinstance(here, dict | list):
            break
    return holder, key


def spoil(request, how, steps, other, value):
    """
    Do one thing to a request, somewhere in it.
    """
    holder, key = holder_at(request, steps)
    if holder is None:
        return
    if how == "replace":
        holder[key] = value
    elif how == "delete":
        del holder[key]
    elif how == "repeat" and isinstance(holder[key], list):
        holder[key] *= 3
    elif how == "wrap":
        holder[key] = [holder[key]]
    elif how == "rename" and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    elif how == "move":
        to, name = holder_at(request, other)
        if to is not None:
            to[name] = copy.deepcopy(holder[key])


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    "examples", [15, pytest.param(1_000, marks=pytest.mark.nightly)], ids=["few", "many"]
)
def test_good_requests_spoiled(client, looked_at, hook, examples):
    """
    A few things replaced, left out, repeated, moved or renamed at any depth (T22, T31, T59).
    """

    @few(examples)
    @given(some=SPOILS)
    def run(some):
        request = call(hook)
        for how, steps, other, value in some:
            spoil(request, how, steps, other, value)
        looked_at(
            client.post(
                f"/cds-services/metabolic-{hook}",
                content=raw(request),
                headers={"Content-Type": "application/json"},
            )
        )

    run()
