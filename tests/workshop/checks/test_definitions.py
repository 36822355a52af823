"""
What is defined and used by nobody.
"""

import pytest

from cds.workshop.editing.mending import mend
from tests.check_pages import AS_OF

COND = "conditions/dysglycaemia.yaml"
HOMA = "indices/homa_ir.yaml"
CARD = "cards/prediabetes.yaml"
HIGH = "cards/high_glucose.yaml"


@pytest.mark.parametrize(
    ("path", "before", "after", "headline"),
    [
        (COND, "thresholds:\n", "thresholds:\n  low: {value: 4 %, cite: standards}\n",
         "the threshold `low` is used by nothing"),
        (COND, "tests:\n  - name: raised\n",
         "patients: {typical: {age: 50 years}}\ntests:\n  - name: raised\n",
         "the patient `typical` is used by nothing"),
        (HOMA, "same_draw:", "  a1c: {concept: hba1c}\nsame_draw:",
         "the input `a1c` is used by nothing"),
        (HOMA, "formula_in:", "let: {half: 0.5 * insulin}\nformula_in:",
         "the step `half` is used by nothing"),
        (HIGH, "thresholds:\n",
         "readings:\n  peak: {highest of: glucose, within: 365 days}\nthresholds:\n",
         "the reading `peak` is used by nothing"),
        ("concepts/searches.yaml", "systems:\n",
         "  reports: {resource: DiagnosticReport, title: Reports}\nsystems:\n",
         "the search `reports` is used by nothing"),
        ("actions/library.yaml", "  plan:\n",
         ("  other:\n    label: x\n    description: x\n    resources: [{resourceType: CarePlan, "
         'status: draft, intent: proposal, subject: {reference: "Patient/{{patient.id}}"}}]\n'
         "  plan:\n"),
         "the action `other` is used by nothing"),
        ("evidence/library.yaml", "sources:\n",
         "sources:\n  book: {title: B, by: A, in: J, year: 2020, kind: study, check: mem}\n",
         "the source `book` is used by nothing"),
    ],
)  # fmt: skip
def test_what_nothing_uses(sample, path, before, after, headline):
    """
    Is found, and a safe fix takes it out again.
    """
    was = (sample.folder / path).read_text("utf-8")
    found = sample.meant({path: (before, after)})
    mended = mend(sample.folder, lambda one: one.code != "CDS108", as_of=AS_OF, unsafe=False)

    assert [("CDS204", headline)] == [(one.code, one.headline) for one in found]
    assert found[0].fix.safe
    assert mended.after[f"rules/{path}"].replace(" ", "") == was.replace(" ", "")


def test_a_condition_that_nothing_asks(sample):
    """
    The file is left to its author.
    """
    text = (sample.folder / COND).read_text("utf-8").replace("id: dysglycaemia", "id: other")
    found = sample.meant({"conditions/other.yaml": text})

    assert [("the condition `other` is used by nothing", None)] == [
        (one.headline, one.fix) for one in found
    ]


@pytest.mark.parametrize(
    "use",
    [
        ("  detail: Think of a plan.", '  detail: "From {{threshold.low}}: think of a plan."'),
        ("  detail: Think of a plan.", "  detail: [{say: Think., if: hba1c < low}]"),
    ],
)
def test_a_hole_or_a_condition_of_a_sentence_uses_it(sample, use):
    """
    Texts for readers name what stands in their holes and nothing else.
    """
    declared = ("patients:\n", "thresholds:\n  low: {value: 4 %, cite: standards}\npatients:\n")

    assert ["CDS204 the threshold `low` is used by nothing"] == sample.found(
        {CARD: (*declared, "  detail: Think of a plan.", "  detail: Think of a low plan.")}
    )
    assert [] == sample.found({CARD: ("  detail: Think of a low plan.", use[1])})


def test_in_a_file_with_an_error_nothing_is_called_unused(sample):
    """
    The clause that could not be read may be what uses it.
    """
    assert ["CDS110"] == [
        one.code for one in sample.meant({COND: ("hba1c >= raised_a1c", "hba1c over it")})
    ]


def test_a_concept_that_bends_other_data_is_used(sample):
    """
    It is read though no rule asks.
    """
    concept = (
        "  care:\n    signal: care\n    title: Care\n    type: problem\n    search: problems\n"
        "    codes: {snomed: [78275009]}\n    absent_means: false_if_list_complete\n"
        "    governs: true\n    verified: V1\n"
    )
    path = "concepts/metabolic.yaml"

    assert [] == sample.found({path: ("  metformin:\n", concept + "  metformin:\n")})
    assert ["CDS204 the concept `care` is used by nothing"] == sample.found(
        {path: ("    governs: true\n", "")}
    )


def test_a_file_that_cannot_be_read_may_use_anything(sample):
    """
    Only what concerns one file alone is then said.
    """
    assert ["CDS101"] == [
        one[:6] for one in sample.found({"indices/homa_ir.yaml": "kind: index\na: [\n"})
        if not one.startswith("CDS201")
    ]  # fmt: skip


def test_a_concept_may_be_used_by_its_neighbour(sample):
    """
    Also where its own words repeat its name.
    """
    path = "concepts/metabolic.yaml"
    episode = (
        "  treatment:\n    signal: tr\n    title: Treatment\n    type: episode\n"
        "    begins: [glibenclamide]\n    longest: 300 days\n    governs: true\n"
        "  glibenclamide:\n    signal: gli\n    title: Glibenclamide\n    type: medicine\n"
        "    search: medicines\n    text: {words: [glibenclamide]}\n"
        "    absent_means: false_if_list_complete\n    verified: text\n"
    )

    assert [] == sample.found({path: ("  metformin:\n", episode + "  metformin:\n")})
    assert ["CDS204 the concept `glibenclamide` is used by nothing"] == sample.found(
        {path: ("begins: [glibenclamide]", "begins: [metformin]")}
    )
