"""
What is committed as an answer, and what others published as requests, against the model.
"""

import json
import re

import pytest

from tests.calling import FIXTURES
from tests.contract.wire import request, response
from tests.shared_data import SHARED, needs_shared_data

PUBLISHED = SHARED / "cds-hooks" / "requests" / "fhir-test-cases"


@pytest.mark.parametrize(
    "path", sorted((FIXTURES / "responses").rglob("*.json")), ids=lambda one: one.stem
)
def test_a_golden_answer_is_what_the_contract_says(path):
    """
    The placeholders of its uuids filled in.
    """
    text = re.sub(
        r"uuid-(\d+)",
        lambda found: f"00000000-0000-4000-8000-{int(found[1]):012d}",
        path.read_text("utf-8"),
    )
    called = FIXTURES / "requests" / path.name
    patient = ""
    if called.exists():
        patient = json.loads(called.read_text("utf-8"))["context"]["patientId"]

    assert [] == response(json.loads(text), patient=patient)


@needs_shared_data
@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("order-select-good", True),
        ("patient-view-good", True),
        ("pv-good", True),
        ("order-sign-bad-1", False),
    ],
)
def test_the_model_agrees_with_published_verdicts(name, right):
    """
    Requests that a validator of HL7 calls good, and one that it does not.
    """
    body = json.loads((PUBLISHED / f"cdshooks-request-{name}.json").read_text("utf-8"))

    assert right == (not request(body))
