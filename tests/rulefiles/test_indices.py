"""
Indices: inputs, validity, formula, bands.
"""

from decimal import Decimal

import pytest

from cds.core.clauses import Case, Compare
from cds.core.indices import Binary, Call, Input, InputRef, Number, OneIf, Pair, Step

INDEX = "indices/homa.yaml"
INPUTS = """inputs:
  sugar: {concept: glucose, within: 365 days}
  insulin: {concept: insulin_level}
"""
FORMULA = "formula_in: {mg/dL: sugar * insulin / 405, mmol/L: sugar * insulin / 22.5}"
BANDS = """  - {name: expected, below: raised}
  - {name: raised, from: raised}
"""


def index(rules, before, after):
    """Load the sample index with a change."""
    loaded = rules.load({INDEX: (before, after)})
    assert [] == [str(one) for one in loaded.diagnostics]
    return loaded.ruleset.indices["homa"]


def test_a_formula_by_the_unit_that_was_sent(rules):
    """
    Each formula reads its first input in its own unit.
    """
    found = rules.load().ruleset.indices["homa"]

    assert {
        unit: Binary(
            "/",
            Binary("*", InputRef("sugar", unit), InputRef("insulin")),
            Number(Decimal(divisor)),
        )
        for unit, divisor in (("mg/dL", "405"), ("mmol/L", "22.5"))
    } == found.formula_in
    assert None is found.formula
    assert (Pair(("sugar", "insulin"), 1),) == found.same_draw
    assert (2, "1") == (found.digits, found.unit)


def test_inputs_take_the_window_of_their_concept(rules):
    """
    Unless they have one of their own.
    """
    assert (
        Input("sugar", "glucose", "concept", 365),
        Input("insulin", "insulin_level", "concept", 365),
    ) == rules.load().ruleset.indices["homa"].inputs


def test_inputs_of_every_sort(rules):
    """
    An index, a reading, the age; optional, or of one collection.
    """
    more = (
        INPUTS
        + "  years: {age: true}\n  high: {reading: peak, optional: true}\n"
        + "  other: {concept: hba1c, same_collection_as: sugar}\n"
        + "readings: {peak: {highest of: glucose}}\n"
    )

    assert (
        Input("years", "age", "age"),
        Input("high", "homa.peak", "reading", optional=True),
        Input("other", "hba1c", "concept", 365, same_collection_as="sugar"),
    ) == index(rules, INPUTS, more).inputs[2:]


def test_an_index_may_read_another(rules):
    """
    In the unit that one is shown in.
    """
    text = rules.load() and (rules.folder / INDEX).read_text()
    twice = (
        text.replace("id: homa", "id: twice")
        .replace("{concept: insulin_level}", "{index: homa}")
        .replace("same_draw: {of: [sugar, insulin], within: 1 day}", "")
    )

    found = rules.load({"indices/twice.yaml": twice}).ruleset

    assert Input("insulin", "homa", "index") == found.indices["twice"].inputs[1]
    assert found.order.index(("index", "homa")) < found.order.index(("index", "twice"))


def test_steps_constants_and_conditions(rules):
    """
    Steps may use the steps before them.
    """
    found = index(
        rules,
        FORMULA,
        'formula: double * ln(sugar[mg/dL]) + one_if(female)\nlet: {half: "sugar / k", '
        "double: half * 2}\nconstants: {k: {female: 0.7, male: 0.9}}\n"
        "conditions: {female: sex is female, high: sugar >= 100 mg/dL}",
    )

    assert Binary("/", InputRef("sugar"), Step("k")) == found.let["half"]
    assert Binary("*", Step("half"), Number(Decimal(2))) == found.let["double"]
    assert (
        Binary(
            "+",
            Binary("*", Step("double"), Call("ln", (InputRef("sugar", "mg/dL"),))),
            OneIf("female"),
        )
        == found.formula
    )
    assert (Case(Decimal("0.7"), sex="female"), Case(Decimal("0.9"), sex="male")) == (
        found.constants["k"].cases
    )
    assert ["female", "high"] == list(found.conditions)


def test_an_input_may_be_asked_by_its_own_name(rules):
    """
    It then means the result that was chosen, and reads units of its concept.
    """
    found = index(rules, "when: pregnant holds", "when: sugar >= 10 mmol/L")
    (gate,) = found.not_valid_if

    assert isinstance(gate.when, Compare)
    assert ("sugar", "input", None) == (gate.when.name, gate.when.what, gate.when.within)
    assert Decimal("180.160") == gate.when.low.threshold.cases[0].value


def test_only_numbers_are_asked_of_an_input(rules):
    """
    Whether it is known decides the index itself.
    """
    found = rules.found({INDEX: ("when: pregnant holds", "when: sugar is known")})

    assert ["CDS205 `is known` cannot be asked of `sugar`"] == found


def test_several_pairs(rules):
    """
    `same_draw` may be a list.
    """
    found = index(
        rules,
        "same_draw: {of: [sugar, insulin], within: 1 day}",
        "same_draw: [{of: [sugar, insulin], within: 1 day},\n"
        "  {of: [insulin, sugar], within: 7 days}]",
    )

    assert [1, 7] == [one.days for one in found.same_draw]


def test_a_count_of_criteria(rules):
    """
    Named, so that a card can say which.
    """
    found = index(
        rules, FORMULA, "count_of: {waist: waist >= 9 cm within 9 days, woman: sex is female}"
    )

    assert ["waist", "woman"] == list(found.count_of)


def test_the_first_of_several(rules):
    """
    The formula, concepts and other indices, in the order written.
    """
    found = index(rules, FORMULA, "formula: sugar * insulin\nfirst_of: [hba1c, formula]\nnote: N.")

    assert ("hba1c", "formula") == found.first_of
    assert "N." == found.note


def test_gates_without_a_name_are_called_after_what_they_ask(rules):
    """
    Tests and logs need a word for each.
    """
    assert "pregnant" == index(rules, "- {id: pregnant, when", "- {when").not_valid_if[0].id


def test_bands_are_sorted_and_keep_their_thresholds(rules):
    """
    Lowest first, however they were written.
    """
    found = index(
        rules,
        BANDS,
        "  - {name: raised, from: raised}\n  - {name: expected, from: 1, below: raised}\n"
        "  - {name: low, below: 1}\n",
    )

    assert ["low", "expected", "raised"] == [one.name for one in found.bands]
    assert "raised" == found.bands[2].low.name
    assert Decimal(1) == found.bands[0].high.cases[0].value


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (
            "  - {name: expected, from: 1, below: raised}\n  - {name: raised, from: raised}\n",
            "CDS405 no band covers what lies below `expected`",
        ),
        (
            "  - {name: expected, below: raised}\n  - {name: raised, from: raised, below: 9}\n",
            "CDS405 no band covers what lies above `raised`",
        ),
        (
            "  - {name: expected, below: 2}\n  - {name: raised, from: raised}\n",
            "CDS405 no band covers 2 to 2.5",
        ),
        (
            "  - {name: expected, below: 3}\n  - {name: raised, from: raised}\n",
            "CDS406 `expected` and `raised` both cover 2.5 to 3",
        ),
        (
            "  - {name: expected}\n  - {name: raised, from: raised}\n",
            "CDS406 `expected` and `raised` overlap: an end is missing",
        ),
        (
            "  - {name: expected, below: raised}\n  - {name: raised}\n",
            "CDS406 `expected` and `raised` overlap: an end is missing",
        ),
        (
            "  - {name: expected, below: raisd}\n  - {name: raised, from: raised}\n",
            "CDS202 `raisd` is not a threshold of this file",
        ),
        (
            "  - {name: expected, below: 2 %}\n  - {name: raised, from: raised}\n",
            "CDS301 `homa` cannot be compared with a value in %",
        ),
    ],
)
def test_bands_cover_everything_once(rules, bands, expected):
    """
    No number lies in two bands, and none in no band.
    """
    assert expected in rules.found({INDEX: (BANDS, bands)})


def test_bands_are_compared_for_one_person_at_a_time(rules):
    """
    A cut-off for men says nothing of one for women.
    """
    changes = (
        BANDS + "thresholds:\n  raised: {value: 2.5, cite: ada_2025, localisable: 1.6 to 3.8}\n",
        (
            "  - {name: expected, below: one}\n  - {name: raised, from: other}\nthresholds:\n"
            "  one: {male: 1, female: 2, asian: 3, below 30 years: 4, from 30 years: 5,"
            " cite: ada_2025}\n"
            "  other: {female: 2, male: 1, below 30 years: 4, asian: 3, from 30 years: 5,"
            " cite: ada_2025}\n"
        ),
    )

    found = rules.found({INDEX: changes})

    assert "CDS406 `expected` and `raised` both cover 1 to 2" not in found
    assert "CDS405 no band covers 4 to 5" not in found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (FORMULA, "", "CDS104 an index says in one way how it is worked out"),
        (
            FORMULA,
            FORMULA + "\nformula: sugar",
            "CDS104 an index says in one way how it is worked out",
        ),
        (FORMULA, "formula: [a]", "CDS105 expected a formula"),
        (FORMULA, "formula_in: {g: sugar}", "CDS301 `sugar` is not sent in g"),
        (INPUTS, "", "CDS301 `` is not sent in mg/dL"),
        ("{concept: insulin_level}", "{}", "CDS104 the input `insulin` does not say what it is"),
        ("{concept: insulin_level}", "{concept: insulin}", "CDS201 `insulin` is not a concept"),
        ("{concept: insulin_level}", "{index: insulin}", "CDS201 `insulin` is not an index"),
        ("{concept: insulin_level}", "{concept: waist}", "CDS410 the input `insulin` may be of"),
        (
            "{concept: insulin_level}",
            "{concept: insulin_level, same_collection_as: suger}",
            "CDS201 `suger` is not an earlier input",
        ),
        ("{concept: insulin_level}", "x", "CDS105"),
        ("of: [sugar, insulin]", "of: [sugar, insuline]", "CDS201 `insuline` is not an input"),
        (", if_unknown: compute", "", "CDS420 this does not say what to do"),
        (FORMULA, "first_of: [nothing]", "CDS201 `nothing` is not a concept or an index"),
        (FORMULA, "first_of: [pregnant]", "CDS201 `pregnant` is not a concept or an index"),
        ("show: 2 decimals", "show: two decimals", "CDS105 expected `2 decimals`"),
    ],
)
def test_what_is_wrong_with_an_index(rules, before, after, expected):
    """
    Each is said where it stands.
    """
    found = rules.found({INDEX: (before, after)})

    assert any(one.startswith(expected) for one in found), found


def test_the_highest_of_what_is_known(rules):
    """
    Of indices, concepts and nothing else.
    """
    formula = (
        "formula_in: {mg/dL: sugar * insulin / 405, mmol/L: sugar * insulin / 22.5}",
        "highest_known_of: [glucose, insulin_level]",
    )
    wrong = (formula[0], "highest_known_of: [formula, pregnant]")

    loaded = rules.load({"indices/homa.yaml": formula})

    assert ("glucose", "insulin_level") == loaded.ruleset.indices["homa"].highest_known_of
    assert [
        "CDS201 `formula` is not a concept or an index",
        "CDS201 `pregnant` is not a concept or an index",
    ] == sorted(rules.found({"indices/homa.yaml": wrong}))


def test_two_ways_to_work_an_index_out(rules):
    """
    A first of several may have a formula of its own, and nothing else.
    """
    changes = {"indices/homa.yaml": ("formula_in:", "first_of: [glucose]\nformula_in:")}
    both = {
        "indices/homa.yaml": (
            "formula_in: {mg/dL: sugar * insulin / 405, mmol/L: sugar * insulin / 22.5}",
            "first_of: [glucose]\nhighest_known_of: [glucose, insulin_level]",
        )
    }

    assert [] == rules.found(changes)
    assert ["CDS104 an index says in one way how it is worked out"] == rules.found(both)
