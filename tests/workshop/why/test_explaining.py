"""
Whole rules explained: golden texts of shipped rules, each for one sort of patient.
"""

import itertools
import shutil
from pathlib import Path

import pytest

from cds.reasoning.arbiter import arbitrate
from cds.reasoning.evaluator import Reasoner
from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.histories import past_of
from cds.workshop.testing.subjects import Subjects, patients_of, read_given
from cds.workshop.why.explaining import Explainer, conclude, rule_called
from cds.workshop.why.reasons import written
from tests.sites import hospital
from tests.workshop.explained import ROOT, RULES, run_of, shipped

GOLDEN = Path(__file__).parent / "explanations"
MEN = "age: 52 years, sex: male, "
# name: (rule, patient, but, depth); a patient in words, or one of the rule's own
CASES = {
    "card_shown_by_a_pair": ("IR-MAL-02", "typical", "", 1),
    "card_pair_in_the_other_unit": ("IR-MAL-02", "typical", "total_testosterone: 9.2 nmol/L", 0),
    "card_sex_not_known": ("IR-MAL-02", "typical", "gender_care: present", 0),
    "card_never_measured": ("IR-MAL-02", "typical", "total_testosterone: none", 0),
    "card_conflict": ("IR-MAL-02", "typical", "'total_testosterone': [238 ng/dL, 400 ng/dL]", 0),
    "card_withheld": ("IR-MAL-02", "typical", "opioid: present", 0),
    "card_afternoon": (
        "IR-MAL-02",
        "typical",
        "total_testosterone: 238 ng/dL 10 days ago at 15:30",
        0,
    ),
    "card_list_not_sent": ("IR-MAL-02", "typical", "not_sent: [medicines]", 0),
    "card_of_a_child": ("IR-MAL-02", "typical", "age: 16 years", 0),
    "card_stale": ("IR-SLP-01", f"{MEN} sleep_duration: 6 h 800 days ago", "", 1),
    "card_of_a_hospice": ("IR-MAL-02", "typical", "palliative_care: present", 0),
    "condition_by_sex": ("waist_raised", f"{MEN} waist_circumference: 101.9 cm", "", 1),
    "condition_sex_unknown": ("waist_raised", "age: 60 years, waist_circumference: 95 cm", "", 1),
    "condition_ruled_out": ("pregnant", f"{MEN}", "", 1),
    "condition_undecided": ("probable_ir", "surrogates", "body_weight: none", 0),
    "factor": ("insulin_resistance", f"{MEN} hba1c: 5.9 %, pcos: present", "", 1),
    "factor_excluded": ("insulin_resistance", f"{MEN} type_1_diabetes: present", "", 0),
    "factor_not_assessed": ("insulin_resistance", "age: 14 years, sex: male", "", 0),
    "index_by_unit_sent": (
        "homa_ir",
        f"{MEN} fasting_plasma_glucose: 5.4 mmol/L, fasting_insulin: 114 pmol/L",
        "",
        0,
    ),
    "index_just_below": (
        "homa_ir",
        f"{MEN} fasting_plasma_glucose: 94 mg/dL, fasting_insulin: 10.77 mU/L",
        "",
        0,
    ),
    "index_not_valid": (
        "homa_ir",
        f"{MEN} fasting_plasma_glucose: 180 mg/dL, fasting_insulin: 18 mU/L",
        "",
        0,
    ),
    "index_no_pair": (
        "homa_ir",
        f"{MEN} fasting_plasma_glucose: 94 mg/dL, fasting_insulin: 18 mU/L 31 days ago",
        "",
        0,
    ),
    "index_below_detection": (
        "homa_ir",
        f"{MEN} fasting_plasma_glucose: 94 mg/dL, fasting_insulin: <0.5 mU/L",
        "",
        0,
    ),
    "index_with_constants_and_steps": ("egfr", f"{MEN} creatinine: 1.1 mg/dL", "", 0),
    "index_as_reported": ("egfr", f"{MEN} egfr_reported: '55 mL/min/{{1.73_m2}}'", "", 0),
    "index_count": ("metabolic_syndrome", f"{MEN} hdl_cholesterol: 36 mg/dL", "", 1),
    "stages": ("staging", f"{MEN} hba1c: 5.9 %", "", 1),
}


def explained(what, words, but="", depth=1):
    """
    A rule explained for a patient.
    """
    rules = shipped()
    rule = rule_called(rules, what)
    of = rule if words.isidentifier() else None
    run = run_of(words, of=of, but=but)
    decision = arbitrate(rules, conclude(rules, run))
    return Explainer(rules, run, depth=depth, decision=decision).rule(rule)


@pytest.mark.parametrize("name", list(CASES))
def test_an_explanation_is_as_it_was_read(name, updates_golden):
    """
    Every word of it; somebody has read the golden text.
    """
    text = "\n".join(written(explained(*CASES[name]), width=110, lines=False)) + "\n"
    path = GOLDEN / f"{name}.txt"
    if updates_golden:
        path.write_text(text, "utf-8")

    assert path.read_text("utf-8") == text


def words_from(place):
    """
    What stands on a line; of a text that is folded, all of it.
    """
    line, *more = (ROOT / place.path).read_text("utf-8").splitlines()[place.line - 1 :]
    if not line.endswith(">-"):
        return line
    depth = len(line) - len(line.lstrip(" -"))
    folded = itertools.takewhile(lambda one: one.startswith(" " * depth), more)
    return " ".join(one.strip() for one in folded)


@pytest.mark.parametrize("name", ["card_shown_by_a_pair", "factor", "index_count", "stages"])
def test_a_line_is_the_line_of_its_clause(name):
    """
    In its own file, whichever was opened.
    """
    reasons = [one for one in walked(explained(*CASES[name])) if one.place is not None]
    clauses = [one for one in reasons if " is " in one.text or " holds" in one.text]
    wrong = [
        f"{one.place}: {one.text}"
        for one in clauses
        if one.text.rpartition(": ")[2] not in words_from(one.place)
    ]

    assert clauses
    assert [] == wrong


def walked(reason):
    """
    A reason and all below it.
    """
    yield reason
    for one in reason.of:
        yield from walked(one)


def test_every_golden_text_is_of_a_case():
    """
    None is left behind.
    """
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


def test_every_shipped_rule_can_be_explained():
    """
    For whom nothing is known, and for whom much is.
    """
    rules = shipped()
    ids = [*rules.cards, *rules.indices, *rules.conditions, *rules.factors, rules.stages.id]
    much = (
        f"{MEN} hba1c: 5.9 %, body_weight: 112 kg, body_height: 180 cm, waist_circumference: 120 cm"
    )
    texts = [
        "\n".join(written(Explainer(rules, run, depth=3).rule(rule_called(rules, name))))
        for run in (run_of("age: 52 years"), run_of(much))
        for name in ids
    ]

    assert all(text.count("\n") for text in texts)


def test_a_code_calls_its_card():
    """
    As does the id.
    """
    rules = shipped()

    assert rule_called(rules, "IR-SLP-01") is rule_called(rules, "short_sleep") is not None
    assert rule_called(rules, "no_such_rule") is None


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("shown", {"unless", "show_if"}),
        ("offers", {"offers"}),
        ("cancels", {"offers"}),
        ("summary", {"indicator", "summary"}),
    ],
)
def test_an_expectation_is_explained_by_the_part_it_is_about(word, parts):
    """
    What decides whether a card is shown says nothing about its offers.
    """
    rules = shipped()
    card = rules.cards["low_testosterone_unconfirmed"]
    found = Explainer(rules, run_of("typical", of=card)).about(card, word)

    assert parts == {one.text.partition(",")[0] for one in found.of}


def test_a_card_that_gives_way_says_so():
    """
    It fires all the same.
    """
    rules = shipped()
    card = rules.cards["prediabetes_not_recorded"]
    run = run_of(f"{MEN} hba1c: 5.9 %")
    conclusions = conclude(rules, run)
    decision = arbitrate(rules, conclusions)
    named = {one for one in decision.fired if one in decision.cut}
    texts = {
        name: Explainer(rules, run, decision=decision).card(rules.cards[name]).found
        for name in decision.fired
    }

    assert card.id in decision.fired
    assert named == {name for name, text in texts.items() if text.startswith("FIRES")}


CARD = "cards/low_testosterone_unconfirmed.yaml"
ORDERED = (
    (CARD, "hooks: [patient-view]", "hooks: [order-select]\nneeds_draft: true"),
    (CARD, "    - sex is male\n", "    - metformin is present or ordered\n"),
)


@pytest.fixture
def ordering(tmp_path):
    """
    The shipped rules with a card about an order, and an explainer for its patients.
    """
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    for path, old, new in ORDERED:
        text = (folder / path).read_text("utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new), "utf-8")
    rules = load_ruleset(folder)
    card = rules.cards["low_testosterone_unconfirmed"]
    evaluate = Reasoner(rules, engine="reference", everything=True)

    def explain(words):
        given = {**patients_of(folder, card.place)["typical"], **read_given(words, called="but")}
        run = evaluate.start(Subjects(rules).of_case(given, card.hooks))
        return list(written(Explainer(rules, run).card(card), width=100))

    return explain


def test_an_order_is_a_reason_of_its_own(ordering):
    """
    What is ordered now is said so, and that a card needs it.
    """
    ordered = ordering("metformin: ordered")
    present = ordering("metformin: present, hook: order-select")

    assert any("SHOWN" in line for line in ordered[:2])
    assert any("metformin, ordered now" in line for line in ordered)
    assert any(line.startswith("  needs_draft") for line in ordered)
    assert any("NOT SHOWN" in line for line in present[:2])


def test_a_cut_off_of_a_site_is_told_as_one(tmp_path):
    """
    With what the rules say.
    """
    rules = load_ruleset(hospital(tmp_path), "example_hospital")
    words = f"{MEN} fasting_plasma_glucose: 5.0 mmol/L, fasting_insulin: 13 mU/L"
    run = Reasoner(rules, engine="reference", everything=True).start(
        Subjects(rules).of_case(read_given(words, called="given"))
    )
    reason = Explainer(rules, run).rule(rules.indices["homa_ir"])
    bands = next(one for one in reason.of if one.text == "bands")

    assert "below 3.0 (set by example_hospital; the rules say 2.5)" == bands.of[0].needed


def test_a_card_that_keeps_quiet_says_since_when(tmp_path):
    """
    And which of its periods have passed.
    """
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    text = (folder / CARD).read_text("utf-8")
    quiet = "quiet: {repeat_after: 90 days, after_override: {any: 30 days}}"
    (folder / CARD).write_text(text.replace("quiet: none", quiet), "utf-8")
    rules = load_ruleset(folder)
    card = rules.cards["low_testosterone_unconfirmed"]
    said = {"last_shown": "40 days ago", "override": {"ago": "40 days"}}
    past = past_of(rules, card.id, {"history": said}).history
    given = patients_of(folder, card.place)["typical"]
    run = Reasoner(rules, engine="reference", everything=True).start(Subjects(rules).of_case(given))
    decision = arbitrate(rules, conclude(rules, run), past)
    now = Explainer(rules, run, decision=decision, past=past.cards[card.id]).card(card)
    first = Explainer(rules, run).card(card)

    assert "FIRES (info), quiet" == now.found
    assert [
        ("repeat_after 90 days", "yes", "shown 40 days ago"),
        ("after_override any 30 days", "", "any 40 days ago"),
    ] == [(one.text, one.answer, one.found) for one in now.of[-1].of]
    assert [("no", "never shown before"), ("", "none before")] == [
        (one.answer, one.found) for one in first.of[-1].of
    ]
