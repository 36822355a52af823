"""Actions that take drafts back or change them, as rule files write them."""

import pytest

ACTIONS = "actions/library.yaml"
CARD = "cards/sample.yaml"
HOOKS = ("hooks: [patient-view]", "hooks: [order-sign]")
LIBRARY = """
kind: actions
id: library
title: Actions
KEPT
actions:
  plan:
    label: Plan
    description: Plan
    WORK
  order_glucose: {label: Glucose, description: Glucose, result: glucose}
  order_hba1c: {label: HbA1c, description: HbA1c, result: hba1c}
"""


CONCEPTS = """
kind: concepts
id: more
title: More
concepts:
  covering:
    {signal: cov, title: Covering, type: medicine, search: medicines, codes: CODES, verified: V1}
  kept:
    {signal: kept, title: Kept, type: medicine, search: medicines, codes: {rxnorm: [8640, 8641]},
     verified: V1}
"""


@pytest.fixture
def found(rules):
    """Give a function that says what is wrong with an action, offered on order-sign."""
    rules.base["concepts/more.yaml"] = CONCEPTS.replace("CODES", "{rxnorm: [1]}")

    def of(work, kept="", hooks=HOOKS):
        library = LIBRARY.replace("KEPT\n", kept).replace("WORK", work)
        return rules.found({ACTIONS: library, CARD: hooks})

    return of


def test_what_is_read(rules):
    """The concepts, the members as FHIR, and what is never taken back."""
    rules.base["concepts/more.yaml"] = CONCEPTS.replace("CODES", "{rxnorm: [1]}")
    library = LIBRARY.replace("KEPT", "never_cancel: [kept, kept]")
    change = 'change: {draft: metformin, set: {note: [{text: "{{hba1c.value}}"}]}}'
    cancelling = rules.load({ACTIONS: library.replace("WORK", "cancel: [metformin]"), CARD: HOOKS})
    changing = rules.load({ACTIONS: library.replace("WORK", change), CARD: HOOKS})
    taken_back = cancelling.ruleset.actions["plan"]
    changed = changing.ruleset.actions["plan"]

    assert ("kept",) == cancelling.ruleset.never_cancel
    assert (("metformin",), None) == (taken_back.drafts, taken_back.change)
    assert (("metformin",), ()) == (changed.drafts, changed.cancel)
    assert {"note": [{"text": "{{hba1c.value}}"}]} == changed.change.members


@pytest.mark.parametrize(
    ("work", "sentences"),
    [
        ("cancel: [metformin]", []),
        ("cancel: metformin", ["CDS105"]),
        ("cancel: []", ["CDS105"]),
        ("cancel: [metfromin]", ["CDS201"]),
        ("cancel: [hba1c]", ["CDS513"]),
        ("cancel: [pregnancy]", ["CDS513"]),
        ("change: {draft: hba1c, set: {}}", ["CDS513"]),
        ("change: {set: {}}", ["CDS104"]),
        ("change: {draft: metformin}", ["CDS104"]),
        ("change: {draft: metformin, set: [x]}", ["CDS105"]),
        ("change: {draft: [metformin], set: {}}", ["CDS105"]),
        ("change: metformin", ["CDS105"]),
        ("change: {draft: metformin, set: {id: x, _status: y, note: z}}", ["CDS517"] * 2),
        ('change: {draft: metformin, set: {note: "{{nothing.value}}"}}', ["CDS502"]),
        ("cancel: [metformin]\n    change: {draft: metformin, set: {}}", ["CDS105"]),
    ],
)
def test_mistakes_in_an_action(found, work, sentences):
    """Each is found where it stands."""
    assert sentences == [one.partition(" ")[0] for one in found(work)]


@pytest.mark.parametrize(
    ("kept", "sentences"),
    [
        ("never_cancel: [kept]\n", []),
        (
            "never_cancel: [metformin]\n",
            ["CDS515 a draft of `metformin` is never taken back"],
        ),
        ("never_cancel: [hba1c]\n", ["CDS513 `hba1c` is a quantity: no draft of it is kept"]),
        ("never_cancel: [nothing]\n", ["CDS201 `nothing` is not a concept"]),
    ],
)
def test_what_is_never_taken_back(found, kept, sentences):
    """The list holds medicines, plans and orders."""
    assert sentences == found("cancel: [metformin]", kept)


@pytest.mark.parametrize(
    ("is_refused", "codes"),
    [
        (True, "{rxnorm: [8640, 8641, 1]}"),
        (True, "{rxnorm: [864*]}"),
        (False, "{rxnorm: [8640, 1]}"),
        (False, "{snomed: [8640, 8641]}"),
    ],
)
def test_what_covers_all_that_is_never_taken_back(rules, is_refused, codes):
    """One that only shares some products is left to the call."""
    rules.base["concepts/more.yaml"] = CONCEPTS.replace("CODES", codes)
    library = LIBRARY.replace("KEPT", "never_cancel: [kept]").replace("WORK", "cancel: [covering]")
    found = rules.found({ACTIONS: library, CARD: HOOKS})

    assert is_refused == ("CDS515 every `kept` is a `covering`, and is never taken back" in found)
    assert is_refused == any(one.startswith("CDS515") for one in found)


def test_where_it_can_be_offered(found):
    """On a hook whose orders are drafts; a dispatched one is signed."""
    for hooks in ("[patient-view]", "[order-dispatch, problem-list-item-create]"):
        (one,) = found("cancel: [metformin]", hooks=("hooks: [patient-view]", f"hooks: {hooks}"))
        assert one.startswith("CDS516 no hook of this card brings drafts")

    assert [] == found(
        "cancel: [metformin]",
        hooks=("hooks: [patient-view]", "hooks: [patient-view, order-select]"),
    )


@pytest.mark.parametrize("work", ["cancel: [metformin]", "change: {draft: metformin, set: {}}"])
def test_it_is_not_chosen_beforehand(found, rules, work):
    """Neither what takes a draft back nor what changes it."""
    before = "{id: plan, action: plan, guards: none"
    rules.base[CARD] = rules.base[CARD].replace(before, before + ", recommended: true")

    (one,) = found(work)
    assert one.startswith("CDS514 `plan` is chosen beforehand, and a draft is ")
