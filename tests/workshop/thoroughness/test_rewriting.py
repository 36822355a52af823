"""Other texts of a resolved rule: one place of it changed."""

from dataclasses import replace

from cds.core.clauses import Compare, Threshold
from cds.workshop.thoroughness.rewriting import changed_at, everywhere, places_in


def first(rule, kind):
    """Find the first piece of a kind, with its path."""
    return next((path, one) for path, one in places_in(rule) if isinstance(one, kind))


def test_every_piece_is_walked_with_its_path(rules):
    """The path leads back to it."""
    rule = rules.cards["short_sleep"]
    path, clause = first(rule, Compare)

    assert "sleep_duration < enough" == clause.text
    assert ("show_if", "of", 1) == path


def test_what_lies_around_a_change_gets_a_key_of_its_own(rules):
    """So that no answer is taken for another's; the rest stays as it was."""
    rule = rules.cards["short_sleep"]
    path, clause = first(rule, Compare)
    other = changed_at(rule, path, replace(clause, within=1), "mark")

    assert 1 == other.show_if.of[1].within
    assert other.show_if.key != rule.show_if.key
    assert other.show_if.of[0] is rule.show_if.of[0]


def test_a_table_is_changed_by_name(rules):
    """As a tuple is by number."""
    rule = rules.indices["metabolic_syndrome"]
    name = next(iter(rule.count_of))
    other = changed_at(rule, ("count_of", name), None, "mark")

    assert other.count_of[name] is None
    assert list(rule.count_of) == list(other.count_of)


def test_a_piece_is_changed_wherever_it_stands(rules):
    """What is not changed is the very same."""
    rule = rules.cards["fatty_liver_likely"]

    def change(value):
        if isinstance(value, Threshold) and value.name == "steatosis_cap":
            return replace(value, cite="other")
        return value

    other = everywhere(rule, change, "mark")
    cites = [one.cite for _, one in places_in(other) if isinstance(one, Threshold)]

    assert 3 == cites.count("other")
    assert everywhere(rule, lambda value: value, "mark") is not None
    assert other.unless[0].when is rule.unless[0].when
