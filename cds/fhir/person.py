"""
The patient as rules see one: sex, birth date, group, whether still alive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from cds.core.facts import Person
from cds.core.moment import Moment, age_in_years
from cds.fhir.codings import codings_of
from cds.fhir.moments import read
from cds.fhir.references import Resource

__all__ = ["birth_of", "person_of"]

_BIRTH_SEX: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_CLINICAL_SEX: Final = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse",
        "http://hl7.org/fhir/StructureDefinition/individual-sexParameterForClinicalUse",
        "http://hl7.org/fhir/StructureDefinition/sex-for-clinical-use",
    }
)
_RACE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
# HL7 AdministrativeGender, v3 AdministrativeGender, and sex-parameter-for-clinical-use.
_SEXES: Final[Mapping[str, str]] = {
    "male": "male",
    "female": "female",
    "M": "male",
    "F": "female",
    "male-typical": "male",
    "female-typical": "female",
}
_SPECIAL: Final = frozenset({"specified"})
_OLDEST: Final = 130


def birth_of(patient: Resource, as_of: datetime) -> Moment | None:
    """Read the birth date; one that nobody can have is none."""
    born = read(patient.get("birthDate"))
    if born is None or born.start > as_of:
        return None
    return born if age_in_years(born, as_of)[0] <= _OLDEST else None


def person_of(
    patient: Resource,
    patient_id: str,
    *,
    born: Moment | None,
    groups: Mapping[str, str],
    sex_is_settled: bool,
    group_extension: str = "",
) -> Person:
    """Make the person; *sex_is_settled* is false where sex-specific care is recorded."""
    deceased = patient.get("deceasedBoolean") is True or bool(patient.get("deceasedDateTime"))
    return Person(
        id=patient_id,
        sex=_sex(patient) if sex_is_settled else "unknown",
        born=born,
        group=_group(patient, groups, group_extension),
        deceased=deceased,
    )


def _extensions(element: Any) -> Iterator[tuple[str, Resource]]:
    extensions = element.get("extension") if type(element) is dict else None
    for one in extensions if type(extensions) is list else ():
        if type(one) is dict and type(one.get("url")) is str:
            yield one["url"], one


def _sex(patient: Resource) -> str:
    """
    Say which sex every source agrees on.

    Sex for clinical use replaces a missing, other or unknown gender; a sex at birth or
    for clinical use that disagrees makes it unknown.
    """
    gender = patient.get("gender")
    stated = gender if gender in ("male", "female") else ""
    clinical: set[str] = set()
    birth: set[str] = set()
    for url, extension in _extensions(patient):
        if url in _CLINICAL_SEX:
            for inner, value in _extensions(extension):
                if inner == "value":
                    clinical |= _said(value.get("valueCodeableConcept", value.get("valueCode")))
            clinical |= _said(extension.get("valueCodeableConcept", extension.get("valueCode")))
        elif url == _BIRTH_SEX:
            birth |= _said(extension.get("valueCode"))
    clinical.discard("")
    birth.discard("")
    chosen = stated or (next(iter(clinical)) if len(clinical) == 1 else "")
    disagrees = (clinical | birth) - {chosen}
    return chosen if chosen and not disagrees and chosen not in _SPECIAL else "unknown"


def _said(value: Any) -> set[str]:
    codes = [value] if type(value) is str else [code for _, code in codings_of(value)]
    return {one if one in _SPECIAL else _SEXES.get(one, "") for one in codes}


def _group(patient: Resource, groups: Mapping[str, str], own: str) -> str:
    """Give the group of the first code that the rules name: of a race, or of their extension."""
    for url, extension in _extensions(patient):
        if url == own and extension.get("valueCode") in groups:
            return groups[extension["valueCode"]]
        if url != _RACE:
            continue
        for _, inner in _extensions(extension):
            for _, code in codings_of(inner.get("valueCoding")):
                if code in groups:
                    return groups[code]
    return ""
