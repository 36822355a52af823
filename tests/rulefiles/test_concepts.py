"""
Concepts, searches, code systems and their codes.
"""

from decimal import Decimal

import pytest

from cds.core.concepts import CodeRule, Search, TextPattern

SAMPLE = "concepts/sample.yaml"


def test_a_quantity(rules):
    """
    Units as they are spelled once, with what is plausible in each.
    """
    concept = rules.load().ruleset.concepts["hba1c"]
    canonical, other = concept.units["%"], concept.units["mmol/mol"]

    assert ["%", "mmol/mol"] == list(concept.units)
    assert (Decimal(3), Decimal(20)) == (canonical.low, canonical.high)
    assert (Decimal("0.09148"), Decimal("2.152")) == (other.factor, other.offset)
    assert (Decimal(9), Decimal(195)) == (other.low, other.high)
    assert ("a1c", "HbA1c", "quantity", "glycaemia", "%", 365, "V1") == (
        concept.signal,
        concept.title,
        concept.type,
        concept.search,
        concept.unit,
        concept.within,
        concept.verified,
    )


def test_a_unit_inherits_what_is_plausible(rules):
    """
    Converted back from the canonical range, unless it has one of its own.
    """
    other = rules.load().ruleset.concepts["glucose"].units["mmol/L"]

    assert Decimal(20) == other.to_canonical(other.low).quantize(Decimal("1.000000"))
    assert not other.is_plausible(Decimal("1.1"))
    assert other.is_plausible(Decimal("44.4"))


def test_a_factor_may_divide_or_be_one(rules):
    """
    6.0 pmol to the unit is written as it is printed; an equal number as `=`.
    """
    units = rules.load().ruleset.concepts["insulin_level"].units

    assert Decimal("0.1666666666666666666666666667") == units["pmol/L"].factor
    assert 1 == units["m[IU]/L"].factor
    assert None is units["pmol/L"].low


def test_an_offset_may_be_taken_away(rules):
    """
    `x F - O` is the other sign.
    """
    changes = {SAMPLE: ("x 0.09148 + 2.152", "x 0.09148 - 2.152")}

    concept = rules.load(changes).ruleset.concepts["hba1c"]

    assert Decimal("-2.152") == concept.units["mmol/mol"].offset


def test_codes_of_every_kind(rules):
    """
    Exact, prefix, history, with fasting.
    """
    concepts = rules.load().ruleset.concepts

    assert (
        CodeRule("snomed", "44054006"),
        CodeRule("icd10cm", "E11", prefix=True),
        CodeRule("icd10cm", "E11.A", history=True),
    ) == concepts["type_2_diabetes"].codes
    assert CodeRule("loinc", "2345-7", with_fasting=True) == concepts["glucose"].codes[1]
    assert ("fasting",) == concepts["glucose"].fasting.company
    assert None is concepts["hba1c"].fasting


@pytest.mark.parametrize(
    ("code", "count", "first", "last"),
    [
        ("Z68.25-Z68.29", 5, "Z68.25", "Z68.29"),
        ("K70.0-K70.4", 5, "K70.0", "K70.4"),
        ("E08-E13", None, "E08", "E13"),
        ("C7A-C7B", 2, "C7A", "C7B"),
        ("O60-O9A", None, "O60", "O9A"),
        ("C99-D01", None, "C99", "D01"),
    ],
)
def test_ranges_of_codes_are_listed(rules, code, count, first, last):
    """
    With all that stands below each: a range of categories holds their subcategories.
    """
    changes = {SAMPLE: ("icd10cm: [E10*]", f"icd10cm: [{code}]")}

    codes = rules.load(changes).ruleset.concepts["type_1_diabetes"].codes

    assert all(one.prefix for one in codes)
    assert (first, last) == (codes[0].code, codes[-1].code)
    assert count in {None, len(codes)}


def test_a_hyphen_means_a_range_in_one_system_only(rules):
    """
    LOINC numbers have hyphens of their own.
    """
    assert "4548-4" == rules.load().ruleset.concepts["hba1c"].codes[0].code


def test_codes_bound_to_an_age(rules):
    """
    Some codes mean a thing only above or below an age.
    """
    changes = {
        SAMPLE: (
            "codes: {icd10cm: [E10*]}",
            (
                "codes_if: [{icd10cm: [N95.1], age: above 50 years}, "
                "{icd10cm: [E2*], age: below 40 years}]"
            ),
        )
    }

    assert (
        CodeRule("icd10cm", "N95.1", age_above=50),
        CodeRule("icd10cm", "E2", prefix=True, age_below=40),
    ) == rules.load(changes).ruleset.concepts["type_1_diabetes"].codes


def test_texts_of_medicines(rules):
    """
    Words, parts of words, and routes that do not count.
    """
    concept = rules.load().ruleset.concepts["metformin"]

    assert TextPattern(words=("metformin",), endings=("formin",)) == concept.text
    assert ("topical",) == concept.not_routes


def test_everything_else_of_a_concept(rules):
    """
    Each key has its field.
    """
    changes = {
        SAMPLE: (
            "within: 365 days,\n     codes: {loinc: [4548-4]}",
            (
                "within: 365 days, shows: 1, conflicts: true, danger: high, acute: unusable, "
                "pregnancy: 28 days, governs: true, counts_for: 9 days, not_codes: {loinc: [1-1]}, "
                "usual: {mean_of: 7, within: 30 days, single_if_category: [survey]}, "
                "codes: {loinc: [4548-4]}"
            ),
        )
    }
    ruleset = rules.load(changes).ruleset
    concept = ruleset.concepts["hba1c"]

    assert (1, True, "high", "unusable", 28, True, 9) == (
        concept.show_digits,
        concept.conflicts,
        concept.danger,
        concept.acute,
        concept.pregnancy_days,
        concept.governs,
        concept.counts_for,
    )
    assert (CodeRule("loinc", "1-1"),) == concept.not_codes
    assert {"mean_of": 7, "within": 30, "single_if_category": ("survey",)} == concept.usual
    assert {"Y": "yes", "N": "no"} == ruleset.concepts["fasting"].answers
    assert (("due_date",), ("fasting",), 300) == (
        ruleset.concepts["pregnancy"].begins,
        ruleset.concepts["pregnancy"].ends,
        ruleset.concepts["pregnancy"].longest,
    )
    assert "false_if_list_complete" == ruleset.concepts["metformin"].absent_means


def test_a_search(rules):
    """
    What is asked for, and how much at most.
    """
    assert (
        Search(
            id="glycaemia",
            resource="Observation",
            title="Glucose",
            count=60,
            by_code=True,
            sort="-date",
            parameters={"category": "laboratory"},
            lists="glycaemia",
        )
        == rules.load().ruleset.searches["glycaemia"]
    )


def test_a_system_has_a_canonical_address(rules):
    """
    The first; the others mean the same.
    """
    assert (
        "http://hl7.org/fhir/sid/icd-10-cm",
        "urn:oid:2.16.840.1.113883.6.90",
    ) == rules.load().ruleset.systems["icd10cm"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("icd10cm: [E10*]", "icd10: [E10*]", "CDS201 `icd10` is not a code system"),
        (
            "icd10cm: [E10*]",
            "icd10cm: [E13-E08]",
            "CDS105 `E13-E08` is not a range of ICD-10-CM codes",
        ),
        (
            "icd10cm: [E10*]",
            "icd10cm: [E10.1-E11.2]",
            "CDS105 `E10.1-E11.2` is not a range of ICD-10-CM codes",
        ),
        (
            "codes: {icd10cm: [E10*]}",
            "codes_if: [{icd10cm: [N95.1]}]",
            "CDS105 codes under `codes_if` need an age, or another problem",
        ),
        ("search: medicines", "search: medicine", "CDS201 `medicine` is not a search"),
        (
            "search: medicines, ",
            "",
            "CDS104 `metformin` does not say which search brings it",
        ),
        ("unit: cm,", "", "CDS104 `waist` is a quantity without a unit"),
        (
            "codes: {loinc: [8280-0]}, verified: V1",
            "codes: {loinc: [8280-0]}",
            "CDS206 the codes of `waist` are not marked as verified",
        ),
        ("plausible: 3 to 20", "plausible: 20 to 3", "CDS105 `plausible` is not a range"),
        ("plausible: 3 to 20", "plausible: [3, 20]", "CDS105 `plausible` is not a range"),
        (
            "mmol/L: x 18.016",
            "mmol/L: 18.016",
            "CDS105 expected how this unit becomes the canonical one",
        ),
        ("mmol/L: x 18.016", "mmol/L: x 0", "CDS105 a factor cannot be zero"),
        ("mmol/L: x 18.016", "mg/dl: x 1", "CDS103 the unit `mg/dl` is accepted twice"),
        (
            "fasting_with: [fasting]",
            "fasting_with: [fastin]",
            "CDS201 `fastin` is not a concept",
        ),
        ("  metformin:", "  glucose2: x\n  metformin:", "CDS105"),
        (
            "  due_date:\n",
            (
                "  hba1c2: {signal: x, title: x, type: quantity, search: glycaemia, unit: 1,"
                " units: {mg: {plausible: 1 to 2}}}\n  due_date:\n"
            ),
            "CDS104 a unit needs `times`",
        ),
        ("codes: {loinc: [8280-0]}", "codes: {loinc: 8280-0}", "CDS105"),
        ("codes: {loinc: [8280-0]}", "codes: {loinc: [[8280-0]]}", "CDS105"),
    ],
)
def test_what_is_wrong_with_a_concept(rules, before, after, expected):
    """
    Nothing that depends on a code is found out in front of a patient.
    """
    found = rules.found({SAMPLE: (before, after)})

    assert any(one.startswith(expected) for one in found), found


def test_a_search_has_one_name(rules):
    """
    Searches may be spread over files, their names may not be used twice.
    """
    more = (
        "kind: concepts\nid: more\nsearches: {glycaemia: {resource: Observation, title: x}, y: z}\n"
    )

    found = rules.found({"concepts/more.yaml": more})

    assert "CDS203 `glycaemia` is already the name of a search" in found


def test_a_concept_has_one_name(rules):
    """
    Whichever file it stands in.
    """
    more = """
        kind: concepts
        id: more
        concepts: {hba1c: {signal: a, title: a, type: problem, search: problems}}
    """

    assert "CDS203 `hba1c` is already the name of a concept" in rules.found(
        {"concepts/zzz.yaml": more.replace("more", "zzz")}
    )


def test_codes_by_company_and_concepts_that_give_way(rules):
    """
    Both name concepts that there are.
    """
    before = "absent_means: false_if_list_complete, verified: V1}\n  type_1_diabetes"
    path = "concepts/sample.yaml"

    def found(company, other):
        more = (
            f"codes_if: [{{icd10cm: [E88.1], with: {company}}}], gives_way_to: [{other}], {before}"
        )
        return rules.found({path: (before, more)})

    assert [] == found("type_1_diabetes", "type_1_diabetes")
    assert ["CDS201 `hiv` is not a concept", "CDS201 `that` is not a concept"] == sorted(
        found("hiv", "that")
    )


def test_codes_with_an_age_that_cannot_be_read_have_no_company_either(rules):
    """
    The age is said wrong, whoever else is named.
    """
    before = "absent_means: false_if_list_complete, verified: V1}\n  type_1_diabetes"
    more = f"codes_if: [{{icd10cm: [E88.1], age: old, with: type_1_diabetes}}], {before}"

    assert ["CDS105 codes under `codes_if` need an age, or another problem"] == rules.found(
        {"concepts/sample.yaml": (before, more)}
    )
