"""Conditions to flat positive patterns: two rails, nodes, and limits of the engine."""

import json

import pytest

from cds.core.facts import Gap, ListState
from cds.errors import EngineFailed
from cds.reasoning import engine as engine_module
from cds.reasoning.compile import MOST_PRODUCTIONS
from cds.reasoning.engine import Engine
from tests.reasoning.release import patient, result

PARTS = {
    name: ListState(complete=False, reason=Gap.INCOMPLETE)
    for name in ("tests", "problems", "medicines", "plans")
}


def program(release, holds, more=""):
    """Compile a condition that two cards read."""
    release.condition("asked", f"{more}\nholds_if: {holds}")
    release.card("yes", "show_if: asked holds")
    release.card("no", "show_if: {not: asked holds}")
    reasoner = release.reasoner(everything=False)
    reasoner.close()
    return reasoner.program


def patterns(production):
    """Count the facts that a production matches."""
    return len(production)


class TestRails:
    """One proves yes, one proves no; what nobody reads is not compiled."""

    def test_both_are_written_out(self, release):
        """`>=` for yes, `<` for no."""
        found = program(release, "hba1c >= 6 %").productions

        assert '{"$gte": {"lo": 6.0}}' in json.dumps(found["+0:asked.holds_if"])
        assert '{"$lt": {"hi": 6.0}}' in json.dumps(found["-0:asked.holds_if"])

    @pytest.mark.parametrize(
        ("sign", "yes", "no"),
        [
            (">=", {"$gte": {"lo": 6.0}}, {"$lt": {"hi": 6.0}}),
            (">", {"$gt": {"lo": 6.0}}, {"$lte": {"hi": 6.0}}),
            ("<", {"$lt": {"hi": 6.0}}, {"$gte": {"lo": 6.0}}),
            ("<=", {"$lte": {"hi": 6.0}}, {"$gt": {"lo": 6.0}}),
        ],
    )
    def test_signs(self, release, sign, yes, no):
        """To be above is shown by the low end, to be below by the high end."""
        found = program(release, f"hba1c {sign} 6 %").productions

        assert yes == found["+0:asked.holds_if"][0]["m0"]["$and"][-1]
        assert no == found["-0:asked.holds_if"][0]["m0"]["$and"][-1]

    def test_a_rail_nobody_reads_is_not_compiled(self, release):
        """A card only asks whether it is shown."""
        release.card("one", "show_if: hba1c >= 6 %")

        found = release.reasoner().program

        assert {("one.show_if", True)} == found.rails

    def test_equal_conditions_are_one_node(self, release):
        """Whatever they are called."""
        release.condition("a", "holds_if: hba1c >= 6 %")
        release.condition("b", "holds_if: hba1c >= 6.0 %")
        release.card("one", "show_if: {any: [a holds, gout is present]}")
        release.card("two", "show_if: {any: [b holds, statin is present]}")
        release.index("score", "count_of: {a: a holds, b: b holds}")

        found = release.reasoner().program

        assert found.same_as["a.holds_if"] == found.same_as["b.holds_if"]
        assert {"+0:a.holds_if", "-0:a.holds_if"} == {
            name for name, one in found.productions.items() if "hba1c" in json.dumps(one)
        }

    def test_names_are_plain(self, release):
        """A label may hold what JSON writes otherwise; the answer is found all the same."""
        release.stages("lines: [{label: 'S \"é\"', if: hba1c >= 6 %}, {label: Z, otherwise: true}]")
        release.condition("same", "holds_if: {any: [hba1c >= 6 %, gout is present]}")
        release.condition("inner", "holds_if: {all: [hba1c >= 6 %, same holds]}")
        release.card("one", "show_if: {all: [{not: stage is Z}, inner holds]}")

        found = release.conclude(patient(hba1c="7 %"))

        assert ('S "é"', "fires") == (found.stage.label, found.cards["one"].state)


class TestSizes:
    """What would grow past the engine's limits becomes nodes."""

    MANY = ", ".join(
        f"{name} >= {number} {unit}"
        for name, unit in (("hba1c", "%"), ("glucose", "mg/dL"), ("waist", "cm"), ("enzyme", "U/L"))
        for number in (1, 2, 3, 4)
    )
    FACTS = (
        "hba1c >= 1 %", "glucose >= 1 mg/dL", "waist >= 1 cm", "enzyme >= 1 U/L", "ratio >= 1",
        "age >= 1 years", "sex is female", "gout is absent", "c1 holds", "c2 holds", "c3 holds",
        "c4 holds", "c5 holds", "c6 holds", "c7 holds", "c8 holds", "c9 holds",
    )  # fmt: skip
    EVERYTHING = patient(
        hba1c="5 %", glucose="5 mg/dL", waist="5 cm", enzyme="5 U/L", ratio="5", insulin_level="5"
    )

    def conditions(self, release):
        """Write nine conditions whose truth is a fact of its own."""
        for number in range(1, 10):
            release.condition(
                f"c{number}", f"holds_if: ratio >= 0.{number}\nruled_out_if: ratio < 0.0{number}"
            )

    def test_a_long_conjunction_is_folded(self, release):
        """No production matches more than a dozen facts, and the answers stay right."""
        self.conditions(release)
        every = f"{{all: [{', '.join(self.FACTS)}]}}"

        found = program(release, every)

        assert 12 >= max(patterns(one) for one in found.productions.values())
        assert ["yes", "no", "unknown"] == release.ask(
            every, self.EVERYTHING, patient(sex="male"), patient()
        )

    def test_a_long_alternative_is_folded_where_it_is_disproved(self, release):
        """No is proved by all of them."""
        self.conditions(release)
        opposites = ", ".join(f"{{not: {one}}}" for one in self.FACTS)
        every = f"{{any: [{opposites}]}}"

        assert 12 >= max(patterns(one) for one in program(release, every).productions.values())
        assert ["no", "yes"] == release.ask(every, self.EVERYTHING, patient(sex="male"))

    def test_many_of_many(self, release):
        """Each choice of an `at_least` keeps the limit too."""
        self.conditions(release)
        every = f"{{at_least: {{n: 16, of: [{', '.join(self.FACTS)}]}}}}"

        assert 12 >= max(patterns(one) for one in program(release, every).productions.values())
        assert ["yes", "unknown"] == release.ask(every, self.EVERYTHING, patient(ratio="5"))

    def test_a_product_becomes_nodes(self, release):
        """Three alternatives of three are not written out as 27."""
        three = "{any: [hba1c >= 6 %, waist >= 90 cm, enzyme >= 40 U/L]}"
        other = "{any: [ratio >= 1, glucose >= 100 mg/dL, sex is male]}"
        more = "{any: [gout is present, diabetes is present, age < 18 years]}"

        found = program(release, f"{{all: [{three}, {other}, {more}]}}")

        assert {"asked.holds_if"} < found.read_nodes
        assert 3 >= sum(
            name.startswith("+") and name.endswith("asked.holds_if") for name in found.productions
        )

    def test_alternatives_inside_at_least_are_nodes(self, release):
        """Each counts once."""
        either = "{any: [hba1c >= 6 %, waist >= 90 cm]}"
        clause = f"{{at_least: {{n: 2, of: [{either}, ratio >= 1, sex is male]}}}}"

        assert ["yes", "no", "unknown"] == release.ask(
            clause,
            patient(waist="95 cm", ratio="2"),
            patient(hba1c="5 %", waist="80 cm"),
            patient(),
        )

    def test_too_many_productions_are_refused(self, release, monkeypatch):
        """Before the engine sees them."""
        reasoner = release.reasoner()
        monkeypatch.setattr(engine_module, "MOST_PRODUCTIONS", 2)
        release.condition("a", "holds_if: {any: [hba1c >= 6 %, waist >= 90 cm, ratio >= 1]}")
        release.card("one", "show_if: a holds")

        with pytest.raises(EngineFailed, match=r"\d productions are more than 2"):
            release.reasoner()
        reasoner.close()

        assert 3000 == MOST_PRODUCTIONS

    def test_what_the_engine_refuses_to_compile(self, release):
        """Is told by its code."""
        reasoner = release.reasoner()
        same = [{"m0": {"$and": [{"kind": "x"}, {"code": "x"}]}}]
        reasoner.program.productions |= {f"r{number}": same for number in range(300)}

        with pytest.raises(EngineFailed, match="error code"):
            Engine(reasoner.rules, reasoner.program, {}, {})


class TestThresholds:
    """One production for each kind of patient a cut-off tells apart."""

    PEOPLE = tuple(
        patient(sex=sex, age=age, group=group, enzyme=f"{number} U/L")
        for sex in ("male", "female", "unknown")
        for age in (30, 50, 70, (49, 50), None)
        for group in ("", "asian", "other", "unnamed")
        for number in (15, 25, 35, 45, 55)
    )

    @pytest.mark.parametrize(
        "cases",
        [
            "male: 40 U/L, female: 20 U/L",
            "below 40 years: 20 U/L, from 40 below 50 years: 30 U/L, from 50 years: 50 U/L",
            "male: {below 50 years: 20 U/L, from 50 years: 40 U/L}, female: 30 U/L",
            "value: 30 U/L, asian: 20 U/L",
            "male: 30 U/L, female: 20 U/L, asian: {male: 50 U/L, female: 40 U/L}",
            "value: 30 U/L, asian: 20 U/L, other: 50 U/L",
            (
                "male: 30 U/L, female: {below 50 years: 20 U/L, from 50 years: 40 U/L}, "
                "other: {below 60 years: 20 U/L, from 60 years: 30 U/L}"
            ),
        ],
    )
    @pytest.mark.parametrize(
        "clause", ["enzyme >= cut", "enzyme < cut", "enzyme from cut below top"]
    )
    def test_both_evaluators_choose_alike(self, release, cases, clause):
        """For everybody, known or not; a difference would raise."""
        more = (
            f"thresholds:\n  cut: {{{cases}, cite: book}}\n"
            "  top: {below 50 years: 40 U/L, from 50 years: 52 U/L, cite: book}"
        )

        found = release.ask(clause, *self.PEOPLE, more=more)

        assert {"yes", "no"} <= set(found)

    @pytest.mark.parametrize(
        ("cases", "sent"),
        [
            (
                "pair: [126 mg/dL, 7.0 mmol/L]",
                ["126 mg/dL", "125 mg/dL", "7.0 mmol/L", "6.99 mmol/L"],
            ),
            (
                "male: [126 mg/dL, 7.0 mmol/L], female: 110 mg/dL",
                ["126 mg/dL", "112 mg/dL", "7.0 mmol/L", "6.2 mmol/L"],
            ),
        ],
    )
    @pytest.mark.parametrize("sex", ["male", "female", "unknown"])
    def test_pairs(self, release, cases, sent, sex):
        """Compared in the unit in which a result was sent, of readings in the canonical one."""
        more = (
            f"thresholds:\n  cut: {{{cases}, cite: book}}\n"
            "  top: {pair: [180 mg/dL, 10 mmol/L], cite: book}\n"
            "readings: {peak: {highest of: glucose, within: 365 days}}"
        )
        people = [patient(sex=sex, glucose=one) for one in sent]

        assert {"yes"} <= {
            *release.ask("glucose from cut below top", *people, more=more),
            *release.ask("peak >= cut", *people, more=more),
        }

    @pytest.mark.parametrize(
        ("expected", "clause"),
        [
            ("yes no no unknown yes no", "enzyme >= cut"),
            ("yes no yes unknown yes unknown", "enzyme <= top"),
            ("no yes yes unknown no yes", "enzyme < cut"),
            ("yes no no unknown yes no", "enzyme from cut below top"),
        ],
    )
    def test_the_laboratorys_own_limits(self, release, expected, clause):
        """Where they were sent; a bound on the limit is not above it."""
        more = (
            "thresholds:\n  cut: {male: 40 U/L, female: 50 U/L, or_own: lower limit, cite: book}\n"
            "  top: {value: 60 U/L, or_own: upper limit, cite: book}"
        )
        people = [
            patient(enzyme=[result("enzyme", text, own_low=low, own_high=high)])
            for text, low, high in (
                ("45 U/L", 30, 50),
                ("65 U/L", 70, 60),
                ("45 U/L", 46, 50),
                ("> 40 U/L", 45, 60),
                ("> 45 U/L", 45, 99),
                ("< 45 U/L", 45, None),
            )
        ]
        people[4] = patient(enzyme=[result("enzyme", "50 U/L", own_low=50, own_high=60)])
        people[5] = patient(enzyme=[result("enzyme", "< 45 U/L", own_low=45, own_high=0)])

        assert expected.split() == release.ask(clause, *people, more=more)

    @pytest.mark.parametrize(
        ("expected", "number"),
        [("yes", "0.00002"), ("no", "0.00000999"), ("yes", "0.00001"), ("no", "0.0000099")],
    )
    def test_small_cut_offs(self, release, expected, number):
        """Written without an exponent, or the engine could not read them."""

        assert [expected] == release.ask("ratio >= 0.00001", patient(ratio=number))


class TestCardsThatAskAboutCards:
    """What cannot be asked is refused when the rules are compiled."""

    @pytest.mark.parametrize(
        ("expected", "more", "results"),
        [
            ("yes", "if_unknown: show", {}),
            ("yes", "if_unknown: note", {}),
            ("unknown", "if_unknown: hide", {}),
            ("no", "if_unknown: show", {"listed": ("gout",)}),
            ("yes", "if_unknown: hide, when_relevant: sex is male", {"listed": ("gout",)}),
            ("no", "if_unknown: hide, when_relevant: waist >= 90 cm", {"listed": ("gout",)}),
            ("no", "if_unknown: show", {"hba1c": "5 %"}),
        ],
    )
    def test_soft_exclusions(self, release, expected, more, results):
        """One that is unknown does not stop the other, and the engine is told so."""
        release.card(
            "other",
            "show_if: hba1c >= 6 %\n"
            f"unless: [{{id: x, when: gout is present, because: B., {more}}}]",
        )
        release.card("one", "show_if: card other fires")
        release.card("less", "show_if: {not: card other fires}")
        lists = None if results.get("listed") else PARTS

        found = release.conclude(patient(**({"hba1c": "7 %", "lists": lists} | results)))

        assert expected == found.answers["one.show_if"].word
