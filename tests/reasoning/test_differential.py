"""
The engine answers like the reference evaluator: on the shipped rules, and on random ones.

A failure names the seed; `Author(folder, Random(seed)).write()` writes the folder again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cds.core.facts import Snapshot
from cds.errors import CdsError
from cds.reasoning import engine as engine_module
from cds.reasoning.evaluator import Reasoner
from tests.random_patients import Patients
from tests.reasoning.random_rules import Author
from tests.serving import shipped

PROGRAMS, SNAPSHOTS = 40, 125
# By this seed every card is seen after 1,401 patients; by night there are others, and more.
PATIENTS, SEED = 2_000, 3
ORDERED = 10


def conclude_all(reasoner: Reasoner, patients: Patients, count: int, seed: int) -> Iterator:
    """Conclude on so many patients by both evaluators; a failure names the seed and the draw."""
    for number in range(count):
        snapshot = patients.draw()
        try:
            yield reasoner.conclude(snapshot)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the seed is needed
            # What is wrong is in the message; the snapshot is drawn again from the seed.
            what = (
                f"{type(problem).__name__}: {problem}"
                if isinstance(problem, CdsError)
                else repr(problem)
            )
            pytest.fail(f"seed {seed}, snapshot {number}: {what}")


def shipped_agrees(count: int, seed: int) -> tuple[set[str], set[str]]:
    """Give the stages and the cards that occurred."""
    opened = shipped()
    patients = Patients(opened.rules, Random(seed))  # noqa: S311 - not for secrets
    stages: Counter[str] = Counter()
    fired: Counter[str] = Counter()
    for found in conclude_all(opened.reasoner, patients, count, seed):
        stages[found.stage.label] += 1
        fired.update(name for name, one in found.cards.items() if one.state == "fires")
    return set(stages), set(fired)


def random_agrees(folder: Path, programs: int, snapshots: int, first: int) -> Counter[str]:
    """Write so many rule folders, conclude on each, and count the answers."""
    words: Counter[str] = Counter()
    for seed in range(first, first + programs):
        rng = Random(seed)  # noqa: S311 - not for secrets
        reasoner = Author(folder / str(seed), rng).write().reasoner(everything=rng.random() < 0.5)
        try:
            for found in conclude_all(reasoner, Patients(reasoner.rules, rng), snapshots, seed):
                words.update(one.word for one in found.answers.values())
        finally:
            reasoner.close()
    return words


def test_the_shipped_rules_read_alike():
    """
    Every stage and every card occurs, and both evaluators always agree.
    """
    rules = shipped().rules

    stages, fired = shipped_agrees(PATIENTS, seed=SEED)

    assert {line.label for line in rules.stages.lines} == stages
    assert set(rules.cards) == fired


def test_random_rules_read_alike(tmp_path):
    """Whatever the grammar can say, both evaluators say the same of it."""
    words = random_agrees(tmp_path, PROGRAMS, SNAPSHOTS, first=1)

    assert {"yes", "no", "unknown"} == set(words)
    assert min(words.values()) > sum(words.values()) / 20


class Shuffled:
    """Holds the facts of a phase back, and asserts them in an order of its own."""

    def __init__(self, rng: Random) -> None:
        self.moved = 0
        self._rng = rng
        self._held: list[str] = []
        self._tell = engine_module._Session._tell
        self._fire = engine_module._Session.fire

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the engine's two calls."""

        def tell(session, body: str) -> None:
            self.hold(session, body)

        def fire(session) -> None:
            self.release(session)

        monkeypatch.setattr(engine_module._Session, "_tell", tell)
        monkeypatch.setattr(engine_module._Session, "fire", fire)

    def hold(self, session, body: str) -> None:
        """Keep a fact until somebody wants to know."""
        self._held.append(body)
        session._pending = True

    def release(self, session) -> None:
        """Assert what was kept, and let it fire."""
        facts, self._held = self._held, []
        order = self._rng.sample(facts, len(facts))
        self.moved += order != facts
        for body in order:
            self._tell(session, body)
        self._fire(session)


def shuffled(snapshot: Snapshot, rng: Random) -> Snapshot:
    """Give the same facts, by concept in another order."""
    tables = {
        name: dict(rng.sample([*table.items()], len(table)))
        for name in ("results", "unusable", "entries", "lists")
        for table in [getattr(snapshot, name)]
    }
    return replace(snapshot, **tables)


def test_facts_in_any_order(tmp_path, monkeypatch):
    """The same facts lead to the same conclusions, whatever comes first."""
    rng = Random(11)  # noqa: S311 - not for secrets
    order = Shuffled(rng)
    for seed in range(ORDERED):
        reasoner = Author(tmp_path / str(seed), Random(seed)).write().reasoner()  # noqa: S311
        patients = Patients(reasoner.rules, rng)
        for _ in range(30):
            snapshot = patients.draw()
            expected = reasoner.conclude(snapshot)
            with monkeypatch.context() as patched:
                order.install(patched)
                found = reasoner.conclude(shuffled(snapshot, rng))

            assert expected == found
        reasoner.close()

    assert order.moved > ORDERED * 30


@pytest.mark.nightly
def test_the_shipped_rules_read_alike_all_night():
    """The same with ten times as many patients, and others."""
    stages, _ = shipped_agrees(100_000, seed=7)

    assert {line.label for line in shipped().rules.stages.lines} == stages


@pytest.mark.nightly
def test_random_rules_read_alike_all_night(tmp_path):
    """The same with other rules."""
    words = random_agrees(tmp_path, 500, 200, first=100_000)

    assert {"yes", "no", "unknown"} == set(words)
