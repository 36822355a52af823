"""Which drafts of a call a suggestion takes back or changes."""

from dataclasses import replace

import pytest

from cds.core.facts import Source
from cds.core.reads import concepts_read
from cds.core.targets import named_orders, reached_by, targets_of
from tests.reasoning.release import entry, patient

LIBRARY = """
kind: actions
id: drafts
actions:
  remove:
    label: Remove
    description: Remove it
    cancel: [diet, statin]
  note:
    label: Note
    description: Note it
    change: {draft: statin, set: {note: [{text: "{{hba1c.value}} {{size.value}}"}]}}
"""
CARD = """
hooks: [patient-view, order-select, order-sign, order-dispatch]
show_if: sex is female
suggestions:
  choose: any
  items:
    - {id: remove, action: remove, guards: none}
    - {id: note, action: note, guards: none}
    - {id: advise, action: advise, guards: none}
"""


@pytest.fixture
def rules(release):
    """Load a card that takes drafts back and changes them."""

    release.index("size", "inputs: {w: {concept: waist}}\nformula: w")
    release.write("actions/drafts.yaml", LIBRARY)
    release.card("one", CARD)
    return release


def draft(concept, name="MedicationRequest/1", status="draft", act="ordered"):
    """Make what a call brings."""
    source = Source(name, "draftOrders", f"$.context.draftOrders.{name}", status=status)
    return entry(concept, source=source, act=act)


def call(*drafts, hook="order-sign"):
    """Make the snapshot of a call with drafts."""
    listed = {}
    for one in drafts:
        listed[one.concept] = (*listed.get(one.concept, ()), one)
    return replace(patient(listed=listed), hook=hook)


def names(entries):
    """Say where they stand."""
    return [one.source.resource for one in entries]


@pytest.mark.parametrize(
    ("reached", "others", "drafts", "hook"),
    [
        (["CarePlan/1"], [], [draft("diet", "CarePlan/1")], "order-sign"),
        (["CarePlan/1"], [], [draft("diet", "CarePlan/1", status="")], "order-select"),
        (["Goal/1"], [], [draft("diet", "Goal/1", status="proposed")], "order-sign"),
        (
            ["CarePlan/1", "MedicationRequest/2"],
            [],
            [draft("statin", "MedicationRequest/2"), draft("diet", "CarePlan/1")],
            "order-sign",
        ),
        ([], ["CarePlan"], [draft("diet", "CarePlan")], "order-sign"),
        ([], ["CarePlan/a b"], [draft("diet", "CarePlan/a b")], "order-sign"),
        ([], ["CarePlan/1"], [draft("diet", "CarePlan/1", status="active")], "order-sign"),
        ([], [], [draft("diet", "CarePlan/1", act="")], "order-sign"),
        ([], [], [draft("gout", "Condition/1", act="added")], "order-sign"),
        ([], [], [draft("diet", "CarePlan/1")], "order-dispatch"),
        ([], [], [draft("diet", "CarePlan/1")], "patient-view"),
    ],
)
def test_which_drafts_are_reached(rules, reached, others, drafts, hook):
    """By name, unsigned, on the hooks whose orders nobody has signed (SUG-14)."""
    loaded = rules.load()
    found = targets_of(loaded.actions["remove"], loaded, call(*drafts, hook=hook))

    assert (reached, others) == (names(found.reached), names(found.others))
    assert bool(found) == bool(reached or others)


@pytest.mark.parametrize(
    ("removed", "kept"), [([], ("statin",)), (["MedicationRequest/1"] * 2, ("gout",))]
)
def test_what_is_never_taken_back_is_left_alone(rules, removed, kept):
    """Also where the same draft is something else besides; it can be changed."""
    loaded = replace(rules.load(), never_cancel=kept)
    both = call(draft("diet"), draft("statin"))

    assert removed == names(targets_of(loaded.actions["remove"], loaded, both).reached)
    assert ["MedicationRequest/1"] == names(
        targets_of(loaded.actions["note"], loaded, both).reached
    )


def test_what_is_looked_for_is_read(rules):
    """The drafts to be reached, what must be left alone, and what the holes are filled from."""
    loaded = rules.load()
    kept = concepts_read(replace(loaded, never_cancel=("snoring",)))

    assert {"diet", "statin", "waist"} <= concepts_read(loaded)
    assert {"snoring"} == kept - concepts_read(loaded)


def test_an_offer_is_made_where_there_is_a_draft(rules):
    """Of what takes drafts back or changes them; others are offered as ever."""
    loaded = rules.load()
    reasoner = rules.reasoner()

    def offered(snapshot):
        finding = reasoner.conclude(snapshot).cards["one"].finding
        return (
            [one.suggestion for one in finding.offers],
            reached_by(finding, loaded, snapshot, cancel=True),
            reached_by(finding, loaded, snapshot, cancel=False),
        )

    statin = call(draft("statin"))
    diet = call(draft("diet", "CarePlan/1"), draft("diet", "CarePlan/2"))

    assert (["remove", "note", "advise"], ("statin",), ("statin",)) == offered(statin)
    assert (["remove", "advise"], ("diet",), ()) == offered(diet)
    assert (["advise"], (), ()) == offered(call())
    reasoner.close()


def test_orders_by_their_names():
    """Each once; what has no id has no name."""
    snapshot = call(draft("diet", "CarePlan/1"), draft("statin", "CarePlan/1"), draft("gout", "X"))

    assert ("CarePlan/1",) == named_orders(["diet", "statin", "gout", "other"], snapshot)
