"""Rules as they stand after loading."""

from cds.core.clauses import Not, Place, SexIs, clauses_of

HERE = Place("rules/a.yaml", 3, 7)


def test_a_place_reads_like_a_compiler_says_it():
    """So that an editor can jump there."""

    assert "rules/a.yaml:3:7" == str(HERE)


def test_clauses_come_in_file_order(release):
    """Whatever joins them."""
    release.condition(
        "asked",
        """
        holds_if:
          all: [sex is male, {not: age >= 18 years}, {at_least: {n: 1, of: [age < 9 years]}}]
        """,
    )

    found = clauses_of(release.load().conditions["asked"].holds_if)

    assert ["sex is male", "age >= 18 years", "age < 9 years"] == [one.text for one in found]


def test_the_opposite_has_the_clauses_of_what_it_turns():
    """Nothing is hidden behind a not."""
    clause = SexIs(text="sex is male", place=HERE, key="sex", sex="male")

    assert [clause] == list(clauses_of(Not(of=clause, key="not", place=HERE)))


def test_cards_beside_the_rules_are_told_by_their_code(release):
    """`MC-` is no rule of the knowledge base."""
    release.card("one", "show_if: sex is male\ncode: IR-STG-01")
    release.card("two", "show_if: sex is male\ncode: MC-MISSING")

    cards = release.load().cards

    assert (True, False) == (cards["one"].is_rule, cards["two"].is_rule)
