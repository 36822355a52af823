"""
Discovery: templates derived from what the rules read, and legal for every client.
"""

import os
import subprocess
import sys

import pytest

from cds.core.clauses import Place
from cds.core.concepts import CodeRule, Concept, Search
from cds.hooks.discovery import by_worth, faults_of, prefetch_of, services
from cds.hooks.strict import encode
from cds.hooks.wire import Services
from cds.rulefiles.loader import load, load_ruleset
from cds.rulefiles.source import Memory
from cds.service.settings import default_rules
from tests.calling import ROOT
from tests.contract.traffic import python_path
from tests.service.fakes import ruleset

NOWHERE = Place("rules/x.yaml", 1, 1)


@pytest.fixture(scope="module")
def shipped():
    """
    The release that is shipped.
    """
    return load_ruleset(default_rules())


def concept(name, *codes, kind="quantity", search="labs", governs=True):
    """
    A concept that counts as read, as what governs the reading of others does.
    """
    return Concept(
        id=name,
        signal=name,
        title=name,
        type=kind,
        search=search,
        place=NOWHERE,
        codes=codes,
        governs=governs,
    )


def loinc(code, **more):
    """
    A LOINC code.
    """
    return CodeRule("loinc", code, **more)


SEARCHES = {
    "patient": Search("patient", "Patient", "Patient"),
    "labs": Search(
        "labs",
        "Observation",
        "Labs",
        count=60,
        by_code=True,
        sort="-date",
        parameters={"code": "http://loinc.org|85354-9"},
    ),
    "problems": Search("problems", "Condition", "Problems", count=250),
    "statements": Search("statements", "MedicationStatement", "Statements", count=250),
}


def test_templates_ask_for_what_is_read():
    """
    By code and once each, prefixes and other searches left out, panels added behind (PF-10).
    """
    rules = ruleset(
        searches=SEARCHES,
        concepts={
            "b": concept("b", loinc("2-2"), loinc("1-1"), loinc("9", prefix=True)),
            "a": concept("a", loinc("1-1")),
            "unread": concept("unread", loinc("3-3"), governs=False),
            "drug": concept("drug", kind="medicine", search="medicines"),
        },
    )

    assert {
        "patient": "Patient/{{context.patientId}}",
        "labs": "Observation?patient={{context.patientId}}"
        "&code=http://loinc.org|1-1,http://loinc.org|2-2,http://loinc.org|85354-9"
        "&_sort=-date&_count=60",
        "statements": "MedicationStatement?patient={{context.patientId}}&_count=250",
    } == prefetch_of(rules)


def test_the_shipped_templates_are_legal(shipped):
    """
    Of every service, with the shape of discovery (PF-01 to PF-10).
    """
    found = Services.model_validate(services(shipped)).services

    assert found
    assert [] == [fault for one in found for fault in faults_of(one.prefetch, one.hook)]


def test_every_code_that_is_read_is_asked_for(shipped):
    """
    Of one concept that every release reads (PF-34).
    """
    hba1c = shipped.concepts["hba1c"]
    template = prefetch_of(shipped)[hba1c.search]

    assert all(f"http://loinc.org|{one.code}" in template for one in hba1c.codes)


def test_discovery_is_the_same_after_a_restart(shipped):
    """
    Byte for byte (DISC-13).
    """
    again = load(default_rules(), memory=Memory()).ruleset

    assert again is not shipped
    assert encode(services(shipped)) == encode(services(again))


PATIENT = "patient={{context.patientId}}&_count=1"


@pytest.mark.parametrize(
    ("key", "template", "fault"),
    [
        ("a b", f"Condition?{PATIENT}", "PF-09"),
        ("a", f"https://x.org/Condition?{PATIENT}", "PF-01"),
        ("a", "Patient/1", "PF-01"),
        ("a", "Condition?patient={{today()}}&_count=1", "PF-03"),
        ("a", "Condition?patient={{context.draftOrders.id}}&_count=1", "PF-04"),
        ("a", "Condition?patient={context.patientId}&_count=1", "PF-02"),
        ("a", f"Condition?{PATIENT}&date=ge2020&date=le2021", "PF-08"),
        ("a", "Condition?patient={{context.patientId}}", "no _count"),
        ("a", "Condition?code=x&_count=1", "not about one patient"),
        ("a", f"Observation?{PATIENT}", "every kind"),
        ("a", f"Observation?{PATIENT}&code:not=x&category=y", "PF-06"),
        ("a", f"Condition?{PATIENT}&_include=x", "PF-06"),
        ("a", f"Condition?{PATIENT}&_revinclude=x", "PF-06"),
        ("a", f"Condition?{PATIENT}&subject.name=x", "PF-06"),
        ("a", f"Condition?{PATIENT}&code=", "no value"),
        ("a", f"Condition?{PATIENT}&date=ne2020", "compares"),
        ("a", f"Condition?{PATIENT}&clinical-status=active", "decision 23"),
    ],
)
def test_a_template_that_clients_need_not_support_is_found(key, template, fault):
    """
    One fault each (PF-01 to PF-06, PF-08 to PF-10).
    """
    assert [fault] == [fault for one in faults_of({key: template}) if fault in one]


def test_two_keys_for_one_thing_are_found():
    """
    No client should be asked twice (PF-09).
    """
    one = f"Condition?{PATIENT}"

    assert ["two keys ask for the same (PF-09)"] == faults_of({"a": one, "b": one})


@pytest.mark.parametrize(
    "template",
    [
        "Patient/{{context.patientId}}",
        f"Observation?{PATIENT}&code:in=http://x&date=ge2020-01-01&_sort=-date",
        f"Observation?{PATIENT}&category=laboratory",
    ],
)
def test_what_is_allowed_is_allowed(template):
    """
    Reads, codes, value sets, dates with a plain comparison.
    """
    assert [] == faults_of({"a": template})


def test_a_service_that_needs_nothing_asks_for_nothing():
    """
    The member is left out, not empty (DISC-08, HTTP-03).
    """
    found = services(ruleset())["services"]

    assert found
    assert all("prefetch" not in one for one in found)


def test_discovery_does_not_depend_on_the_hashing_of_a_process():
    """
    Byte for byte, in processes that put sets in another order (DISC-13, T26).
    """
    program = """
import sys
from cds.hooks.discovery import services
from cds.hooks.strict import encode
from cds.rulefiles.loader import load_ruleset
from cds.service.places import default_rules
rules = load_ruleset(default_rules())
sys.stdout.buffer.write(b"\\n".join(encode(services(rules, spec=spec)) for spec in ("2.0", "3.0")))
"""
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": python_path(ROOT), "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert 1 == len(answers)
    assert 2 == answers.pop().count(b'{"services":[')


@pytest.mark.parametrize("hook", ["patient-view", "order-sign", "medication-refill"])
def test_what_safety_rests_on_is_asked_first(shipped, hook):
    """
    The same templates as in discovery, in the order in which they are missed most (PERF-02).
    """
    rules = shipped
    found = by_worth(rules, hook)
    first = list(found)[:9]

    assert prefetch_of(rules, hook) == found
    assert "patient" == first[0]
    assert {"problems", "medicines", "statements", "encounters", "kidney", "status"} <= set(first)
    assert {"goals", "nutrition_orders"} == set(list(found)[-2:])
