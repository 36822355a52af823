"""
A small world for these tests: a few concepts, one patient, and ways to write resources.

The codes are real ones only where a test would be hard to read with others; nothing here
depends on the rule files.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cds.core.clauses import Place
from cds.core.concepts import CodeRule, Concept, Fasting, Search, TextPattern
from cds.core.quantity import Conversion
from cds.fhir.context import NOTHING, about
from cds.fhir.extract import Extractor
from cds.fhir.retrieve import retrieve

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PATIENT = "p1"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
HERE = Place("test.yaml", 1, 1)

SYSTEMS = {
    "loinc": (LOINC, "urn:oid:2.16.840.1.113883.6.1"),
    "snomed": (SNOMED, "urn:oid:2.16.840.1.113883.6.96"),
    "icd10cm": (ICD,),
    "rxnorm": (RXNORM,),
    "act_code": ("http://terminology.hl7.org/CodeSystem/v3-ActCode",),
    "local": ("urn:ir-cds:signals",),
}


def conv(factor="1", offset="0", low=None, high=None):
    ends = [None if one is None else Decimal(one) for one in (low, high)]
    return Conversion(Decimal(factor), Decimal(offset), *ends)


def codes(system, *several, **more):
    return tuple(
        CodeRule(system, one.rstrip("*"), prefix=one.endswith("*"), **more) for one in several
    )


def concept(name, kind, search, **more):
    return Concept(id=name, signal=name, title=name, type=kind, search=search, place=HERE, **more)


def _quantity(name, search, unit, units, *loinc, **more):
    more.setdefault("codes", codes("loinc", *loinc))
    return concept(name, "quantity", search, unit=unit, units=units, **more)


_MG = {"mg/dL": conv(low="20", high="800"), "mmol/L": conv("18.016")}

CONCEPTS = {
    one.id: one
    for one in (
        _quantity(
            "fasting_glucose",
            "glycaemia",
            "mg/dL",
            _MG,
            within=365,
            codes=codes("loinc", "1558-6", "14771-0") + codes("loinc", "2345-7", with_fasting=True),
            not_codes=codes("loinc", "76629-5"),
            fasting=Fasting(("fasting_status",)),
            conflicts=True,
            acute="unusable",
            pregnancy_days=28,
        ),
        _quantity("random_glucose", "glycaemia", "mg/dL", _MG, "2345-7", danger="high"),
        _quantity(
            "hba1c",
            "glycaemia",
            "%",
            {
                "%": conv(low="3.5", high="20"),
                "mmol/mol": conv("0.09148", "2.152", low="20", high="195"),
            },
            "4548-4",
            "59261-8",
            within=365,
            conflicts=True,
            pregnancy_days=84,
        ),
        _quantity(
            "insulin",
            "insulin",
            "u[IU]/mL",
            {
                "u[IU]/mL": conv(low="0.2", high="300"),
                "m[IU]/L": conv(),
                "mU/L": conv(),
                "pmol/L": conv("0.1666666666666666666666666667"),
            },
            within=365,
            codes=codes("loinc", "27873-9") + codes("loinc", "20448-7", with_fasting=True),
            fasting=Fasting(("fasting_status", "fasting_glucose")),
            conflicts=True,
        ),
        _quantity("systolic", "body", "mm[Hg]", {"mm[Hg]": conv(low="50", high="300")}, "8480-6"),
        _quantity(
            "egfr",
            "kidney",
            "mL/min/{1.73_m2}",
            {"mL/min/{1.73_m2}": conv(low="1", high="200")},
            "98979-8",
            danger="low",
        ),
        _quantity(
            "mood_item",
            "lifestyle",
            "{score}",
            {"{score}": conv(low="0", high="3")},
            "44260-8",
            answers={"LA6568-5": "0", "LA6569-3": "1", "several days": "1"},
        ),
        _quantity(
            "sleep",
            "lifestyle",
            "h",
            {"h": conv(low="1", high="20"), "min": conv("0.01666666666666666666666666667")},
            "93832-4",
            usual={"mean_of": 3, "within": 30, "single_if_category": ["survey"]},
        ),
        concept(
            "fasting_status",
            "answer",
            "insulin",
            codes=codes("loinc", "49541-6"),
            answers={"Y": "yes", "true": "yes"},
        ),
        concept(
            "pregnancy_status",
            "answer",
            "status",
            within=42,
            codes=codes("loinc", "82810-3"),
            answers={"77386006": "yes", "60001007": "no", "LA4489-6": "unknown"},
        ),
        concept("due_date", "date", "status", within=300, codes=codes("loinc", "11778-8")),
        concept("pregnant", "problem", "problems", codes=codes("icd10cm", "O20*", "Z34*")),
        concept("delivery", "problem", "problems", codes=codes("icd10cm", "O80*")),
        concept(
            "pregnancy",
            "episode",
            "problems",
            begins=("pregnant", "pregnancy_status", "due_date"),
            ends=("delivery", "pregnancy_status"),
            longest=300,
        ),
        concept(
            "diabetes",
            "problem",
            "problems",
            codes=codes("snomed", "44054006")
            + codes("icd10cm", "E11*")
            + codes("icd10cm", "E11.A", history=True),
            not_codes=codes("icd10cm", "E11.9X", "E11.A"),
            absent_means="false_if_list_complete",
        ),
        concept(
            "menopause",
            "problem",
            "problems",
            codes=codes("snomed", "76498008") + codes("icd10cm", "N95.1", age_above=50),
        ),
        concept(
            "recent_fall", "problem", "problems", codes=codes("icd10cm", "W19"), counts_for=365
        ),
        concept("gender_care", "problem", "problems", codes=codes("icd10cm", "F64*")),
        concept("hysterectomy", "problem", "problems", codes=codes("snomed", "236886002")),
        concept(
            "metformin",
            "medicine",
            "medicines",
            codes=codes("rxnorm", "6809", "860975"),
            text=TextPattern(words=("metformin", "janumet")),
            absent_means="false_if_list_complete",
        ),
        concept(
            "gliptin",
            "medicine",
            "medicines",
            codes=codes("rxnorm", "593411"),
            text=TextPattern(words=("janumet",), endings=("gliptin",)),
        ),
        concept(
            "insulin_drug",
            "medicine",
            "medicines",
            text=TextPattern(words=("insulin",), without=("pump", "needle"), unless=("lispro",)),
        ),
        concept(
            "steroid",
            "medicine",
            "medicines",
            codes=codes("rxnorm", "8640"),
            text=TextPattern(words=("hydrocortisone",), beginnings=("predniso",)),
            not_routes=("topical", "inhaled", "eye"),
            routes={"oral": ("oral", "by mouth", "tablet", "tablets"), "vein": ("iv",)},
        ),
        concept(
            "cortisol_test",
            "order",
            "care_plans",
            codes=codes("loinc", "2143-6"),
            text=TextPattern(words=("cortisol",)),
        ),
        concept(
            "keto_plan",
            "plan",
            "care_plans",
            codes=codes("snomed", "160674003"),
            text=TextPattern(
                words=("keto", "ketogenic", "16:8"),
                beginnings=("low carb", "carbohydrate restrict"),
            ),
        ),
        concept(
            "acute_stay",
            "encounter",
            "encounters",
            within=14,
            codes=codes("act_code", "IMP", "EMER"),
        ),
    )
}


def _search(name, resource, count=100):
    return Search(name, resource, name, count=count, lists=name)


SEARCHES = {
    one.id: one
    for one in (
        Search("patient", "Patient", "Patient"),
        *(
            _search(name, "Observation")
            for name in (
                "glycaemia",
                "insulin",
                "body",
                "kidney",
                "lifestyle",
                "status",
            )
        ),
        _search("problems", "Condition"),
        _search("medicines", "MedicationRequest"),
        _search("statements", "MedicationStatement"),
        _search("procedures", "Procedure"),
        _search("encounters", "Encounter"),
        _search("care_plans", "CarePlan"),
    )
}

EXTRACTOR = Extractor(
    concepts=CONCEPTS, searches=SEARCHES, systems=SYSTEMS, groups={"2028-9": "asian"}
)


def ago(days, hour=8):
    """Write a time so many days before the clock of these tests."""
    when = (NOW - timedelta(days=days)).replace(hour=hour)
    return when.isoformat().replace("+00:00", "Z")


def patient(own=PATIENT, **more):
    return {"resourceType": "Patient", "id": own, "gender": "female", **more} | {
        "birthDate": more.get("birthDate", "1970-03-04")
    }


def coded(system, *several, text=None):
    found: dict[str, Any] = {"coding": [{"system": system, "code": one} for one in several]}
    return found if text is None else found | {"text": text}


_numbers = iter(range(1, 1_000_000))


def _resource(kind, **more):
    own = {"resourceType": kind, "id": f"r{next(_numbers)}"}
    return own | {"subject": {"reference": f"Patient/{PATIENT}"}} | more


def observation(code, value=None, unit="mg/dL", days=10, **more):
    made = {"status": "final", "code": coded(LOINC, code), "effectiveDateTime": ago(days)}
    if value is not None:
        number = Decimal(value) if isinstance(value, str) else value
        made["valueQuantity"] = {"value": number, "unit": unit, "system": UCUM, "code": unit}
    return _resource("Observation", **made | more)


def condition(code, system=ICD, status="active", **more):
    made = {"code": coded(system, code)}
    if status is not None:
        made["clinicalStatus"] = {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": status,
                }
            ]
        }
    return _resource("Condition", **made | more)


def order(text=None, code=None, status="active", **more):
    medicine = {} if code is None else coded(RXNORM, code)
    if text is not None:
        medicine["text"] = text
    made = {"status": status, "intent": "order", "medicationCodeableConcept": medicine}
    return _resource("MedicationRequest", **made | {"authoredOn": ago(50)} | more)


def statement(text=None, status="active", **more):
    made = {"status": status, "medicationCodeableConcept": {"text": text}}
    return _resource("MedicationStatement", **made | more)


def encounter(code="IMP", start=None, end=None, status="finished", **more):
    period = {key: one for key, one in (("start", start), ("end", end)) if one is not None}
    made = {"status": status, "class": {"code": code}, "period": period}
    return _resource("Encounter", **made | more)


def procedure(code, system=SNOMED, **more):
    return _resource("Procedure", **{"status": "completed", "code": coded(system, code)} | more)


def care_plan(title, **more):
    return _resource("CarePlan", **{"status": "active", "intent": "plan", "title": title} | more)


def bundle(*resources, kind="searchset", **more):
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **more}


def prefetch(*resources, person=None, **more):
    """Send every search, each with what answers it."""
    sent: dict[str, Any] = {"patient": person or patient()}
    kinds = {
        "problems": "Condition",
        "medicines": "MedicationRequest",
        "statements": "MedicationStatement",
        "procedures": "Procedure",
        "encounters": "Encounter",
        "care_plans": "CarePlan",
        "glycaemia": "Observation",
    }
    for key in SEARCHES.keys() - {"patient"}:
        sent[key] = bundle(*(one for one in resources if one["resourceType"] == kinds.get(key)))
    return sent | more


def received(*resources, hook="order-sign", orders=None, context=None, **more):
    sent = context or ({} if orders is None else {"draftOrders": orders})
    return retrieve(
        prefetch(*resources, **more),
        patient_id=PATIENT,
        searches=SEARCHES,
        about=about(hook, sent) if sent else NOTHING,
    )


def snapshot(*resources, as_of=NOW, zone=None, **more):
    return EXTRACTOR.extract(received(*resources, **more), as_of=as_of, zone=zone)


def values(found, name):
    return [str(one.value) for one in found.results.get(name, ())]


def reasons(found, name):
    return [one.reason.value for one in found.unusable.get(name, ())]


def counted(found):
    return {(one.concept, one.reason.value): one.count for one in found.not_used}


def active(found, name):
    return [one.active for one in found.entries.get(name, ())]


def meaning(found):
    """Give what a snapshot says, without where it was read."""
    where = ("source",)

    def plain(one):
        return tuple(
            getattr(one, name) for name in type(one).__dataclass_fields__ if name not in where
        )

    return {
        "person": found.person,
        "results": {key: list(map(plain, ones)) for key, ones in found.results.items()},
        "unusable": {
            key: sorted(map(str, map(plain, ones))) for key, ones in found.unusable.items()
        },
        "entries": {key: list(map(plain, ones)) for key, ones in found.entries.items()},
        "lists": dict(found.lists),
    }


def copied(value):
    """Copy as another request would bring it: equal, and not the same objects."""
    return json.loads(json.dumps(value, default=str))


def moment(value):
    """Read what this module writes as a time; None for everything else."""
    if not isinstance(value, str) or len(value) < 19 or value[10:11] != "T":
        return None
    return datetime.fromisoformat(value)
