"""
The hand-over sheet: everything an integrator needs, true for what is served.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cds.hooks.discovery import hooks_of, prefetch_of, service_of
from cds.hooks.ehr import EHRS, topic_code
from cds.service.clients import Client
from cds.service.handover import sheet_of
from cds.service.settings import Settings
from tests.serving import shipped

GOLDEN = Path(__file__).resolve().parents[2] / "fixtures" / "handover"
BASE = "https://cds.example/metabolic"
ASKED = re.compile(r"(?ms)^## Prefetch$.*^## How calls")
SETTINGS = Settings(env="development", public_url=f"{BASE}/", clients=None)


def client(**more):
    """
    A registered client.
    """
    registered = {
        "name": "north",
        "title": "North Hospital",
        "issuer": "https://ehr.example",
        "jwks_url": "https://ehr.example/jwks",
        "subject": "metabolic-cds",
        "fhir_bases": ["https://ehr.example/fhir"],
        "tenants": ["adult", "paediatric"],
    }
    return Client(**(registered | more))


def sections(sheet):
    """
    The sections of a sheet, by their headings.
    """
    _, *found = re.split(r"^## (.*)$", sheet, flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


@pytest.fixture(scope="module")
def rules():
    """
    The shipped release.
    """
    return shipped().rules


@pytest.mark.parametrize("name", EHRS)
def test_the_sheet_is_the_golden_one(rules, updates_golden, name):
    """
    Of one card, word for word (DISC-18, SEC-22).
    """
    one = replace(rules, cards={"short_sleep": rules.cards["short_sleep"]}, release="2026.11")
    mapped = {"goal_sleep": {"system": "urn:site", "code": "G1"}}
    sheet = sheet_of(one, client(ehr=name, order_codes=mapped, options={"sleep": False}), SETTINGS)
    # What is asked for is the matter of other tests.
    sheet = ASKED.sub("## How calls", sheet)
    golden = GOLDEN / f"{name}.md"
    if updates_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(sheet, "utf-8")

    assert golden.read_text("utf-8") == sheet


@pytest.mark.parametrize("name", EHRS)
def test_every_line_of_prefetch_can_be_copied(rules, name):
    """
    Key and template as discovery has them, for each hook the record system calls (PF-01).
    """
    sheet = sheet_of(rules, client(ehr=name), SETTINGS)
    lines = sheet.splitlines()
    hooks = [one for one in hooks_of(rules) if one in EHRS[name].hooks]

    assert "patient-view" in hooks
    for hook in hooks:
        for key, template in prefetch_of(rules, hook).items():
            assert f"`{key}`" in lines
            assert template in lines


def test_addresses_are_the_public_ones(rules):
    """
    Discovery, and of each hook its service and its feedback (DISC-18).
    """
    found = sections(sheet_of(rules, client(), SETTINGS))["Addresses"]

    assert f"`GET {BASE}/cds-services`" in found
    for hook in hooks_of(rules):
        assert f"`POST {BASE}/cds-services/{service_of(hook)}`" in found
        assert f"`POST {BASE}/cds-services/{service_of(hook)}/feedback`" in found


def test_hooks_that_are_not_called_are_left_out(rules):
    """
    By the record system, or because the client may not call them; they are named.
    """
    oracle = sheet_of(rules, client(ehr="oracle"), SETTINGS)
    limited = sheet_of(rules, client(services=["metabolic-patient-view"]), SETTINGS)

    for sheet in (oracle, limited):
        assert "metabolic-encounter-start" not in sheet
        assert "Served, and not for this client: " in sheet


def test_without_a_public_address_it_says_so(rules):
    """
    An address of this machine helps nobody else.
    """
    sheet = sheet_of(rules, client(), Settings(env="development"))

    assert "`CDS_PUBLIC_URL` is not set" in sheet
    assert "`CDS_PUBLIC_URL`" not in sheet_of(rules, client(), SETTINGS)


def test_scopes_follow_the_templates(rules):
    """
    In both versions of SMART, and no more than is read (DISC-18, FHIR-07).
    """
    found = sections(sheet_of(rules, client(), SETTINGS))["Access to your FHIR server"]
    kinds = {re.match("[A-Za-z]+", one)[0] for one in prefetch_of(rules).values()}

    assert kinds == set(re.findall(r"`patient/(\w+)\.read`", found))
    assert kinds == set(re.findall(r"`patient/(\w+)\.rs?`", found))
    assert "`patient/Patient.r`" in found
    assert "`metabolic-cds`" in found
    assert "`https://ehr.example/fhir`" in found


def test_claims_are_those_of_the_registration(rules):
    """
    Algorithm, key set, issuer, audience, lifetime, tenants (SEC-13, SEC-14).
    """
    found = sections(sheet_of(rules, client(token_seconds=300), SETTINGS))["How calls are signed"]

    assert "`ES384` or `RS384`" in found
    assert "`https://ehr.example/jwks`" in found
    assert f"under `{BASE}` |" in found
    assert "at most 300 seconds apart" in found
    assert "one of `adult`, `paediatric`" in found


def test_an_unregistered_issuer_is_said(rules):
    """
    Such a client would never be let in.
    """
    found = sections(sheet_of(rules, Client(name="north"), SETTINGS))

    assert "No issuer is registered" in found["How calls are signed"]
    assert "not registered yet" in found["Access to your FHIR server"]


@pytest.mark.parametrize("name", EHRS)
def test_every_topic_is_listed(rules, name):
    """
    As it stands in `source.topic.code` there.
    """
    heading = "Topics: what an override is remembered by"
    found = sections(sheet_of(rules, client(ehr=name), SETTINGS))[heading]
    cards = [
        one
        for one in rules.cards.values()
        if one.status == "active" and set(one.hooks) & set(EHRS[name].hooks)
    ]

    assert cards
    for one in cards:
        assert f"| `{topic_code(one.code, EHRS[name])}` | {one.code} |" in found


def test_override_reasons_are_listed_as_they_are_sent(rules):
    """
    Under our codes, or those of HL7 (CARD-14).
    """
    own = sections(sheet_of(rules, client(), SETTINGS))["Override reasons"]
    theirs = sections(sheet_of(rules, client(override_codes="hl7"), SETTINGS))["Override reasons"]

    for one in rules.profile.override_reasons:
        assert f"| `{one.code}` | `{rules.profile.override_system}` |" in own
        assert f"| `{one.hl7}` | `{rules.profile.hl7_override_system}` |" in theirs


def test_what_is_not_mapped_is_a_line_of_text(rules):
    """
    For each order of each card, with the site's code where it has one.
    """
    mapped = {
        "order_hba1c": {"system": "urn:site", "code": "A1"},
        "order_liver_tests": {"system": "urn:site", "code": "SET"},
        "order_nothing": {"system": "urn:site", "code": "X"},
    }
    epic = sections(sheet_of(rules, client(ehr="epic", order_codes=mapped), SETTINGS))
    found = epic["Orders to map"]
    lines = {one.split("|")[1].strip(" `"): one for one in found.splitlines() if "|" in one}

    assert lines["order_hba1c"].endswith("| `urn:site\\|A1` | offered |")
    assert lines["order_fpg"].endswith("| not mapped | a line of text |")
    assert lines["order_liver_tests.3"].endswith("| `urn:site\\|SET` | offered |")
    assert lines["goal_activity"].endswith("| a line of text |")
    assert lines["record_prediabetes"].endswith("| offered |")
    assert "Mapped, and no order on a card of this client: `order_nothing`." in found


@pytest.mark.parametrize(
    ("name", "loinc"),
    [("generic-2.0", "http://loinc.org"), ("epic", "urn:oid:2.16.840.1.113883.6.1")],
)
def test_our_codes_are_listed_as_they_are_sent(rules, name, loinc):
    """
    Under the OID of their system, where the record system knows systems by those.
    """
    found = sections(sheet_of(rules, client(ehr=name), SETTINGS))["Orders to map"]

    assert f"| `{loinc}\\|4548-4` |" in found


def test_the_code_that_is_sent_is_the_one_listed(rules):
    """
    One for the action goes before those of its parts; `.1` is another name of a single one.
    """
    mapped = {
        "order_liver_tests": {"system": "urn:site", "code": "SET"},
        "order_liver_tests.2": {"system": "urn:site", "code": "AST"},
        "order_hba1c.1": {"system": "urn:site", "code": "A1"},
        "goal_activity": {"system": "urn:site", "code": "X"},
    }
    found = sections(sheet_of(rules, client(ehr="epic", order_codes=mapped), SETTINGS))
    lines = found["Orders to map"].splitlines()

    assert 3 == sum("| `urn:site\\|SET` | offered |" in one for one in lines)
    assert 1 == sum("| `urn:site\\|A1` | offered |" in one for one in lines)
    assert not any("AST`" in one for one in lines)
    assert "Mapped, and no order on a card of this client: `goal_activity`." in lines


def test_a_generic_client_is_offered_everything(rules):
    """
    Mapped or not.
    """
    found = sections(sheet_of(rules, client(), SETTINGS))["Orders to map"]

    assert "a line of text" not in found
    assert "| offered |" in found


def test_drafts_taken_back_are_listed(rules):
    """
    With what becomes of them: Epic takes neither deletes nor updates.
    """
    one = replace(rules.actions["goal_sleep"], resources=(), cancel=("fasting_plan",))
    changed = replace(rules, actions={**rules.actions, "goal_sleep": one})
    row = "| `goal_sleep` | Goal: 7 hours of sleep a night | deletes drafts |  |  |"
    found = sections(sheet_of(changed, client(), SETTINGS))["Orders to map"]
    epic = sections(sheet_of(changed, client(ehr="epic"), SETTINGS))["Orders to map"]

    assert f"{row} offered |" in found.splitlines()
    assert f"{row} a line of text |" in epic.splitlines()


def test_hosts_of_links_are_listed(rules):
    """
    Every host that a card may lead to, and whether it is registered (LINK-06).
    """
    card = rules.cards["short_sleep"]
    link = {"label": "x", "url": "https://guide.example/x", "type": "absolute"}
    one = replace(rules, cards={card.id: replace(card, links=(link,))})
    open_to_all = sections(sheet_of(one, client(), SETTINGS))["Hosts of links"]
    known = sections(sheet_of(one, client(link_hosts=["guide.example"]), SETTINGS))
    closed = sections(sheet_of(one, client(ehr="oracle"), SETTINGS))["Hosts of links"]

    assert "| `guide.example` | all are |" in open_to_all
    assert "| `guide.example` | yes |" in known["Hosts of links"]
    assert "| `guide.example` | no |" in closed


def test_extensions_are_named_where_they_are_sent(rules):
    """
    Every name that stands in an answer, a service or a call of ours (DISC-18, EXT-04).
    """
    named = sections(sheet_of(rules, client(), SETTINGS))["Our extensions"]
    epic = sections(sheet_of(rules, client(ehr="epic"), SETTINGS))["Our extensions"]

    for one in ("rule", "action", "evaluation", "configuration-options", "configuration"):
        assert f"`org.metabolic-cds.{one}`" in named
    assert ["configuration"] == re.findall(r"`org\.metabolic-cds\.([a-z-]+)`", epic)


def test_an_option_that_is_none_is_named(rules):
    """
    A slip of the pen in a registration is not silent.
    """
    found = sections(sheet_of(rules, client(options={"slepe": False, "sleep": False}), SETTINGS))

    assert "Set, and no option of these services: `slepe`." in found["Options"]
    assert "| `sleep` | off |" in found["Options"]


@pytest.mark.parametrize(("asked", "expected"), [(3, "3"), (99, "5"), (0, "5")])
def test_the_most_cards_are_those_of_an_answer(rules, asked, expected):
    """
    As the service reads the registration: never more than the profile allows.
    """
    found = sections(sheet_of(rules, client(options={"max-cards": asked}), SETTINGS))

    assert f"| `max-cards` | {expected} |" in found["Options"]
    assert f"| cards of an answer | {expected}; " in found["Limits"]


@pytest.mark.parametrize("name", ["generic-2.0", "epic"])
def test_the_name_of_crd_stands_where_it_is_read(rules, name):
    """
    Behind its switch alone (CRD-01, CRD-02).
    """
    switched = SETTINGS.model_copy(update={"crd": True})
    ours = sections(sheet_of(rules, client(ehr=name), SETTINGS))["Our extensions"]
    both = sections(sheet_of(rules, client(ehr=name), switched))["Our extensions"]

    assert "`davinci-crd.configuration`" in both
    assert "davinci-crd" not in ours


def test_nothing_secret_is_in_it(rules):
    """
    Public keys are named by their id alone.
    """
    keys = [{"kty": "EC", "kid": "one", "crv": "P-384", "x": "XXXX", "y": "YYYY"}]
    sheet = sheet_of(rules, client(keys=keys, jwks_url=""), SETTINGS)

    assert "`one`" in sheet
    assert "XXXX" not in sheet


def test_the_sheet_says_how_a_server_is_asked(rules):
    """
    How many at a time and by what method, as it is registered.
    """
    usual = sheet_of(rules, client(), SETTINGS)
    other = sheet_of(rules, client(fhir_connections=9, fhir_searches="post"), SETTINGS)

    assert "up to 4 requests at the same time; searches by GET." in usual
    assert "up to 9 requests at the same time; searches by POST to `_search`." in other
