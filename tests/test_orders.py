"""
Orders as small stories: what is being ordered or refilled, and the whole answer to it.
"""

import json

import pytest
import yaml

from tests.calling import FIXTURES, codes_of, evaluation_of, fired
from tests.test_vignettes import normalised

ORDERS = FIXTURES / "orders"
EXPECTED = yaml.safe_load((ORDERS / "expected.yaml").read_text("utf-8"))
RULES = set(EXPECTED["rules"])
REQUESTS = {one["file"]: one for one in EXPECTED["requests"]}
INDICATORS = ("info", "warning", "critical")


@pytest.fixture(scope="module")
def answers(service):
    """The answer to every request, by the service of its hook."""
    return {
        file: service.post((ORDERS / file).read_bytes(), f"/cds-services/metabolic-{one['hook']}")
        for file, one in REQUESTS.items()
    }


def cards_of(answer):
    """Give the cards that carry a rule of these stories, with their codes."""
    return [(one, codes_of(one)) for one in answer.json()["cards"] if RULES & set(codes_of(one))]


def test_every_request_is_expected():
    """No story without its answer, no answer without its story."""

    assert sorted(path.name for path in ORDERS.glob("*.json")) == sorted(REQUESTS)


@pytest.mark.parametrize("file", REQUESTS)
def test_the_hook_of_a_story(file):
    """As the request says it; on order-select some draft is selected."""
    body = json.loads((ORDERS / file).read_text("utf-8"))

    assert REQUESTS[file]["hook"] == body["hook"]
    assert body["hook"] != "order-select" or body["context"]["selections"]


@pytest.mark.parametrize("file", REQUESTS)
def test_rules_that_fire(answers, file):
    """Exactly these; a draft that is not selected is background and no reason (HOOK-05)."""
    found = fired(evaluation_of(answers[file]))

    assert set(REQUESTS[file]["fires"]) == found & RULES
    assert set() == found & set(REQUESTS[file]["must_not_fire"])


@pytest.mark.parametrize("file", REQUESTS)
def test_cards_that_are_shown(answers, file):
    """What fires is on a card, with the highest indicator of what was merged into it."""
    fires = REQUESTS[file]["fires"]
    cards = cards_of(answers[file])
    every = {code for _, codes in cards for code in codes}
    highest = [
        max((fires[code] for code in codes if code in fires), key=INDICATORS.index)
        for _, codes in cards
    ]

    assert set(fires) == every & RULES
    assert highest == [card["indicator"] for card, _ in cards]


@pytest.mark.parametrize("file", [name for name, one in REQUESTS.items() if "summary" in one])
def test_the_summary(answers, file):
    """It names the plan or the number; the medicine is a class and not what the order says."""
    summaries = [card["summary"] for card, _ in cards_of(answers[file])]

    assert [REQUESTS[file]["summary"]] == summaries


@pytest.mark.parametrize("file", [name for name, one in REQUESTS.items() if "merged" in one])
def test_one_card_for_a_safety_group(answers, file):
    """Nothing is dropped: every rule that fired is named on the one card."""

    assert [REQUESTS[file]["merged"]] == [codes for _, codes in cards_of(answers[file])]


@pytest.mark.parametrize("file", [name for name, one in REQUESTS.items() if "merged" in one])
def test_no_suggestion_twice(answers, file):
    """Rules that were merged into one card may offer the same; it is offered once."""
    labels = [
        one["label"] for card, _ in cards_of(answers[file]) for one in card.get("suggestions", [])
    ]

    assert sorted(set(labels)) == sorted(labels)


@pytest.mark.parametrize("file", REQUESTS)
def test_the_answer_is_the_golden_one(answers, updates_golden, file):
    """Word for word; `--update-golden` writes it anew, to be read before it is committed."""
    golden = FIXTURES / "responses" / "orders" / file
    text = normalised(answers[file].text)

    assert 200 == answers[file].status_code
    if updates_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert golden.read_text("utf-8") == text


def test_no_golden_answer_without_its_request():
    """A renamed request leaves no answer behind."""
    found = (FIXTURES / "responses" / "orders").glob("*.json")

    assert sorted(REQUESTS) == sorted(path.name for path in found)
