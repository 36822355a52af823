"""
What record systems can show: every limit by itself, and every shipped card under each profile.
"""

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from cds.hooks.adapting import adapt, names_to_map
from cds.hooks.ehr import EHRS, hl7_codes, topic_code
from cds.hooks.wire import ACTION, RULE, Response
from tests.hooks.composed import composed
from tests.serving import shipped

GOLDEN = Path(__file__).resolve().parents[2] / "fixtures" / "ehr"
EPIC, ORACLE = EHRS["epic"], EHRS["oracle"]
GENERIC, NEXT = EHRS["generic-2.0"], EHRS["generic-3.0"]
LOINC = "urn:oid:2.16.840.1.113883.6.1"
ICD10 = "urn:oid:2.16.840.1.113883.6.90"
# What the narrow column of a record system has to hold, in characters of Markdown.
MOST_BRIEF = 2_000
KEPT = ("**Limits:**", "**Not considered**", "Not known:", "Not offered:", "Rule ")
BOLD = re.compile(r"\*\*[^*]+\*\*")


# Codes of HL7's code system of the 3.0 ballot; a release that changes one says so.
HL7_REASONS = {
    "done-elsewhere": "action-completed",
    "patient-declined": "patient-refuses",
    "not-appropriate-now": "wrong-time-workflow",
    "data-wrong": "patient-ineligible",
    "specialist-manages": "inappropriate-recipient",
    "benefit-outweighs-risk": "risk-benefit-ratio",
    "life-expectancy-or-frailty": "action-not-priority",
}


@dataclass(frozen=True)
class Code:
    """
    A code of a site.
    """

    system: str
    code: str
    display: str = ""


@pytest.fixture(scope="module")
def systems():
    """
    The code systems of the shipped release, with their OIDs.
    """
    return shipped().rules.systems


@pytest.fixture(scope="module")
def every_card():
    """
    Every shipped card, as a response of its own.
    """
    return list(composed(shipped().rules))


def uid(number):
    """
    A UUID that is told apart by its number.
    """
    return f"00000000-0000-4000-8000-{number:012d}"


def order(text, code, number):
    """
    An action that drafts a laboratory order.
    """
    return {
        "type": "create",
        "description": "Draft a request for you to sign",
        "resource": {
            "resourceType": "ServiceRequest",
            "id": uid(number),
            "status": "draft",
            "intent": "proposal",
            "subject": {"reference": "Patient/1"},
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": text},
        },
    }


def suggestion(label, action, *actions, number, **more):
    """
    A suggestion as the composer writes it.
    """
    return {
        "label": label,
        "uuid": uid(number),
        "extension": {ACTION: {"id": action, "rule": "IR-STG-04"}},
        "actions": list(actions),
        **more,
    }


HBA1C = suggestion("Order HbA1c", "order_hba1c", order("HbA1c", "4548-4", 21), number=11)
PAIR = suggestion(
    "Order insulin and glucose",
    "order_insulin",
    order("Fasting insulin", "27873-9", 22),
    order("Fasting glucose", "1558-6", 23),
    number=12,
    isRecommended=True,
)
GOAL = suggestion(
    "Goal: weight",
    "goal_weight_5",
    {
        "type": "create",
        "description": "Propose a weight goal",
        "resource": {
            "resourceType": "Goal",
            "id": uid(24),
            "lifecycleStatus": "proposed",
            "description": {"text": "Reach 82 kg in 6 months"},
            "subject": {"reference": "Patient/1"},
        },
    },
    number=13,
    isRecommended=True,
)
PROBLEM = suggestion(
    "Add prediabetes",
    "record_prediabetes",
    {
        "type": "create",
        "description": "Draft an entry",
        "resource": {
            "resourceType": "Condition",
            "id": uid(25),
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R73.03"}]},
            "subject": {"reference": "Patient/1"},
        },
    },
    number=14,
)
CANCEL = suggestion(
    "Cancel the fasting plan",
    "cancel_plan",
    {
        "type": "delete",
        "description": "Remove the drafted fasting plan",
        "resourceId": "CarePlan/p1",
    },
    number=15,
)

MEAL = suggestion(
    "Plan meals",
    "plan_meals",
    {
        "type": "create",
        "description": "Draft a nutrition order for you to sign",
        "resource": {
            "resourceType": "NutritionOrder",
            "id": uid(26),
            "oralDiet": {"type": [{"text": "No fasting"}, {"text": "Moderate carbohydrate"}]},
        },
    },
    number=16,
)
WALK = suggestion(
    "Walk",
    "walk",
    {
        "type": "create",
        "description": "Propose a goal",
        "resource": {
            "resourceType": "Goal",
            "id": uid(27),
            "description": {"text": "150 minutes"},
            "target": [{"dueDate": "2026-08-31"}],
        },
    },
    number=18,
)
PLAIN = suggestion(
    "Ask",
    "ask",
    {
        "type": "create",
        "description": "Draft a task",
        "resource": {"resourceType": "Task", "id": uid(28)},
    },
    number=19,
)


def response(*suggestions, choose="any", links=(), detail="Said.\n\nRule IR-STG-04 1.0.0."):
    """
    A response with one card.
    """
    card = {
        "uuid": uid(1),
        "summary": "HOMA-IR 4.18 suggests insulin resistance",
        "indicator": "info",
        "detail": detail,
        "source": {
            "label": "Metabolic CDS",
            "url": "https://guideline.example/x",
            "topic": {"system": "urn:x", "code": "IR-STG-04", "display": "Insulin resistance"},
        },
        "extension": {RULE: {"code": "IR-STG-04"}},
    }
    if suggestions:
        card["suggestions"] = copy.deepcopy(list(suggestions))
        card["selectionBehavior"] = choose
    if links:
        card["links"] = list(links)
    return {"cards": [card], "extension": {"org.metabolic-cds.evaluation": {"release": "1"}}}


def adapted(sent, ehr, *, codes=None, hosts=()):
    """
    The one card of a response, rewritten and valid.
    """
    systems = shipped().rules.systems
    found = adapt(sent, ehr, order_codes=codes or {}, link_hosts=hosts, systems=systems)
    Response.model_validate(found)
    return found["cards"][0]


def labels(card):
    """
    The labels of what is offered.
    """
    return [one["label"] for one in card.get("suggestions", ())]


# --- each limit ---------------------------------------------------------------------


def test_the_generic_profile_changes_nothing():
    """
    CDS Hooks 2.0.1 as written is what we write.
    """
    sent = response(HBA1C, PAIR, GOAL, CANCEL)

    assert sent == adapt(sent, GENERIC, order_codes={}, link_hosts=(), systems={})


@pytest.mark.parametrize("ehr", EHRS.values(), ids=EHRS)
def test_what_is_rewritten_stays_as_it_was(ehr):
    """
    The caller's response is not touched: it is what the record of the call says.
    """
    codes = {"order_hba1c": Code("urn:site", "A1")}
    sent = response(HBA1C, PAIR, GOAL, PROBLEM, links=[LINK, SMART])
    before = copy.deepcopy(sent)
    adapted(sent, ehr, codes=codes, hosts=("apps.example",))

    assert before == sent


def test_several_actions_become_several_suggestions():
    """
    Epic takes one action of a suggestion: each gets a uuid and a label that says which.
    """
    codes = {
        "order_insulin.1": Code("urn:site", "INS"),
        "order_insulin.2": Code("urn:site", "GLU"),
    }
    found = adapted(response(PAIR), EPIC, codes=codes)["suggestions"]

    assert [1, 1] == [len(one["actions"]) for one in found]
    assert [
        "Order insulin and glucose: Fasting insulin",
        "Order insulin and glucose: Fasting glucose",
    ] == [one["label"] for one in found]
    assert [True, True] == [one["isRecommended"] for one in found]
    assert uid(12) == found[0]["uuid"] != found[1]["uuid"]
    assert found == adapted(response(PAIR), EPIC, codes=codes)["suggestions"]


def test_what_was_split_belongs_together():
    """
    All actions of a suggestion apply together, also where each is a suggestion (SUG-04).
    """
    codes = {
        "order_insulin.1": Code("urn:site", "INS"),
        "order_insulin.2": Code("urn:site", "GLU"),
    }
    said = "**Order insulin and glucose:** these belong together: Fasting insulin; Fasting glucose."

    assert said in adapted(response(PAIR), EPIC, codes=codes)["detail"]
    assert "together" not in adapted(response(PAIR), GENERIC)["detail"]
    del codes["order_insulin.1"]
    assert "together" not in adapted(response(PAIR), EPIC, codes=codes)["detail"]


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ((PAIR,), []),
        (
            (PAIR, PROBLEM),
            ["Choose at most one of these suggestions; what belongs together counts as one."],
        ),
        ((PROBLEM, GOAL), []),
    ],
    ids=["one, in two parts", "two, one of them in parts", "two, one of them in words"],
)
def test_parts_are_no_alternatives(offered, expected):
    """
    What to choose from is what the rule offers, however many parts it comes in.
    """
    codes = {
        "order_insulin.1": Code("urn:site", "INS"),
        "order_insulin.2": Code("urn:site", "GLU"),
    }
    card = adapted(response(*offered, choose="at-most-one"), EPIC, codes=codes)

    assert "any" == card["selectionBehavior"]
    assert expected == [one for one in card["detail"].split("\n\n") if one.startswith("Choose")]


def test_a_description_says_what_the_label_does():
    """
    Epic shows descriptions alone: those of two problems would be alike (peers.md 2.3).
    """
    codes = {
        "order_hba1c": Code("urn:site", "A1"),
        "order_insulin.1": Code("urn:site", "INS"),
        "order_insulin.2": Code("urn:site", "GLU"),
    }
    card = adapted(response(HBA1C, PAIR, PROBLEM), EPIC, codes=codes)

    assert [
        "Order HbA1c. Draft a request for you to sign",
        "Order insulin and glucose: Fasting insulin. Draft a request for you to sign",
        "Order insulin and glucose: Fasting glucose. Draft a request for you to sign",
        "Add prediabetes. Draft an entry",
    ] == [action["description"] for one in card["suggestions"] for action in one["actions"]]


def test_an_order_set_holds_orders_alone():
    """
    A goal beside an order is in no order set: the order has a number of its own then.
    """
    both = suggestion("Weigh", "weigh", HBA1C["actions"][0], GOAL["actions"][0], number=17)
    whole = {"weigh": Code("urn:site", "SET")}
    first = {"weigh.1": Code("urn:site", "A1")}

    assert [] == labels(adapted(response(both), EPIC, codes=whole))
    assert ["Weigh: HbA1c"] == labels(adapted(response(both), EPIC, codes=first))
    assert (
        "- Weigh: Reach 82 kg in 6 months" in adapted(response(both), EPIC, codes=first)["detail"]
    )
    assert (("weigh.1",), ("a", "a.1"), ("a", "a.1", "a.2"), ()) == (
        names_to_map("weigh", ["ServiceRequest", "Goal"]),
        names_to_map("a", ["ServiceRequest"]),
        names_to_map("a", ["ServiceRequest", "MedicationRequest"]),
        names_to_map("a", ["Goal"]),
    )


def test_an_order_set_stands_for_several_actions():
    """
    One code for an action that drafts several things is one suggestion, under that code alone.
    """
    code = Code("urn:site", "SET-7", "Insulin set")
    [found] = adapted(response(PAIR), EPIC, codes={"order_insulin": code})["suggestions"]

    [action] = found["actions"]
    assert {
        "coding": [{"system": "urn:site", "code": "SET-7", "display": "Insulin set"}],
        "text": "Order insulin and glucose",
    } == action["resource"]["code"]
    assert "Order insulin and glucose" == found["label"]


def test_the_code_of_the_site_stands_first():
    """
    The verified code stays behind it, named by its OID.
    """
    codes = {"order_hba1c": Code("urn:site", "A1")}
    card = adapted(response(HBA1C), EPIC, codes=codes)

    assert [{"system": "urn:site", "code": "A1"}, {"system": LOINC, "code": "4548-4"}] == card[
        "suggestions"
    ][0]["actions"][0]["resource"]["code"]["coding"]


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (HBA1C, "- Order HbA1c"),
        (PAIR, "- Order insulin and glucose (recommended): Fasting insulin; Fasting glucose"),
        (GOAL, "- Goal: weight (recommended): Reach 82 kg in 6 months"),
        (CANCEL, "- Cancel the fasting plan: Remove the drafted fasting plan"),
        (MEAL, "- Plan meals: No fasting; Moderate carbohydrate"),
        (WALK, "- Walk: 150 minutes, until 2026-08-31"),
        (PLAIN, "- Ask"),
    ],
    ids=["order", "two orders", "goal", "delete", "diet", "goal with a day", "no words"],
)
def test_what_cannot_be_offered_is_said(one, line):
    """
    Orders without a code of the site, other resources, deletes: a line of text, not silence.
    """
    card = adapted(response(one), EPIC)

    assert "suggestions" not in card
    assert "selectionBehavior" not in card
    assert line in card["detail"].splitlines()
    assert card["detail"].endswith("\n\nRule IR-STG-04 1.0.0.")


def test_of_two_actions_the_one_without_a_code_is_said():
    """
    The other is offered.
    """
    codes = {"order_insulin.2": Code("urn:site", "GLU")}
    card = adapted(response(PAIR), EPIC, codes=codes)

    assert ["Order insulin and glucose: Fasting glucose"] == labels(card)
    assert "- Order insulin and glucose: Fasting insulin (recommended)" in card["detail"]


def test_a_problem_needs_the_classification():
    """
    Epic takes a Condition by its ICD-10 code in OID form; one without is a line of text.
    """
    other = copy.deepcopy(PROBLEM)
    other["actions"][0]["resource"]["code"] = {"text": "Prediabetes"}
    taken = adapted(response(PROBLEM), EPIC)
    said = adapted(response(other), EPIC)

    assert [{"system": ICD10, "code": "R73.03"}] == taken["suggestions"][0]["actions"][0][
        "resource"
    ]["code"]["coding"]
    assert [] == labels(said)
    assert "- Add prediabetes" in said["detail"]


def test_a_system_without_a_known_oid_keeps_its_address():
    """
    No OID is made up.
    """
    sent = response(PROBLEM)
    action = sent["cards"][0]["suggestions"][0]["actions"][0]
    action["resource"]["category"] = [{"coding": [{"system": "urn:x", "code": "a"}]}]
    [found] = adapted(sent, EPIC)["suggestions"]

    assert [{"coding": [{"system": "urn:x", "code": "a"}]}] == found["actions"][0]["resource"][
        "category"
    ]


def test_epic_knows_any_alone():
    """
    `at-most-one` becomes `any`, and the card says that one should be chosen.
    """
    codes = {"order_hba1c": Code("urn:site", "A1")}
    card = adapted(response(HBA1C, PROBLEM, choose="at-most-one"), EPIC, codes=codes)

    assert "any" == card["selectionBehavior"]
    assert "Choose at most one of these suggestions." in card["detail"]


def test_one_suggestion_needs_no_word_on_choosing():
    """
    There is nothing to choose from.
    """
    one = adapted(response(PROBLEM, choose="at-most-one"), EPIC)
    other = adapted(response(PROBLEM), ORACLE)

    assert "Choose" not in one["detail"]
    assert "Only one" not in other["detail"]


def test_a_client_of_1_0_knows_at_most_one_alone():
    """
    An unknown value is a broken card there; the card says that the others are done by hand.
    """
    card = adapted(response(PAIR, GOAL), ORACLE)

    assert "at-most-one" == card["selectionBehavior"]
    assert [True, None] == [one.get("isRecommended") for one in card["suggestions"]]
    assert "Only one suggestion can be taken here; do the others by hand." in card["detail"]


def test_how_to_choose_actions_is_said_only_where_it_is_read():
    """
    `actionSelectionBehavior` goes to clients of the 3.0 ballot, and to no other (SUG-05).
    """
    found = {
        name: [one.get("actionSelectionBehavior") for one in card["suggestions"]]
        for name, ehr in EHRS.items()
        for card in [adapted(response(PAIR, PROBLEM), ehr)]
    }

    assert ["all", None] == found.pop("generic-3.0")
    assert not any(one for values in found.values() for one in values)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("IR-STG-04", "IRSTG04"), ("MC-MISSING", "MCMISSING"), ("A" * 120, "A" * 100)],
)
def test_a_topic_of_epic_is_letters_and_digits(code, expected):
    """
    At most a hundred, and the same for every patient.
    """
    assert expected == topic_code(code, EPIC)
    assert code == topic_code(code, GENERIC)


def test_topics_stay_apart():
    """
    Two cards never share the code under which overrides are remembered (CARD-14).
    """
    codes = [one.code for one in shipped().rules.cards.values()]

    for ehr in EHRS.values():
        topics = [topic_code(one, ehr) for one in codes]
        assert len(codes) == len(set(topics))


LINK = {"label": "The guideline", "url": "https://guideline.example/x", "type": "absolute"}
SMART = {
    "label": "The app",
    "url": "https://apps.example/launch",
    "type": "smart",
    "appContext": "a",
    "autolaunchable": True,
}


def test_links_that_would_be_removed_are_said():
    """
    Oracle removes links to hosts that are not on its list: their words stay (LINK-06, CARD-17).
    """
    detail = "See [the text](https://guideline.example/x), or https://other.example/y.\n\nRule."
    card = adapted(response(links=[LINK, SMART], detail=detail), ORACLE, hosts=["apps.example"])

    assert ["The app"] == [one["label"] for one in card["links"]]
    assert "url" not in card["source"]
    assert [
        "See the text, or `https://other.example/y.`",
        "See also: The guideline (`https://guideline.example/x`).",
        "Rule.",
    ] == card["detail"].split("\n\n")


def test_links_to_known_hosts_stay():
    """
    In the detail too, with the address that is also among the links (CARD-17).
    """
    detail = "See [the text](https://guideline.example/x), https://guideline.example/y\n\nRule."
    card = adapted(response(links=[LINK], detail=detail), ORACLE, hosts=["guideline.example"])

    assert detail == card["detail"]
    assert [LINK] == card["links"]
    assert "https://guideline.example/x" == card["source"]["url"]


def test_epic_loses_apps_that_are_not_registered():
    """
    Other links stay.
    """
    card = adapted(response(links=[LINK, SMART]), EPIC)

    assert [LINK] == card["links"]
    assert "See also: The app." in card["detail"]


def test_a_list_of_hosts_counts_for_everybody():
    """
    Where a site lists hosts no other goes out, whatever its record system (LINK-06).
    """
    card = adapted(response(links=[LINK, SMART]), GENERIC, hosts=["guideline.example"])

    assert [LINK] == card["links"]


def test_app_context_goes_to_who_reads_it():
    """
    It stays on links of apps, and goes where it is not supported (LINK-04, T42).
    """
    one = adapted(response(links=[SMART]), GENERIC)["links"][0]
    other = adapted(response(links=[SMART]), ORACLE, hosts=["apps.example"])["links"][0]

    assert "a" == one["appContext"]
    assert "appContext" not in other


@pytest.mark.parametrize("ehr", EHRS.values(), ids=EHRS)
def test_no_app_starts_unseen(ehr):
    """
    A card that launches an app might never be seen (LINK-05).
    """
    card = adapted(response(links=[SMART]), ehr, hosts=["apps.example"])

    assert "autolaunchable" not in card["links"][0]


@pytest.mark.parametrize("name", ["epic", "oracle"])
def test_no_extension_goes_where_none_is_read(name):
    """
    Neither of the response nor of a card or a suggestion (EXT-05).
    """
    found = adapt(
        response(PROBLEM),
        EHRS[name],
        order_codes={},
        link_hosts=(),
        systems=shipped().rules.systems,
    )

    assert '"extension"' not in json.dumps(found)


def test_a_detail_gets_short():
    """
    Tables become lines; drivers, logic and literature go; what is missing and the limits stay.
    """
    table = (
        "| Input | Value | Date | Age |\n| --- | --- | --- | --- |\n"
        "| HbA1c | 6.1 % (a \\| b) | 2026-05-22 | 10 days |\n| Sex | male |  |  |"
    )
    blocks = [
        "HOMA-IR **4.2**.",
        "**Based on**",
        table,
        "**Not considered**",
        "- Waist: never measured",
        "**Drivers**",
        "- Short sleep: probable",
        "Not known: AUDIT-C. Check before acting.",
        "**Rule:** At least three of five.",
        "**Evidence:** A guideline.",
        "**Limits:** It over-calls.",
        "Rule IR-STG-04 1.0.0.",
    ]
    detail = "\n\n".join(blocks)

    assert [
        "HOMA-IR **4.2**.",
        "**Based on**",
        "- HbA1c: 6.1 % (a \\| b), 2026-05-22 (10 days)\n- Sex: male",
        "**Not considered**",
        "- Waist: never measured",
        "Not known: AUDIT-C. Check before acting.",
        "**Limits:** It over-calls.",
        "Rule IR-STG-04 1.0.0.",
    ] == adapted(response(detail=detail), ORACLE)["detail"].split("\n\n")


def test_near_misses_of_links_are_read_in_linear_time():
    """
    Text that looks almost like links is no way to keep us busy (T30).
    """
    for almost in ("[" * 50_000, "[a](http://" * 10_000, "http://" * 15_000, "[a](" * 25_000):
        sent = response(detail=f"://{almost}\n\nRule.")
        assert adapted(sent, ORACLE)["detail"].endswith("Rule.")


def test_reasons_have_the_codes_of_hl7_where_they_are_wanted():
    """
    Each of ours has one of its own, which stays; the words stay ours (CARD-14).
    """
    profile = shipped().rules.profile
    codes = hl7_codes(profile)
    sent = response()
    sent["cards"][0]["overrideReasons"] = [
        {"code": one.code, "system": profile.override_system, "display": one.display}
        for one in profile.override_reasons
    ]
    found = adapt(sent, GENERIC, order_codes={}, link_hosts=(), systems={}, override_codes=codes)[
        "cards"
    ][0]["overrideReasons"]

    assert HL7_REASONS == {one.code: codes[one.code]["code"] for one in profile.override_reasons}
    assert [HL7_REASONS[one.code] for one in profile.override_reasons] == [
        one["code"] for one in found
    ]
    assert {"http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"} == {
        one["system"] for one in found
    }
    assert [one.display for one in profile.override_reasons] == [one["display"] for one in found]
    assert len(HL7_REASONS) == len(set(HL7_REASONS.values()))


# --- every shipped card -------------------------------------------------------------


def mapped(rules):
    """
    A code of the site for every order of the library.
    """
    codes = {}
    for action in rules.actions.values():
        for at in range(1, len(action.resources) + 1):
            codes[f"{action.id}.{at}"] = Code("urn:site", f"{action.id}-{at}")
    return codes


@pytest.mark.parametrize("mapping", [False, True], ids=["unmapped", "mapped"])
@pytest.mark.parametrize("ehr", EHRS.values(), ids=EHRS)
def test_every_card_fits(every_card, systems, ehr, mapping):
    """
    Valid, and nothing that was offered or warned of is missing from it (T44).
    """
    codes = mapped(shipped().rules) if mapping else {}
    for name, sent in every_card:
        found = adapt(sent, ehr, order_codes=codes, link_hosts=(), systems=systems)
        Response.model_validate(found)
        [before], [after] = sent["cards"], found["cards"]
        assert before["summary"] == after["summary"], name
        assert before["indicator"] == after["indicator"], name
        assert before.get("overrideReasons") == after.get("overrideReasons"), name
        for one in before.get("suggestions", ()):
            assert says(after, one), (name, one["label"])


def says(card, offered):
    """
    Tell whether a card offers a suggestion, or each of its actions, or says so in words.
    """
    if f"- {offered['label']}" in card["detail"]:
        return True
    label = offered["label"]
    if label in labels(card):
        return True
    parts = [one for one in labels(card) if one.startswith(f"{label}: ")]
    return len(parts) == len(offered["actions"])


def test_every_card_fits_epic(every_card, systems):
    """
    One action each, `any`, plain topics, OIDs, the resources it takes.
    """
    codes = mapped(shipped().rules)
    known = {uris[0] for uris in systems.values() if len(uris) > 1}
    offered = 0
    for name, sent in every_card:
        found = adapt(sent, EPIC, order_codes=codes, link_hosts=(), systems=systems)
        [card] = found["cards"]
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"]), name
        assert card.get("selectionBehavior", "any") == "any", name
        for one in card.get("suggestions", ()):
            offered += 1
            [action] = one["actions"]
            resource = action["resource"]
            assert resource["resourceType"] in EPIC.creates, name
            assert not known & set(re.findall(r'"system": "([^"]*)"', json.dumps(resource))), name
            if resource["resourceType"] == "ServiceRequest":
                assert "urn:site" == resource["code"]["coding"][0]["system"], name

    assert offered > len(every_card) / 2


def test_without_codes_epic_orders_nothing(every_card, systems):
    """
    What is left are problems; every order is a line of text.
    """
    kinds = set()
    for _, sent in every_card:
        found = adapt(sent, EPIC, order_codes={}, link_hosts=(), systems=systems)
        for one in found["cards"][0].get("suggestions", ()):
            kinds |= {action["resource"]["resourceType"] for action in one["actions"]}

    assert {"Condition"} == kinds


def test_every_card_is_short_in_a_narrow_column(every_card, systems):
    """
    Shorter than before, never above what fits, and with every value, gap, warning and limit.
    """
    for name, sent in every_card:
        found = adapt(sent, ORACLE, order_codes={}, link_hosts=(), systems=systems)
        before, after = sent["cards"][0]["detail"], found["cards"][0]["detail"]
        assert len(after) < len(before), name
        assert len(after) <= MOST_BRIEF, name
        assert "| Input" not in after, name
        for block in before.split("\n\n"):
            if block.startswith(KEPT):
                assert block in after, name
            if block.startswith("| Input"):
                for row in block.splitlines()[2:]:
                    title, value, when = (one.strip() for one in row.split("|")[1:4])
                    assert f"- {title}: {value}" in after, name
                    assert when in after, name


@pytest.mark.parametrize("ehr", EHRS.values(), ids=EHRS)
def test_every_detail_is_plain_markdown(every_card, systems, ehr):
    """
    Rewriting leaves neither HTML nor a table without a head.
    """
    parser = MarkdownIt("commonmark").enable("table")
    for name, sent in every_card:
        found = adapt(sent, ehr, order_codes={}, link_hosts=(), systems=systems)
        tokens = parser.parse(found["cards"][0]["detail"])
        assert not [one for one in tokens if one.type.startswith("html")], name
        assert "| --- |" not in "".join(one.content for one in tokens if one.type == "inline"), name


ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s)>\"`]+", re.IGNORECASE)


def test_every_address_comes_from_the_rule_files(every_card):
    """
    Links and sources are https and as the files have them: nothing of a patient (T42, LINK-06).
    """
    rules = shipped().rules
    known = {one.url for one in rules.sources.values() if one.url} | {rules.profile.source_url}
    known |= {link["url"] for one in rules.cards.values() for link in one.links}
    for name, sent in every_card:
        [card] = sent["cards"]
        urls = [one["url"] for one in card.get("links", ())]
        urls += [card["source"]["url"]] if "url" in card["source"] else []
        assert set(urls) <= known, name
        assert all(one.startswith("https://") for one in urls), name


def test_every_card_can_be_acted_on_by_hand(every_card):
    """
    What its detail leads to is among its links, and its detail says what is offered (CARD-17).
    """
    for name, sent in every_card:
        [card] = sent["cards"]
        links = {one["url"] for one in card.get("links", ())}
        assert set(ADDRESS.findall(card["detail"])) <= links, name
        assert all(one["label"] and one["actions"] for one in card.get("suggestions", ())), name


# --- whole answers ------------------------------------------------------------------


@pytest.mark.parametrize("name", EHRS)
def test_the_answer_is_the_golden_one(name, updates_golden):
    """
    One card with everything that a profile changes, word for word.
    """
    detail = (
        "HOMA-IR **4.2**.\n\n**Based on**\n\n| Input | Value | Date | Age |\n"
        "| --- | --- | --- | --- |\n| HbA1c | 6.1 % | 2026-05-22 | 10 days |\n\n"
        "**Evidence:** A guideline.\n\n**Limits:** It over-calls.\n\nRule IR-STG-04 1.0.0."
    )
    goal = {name: value for name, value in GOAL.items() if name != "isRecommended"}
    sent = response(
        HBA1C, PAIR, goal, PROBLEM, choose="at-most-one", links=[LINK, SMART], detail=detail
    )
    codes = {"order_hba1c": Code("urn:site", "A1"), "order_insulin.1": Code("urn:site", "INS")}
    found = adapt(
        sent,
        EHRS[name],
        order_codes=codes,
        link_hosts=["guideline.example"],
        systems=shipped().rules.systems,
    )
    Response.model_validate(found)
    golden = GOLDEN / f"{name}.json"
    if updates_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(json.dumps(found, indent=1) + "\n", "utf-8")

    assert json.loads(golden.read_text("utf-8")) == found
