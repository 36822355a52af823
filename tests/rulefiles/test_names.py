"""
Names, and the order in which they are worked out.
"""

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.names import order_of


def order(leans):
    """Order keys that lean on one another; give the order and what was reported."""
    report = Report()
    keys = {key: {other: Place("x", 1, 1) for other in others} for key, others in leans.items()}
    places = {key: Place("x", number, 1) for number, key in enumerate(keys, start=1)}
    return order_of(keys, places, report), [one.headline for one in report.sorted()]


A, B, C, CARD = ("index", "a"), ("index", "b"), ("factor", "c"), ("card", "d")


def test_what_is_leaned_on_comes_first():
    """
    Otherwise in the order of the files.
    """
    assert ((B, C, A), []) == order({A: [C], B: [], C: [B]})


def test_cards_come_last():
    """
    Nothing but a card may ask about one.
    """
    assert ((A, CARD), []) == order({CARD: [], A: []})


def test_what_nobody_works_out_is_passed_over():
    """
    A name that is nothing was reported where it stands.
    """
    assert ((A,), []) == order({A: [B]})


def test_a_cycle_prints_its_path():
    """
    From the first name of the circle back to it, without the way that led there.
    """
    found, reported = order({CARD: [A], A: [B], B: [C], C: [B]})

    assert ["b -> c -> b"] == reported
    assert {A, B, C, CARD} == set(found)


def test_a_rule_that_leans_on_itself(rules):
    """
    Said at the id of the rule.
    """
    loaded = rules.load(
        {"conditions/pregnant.yaml": ("ruled_out_if: sex is male", "ruled_out_if: homa is raised")}
    )
    (found,) = loaded.diagnostics

    assert ("CDS210", "pregnant -> homa -> pregnant") == (found.code, found.headline)
    assert Place("rules/conditions/pregnant.yaml", 2, 5, 8) == found.place


def test_a_longer_path_through_three_kinds(rules):
    """
    Stages, index and condition.
    """
    changes = {"conditions/pregnant.yaml": ("sex is male\n", "stage is S2\n")}

    assert ["CDS210 pregnant -> staging -> homa -> pregnant"] == rules.found(changes)


def test_a_name_is_declared_once(rules):
    """
    The place of the first is noted.
    """
    changes = {
        "groups/ir.yaml": "kind: group\nid: ir\nwhen_several_fire: merge\n",
        "groups/more.yaml": "kind: group\nid: ir\nwhen_several_fire: merge\n",
    }
    loaded = rules.load(changes)

    assert ["CDS107", "CDS203"] == [one.code for one in loaded.diagnostics]
    assert ["rules/groups/ir.yaml:2:5"] == [str(one.place) for one in loaded.diagnostics[1].spans]


def test_guesses_end_where_too_much_is_wrong(rules):
    """
    The thirty-first unknown name of a file is said without the nearest.
    """
    clauses = ", ".join(f"hba1{number} is known" for number in range(40))
    before = "holds_if: pregnancy is present"
    found = rules.load({"conditions/pregnant.yaml": (before, f"holds_if: {{all: [{clauses}]}}")})
    unknown = [one for one in found.diagnostics if one.headline.startswith("`hba1")]

    assert 40 == len(unknown)
    assert 30 == sum(bool(one.help) for one in unknown)
