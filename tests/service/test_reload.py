"""
Broken rule files dropped into a running service under load: nobody notices but the operator.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cds.hooks.strict import encode
from cds.rulefiles.loader import load_ruleset
from cds.workshop.testing.patients import prefetch_of
from tests.check_pages import SAMPLE
from tests.contract.traffic import python_path

ROOT = Path(__file__).parent.parent.parent
PATH = "/cds-services/metabolic-patient-view"
CARD = "cards/high_glucose.yaml"


def body():
    """
    A call whose answer has a card of the sample.
    """
    patient = {"age": "50 years", "glucose": "130 mg/dL"}
    found = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "case"},
        "prefetch": prefetch_of(load_ruleset(SAMPLE), patient),
    }
    return encode(found)


def edited(old, new):
    """
    What replaces words of a card.
    """

    def edit(rules):
        path = rules / CARD
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return edit


def added(name, content):
    """
    What puts a file of its own among the rules.
    """

    def add(rules):
        path = rules / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    return add


def copied(rules):
    """
    Put the same card there under another name.
    """
    shutil.copyfile(rules / CARD, rules / "cards" / "high_glucose_again.yaml")


BROKEN = {
    "not YAML": (edited("show_if:", "show_if: ["), "CDS101"),
    "half written": (added("cards/half.yaml", b"kind: card\nid: ha"), "CDS104"),
    "not UTF-8": (added("cards/latin.yaml", b"kind: card\ntitle: \xe9t\xe9\n"), "CDS101"),
    "a bomb": (added("cards/bomb.yaml", b"a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]\n"), "CDS101"),
    "far too deep": (added("cards/deep.yaml", b"kind: " + b"[" * 20_000), "CDS101"),
    "empty": (added("cards/empty.yaml", b""), "CDS101"),
    "unknown key": (edited("show_if:", "shows_if:"), "CDS102"),
    "unknown name": (edited("glucose >= high", "glucoses >= high"), "CDS201"),
    "wrong unit": (edited("[126 mg/dL, 7.0 mmol/L]", "[126 kg, 7.0 mmol/L]"), "CDS301"),
    "a failing case": (edited("glucose: 125 mg/dL", "glucose: 127 mg/dL"), "fails"),
    "a cycle": (edited("glucose >= high", "card high_glucose fires"), "CDS210"),
    "twice the same": (copied, "CDS203"),
}


class Service:
    """
    The service as a process, with people who call it all the time.
    """

    def __init__(self, rules):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CDS_")
        }
        environment |= {
            "CDS_ENV": "development",
            "CDS_PORT": str(self.port),
            "CDS_RULES": str(rules),
            "CDS_RELOAD": "signal",
            "CDS_CLOCK": "2026-06-01",
            "PYTHONPATH": python_path(ROOT),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "hooks_service.py")],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.body = body()
        self.answers = []
        self.stopping = threading.Event()
        self.wait_until(self.is_there)
        self.callers = [threading.Thread(target=self.call) for _ in range(2)]
        for one in self.callers:
            one.start()

    def is_there(self):
        """
        Tell whether it answers.
        """
        try:
            return self.status()
        except OSError:
            return None

    def wait_until(self, seen):
        """
        Ask again until there is an answer.
        """
        # Judging is work of low priority: a busy machine takes its time.
        until = time.monotonic() + 600
        while time.monotonic() < until:
            found = seen()
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(seen)

    def ask(self, method, path, body=None):
        """
        Make one request.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def status(self):
        """
        Ask what is served.
        """
        return json.loads(self.ask("GET", "/status")[1])

    def call(self):
        """
        Call the service until told to stop.
        """
        while not self.stopping.is_set():
            status, body = self.ask("POST", PATH, self.body)
            cards = json.loads(body).get("cards", ()) if status == 200 else ()
            self.answers.append((status, tuple(one["summary"] for one in cards)))
            # Judging has the lowest priority: callers who never rest leave it nothing.
            self.stopping.wait(0.08)

    def stop(self):
        """
        End the callers, then the service.
        """
        self.stopping.set()
        for one in self.callers:
            one.join()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def rules(tmp_path):
    """
    A copy of the sample, for judging the shipped rules takes its time (test_activation does).
    """
    return shutil.copytree(SAMPLE, tmp_path / "rules")


@pytest.fixture
def service(rules):
    """
    The service on that copy.
    """
    service = Service(rules)
    yield service
    if service.process.poll() is None:
        service.stop()


def test_twelve_broken_files_disturb_nobody(service, rules, tmp_path):
    """
    The release stays, each reason can be read, and the answers are all the same (T50).
    """
    before = service.status()["activation"]["files"]
    said = {}
    marks = set()
    for name, (breaks, _) in BROKEN.items():
        breaks(rules)
        service.process.send_signal(signal.SIGHUP)
        refused = service.wait_until(
            lambda: (
                found
                if (found := service.status()["activation"].get("refused"))
                and found["files"] not in marks
                else None
            )
        )
        marks.add(refused["files"])
        said[name] = " ".join(refused["why"])
        shutil.rmtree(rules)
        shutil.copytree(SAMPLE, rules)
    served = service.status()["activation"]
    code = service.stop()

    assert [] == [name for name, (_, word) in BROKEN.items() if word not in said[name]]
    assert before == served["files"]
    assert 0 == served["swaps"]
    assert len(service.answers) > len(BROKEN)
    assert {(200, service.answers[0][1])} == set(service.answers)
    assert 0 == code


def test_good_rules_are_taken_up_and_given_back(service, rules):
    """
    Between two requests: every answer is the one or the other.
    """
    path = rules / CARD
    text = path.read_text("utf-8")
    path.write_text(text.replace("}}: high", "}}: very high"), "utf-8")
    service.process.send_signal(signal.SIGHUP)
    service.wait_until(lambda: service.status()["activation"]["swaps"] == 1)
    service.process.send_signal(signal.SIGUSR1)
    served = service.wait_until(
        lambda: (
            found if (found := service.status()["activation"])["state"] == "rolled back" else None
        )
    )
    service.stop()
    summaries = {one for _, cards in service.answers for one in cards if one.startswith("Glucose")}

    assert 2 == served["swaps"]
    assert {200} == {status for status, _ in service.answers}
    assert 2 == len(summaries)
