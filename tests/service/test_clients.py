"""
Registrations: what can be used is read, and what cannot is named by file and member.
"""

import json

import pytest
from pydantic import ValidationError

from cds.service.clients import (
    ANYBODY,
    DEFAULT_CLIENT,
    Client,
    Clients,
    check_against,
    read_clients,
)
from cds.service.faults import BadSettingsError
from tests.serving import shipped

MARK = "Zebedee"


def write(folder, **members):
    """
    Write a registration as somebody might by hand.
    """
    path = folder / f"{members.get('name', 'ehr')}.json"
    path.write_text(json.dumps({"name": "ehr", **members}), "utf-8")


def test_registrations_are_read_from_their_folder(tmp_path):
    """
    Every JSON file in it, and nothing else.
    """
    write(tmp_path, issuer="https://one.example", rate=0.5, origins=["https://one.example"])
    write(tmp_path, name="two", issuer="https://two.example", origins=["https://two.example:8443"])
    (tmp_path / "notes.txt").write_text("not a client")
    clients = read_clients(tmp_path)

    assert {"ehr", "two"} == set(clients.by_name)
    assert "two" == clients.by_issuer["https://two.example"].name
    assert {"https://one.example", "https://two.example:8443"} == clients.origins
    assert 0.5 == clients.by_name["ehr"].rate


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"name": "Ehr"}, "name"),
        ({"colour": MARK}, "colour"),
        ({"issuer": [MARK]}, "issuer"),
        ({"keys": MARK}, "keys"),
        ({"keys": [{"kty": "EC"}], "jwks_url": "https://x.example/k"}, "keys or jwks_url"),
        ({"jwks_url": f"file:///{MARK}"}, "jwks_url"),
        ({"jwks_url": f"https://{MARK}@x.example/k"}, "jwks_url"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"audiences": [MARK]}, "audiences"),
        ({"tenants": [""]}, "tenants"),
        ({"tenants": ["n" * 129]}, "tenants"),
        ({"tenants": ["a\nb"]}, "tenants"),
        ({"tenants": MARK}, "tenants"),
        ({"token_seconds": 3601}, "token_seconds"),
        ({"token_seconds": 29}, "token_seconds"),
        ({"fhir_bases": ["http://127.1/r4"]}, "fhir_bases"),
        ({"fhir_bases": ["https://x.example/r4?_format=json"]}, "fhir_bases"),
        ({"private_networks": ["10.0.0.1/8"]}, "private_networks"),
        ({"ehr": MARK}, "ehr"),
        ({"origins": ["*"]}, "origins"),
        ({"origins": ["null"]}, "origins"),
        ({"origins": ["https://X.example"]}, "origins"),
        ({"origins": ["https://x.example/"]}, "origins"),
        ({"services": ["patient-view"]}, "services"),
        ({"services": ["metabolic-patient-vew"]}, "services"),
        ({"rate": 0}, "rate"),
        ({"burst": 0}, "burst"),
        ({"order_codes": {"x": {"code": "1"}}}, "order_codes"),
        ({"options": {"sleep": "off"}}, "options"),
        ({"link_hosts": ["https://x.example"]}, "link_hosts"),
        ({"link_hosts": ["X.example"]}, "link_hosts"),
        ({"link_hosts": ["x.example:443"]}, "link_hosts"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, members, place):
    """
    By its file and member, and never by its value (T60, SEC-10).
    """
    (tmp_path / "ehr.json").write_text(json.dumps({"name": "ehr", **members}), "utf-8")
    with pytest.raises(BadSettingsError) as caught:
        read_clients(tmp_path)

    assert f"{tmp_path / 'ehr.json'}: " in str(caught.value)
    assert place in str(caught.value)
    assert MARK not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'{"name": "ehr", "issuer": "a", "issuer": "b"}',
        b'{"name": "ehr", "rate": NaN}',
        b'\xff\xfe{"name": "ehr"}',
        b'{"name": "other"}',
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, raw):
    """
    Also where another reader would have taken it otherwise: nobody may be let in by that.
    """
    (tmp_path / "ehr.json").write_bytes(raw)

    with pytest.raises(BadSettingsError, match=r"ehr\.json: "):
        read_clients(tmp_path)


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    """
    A folder is as unreadable as a file of somebody else.
    """
    (tmp_path / "ehr.json").mkdir()

    with pytest.raises(BadSettingsError, match=r"ehr\.json: cannot be read"):
        read_clients(tmp_path)


def test_an_issuer_is_one_client():
    """
    Else its tokens could be either's (T6).
    """
    with pytest.raises(BadSettingsError, match="registered twice"):
        Clients([Client(name="a", issuer="x"), Client(name="b", issuer="x")])


def test_clients_without_an_issuer_are_known_by_none(tmp_path):
    """
    No token can be theirs.
    """
    assert {} == Clients([Client(name="a"), Client(name="b")]).by_issuer


def test_a_registration_does_not_change_while_it_is_used():
    """
    It is read once, for every call.
    """
    with pytest.raises(ValidationError):
        Client(name="a").issuer = "b"


def test_nobody_in_particular_knows_no_server():
    """
    Who need not say who they are are given nothing to ask with (T12).
    """
    assert DEFAULT_CLIENT is ANYBODY.client
    assert ((), "") == (DEFAULT_CLIENT.fhir_bases, ANYBODY.tenant)


SITE = {"system": "urn:site", "code": "A1"}


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"options": {"slepe": False}}, "options.slepe: is no option; there are activity, "),
        ({"options": {"sleep": 0}}, "options.sleep: must be true or false"),
        ({"options": {"safe_diet": False}}, "options.safe_diet: cannot be switched off"),
        ({"options": {"data": False}}, "options.data: cannot be switched off"),
        ({"options": {"max-cards": 0}}, "options.max-cards: must be a number from 1 to 5"),
        ({"options": {"max-cards": 6}}, "options.max-cards: must be a number from 1 to 5"),
        ({"options": {"max-cards": True}}, "options.max-cards: must be a number from 1 to 5"),
        ({"order_codes": {"order_hba1": SITE}}, "order_codes.order_hba1: is no order"),
        ({"order_codes": {"order_hba1c.2": SITE}}, "order_codes.order_hba1c.2: is no order"),
        ({"order_codes": {"goal_sleep": SITE}}, "order_codes.goal_sleep: is no order"),
        ({"order_codes": {"cancel_metformin": SITE}}, "order_codes.cancel_metformin: is no order"),
    ],
)
def test_what_the_rules_do_not_have_is_named(members, fault):
    """
    What is registered for all calls and would do nothing is a slip of the pen (CRD-02).
    """
    clients = Clients([Client(name="north"), Client(name="south", **members)])

    with pytest.raises(BadSettingsError) as caught:
        check_against(clients, shipped().rules)

    assert str(caught.value).startswith(f"client south: {fault}")


def test_what_the_rules_have_is_taken():
    """
    Every option, and each order by its name and by its number.
    """
    names = ("order_hba1c", "order_hba1c.1", "order_liver_tests", "order_liver_tests.3")
    client = Client(
        name="north",
        options={"sleep": False, "liver": True, "max-cards": 5},
        order_codes=dict.fromkeys(names, SITE),
    )

    assert None is check_against(Clients([client]), shipped().rules)
