"""
From settings to an application: rules, reasoner, routes.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cds.core.hooks import DEFAULT_HOOK
from cds.errors import BadKeys, RuleError
from cds.fhir.drafts import warm_up
from cds.hooks.discovery import service_of
from cds.service.activation import Activation, judged
from cds.service.app import create_app
from cds.service.clients import Clients, check_against, misfits, read_clients
from cds.service.faults import BadSettingsError
from cds.service.frame import Frame
from cds.service.logs import configure, log
from cds.service.pipeline import Pipeline
from cds.service.places import is_open_to_all, network_of
from cds.service.release import NotServedError, Release, open_release
from cds.service.settings import Settings, read_settings
from cds.service.tokens import Anybody, Callers, Tokens

if TYPE_CHECKING:
    from cds.core.rules import Ruleset
    from cds.service.fetching import Fetching

__all__ = [
    "application",
    "begun",
    "build",
    "callers_of",
    "check_database",
    "clients_of",
    "clock_of",
    "may_be_written",
    "opened",
    "started",
    "try_next",
    "warn_of_misfits",
]


_CONFIGURATION: Final = 78  # EX_CONFIG of sysexits.h
_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "fixtures" / "requests"


def application() -> Frame:
    """Build what the environment asks for."""
    return started()[0]


def begun(settings: Settings, clients: Clients, kept: Path | None = None) -> Frame:
    """
    Build what a supervisor has read; a worker process begins here.

    Whoever comes later knows what the others know, though a file has been spoiled since;
    *kept* are the rules of the start.
    """
    with _or_say_why_not():
        configure()
        return build(settings, clients, kept)


def started() -> tuple[Frame, Settings]:
    """Read the settings, load the rules, build the app; a reason in one line where not."""
    with _or_say_why_not():
        settings = read_settings()
        configure()
        return build(settings), settings


def opened(settings: Settings) -> socket.socket:
    """Take the address to listen on; a reason in one line where it cannot be had."""
    with _or_say_why_not():
        return _door_of(settings)


@contextmanager
def _or_say_why_not() -> Iterator[None]:
    try:
        yield
    except (BadSettingsError, NotServedError, RuleError) as error:
        print(f"cannot start: {error}", file=sys.stderr)  # noqa: T201 - nobody logs yet
        raise SystemExit(_CONFIGURATION) from None


def _door_of(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    door = socket.socket(family)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.host, settings.port))
    except OSError as error:
        door.close()
        number = error.errno or 0
        why = os.strerror(number) if number in errno.errorcode else "no such address"
        raise BadSettingsError(
            f"HOST and PORT: {settings.host}, {settings.port} cannot be listened on: {why.lower()}"
        ) from None
    door.set_inheritable(True)
    return door


def build(settings: Settings, clients: Clients | None = None, kept: Path | None = None) -> Frame:
    """
    Load what *settings* name and build the application, for *clients* that were read already.

    Raises `RuleError` or `NotServedError` where the rules must not be served, and
    `BadSettingsError` where a client is registered for what they do not have.
    """
    unreviewed = settings.allow_unreviewed or not settings.is_production
    clients = clients_of(settings) if clients is None else clients
    if settings.needs_tokens:
        check_database(settings)
    callers = callers_of(settings, clients)
    # One for all releases: what it knows of servers that fail outlives a change of rules.
    fetching = _fetching_of(settings, clients)

    def opens(folder: Path) -> tuple[Release, Pipeline]:
        release = open_release(folder, unreviewed=unreviewed, profile=settings.profile)
        pipeline = Pipeline(
            release.ruleset,
            engine=settings.engine,
            now=clock_of(settings),
            fetching=fetching,
            check=not settings.is_production,
            crd=settings.crd,
        )
        return release, pipeline

    activation = Activation(
        settings.rules,
        opens=opens,
        now=lambda: datetime.now(UTC),
        judge=partial(judged, profile=settings.profile),
        changed=partial(warn_of_misfits, clients),
        kept=kept,
    )
    check_against(clients, activation.ruleset)
    warm_up()
    writable = may_be_written(settings.rules)
    if writable and settings.is_production:
        log.warning("rules_writable")
    return create_app(
        settings,
        activation,
        about=lambda: {
            **activation.about(),
            "unreviewedAllowed": unreviewed,
            "rulesWritable": writable,
            **({} if fetching is None else {"fetching": fetching.about()}),
        },
        alongside=lambda: activation.run(watches=settings.watches),
        clients=clients,
        callers=callers,
        now=clock_of(settings),
    )


def may_be_written(folder: Path) -> bool:
    """Tell whether this process, or everybody, may change rules: then who breaks in may, too."""
    paths = (folder, *folder.rglob("*"))
    return os.access(folder, os.W_OK) or any(is_open_to_all(one) for one in paths)


def warn_of_misfits(clients: Clients, ruleset: Ruleset) -> None:
    """
    Log which clients are registered for what changed rules do not have.

    That is no reason to go on with the rules before: what is set for nothing changes nothing.
    """
    for one in clients.by_name.values():
        count = sum(1 for _ in misfits(one, ruleset))
        if count:
            log.warning("unfit_registration", client=one.name, count=count)


def clients_of(settings: Settings) -> Clients:
    """Read who may call. Raises `BadSettingsError` where a registration cannot be used."""
    if settings.is_production and settings.clients is not None:
        _refuse_where_all_may_write(
            "CDS_CLIENTS", settings.clients, *settings.clients.glob("*.json")
        )
    clients = Clients() if settings.clients is None else read_clients(settings.clients)
    for one in clients.by_name.values():
        if settings.is_production and any(base.startswith("http:") for base in one.fhir_bases):
            raise BadSettingsError(f"client {one.name}: fhir_bases: must begin with https://")
    return clients


def _refuse_where_all_may_write(setting: str, *paths: Path) -> None:
    if any(one.exists() and is_open_to_all(one) for one in paths):
        raise BadSettingsError(
            f"{setting}: every user of this machine may write there, and so decide who may call:"
            " chmod -R o-w"
        )


def check_database(settings: Settings) -> None:
    """
    Find out, without making anything, whether the database could be opened.

    Raises `BadSettingsError` where it could not.
    """
    scheme, _, path = settings.database.partition(":///")
    if scheme == "sqlite" and path:
        folder = Path(path).absolute().parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise BadSettingsError("CDS_DATABASE: its folder must be there, and be writable")
        if settings.is_production and network_of(folder):
            raise BadSettingsError("CDS_DATABASE: SQLite wants a local disk, or use PostgreSQL")
        if settings.is_production:
            _refuse_where_all_may_write("CDS_DATABASE", Path(path))
    elif not scheme.startswith("sqlite") and find_spec("psycopg") is None:
        raise BadSettingsError(
            "CDS_DATABASE: PostgreSQL needs the extra `postgresql`:"
            " .venv/bin/python -m pip install '.[postgresql]'"
        )


def _fetching_of(settings: Settings, clients: Clients) -> Fetching | None:
    """Make what asks the FHIR servers of the clients; None where none is registered."""
    if not any(one.fhir_bases for one in clients.by_name.values()):
        return None
    from cds.service.fetching import Fetching  # noqa: PLC0415 - as with keys, below
    from cds.service.outbound import Outbound  # noqa: PLC0415

    outbound = Outbound(development=not settings.is_production)
    return Fetching(outbound, seconds=settings.fetch_seconds)


def callers_of(settings: Settings, clients: Clients) -> Callers:
    """
    Make what tells who is calling.

    Raises `BadSettingsError` where calls must be signed and nobody could sign one, or
    where a client is registered that could not. In development the base that is signed
    for is where the service listens.
    """
    if not settings.needs_tokens:
        return Anybody(registered=len(clients.by_name))
    if not clients.by_name:
        raise BadSettingsError(
            "CDS_CLIENTS: must name a folder with a registered client; `cds client add` writes one"
        )
    if settings.is_production and not settings.public_url:
        raise BadSettingsError("CDS_PUBLIC_URL: must be the base URL that callers sign for")
    # Not needed, and not paid for, where calls are not signed.
    from cds.service.keys import Keys, fetch_over  # noqa: PLC0415
    from cds.service.outbound import Outbound  # noqa: PLC0415
    from cds.service.replay import Replays  # noqa: PLC0415

    for one in clients.by_name.values():
        if not one.issuer:
            raise BadSettingsError(f"client {one.name}: issuer: is what its tokens are known by")
        if not one.keys and not one.jwks_url:
            raise BadSettingsError(f"client {one.name}: keys or jwks_url: one of them is needed")
        if settings.is_production and one.jwks_url.startswith("http:"):
            raise BadSettingsError(f"client {one.name}: jwks_url: must begin with https://")
    try:
        keys = Keys(
            clients.by_name.values(),
            fetch=fetch_over(Outbound(development=not settings.is_production)),
            now=time.monotonic,
        )
    except BadKeys as error:
        raise BadSettingsError(str(error)) from None
    return Tokens(
        clients,
        base_url=settings.base_url,
        keys=keys,
        replays=Replays(settings.database, now=time.time),
        now=time.time,
    )


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """Give the clock of evaluation: the real one, or one that stands still."""
    frozen = settings.clock
    if frozen is not None:
        return lambda: frozen
    return lambda: datetime.now(UTC)


def try_next(settings: Settings) -> str:
    """Say what to try next, to somebody who has just started the service."""
    base = f"http://{settings.host}:{settings.port}"
    signed = settings.needs_tokens
    how = "signed calls only" if signed else "without authentication"
    lines = [
        f"Development mode on {base}, {how}. Try:",
        f"  curl {base}/cds-services",
        f"  curl {base}/status",
    ]
    examples = sorted(_EXAMPLES.glob("*.json"))
    if signed:
        lines.append(f"  cds client check NAME --url {base} --key NAME.private.pem")
    elif examples:
        example = examples[0].relative_to(_EXAMPLES.parent.parent)
        lines += [
            "  curl -H 'Content-Type: application/json' \\",
            f"    -d @{example} {base}/cds-services/{service_of(DEFAULT_HOOK)}",
        ]
    return "\n".join([*lines, "Stop with Ctrl-C."])
