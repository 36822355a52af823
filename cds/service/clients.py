"""
The clients: who may call, how they sign, where their FHIR servers are, what they can show.

One JSON file for each in the folder of `CDS_CLIENTS`, written by `cds client add` and read
once at start. Nothing here is secret: a client signs with a key that only it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)

from cds.core.rules import Ruleset
from cds.errors import BadRequest
from cds.hooks.adapting import names_to_map
from cds.hooks.discovery import hook_of
from cds.hooks.ehr import EHRS
from cds.hooks.options import faults_of
from cds.hooks.strict import decode
from cds.service.addresses import base_of, place_of
from cds.service.faults import BadSettingsError, sentence_of

__all__ = [
    "ANYBODY",
    "DEFAULT_CLIENT",
    "Caller",
    "Client",
    "Clients",
    "check_against",
    "misfits",
    "read_clients",
]

_NAME: Final = r"^[a-z][a-z0-9-]{0,63}$"
_LONGEST_TENANT: Final = 128
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]


class OrderCode(BaseModel):
    """The code under which a site can be sent one of our actions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    system: str = Field(min_length=1)
    code: str = Field(min_length=1)
    display: str = ""


class Client(BaseModel):
    """
    One registered record system.

    *issuer* is the `iss` of its tokens; *keys* its public keys, or *jwks_url* where they
    are. *tenants* lists the `tenant` claims it may make; where none is listed, none may be
    made. *audiences* are base URLs that count as ours in `aud`, besides the public one.
    *subject* is what we are called there (`fhirAuthorization.subject`). *fhir_bases* are
    the only servers that are ever asked, *private_networks* the private ones among them
    that may be reached. *fhir_connections* is how many requests of one call they take at
    the same time; *fhir_searches* whether they are searched by GET, or by POST to
    `_search`, which keeps ids and codes out of addresses and knows no longest address.
    *ehr* names what the system can show, *origins* the pages that may call from a browser,
    *services* those it may call (empty: all). *order_codes* says under which code the site
    takes each action of the library; *link_hosts* the hosts of links that it does not
    strip. *options* are its settings of our configuration options. *override_codes*:
    whether reasons to disagree have our own codes or those of HL7. *null_is_unknown* is for
    a system that sends null where it has not looked. With *reject_foreign* a call that
    brings resources of another patient is refused whole; without, they are left out and
    counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=_NAME)
    title: str = ""
    issuer: str = ""
    keys: tuple[Mapping[str, Any], ...] = ()
    jwks_url: str = ""
    algorithms: tuple[Algorithm, ...] = ("ES384", "RS384")
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    token_seconds: int = Field(default=3600, ge=30, le=3600)
    subject: str = ""
    fhir_bases: tuple[str, ...] = ()
    private_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    fhir_connections: int = Field(default=4, ge=1, le=20)
    fhir_searches: Literal["get", "post"] = "get"
    ehr: str = "generic-2.0"
    origins: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    rate: float = Field(default=20, gt=0, le=10_000)
    burst: int = Field(default=60, ge=1, le=100_000)
    order_codes: Mapping[str, OrderCode] = Field(default_factory=dict)
    link_hosts: tuple[str, ...] = ()
    options: Mapping[str, StrictBool | StrictInt] = Field(default_factory=dict)
    override_codes: Literal["own", "hl7"] = "own"
    null_is_unknown: bool = False
    reject_foreign: bool = False

    @field_validator("ehr")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in EHRS:
            raise ValueError(f"must be one of {', '.join(EHRS)}")
        return value

    @field_validator("fhir_bases")
    @classmethod
    def _are_bases(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_base(one) for one in values)

    @field_validator("jwks_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return value and _address(value)

    @field_validator("audiences")
    @classmethod
    def _are_addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_address(one) for one in values)

    @field_validator("tenants")
    @classmethod
    def _could_be_claimed(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(0 < len(one) <= _LONGEST_TENANT and one.isprintable() for one in values):
            raise ValueError(f"must be texts of 1 to {_LONGEST_TENANT} characters")
        return values

    @field_validator("services")
    @classmethod
    def _are_services(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(hook_of, values)):
            raise ValueError("must be ids of services, as discovery lists them")
        return values

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for one in values:
            if _ORIGIN.fullmatch(one) is None:
                raise ValueError("must be scheme, host and port, in lower case, and nothing else")
        return values

    @field_validator("link_hosts")
    @classmethod
    def _are_hosts(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_HOST.fullmatch, values)):
            raise ValueError("must be plain names of hosts in lower case, without scheme and port")
        return values

    @model_validator(mode="after")
    def _keys_in_one_place(self) -> Self:
        if self.keys and self.jwks_url:
            raise ValueError("keys or jwks_url, not both")
        return self


DEFAULT_CLIENT: Final = Client(name="anybody", title="Development without authentication")
"""Who calls where nobody has to say who they are; knows no FHIR server."""


def _address(url: str) -> str:
    """Check an address that is asked; one that readers may read differently never would be."""
    if place_of(url) is None:
        raise ValueError(
            "must be an absolute https address: a plain host, perhaps a port and a path, no user "
            "and no fragment"
        )
    return url


def _base(url: str) -> str:
    """Check the base of a FHIR server; without a slash at its end."""
    if base_of(_address(url)) is None:
        raise ValueError("a base has no query")
    return url.removesuffix("/")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes one call: a client, and which of its *tenants*, where it says so."""

    client: Client
    tenant: str = ""


ANYBODY: Final = Caller(DEFAULT_CLIENT)
"""The caller where nobody has to say who they are."""


class Clients:
    """Every registered client, by name and by issuer."""

    def __init__(self, clients: Iterable[Client] = ()) -> None:
        self.by_name: dict[str, Client] = {one.name: one for one in clients}
        self.by_issuer: dict[str, Client] = {}
        for one in self.by_name.values():
            if one.issuer and self.by_issuer.setdefault(one.issuer, one) is not one:
                raise BadSettingsError(f"client {one.name}: its issuer is registered twice")

    @property
    def origins(self) -> frozenset[str]:
        """List every page that may call from a browser."""
        return frozenset(each for one in self.by_name.values() for each in one.origins)


def misfits(client: Client, rules: Ruleset) -> Iterator[str]:
    """Name what a registration sets that would do nothing under these rules, and a remedy."""
    for code, fault in faults_of(rules, client.options):
        yield f"options.{code}: {fault}"
    orders = {
        name
        for one in rules.actions.values()
        for name in names_to_map(one.id, [str(each["resourceType"]) for each in one.resources])
    }
    for name in client.order_codes:
        if name not in orders:
            yield (
                f"order_codes.{name}: is no order of these rules; "
                f"`cds handover --client {client.name}` lists them"
            )


def check_against(clients: Clients, rules: Ruleset) -> None:
    """Raise `BadSettingsError` where a registration sets what these rules do not have."""
    for one in clients.by_name.values():
        found = list(misfits(one, rules))
        if found:
            raise BadSettingsError(f"client {one.name}: {'; '.join(found)}")


def read_clients(folder: Path) -> Clients:
    """
    Read every `NAME.json` of *folder*.

    Raises `BadSettingsError` with the file and the member that cannot be used.
    """
    return Clients(_read(path) for path in sorted(folder.glob("*.json")))


def _read(path: Path) -> Client:
    try:
        found = decode(path.read_bytes())
    except OSError as error:
        raise BadSettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except BadRequest as error:
        raise BadSettingsError(f"{path}: {error.message}") from None
    try:
        client = Client.model_validate(found)
    except ValidationError as error:
        said = sentence_of(error, known=Client.model_fields)
        raise BadSettingsError(f"{path}: {said}") from None
    if client.name != path.stem:
        raise BadSettingsError(f"{path}: its `name` must be that of its file")
    return client
