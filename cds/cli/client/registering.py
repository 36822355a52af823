"""
`cds client add`, `list`, `show` and `key`: the registrations in the folder of `CDS_CLIENTS`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from cds.cli.client.keyfiles import make_key_pair, public_keys_of, write_privately
from cds.cli.console import say_rule_error, say_usage
from cds.errors import BadKeys, RuleError
from cds.rulefiles.loader import load_ruleset
from cds.service.clients import Client, Clients, check_against, read_clients
from cds.service.faults import BadSettingsError, because_of
from cds.service.keys import family_of
from cds.service.settings import read_settings

__all__ = ["Added", "add_client", "list_clients", "make_key", "registered", "show_client"]

_OPTIONS: Final = {
    "name": ("NAME", "lower-case letters, digits and '-', like north-hospital"),
    "issuer": ("--issuer", "what the client writes into `iss`"),
    "jwks_url": ("--jwks-url", "https://ehr.example/keys"),
    "keys": ("--keys", "a file with its public keys"),
    "fhir_bases": ("--fhir-base", "https://ehr.example/fhir/r4"),
    "private_networks": ("--private-network", "10.20.0.0/16"),
    "origins": ("--origin", "https://ehr.example"),
    "algorithms": ("--algorithm", "ES384, RS384, ES256 or RS256"),
    "services": ("--service", "metabolic-patient-view"),
    "audiences": ("--audience", "https://cds.example"),
    "tenants": ("--tenant", "what the client writes into `tenant`"),
    "ehr": ("--ehr", "cds client add --help lists them"),
    "link_hosts": ("--link-host", "guideline.example"),
    "order_codes": ("--order-code", "order_hba1c=urn:site|LAB17"),
    "options": ("--option", "sleep=off or max-cards=3"),
    "override_codes": ("--override-codes", "own or hl7"),
}
_MOST_DIGITS: Final = 9
_WORDS: Final[Mapping[str, bool]] = {"on": True, "true": True, "off": False, "false": False}


@dataclass(frozen=True, slots=True)
class Added:
    """What somebody says of a client."""

    name: str
    issuer: str
    title: str = ""
    jwks_url: str = ""
    keys: Path | None = None
    kid: str = ""
    algorithms: tuple[str, ...] = ()
    fhir_bases: tuple[str, ...] = ()
    private_networks: tuple[str, ...] = ()
    ehr: str = ""
    tenants: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    subject: str = ""
    order_codes: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    override_codes: str = ""
    replace: bool = False


def add_client(asked: Added, *, folder: Path) -> int:
    """Write the registration of a client; give the exit code."""
    path = folder / f"{asked.name}.json"
    if not asked.issuer:
        return say_usage("--issuer: is what the client writes into `iss`; nothing counts without")
    try:
        members = _members(asked)
        client = Client.model_validate(members)
        _check_keys(client)
        _check_beside(client, folder)
        if client.options or client.order_codes:
            settings = read_settings()
            rules = load_ruleset(settings.rules, profile=settings.profile)
            check_against(Clients([client]), rules)
    except ValidationError as error:
        return say_usage(_refusal(error))
    except RuleError as error:
        return say_rule_error(error)
    except (BadSettingsError, BadKeys, OSError) as error:
        return say_usage(_sentence(error))
    if path.exists() and not asked.replace:
        return say_usage(f"{path} is there already; --replace writes it anew")
    _write(path, members, replace=asked.replace)
    sys.stdout.write(f"{path} written.\n")
    for line in _what_next(client, folder):
        sys.stdout.write(f"{line}\n")
    return 0


def _members(asked: Added) -> dict[str, Any]:
    """Give the members of the registration that say something."""
    keys: tuple[dict[str, Any], ...] = ()
    if asked.keys is not None:
        try:
            keys = public_keys_of(asked.keys.read_bytes(), kid=asked.kid)
        except BadKeys as error:
            raise BadKeys(f"--keys: {asked.keys.name} {error}") from None
    members = {
        "name": asked.name,
        "title": asked.title,
        "issuer": asked.issuer,
        "keys": keys,
        "jwks_url": asked.jwks_url,
        "algorithms": asked.algorithms,
        "audiences": asked.audiences,
        "tenants": asked.tenants,
        "subject": asked.subject,
        "fhir_bases": asked.fhir_bases,
        "private_networks": asked.private_networks,
        "ehr": asked.ehr,
        "origins": asked.origins,
        "services": asked.services,
        "order_codes": dict(map(_order_code, asked.order_codes)),
        "link_hosts": asked.link_hosts,
        "options": dict(map(_option, asked.options)),
        "override_codes": asked.override_codes,
    }
    return {name: one for name, one in members.items() if one}


def _order_code(text: str) -> tuple[str, dict[str, str]]:
    """Read `order_hba1c=urn:site|LAB17`, perhaps with a text that the site shows behind it."""
    name, _, coding = text.partition("=")
    parts = coding.split("|", 2)
    if not name or len(parts) == 1 or not all(parts):
        raise BadSettingsError(
            "--order-code: must be ACTION=SYSTEM|CODE or ACTION=SYSTEM|CODE|TEXT"
        )
    return name, dict(zip(("system", "code", "display"), parts, strict=False))


def _option(text: str) -> tuple[str, bool | int]:
    """Read `sleep=off` or `max-cards=3`."""
    name, _, value = text.partition("=")
    if name and value in _WORDS:
        return name, _WORDS[value]
    if name and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return name, int(value)
    raise BadSettingsError("--option: must be NAME=on, NAME=off or NAME=NUMBER")


def _check_keys(client: Client) -> None:
    """Refuse keys that no algorithm of the client takes."""
    if not client.keys:
        return
    families = {family_of(one) for one in client.algorithms}
    if not any((one.get("crv") or one.get("kty")) in families for one in client.keys):
        raise BadKeys(
            f"--keys: none of them can be used for {' or '.join(client.algorithms)};"
            " --algorithm names others"
        )


def _check_beside(client: Client, folder: Path) -> None:
    """Refuse an issuer that another client has."""
    others = read_clients(folder).by_name if folder.is_dir() else {}
    try:
        Clients([*(one for name, one in others.items() if name != client.name), client])
    except BadSettingsError:
        raise BadSettingsError(
            "--issuer: another client has it; one issuer is one client, with --tenant for each"
            " of its tenants"
        ) from None


def _refusal(error: ValidationError) -> str:
    """Say which options cannot be used, why, and what would do."""
    lines = []
    for one in error.errors(include_input=False, include_url=False):
        member = str(one["loc"][0]) if one["loc"] else ""
        option, remedy = _OPTIONS.get(member, (f"--{member}" if member else "", ""))
        message = because_of(one)
        place = f"{option}: " if option else ""
        lines.append(f"{place}{message}{f' (such as {remedy})' if remedy else ''}")
    return "; ".join(lines)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: cannot be read: {error.strerror}"
    return str(error)


def _write(path: Path, members: Mapping[str, Any], *, replace: bool) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps(members, indent=2, ensure_ascii=False) + "\n"
    write_privately(path, text.encode(), replace=replace and path.exists())


def _what_next(client: Client, folder: Path) -> list[str]:
    lines = []
    if not client.keys and not client.jwks_url:
        lines.append(
            f"It has no key yet: --keys or --jwks-url, or cds client key {client.name}"
            " to try things with."
        )
    if not client.fhir_bases:
        lines.append("It has no FHIR server: what it does not send stays unknown.")
    if any(one.startswith("http:") for one in (client.jwks_url, *client.fhir_bases)):
        lines.append("http:// is spoken in development only; production wants https://.")
    if client.tenants:
        lines.append(f"Its tokens must name a tenant: {', '.join(client.tenants)}.")
    lines.append(f"The service reads CDS_CLIENTS={folder} when it starts.")
    return lines


def registered(name: str, *, folder: Path) -> Client:
    """Read one registration. Raises `BadSettingsError`."""
    if not folder.is_dir():
        raise BadSettingsError(
            f"{folder}: there is no such folder; CDS_CLIENTS or --clients names another"
        )
    clients = read_clients(folder).by_name
    if name not in clients:
        known = ", ".join(clients) or "nobody"
        raise BadSettingsError(f"{name}: is not registered in {folder}; there is: {known}")
    return clients[name]


def list_clients(*, folder: Path) -> int:
    """Print every client, a line each; give the exit code."""
    try:
        clients = read_clients(folder).by_name if folder.is_dir() else {}
    except BadSettingsError as error:
        return say_usage(str(error))
    if not clients:
        sys.stdout.write(f"Nobody is registered in {folder}; cds client add does that.\n")
    wide = max(map(len, clients), default=0)
    for one in clients.values():
        sys.stdout.write(f"{one.name:<{wide}}  {one.ehr:<11}  {one.issuer}  {_keys(one)}\n")
    return 0


def _keys(client: Client) -> str:
    if client.jwks_url:
        return f"keys at {urlsplit(client.jwks_url).hostname}"
    return {0: "no key", 1: "1 key"}.get(len(client.keys), f"{len(client.keys)} keys")


def show_client(name: str, *, folder: Path) -> int:
    """Print what is registered of a client; give the exit code."""
    try:
        client = registered(name, folder=folder)
    except BadSettingsError as error:
        return say_usage(str(error))
    members = client.model_dump(mode="json", exclude_defaults=True)
    members.pop("keys", None)
    members = {"name": client.name, "ehr": client.ehr, **members}
    for member, found in members.items():
        for one in found if isinstance(found, list) else [found]:
            text = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
            sys.stdout.write(f"{member:<16} {text}\n")
    for key in client.keys:
        kind = key.get("crv") or key.get("kty")
        sys.stdout.write(f"{'key':<16} {kind} {key.get('kid')}\n")
    return 0


def make_key(name: str, *, folder: Path, out: Path | None, algorithm: str) -> int:
    """Make a key pair for trying: the public key goes to the client, the private to a file."""
    target = out or Path(f"{name}.private.pem")
    try:
        client = registered(name, folder=folder)
    except BadSettingsError as error:
        return say_usage(str(error))
    if client.jwks_url:
        return say_usage(f"{name} has its keys at {client.jwks_url}: put a key there")
    if algorithm not in client.algorithms:
        return say_usage(f"--algorithm: {name} signs with {' or '.join(client.algorithms)}")
    pem, public = make_key_pair(algorithm)
    try:
        write_privately(target, pem)
    except FileExistsError:
        return say_usage(f"{target} is there already; --out names another file")
    except OSError as error:
        return say_usage(_sentence(error))
    path = folder / f"{name}.json"
    members = json.loads(path.read_text("utf-8"))
    members["keys"] = [*members.get("keys", ()), public]
    _write(path, members, replace=True)
    sys.stdout.write(
        f"{target} is the private key: for trying only, and for nobody else.\n"
        f"{path} has the public one; the service reads it when it starts.\n"
    )
    return 0
