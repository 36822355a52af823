"""
What did not arrive is said on a card: unchecked is not the same as nothing found.
"""

import asyncio
import json
from dataclasses import replace

import pytest

from cds.hooks.ehr import EHRS
from cds.hooks.strict import encode
from cds.hooks.unchecked import UNCHECKED
from cds.hooks.wire import RULE, Response
from cds.service.clients import Caller, Client
from cds.service.pipeline import Call, Pipeline
from tests.service.fetching import FIXTURES, NOW
from tests.serving import shipped

FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


@pytest.fixture(scope="module")
def opened():
    """
    The shipped rules, without a way to any server.
    """
    one = Pipeline(shipped().rules, engine="reference", now=lambda: NOW, check=True)
    yield one
    one.close()


def body_of(name):
    """
    The request of a fixture.
    """
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def answer(opened, body, **client):
    """
    The cards for it, as a client gets them.
    """
    caller = Caller(Client(name="ehr", **client))
    found = asyncio.run(opened.answer(encode(body), Call(body["hook"], caller, "t")))
    return found.response["cards"]


def without(body, key):
    """
    The same request, its client not having sent one key.
    """
    return {
        **body,
        "prefetch": {name: one for name, one in body["prefetch"].items() if name != key},
    }


def failing(body, key):
    """
    The same request, its client having tried and failed.
    """
    return {**body, "prefetch": {**body["prefetch"], key: FAILED}}


def topics(cards):
    """
    The topic of each card.
    """
    return [one["source"]["topic"]["code"] for one in cards]


# What a safety rule of each request rests on.
AT_STAKE = [
    ("orders/metformin_begun_at_egfr_28", "kidney", "Kidney tests"),
    ("orders/metformin_refilled_at_egfr_28_and_36", "kidney", "Kidney tests"),
    ("orders/ketogenic_diet_no_bread", "medicines", "Medicine orders"),
    ("orders/low_carb_plan_in_pregnancy", "problems", "Problem list"),
]


@pytest.mark.parametrize(("name", "key", "title"), AT_STAKE)
@pytest.mark.parametrize("gone", [failing, without])
def test_a_safety_rule_that_lacks_its_data_is_never_silent(opened, name, key, title, gone):
    """
    Whether the search failed or was not sent: one card names rule, list and reason (T37, AMB-02).
    """
    (rule,) = topics(answer(opened, body_of(name)))
    (card,) = answer(opened, gone(body_of(name), key))
    reason = "not received: the search failed" if gone is failing else "not received"

    assert "info" == card["indicator"]
    assert UNCHECKED == card["source"]["topic"]["code"]
    assert title in card["summary"]
    rules = {one.code: one.title for one in shipped().rules.cards.values()}
    assert f"- {rules[rule]}: {title} ({reason})" in card["detail"]
    assert "suggestions" not in card
    assert shipped().rules.profile.texts["not_device"] in card["detail"]
    assert [one.code for one in shipped().rules.profile.override_reasons] == [
        one["code"] for one in card["overrideReasons"]
    ]


@pytest.mark.parametrize("folder", ["orders", "requests"])
def test_nothing_is_said_where_everything_arrived(opened, folder):
    """
    What is not known for other reasons is the matter of the rules themselves.
    """
    for path in sorted((FIXTURES / folder).glob("*.json")):
        body = body_of(f"{folder}/{path.stem}")
        templates = opened._desks[body["hook"]].templates
        whole = {key: body["prefetch"].get(key) for key in templates}
        cards = answer(opened, {**body, "prefetch": {**whole, **body["prefetch"]}})

        assert UNCHECKED not in topics(cards)
        assert not any("Not checked" in one["detail"] for one in cards)


def test_other_rules_are_named_where_a_search_failed(opened):
    """
    At the end of the last card; what a client does not send is known to whoever set it up.
    """
    body = body_of("requests/new_prediabetes_likely_fatty_liver")
    cards = answer(opened, failing(body, "liver"))

    assert UNCHECKED not in topics(cards)
    assert "Liver tests and platelets (not received: the search failed)" in cards[-1]["detail"]
    assert not any("Not checked" in one["detail"] for one in cards[:-1])
    assert not any("Not checked" in one["detail"] for one in answer(opened, without(body, "liver")))


def test_where_nothing_else_is_shown_it_is_a_card(opened):
    """
    An empty list would look like a healthy patient (Q-18).
    """
    body = body_of("requests/raised_homa_ir_alone")
    bare = {**body, "prefetch": {"patient": body["prefetch"]["patient"]}}
    failed = dict.fromkeys(opened._desks["patient-view"].templates, FAILED)
    cards = answer(opened, {**bare, "prefetch": {**failed, **bare["prefetch"]}})

    assert UNCHECKED == topics(cards)[-1]
    assert "Several checks could not be made" in cards[-1]["summary"]
    assert 139 >= len(cards[-1]["summary"])


@pytest.mark.parametrize("ehr", sorted(EHRS))
def test_every_record_system_is_told(opened, ehr):
    """
    In its own form: the strict model takes it, and the topic has only letters where it must.
    """
    body = failing(body_of("orders/ketogenic_diet_no_bread"), "medicines")
    (card,) = answer(opened, body, ehr=ehr)

    Response.model_validate({"cards": [card]})
    assert {"MC-UNCHECKED", "MCUNCHECKED"} & set(topics([card]))


def test_it_stays_within_the_most_cards(opened):
    """
    Where there is no room it stands on the last card, and no warning gives way to it; a wish
    for fewer cards takes none away that is about safety.
    """
    body = failing(
        body_of("orders/ketogenic_plan_in_pregnancy_on_insulin_and_sglt2_inhibitor"), "medicines"
    )
    free = answer(opened, body)
    rules = shipped().rules
    narrow = replace(rules, profile=replace(rules.profile, most_cards=1))
    small = Pipeline(narrow, engine="reference", now=lambda: NOW, check=True)
    (only,) = answer(small, body)
    small.close()

    assert 2 == len(free)
    assert UNCHECKED == topics(free)[1]
    assert topics(free) == topics(answer(opened, body, options={"max-cards": 1}))
    assert free[0]["summary"] == only["summary"]
    assert "Medicine orders (not received: the search failed)" in only["detail"]


def test_a_group_that_is_switched_off_is_not_named(opened):
    """
    Nobody asked for it; a safety group cannot be switched off.
    """
    body = failing(body_of("requests/raised_homa_ir_alone"), "lifestyle")
    group = shipped().rules.cards["short_sleep"].group
    named = [answer(opened, body, options=one)[-1]["detail"] for one in ({}, {group: False})]

    title = shipped().rules.cards["short_sleep"].title
    assert [True, False] == [f"- {title}:" in one for one in named]


def test_its_extension_names_no_rule_file(opened):
    """
    A code and the release, as of any card; no id of a rule that there is not.
    """
    (card,) = answer(opened, failing(body_of("orders/ketogenic_diet_no_bread"), "medicines"))

    assert {"code": UNCHECKED, "release": shipped().rules.release} == card["extension"][RULE]
