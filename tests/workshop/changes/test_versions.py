"""
Which number of a version must move, and which did.
"""

from dataclasses import replace

import pytest

from cds.workshop.changes.versions import bumped, logic_of, lost_names, needed_bump, next_version


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.0.0", "1.0.0", ""),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.3.0", "minor"),
        ("1.2.3", "2.0.0", "major"),
        ("1.2.3", "1.2.2", ""),
        ("1.9.0", "1.10.0", "minor"),
    ],
)
def test_the_number_that_moved(old, new, expected):
    """Numbers, not digits; a step back is none."""
    assert expected == bumped(old, new)


@pytest.mark.parametrize(
    ("bump", "expected"), [("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0")]
)
def test_the_next_version(bump, expected):
    """What is behind the number that moves begins again."""
    assert expected == next_version("1.2.3", bump)


@pytest.mark.parametrize(
    ("answers", "words", "lost", "expected"),
    [
        (False, False, [], ""),
        (False, True, [], "patch"),
        (True, True, [], "minor"),
        (False, True, ["grade sure is gone"], "major"),
    ],
)
def test_the_bump_that_is_needed(answers, words, lost, expected):
    """By what is worst."""
    assert expected == needed_bump(answers=answers, words=words, lost=lost)


def test_what_others_could_use(rules):
    """Kind, code, unit, and the names of bands, grades and stages."""
    card, index = rules.cards["short_sleep"], rules.indices["homa_ir"]
    factor, stages = rules.factors["insulin_resistance"], rules.stages

    assert [] == list(lost_names(card, card))
    assert ["it was card and is index"] == list(lost_names(card, index))
    assert ["its code was IR-SLP-01"] == list(lost_names(card, replace(card, code="IR-X")))
    assert ["its unit was 1", "band raised is gone"] == list(
        lost_names(index, replace(index, unit="%", bands=index.bands[:1]))
    )
    assert ["grade probable is gone"] == [
        one
        for one in lost_names(factor, replace(factor, grades=factor.grades[:1]))
        if "probable" in one
    ]
    assert ["stage S4 is gone"] == list(
        lost_names(
            stages,
            replace(stages, lines=tuple(one for one in stages.lines if one.label != "S4")),
        )
    )


def test_words_and_places_are_no_logic(rules):
    """Cut-offs, conditions, offers and statuses are."""
    card = rules.cards["short_sleep"]
    elsewhere = replace(
        card, title="Other", version="9.9.9", tests=(), logic="", place=replace(card.place, line=9)
    )

    assert logic_of(card) == logic_of(elsewhere)
    assert logic_of(card) != logic_of(replace(card, status="trial"))
    assert logic_of(card) != logic_of(replace(card, suggestions=()))
    assert logic_of(card) != logic_of(replace(card, hooks=("order-sign",)))
    assert logic_of({"a": [1, card]}) == logic_of({"a": [1, elsewhere]})


def test_hooks_that_answer_alike_are_no_logic_of_a_card(rules):
    """The release says so, and no version of a card moves for it."""
    card = rules.cards["short_sleep"]
    more = replace(
        card, hooks=(*card.as_written.hooks, "order-dispatch"), also_on=("order-dispatch",)
    )

    assert logic_of(card) == logic_of(more)
