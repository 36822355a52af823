"""
The driver of the engine: what crashes or goes silently wrong elsewhere does neither here.

Each crash of the engine that a caller of `Engine.conclude` could meet is provoked in a
process of its own, with a time limit and freed memory overwritten.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from cds.core.findings import Conclusions
from cds.errors import EngineFailed
from cds.reasoning import engine as engine_module
from cds.reasoning.evaluator import _differences
from tests.random_patients import Patients
from tests.reasoning.apart import apart
from tests.reasoning.release import entry, patient, result
from tests.serving import shipped

OPENED = """
    import sys, threading
    from pathlib import Path
    from tests.reasoning.release import Release, patient, conflict, result
    from cds.errors import EngineFailed
    from cds.reasoning import engine as module

    release = Release(Path(sys.argv[1]))
    release.condition("c", "holds_if: {all: [hba1c >= 6 %, waist >= 90 cm]}")
    release.index("score", "inputs: {w: {concept: waist}}\\nformula: w")
    release.factor(
        "factor",
        "evidence_for: [{id: e, when: c holds, points: 1, if_missing: could_be_true}]\\n"
        "grades: {high: {points: 1}, low: {points_cannot_reach: 1}}",
    )
    release.stages("lines: [{label: A, if: c holds}, {label: Z, otherwise: true}]")
    release.card("one", "show_if: {all: [c holds, score >= 90, factor is high, stage is A]}")
    reasoner = release.reasoner()
    engine = reasoner._engine
    NOBODY = patient(age=None, sex="unknown", lists={})
    HALF = patient(hba1c="7 %")
    SICK = patient(hba1c="7 %", waist="95 cm")

    def right():
        assert engine.conclude(NOBODY).stage.label == "Z"
        found = engine.conclude(SICK)
        assert found.stage.label == "A" and found.answers["one.show_if"].is_yes
        assert "c.holds_if" not in engine.conclude(HALF).answers
        assert reasoner.conclude(SICK).cards["one"].state == "fires"
"""


def opened(tmp_path, code):
    """Run code after a small release was opened."""
    return apart(OPENED + code, tmp_path)


class TestCrashes:
    """In a process of its own, with freed memory overwritten."""

    def test_nothing_matches(self, tmp_path):
        """
        A session in which nothing fired must not be deleted: the boot rule always fires
        (T52).
        """

        assert ["alive"] == opened(
            tmp_path,
            """
    for _ in range(300):
        right()
    print("alive")
    """,
        )

    @pytest.mark.parametrize(
        "broken",
        [
            "module.Facing", "module.Numbers", "module.latest", "module.stage", "module._write",
            "module._Session.boot", "module._Session._tell_person", "module._Session._tell_words",
            "module._Session._tell_grade", "module._Session._prove", "module._Session._count",
            "module._Session.ask", "module.Numbers.compute",
        ],
    )  # fmt: skip
    def test_an_exception_anywhere_leaves_no_session(self, tmp_path, broken):
        """It comes through, and the next patient is answered as before (T52)."""
        owner, _, name = broken.rpartition(".")

        assert ["ValueError", "alive"] == opened(
            tmp_path,
            f"""
    def fails(*given, **more):
        raise ValueError("in the middle")

    kept = {owner}.__dict__["{name}"]
    for _ in range(20):
        setattr({owner}, "{name}", fails)
        for person in (SICK, NOBODY, HALF):
            try:
                engine.conclude(person)
            except (ValueError, AttributeError) as problem:
                what = type(problem).__name__
            else:
                assert person is not SICK
        setattr({owner}, "{name}", kept)
        right()
    print(what)
    print("alive")
    """,
        )

    @pytest.mark.parametrize("fired", [True, False])
    def test_a_session_left_behind_is_noticed(self, tmp_path, fired):
        """That one evaluation fails; the next has an engine of its own (T52)."""

        assert ["a session was left behind", "alive"] == opened(
            tmp_path,
            f"""
    import durable_rules_engine
    for _ in range(20):
        right()
        _, offset = durable_rules_engine.assert_fact(engine._handle, module._BOOT)
        if {fired}:
            durable_rules_engine.start_action_for_state(engine._handle, offset)
            durable_rules_engine.complete_and_start_action(engine._handle, offset)
        try:
            engine.conclude(SICK)
        except EngineFailed as problem:
            said = str(problem)
        right()
    print(said)
    print("alive")
    """,
        )

    def test_no_threads_and_nothing_of_the_packages_own_driver(self, tmp_path):
        """`durable.engine` starts timers that touch deleted sessions."""

        assert ["1", "[]"] == opened(
            tmp_path,
            """
    right()
    reasoner.close()
    print(threading.active_count())
    print([name for name in sys.modules if name.split(".")[0] == "durable"])
    """,
        )

    def test_facts_the_engine_refuses(self, tmp_path):
        """More conditions true of one fact than it can hold: told, and the next is right."""

        assert ["Could not assert fact, error code: 303", "alive"] == opened(
            tmp_path,
            """
    every = ", ".join(f"hba1c >= 5.{number:03} %" for number in range(90))
    release.condition("many", f"holds_if: {{any: [{every}]}}")
    release.card("two", "show_if: many holds")
    # Such rules are refused before they run.
    from cds.reasoning import compile as compiling
    compiling.check_pending = lambda _: None
    reasoner = release.reasoner()
    engine = reasoner._engine
    for _ in range(20):
        try:
            engine.conclude(SICK)
        except EngineFailed as problem:
            said = str(problem)
        assert engine.conclude(patient(waist="95 cm")).stage.label == "Z"
    print(said)
    print("alive")
    """,
        )

    def test_rules_that_feed_themselves_are_stopped(self, tmp_path):
        """At ten thousand firings, wherever they come from."""

        assert ["10000", "rules feed themselves", "alive"] == opened(
            tmp_path,
            """
    print(module._MOST_FIRINGS)
    for _ in range(20):
        module._MOST_FIRINGS = 3
        try:
            engine.conclude(SICK)
        except EngineFailed as problem:
            said = str(problem)
        module._MOST_FIRINGS = 10_000
        right()
    print(said)
    print("alive")
    """,
        )

    @pytest.mark.parametrize(
        ("expected", "number"),
        [
            ("yes", "0.0000999"), ("no", "0.00001"), ("no", "0.00000001"), ("yes", "99999999999"),
            ("yes", "100000000000000"), ("refused", "1000000000000000"), ("refused", "1e400"),
            ("no", "0"), ("no", "-0"), ("no", "< 0"), ("yes", "> 99999999999"), ("unknown", "< 1"),
        ],
    )  # fmt: skip
    def test_numbers_at_the_edge(self, tmp_path, expected, number):
        """Read as Python reads them, or refused; an open end is the next number."""

        assert [expected] == opened(
            tmp_path,
            f"""
    release.condition("edge", "holds_if: ratio >= 0.00005")
    release.condition("reads", "holds_if: edge holds")
    release.card("two", "show_if: {{not: edge holds}}")
    reasoner = release.reasoner()
    try:
        print(reasoner.conclude(patient(ratio="{number}")).answers["edge.holds_if"].word)
    except EngineFailed as problem:
        assert str(problem) == "a number is outside what the engine can hold"
        print("refused")
    """,
        )


class TestSession:
    """Every code of the engine is looked at."""

    @pytest.fixture
    def session(self, release):
        """Open a session that nobody evaluates."""
        release.condition("c", "holds_if: hba1c >= 6 %")
        release.card("one", "show_if: {any: [c holds, sex is male]}")
        reasoner = release.reasoner()
        engine = reasoner._engine
        session = engine_module._Session(
            engine._rules, engine._program, engine._handle, {}, patient(), None, None, None
        )
        _, offset = engine_module.durable_rules_engine.assert_fact(
            engine._handle, engine_module._BOOT
        )
        session.boot(offset)
        yield session
        engine_module.durable_rules_engine.delete_state(engine._handle, "w")
        reasoner.close()

    def test_a_fact_twice(self, session):
        """Its id was taken."""
        session._tell('"kind":"sex","code":"sex","v":"male"')
        session._asserted = 0

        with pytest.raises(EngineFailed, match="fact 1 was refused with code 2"):
            session._tell('"kind":"sex","code":"sex","v":"male"')

    def test_a_node_twice(self, session):
        """The same again is nothing new, unless the engine says so."""
        session._prove("c.holds_if", True)
        session._prove("c.holds_if", True)
        session._proved.clear()

        with pytest.raises(EngineFailed, match=r"c\.holds_if was asserted twice"):
            session._prove("c.holds_if", True)

    def test_a_node_both_ways(self, session):
        """A contradiction is never an answer (T52)."""
        session._prove("c.holds_if", True)

        with pytest.raises(EngineFailed, match=r"c\.holds_if was proved both ways"):
            session._prove("c.holds_if", False)

    def test_a_boot_rule_that_does_not_fire(self, session):
        """Then nothing may be concluded (T52)."""
        session.booted = False

        with pytest.raises(EngineFailed, match="the boot rule did not fire"):
            session.fire()

    def test_numbers_it_cannot_hold(self, session):
        """No number is written that it would read as another."""
        with pytest.raises(EngineFailed, match="a number is outside what the engine can hold"):
            session._tell(engine_module._write(1e15))

        assert ("0.00001", "5.0") == (engine_module._write(1e-5), engine_module._write(5.0))

    def test_one_in_one_out(self, session):
        """What was told is there, and nothing else."""
        session._tell('"kind":"sex","code":"sex","v":"male"')
        session._tell('"kind":"age","code":"age","lo":50.0,"hi":50.0')

        facts = engine_module.durable_rules_engine.get_facts(session._handle, "w")

        assert 3 == facts.count(b'"kind"' if isinstance(facts, bytes) else '"kind"')


class TestSpoiled:
    """What fails fails once: the next evaluation is right."""

    SICK = patient(hba1c="7 %")

    @pytest.fixture
    def engine(self, release):
        """Open a release with one card."""
        release.card("one", "show_if: hba1c >= 6 %")
        reasoner = release.reasoner()
        yield reasoner._engine
        reasoner.close()

    def is_right(self, engine):
        """Tell whether the next answers are right."""
        return engine.conclude(self.SICK).answers["one.show_if"].is_yes and (
            "one.show_if" not in engine.conclude(patient()).answers
        )

    def test_a_session_left_behind(self, engine):
        """The canary refuses; the engine is built anew."""
        engine_module.durable_rules_engine.assert_fact(engine._handle, engine_module._BOOT)

        with pytest.raises(EngineFailed, match="a session was left behind"):
            engine.conclude(self.SICK)

        assert self.is_right(engine)

    @pytest.mark.parametrize("call", ["create_ruleset", "assert_fact"])
    def test_what_the_engine_refuses_to_begin(self, engine, monkeypatch, call):
        """Told as a failure of the engine, at every step; the next evaluation tries again."""

        def refuse(*_):
            raise engine_module.durable_rules_engine.error("no room")

        engine._spoiled = True
        with monkeypatch.context() as patched:
            patched.setattr(engine_module.durable_rules_engine, call, refuse)
            with pytest.raises(EngineFailed, match="no room"):
                engine.conclude(self.SICK)

        assert self.is_right(engine)

    def test_a_session_that_never_fired(self, engine, monkeypatch):
        """It is not deleted, which would crash; the engine is built anew."""
        with monkeypatch.context() as patched:
            patched.setattr(engine_module._Session, "fire", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                engine.conclude(self.SICK)

        assert self.is_right(engine)

    def test_too_many_firings(self, engine, monkeypatch):
        """They are counted."""
        with monkeypatch.context() as patched:
            patched.setattr(engine_module, "_MOST_FIRINGS", 1)
            with pytest.raises(EngineFailed, match="rules feed themselves"):
                engine.conclude(self.SICK)

        assert self.is_right(engine)

    def test_a_fact_it_cannot_read(self, engine, monkeypatch):
        """Told by the code of the engine and nothing of the patient."""
        with monkeypatch.context() as patched:
            patched.setattr(engine_module, "_write", lambda _: "1e-05")
            with pytest.raises(EngineFailed, match="error code: 204"):
                engine.conclude(self.SICK)

        assert self.is_right(engine)


class TestAlone:
    """The engine without what the reference worked out before."""

    def differences(self, found: Conclusions, other: Conclusions, program) -> list[str]:
        """Name every difference."""
        return list(_differences(found, other, program))

    def test_it_comes_to_the_same(self):
        """Numbers and grades are worked out from its own answers."""
        opened_ = shipped().reasoner
        patients = Patients(opened_.rules, Random(5))  # noqa: S311 - not for secrets
        for _ in range(300):
            snapshot = patients.draw()
            found = opened_.conclude(snapshot)
            other = opened_._engine.conclude(snapshot)

            assert [] == self.differences(found, other, opened_.program)

    @pytest.mark.parametrize("grade", ["high", "low", "conflicting"])
    def test_the_newest_evidence(self, release, grade):
        """The age of results, entries and numbers."""
        release.index("score", "inputs: {w: {concept: waist}}\nformula: w")
        release.factor(
            "factor",
            """
            evidence_for:
              - {id: a, when: "any of [gout, diabetes] is present, ever", points: 1, at_least: high,
                 if_missing: ignore}
              - {id: b, when: sex is female, points: 1, at_least: high, if_missing: ignore}
            evidence_against:
              - {id: g, when: {any: [waist < 90 cm, ratio >= 9]}, at_most: low}
              - {id: h, when: score >= 1, at_most: low}
            if_conflict: newest
            grades: {high: {points: 3}, low: {points_cannot_reach: 1}}
            """,
        )
        release.card("one", "show_if: factor is high")
        days = {"high": 1, "low": 9, "conflicting": 5}[grade]
        snapshot = patient(
            waist=[result("waist", "80 cm", 5)],
            listed={"gout": (entry("gout", None), entry("gout", days), entry("gout", 99))},
        )
        reasoner = release.reasoner()

        found = reasoner._engine.conclude(snapshot).grades["factor"].grade

        assert grade == found == reasoner.conclude(snapshot).grades["factor"].grade
        reasoner.close()


class TestOrder:
    """Order means nothing."""

    def test_of_entries_and_facts(self):
        """Shuffled lists, and facts told in another order, conclude alike."""
        reasoner = shipped().reasoner
        rng = Random(11)  # noqa: S311 - not for secrets
        patients = Patients(reasoner.rules, rng)
        engine = reasoner._engine
        quantities = engine._program.quantities
        try:
            for _ in range(150):
                snapshot = patients.draw()
                expected = reasoner.conclude(snapshot)
                told = sorted(quantities)
                rng.shuffle(told)
                engine._program.quantities = told

                found = reasoner.conclude(shuffled(snapshot, rng))

                assert (expected.answers, expected.grades, expected.stage, expected.cards) == (
                    found.answers,
                    found.grades,
                    found.stage,
                    found.cards,
                )
        finally:
            engine._program.quantities = quantities


def shuffled(snapshot, rng):
    """Change every order that carries no meaning: results stay newest first."""

    def mixed(table):
        names = list(table)
        rng.shuffle(names)
        return {name: table[name] for name in names}

    return replace(
        snapshot,
        results=mixed(snapshot.results),
        unusable=mixed(snapshot.unusable),
        lists=mixed(snapshot.lists),
        entries={
            name: tuple(rng.sample(every, len(every)))
            for name, every in mixed(snapshot.entries).items()
        },
    )


def test_own_limits_are_told_as_far_as_they_are_proved():
    """At or above, above, or neither."""
    of = engine_module._against_own
    span = engine_module.Interval
    five, six = Decimal(5), Decimal(6)

    assert [
        ',"own_lower_at":1,"own_lower_over":1',
        ',"own_lower_at":1,"own_lower_over":0',
        ',"own_lower_at":1,"own_lower_over":1',
        ',"own_lower_at":0,"own_lower_over":0',
        ',"own_lower_at":0,"own_lower_over":0',
        ',"own_lower_over":0',
        ',"own_lower_at":1',
        "",
    ] == [
        of("lower", number, five)
        for number in (
            span(six, six),
            span(five, five),
            span(five, None, low_open=True),
            span(Decimal(0), Decimal(4)),
            span(Decimal(0), five, high_open=True),
            span(Decimal(0), five),
            span(five, six),
            span(None, None),
        )
    ]
