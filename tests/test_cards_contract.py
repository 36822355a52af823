"""
Every card of every fixture against the contract of a card, whatever rule wrote it.

The clauses are those of CDS Hooks 2.0.1 and of the content contract that
`docs/reading-cards.md` describes.
"""

import re
from datetime import date
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B import get_fhir_model_class
from markdown_it import MarkdownIt

from cds.hooks.unchecked import UNCHECKED
from cds.hooks.wire import Response
from tests.calling import FIXTURES, NOW, RULE, evaluation_of, read_fixture
from tests.serving import shipped

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MEMBERS = {
    "uuid",
    "summary",
    "indicator",
    "detail",
    "source",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
    "extension",
}
# W1, and what would promise the same.
PROMISES = re.compile(
    r"\b(revers(e|es|ed|al|ing)|cur(e|es|ed|ing)|heal(s|ed|ing)?|detox\w*|reset\w*"
    r"|optimi[sz]e\w* hormon\w*)\b",
    re.IGNORECASE,
)
ORDERS = ("must", "diagnosis is", "stop taking", "discontinue")
# The first word of a line that tells a clinician what to do with a medicine.
DRUG_VERBS = re.compile(
    r"^\W*(stop|change|reduce|increase|switch|start|halve|double)\b", re.IGNORECASE
)
NEVER_SUGGESTED = (
    "testosterone",
    "oestrogen",
    "estradiol",
    "anastrozole",
    "gonadorelin",
    "inositol",
)
GRADE = re.compile(r"Evidence grade [ABCDX]\.")
YEAR = re.compile(r"\b(19|20)\d\d\b")
ROW = re.compile(r"\| (?P<title>[^|]+) \| (?P<value>[^|]+) \| (?P<date>[^|]*) \| (?P<age>[^|]*) \|")
AGE = re.compile(r"\d+ (days?|months)")
PAST = re.compile(r"\d{4}(-\d\d){0,2}")


def sent(service):
    """
    The name, the patient's id and the answer of every fixture that is answered.
    """
    for folder in ("requests", "broken"):
        for path in sorted((FIXTURES / folder).glob("*.json")):
            if path.name == "table.json":
                continue
            response = service.post(path.read_bytes())
            if response.status_code == 200:
                patient = read_fixture("requests/compensated_insulin_resistance.json")
                if folder == "requests":
                    patient = read_fixture(f"requests/{path.name}")
                name = patient["context"]["patientId"]
                yield f"{folder}/{path.stem}", name, response
    for path in sorted((FIXTURES / "patients").glob("*.json")):
        record = read_fixture(f"patients/{path.name}")
        patient = next(
            entry["resource"]["id"]
            for entry in record["entry"]
            if entry["resource"]["resourceType"] == "Patient"
        )
        yield f"patients/{path.stem}", patient, service.call_for(record)


@pytest.fixture(scope="module")
def answers(service):
    """
    Every answer, once.
    """
    return list(sent(service))


@pytest.fixture(scope="module")
def cards(answers):
    """
    Every card of a rule file with the place it came from and the patient it is about.

    What could not be checked has no file; `tests/hooks/test_unchecked.py` is about it.
    """
    return [
        (f"{place}: {card['extension'][RULE]['code']}", patient, card)
        for place, patient, response in answers
        for card in response.json()["cards"]
        if card["extension"][RULE]["code"] != UNCHECKED
    ]


def violations(cards, check):
    """
    The places whose card does not pass, with what *check* says.
    """
    found = []
    for place, patient, card in cards:
        said = check(card, patient)
        if said:
            found.append((place, said))
    return found


def texts_of(card):
    """
    Every text of a card that a clinician reads.
    """
    yield card["summary"]
    yield card["detail"]
    for suggestion in card.get("suggestions", []):
        yield suggestion["label"]
        for action in suggestion["actions"]:
            yield action["description"]


def test_there_are_cards_of_every_rule_that_can_show_one(cards):
    """
    The fixtures reach the first content, or the rest of this file proves little.
    """
    reached = {code for _, _, card in cards for code in codes(card)}

    assert 100 < len(cards)
    assert {"MC-MISSING", "IR-DQ-01", "IR-STG-04", "IR-STG-11"} <= reached


def codes(card):
    """
    The codes of a card and of what it carries.
    """
    rule = card["extension"][RULE]
    return rule.get("codes", [rule["code"]])


def test_every_answer_has_the_shape_of_the_wire(answers):
    """
    The strict models accept it, with every uuid used once and the most urgent first
    (RESP-01, RESP-05, EXT-01, EXT-02, EXT-04, T43).
    """
    for _, _, response in answers:
        Response.model_validate(response.json())


def test_nothing_is_empty(answers):
    """
    No null, "", [] or {}, but `cards: []` (HTTP-03).
    """

    def empty(value, path):
        if value is None or (isinstance(value, str | list | dict) and not value):
            yield path
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for name, one in items:
                yield from empty(one, f"{path}.{name}")

    found = [(place, list(empty(response.json(), "$"))) for place, _, response in answers]

    assert [] == [(place, paths) for place, paths in found if set(paths) - {"$.cards"}]


def test_members_are_those_of_the_specification(cards):
    """
    Nothing beside them, and what this service promises is always there (CARD-16, CARD-05).
    """

    def check(card, _patient):
        wanted = {
            "uuid",
            "summary",
            "indicator",
            "detail",
            "source",
            "overrideReasons",
            "extension",
        }
        return sorted(set(card) - MEMBERS) + sorted(wanted - set(card))

    assert [] == violations(cards, check)


def test_summaries(cards):
    """
    One line below 140 characters, no markup, no exclamation, no open hole; W2, W8
    (CARD-01, T43, cds-resp-4).
    """

    def check(card, _patient):
        text = card["summary"]
        return (
            not 0 < len(text) < 140
            or any(
                mark in text for mark in ("\n", "!", "*", "|", "{{", "}}", "<img", "source article")
            )
            or "  " in text
            or text != text.strip()
        ) and text

    assert [] == violations(cards, check)


def test_indicators(cards):
    """
    One of three; nothing of the first content is critical (CARD-02).
    """
    assert {card["indicator"] for _, _, card in cards} <= {"info", "warning"}


def test_sources(cards):
    """
    A label with a year, an absolute address without the patient, a topic, no icon
    (CARD-03 to CARD-06).
    """

    def check(card, patient):
        source = card["source"]
        url = source.get("url", "https://example.org")
        parts = urlsplit(url)
        return (
            not YEAR.search(source["label"])
            or parts.scheme not in {"https", "http"}
            or not parts.netloc
            or patient in url
            or source["topic"]["code"] != card["extension"][RULE]["code"]
            or not source["topic"]["system"]
        ) and source

    assert [] == violations(cards, check)


def test_uuids_are_never_used_twice(answers, service):
    """
    In lower case, and new with every call (CARD-09, SUG-02).
    """
    found = [
        one["uuid"]
        for _, _, response in answers
        for card in response.json()["cards"]
        for one in (card, *card.get("suggestions", []))
    ]

    assert len(found) == len(set(found))
    assert all(UUID.fullmatch(one) for one in found)


def test_override_reasons(cards):
    """
    Code, system and display, from the profile's own list (CARD-12 to CARD-14).
    """
    profile = shipped().rules.profile
    known = {one.code: one.display for one in profile.override_reasons}

    def check(card, _patient):
        return [
            one
            for one in card["overrideReasons"]
            if one != {**one, "system": profile.override_system, "display": known.get(one["code"])}
        ]

    assert [] == violations(cards, check)


def test_what_is_linked_is_absolute(cards):
    """
    Links are whole, and no address hides in the detail (CARD-15, CARD-17, T42).
    """

    def check(card, _patient):
        bare = re.findall(r"https?://\S+", card["detail"])
        links = [one["url"] for one in card.get("links", [])]
        return [one for one in links if not urlsplit(one).netloc] + [
            one for one in bare if one.rstrip(".)") not in links
        ]

    assert [] == violations(cards, check)


def test_the_rule_is_named(cards):
    """
    Code, id, version and release, in the extension and at the foot of the text.
    """
    rules = shipped().rules

    def check(card, _patient):
        rule = card["extension"][RULE]
        own = rules.cards[rule["id"]]
        footer = card["detail"].rpartition("\n\n")[2]
        return (
            (own.code, own.version, rules.release)
            != (rule["code"], rule["version"], rule["release"])
            or not footer.startswith(f"Rule {rule['code']} {rule['version']}")
            or f"release {rule['release']}" not in footer
            or any(code not in footer for code in codes(card))
        ) and rule

    assert [] == violations(cards, check)


# --- what a card rests on -----------------------------------------------------------


def blocks(card):
    """
    The blocks of the detail by their heading.
    """
    found = {}
    heading = ""
    for block in card["detail"].split("\n\n"):
        match = re.match(r"\*\*([A-Z][\w ]+?):?\*\*:?", block)
        heading = match[1] if match else heading
        found.setdefault(heading, []).append(block)
    return found


def rows(card):
    """
    The rows of the tables of inputs.
    """
    for line in card["detail"].splitlines():
        match = ROW.fullmatch(line)
        if match and match["title"] != "Input" and not match["title"].startswith("---"):
            yield match


def test_every_input_has_its_value_date_and_age(cards):
    """
    Value and unit as received, a date that is not in the future, the age of it (SEC-23, T39).
    """

    def check(card, _patient):
        return [
            match[0]
            for match in rows(card)
            if not PAST.fullmatch(match["date"])
            or not AGE.fullmatch(match["age"])
            or match["date"] > NOW.date().isoformat()
            or not re.search(r"\d|yes|no", match["value"])
        ]

    assert [] == violations(cards, check)


def test_ages_are_the_distance_of_dates(cards):
    """
    Counted once more from the date that stands beside them.
    """

    def check(card, _patient):
        wrong = []
        for match in rows(card):
            if len(match["date"]) == 10 and match["age"].split(" ")[1].startswith("day"):
                days = (NOW.date() - date.fromisoformat(match["date"])).days
                if int(match["age"].split(" ")[0]) not in (days - 1, days):
                    wrong.append(match[0])
        return wrong

    assert [] == violations(cards, check)


def test_values_have_units(cards):
    """
    Every concept whose unit is not 1 is told with one.
    """
    rules = shipped().rules
    bare = {
        one.title
        for table in (rules.concepts.values(), rules.indices.values())
        for one in table
        if getattr(one, "unit", "1") in ("", "1") or getattr(one, "unit", "").startswith("{")
    }

    def check(card, _patient):
        return [
            match[0]
            for match in rows(card)
            if match["title"] not in bare
            and re.fullmatch(r"[<>≤≥]?[\d.]+( to [\d.]+)?( \(.*\))?", match["value"])
        ]

    assert [] == violations(cards, check)


def test_missing_inputs_say_why(cards):
    """
    Each input of the rule is in the table or among what was not considered, with a reason.
    """
    opened = shipped()

    def titles(card):
        own = opened.rules.cards[card["extension"][RULE]["id"]]
        for name in own.inputs:
            base = name.partition(":")[0]
            for table in (opened.rules.concepts, opened.rules.indices, opened.rules.readings):
                if base in table:
                    yield getattr(table[base], "title", "") or base.replace("_", " ")
                    break

    def check(card, _patient):
        told = {match["title"] for match in rows(card)}
        reasons = dict(
            line.removeprefix("- ").split(": ", 1)
            for line in "\n".join(blocks(card).get("Not considered", [])).splitlines()
            if line.startswith("- ") and ": " in line
        )
        return [one for one in titles(card) if one not in told and not reasons.get(one)]

    assert [] == violations(cards, check)


def test_a_limit_stands_once_on_a_card(cards):
    """
    Rules that were merged into one card often share limits; nobody reads them twice.
    """

    def check(card, _patient):
        told = [
            one.strip(".")
            for block in blocks(card).get("Limits", [])
            for one in re.split(r"\. ", block.removeprefix("**Limits:** "))
        ]
        return sorted({one for one in told if told.count(one) > 1})

    assert [] == violations(cards, check)


def test_rule_evidence_and_limits_are_told(cards):
    """
    The cut-offs in words, a citation with its year, a grade, the limits, the review state.
    """

    def check(card, _patient):
        found = blocks(card)
        evidence = " ".join(found.get("Evidence", []))
        limits = " ".join(found.get("Limits", []))
        return [
            name
            for name, wrong in {
                "Rule": "Rule" not in found,
                "Evidence": not YEAR.search(evidence),
                "grade": not GRADE.search(evidence),
                "Limits": "Not yet reviewed by a clinician." not in limits,
                "judgement": "For the clinician's judgement." not in card["detail"],
            }.items()
            if wrong
        ]

    assert [] == violations(cards, check)


def test_no_hole_stays_open(cards):
    """
    What was filled in is there: no braces, no "None", no empty emphasis, no empty brackets (T48).
    """

    def check(card, _patient):
        return [
            mark
            for text in texts_of(card)
            for mark in ("{{", "}}", "None", "****", "()", "( ", " ,", "..", "NaN")
            if mark in text
        ]

    assert [] == violations(cards, check)


# --- words --------------------------------------------------------------------------


def test_markdown_is_harmless(cards):
    """
    No HTML, image or link comes out of a parser that allows all three (CARD-07, T41).
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")

    def tokens(some):
        for one in some:
            yield one
            yield from tokens(one.children or ())

    def check(card, _patient):
        found = {one.type for one in tokens(parser.parse(card["detail"]))}
        wrong = {one for one in found if "html" in one or one in {"image", "link_open"}}
        return sorted(wrong | {one for one in found if "code" in one or "fence" in one})

    assert [] == violations(cards, check)


def test_tables_come_out_as_tables(cards):
    """
    What is written as a table is one for a parser: a row for every input.
    """
    parser = MarkdownIt("commonmark").enable("table")

    def check(card, _patient):
        found = [one.type for one in parser.parse(card["detail"])].count("tr_open")
        expected = len(list(rows(card))) + card["detail"].count("| Input | Value |")
        return found != expected and (found, expected)

    assert [] == violations(cards, check)


def test_no_promises(cards):
    """
    W1: nothing is cured, reversed, reset.
    """

    def check(card, _patient):
        return [match[0] for match in PROMISES.finditer(" ".join(texts_of(card)))]

    assert [] == violations(cards, check)


def test_no_orders_to_the_clinician(cards):
    """
    W6: words of an order are absent, and a line about a medicine begins with "consider".
    """

    def check(card, _patient):
        text = " ".join(texts_of(card)).lower()
        lines = [card["summary"], *card["detail"].splitlines()]
        return [one for one in ORDERS if re.search(rf"\b{one}\b", text)] + [
            line for line in lines if DRUG_VERBS.match(line)
        ]

    assert [] == violations(cards, check)


def test_contraindicated_is_said_of_grade_x_only(cards):
    """
    W6: elsewhere "recommended against", or reasons not to start.
    """

    def check(card, _patient):
        grade = shipped().rules.cards[card["extension"][RULE]["id"]].grade
        return grade != "X" and "contraindicated" in " ".join(texts_of(card)).lower()

    assert [] == violations(cards, check)


def test_no_diagnosis_stronger_than_the_data(cards):
    """
    W4, W8: a surrogate suggests; no summary says that somebody has something.
    """

    def check(card, _patient):
        text = card["summary"].lower()
        surrogate = any(one in text for one in ("homa", "tyg", "tg/hdl", "mets-ir", "liver index"))
        claims = any(one in text for one in ("has diabetes", "diagnos", "confirms", "proves"))
        return (claims or (surrogate and "suggest" not in text)) and text

    assert [] == violations(cards, check)


def test_an_exclamation_mark_is_nowhere(cards):
    """
    W8: calm, in the detail too.
    """
    assert [] == violations(cards, lambda card, _: any("!" in text for text in texts_of(card)))


def test_no_label_of_normality(answers):
    """
    W12: S0, S0P and NG? are never called insulin-sensitive or free of resistance.
    """
    for place, _, response in answers:
        if evaluation_of(response)["stage"] in {"S0", "S0P", "NG?"}:
            for card in response.json()["cards"]:
                text = " ".join(texts_of(card)).lower()
                for one in ("insulin-sensitive", "insulin sensitive", "no resistance"):
                    assert one not in text, place


# --- suggestions --------------------------------------------------------------------


def actions(card):
    """
    Every action with the suggestion it belongs to.
    """
    for suggestion in card.get("suggestions", []):
        for action in suggestion["actions"]:
            yield suggestion, action


def test_suggestions_can_be_chosen(cards):
    """
    A label, a behaviour, actions with a description, one recommended at most where one may
    be chosen (CARD-10, CARD-11, SUG-01, SUG-03, SUG-04, SUG-06, cds-resp-1, cds-resp-6).
    """

    def check(card, _patient):
        if not card.get("suggestions"):
            return card.get("selectionBehavior")
        recommended = sum(one.get("isRecommended", False) for one in card["suggestions"])
        return (
            card["selectionBehavior"] not in {"any", "at-most-one"}
            or (card["selectionBehavior"] == "at-most-one" and recommended > 1)
            or any(not one["label"] or not one["actions"] for one in card["suggestions"])
            or any(action["type"] != "create" for _, action in actions(card))
            or any(not action["description"] for _, action in actions(card))
            or any("resourceId" in action for _, action in actions(card))
        )

    assert [] == violations(cards, check)


def test_every_draft_is_valid_r4(cards):
    """
    The strict models of R4 accept it, and nothing gets lost in them (SUG-07, SUG-13,
    cds-resp-5).
    """

    def check(card, _patient):
        for _, action in actions(card):
            resource = action["resource"]
            model = get_fhir_model_class(resource["resourceType"])
            again = model.model_validate(resource).model_dump(mode="json")
            if set(again) != set(resource):
                return sorted(set(again) ^ set(resource))
        return None

    assert [] == violations(cards, check)


def test_every_draft_is_a_proposal_about_this_patient(cards):
    """
    An id, the context's patient, and never an active order (SUG-10, SUG-12, T44).
    """
    goals = {"lifecycleStatus": "proposed"}
    drafts = {"status": "draft", "intent": "proposal"}
    kinds = {
        "ServiceRequest": drafts,
        "CarePlan": drafts,
        "Goal": goals,
        "CommunicationRequest": {"status": "draft"},
        "Task": {"status": "draft", "intent": "proposal"},
    }

    def check(card, patient):
        wrong = []
        for _, action in actions(card):
            resource = action["resource"]
            expected = kinds.get(resource["resourceType"])
            if resource["resourceType"] == "Condition":
                code = resource["verificationStatus"]["coding"][0]["code"]
                proposal = code in {"unconfirmed", "provisional"}
            else:
                proposal = expected is not None and expected == {
                    name: resource.get(name) for name in expected
                }
            subject = resource.get("subject", {}).get("reference")
            if (
                not proposal
                or subject != f"Patient/{patient}"
                or not UUID.fullmatch(resource["id"])
            ):
                wrong.append((resource["resourceType"], subject))
        return wrong

    assert [] == violations(cards, check)


def test_ids_of_drafts_are_unique(cards):
    """
    Also between the suggestions of one card (SUG-10).
    """

    def check(card, _patient):
        ids = [action["resource"]["id"] for _, action in actions(card)]
        return len(ids) != len(set(ids))

    assert [] == violations(cards, check)


def test_no_suggestion_is_offered_twice(cards):
    """
    One line for one thing to do.
    """

    def check(card, _patient):
        labels = [one["label"] for one in card.get("suggestions", [])]
        return len(labels) != len(set(labels)) and labels

    assert [] == violations(cards, check)


def test_some_medicines_are_never_suggested(cards):
    """
    W9: hormones, peptides and inositol are ordered by nobody's suggestion.
    """

    def check(card, _patient):
        return [
            action["resource"]["resourceType"]
            for _, action in actions(card)
            if action["resource"]["resourceType"] == "MedicationRequest"
            and any(one in str(action["resource"]).lower() for one in NEVER_SUGGESTED)
        ]

    assert [] == violations(cards, check)


def test_codes_of_drafts_have_a_system(cards):
    """
    A coding that nobody can look up is worse than a text.
    """

    def codings(value):
        if isinstance(value, dict):
            yield from value.get("coding", [])
        if isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from codings(one)

    def check(card, _patient):
        return [
            one
            for _, action in actions(card)
            for one in codings(action["resource"])
            if not one.get("system", "").startswith(("http://", "https://", "urn:"))
        ]

    assert [] == violations(cards, check)


# --- the evaluation -----------------------------------------------------------------


def test_the_evaluation_adds_up(answers):
    """
    What is shown, quiet or cut has fired; a card of a rule is shown; nothing is said twice.
    """
    for place, _, response in answers:
        rules = evaluation_of(response).get("rules", {})
        after = [*rules.get("shown", []), *rules.get("quiet", []), *rules.get("cut", [])]
        on_cards = {
            code
            for card in response.json()["cards"]
            for code in codes(card)
            if not code.startswith("MC-")
        }

        assert set(rules.get("fired", [])) == set(after), place
        assert len(after) == len(set(after)), place
        assert on_cards == set(rules.get("shown", [])), place


def test_the_evaluation_holds_nothing_of_the_patient(answers):
    """
    Neither an id, nor a date of birth, nor a value.
    """
    for place, patient, response in answers:
        evaluation = evaluation_of(response)
        evaluation.pop("traceId")
        evaluation.pop("asOf")
        text = str(evaluation)

        assert patient not in text, place
        assert not re.search(r"\d{4}-\d\d-\d\d", text), place
