"""Both evaluators on one release: they answer the same questions, or nobody answers."""

import pytest

from cds.core.findings import IndexResult, Interval, StageResult
from cds.core.truth import NO, YES
from cds.errors import EvaluatorsDisagree
from cds.reasoning import evaluator
from cds.reasoning.evaluator import Reasoner
from tests.reasoning.release import patient

EVIDENCE = (
    "evidence_for: [{id: e, when: hba1c >= 6 %, points: 1, if_missing: could_be_true}]\n"
    "grades: {high: {points: 1}, low: {points_cannot_reach: 1}}"
)


@pytest.fixture
def reasoner(release):
    """Open a release with a bit of everything."""
    release.condition("c", "holds_if: hba1c >= 6 %")
    release.index("score", "inputs: {w: {concept: waist}}\nformula: w")
    release.factor("factor", EVIDENCE)
    release.stages("lines: [{label: A, if: c holds}, {label: Z, otherwise: true}]")
    release.card("one", "show_if: {any: [c holds, factor is high, score >= 90, stage is A]}")
    release.card("two", "show_if: {not: c holds}")
    found = release.reasoner(everything=False)
    yield found
    found.close()


class Lying:
    """An engine that changes one conclusion."""

    def __init__(self, engine, change):
        self.engine = engine
        self.change = change

    def conclude(self, *given):
        """Conclude, and change it."""
        found = self.engine.conclude(*given)
        return evaluator.replace(found, **self.change(found))

    def close(self):
        """Close the engine."""
        self.engine.close()


def without(table, name):
    """Leave one name out."""
    return {key: one for key, one in table.items() if key != name}


@pytest.mark.parametrize(
    ("nodes", "change"),
    [
        (("stage",), lambda _: {"stage": StageResult("B")}),
        (("score",), lambda found: {"numbers": without(found.numbers, "score")}),
        (
            ("score",),
            lambda found: {
                "numbers": {**found.numbers, "score": IndexResult("score", "value", Interval(1, 2))}
            },
        ),
        (("factor",), lambda found: {"grades": without(found.grades, "factor")}),
        (
            ("factor",),
            lambda found: {
                "grades": {"factor": evaluator.replace(found.grades["factor"], grade="low")}
            },
        ),
        (("c.holds_if",), lambda found: {"answers": {**found.answers, "c.holds_if": NO}}),
        (("c.holds_if",), lambda found: {"answers": without(found.answers, "c.holds_if")}),
    ],
)
def test_a_difference_names_the_places_and_nothing_of_the_patient(reasoner, nodes, change):
    """Nobody answers then."""
    reasoner._engine = Lying(reasoner._engine, change)

    with pytest.raises(EvaluatorsDisagree) as caught:
        reasoner.conclude(patient(hba1c="7.77 %", waist="95 cm"))

    assert nodes == caught.value.nodes[:1]
    assert "7.77" not in str(caught.value)


def test_an_answer_where_nobody_knows_is_a_difference(reasoner):
    """The engine may not know more."""
    reasoner._engine = Lying(reasoner._engine, lambda found: {"answers": {"c.holds_if": YES}})

    with pytest.raises(EvaluatorsDisagree, match=r"engine and reference differ on c\.holds_if"):
        reasoner.conclude(patient())


def test_silence_of_a_rail_nobody_reads_is_none(reasoner):
    """A card that is not shown is not proved to be not shown."""
    found = reasoner.conclude(patient(hba1c="5 %", waist="50 cm"))

    assert "no" == found.answers["one.show_if"].word
    assert ("one.show_if", False) not in reasoner.program.rails


def test_the_reference_serves_where_the_engine_cannot_be_had(release, monkeypatch):
    """And says why."""
    monkeypatch.setattr(evaluator, "UNAVAILABLE", "durable-rules cannot be imported (ImportError)")
    release.card("one", "show_if: sex is female")

    reasoner = Reasoner(release.load(), engine="both")

    assert ("reference", "durable-rules cannot be imported (ImportError)") == (
        reasoner.engine,
        reasoner.why_not_durable,
    )
    assert "fires" == reasoner.conclude(patient()).cards["one"].state
    reasoner.close()


def test_the_engine_can_be_switched_off(release):
    """By name."""
    reasoner = release.reasoner(engine="reference")

    assert ("reference", "switched off", None) == (
        reasoner.engine,
        reasoner.why_not_durable,
        reasoner.program,
    )


def test_both_is_what_it_says(reasoner):
    """Closing twice is harmless, and the reference goes on alone."""
    engine = reasoner.engine

    reasoner.close()
    reasoner.close()

    assert ("both", "") == (engine, reasoner.why_not_durable)
    assert "A" == reasoner.conclude(patient(hba1c="7 %")).stage.label


@pytest.mark.parametrize(
    ("expected", "answers"),
    [("yes", {"c.holds_if": YES}), ("no", {"c.holds_if": NO}), ("unknown", {})],
)
def test_the_engine_alone_decides_where_it_is_wanted(release, expected, answers):
    """Its answers stand; what it leaves open is unknown, and the reference gives the reasons."""
    release.condition("c", "holds_if: hba1c >= 6 %")
    release.card("one", "show_if: c holds")
    release.card("two", "show_if: {not: c holds}")
    reasoner = release.reasoner(engine="durable", everything=False)
    honest = reasoner.conclude(patient(hba1c="7 %")).answers["c.holds_if"].word
    reasons = reasoner.conclude(patient()).answers["c.holds_if"].needs
    reasoner._engine = Lying(reasoner._engine, lambda _: {"answers": answers})

    found = reasoner.conclude(patient(hba1c="7 %"))
    reasoner.close()

    assert ("durable", "yes", "hba1c") == (reasoner.engine, honest, reasons[0].name)
    assert expected == found.answers["c.holds_if"].word


def test_only_what_is_asked_is_worked_out(release):
    """Unless everything is wanted."""
    release.condition("idle", "holds_if: waist >= 90 cm")
    release.card("one", "show_if: sex is female")

    some, every = (release.conclude(patient(), everything=one).answers for one in (False, True))

    assert ("idle.holds_if" in some, "idle.holds_if" in every) == (False, True)


def test_tools_get_the_trace(reasoner):
    """From the reference alone."""
    run = reasoner.start(patient(hba1c="7 %"))

    assert "yes" == run.ask("one.show_if").word
    assert "A" == run.conclude().stage.label


def test_one_rule_alone_is_worked_out_whole(release):
    """With what it leans on; though nobody reads it, both evaluators answer."""
    release.condition("low", "holds_if: hba1c < 6 %")
    release.condition("asked", "holds_if: {not: low holds}\nruled_out_if: sex is male")
    release.condition("idle", "holds_if: waist >= 90 cm")
    reasoner = Reasoner(release.load(), about=("condition", "asked"))

    found = reasoner.conclude(patient(hba1c="7 %"))
    nodes = {name for name, _ in reasoner.program.rails}
    reasoner.close()

    assert {"low.holds_if", "asked.holds_if", "asked.ruled_out_if"} >= set(found.answers)
    assert "asked.holds_if" in nodes
