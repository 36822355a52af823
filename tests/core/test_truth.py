"""Kleene's laws, and that nobody can ask a three-valued answer for two values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.core.truth import NO, YES, Need, Truth, all_of, any_of, at_least, known, negate, unknown

HBA1C = Need("hba1c", "stale")
answers = st.sampled_from([YES, NO, unknown(HBA1C), unknown(Need("waist", "never measured"))])


class TestTruth:
    """One answer."""

    @pytest.mark.parametrize("answer", [YES, NO, unknown(HBA1C)], ids=str)
    def test_has_no_truth_value(self, answer: Truth) -> None:
        """An `if` over three answers is a mistake that shows itself."""

        with pytest.raises(TypeError, match="three answers do not fit into two"):
            bool(answer)

    def test_says_which_it_is(self) -> None:
        """Exactly one of the three questions is true of an answer."""

        assert [(True, False, False), (False, True, False), (False, False, True)] == [
            (one.is_yes, one.is_no, one.is_unknown) for one in (YES, NO, unknown())
        ]

    def test_comes_from_a_plain_fact(self) -> None:
        """Two values become two of the three answers."""

        assert (YES, NO) == (known(True), known(False))

    def test_keeps_each_reason_once(self) -> None:
        """The same need twice is one need."""

        assert (HBA1C,) == unknown(HBA1C, HBA1C).needs


class TestJoins:
    """And, or, not, at least."""

    def test_one_no_decides_an_and(self) -> None:
        """Whatever is unknown, one no is enough."""

        assert NO == all_of([YES, unknown(HBA1C), NO])

    def test_an_unknown_clouds_an_and_with_all_reasons(self) -> None:
        """A reader sees all that is missing."""
        waist = Need("waist", "never measured")

        assert unknown(HBA1C, waist) == all_of([unknown(HBA1C), YES, unknown(waist)])

    def test_nothing_joined(self) -> None:
        """No conditions: all of them hold, and none of them does."""

        assert (YES, NO) == (all_of([]), any_of([]))

    @pytest.mark.parametrize(
        ("expected", "count", "given_answers"),
        [
            (YES, 2, [YES, YES, NO]),
            (NO, 2, [YES, NO, NO]),
            (unknown(HBA1C), 2, [YES, unknown(HBA1C), NO]),
            (YES, 0, [NO]),
        ],
    )
    def test_counts(self, expected: Truth, count: int, given_answers: list[Truth]) -> None:
        """Yes when enough are yes, no when too many are no."""

        assert expected == at_least(count, given_answers)

    @given(st.lists(answers))
    def test_de_morgan(self, given_answers: list[Truth]) -> None:
        """Not all is some not, reasons included."""

        assert negate(all_of(given_answers)) == any_of(negate(one) for one in given_answers)

    @given(st.lists(answers, max_size=6))
    def test_at_least_one_is_or_and_all_is_and(self, given_answers: list[Truth]) -> None:
        """The two ends of counting are the two joins."""

        assert (any_of(given_answers).word, all_of(given_answers).word) == (
            at_least(1, given_answers).word,
            at_least(len(given_answers), given_answers).word,
        )

    @given(st.lists(answers, min_size=1), st.integers(0, 20), st.sampled_from([YES, NO]))
    def test_filling_a_gap_never_takes_an_answer_back(
        self, given_answers: list[Truth], at: int, filled: Truth
    ) -> None:
        """What was proved stays proved when an unknown becomes known."""
        at %= len(given_answers)
        later = [*given_answers]
        if later[at].is_unknown:
            later[at] = filled
        for join in (all_of, any_of):
            before = join(given_answers)

            assert before.is_unknown or before.word == join(later).word
