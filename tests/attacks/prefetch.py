"""
Prefetch in every odd shape, other releases of FHIR, and every member of every type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.attacks.good import FOREIGN, HOOKS, MARK, OWN, Request, foreign
from tests.attacks.table import ANSWERED, ODD, REFUSED, Change, Row, put

__all__ = ["members", "others", "shapes", "versions"]

_SHAPES: Final[dict[str, Any]] = {
    "a number": 1,
    "a text": MARK,
    "true": True,
    "a list": [],
    "a list of resources": [{"resourceType": "Basic", "id": MARK}],
    "an empty object": {},
    "no resourceType": {"id": MARK},
    "resourceType a number": {"resourceType": 5},
    "resourceType empty": {"resourceType": ""},
    "resourceType a list": {"resourceType": ["Bundle"]},
    "in lower case": {"resourceType": "bundle", "entry": []},
    "unknown": {"resourceType": MARK},
    "entry a number": {"resourceType": "Bundle", "type": "searchset", "entry": 5},
    "entry an object": {"resourceType": "Bundle", "type": "searchset", "entry": {}},
    "entries of nulls": {"resourceType": "Bundle", "type": "searchset", "entry": [None, None]},
    "entries of lists": {"resourceType": "Bundle", "type": "searchset", "entry": [[], [[]]]},
    "entries of texts": {"resourceType": "Bundle", "type": "searchset", "entry": [MARK, ""]},
    "a document": {"resourceType": "Bundle", "type": "document", "entry": []},
    "a history": {"resourceType": "Bundle", "type": "history", "entry": [{"request": {}}]},
    "type an object": {"resourceType": "Bundle", "type": {}, "entry": []},
    "total a text": {"resourceType": "Bundle", "type": "searchset", "total": MARK},
    "total negative": {"resourceType": "Bundle", "type": "searchset", "total": -1},
    "total huge": {"resourceType": "Bundle", "type": "searchset", "total": 10**18},
    "link a text": {"resourceType": "Bundle", "type": "searchset", "link": MARK},
    "links of every type": {
        "resourceType": "Bundle",
        "link": [None, 1, {"relation": 7}, {"relation": "next", "url": f"https://{MARK}"}],
    },
    "an error": {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "fatal", "code": MARK}],
    },
    "an error of nothing": {"resourceType": "OperationOutcome"},
    "errors of every type": {
        "resourceType": "OperationOutcome",
        "issue": [None, 1, {"severity": []}],
    },
    "a Binary": {"resourceType": "Binary", "contentType": "text/html", "data": MARK},
    "Parameters": {"resourceType": "Parameters", "parameter": [{"name": MARK, "resource": {}}]},
    "an old wrapper": {"response": {"status": "500 " + MARK}, "resource": None},
    "a wrapper of a list": {"response": [], "resource": []},
    "another Patient": {"resourceType": "Patient", "id": FOREIGN, "birthDate": "1950-01-01"},
}

# The others are tried at night.
_WORST: Final = frozenset({"null", "lists in lists", "an odd object"})
_VALUES: Final[dict[str, Any]] = {
    "null": None,
    "a number": 0,
    "a great number": 10**18,
    "true": True,
    "empty": "",
    "a text": f"{MARK} <b>",
    "a long text": MARK * 2_000,
    "a list": [],
    "an object": {},
    "lists in lists": [[[]], None, 1, MARK, {"a": [{}]}],
    "an odd object": {MARK: {MARK: [None]}, "coding": 1, "reference": 2, "value": [], "code": {}},
}
"""What stands in place of every member in turn."""


def shapes() -> Iterator[Row]:
    """Yield values under the keys of a read, of results and of lists."""
    for name, value in _SHAPES.items():
        yield Row(f"prefetch.patient: {name}", put("prefetch.patient", value), REFUSED)
        for key in ("glycaemia", "problems", "medicines", "unknown"):
            nightly = key in {"medicines", "unknown"}
            yield Row(
                f"prefetch.{key}: {name}", put(f"prefetch.{key}", value), ODD, nightly=nightly
            )
    yield Row("every value null", _everything(lambda _: None), (412,), everywhere=True)
    yield Row("every value an error", _everything(lambda _: _SHAPES["an error"]), REFUSED)
    yield Row("4,900 entries", _many(4_900), ANSWERED)
    yield Row("5,000 entries and those that were there", _many(5_000), (413,))
    yield Row("the patient often", _patients(500), ANSWERED)
    yield Row("Bundles in Bundles", _nest, ODD)


def _everything(make: Any) -> Change:
    def change(request: Request) -> None:
        request["prefetch"] = {key: make(one) for key, one in request["prefetch"].items()}

    return change


def _many(count: int) -> Change:
    def change(request: Request) -> None:
        bundle = request["prefetch"]["glycaemia"]
        (one, *_) = (entry["resource"] for entry in bundle["entry"])
        bundle["entry"] = [{"resource": {**one, "id": f"{MARK}-{n}"}} for n in range(count)]
        bundle["total"] = count

    return change


def _patients(count: int) -> Change:
    def change(request: Request) -> None:
        patient = request["prefetch"]["patient"]
        request["prefetch"]["more"] = {
            "resourceType": "Bundle",
            "entry": [
                {"resource": {**patient, "meta": {"versionId": str(n)}}} for n in range(count)
            ],
        }

    return change


def _nest(request: Request) -> None:
    for key, bundle in request["prefetch"].items():
        nested = bundle
        for _ in range(15):
            nested = {
                "resourceType": "Bundle",
                "type": "searchset",
                "entry": [{"resource": nested}],
            }
        if key != "patient":
            request["prefetch"][key] = nested


# --- every member, of every type ----------------------------------------------------


def resources(request: Request) -> Iterator[Request]:
    """Give every resource of a prefetch."""
    for value in request["prefetch"].values():
        if value["resourceType"] != "Bundle":
            yield value
        for entry in value.get("entry", []):
            yield entry["resource"]


_MEMBERS: Final = (
    *("resourceType", "id", "meta", "status", "code", "subject", "category", "note", "text"),
    *("contained", "extension", "effectiveDateTime", "valueQuantity", "component", "class"),
    *("clinicalStatus", "verificationStatus", "onsetDateTime", "recordedDate", "period"),
    *("medicationCodeableConcept", "medicationReference", "dosageInstruction", "authoredOn"),
    *("performedDateTime", "intent", "gender", "birthDate", "deceasedBoolean", "name", "active"),
    *("dispenseRequest", "referenceRange", "interpretation", "dataAbsentReason", "focus"),
)
_DEEPER: Final = {
    "subject.reference": ("subject", "reference"),
    "code.coding": ("code", "coding"),
    "code.coding.code": ("code", "coding", 0, "code"),
    "code.coding.system": ("code", "coding", 0, "system"),
    "valueQuantity.value": ("valueQuantity", "value"),
    "valueQuantity.unit": ("valueQuantity", "unit"),
    "valueQuantity.code": ("valueQuantity", "code"),
    "valueQuantity.system": ("valueQuantity", "system"),
    "valueQuantity.comparator": ("valueQuantity", "comparator"),
    "period.start": ("period", "start"),
}


def members() -> Iterator[Row]:
    """Yield every member of every resource replaced by every kind of value."""
    for what, value in _VALUES.items():
        for member, path in ({one: (one,) for one in _MEMBERS} | _DEEPER).items():
            yield Row(
                f"every {member} is {what}",
                _in_every(path, value),
                ODD,
                hooks=("order-sign",),
                nightly=what not in _WORST,
            )


def _in_every(path: tuple[Any, ...], value: Any) -> Change:
    def change(request: Request) -> None:
        *before, last = path
        for one in resources(request):
            holder: Any = one
            for name in before:
                held = isinstance(holder, list) or (isinstance(holder, dict) and name in holder)
                holder = holder[name] if held and holder else {}
            if isinstance(holder, dict) and holder:
                holder[last] = value

    return change


# --- other releases, other people ---------------------------------------------------


def versions() -> Iterator[Row]:
    """Yield resources as other releases of FHIR write them."""
    about = {"reference": f"Patient/{OWN}"}
    old: dict[str, Request] = {
        "DSTU2 MedicationOrder": {"resourceType": "MedicationOrder", "patient": about},
        "DSTU2 Condition": {
            "resourceType": "Condition",
            "patient": about,
            "clinicalStatus": "active",
        },
        "DSTU2 DiagnosticOrder": {"resourceType": "DiagnosticOrder", "subject": about},
        "STU3 ProcedureRequest": {"resourceType": "ProcedureRequest", "subject": about},
        "STU3 context": {"resourceType": "Observation", "subject": about, "context": about},
        "R5 MedicationRequest": {
            "resourceType": "MedicationRequest",
            "medication": {"concept": {"text": MARK}, "reference": about},
            "subject": about,
        },
        "R5 MedicationUsage": {"resourceType": "MedicationUsage", "subject": about},
        "R6 Encounter": {"resourceType": "Encounter", "subject": about, "class": [{"coding": []}]},
        "XML": {"resourceType": "<Patient xmlns='http://hl7.org/fhir'/>"},
        "HL7 v2": {"resourceType": "MSH|^~\\&|LAB"},
    }
    for position, (name, one) in enumerate(old.items()):
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one}]}
        yield Row(
            f"{name} everywhere", _instead_of_lists(bundle), ANSWERED, hooks=(HOOKS[position % 9],)
        )


def _instead_of_lists(bundle: Request) -> Change:
    def change(request: Request) -> None:
        for key in request["prefetch"]:
            if key != "patient":
                request["prefetch"][key] = bundle

    return change


def others() -> Iterator[Row]:
    """Yield data of another patient at every place (T31)."""
    yield Row("the prefetch of another patient", _of_another, (400,), "$.prefetch", everywhere=True)
    yield Row("all but the Patient of another", _lists_of_another, ANSWERED, everywhere=True)
    yield Row("the context of another", _context_of_another, ODD, everywhere=True)
    yield Row("another contained in all", _contains_another, ANSWERED)
    yield Row("another referenced by all", _refers_to_another, ANSWERED)


def _of_another(request: Request) -> None:
    request["prefetch"] = foreign(request["prefetch"])


def _lists_of_another(request: Request) -> None:
    patient = request["prefetch"]["patient"]
    request["prefetch"] = {**foreign(request["prefetch"]), "patient": patient}


def _context_of_another(request: Request) -> None:
    request["context"] = {**foreign(request["context"]), "patientId": OWN}


def _contains_another(request: Request) -> None:
    other = foreign(request["prefetch"]["patient"])
    for one in resources(request):
        one["contained"] = [other]


def _refers_to_another(request: Request) -> None:
    for one in resources(request):
        for member in ("performer", "hasMember", "derivedFrom", "basedOn", "partOf", "link"):
            one[member] = [{"reference": f"Patient/{FOREIGN}", "display": FOREIGN}]
