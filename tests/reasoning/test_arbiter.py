"""Who is shown: merges, appended lines, groups, critical before info, and a cap."""

import pytest

from cds.core.options import Options
from cds.reasoning.arbiter import arbitrate, urgency
from tests.reasoning.release import patient


class Cards:
    """Cards that always fire, and the decision about them."""

    def __init__(self, release):
        self.release = release

    def add(self, name, indicator="info", group="one", priority=50, more=""):
        """Add a card."""
        self.release.card(
            name,
            f"show_if: sex is female\ngroup: {group}\npriority: {priority}\n{more}\n"
            f"card: {{indicator: {indicator}, summary: Look, source: {{cite: book}}}}",
        )

    def decide(self, snapshot=None, **options):
        """Decide about them all."""
        reasoner = self.release.reasoner(everything=False)
        found = reasoner.conclude(snapshot or patient())
        decision = arbitrate(reasoner.rules, found, options=Options(**options))
        reasoner.close()
        return decision

    def group(self, name):
        """Add a group that shows one."""
        self.release.write(
            f"groups/{name}.yaml", f"kind: group\nid: {name}\nwhen_several_fire: show_one\n"
        )


@pytest.fixture
def cards(release):
    """Give an empty set of cards."""
    return Cards(release)


def names(findings):
    """Give the ids of cards."""
    return [one.card for one in findings]


def test_the_most_urgent_speaks_for_its_group(cards):
    """Critical first, then the lower number, then the id."""
    cards.add("c", "info", priority=1)
    cards.add("b", "warning", priority=9)
    cards.add("a", "warning", priority=9)
    cards.add("d", "info", "other")

    found = cards.decide()

    assert ["a", "d"] == names(found.shown)
    assert ("a", "b", "c", "d") == found.fired
    assert ("b", "c") == found.cut
    assert [(1, 9, "a"), (2, 50, "d")] == [urgency(one) for one in found.shown]


def test_what_is_switched_off_is_not_shown(cards):
    """It fired, gives way to nobody, takes nobody's place, and is named."""
    cards.add("a", "warning", priority=1)
    cards.add("b", "info", "other", more="cuts: [{group: one}]")

    found = cards.decide(off=frozenset({"one"}))

    assert ["b"] == names(found.shown)
    assert ("a", "b") == found.fired
    assert ("a",) == found.switched_off
    assert () == found.cut
    assert ["a"] == names(cards.decide(off=frozenset({"other", "unknown"})).shown)
    assert () == cards.decide().switched_off


def test_a_critical_card_cannot_be_switched_off(cards):
    """Whatever its group is, and however few cards are asked for."""
    cards.add("a", "critical", priority=1)
    cards.add("b", "warning", priority=2)
    cards.add("c", "critical", "other")

    found = cards.decide(off=frozenset({"one", "other"}), most_cards=1)

    assert ["a", "c"] == names(found.shown)
    assert ("b",) == found.switched_off


@pytest.mark.parametrize(("most", "expected"), [(None, 5), (1, 1), (3, 3), (9, 5)])
def test_fewer_cards_may_be_asked_for(cards, most, expected):
    """Never more than the profile allows."""
    for name in "abcdef":
        cards.group(f"g_{name}")
        cards.add(name, "warning", f"g_{name}")

    found = cards.decide(most_cards=most)

    assert list("abcdef")[:expected] == names(found.shown)
    assert tuple("abcdef")[expected:] == found.cut


def test_safety_gives_way_to_no_wish_for_fewer_cards(cards):
    """A card of a group in which nothing is dropped stays; the profile's own cap counts for all."""
    cards.release.write("groups/safe.yaml", "kind: group\nid: safe\nwhen_several_fire: merge\n")
    cards.add("a", "warning", priority=1)
    cards.add("b", "warning", "other", priority=2)
    cards.add("c", "warning", "safe", priority=3)
    cards.add("d", "warning", "safe", priority=4)

    found = cards.decide(most_cards=1)

    assert ["a", "c"] == names(found.shown)
    assert ["d"] == names(found.shown[1].merged)
    assert ("b",) == found.cut
    assert ["a", "b", "c"] == names(cards.decide().shown)


def test_what_is_switched_off_is_off_on_trial_too(cards):
    """A card on trial of such a group would not have been shown."""
    cards.add("a", more="status: trial")

    assert ["a"] == names(cards.decide().trial)
    assert () == cards.decide(off=frozenset({"one"})).trial


def test_a_merged_group_becomes_one_card(cards):
    """The others are a part of the most urgent."""
    cards.add("a", "info", "joined", 9)
    cards.add("b", "warning", "joined", 9)

    (found,) = cards.decide().shown

    assert ("b", ["a"]) == (found.card, names(found.merged))


def test_an_appended_card_is_a_line_of_its_host(cards):
    """Even where it would come first."""
    cards.add("a", priority=1, more="appended_to: [b]")
    cards.add("b", priority=9)
    cards.add("c", priority=10)

    found = cards.decide()

    assert ["b"] == names(found.shown)
    assert ["a"] == names(found.shown[0].appended)
    assert ("c",) == found.cut


def test_a_critical_card_is_never_a_line_of_another(cards):
    """The host may be cut by a critical card elsewhere; this one stands for itself."""
    cards.add("line", "critical", priority=9, more="appended_to: [host]")
    cards.add("host", "info", priority=1)
    cards.add("beside", "critical", "other")

    found = cards.decide()

    assert ["line", "beside"] == names(found.shown)
    assert ("host",) == found.cut


def test_an_appended_card_without_its_host(cards):
    """It stands for itself, or falls to another of its group."""
    cards.add("a", priority=1, more="appended_to: [z]")
    cards.add("z", group="other", more="status: trial")

    assert ["a"] == names(cards.decide().shown)

    cards.add("b", priority=9)

    assert (["b"], ("a",)) == (names(cards.decide().shown), cards.decide().cut)


def test_a_critical_card_cuts_all_info(cards):
    """With what was appended or merged."""
    cards.add("a", "critical")
    cards.add("b", "warning", "other")
    for name in ("p", "q"):
        cards.add(name, "info", "joined")

    found = cards.decide()

    assert ["a", "b"] == names(found.shown)
    assert {"p", "q"} == set(found.cut)


@pytest.mark.parametrize(
    ("shown", "cut", "cuts"),
    [
        (["w"], {"i", "j"}, "[{indicator: info}]"),
        (["w", "i"], {"j"}, "[{group: mine}]"),
        (["w", "i"], {"j"}, "[{indicator: info, group: mine}]"),
        (["w", "j", "i"], set(), "[{indicator: warning, group: mine}]"),
        (["w"], {"i", "j"}, "[{group: one}, {group: mine}]"),
        (["w", "j", "i"], set(), "[{indicator: critical}]"),
    ],
)
def test_what_a_card_cuts(cards, shown, cut, cuts):
    """Others that match, never itself; all that a cut says must fit."""
    cards.group("mine")
    cards.add("w", "warning", "other", more=f"cuts: {cuts}")
    cards.add("j", "info", "mine", 1)
    cards.add("i", "info", "one", 2)

    found = cards.decide()

    assert (shown, cut) == (names(found.shown), {*found.cut})


def test_what_is_cut_cuts_nothing(cards):
    """Nor does what lost to another of its group, or what keeps quiet."""
    for name in ("a", "b"):
        cards.group(name)
    cards.add("first", "warning", "a", 1, more="cuts: [{group: b}]")
    cards.add("second", "warning", "b", 2, more="cuts: [{group: one}]")
    cards.add("third", "warning", "a", 3, more="cuts: [{group: one}]")
    cards.add("last", "info", "one", 4)

    found = cards.decide()

    assert ["first", "last"] == names(found.shown)
    assert {"second", "third"} == {*found.cut}


def test_a_merged_card_cuts_with_all_its_parts(cards):
    """And is cut by its indicator as a whole."""
    cards.add("a", "warning", "joined", 1)
    cards.add("b", "info", "joined", 2, more="cuts: [{group: one}]")
    cards.add("c", "info", "one", 3)

    found = cards.decide()

    assert (["a"], ("c",)) == (names(found.shown), found.cut)


def test_five_cards_and_no_more(cards):
    """The least urgent are cut, with their lines."""
    for number in range(6):
        cards.group(f"g{number}")
        cards.add(f"a{number}", group=f"g{number}", priority=number)
    cards.add("line", group="g5", priority=1, more="appended_to: [a5]")

    found = cards.decide()

    assert ["a0", "a1", "a2", "a3", "a4"] == names(found.shown)
    assert {"a5", "line"} == set(found.cut)


def test_the_cap_never_cuts_a_critical_card(cards):
    """Six of them are six."""
    for number in range(6):
        cards.group(f"g{number}")
        cards.add(f"a{number}", "critical", f"g{number}")

    assert 6 == len(cards.decide().shown)


def test_what_is_not_shown_is_told(cards, release):
    """Withheld with the reason, unknown with the needs."""
    release.card(
        "held",
        "show_if: sex is female\n"
        "unless: [{id: x, when: age >= 18 years, because: Grown up., if_unknown: show}]",
    )
    release.card("open", "show_if: hba1c >= 6 %")
    release.card("no", "show_if: sex is male")

    found = cards.decide()

    assert [("held", "Grown up.")] == [(one.card, one.because) for one in found.withheld]
    assert [("open", "hba1c")] == [(card, needs[0].name) for card, needs in found.unknown]
    assert ((), ()) == (found.fired, found.shown)
