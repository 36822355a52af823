"""
An EHR for tests: it answers the templates of discovery from a record and calls the service.

Everything here knows the interface only, so it says what an EHR would see.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starlette.testclient import TestClient

from cds.hooks.strict import encode
from cds.service.settings import Settings
from cds.service.start import build
from tests.serving import searchset

ROOT: Final = Path(__file__).resolve().parent.parent
FIXTURES: Final = ROOT / "fixtures"
SERVICE: Final = "/cds-services/metabolic-patient-view"
CLOCK: Final = "2026-06-01T12:00:00Z"
NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVALUATION: Final = "org.metabolic-cds.evaluation"
RULE: Final = "org.metabolic-cds.rule"
HOOK_INSTANCE: Final = "2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f"
OUTCOME: Final = "application/fhir+json"


def open_service(**settings: Any) -> TestClient:
    """Build the application as `cds.service.start` does, its clock standing still."""
    settings = {"env": "development", "clock": CLOCK, **settings}
    return TestClient(build(Settings(**settings)), raise_server_exceptions=False)


class Calling:
    """A client of the service."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        found = client.get("/cds-services").json()["services"]
        self.templates: dict[str, str] = found[0]["prefetch"]

    def post(self, raw: bytes, path: str = SERVICE) -> Any:
        """Send a body as it is."""
        return self.client.post(path, content=raw, headers={"Content-Type": "application/json"})

    def call(self, prefetch: Mapping[str, Any], patient_id: str) -> Any:
        """Call the service for one patient."""
        return self.post(encode(hook_call(prefetch, patient_id)))

    def call_for(self, record: Mapping[str, Any]) -> Any:
        """Call the service for the patient of a Bundle, every template answered from it."""
        resources = [entry["resource"] for entry in record["entry"]]
        return self.call(self.answers(resources), patient_of(resources))

    def answers(self, resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Answer every prefetch template from a record, as a FHIR server would."""
        resources = list(resources)
        return {key: _answer(text, resources) for key, text in self.templates.items()}

    def full_pages(self, answers: Mapping[str, Any]) -> list[str]:
        """Name the answers that are as long as their template allows."""
        return [
            key
            for key, answer in answers.items()
            if f"_count={len((answer or {}).get('entry', []))}" in self.templates[key].split("&")
        ]


def hook_call(prefetch: Any, patient_id: str) -> dict[str, Any]:
    """Make the body of a call."""
    return {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"userId": "Practitioner/example", "patientId": patient_id},
        "prefetch": prefetch,
    }


def patient_of(resources: Iterable[Mapping[str, Any]]) -> str:
    """Give the id of the first Patient."""
    return next(one["id"] for one in resources if one["resourceType"] == "Patient")


def _answer(template: str, resources: list[Any]) -> Any:
    kind, _, query = template.partition("?")
    if not query:
        kind = kind.partition("/")[0]
        return next((one for one in resources if one["resourceType"] == kind), None)
    parameters = dict(part.split("=", 1) for part in query.split("&"))
    found = [one for one in resources if one["resourceType"] == kind]
    if "code" in parameters:
        wanted = {tuple(one.rsplit("|", 1)) for one in parameters["code"].split(",")}
        found = [one for one in found if wanted & _codes(one)]
    if parameters.get("_sort") == "-date":
        found.sort(key=lambda one: one.get("effectiveDateTime", ""), reverse=True)
    return searchset(found[: int(parameters["_count"])])


def _codes(resource: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (one.get("system", ""), one.get("code", ""))
        for one in resource.get("code", {}).get("coding", [])
    }


def read_fixture(name: str) -> Any:
    """Read a JSON document of the fixtures."""
    return json.loads((FIXTURES / name).read_text("utf-8"))


def evaluation_of(response: Any) -> dict[str, Any]:
    """Give what an answer says of its own evaluation."""
    return response.json()["extension"][EVALUATION]


def fired(evaluation: Mapping[str, Any]) -> set[str]:
    """Give the codes of the rules that fired."""
    return set(evaluation.get("rules", {}).get("fired", []))


def codes_of(card: Mapping[str, Any]) -> list[str]:
    """Give the codes of a card: its own, and those of what was merged into it."""
    rule = card["extension"][RULE]
    return rule.get("codes", [rule["code"]])


def is_outcome(response: Any) -> bool:
    """Tell whether a refusal is an OperationOutcome that says something."""
    if response.headers["content-type"].partition(";")[0] != OUTCOME:
        return False
    body = response.json()
    issues = body.get("issue", [])
    return (
        body.get("resourceType") == "OperationOutcome"
        and bool(issues)
        and all(one.get("severity") and one.get("code") for one in issues)
    )
