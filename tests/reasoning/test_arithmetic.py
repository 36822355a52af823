"""Numbers from several results: readings, pairs, gates, counts and choices."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cds.core.facts import Gap, ListState
from cds.core.findings import Interval
from cds.reasoning import arithmetic
from tests.reasoning.release import conflict, date, moment, patient, result, unusable


def span(found):
    """Give the ends of a number."""
    return found.number.low, found.number.high


def history(concept, *pairs, **more):
    """Make results, newest first, from pairs of text and age."""
    return [result(concept, text, days, **more) for text, days in pairs]


class TestReadings:
    """Numbers from several results of one concept."""

    def read(self, release, reading, snapshot, more=""):
        """Work one reading out."""
        release.condition("c", f"{more}\nreadings: {{n: {{{reading}}}}}\nholds_if: n is known")
        return release.conclude(snapshot).numbers["c.n"]

    def test_counts_days_that_qualify(self, release):
        """Two results of one day count once, those outside the window not at all."""
        found = self.read(
            release,
            "count days of: hba1c, where: at least 6.5 %, within: 365 days",
            patient(hba1c=history("hba1c", ("7 %", 1), ("7 %", 1.1), ("6 %", 9), ("8 %", 400))),
        )

        assert (1, 1) == span(found)
        assert () == found.needs

    def test_a_bound_may_qualify(self, release):
        """It is possible, not sure."""
        found = self.read(
            release,
            "count days of: hba1c, where: at least 6.5 %, within: 365 days",
            patient(hba1c=history("hba1c", ("> 6 %", 1))),
        )

        assert (0, 1) == span(found)
        assert ("hba1c",) == tuple(need.name for need in found.needs)

    def test_a_search_in_parts_may_hold_any_number(self, release):
        """The count has no upper end."""
        parts = patient(
            hba1c="7 %", lists={"tests": ListState(complete=False, reason=Gap.INCOMPLETE)}
        )

        found = self.read(release, "count days of: hba1c, within: 365 days", parts)

        assert (1, None) == span(found)

    @pytest.mark.parametrize(
        ("expected", "found"),
        [
            ((0, 1), (unusable("hba1c", Gap.UNIT, 9),)),
            ((0, 0), (unusable("hba1c", Gap.STATUS, 9),)),
            ((0, 0), (unusable("hba1c", Gap.UNIT, 900),)),
            ((0, 0), (unusable("hba1c", Gap.UNIT, None),)),
            ((1, 1), conflict("hba1c", "7 %", "9 %")),
            ((0, 1), conflict("hba1c", "6 %", "9 %")),
            ((0, 0), conflict("hba1c", "5 %", "6 %")),
        ],
    )
    def test_what_was_not_used_may_have_qualified(self, release, expected, found):
        """A conflict qualifies where both of its values do."""
        reading = "count days of: hba1c, where: at least 6.5 %, within: 365 days"

        assert expected == span(self.read(release, reading, patient(unusable={"hba1c": found})))

    def test_if_latest_asks_the_newest_first(self, release):
        """None counts where it does not qualify."""
        reading = "count days of: hba1c, where: at least 6.5 %, if latest: true, within: 365 days"

        assert [(0, 0), (2, 2)] == [
            span(
                self.read(
                    release, reading, patient(hba1c=history("hba1c", (newest, 1), ("7 %", 9)))
                )
            )
            for newest in ("6 %", "8 %")
        ]

    def test_days_apart(self, release):
        """The newest counts, and then those far enough from each that counts."""
        found = self.read(
            release,
            "count days of: hba1c, apart: 14 days, within: 365 days",
            patient(hba1c=history("hba1c", ("7 %", 1), ("7 %", 9), ("7 %", 20))),
        )

        assert (2, 2) == span(found)

    @pytest.mark.parametrize(
        ("expected", "clock"), [((1, 1), "08:10"), ((0, 0), "11:00"), ((0, 1), "")]
    )
    def test_time_of_draw(self, release, expected, clock):
        """Too late does not count; without a time nobody knows."""
        one = result("enzyme", "5 U/L", when=moment(0, clock))

        found = self.read(
            release,
            "count days of: enzyme, where: below 9 U/L, drawn: before 11:00, within: 365 days",
            patient(enzyme=[one]),
        )

        assert expected == span(found)

    @pytest.mark.parametrize(
        ("expected", "form"),
        [
            ("7.5", "average of last: 2, of: hba1c"),
            ("8", "average of last: 2, of: hba1c, on: different days"),
            ("9", "highest of: hba1c"),
            ("6", "lowest of: hba1c"),
        ],
    )
    def test_one_number_of_several(self, release, expected, form):
        """The newest of each day where days must differ."""
        found = self.read(
            release,
            f"{form}, within: 365 days",
            patient(hba1c=history("hba1c", ("7 %", 1), ("8 %", 1), ("9 %", 30), ("6 %", 60))),
        )

        assert Decimal(expected) == found.number.value

    @pytest.mark.parametrize(
        ("expected", "age"), [("never measured", None), ("stale", 900), (None, 100)]
    )
    def test_too_few_are_unknown(self, release, expected, age):
        """With the reason of the newest."""
        results = {} if age is None else {"hba1c": [result("hba1c", "7 %", age)]}

        found = self.read(
            release, "highest of: hba1c, between: 90 and 365 days ago", patient(**results)
        )

        assert expected == (found.needs[0].reason if found.needs else None)

    def test_any_age_where_nothing_is_said(self, release):
        """Only a reading made by hand has no window; it counts all."""
        release.condition(
            "c", "readings: {n: {highest of: hba1c, within: 9 days}}\nholds_if: n is known"
        )
        rules = release.load()
        open_ = replace(rules.readings["c.n"], between=None)
        numbers = arithmetic.Numbers(
            patient(hba1c=history("hba1c", ("7 %", 900))), rules.concepts, None, {}
        )

        assert Decimal(7) == numbers.read(open_).number.value


class TestInputs:
    """Which results an index is made of."""

    def test_the_newest_in_the_window(self, release):
        """Its age is that of the newest of them."""
        release.index("score", "inputs: {a: {concept: hba1c}, b: {concept: waist}}\nformula: a + b")

        found = release.conclude(patient(hba1c=history("hba1c", ("7 %", 9)), waist="90 cm")).numbers

        assert (97, 0) == (found["score"].number.value, found["score"].days)

    def test_what_is_missing_is_named(self, release):
        """Every one of them, with its reason."""
        release.index(
            "score",
            """
            inputs:
              {a: {concept: hba1c}, b: {concept: waist}, years: {age: true}, o: {index: other}}
            formula: a + b + years + o
            """,
        )
        release.index(
            "other",
            """
            inputs: {a: {concept: ratio}}
            formula: a
            not_valid_if: [{id: g, when: a < 1, because: B., if_unknown: compute}]
            """,
        )
        snapshot = patient(age=None, ratio="0.5", waist=history("waist", ("90 cm", 900)))

        found = release.conclude(snapshot).numbers["score"].needs

        assert [
            ("hba1c", "never measured"), ("waist", "stale"), ("age", "not recorded"),
            ("other", "not valid"),
        ] == [(need.name, need.reason) for need in found]  # fmt: skip

    @pytest.mark.parametrize(
        ("expected", "age", "notes"), [("50", 50, ()), ("50.5", (50, 51), ("age is about",))]
    )
    def test_an_age_within_a_year_is_its_middle(self, release, expected, age, notes):
        """And a note says so."""
        release.index("score", "inputs: {years: {age: true}}\nformula: years")

        found = release.conclude(patient(age=age)).numbers["score"]

        assert (Decimal(expected), notes) == (found.number.value, found.notes)

    def test_other_numbers_may_be_missing(self, release):
        """An optional index that is not known is left out."""
        release.index("other", "inputs: {a: {concept: hba1c}}\nformula: a")
        release.index(
            "score",
            "inputs: {a: {concept: waist}, o: {index: other, optional: true}}\nformula: a",
        )

        assert 90 == release.conclude(patient(waist="90 cm")).numbers["score"].number.value

    def test_pairs_are_the_newest_that_fit(self, release):
        """The first input decides first; too far apart is no pair."""
        release.index(
            "score",
            """
            inputs: {a: {concept: glucose}, b: {concept: insulin_level}}
            same_draw: {of: [a, b], within: 2 days}
            formula: a + b
            """,
        )
        near = patient(
            glucose=history("glucose", ("100 mg/dL", 1), ("90 mg/dL", 30)),
            insulin_level=history("insulin_level", ("5 u[IU]/mL", 29)),
        )
        far = patient(
            glucose=history("glucose", ("100 mg/dL", 1)),
            insulin_level=history("insulin_level", ("5 u[IU]/mL", 29)),
        )

        assert 95 == release.conclude(near).numbers["score"].number.value
        assert {"no pair of results"} == {
            need.reason for need in release.conclude(far).numbers["score"].needs
        }

    def test_one_collection_lies_no_days_apart(self, release):
        """A bare date is a day long; the same date is the same collection."""
        release.index(
            "score",
            """
            inputs: {a: {concept: glucose}, b: {concept: insulin_level}}
            same_draw: {of: [a, b], within: 1 days}
            formula: a + b
            """,
        )
        snapshot = patient(
            glucose=[result("glucose", "100 mg/dL", 3, when=date(3))],
            insulin_level=[result("insulin_level", "5 u[IU]/mL", 3, when=date(3))],
        )

        assert 105 == release.conclude(snapshot).numbers["score"].number.value

    @pytest.mark.parametrize(("expected", "days"), [("105", 1), ("100", 30)])
    def test_an_optional_input_of_the_same_collection(self, release, expected, days):
        """Where it fits no collection it is left out."""
        release.index(
            "score",
            """
            inputs:
              a: {concept: glucose}
              b: {concept: insulin_level, optional: true, same_collection_as: a}
            formula: a
            not_valid_if: [{id: g, when: "b >= 1 u[IU]/mL", because: B., if_unknown: compute}]
            """,
        )
        snapshot = patient(
            glucose=history("glucose", ("100 mg/dL", 1)),
            insulin_level=history("insulin_level", ("5 u[IU]/mL", days)),
        )

        found = release.conclude(snapshot).numbers["score"]

        assert ("not valid" if expected == "105" else "value") == found.state

    def test_tries_are_counted(self, release, monkeypatch):
        """A record cannot make the search slow: it ends without a pair."""
        monkeypatch.setattr(arithmetic, "_MOST_TRIES", 3)
        release.index(
            "score",
            """
            inputs: {a: {concept: glucose}, b: {concept: insulin_level}}
            same_draw: {of: [a, b], within: 1 days}
            formula: a + b
            """,
        )
        snapshot = patient(
            glucose=history("glucose", ("100 mg/dL", 90), ("101 mg/dL", 91), ("102 mg/dL", 1)),
            insulin_level=history("insulin_level", ("5 u[IU]/mL", 1)),
        )

        assert "unknown" == release.conclude(snapshot).numbers["score"].state


class TestGates:
    """Reasons why a number is not valid."""

    GATE = """
        inputs: {{a: {{concept: waist}}}}
        formula: a
        not_valid_if: [{{id: g, when: {when}, because: B., if_unknown: {choice}}}]
        """

    @pytest.mark.parametrize(
        ("expected", "when", "choice"),
        [
            ("not valid", "sex is female", "compute"),
            ("value", "sex is male", "withhold"),
            ("value", "snoring is present", "compute"),
            ("not valid", "snoring is present", "withhold"),
            ("not valid", "a < 95 cm", "compute"),
            ("value", "a < 85 cm", "withhold"),
            ("value", "{not: a < 95 cm}", "withhold"),
            ("not valid", "{all: [a < 95 cm, sex is female]}", "compute"),
            ("value", "{all: [a < 95 cm, sex is male]}", "withhold"),
            ("not valid", "{any: [a < 85 cm, sex is female]}", "compute"),
            ("not valid", "{all: [a < 95 cm, snoring is present]}", "withhold"),
            ("value", "{at_least: {n: 2, of: [a < 95 cm, a < 85 cm, sex is male]}}", "withhold"),
            (
                "not valid",
                "{at_least: {n: 2, of: [a < 95 cm, a < 85 cm, sex is female]}}",
                "compute",
            ),
        ],
    )
    def test_unknown_withholds_or_computes(self, release, expected, when, choice):
        """Inside an index its own names mean the chosen results; others may stand beside them."""
        release.index("score", self.GATE.format(when=when, choice=choice))

        found = release.conclude(patient(waist="90 cm")).numbers["score"]

        assert (expected, "g" if expected == "not valid" else "") == (found.state, found.because)

    def test_a_proved_gate_needs_no_inputs(self, release):
        """What is not valid is not missing."""
        release.index("score", self.GATE.format(when="sex is female", choice="compute"))

        assert "not valid" == release.conclude(patient()).numbers["score"].state

    def test_a_number_without_dates_may_not_be_valid_either(self, release):
        """Then nothing dates it."""
        release.index(
            "score",
            """
            inputs: {years: {age: true}}
            formula: years
            not_valid_if: [{id: g, when: snoring is present, because: B., if_unknown: withhold}]
            """,
        )

        found = release.conclude(patient()).numbers["score"]

        assert ("not valid", None, None) == (found.state, found.when, found.days)

    def test_a_gate_on_an_input_that_is_missing(self, release):
        """Unknown: there is nothing to compare."""
        release.index(
            "score",
            """
            inputs: {a: {concept: waist}, b: {concept: ratio, optional: true}}
            formula: a
            not_valid_if: [{id: g, when: b >= 1, because: B., if_unknown: withhold}]
            """,
        )

        assert "not valid" == release.conclude(patient(waist="90 cm")).numbers["score"].state


class TestIndices:
    """The ways in which a number comes about."""

    def test_a_count_is_an_interval(self, release):
        """Sure and possible; the unknown ones say why."""
        release.index(
            "score",
            "count_of: {a: hba1c >= 6 %, b: waist >= 90 cm, c: sex is male, d: ratio >= 1}",
        )

        found = release.conclude(patient(hba1c="7 %", ratio="0.5")).numbers["score"]

        assert (1, 2) == span(found)
        assert ["yes", "unknown", "no", "no"] == [one.word for one in found.criteria.values()]
        assert ("waist",) == tuple(need.name for need in found.needs)

    def test_a_count_within_a_window_is_of_today(self, release):
        """It has no date of its own, and both evaluators read it so."""
        release.index("score", "count_of: {a: hba1c >= 6 %}")

        assert ["yes"] == release.ask("score >= 1 within 7 days", patient(hba1c="7 %"))

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            (Decimal(9), patient(ratio="9", enzyme="4 U/L")),
            (Decimal(4), patient(enzyme="4 U/L")),
            (Decimal(14), patient(waist="14 cm")),
        ],
    )
    def test_the_first_that_is_known(self, release, expected, snapshot):
        """A concept as it was sent, another index, or the formula."""
        release.index("other", "inputs: {a: {concept: enzyme}}\nformula: a")
        release.index(
            "score", "inputs: {a: {concept: waist}}\nfirst_of: [ratio, other, formula]\nformula: a"
        )

        assert expected == release.conclude(snapshot).numbers["score"].number.value

    @pytest.mark.parametrize(
        ("expected", "snapshot"),
        [
            ("never measured", patient()),
            ("stale", patient(ratio=[result("ratio", "3", 900)])),
            ("conflict", patient(unusable={"ratio": conflict("ratio", "3", "5")})),
            (None, patient(ratio=[result("ratio", "3", 20)])),
            ("stale", patient(ratio=[result("ratio", "3", 40)])),
        ],
    )
    def test_none_of_them_is_known(self, release, expected, snapshot):
        """A window of the input goes before that of the concept."""
        release.index("score", "inputs: {r: {concept: ratio, within: 30 days}}\nfirst_of: [ratio]")

        needs = release.conclude(snapshot).numbers["score"].needs

        assert expected == (needs[0].reason if needs else None)

    def test_a_number_of_conditions_alone(self, release):
        """It needs no input."""
        release.index("score", "conditions: {a: sex is female}\nformula: 1 + one_if(a)")

        assert 2 == release.conclude(patient()).numbers["score"].number.value

    def test_an_unknown_condition_is_a_gap(self, release):
        """With its reasons."""
        release.index(
            "score",
            "inputs: {r: {concept: ratio}}\nconditions: {a: hba1c >= 6 %}\nformula: r + one_if(a)",
        )

        found = release.conclude(patient(ratio="3")).numbers["score"]

        assert ("unknown", "hba1c") == (found.state, found.needs[0].name)

    @pytest.mark.parametrize(
        ("expected", "ratio"), [("low", "0.9"), ("high", "1"), ("", "> 0.5"), ("", "")]
    )
    def test_the_band_that_is_proved(self, release, expected, ratio):
        """None where a range lies across two."""
        release.index(
            "score",
            """
            inputs: {r: {concept: ratio}}
            formula: r
            bands: [{name: low, below: 1}, {name: high, from: 1}]
            """,
        )

        found = release.conclude(patient(**({"ratio": ratio} if ratio else {}))).numbers["score"]

        assert expected == found.band

    def test_an_index_that_says_nothing(self, release):
        """The loader refuses it; made by hand it is never a number."""
        release.index("score", "inputs: {r: {concept: ratio}}\nformula: r")
        rules = release.load()
        broken = replace(rules.indices["score"], formula=None)
        numbers = arithmetic.Numbers(patient(ratio="3"), rules.concepts, None, {})

        assert "unknown" == numbers.compute(broken, None).state

    def test_numbers_are_worked_out_once(self, release):
        """The second evaluator takes what the first found where its answers are the same."""
        release.index("score", "inputs: {r: {concept: ratio}}\nformula: r")
        rules = release.load()
        worked = {}
        first, second = (
            arithmetic.Numbers(patient(ratio="3"), rules.concepts, None, {}, worked)
            for _ in range(2)
        )

        assert first.compute(rules.indices["score"], None) is second.compute(
            rules.indices["score"], None
        )

    def test_interval_of_an_index_goes_on(self, release):
        """A range made of a range."""
        release.index("first", "inputs: {r: {concept: ratio}}\nformula: r")
        release.index("second", "inputs: {f: {index: first}}\nformula: 2 * f")

        found = release.conclude(patient(ratio="< 3")).numbers["second"]

        assert Interval(Decimal(0), Decimal(6), high_open=True) == found.number
