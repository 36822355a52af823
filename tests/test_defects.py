"""
Defects of every kind: no death, no silent loss, and a refusal that names the place.

`fixtures/broken/table.json` lists them; `docs/defects.md` is written from what the
service answers (`--update-golden`). The property at the end corrupts any single input
of a case that fires.
"""

import copy
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.hooks.strict import encode
from cds.service.settings import Settings
from tests.calling import (
    EVALUATION,
    FIXTURES,
    ROOT,
    codes_of,
    evaluation_of,
    fired,
    is_outcome,
    read_fixture,
)

TABLE = read_fixture("broken/table.json")
BASE = read_fixture(TABLE["base"])
ROWS = {row["name"]: row for row in TABLE["rows"]}
FIRST_CONTENT = set(ROWS["only_the_patient"]["notFired"])
DOCUMENT = ROOT / "docs" / "defects.md"
FILLER = "x" * 200_000
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST_IN_CELL = 4
BOUND = re.compile(r"\| [^|]+ \| [<>≤≥]")


def body_of(row):
    """
    The bytes of a row, from its file or made here.
    """
    if row["file"]:
        return (FIXTURES / "broken" / row["file"]).read_bytes()
    if row["name"] == "body_of_1_6_mb":
        return of_size(1_600_000)
    assert row["name"] == "body_over_the_limit"
    return of_size(Settings.model_fields["max_body"].default + 1)


def of_size(size):
    """
    The base request with unknown members, of exactly this many bytes.
    """
    body = {**BASE, "extension": {"org.example.filler": []}}
    missing = size - len(encode(body))
    filler = body["extension"]["org.example.filler"]
    while missing > 0:
        # Two quotation marks, and a comma before all but the first.
        around = 2 + bool(filler)
        text = FILLER[: missing - around]
        rest = missing - around - len(text)
        if 0 < rest < 4:
            text = text[:-8]
        filler.append(text)
        missing = size - len(encode(body))
    raw = encode(body)
    assert size == len(raw)
    return raw


@pytest.fixture(scope="module")
def answers(service):
    """
    The answer to every row.
    """
    return {name: service.post(body_of(row)) for name, row in ROWS.items()}


def statuses_of(row):
    """
    The accepted statuses of a row.
    """
    return row["http"] if isinstance(row["http"], list) else [row["http"]]


def test_the_table_is_whole():
    """
    Every file has its row, and there are many more than 23.
    """
    files = {path.name for path in (FIXTURES / "broken").glob("*.json")} - {"table.json"}

    assert files == {row["file"] for row in TABLE["rows"]} - {None}
    assert len(ROWS) == len(TABLE["rows"])
    assert 23 <= len(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_status(answers, name):
    """
    The expected one, as JSON; never a fault of ours.
    """
    response = answers[name]

    assert response.status_code in statuses_of(ROWS[name])
    assert isinstance(response.json(), dict)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if statuses_of(row) != [200]])
def test_a_refusal_names_the_place(answers, name):
    """
    An OperationOutcome with the word that says where, and nothing of what was sent.
    """
    response, says = answers[name], ROWS[name].get("says", "")
    if response.status_code == 200:
        return

    assert is_outcome(response)
    if re.fullmatch(r"\w+", says):
        assert says.lower() in response.text.lower()
    assert "compensated-insulin-resistance" not in response.text
    assert "1997" not in response.text


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "stage" in row])
def test_stage(answers, name):
    """
    What is left decides, and no more.
    """
    assert ROWS[name]["stage"] == evaluation_of(answers[name])["stage"]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "fired" in row])
def test_rules_that_fire(answers, name):
    """
    Exactly these among the first content.
    """
    assert set(ROWS[name]["fired"]) == fired(evaluation_of(answers[name])) & FIRST_CONTENT


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "notFired" in row])
def test_rules_that_must_not_fire(answers, name):
    """
    A defect proves nothing; where the whole call is refused nothing fires either.
    """
    if answers[name].status_code != 200:
        assert "cards" not in answers[name].json()
        return

    assert set() == set(ROWS[name]["notFired"]) & fired(evaluation_of(answers[name]))


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "notUsed" in row])
def test_what_is_dropped_is_named(answers, name):
    """
    With its concept and its reason.
    """
    if answers[name].status_code != 200:
        assert is_outcome(answers[name])
        return
    found = evaluation_of(answers[name]).get("notUsed", [])

    for expected in ROWS[name]["notUsed"]:
        reasons = {one["reason"] for one in found if one["concept"] == expected["concept"]}
        assert reasons & set(expected["reason"]), (expected, found)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row["file"]])
def test_no_defect_is_silent(answers, sound, name):
    """
    Where fewer rules fire than without the defect, something new and visible says why.
    """
    if answers[name].status_code != 200:
        assert is_outcome(answers[name])
        return
    base, body = sound["compensated_insulin_resistance"], answers[name].json()
    lost = fired(base["extension"][EVALUATION]) - fired(body["extension"][EVALUATION])

    assert not lost or reasons_in(body) - reasons_in(base), lost


def reasons_in(body):
    """
    Everything an answer says of what it did not have or did not use.
    """
    evaluation = body["extension"][EVALUATION]
    rules = evaluation.get("rules", {})
    found = {f"{one['concept']}: {one['reason']}" for one in evaluation.get("notUsed", [])}
    found |= {f"{one['rule']}: {need}" for one in rules.get("unknown", []) for need in one["needs"]}
    found |= {f"{one['rule']}: {one['because']}" for one in rules.get("withheld", [])}
    if evaluation["stage"].startswith("NOT_STAGED"):
        found.add(evaluation["stage"])
    return found | reasons_on_cards(body)


def reasons_on_cards(body):
    """
    The lines of cards that name what was missing, not used, or known as a bound only.
    """
    found = set()
    for card in body["cards"]:
        _, _, rest = card["detail"].partition("**Not considered**\n\n")
        found |= set(rest.partition("\n\n")[0].splitlines())
        found |= {
            line
            for line in card["detail"].splitlines()
            if line.startswith("Not known: ") or "**not received**" in line or BOUND.match(line)
        }
    return found


def test_only_the_patient_means_results_may_exist(answers):
    """
    Searches that were not sent are no proof that nothing was measured: no order.
    """
    cards = answers["only_the_patient"].json()["cards"]

    assert [["MC-MISSING"], ["MC-UNCHECKED"]] == [codes_of(one) for one in cards]
    assert "not received" in cards[0]["summary"]
    assert all("suggestions" not in one for one in cards)


def test_si_units_give_the_number_of_si_units(service):
    """
    5.4 mmol/L and 114 pmol/L: 4.56, in the words of the card.
    """
    request = copy.deepcopy(REQUESTS["raised_homa_ir_alone"])
    sent = {"1558-6": ("5.4", "mmol/L", "14771-0"), "27873-9": ("114", "pmol/L", "14796-7")}
    for key, position in inputs_of(request):
        one = request["prefetch"][key]["entry"][position]["resource"]
        value, unit, code = sent.get(one["code"]["coding"][0]["code"], ("", "", ""))
        if code:
            one["code"]["coding"] = [{"system": "http://loinc.org", "code": code}]
            one["valueQuantity"].update(value=Decimal(value), unit=unit, code=unit)

    cards = service.post(encode(request)).json()["cards"]

    assert "HOMA-IR 4.56 with normal glucose suggests insulin resistance" in {
        card["summary"] for card in cards
    }


@pytest.mark.parametrize(
    "name", ["comparator_on_insulin", "data_absent", "value_is_text", "number_in_quotes"]
)
def test_what_is_left_open_is_said(answers, name):
    """
    The lost HOMA-IR is named as unknown, never passed over as if it were low.
    """
    found = reasons_in(answers[name].json())

    assert [one for one in found if "insulin" in one.lower() or "homa" in one.lower()]


def test_hostile_text_stays_out(answers):
    """
    No display text of a record reaches a card.
    """
    text = answers["hostile_text"].text

    assert "S1" == evaluation_of(answers["hostile_text"])["stage"]
    for mark in ("<img", "<script", "javascript:", "](http", "onerror"):
        assert mark not in text


# --- one input corrupted ----------------------------------------------------------

FIRING = (
    "compensated_insulin_resistance",
    "raised_homa_ir_alone",
    "new_prediabetes_likely_fatty_liver",
    "single_diabetes_range_hba1c",
)
REQUESTS = {name: read_fixture(f"requests/{name}.json") for name in FIRING}


def inputs_of(request):
    """
    Where the Observations of a request stand.
    """
    return [
        (key, position)
        for key, bundle in request["prefetch"].items()
        for position, entry in enumerate(bundle.get("entry", []))
        if entry["resource"]["resourceType"] == "Observation"
    ]


def quantities(resource):
    """
    The Quantities of an Observation: its own, and those of its components.
    """
    for holder in (resource, *resource.get("component", [])):
        if "valueQuantity" in holder:
            yield holder, holder["valueQuantity"]


def without_unit(resource):
    for _, quantity in quantities(resource):
        for member in ("unit", "code", "system"):
            quantity.pop(member, None)


def with_unknown_unit(resource):
    for _, quantity in quantities(resource):
        quantity.update(unit="blorg/L", code="blorg/L")


def a_thousand_times(resource):
    for _, quantity in quantities(resource):
        quantity["value"] = Decimal(str(quantity["value"])) * 1000


def entered_in_error(resource):
    resource["status"] = "entered-in-error"


def preliminary(resource):
    resource["status"] = "preliminary"


def in_2031(resource):
    resource["effectiveDateTime"] = "2031-05-17T08:10:00Z"


def undated(resource):
    resource.pop("effectiveDateTime", None)
    resource.pop("issued", None)


def in_an_unknown_system(resource):
    for holder in (resource, *resource.get("component", [])):
        for coding in holder["code"]["coding"]:
            coding["system"] = "urn:example:unknown"


def of_another_patient(resource):
    resource["subject"] = {"reference": "Patient/somebody-else"}


def as_text(resource):
    for holder, quantity in quantities(resource):
        holder["valueString"] = f"{quantity['value']} {quantity.get('unit', '')}"
        del holder["valueQuantity"]


def without_value(resource):
    for holder in (resource, *resource.get("component", [])):
        for member in [one for one in holder if one.startswith("value")]:
            del holder[member]


def with_comparator(resource):
    for _, quantity in quantities(resource):
        quantity["comparator"] = "<"


CORRUPTIONS = (
    without_unit,
    with_unknown_unit,
    a_thousand_times,
    entered_in_error,
    preliminary,
    in_2031,
    undated,
    in_an_unknown_system,
    of_another_patient,
    as_text,
    without_value,
    with_comparator,
)


def corrupted(request, key, position, corrupt):
    """
    A request with one input changed, wherever it was sent; None: sent twice.
    """
    request = copy.deepcopy(request)
    bundle = request["prefetch"][key]
    chosen = bundle["entry"][position]["resource"]
    if corrupt is None:
        bundle["entry"].append({"resource": chosen})
        bundle["total"] = len(bundle["entry"])
        return encode(request)
    for other, place in inputs_of(request):
        one = request["prefetch"][other]["entry"][place]["resource"]
        if one["id"] == chosen["id"]:
            corrupt(one)
    return encode(request)


def essence(body):
    """
    What fired and what is shown, apart from words: a bound changes the number on a card.
    """
    shown = {(code, card["indicator"]) for card in body["cards"] for code in codes_of(card)}
    return shown | {(code, "fired") for code in fired(body["extension"][EVALUATION])}


@pytest.fixture(scope="module")
def sound(service):
    """
    The answers to the requests while they are sound.
    """
    return {name: service.post(encode(one)).json() for name, one in REQUESTS.items()}


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", FIRING)
def test_one_corrupted_input_is_never_silent(service, sound, name, corrupt):
    """
    For each input: the same cards, or a visible reason that was not there before.
    """
    silent = []
    for key, position in inputs_of(REQUESTS[name]):
        response = service.post(corrupted(REQUESTS[name], key, position, corrupt))
        assert 200 == response.status_code
        body = response.json()
        lost = essence(sound[name]) - essence(body)
        if lost and not reasons_in(body) - reasons_in(sound[name]):
            silent.append((f"{key}[{position}]", sorted(lost)))

    assert [] == silent


@pytest.mark.parametrize("name", FIRING)
def test_an_input_sent_twice_changes_nothing(service, sound, name):
    """
    A resource is what it is, however often it came.
    """
    for key, position in inputs_of(REQUESTS[name]):
        body = service.post(corrupted(REQUESTS[name], key, position, None)).json()

        assert essence(sound[name]) == essence(body), (key, position)
        assert reasons_in(sound[name]) == reasons_in(body), (key, position)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.none(), max_size=2),
)


def places(value, path=()):
    """
    Every place in a document below the top.
    """
    if path:
        yield path
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, name))


PLACES = [path for path in places(BASE["prefetch"]) if len(path) > 1]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PLACES), junk=JUNK)
def test_junk_anywhere_is_survived(service, path, junk):
    """
    Any member of any resource replaced by junk: an answer or a refusal, never a fault.
    """
    request = copy.deepcopy(BASE)
    holder = request["prefetch"]
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = junk

    response = service.post(encode(request))

    assert response.status_code in (200, 400, 412)
    assert response.status_code == 200 or is_outcome(response)


# --- docs/defects.md --------------------------------------------------------------


def shows(response, base):
    """
    What the answer shows, in a line; of what it says is missing, what *base* does not say.
    """
    if response.status_code != 200:
        return UUID.sub("...", response.json()["issue"][0]["diagnostics"])
    evaluation = evaluation_of(response)
    rules = sorted(fired(evaluation))
    parts = [
        f"stage `{evaluation['stage']}`",
        f"fired {', '.join(rules)}" if rules else "nothing fired",
    ]
    dropped = [
        f"{one['concept']} ({one['reason']}, {one['count']})"
        for one in evaluation.get("notUsed", [])
    ]
    parts += [f"not used: {shortened(dropped)}"] if dropped else []
    withheld = evaluation.get("rules", {}).get("withheld", [])
    parts += [f"{one['rule']} withheld ({one['because']})" for one in withheld]
    said = sorted(reasons_on_cards(response.json()) - reasons_on_cards(base))
    parts += [f"said: {shortened([one.removeprefix('- ') for one in said])}"] if said else []
    return "; ".join(parts)


def shortened(some):
    """
    The first few of many.
    """
    more = len(some) - MOST_IN_CELL
    return ", ".join(some[:MOST_IN_CELL]) + (f" and {more} more" if more > 0 else "")


def written(answers, base):
    """
    The document, from the table and the answers.
    """
    lines = [
        "# Defects, and what the answer shows",
        "",
        "Every row is a request of `fixtures/broken/` (or made by `tests/test_defects.py`), sent",
        "to the real application. A defect never stops the service, and nothing is dropped without",
        "a word: what could not be used is in the evaluation's `notUsed`, on a card under",
        "*Not considered*, or named by the refusal.",
        "",
        "Written by `pytest tests/test_defects.py --update-golden`; a test keeps it true.",
        "",
        "| defect | HTTP | what the answer shows |",
        "| --- | --- | --- |",
    ]
    for name, row in ROWS.items():
        cells = (row["defect"], str(answers[name].status_code), shows(answers[name], base))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def test_the_document_is_true(answers, sound, updates_golden):
    """
    `docs/defects.md` says what is answered now.
    """
    text = written(answers, sound["compensated_insulin_resistance"])
    if updates_golden:
        DOCUMENT.write_text(text, "utf-8")

    assert DOCUMENT.read_text("utf-8") == text
