"""
Where the service may connect to: addresses as text, and what they resolve to.

An address is taken only in the one form that every reader understands alike; a network
address only where it is public, or private and named by the operator. The tables are our
own beside those of `ipaddress`, which calls NAT64, 6to4 and others public.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

__all__ = ["Network", "Place", "base_of", "is_allowed", "place_of"]

Network = IPv4Network | IPv6Network

_LONGEST: Final = 8192
_PORTS: Final = {"https": 443, "http": 80}
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL: Final = re.compile(
    rf"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]{{2,39}}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*)"
    r"(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?|\[\]-]*))?"
)
# What a server might take for a dot, a slash, a backslash, a per cent, or an end of line.
_HIDDEN: Final = re.compile(r"%(?:2[5EeFf]|5[Cc]|[01][0-9A-Fa-f]|7[Ff]|[89A-Fa-f][0-9A-Fa-f])")
# Java servers cut off what stands behind a semicolon, and then see the dots.
_UPWARDS: Final = re.compile(r"/\.{1,2}(?:/|;|%3[Bb])")
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NUMERIC: Final = re.compile(r"[0-9]+|0[Xx][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Place:
    """An http address, taken apart: host in lower case, the port always said."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one, as in a `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query, as they are asked for."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    def holds(self, other: Place) -> bool:
        """Tell whether another place is this one or below it, on the same server."""
        return other.origin == self.origin and (
            other.path == self.path or other.path.startswith(self.path + "/")
        )

    def below(self, relative: str) -> Place:
        """Give the place of a relative address, which is taken as it is."""
        path, _, query = relative.partition("?")
        return replace(self, path=f"{self.path}/{path}", query=query)


def place_of(url: str) -> Place | None:
    """
    Take an http or https address apart; None where anything about it is odd.

    Odd are users and passwords, fragments, other schemes, letters outside ASCII, dots at
    the end, numbers that only some readers take for an address, dots and slashes in
    disguise, ports that are none.
    """
    found = _URL.fullmatch(url) if len(url) <= _LONGEST else None
    if found is None:
        return None
    scheme, path = found["scheme"].lower(), found["path"]
    host = _host(found["host"])
    port = int(found["port"] or _PORTS[scheme])
    if not host or port > 65535:  # noqa: PLR2004 - the last port
        return None
    if _HIDDEN.search(path) or "//" in path or _UPWARDS.search(path + "/"):
        return None
    query = (found["query"] or "").replace("|", "%7C")
    if _PERCENT.search(path) or _PERCENT.search(query):
        return None
    return Place(scheme, host, port, path, query)


def base_of(url: str) -> Place | None:
    """Take the base of a server apart, which has no query, and no slash at its end or one."""
    place = place_of(url)
    if place is None or "?" in url:
        return None
    return replace(place, path=place.path.removesuffix("/"))


def _host(text: str) -> str:
    """Write a host one way; empty where it is not the usual spelling of an address."""
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except AddressValueError:
            return ""
    if _NUMERIC.fullmatch(text.rpartition(".")[2]):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            return ""
    return text.lower()


# --- what may be connected to -------------------------------------------------------------


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(one) for one in texts)


# Private ones, which an operator may name.
_PRIVATE: Final = _networks(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"
)
_LOOPBACK: Final = _networks("127.0.0.0/8", "::1/128")
# What is no place of anybody: IANA's special-purpose registries, and what is in transition.
_REFUSED: Final = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo, ORCHID and other protocols
    "2001:db8::/32",
    "2002::/16",  # 6to4
    "3fff::/20",
)
# Where clouds tell a machine its secrets: neither public in any sense, nor a neighbour.
_METADATA: Final = _networks(
    "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128"
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_allowed(
    address: str, *, networks: Collection[Network] = (), development: bool = False
) -> bool:
    """
    Tell whether a resolved address may be connected to.

    Public ones may; private ones where *networks* holds them; loopback in *development*
    only, and there too where *networks* holds it. Link-local and other addresses of the
    metadata services of clouds, multicast, reserved and transitional addresses never. An
    IPv4 address in the clothes of IPv6 (mapped, NAT64) is judged as the one it is.
    """
    try:
        one = ip_address(address)
    except ValueError:
        return False
    if isinstance(one, IPv6Address):
        if one.scope_id is not None:
            return False
        if one in _MAPPED or one in _NAT64:
            one = IPv4Address(int(one) & 0xFFFF_FFFF)
    if any(one in each for each in _METADATA):
        return False
    named = any(one in each for each in networks)
    if any(one in each for each in _LOOPBACK):
        return development and named
    if any(one in each for each in _PRIVATE):
        return named
    if any(one in each for each in _REFUSED) or not one.is_global:
        return False
    return isinstance(one, IPv4Address) or one in _GLOBAL_6
