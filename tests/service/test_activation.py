"""
Which release answers: changed rules are served once proved, and never otherwise.
"""

import asyncio
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cds.errors import EngineFailed, RuleError
from cds.service.activation import Activation, judged
from cds.service.pipeline import Call
from cds.service.release import NotServedError
from cds.service.settings import Settings, default_rules
from tests.check_pages import SAMPLE
from tests.service.fakes import Fake, Told, ruleset
from tests.serving import finished

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Answers(Fake):
    """
    A pipeline that says from which text it was made; *would* are cards on trial.
    """

    def __init__(self, text, would=()):
        super().__init__()
        self.told = Told({"cards": [{"summary": text}]}, would_have_shown=would)


class House:
    """
    A folder of rules, what judges it, and the activation around both.
    """

    def __init__(self, folder):
        self.folder = folder
        self.write("one")
        self.against = []
        self.judged = []
        self.fails = None
        self.trial = ()
        self.made = []
        self.changes = []
        self.activation = Activation(
            folder,
            opens=self.opens,
            now=lambda: NOW,
            judge=self.judge,
            changed=lambda rules: self.changes.append(rules.release),
        )

    def write(self, text, name="release.yaml"):
        """
        Write a rule file.
        """
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def opens(self, folder):
        """
        Make a release of the one file.
        """
        if self.fails is not None:
            raise self.fails
        text = (folder / "release.yaml").read_text("utf-8")
        made = Answers(text, ("late",) if text == "two" else ())
        self.made.append(made)
        cards = {name: SimpleNamespace(id=name, status="trial") for name in self.trial}
        rules = ruleset(release=text, cards=cards)
        release = SimpleNamespace(ruleset=rules, counts={"cards": 1}, pending=("x",))
        return release, made

    def judge(self, folder):
        """
        Say what was set.
        """
        self.judged.append((folder / "release.yaml").read_text("utf-8"))
        return self.against

    def look(self):
        """
        Look once.
        """
        asyncio.run(self.activation.look())

    @property
    def serves(self):
        """
        From which text the answer comes.
        """
        (card,) = finished(self.activation.answer(b"", Call())).response["cards"]
        return card["summary"]

    @property
    def said(self):
        """
        What `/status` says of the activation.
        """
        return self.activation.about()["activation"]


def test_whoever_wants_to_know_is_told_of_other_rules(house, lines):
    """
    Of those that begin to answer, also by a way back; not of the first, nor of refused ones.
    """
    house.write("two")
    house.look()
    house.against = ["no"]
    house.write("three")
    house.look()
    house.activation.roll_back()

    assert ["two", "one"] == house.changes


@pytest.fixture
def house(tmp_path, lines):
    """
    A house in which the release `one` is served.
    """
    return House(tmp_path / "rules")


def test_changed_rules_are_served(house, lines):
    """
    From the next request on; the release before is kept for a way back.
    """
    house.write("two")
    house.look()

    assert "two" == house.serves
    assert "two" == house.activation.ruleset.release
    assert "current" == house.said["state"]
    assert house.said["previous"].startswith("one ")
    assert 1 == house.said["swaps"]
    assert ["unreviewed_rules", "rules_activated", "unreviewed_rules"] == [
        one["event"] for one in lines()
    ]


def test_a_request_keeps_the_release_it_began_with(house):
    """
    What answers is taken once.
    """
    first = house.made[0]
    house.write("two")
    house.look()

    assert not first.closed
    assert first is house.activation._state.previous.pipeline


def test_refused_rules_are_not_served(house, lines):
    """
    And the reasons are there to be read (T50).
    """
    house.against = [f"rules/release.yaml:1:1: reason {at}" for at in range(30)]
    house.write("two")
    house.look()

    assert "one" == house.serves
    assert "change refused" == house.said["state"]
    assert 30 == house.said["refused"]["reasons"]
    assert "rules/release.yaml:1:1: reason 0" == house.said["refused"]["why"][0]
    assert 10 == len(house.said["refused"]["why"])
    assert "2026-06-01T12:00:00+00:00" == house.said["refused"]["at"]
    assert "rules_refused" == lines()[-1]["event"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuleError(["rules/release.yaml:1:1: no"]), "rules/release.yaml:1:1: no"),
        (NotServedError("there is no active card"), "there is no active card"),
        (EngineFailed("of a patient, perhaps"), "EngineFailed"),
        (PermissionError(13, "Permission denied"), "the files cannot be read: Permission denied"),
    ],
)
def test_rules_that_cannot_be_opened_are_not_served(house, error, why):
    """
    Whoever finds out.
    """
    house.fails = error
    house.write("two")
    house.look()

    assert "one" == house.serves
    assert [why] == house.said["refused"]["why"]


def test_mended_rules_end_the_refusal(house):
    """
    Back to what is served, or on to something better.
    """
    house.against = ["no"]
    house.write("two")
    house.look()
    house.write("one")
    house.look()

    assert "current" == house.said["state"]
    assert "refused" not in house.said
    assert ["two"] == house.judged


def test_what_was_judged_is_what_is_served(house):
    """
    Though the file changes while it is judged.
    """

    def judge(folder):
        house.write("three")
        return []

    house.activation._judge = judge
    house.write("two")
    house.look()

    assert "two" == house.serves


def test_one_can_go_back_and_forth(house):
    """
    A refusal is then forgotten; the files are not looked at again by that.
    """
    assert not house.activation.roll_back()
    house.write("two")
    house.look()

    assert house.activation.roll_back()
    assert "one" == house.serves
    assert "rolled back" == house.said["state"]
    assert house.activation.roll_back()
    assert "two" == house.serves
    assert "current" == house.said["state"]


def test_cards_on_trial_are_counted(house):
    """
    How many answers there were, and in how many each would have been; from each swap anew.
    """
    house.trial = ("late", "never")
    house.write("two")
    house.look()
    for _ in range(3):
        finished(house.activation.answer(b"", Call()))
    counted = house.activation.about()["trial"]
    house.activation.roll_back()

    assert {"answered": 3, "wouldHaveShown": {"late": 3, "never": 0}} == counted
    assert "trial" not in house.activation.about()


def test_only_two_releases_are_kept(house):
    """
    The one before the last gives its memory back.
    """
    for text in ("two", "three"):
        house.write(text)
        house.look()

    assert [True, False, False] == [one.closed for one in house.made]
    house.activation.close()
    assert [True, True, True] == [one.closed for one in house.made]


def test_far_too_much_is_not_copied(house):
    """
    A wrong folder, perhaps.
    """
    (house.folder / "huge.yaml").touch()
    with (house.folder / "huge.yaml").open("r+b") as file:
        file.truncate(65 * 1024 * 1024)
    house.look()

    assert "more than a release has" in house.said["refused"]["why"][0]


def test_files_are_watched(house, monkeypatch):
    """
    A change is acted upon when the files have stopped changing.
    """
    monkeypatch.setattr("cds.service.activation._SECONDS_BETWEEN_LOOKS", 0.001)

    async def go():
        task = asyncio.create_task(house.activation.run(watches=True))
        house.write("two and more")
        while house.serves == "one":  # noqa: ASYNC110 - a swap tells nobody
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(go(), 20))

    assert "two and more" == house.serves


@pytest.mark.parametrize(
    ("settings", "watches"),
    [
        ({}, False),
        ({"reload": "watch"}, True),
        ({"env": "development"}, True),
        ({"env": "development", "reload": "signal"}, False),
    ],
)
def test_production_waits_to_be_asked(settings, watches):
    """
    Development takes up what is saved.
    """
    assert watches == Settings(**settings).watches


def test_the_shipped_rules_pass_their_own_gate():
    """
    All cases, and patients mixed from them.
    """
    assert [] == judged(default_rules())


def test_a_failing_case_stops_at_the_gate(tmp_path):
    """
    With its place; of the sample, for the gate of the shipped rules takes its time.
    """
    folder = shutil.copytree(SAMPLE, tmp_path / "rules")
    path = folder / "cards" / "high_glucose.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("glucose: 125 mg/dL", "glucose: 127 mg/dL"), "utf-8")

    (why,) = judged(folder)

    assert why.startswith("rules/cards/high_glucose.yaml:")
    assert "the case 'not high' fails" in why


def test_a_judge_that_dies_is_a_reason(tmp_path, monkeypatch):
    """
    As is one that says nothing that can be read.
    """
    monkeypatch.setattr("cds.service.activation.sys.executable", "/bin/false")

    assert ["the process that judges the rules ended with 1"] == judged(tmp_path)


def test_a_judge_that_hangs_is_a_reason(tmp_path, monkeypatch):
    """
    After its time.
    """
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", "utf-8")
    slow.chmod(0o755)
    monkeypatch.setattr("cds.service.activation.sys.executable", str(slow))
    monkeypatch.setattr("cds.service.activation._SECONDS_TO_JUDGE", 0.05)

    assert ["the rules could not be judged in 0.05 seconds"] == judged(tmp_path)


def test_a_process_that_comes_later_begins_with_what_was_kept(tmp_path):
    """
    Where the folder was spoiled since: it says so, and serves what the others serve (T50).
    """
    house = House(tmp_path / "rules")
    shutil.copytree(house.folder, tmp_path / "kept")

    def opens(folder):
        if folder == house.folder:
            raise RuleError(["broken"])
        return house.opens(folder)

    made = {"opens": opens, "now": lambda: NOW, "judge": house.judge}
    with pytest.raises(RuleError):
        Activation(house.folder, **made)
    later = Activation(house.folder, **made, kept=tmp_path / "kept")

    assert "one" == later.ruleset.release
    assert "change refused" == later.about()["activation"]["state"]
    assert ["broken"] == later.about()["activation"]["refused"]["why"]
