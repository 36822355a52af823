"""
What the cases of a rule leave out.
"""

from cds.rulefiles.fixes import applied
from cds.workshop.checks.checking import THOROUGH, check_folder
from tests.check_pages import AS_OF

HIGH = "cards/high_glucose.yaml"
OFFER = "cards/prediabetes.yaml"
STAGES = "stages/staging.yaml"
FACTOR = "factors/resistance.yaml"
NOT_MEASURED = """\
  - name: not measured
    given: {age: 50 years}
    expect: {shown: unknown}
"""


def left_out(sample, path, changes=None):
    """
    Give the findings of a thorough check in one file.
    """
    sample.put(changes or {})
    found = check_folder(sample.folder, as_of=AS_OF, thorough=True).findings
    return [one for one in found if one.code in THOROUGH and one.place.path == f"rules/{path}"]


def said(found):
    """
    Give `CODE headline` of each.
    """
    return [f"{one.code} {one.headline}" for one in found]


def with_cases(sample, path, cases):
    """
    Write other cases into a file of the sample.
    """
    text = (sample.folder / path).read_text("utf-8")
    return {path: text[: text.index("tests:\n")] + "tests:\n" + cases}


def test_only_a_thorough_check_runs_the_cases(sample):
    """
    The quick one has no time for it.
    """
    assert not THOROUGH & {one.code for one in sample.check().findings}


def test_an_answer_that_no_case_sees(sample):
    """
    Is named with the ones that are seen; a case that sees it is enough.
    """
    (found,) = left_out(sample, HIGH)
    text = (sample.folder / HIGH).read_text("utf-8")

    assert "in no case of `high_glucose` is `glucose >= high` unknown" == found.headline
    assert ("CDS702", "the cases see: no, yes", 23) == (found.code, found.label, found.place.line)
    assert [] == left_out(sample, HIGH, {HIGH: text + NOT_MEASURED})


def test_a_guard_that_no_case_sees_block(sample):
    """
    Stands where the file names it, also inside a suggestion.
    """
    found = {one.headline: one.place.line for one in left_out(sample, OFFER)}
    lines = (sample.folder / OFFER).read_text("utf-8").splitlines()

    assert {"  - id: recorded", "        - id: treated"} == {
        lines[line - 1] for said, line in found.items() if said.endswith("block")
    }


def test_a_guard_that_a_case_sees_block(sample):
    """
    Is no finding.
    """
    blocked = """\
  - name: recorded
    use: typical
    but: {glucose: 81 mg/dL, insulin: "12.5 u[IU]/mL", type_2_diabetes: present}
    expect: {shown: false, because: recorded}
"""
    text = (sample.folder / OFFER).read_text("utf-8")

    assert "CDS702 in no case of `prediabetes` does `recorded` block" not in said(
        left_out(sample, OFFER, {OFFER: text + blocked})
    )


def test_a_cut_off_without_a_case_on_a_side(sample):
    """
    Says which side, and what numbers the cases have.
    """
    cases = """\
  - name: high
    given: {age: 50 years, glucose: 126 mg/dL}
    expect: {shown: true}
"""
    far = cases.replace("126", "180")
    below = "  - {name: low, given: {age: 50 years, glucose: 125 mg/dL}, expect: {shown: false}}\n"

    def edges(text):
        found = left_out(sample, HIGH, with_cases(sample, HIGH, text))
        return [(one.headline, one.label) for one in found if one.code == "CDS703"]

    name = "no case of `high_glucose` stands"
    assert [(f"{name} just below `high`", "the cases have 126")] == edges(cases)
    assert [(f"{name} just above `high`", "the cases have 125")] == edges(below)
    assert [(f"{name} on either side of `high`", "the cases have 180")] == edges(far)
    assert [(f"{name} on either side of `high`", "no case has a number")] == edges(NOT_MEASURED)
    assert [] == edges(cases + below)


def test_the_cases_at_a_cut_off_can_be_written(sample):
    """
    As a guess that somebody must read; after it the finding is gone.
    """
    (found,) = (one for one in left_out(sample, FACTOR) if one.code == "CDS703")
    before = (sample.folder / FACTOR).read_text("utf-8")

    assert found.fix is not None
    assert not found.fix.safe
    after = applied(before, found.fix.edits)
    assert after.startswith(before)
    assert "{age: 17 years}" in after.removeprefix(before)
    assert "CDS703" not in {one.code for one in left_out(sample, FACTOR, {FACTOR: after})}


def test_cases_are_written_with_the_line_ends_of_the_file(sample):
    """
    Also behind a last line that has none.
    """
    text = (sample.folder / FACTOR).read_text("utf-8").rstrip("\n").replace("\n", "\r\n")
    (found,) = (one for one in left_out(sample, FACTOR, {FACTOR: text}) if one.code == "CDS703")
    after = applied(text, found.fix.edits)

    assert after.startswith(f"{text}\r\n  - name: ")
    assert after.count("\n") == after.count("\r\n")


def test_there_is_nothing_to_write_where_no_patient_is_near(sample):
    """
    One change of a patient must be enough, and `tests` must stand as a block.
    """
    cases = "  - {name: high, given: {age: 50 years, glucose: 180 mg/dL}, expect: {shown: true}}\n"
    flow = with_cases(sample, HIGH, cases)[HIGH].replace("tests:", '"tests":')
    (found,) = (one for one in left_out(sample, HIGH, {HIGH: flow}) if one.code == "CDS703")

    assert found.fix is None


def test_bands_grades_and_labels_that_no_case_reaches(sample):
    """
    Each where the file names it.
    """
    found = [one for one in left_out(sample, FACTOR) if one.code == "CDS704"]
    one_case = "  - {name: raised, given: {hba1c: 5.7 %}, expect: {stage: S2}}\n"
    stages = left_out(sample, STAGES, with_cases(sample, STAGES, one_case))

    assert [
        "CDS704 no case of `resistance` reaches `possible`",
        "CDS704 no case of `resistance` reaches `unlikely`",
    ] == said(found)
    assert [27, 28] == [one.place.line for one in found]
    assert [
        "CDS704 no case of `staging` reaches `S1`",
        "CDS704 no case of `staging` reaches `UNDET`",
    ] == [one for one in said(stages) if one.startswith("CDS704")]


def test_rules_without_cases_and_rules_with_errors(sample):
    """
    The first have a finding of their own; in the second nothing can be run.
    """
    text = (sample.folder / HIGH).read_text("utf-8")
    bare = text[: text.index("tests:\n")]

    assert [] == left_out(sample, HIGH, {HIGH: bare})
    assert [] == left_out(sample, HIGH, {HIGH: "kind: [\n"})


def test_an_allow_line_is_judged_when_its_check_has_run(sample):
    """
    Before, nobody knows whether it allows anything.
    """
    allow = "allow:\n  - {check: unseen-answer, because: It is a sample.}\ntests:\n"
    sample.put({HIGH: ("tests:\n", allow)})

    assert [] == sample.found()
    assert [] == left_out(sample, HIGH)
    text = (sample.folder / HIGH).read_text("utf-8") + NOT_MEASURED
    sample.put({HIGH: text})
    found = check_folder(sample.folder, as_of=AS_OF, thorough=True).findings
    assert "CDS608 no `unseen-answer` is found here" in said(found)
