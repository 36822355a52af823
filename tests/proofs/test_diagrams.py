"""
Decision diagrams, held against trying every state.
"""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.proofs.diagrams import ALWAYS, NEVER, Diagrams, TooLargeError

SIZES = (2, 3, 4, 2)


def trees():
    """
    Formulas over variables of a few states.
    """
    leaf = st.tuples(st.integers(0, len(SIZES) - 1), st.integers(0, 15)).map(
        lambda one: ("where", one[0], one[1] & ((1 << SIZES[one[0]]) - 1))
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(["both", "either", "if", "same"]), inner, inner),
            st.tuples(st.just("least"), st.integers(1, 3), st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=8,
    )


def drawn(tree, made):
    """
    The diagram of a formula.
    """
    word, *parts = tree
    if word == "where":
        return made.where(*parts)
    if word == "least":
        return made.at_least(parts[0], [drawn(one, made) for one in parts[1]])
    several = [drawn(one, made) for one in parts]
    joins = {"not": "negated", "both": "both", "either": "either", "if": "if_then", "same": "same"}
    return getattr(made, joins[word])(*several)


def holds(tree, states):
    """
    The formula itself.
    """
    word, *parts = tree
    if word == "where":
        return bool(parts[1] >> states[parts[0]] & 1)
    if word == "least":
        return sum(holds(one, states) for one in parts[1]) >= parts[0]
    one, *rest = [holds(part, states) for part in parts]
    return {
        "not": not one,
        "both": one and all(rest),
        "either": one or any(rest),
        "if": not one or any(rest),
        "same": [one] == rest,
    }[word]


def made():
    """
    An empty store with the variables.
    """
    found = Diagrams(10_000)
    for size in SIZES:
        found.variable(size)
    return found


def at(node, states, store):
    """
    The answer of a diagram in one state.
    """
    return store.way([node, *(store.where(level, 1 << one) for level, one in enumerate(states))])


@given(trees())
def test_a_diagram_holds_where_its_formula_does(tree):
    """
    In every state of every variable.
    """
    store = made()
    node = drawn(tree, store)

    assert [holds(tree, states) for states in product(*map(range, SIZES))] == [
        at(node, states, store) is not None for states in product(*map(range, SIZES))
    ]


@given(trees(), trees())
def test_equal_meanings_are_one_node(one, other):
    """
    So that comparing two conditions is comparing two numbers.
    """
    store = made()
    every = list(product(*map(range, SIZES)))
    same = all(holds(one, states) == holds(other, states) for states in every)

    assert same == (drawn(one, store) == drawn(other, store))


@given(st.lists(trees(), min_size=1, max_size=3))
def test_a_way_fulfils_all(several):
    """
    And where there is none, no state does.
    """
    store = made()
    way = store.way([drawn(one, store) for one in several])
    every = list(product(*map(range, SIZES)))
    fulfilling = [states for states in every if all(holds(one, states) for one in several)]
    fits = [s for s in fulfilling if all(s[level] == one for level, one in (way or {}).items())]

    assert (way is not None) == bool(fulfilling)
    assert way is None or fits


@given(trees(), st.integers(0, 47))
def test_a_way_is_held_against_a_condition(tree, number):
    """
    What it leaves out is in its first state.
    """
    store = made()
    states = list(product(*map(range, SIZES)))[number]
    way = {level: one for level, one in enumerate(states) if one}

    assert holds(tree, states) == store.fulfils(way, drawn(tree, store))


def test_which_states_go_first():
    """
    The first, or the last.
    """
    store = made()
    one = store.choose(2, [(0b0010, store.where(3, 0b01)), (0b1000, store.where(3, 0b10))])

    assert [{2: 1, 3: 0}, {2: 3, 3: 1}] == [
        store.way([one], plain=plain) for plain in (True, False)
    ]


@given(trees())
def test_the_levels_are_what_a_condition_depends_on(tree):
    """
    A variable that changes nothing is not among them.
    """
    store = made()
    found = store.levels(drawn(tree, store))
    matters = set()
    for states in product(*map(range, SIZES)):
        for level, size in enumerate(SIZES):
            for other in range(size):
                turned = (*states[:level], other, *states[level + 1 :])
                if holds(tree, states) != holds(tree, turned):
                    matters.add(level)

    assert matters == found


def test_what_nothing_fulfils_and_what_everything_does():
    """
    Two nodes that are always there.
    """
    store = made()
    one = store.where(1, 0b011)

    assert NEVER == store.both(one, store.negated(one))
    assert ALWAYS == store.either(one, store.negated(one))
    assert store.implies(store.where(1, 0b001), one)
    assert not store.implies(one, store.where(1, 0b001))
    assert NEVER == store.where(1, 0)


def test_what_is_left_out_of_a_choice_fails():
    """
    And parts that lead to the same are one.
    """
    store = made()

    assert store.where(1, 0b011) == store.choose(1, [(0b001, ALWAYS), (0b010, ALWAYS)])


def test_a_proof_ends_at_its_limit():
    """
    The next one begins anew.
    """
    store = Diagrams(2)
    levels = [store.variable(2) for _ in range(4)]
    store.begin()
    with pytest.raises(TooLargeError):
        store.every([store.where(level, 1) for level in levels])

    store.begin()

    assert store.where(levels[0], 1)


def test_a_search_ends_at_its_limit():
    """
    However few nodes it is among.
    """
    store = Diagrams(1)
    levels = [store.variable(2) for _ in range(3)]
    nodes = []
    for level in levels:
        store.begin()
        nodes.append(store.where(level, 2))

    with pytest.raises(TooLargeError):
        store.way(nodes)
