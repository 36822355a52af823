"""
Patients as small stories: what each must give, and the whole answer to each request.
"""

import json
import re

import pytest
import yaml

from tests.calling import FIXTURES, codes_of, evaluation_of, fired, read_fixture

EXPECTED = yaml.safe_load((FIXTURES / "expected.yaml").read_text("utf-8"))
FIRST_CONTENT = set(EXPECTED["rules"])
PATIENTS = {one["file"]: one for one in EXPECTED["patients"]}
REQUESTS = sorted(path.stem for path in (FIXTURES / "requests").glob("*.json"))
# The actions of MC-MISSING by the name that expected.yaml gives them.
ASKED = {
    "Order fasting glucose": "glucose",
    "Order HbA1c": "hba1c",
    "Order lipid panel": "lipids",
    "Measure the waist": "waist",
    "Order fasting insulin with fasting glucose": "insulin",
}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def answers(service):
    """
    The answer to every patient, whole record sent under the keys of discovery.
    """
    return {file: service.call_for(read_fixture(file)) for file in PATIENTS}


def test_every_patient_is_expected():
    """
    No story without its answer, no answer without its story.
    """
    files = {f"patients/{path.name}" for path in (FIXTURES / "patients").glob("*.json")}

    assert files == set(PATIENTS)


@pytest.mark.parametrize("file", PATIENTS)
def test_stage(answers, file):
    """
    The label of the knowledge base, to the letter.
    """
    assert PATIENTS[file]["stage"] == evaluation_of(answers[file])["stage"]


@pytest.mark.parametrize("file", PATIENTS)
def test_rules_that_fire(answers, file):
    """
    Exactly these among the first content.
    """
    found = fired(evaluation_of(answers[file]))

    assert set(PATIENTS[file]["fires"]) == found & FIRST_CONTENT


@pytest.mark.parametrize("file", PATIENTS)
def test_near_misses(answers, file):
    """
    What almost applies does not fire and is on no card.
    """
    body = answers[file].json()
    near = set(PATIENTS[file]["must_not_fire"])

    assert set() == near & fired(evaluation_of(answers[file]))
    assert set() == near & {code for card in body["cards"] for code in codes_of(card)}


@pytest.mark.parametrize("file", PATIENTS)
def test_the_missing_test_becomes_an_order(answers, file):
    """
    MC-MISSING offers exactly the tests that would decide, and is silent where none would.
    """
    cards = [one for one in answers[file].json()["cards"] if "MC-MISSING" in codes_of(one)]
    offered = [ASKED[one["label"]] for card in cards for one in card.get("suggestions", [])]

    assert sorted(PATIENTS[file]["missing_test"]) == sorted(offered)
    assert bool(PATIENTS[file]["missing_test"]) == bool(cards)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_answer_is_the_golden_one(service, updates_golden, name):
    """
    Word for word; `--update-golden` writes it anew, to be read before it is committed.
    """
    golden = FIXTURES / "responses" / f"{name}.json"
    response = service.post((FIXTURES / "requests" / f"{name}.json").read_bytes())
    text = normalised(response.text)

    assert 200 == response.status_code
    if updates_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert golden.read_text("utf-8") == text


def test_no_golden_answer_without_its_request():
    """
    A renamed request leaves no answer behind.
    """
    assert REQUESTS == sorted(path.stem for path in (FIXTURES / "responses").glob("*.json"))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_repeat_is_answered_alike(service, name):
    """
    Nothing of a call is kept: the second answer is the first but for its ids.
    """
    raw = (FIXTURES / "requests" / f"{name}.json").read_bytes()

    assert normalised(service.post(raw).text) == normalised(service.post(raw).text)


def normalised(text):
    """
    Name each generated id by its turn, and set the text out to be read.
    """
    seen: dict[str, str] = {}
    for one in UUID.findall(text):
        seen.setdefault(one, f"uuid-{len(seen) + 1}")
    body = json.loads(UUID.sub(lambda match: seen[match[0]], text))
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"
