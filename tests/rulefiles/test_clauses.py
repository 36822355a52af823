"""
The clause grammar: what each sentence becomes, and where a wrong one is marked.
"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.clauses import (
    Any_,
    BandIs,
    CardFires,
    Case,
    Compare,
    GradeIs,
    Holds,
    Known,
    ListComplete,
    Listed,
    NewerThan,
    Not,
    NotUsedBecause,
    Place,
    Received,
    SexIs,
    StageIs,
)
from cds.rulefiles.clauses import parse_clause
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.names import Names, Scope
from cds.rulefiles.nodes import Source
from cds.rulefiles.source import read_source
from tests.rulefiles.conftest import BASE

ROUTED = (
    BASE["concepts/sample.yaml"].replace(
        "not_routes: [topical],",
        "not_routes: [topical], routes: {oral: [oral], skin: [skin, patch]},",
    )
    + """  statin:
    {signal: st, title: Statin, type: medicine, search: medicines, codes: {rxnorm: [83367]},
     routes: {skin: [skin]}, absent_means: false_if_list_complete, verified: V1}
"""
)


def ends(clause):
    """Give the values of both limits and whether they are included."""
    return [
        None if one is None else (one.threshold.cases[0].value, one.inclusive)
        for one in (clause.low, clause.high)
    ]


# --- numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("hba1c >= 5.7 %", [(Decimal("5.7"), True), None]),
        ("hba1c > 5.7 %", [(Decimal("5.7"), False), None]),
        ("hba1c < 5.7 %", [None, (Decimal("5.7"), False)]),
        ("hba1c <= 5.7 %", [None, (Decimal("5.7"), True)]),
        ("hba1c from 5.7 below 6.5 %", [(Decimal("5.7"), True), (Decimal("6.5"), False)]),
        ("hba1c from 5.7 % below 6.5 %", [(Decimal("5.7"), True), (Decimal("6.5"), False)]),
        ("hba1c from cut below 6.5 %", [(Decimal("5.7"), True), (Decimal("6.5"), False)]),
        ("hba1c >= 39 mmol/mol", [(Decimal("5.71972"), True), None]),
        ("insulin_level < 12 m[IU]/L", [None, (Decimal(12), False)]),
        ("waist >= 10 [in_i] within 9 days", [(Decimal("25.40"), True), None]),
    ],
)
def test_a_quantity_is_compared(rules, clause, expected):
    """
    `from` is inclusive, `below` is not, and every number is in the canonical unit.
    """
    assert expected == ends(rules.ask(clause))


def test_a_comparison_knows_its_words_and_place(rules):
    """
    A clause keeps the author's words, and where they stand.
    """
    clause = rules.ask("hba1c >= cut within 90 days")

    assert isinstance(clause, Compare)
    assert "hba1c >= cut within 90 days" == clause.text
    assert Place("rules/conditions/asked.yaml", 21, 11, 27) == clause.place
    assert ("hba1c", "concept", 90) == (clause.name, clause.what, clause.within)
    assert "cut" == clause.low.threshold.name
    assert "%" == clause.low.threshold.unit


def test_a_window_may_follow_a_comma(rules):
    """
    Authors write it both ways.
    """
    assert 90 == rules.ask("hba1c >= 5.7 %, within 90 days").within


def test_a_window_of_one_day(rules):
    """
    One day is said in the singular.
    """
    assert 1 == rules.ask("hba1c >= 5.7 % within 1 day").within


def test_without_a_window_the_concept_gives_its_own(rules):
    """
    How long a result counts belongs to the concept.
    """
    assert 365 == rules.ask("hba1c >= 5.7 %").within


def test_a_concept_without_a_window_needs_one(rules):
    """
    No result may count for ever.
    """
    assert [("CDS410", "waist >= big", "`waist` may be of any age here")] == rules.misread(
        "waist >= big"
    )


def test_a_threshold_by_people_keeps_every_case(rules):
    """
    Sex and group are decided for the patient, not when the file is read.
    """
    clause = rules.ask("waist >= big within 365 days")

    assert (
        Case(Decimal(102), sex="male"),
        Case(Decimal(88), sex="female"),
        Case(Decimal(90), sex="male", group="asian"),
        Case(Decimal(80), sex="female", group="asian"),
    ) == clause.low.threshold.cases


def test_a_pair_keeps_both_numbers(rules):
    """
    A guideline prints 126 and 7.0; neither is converted into the other.
    """
    clause = rules.ask("glucose >= pair")

    assert (
        Case(Decimal(126), alternate=Decimal("7.0"), alternate_unit="mmol/L"),
    ) == clause.low.threshold.cases


def test_a_reading_is_compared_by_its_full_name(rules):
    """
    Two rules may give one name to different readings.
    """
    clause = rules.ask("days >= 2")

    assert ("asked.days", "reading", None) == (clause.name, clause.what, clause.within)
    assert [(Decimal(2), True), None] == ends(clause)


def test_a_count_may_be_said_in_days(rules):
    """
    A count of days reads well with its word.
    """
    assert [(Decimal(2), True), None] == ends(rules.ask("days >= 2 days"))


def test_a_peak_is_compared_in_the_unit_of_its_concept(rules):
    """
    A reading that is not a count has the unit of what it read.
    """
    assert [(Decimal("180.160"), True), None] == ends(rules.ask("peak >= 10 mmol/L"))


def test_an_index_is_compared_in_its_own_unit(rules):
    """
    Indices have no other accepted unit.
    """
    clause = rules.ask("homa >= 2.5")

    assert ("homa", "index") == (clause.name, clause.what)
    assert [("CDS301", "2.5", "`homa` cannot be compared with a value in %")] == rules.misread(
        "homa >= 2.5 %"
    )


def test_age_is_compared_in_years(rules):
    """
    Age is completed years, whether said once or twice.
    """
    clause = rules.ask("age from 18 below 75 years")

    assert ("age", "age") == (clause.name, clause.what)
    assert [(Decimal(18), True), (Decimal(75), False)] == ends(clause)
    assert [("CDS301", "18", "`age` cannot be compared with a value in days")] == rules.misread(
        "age >= 18 days"
    )


def test_a_unit_that_is_not_accepted(rules):
    """
    No conversion is guessed.
    """
    assert [("CDS301", "5", "`hba1c` cannot be compared with a value in mg/dL")] == rules.misread(
        "hba1c >= 5 mg/dL"
    )


def test_a_number_without_a_unit_is_read_and_noted(rules):
    """
    A bare number means the canonical unit, and the author hears of it.
    """
    assert [("CDS302", "5.7", "a number without a unit is compared with `hba1c`")] == rules.misread(
        "hba1c >= 5.7"
    )
    assert [(Decimal(3), True), None] == ends(rules.ask("phq2 >= 3"))


def test_a_cut_off_outside_the_plausible_range(rules):
    """
    Mostly a number of another unit.
    """
    assert [
        ("CDS305", "7", "7 mg/dL lies outside what is plausible for `glucose`")
    ] == rules.misread("glucose >= 7 mg/dL")


def test_a_threshold_of_another_file(rules):
    """
    Thresholds belong to the file that names them.
    """
    assert [("CDS202", "cuts", "`cuts` is not a threshold of this file")] == rules.misread(
        "hba1c >= cuts"
    )
    assert [
        ("CDS202", "a", "`a` is not a threshold of this file"),
        ("CDS202", "b", "`b` is not a threshold of this file"),
    ] == rules.misread("hba1c from a below b")


@pytest.mark.parametrize(
    ("clause", "marked", "headline"),
    [
        ("hba1c >= ", "=", "the clause ends too early"),
        ("hba1c >= within 3 days", "within", "`within` does not fit here"),
        ("hba1c >= 5.7%", "5.7%", "`5.7%` does not fit here"),
        ("hba1c >= 5.7 % withn 3 days", "withn", "`withn` does not fit here"),
        ("hba1c >= 5.7 % within some days", "some", "`some` does not fit here"),
        ("hba1c >= 5.7 % within 3 months", "months", "`months` does not fit here"),
        ("hba1c >= 5.7 % within 3 days ago", "ago", "`ago` does not fit here"),
        ("hba1c >= 5.7 %, perhaps", ",", "`,` does not fit here"),
        ("hba1c >= 5.7 %,", ",", "`,` does not fit here"),
        ("hba1c from 5 to 6 %", "to", "`to` does not fit here"),
        ("hba1c above 5 %", "above", "`above` does not fit here"),
        ("hba1c", "c", "the clause ends too early"),
    ],
)
def test_the_word_that_does_not_fit_is_marked(rules, clause, marked, headline):
    """
    The caret stands where the sentence stops making sense.
    """
    assert ("CDS110", marked, headline) in rules.misread(f"'{clause}'")


def test_an_empty_clause(rules):
    """
    A text of nothing asks nothing.
    """
    assert [("CDS110", '"', "the clause ends too early")] == rules.misread('"" ')


# --- lists --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("type_2_diabetes is present", {}),
        ("type_2_diabetes is present, ever", {"ever": True}),
        ("type_2_diabetes is present ever", {"ever": True}),
        (
            "type_2_diabetes is present, within 42 days, undated counts",
            {"within": 42, "undated_counts": True},
        ),
        (
            "type_2_diabetes is present undated count within 42 days",
            {"within": 42, "undated_counts": True},
        ),
        ("metformin is present or ordered", {"ordered": "also"}),
        ("metformin is ordered", {"ordered": "only"}),
        ("metformin is on record", {"on_record": True}),
        ("fasting is present", {"within": 30}),
        ("fasting is present, ever", {"ever": True}),
        ("pregnancy is present", {}),
    ],
)
def test_an_entry_is_looked_for(rules, clause, expected):
    """
    Suffixes stand in any order; answers have the window of their concept.
    """
    found = rules.ask(clause)

    defaults = {
        "ever": False,
        "within": None,
        "undated_counts": False,
        "on_record": False,
        "ordered": "",
    }
    assert isinstance(found, Listed)
    assert defaults | expected == {name: getattr(found, name) for name in defaults}


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("metformin is ordered", {"ordered": "only"}),
        ("metformin is being refilled", {"ordered": "only", "act": "refilled"}),
        ("type_2_diabetes is being added", {"ordered": "only", "act": "added"}),
        ("metformin is ordered by route oral", {"ordered": "only", "routes": ("oral",)}),
        ("metformin is present by route oral or skin", {"routes": ("oral", "skin")}),
        (
            "metformin is present by route skin or ordered within 9 days",
            {"routes": ("skin",), "ordered": "also", "within": 9},
        ),
        ('"any of [metformin] is present, or ordered"', {"ordered": "also"}),
    ],
)
def test_what_the_call_is_about(rules, clause, expected):
    """
    A draft counts only where it is asked for; a route is one that the concept has.
    """
    rules.base["concepts/sample.yaml"] = ROUTED
    found = rules.ask(clause)

    defaults = {"ordered": "", "act": "ordered", "routes": (), "within": None}
    assert isinstance(found, Listed)
    assert defaults | expected == {name: getattr(found, name) for name in defaults}


@pytest.mark.parametrize(
    ("clause", "texts"),
    [
        ("metformin is newly ordered", [["metformin is ordered", "metformin is present"]]),
        (
            '"any of [metformin, statin] are newly ordered by route skin"',
            [
                ["metformin is ordered by route skin", "metformin is present by route skin"],
                ["statin is ordered by route skin", "statin is present by route skin"],
            ],
        ),
    ],
)
def test_what_is_new_is_ordered_and_not_present(rules, clause, texts):
    """
    Of several, each by itself.
    """
    rules.base["concepts/sample.yaml"] = ROUTED
    found = rules.ask(clause)

    assert isinstance(found, Any_)
    assert texts == [[one.of[0].text, one.of[1].of.text] for one in found.of]
    assert all(isinstance(one.of[1], Not) for one in found.of)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("type_2_diabetes is ordered", ("CDS205", "type_2_diabetes", "could be ordered")),
        ("metformin is being added", ("CDS205", "metformin", "could be being added")),
        ("metformin is present, or ordred", ("CDS110", "or", "`or` does not fit here")),
        ("type_2_diabetes is present, or ordered", ("CDS205", "type_2_diabetes", "ordered")),
        ("type_2_diabetes is being refilled", ("CDS205", "type_2_diabetes", "being refilled")),
        ("metformin is being made", ("CDS110", "made", "does not fit")),
        ("metformin is newly present", ("CDS110", "present", "does not fit")),
        ("metformin is ordered by route", ("CDS110", "e", "the clause ends too early")),
        ("metformin is ordered by route nose", ("CDS201", "nose", "not a route of `metformin`")),
        ("metformin is ordered within 9 days", ("CDS110", "within", "does not fit")),
    ],
)
def test_what_cannot_be_asked_of_a_call(rules, clause, expected):
    """
    Problems are added, medicines refilled; medicines, plans and tests are ordered.
    """
    rules.base["concepts/sample.yaml"] = ROUTED
    code, words, headline = expected

    assert any(
        (code, words) == found[:2] and headline in found[2] for found in rules.misread(clause)
    ), rules.misread(clause)


@pytest.mark.parametrize(
    ("clause", "positive"),
    [
        ("type_2_diabetes is absent", "type_2_diabetes is present"),
        ("type_2_diabetes is not on record", "type_2_diabetes is on record"),
        (
            '"none of [type_1_diabetes, type_2_diabetes] is present"',
            '"any of [type_2_diabetes, type_1_diabetes] are present"',
        ),
        ('"none of [metformin] is known within 3 days"', None),
        ('"none of [hba1c] was received within 9 days"', "hba1c was received within 9 days"),
        ("hba1c was not received within 9 days", '"any of [hba1c] were received within 9 days"'),
        ('"none of [hba1c] is newer than glucose"', "hba1c is newer than glucose"),
        ("hba1c is unknown", "hba1c is known"),
        ('"none of [hba1c, glucose] are known"', '"any of [glucose, hba1c] are known"'),
        ('"any of [hba1c, glucose] is unknown"', '"all of [hba1c, glucose] are known"'),
        ('"all of [hba1c, glucose] are unknown"', '"any of [hba1c, glucose] is known"'),
    ],
)
def test_a_negative_is_the_opposite_of_its_positive(rules, clause, positive):
    """
    Evaluators know only positives and `Not`, so both cannot drift apart.
    """
    if positive is None:
        assert "CDS205" in {code for code, _, _ in rules.misread(clause)}
        return
    negative = rules.ask(clause)

    assert isinstance(negative, Not)
    assert rules.ask(positive).key == negative.of.key
    assert f"not({negative.of.key})" == negative.key


def test_none_is_unknown_means_all_are_known(rules):
    """
    Two negations make a positive.
    """
    both = rules.ask('"none of [hba1c, glucose] is unknown"')

    assert rules.ask('"all of [hba1c, glucose] are known"').key == both.key


def test_answers_are_asked_for_by_their_word(rules):
    """
    A question that was answered no is not one that nobody asked.
    """
    assert ("fasting:no",) == rules.ask("fasting is answered no").names
    assert ("fasting",) == rules.ask("fasting is answered yes within 3 days").names
    assert 30 == rules.ask("fasting is answered no").within
    assert 3 == rules.ask("fasting is answered yes within 3 days").within


def test_only_questions_are_answered(rules):
    """
    A problem is present; it answers nothing.
    """
    assert [("CDS205", "metformin", "`metformin` is not a question with answers")] == rules.misread(
        "metformin is answered yes"
    )
    assert [("CDS110", "maybe", "`maybe` does not fit here")] == rules.misread(
        "fasting is answered maybe"
    )


def test_a_quantity_has_no_entries(rules):
    """
    The note says what the name is, the help what can be asked of it.
    """
    loaded = rules.misread("hba1c is present")

    assert [("CDS205", "hba1c", "`hba1c` has no entries that could be present")] == loaded


def test_a_problem_has_no_number(rules):
    """
    Nothing can be compared with a diagnosis.
    """
    assert [
        ("CDS205", "type_2_diabetes", "`type_2_diabetes` has no number to compare")
    ] == rules.misread("type_2_diabetes >= 3")


@pytest.mark.parametrize(
    ("clause", "marked"),
    [
        ("metformin is here", "here"),
        ("metformin is not here", "here"),
        ("metformin is present somehow", "somehow"),
        ('"any of [metformin] exist"', "exist"),
        ('"any of [metformin] is here"', "here"),
        ('"all of [metformin] are present"', "present"),
        ('"any of metformin is present"', "metformin"),
        ('"any of [metformin; x] is present"', None),
        ('"any of [metformin, ] is present"', "]"),
        ('"any of [metformin"', "n"),
        ('"any of [metformin [x]] is present"', "["),
        ('"all of [hba1c] was received within 3 days"', "was"),
        ('"all of [hba1c] is newer than glucose"', "newer"),
        ("hba1c is newer than", "n"),
        ("pregnant is present at", None),
        ("pregnant is unsure", "unsure"),
    ],
)
def test_lists_are_marked_where_they_break(rules, clause, marked):
    """
    A list clause has few words, and each has its place.
    """
    found = rules.misread(clause)

    if marked is None:
        assert found
    else:
        assert ("CDS110", marked) in [(code, words) for code, words, _ in found]


def test_every_unknown_name_is_reported_at_once(rules):
    """
    One pass, all mistakes.
    """
    assert [
        ("CDS201", "metfornin"),
        ("CDS201", "statin"),
    ] == [found[:2] for found in rules.misread('"any of [metfornin, statin] is present"')]


def test_a_name_that_is_nothing(rules):
    """
    The nearest name is proposed, and what follows is not picked at.
    """
    loaded = rules.misread("hb1ac is whatever it may be")

    assert [("CDS201", "hb1ac")] == [found[:2] for found in loaded]
    assert [("CDS201", "hb1ac")] == [found[:2] for found in rules.misread("hb1ac >= 3 %")]
    assert [("CDS201", "hb1ac")] == [found[:2] for found in rules.misread("hb1ac is present")]
    assert [("CDS201", "hb1ac")] == [found[:2] for found in rules.misread("hb1ac is answered no")]


# --- known, received, newer, not used -----------------------------------------------


def test_known_says_what_each_name_is(rules):
    """
    Evaluators need not look it up again.
    """
    found = rules.ask('"all of [hba1c, homa, days, fasting] are known within 9 days"')

    assert isinstance(found, Known)
    assert ("hba1c", "homa", "asked.days", "fasting") == found.names
    assert ("concept", "index", "reading", "concept") == found.whats
    assert ("all", 9) == (found.quantifier, found.within)
    assert ("age",) == rules.ask("age is known").whats


def test_known_takes_the_window_that_all_share(rules):
    """
    Where concepts differ, each keeps its own.
    """
    assert 365 == rules.ask('"any of [hba1c, glucose] is known"').within
    assert None is rules.ask('"any of [hba1c, fasting] is known"').within


def test_known_is_not_asked_of_conclusions(rules):
    """
    Nothing asks about a conclusion while it is being drawn.
    """
    for name in ("resistance", "pregnant", "type_2_diabetes"):
        assert ("CDS205", name, f"`is known` cannot be asked of `{name}`") in rules.misread(
            f"{name} is known"
        )


def test_receipt_looks_at_what_arrived(rules):
    """
    In any state, within a window that must be said.
    """
    found = rules.ask('"any of [hba1c, type_2_diabetes] was received within 1095 days"')

    assert isinstance(found, Received)
    assert (("hba1c", "type_2_diabetes"), 1095) == (found.names, found.within)
    assert [("CDS410", "`hba1c` may be of any age here")] == [
        (code, headline) for code, _, headline in rules.misread("hba1c was received")
    ]
    assert [("CDS205", "homa", "`homa` is not data that is sent")] == rules.misread(
        "homa was received within 3 days"
    )


def test_newer_compares_two_dates(rules):
    """
    Only data have dates to compare.
    """
    found = rules.ask('"any of [hba1c, glucose] is newer than due_date"')

    assert isinstance(found, NewerThan)
    assert (("hba1c", "glucose"), "due_date") == (found.names, found.than)
    assert [("CDS205", "homa", "`homa` is no dated result")] == rules.misread(
        "hba1c is newer than homa"
    )
    assert ("CDS201", "nothing") in [
        found[:2] for found in rules.misread("hba1c is newer than nothing")
    ]


def test_results_that_were_not_used(rules):
    """
    For which reasons, within which window, and of which concepts.
    """
    found = rules.ask('"some result was not used because of [unit, no value] within 365 days"')
    named = rules.ask('"some result of [hba1c] was not used because of [unit] within 9 days"')

    assert isinstance(found, NotUsedBecause)
    assert (("unit", "no value"), 365, ()) == (found.reasons, found.within, found.names)
    assert ("hba1c",) == named.names


def test_results_that_were_not_used_for_a_reason_nobody_knows(rules):
    """
    Reasons are the gaps we tell apart.
    """
    found = rules.misread('"some result of [homa] was not used because of [bad luck]"')

    assert [
        ("CDS410", "a result that was not used may be of any age here"),
        ("CDS205", "`homa` is not data that is sent"),
        ("CDS201", "`bad luck` is not a reason"),
    ] == [(code, headline) for code, _, headline in found]


# --- conclusions --------------------------------------------------------------------


def test_bands_of_an_index(rules):
    """
    One, or one of several.
    """
    found = rules.ask('"homa is one of [raised, expected]"')

    assert isinstance(found, BandIs)
    assert ("homa", ("raised", "expected")) == (found.name, found.bands)
    assert ("raised",) == rules.ask("homa is raised").bands
    assert [("CDS201", "high", "`high` is not a band of `homa`")] == rules.misread("homa is high")
    assert [("CDS110", "s", "the clause ends too early")] == rules.misread("homa is")


def test_an_index_has_no_entries(rules):
    """
    The question is reported, not only the word.
    """
    assert "CDS205" in {code for code, _, _ in rules.misread("homa is present")}


def test_grades_of_a_factor(rules):
    """
    Exactly, or at least; undetermined is a grade of every factor.
    """
    found = rules.ask("resistance is at least probable")

    assert isinstance(found, GradeIs)
    assert ("resistance", "probable", True) == (found.name, found.grade, found.or_more)
    assert not rules.ask("resistance is undetermined").or_more
    assert [("CDS201", "likely", "`likely` is not a grade of `resistance`")] == rules.misread(
        "resistance is likely"
    )
    assert [("CDS110", "t", "the clause ends too early")] == rules.misread("resistance is at least")


def test_labels_of_the_stages(rules):
    """
    Labels may hold signs that names may not.
    """
    found = rules.ask('"stage is one of [S2, NG(age)?]"')

    assert isinstance(found, StageIs)
    assert ("S2", "NG(age)?") == found.labels
    assert ("UNDET",) == rules.ask("stage is UNDET").labels
    assert [("CDS201", "S9", "`S9` is not a label of the stages")] == rules.misread("stage is S9")


def test_a_condition_holds(rules):
    """
    Only a condition does.
    """
    assert "pregnant" == rules.ask("pregnant holds").name
    assert isinstance(rules.ask("pregnant holds"), Holds)
    assert [("CDS205", "homa", "`homa` is not a condition")] == rules.misread("homa holds")


def test_sex_is_male_or_female(rules):
    """
    Nothing else can be asked of it.
    """
    assert SexIs(
        text="sex is male",
        place=Place("rules/conditions/asked.yaml", 21, 11, 11),
        key="sex is male",
        sex="male",
    ) == rules.ask("sex is male")
    assert [("CDS110", "man", "`man` does not fit here")] == rules.misread("sex is man")


def test_lists_are_complete(rules):
    """
    One list or several.
    """
    found = rules.ask("the medicines list is complete")

    assert isinstance(found, ListComplete)
    assert ("medicines",) == found.lists
    assert ("medicines", "problems", "glycaemia") == rules.ask(
        "'the medicines, problems and glycaemia lists are complete'"
    ).lists
    assert [("CDS110", "medicine")] == [
        found[:2] for found in rules.misread("the medicine list is complete")
    ]
    assert [("CDS110", "lust")] == [
        found[:2] for found in rules.misread("the medicines lust is complete")
    ]


def test_a_card_fires(rules):
    """
    Named by the id of its file.
    """
    found = rules.ask("card sample fires")

    assert isinstance(found, CardFires)
    assert "sample" == found.name
    assert [("CDS201", "simple", "`simple` is not a card")] == rules.misread("card simple fires")


# --- keys ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hba1c >= cut", "hba1c >= 5.70 % within 365 days"),
        ("type_2_diabetes is present, ever", "type_2_diabetes is present ever"),
        ('"any of [metformin, fasting] is present"', '"any of [fasting, metformin] is present"'),
        ("hba1c is known", '"all of [hba1c] are known within 365 days"'),
    ],
)
def test_equal_questions_have_equal_keys(rules, one, other):
    """
    Both evaluators work a key out once.
    """
    assert rules.ask(one).key == rules.ask(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hba1c >= cut", "hba1c > cut"),
        ("hba1c >= cut", "hba1c >= cut within 90 days"),
        ("glucose >= pair", "glucose >= 126 mg/dL"),
        ("waist >= big within 9 days", "waist >= 102 cm within 9 days"),
        ("type_2_diabetes is present", "type_2_diabetes is present, ever"),
        ("metformin is present", "metformin is on record"),
        ("resistance is probable", "resistance is at least probable"),
        ("hba1c is known", "hba1c is known within 9 days"),
    ],
)
def test_different_questions_have_different_keys(rules, one, other):
    """
    Whatever decides the answer is in the key.
    """
    assert rules.ask(one).key != rules.ask(other).key


SENTENCE = """
hba1c is present absent known unknown within 5 days day of any none all [ ] , >= < from below
at least one the list complete sex male stage card fires holds was received newer than not on
record ever undated counts or ordered some result used because unit 5.7 % age answered yes
"""
WORDS = SENTENCE.split()


@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_no_sentence_is_too_odd_to_be_read(text):
    """
    Whatever the words, a clause or a diagnostic comes of them.
    """
    report = Report()
    block = read_source(Source("x.yaml", f"a: '{text}'\n"), report)

    found = parse_clause(block.get("a"), Scope(Names(report), "x"))

    assert found.key
    assert (found.key == "nothing") <= bool(report.sorted())
