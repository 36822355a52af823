"""
What a context may bring besides ids: Bundles of drafts in every odd shape, and what names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.attacks.good import FOREIGN, MARK, OWN, Request, collection, draft, foreign
from tests.attacks.table import ANSWERED, ODD, Change, Row

__all__ = ["BUNDLES", "drafts", "selections"]

BUNDLES: Final = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "appointment-book": "appointments",
    "problem-list-item-create": "conditions",
    "medication-refill": "medications",
}
"""The hooks whose context brings resources, and where."""


def _all(bundle: Any) -> Change:
    """Put a Bundle where the hook has its own."""

    def change(request: Request) -> None:
        request["context"][BUNDLES[request["hook"]]] = bundle

    return change


def _each(**members: Any) -> Change:
    """Change every draft."""
    return _all(collection(draft() | members, draft(2) | members))


def _entries(*entries: Any) -> Change:
    return _all({"resourceType": "Bundle", "type": "collection", "entry": list(entries)})


def _cycle() -> Request:
    one, other = draft(), draft(2)
    for each, next_one in ((one, other), (other, one)):
        del each["medicationCodeableConcept"]
        each["medicationReference"] = {"reference": f"MedicationRequest/{next_one['id']}"}
        each["basedOn"] = [{"reference": f"MedicationRequest/{each['id']}"}]
    return collection(one, other)


def _contained_loop() -> Request:
    one = draft()
    del one["medicationCodeableConcept"]
    one["medicationReference"] = {"reference": "#m"}
    inner = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [{"itemReference": {"reference": "#m"}}],
    }
    one["contained"] = [inner, {**inner, "contained": [{**inner, "contained": [inner]}]}]
    return collection(one)


def _contained_many() -> Request:
    one = draft()
    one["contained"] = [{"resourceType": "Medication", "id": f"{MARK}{n}"} for n in range(2_000)]
    return collection(one)


def _nested() -> Request:
    bundle = collection(draft())
    for _ in range(12):
        bundle = collection(bundle)
    return bundle


def _packed(count: int) -> Request:
    return collection(*(draft(n) for n in range(count)))


_ADDRESSES: Final = (
    "urn:uuid:2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f",
    "urn:uuid:",
    "../MedicationRequest/1",
    "javascript:alert(1)",
    "",
    f"https://{MARK}.example/fhir/MedicationRequest/{MARK}",
    "https://[",
)


def drafts() -> Iterator[Row]:
    """Yield hostile Bundles for every hook that brings one."""
    every = tuple(BUNDLES)
    changes: dict[str, Change] = {
        "no type": _all({"resourceType": "Bundle", "entry": [{"resource": draft()}]}),
        "no resourceType": _all({"entry": [{"resource": draft()}]}),
        "type is a number": _all({**collection(draft()), "type": 7}),
        "no entry": _all({"resourceType": "Bundle"}),
        "entry is null": _all({"resourceType": "Bundle", "entry": None}),
        "entries of every type": _entries(None, 1, "x", [], {}, True, [{}], {"resource": None}),
        "resources of every type": _entries(*({"resource": one} for one in (1, "x", [], {}, True))),
        "resourceType of every type": _entries(
            *({"resource": {"resourceType": one}} for one in (1, "", [], {}, None, MARK, "Bundle"))
        ),
        "addresses of every kind": _entries(
            *({"fullUrl": one, "resource": draft(9)} for one in (*_ADDRESSES, 7, None, []))
        ),
        "references in a circle": _all(_cycle()),
        "contained in a circle": _all(_contained_loop()),
        "2,000 contained": _all(_contained_many()),
        "Bundles in Bundles": _all(_nested()),
        "the same draft twice": _all(collection(draft(), draft())),
        "a page of a search": _all(
            {**collection(draft()), "link": [{"relation": "next", "url": MARK}]}
        ),
        "an error among them": _all(
            collection({"resourceType": "OperationOutcome", "issue": MARK})
        ),
        "drafts of another patient": _all(foreign(collection(draft(), draft(2)))),
        "a draft without a subject": _each(subject=None),
        "a subject in words": _each(subject={"display": MARK}),
        "a subject by identifier": _each(subject={"identifier": {"value": MARK}}),
        "a subject that is contained": _each(
            subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}]
        ),
        "several subjects": _each(subject=[{"reference": f"Patient/{OWN}"}]),
        "a subject of a group": _each(subject={"reference": f"Group/{MARK}"}),
        "another patient in the draft": _each(
            contained=[{"resourceType": "Patient", "id": OWN, "name": [{"family": FOREIGN}]}]
        ),
        "an id of a path": _each(id="../../etc/passwd"),
        "an id of a number": _each(id=7),
        "no id": _each(id=None),
        "a medicine that is a list": _each(medicationCodeableConcept=[{"coding": []}]),
        "a medicine in words": _each(medicationCodeableConcept=MARK),
        "a medicine of odd codings": _each(
            medicationCodeableConcept={"coding": [None, 1, {}, [], {"code": 1, "system": 2}]}
        ),
        "doses of every type": _each(
            dosageInstruction=[None, 1, "x", {}, {"doseAndRate": 1}, {"timing": []}]
        ),
        "doses in an object": _each(dosageInstruction={"text": MARK}),
        "a status of every type": _each(status=[MARK]),
        "a status nobody knows": _each(status=MARK),
        "entered in error": _each(status="entered-in-error"),
        "do not perform": _each(doNotPerform=True),
        "dates of every type": _each(authoredOn={"x": 1}),
        "a date of long ago": _each(authoredOn="0000-00-00"),
        "a category that is an object": _each(category={"coding": [{"code": MARK}]}),
        "a Patient as a draft": _all(collection({"resourceType": "Patient", "id": OWN})),
        "another Patient as a draft": _all(collection({"resourceType": "Patient", "id": FOREIGN})),
        "orders of other releases": _all(
            collection(
                {"resourceType": "MedicationOrder", "patient": {"reference": f"Patient/{OWN}"}},
                {"resourceType": "ProcedureRequest", "subject": {"reference": f"Patient/{OWN}"}},
                {"resourceType": "MedicationRequest", "medication": {"concept": {"text": MARK}}},
            )
        ),
    }
    for position, (name, change) in enumerate(changes.items()):
        hooks = dict.fromkeys(("order-sign", every[position % len(every)]))
        yield Row(f"drafts: {name}", change, ODD, hooks=tuple(hooks))
    many = _all(collection(*(draft(n) for n in range(10_000))))
    yield Row("drafts: 10,000", many, (413,), hooks=every[:2])
    yield Row(
        "drafts: 10,000 in Bundles",
        _all(collection(*[_packed(100)] * 100)),
        (413,),
        hooks=every[:2],
    )


def selections() -> Iterator[Row]:
    """Yield what order-select and order-dispatch may name."""
    own = f"MedicationRequest/{MARK}-draft-1"
    named: dict[str, list[Any]] = {
        "nothing": [],
        "no draft": [f"MedicationRequest/{MARK}-none"],
        "a path upwards": ["../MedicationRequest/1", "../../etc/passwd"],
        "a urn": ["urn:uuid:2f1e2a40-3b8e-4c8e-9d2a-0a5b6c7d8e9f"],
        "one draft often": [own] * 10_000,
        "10,000 drafts": [f"MedicationRequest/{n}" for n in range(10_000)],
        "empty texts": ["", " "],
        "a script": ["javascript:alert(1)", f"<script>{MARK}</script>"],
        "a bare id": [f"{MARK}-draft-1"],
        "a version": [f"{own}/_history/1"],
        "another server": [f"https://{MARK}.example/{own}"],
        "broken addresses": ["https://[", "http://", "//", "#", "/"],
        "the patient": [f"Patient/{OWN}"],
        "another patient": [f"Patient/{FOREIGN}"],
        "a long text": [MARK * 20_000],
    }
    for name, value in named.items():
        for hook, member in (
            ("order-select", "selections"),
            ("order-dispatch", "dispatchedOrders"),
        ):
            expected = ODD if len(value) < 10_000 else (413,)
            yield Row(f"{member}: {name}", _named(member, value), expected, hooks=(hook,))
    yield Row(
        "selections: thousands, for thousands of drafts", _thousands, ODD, hooks=("order-select",)
    )
    dispatch = ("order-dispatch",)
    yield Row("order: the shape of 1.0", _old_dispatch(own), ANSWERED, hooks=dispatch)
    yield Row("order: a path", _old_dispatch("../1"), ODD, hooks=dispatch)
    tasks = [None, 1, {"resourceType": "Task", "for": {"reference": f"Patient/{FOREIGN}"}}]
    yield Row(
        "fulfillmentTasks of every type", _named("fulfillmentTasks", tasks), ODD, hooks=dispatch
    )


def _thousands(request: Request) -> None:
    request["context"]["draftOrders"] = _packed(2_000)
    request["context"]["selections"] = [f"MedicationRequest/{MARK}-{n}" for n in range(2_000)]


def _named(member: str, value: Any) -> Change:
    def change(request: Request) -> None:
        request["context"][member] = value

    return change


def _old_dispatch(order: str) -> Change:
    def change(request: Request) -> None:
        context = request["context"]
        del context["dispatchedOrders"]
        context["order"] = order

    return change
