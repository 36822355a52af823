"""
A good request for every hook, with a mark in every text that no answer may repeat.

The numbers and dates of the patient may stand on cards, and the id of the patient in what
is drafted for it. Names, ids, notes, displays, users and tokens may stand nowhere.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

from tests.calling import HOOK_INSTANCE, ROOT, read_fixture

__all__ = ["FOREIGN", "HOOKS", "MARK", "OWN", "Request", "call", "foreign", "on_every_hook", "raw"]

Request = dict[str, Any]

MARK: Final = "zq7canary"
"""In every text of a request; never in an answer, in no case of letters."""
OWN: Final = "own-kp3"
"""The id of the patient."""
FOREIGN: Final = "frgn-vx9"
"""The id of another patient, and part of every id and text about that one."""

HOOKS: Final = (
    "patient-view",
    "order-select",
    "order-sign",
    "order-dispatch",
    "encounter-start",
    "encounter-discharge",
    "appointment-book",
    "problem-list-item-create",
    "medication-refill",
)

_RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
_ICD: Final = "http://hl7.org/fhir/sid/icd-10-cm"
_SNOMED: Final = "http://snomed.info/sct"
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFIED: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def on_every_hook(folder: Path) -> Path:
    """Copy the shipped rules below *folder*, with every card of patient-view on all hooks."""
    rules = folder / "rules"
    shutil.copytree(ROOT / "rules", rules)
    changed = 0
    for path in (rules / "cards").glob("*.yaml"):
        text = path.read_text("utf-8")
        again = text.replace("\nhooks: [patient-view]\n", f"\nhooks: [{', '.join(HOOKS)}]\n")
        changed += again != text
        path.write_text(again, "utf-8")
    assert changed > 10
    return rules


def call(hook: str) -> Request:
    """Make a good request of *hook*; it may be changed."""
    made: Request = {
        "hook": hook,
        "hookInstance": HOOK_INSTANCE,
        "fhirServer": f"https://{MARK}.example/fhir",
        "fhirAuthorization": {
            "access_token": f"{MARK}-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": f"{MARK}-client",
            "patient": OWN,
        },
        "context": {"patientId": OWN, **_context(hook)},
        # Quicker than a deep copy.
        "prefetch": json.loads(_PREFETCH),
    }
    return made


def raw(request: Any) -> bytes:
    """Write a request as the bytes that are sent."""
    return json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")


def coded(system: str, code: str) -> Request:
    """Make a CodeableConcept with marked texts."""
    coding = {"system": system, "code": code, "display": f"{MARK} display"}
    return {"coding": [coding], "text": f"{MARK} text"}


def draft(number: int = 1, *, patient: str = OWN) -> Request:
    """Make a draft of metformin."""
    return {
        "resourceType": "MedicationRequest",
        "id": f"{MARK}-draft-{number}",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": coded(_RXNORM, "861004"),
        "subject": {"reference": f"Patient/{patient}", "display": f"{MARK} subject"},
        "requester": {"reference": f"Practitioner/{MARK}"},
        "authoredOn": "2026-05-31",
        "note": [{"text": f"{MARK} note"}],
    }


def collection(*resources: Any) -> Request:
    """Make a Bundle as contexts hold them."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in resources],
    }


def _context(hook: str) -> Request:
    user = {"userId": f"Practitioner/{MARK}"}
    encounter = {"encounterId": f"{MARK}-encounter"}
    named = [f"MedicationRequest/{MARK}-draft-1"]
    return {
        "patient-view": user | encounter,
        "order-select": user | {"selections": named, "draftOrders": collection(draft(), draft(2))},
        "order-sign": user | {"draftOrders": collection(draft(), draft(2))},
        "order-dispatch": {"dispatchedOrders": named, "performer": f"Practitioner/{MARK}"},
        "encounter-start": user | encounter,
        "encounter-discharge": user | encounter,
        "appointment-book": user | {"appointments": collection(_appointment())},
        "problem-list-item-create": user | {"conditions": collection(_problem("E66.9"))},
        "medication-refill": user | {"medications": collection(draft())},
    }[hook]


def _appointment() -> Request:
    return {
        "resourceType": "Appointment",
        "id": f"{MARK}-appointment",
        "status": "proposed",
        "description": f"{MARK} description",
        "participant": [{"actor": {"reference": f"Patient/{OWN}"}, "status": "needs-action"}],
    }


def _problem(code: str, *, patient: str = OWN) -> Request:
    return {
        "resourceType": "Condition",
        "id": f"{MARK}-problem-{code.lower()}",
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": _VERIFIED, "code": "confirmed"}]},
        "code": coded(_ICD, code),
        "subject": {"reference": f"Patient/{patient}"},
        "onsetDateTime": "2024-02-10",
        "recordedDate": "2024-02-10",
        "note": [{"text": f"{MARK} note"}],
    }


def _others() -> dict[str, Request]:
    """Make what the example has none of, so that every kind of resource is there."""
    subject = {"reference": f"Patient/{OWN}"}
    return {
        "problems": _problem("E28.2"),
        "medicines": draft(9) | {"status": "active"},
        "statements": {
            "resourceType": "MedicationStatement",
            "id": f"{MARK}-statement",
            "status": "active",
            "medicationCodeableConcept": coded(_RXNORM, "83367"),
            "subject": subject,
            "effectivePeriod": {"start": "2025-01-01"},
        },
        "procedures": {
            "resourceType": "Procedure",
            "id": f"{MARK}-procedure",
            "status": "completed",
            "code": coded(_SNOMED, "80146002"),
            "subject": subject,
            "performedDateTime": "2010-01-01",
        },
        "encounters": {
            "resourceType": "Encounter",
            "id": f"{MARK}-encounter",
            "status": "in-progress",
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "AMB",
                "display": f"{MARK} class",
            },
            "subject": subject,
            "period": {"start": "2026-06-01T08:00:00Z"},
        },
        "care_plans": {
            "resourceType": "CarePlan",
            "id": f"{MARK}-plan",
            "status": "active",
            "intent": "plan",
            "title": f"{MARK} title",
            "description": f"{MARK} description",
            "subject": subject,
            "period": {"start": "2026-01-01"},
        },
    }


def _marked() -> dict[str, Any]:
    """Take the prefetch of an example whose cards are many, and plant the marks."""
    example = read_fixture("requests/compensated_insulin_resistance.json")
    was = example["context"]["patientId"]
    text = json.dumps(example["prefetch"])
    text = text.replace(f'"Patient/{was}"', f'"Patient/{OWN}"')
    text = text.replace(f'"id": "{was}"', f'"id": "{OWN}"')
    text = re.sub(rf"\b{was}-", f"{MARK}-", text)
    prefetch: dict[str, Any] = json.loads(text)
    prefetch["patient"] |= {
        "name": [{"family": f"{MARK} family", "given": [f"{MARK} given"]}],
        "identifier": [{"system": f"urn:{MARK}", "value": f"{MARK}-mrn"}],
        "telecom": [{"system": "phone", "value": f"{MARK} 555"}],
        "address": [{"line": [f"{MARK} street"], "city": f"{MARK} city"}],
    }
    for key, one in _others().items():
        bundle = prefetch[key]
        bundle.setdefault("entry", []).append({"resource": one})
        bundle["total"] = len(bundle["entry"])
    for bundle in prefetch.values():
        for entry in bundle.get("entry", []):
            _plant(entry["resource"])
    return prefetch


def _plant(resource: Request) -> None:
    resource["text"] = {"status": "generated", "div": f"<div>{MARK} narrative</div>"}
    resource["extension"] = [{"url": f"https://{MARK}.example", "valueString": f"{MARK} value"}]
    resource["identifier"] = [{"system": f"urn:{MARK}", "value": f"{MARK}-identifier"}]
    resource.setdefault("note", [{"text": f"{MARK} note"}])
    code = resource.get("code")
    if isinstance(code, dict):
        code["text"] = f"{MARK} code"
        for coding in code.get("coding", []):
            coding["display"] = f"{MARK} display"


_PREFETCH: Final = json.dumps(_marked())


def foreign(value: Any) -> Any:
    """Give the same about another patient, with that one's mark instead."""
    text = json.dumps(value).replace(OWN, FOREIGN).replace(MARK, FOREIGN)
    return json.loads(text)
