"""
Addresses as text and as numbers: what may be connected to.
"""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from cds.service.addresses import Place, base_of, is_allowed, place_of
from cds.service.clients import Client

PRIVATE = tuple(map(ip_network, ["10.0.0.0/8", "127.0.0.0/8", "fd00::/8", "169.254.0.0/16"]))

ODD = [
    "",
    "ehr.example",
    "//ehr.example/fhir",
    "https:ehr.example",
    "https:///fhir",
    "https://",
    "file:///etc/passwd",
    "gopher://ehr.example/fhir",
    "ftp://ehr.example/fhir",
    "javascript://ehr.example/fhir",
    "https://good@evil.example/fhir",
    "https://good:secret@evil.example/fhir",
    "https://ehr.example@/fhir",
    "https://ehr.example/fhir#fragment",
    "https://ehr.example#@evil.example/",
    "https://ehr.example:/fhir",
    "https://ehr.example:0/fhir",
    "https://ehr.example:65536/fhir",
    "https://ehr.example:+443/fhir",
    "https://ehr.example:0443/fhir",
    "https://ehr.example:443:443/fhir",
    "https://127.1/fhir",
    "https://0x7f.1/fhir",
    "https://0x7f000001/fhir",
    "https://2130706433/fhir",
    "https://017700000001/fhir",
    "https://127.0.0.01/fhir",
    "https://1.2.3/fhir",
    "https://ehr.example./fhir",
    "https://.ehr.example/fhir",
    "https://ehr..example/fhir",
    "https://-ehr.example/fhir",
    "https://ehr_1.example/fhir",
    "https://ehr.example\\@evil.example/fhir",
    "https://ehr.example\\fhir",
    "https://ehr%2eexample/fhir",
    "https://ehr.example%00.evil.example/fhir",
    "https://ehr\u3002example/fhir",
    "https://\u0435hr.example/fhir",
    "https://ehr.example\u2044fhir",
    "https://[::1%25eth0]/fhir",
    "https://[::1/fhir",
    "https://[1:2]/fhir",
    "https://::1/fhir",
    "https://ehr.example/../admin",
    "https://ehr.example/fhir/./x",
    "https://ehr.example/fhir/..;/admin",
    "https://ehr.example/fhir/..;x=y",
    "https://ehr.example/fhir/..%3b/admin",
    "https://ehr.example/fhir/..",
    "https://ehr.example/fhir/%2e%2e/admin",
    "https://ehr.example/fhir%2f..%2fadmin",
    "https://ehr.example/fhir%5cadmin",
    "https://ehr.example/fhir%0d%0aHost:evil",
    "https://ehr.example/fhir%252e%252e/admin",
    "https://ehr.example/fhir%zz",
    "https://ehr.example/fhir//admin",
    "https://ehr.example/fhir?x=%zz",
    "https://ehr.example/fhir\r\nHost: evil",
    "https://ehr.example/fhir\n",
    " https://ehr.example/fhir",
    "https://ehr.example/fhir ",
    "https://ehr.example/fh ir",
    "https://ehr.example/fhir\t",
    "https://ehr.example/" + "a" * 9000,
]


@pytest.mark.parametrize("url", ODD, ids=lambda one: ascii(one)[:40])
def test_what_readers_may_read_differently_is_no_address(url):
    """
    Users, fragments, ports, numbers, dots and slashes in disguise (T12).
    """
    assert place_of(url) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ehr.example/fhir/", Place("https", "ehr.example", 443, "/fhir/")),
        ("HTTPS://EHR.Example:443/fhir", Place("https", "ehr.example", 443, "/fhir")),
        ("http://ehr.example:8080", Place("http", "ehr.example", 8080, "")),
        ("https://10.0.0.5/R4", Place("https", "10.0.0.5", 443, "/R4")),
        ("https://[FD00::5]:8443/R4", Place("https", "fd00::5", 8443, "/R4")),
        ("https://ehr.example/a?b=c|d", Place("https", "ehr.example", 443, "/a", "b=c%7Cd")),
        ("https://xn--bcher-kva.example/", Place("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_what_is_usual_is_written_one_way(url, expected):
    """
    Host in lower case, the port.
    """
    assert expected == place_of(url)


@pytest.mark.parametrize("end", ["", "/"])
def test_a_base_is_the_same_with_a_slash_and_without(end):
    """
    And has no query.
    """
    base = Place("https", "ehr.example", 443, "/fhir")

    assert base == base_of("https://ehr.example/fhir" + end)
    assert base == base_of("HTTPS://EHR.example:443/fhir" + end)
    assert Place("https", "ehr.example", 443, "") == base_of("https://ehr.example" + end)
    assert base_of(f"https://ehr.example/fhir{end}?x=1") is None
    assert base_of(f"https://ehr.example/fhir{end}?") is None
    assert base_of(f"https://ehr.example/fhir//{end}") is None


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("https://ehr.example/fhir", "ehr.example", "/fhir"),
        ("https://ehr.example:8443/", "ehr.example:8443", "/"),
        ("http://[::1]:80/a?b=c", "[::1]", "/a?b=c"),
        ("http://[::1]:81/a", "[::1]:81", "/a"),
    ],
)
def test_a_place_says_what_http_needs(url, authority, target):
    """
    The Host header, and what is asked for.
    """
    place = place_of(url)

    assert (authority, target) == (place.authority, place.target)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ehr.example/fhir", True),
        ("https://ehr.example:443/fhir?page=2", True),
        ("https://ehr.example/fhir/Observation?page=2", True),
        ("http://ehr.example/fhir/Observation", False),
        ("https://ehr.example:8443/fhir/Observation", False),
        ("https://ehr.example/fhirs/Observation", False),
        ("https://ehr.example/admin", False),
        ("https://ehr.example", False),
        ("https://ehr.example.evil.example/fhir/Observation", False),
    ],
)
def test_a_base_holds_what_is_below_it(url, expected):
    """
    The same server and the same folder (T15).
    """
    assert expected == base_of("https://ehr.example/fhir/").holds(place_of(url))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address, not a binding
        "127.0.0.1",
        "127.8.8.8",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.9",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",
        "ff02::1",
        "",
        "ehr.example",
        "127.1",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "::ffff:168.63.129.16",
    ],
)
def test_what_is_not_public_is_not_connected_to(address):
    """
    Private, loopback, link-local, shared, multicast, reserved, and forms in transition (T13).
    """
    assert not is_allowed(address)
    assert not is_allowed(address, development=True)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"],
)
def test_what_is_public_is(address):
    """
    Also an IPv4 address behind NAT64, where networks have nothing else.
    """
    assert is_allowed(address)


@pytest.mark.parametrize(
    ("address", "development", "expected"),
    [
        ("10.0.0.1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("fd00::1", False, True),
        ("192.168.0.1", False, False),
        ("127.0.0.1", False, False),
        ("127.0.0.1", True, True),
        ("::1", True, False),
        ("169.254.169.254", True, False),
        ("fd00:ec2::254", True, False),
    ],
)
def test_what_an_operator_names_is(address, development, expected):
    """
    Private networks by name; loopback in development alone; the metadata service never.
    """
    assert expected == is_allowed(address, networks=PRIVATE, development=development)


@pytest.mark.parametrize(
    "url", ["https://ehr.example/fhir?x=1", "https://127.1/fhir", "https://a@ehr.example/fhir"]
)
def test_what_would_never_be_asked_cannot_be_registered(url):
    """
    So that nobody waits for it (T12, FHIR-06).
    """
    with pytest.raises(ValidationError):
        Client(name="ehr", fhir_bases=(url,))
    assert ("https://ehr.example/fhir",) == Client(
        name="ehr", fhir_bases=("https://ehr.example/fhir/",)
    ).fhir_bases
