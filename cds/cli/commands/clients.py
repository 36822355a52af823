"""
What the command line does about clients: register who may call, and try it out as they would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds.cli.commands.options import (
    CLIENTS,
    PRIVATE_KEY,
    Algorithm,
    Folder,
    KeyId,
    Name,
    Tenant,
)

__all__ = ["add_client", "check_client", "list_clients", "make_key", "print_token", "show_client"]


def add_client(
    name: Name,
    *,
    issuer: Annotated[
        str, typer.Option("--issuer", metavar="URL", help="What it writes into iss.")
    ] = "",
    jwks_url: Annotated[
        str, typer.Option("--jwks-url", metavar="URL", help="Where its public keys are.")
    ] = "",
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            metavar="FILE",
            help="Its public keys: PEM, a certificate, a JWK or a JWK Set.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    kid: Annotated[
        str, typer.Option("--kid", metavar="ID", help="What it calls the key of a PEM file.")
    ] = "",
    algorithm: Annotated[
        list[Algorithm] | None,
        typer.Option("--algorithm", help="How it signs; ES384 and RS384 else."),
    ] = None,
    fhir_base: Annotated[
        list[str] | None,
        typer.Option("--fhir-base", metavar="URL", help="A FHIR server that may be asked."),
    ] = None,
    private_network: Annotated[
        list[str] | None,
        typer.Option(
            "--private-network", metavar="CIDR", help="A private network these may be in."
        ),
    ] = None,
    ehr: Annotated[
        str, typer.Option("--ehr", metavar="ID", help="What it can show: an EHR profile.")
    ] = "",
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", metavar="ID", help="What it may write into tenant."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="A page that may call from a browser."),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", metavar="ID", help="A service it may call; all else."),
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option("--audience", metavar="URL", help="Another base URL it knows us by."),
    ] = None,
    subject: Annotated[
        str, typer.Option("--subject", metavar="ID", help="What we are called there.")
    ] = "",
    title: Annotated[str, typer.Option("--title", help="What people call it.")] = "",
    order_code: Annotated[
        list[str] | None,
        typer.Option(
            "--order-code", metavar="ACTION=SYSTEM|CODE", help="How the site orders an action."
        ),
    ] = None,
    link_host: Annotated[
        list[str] | None,
        typer.Option("--link-host", metavar="HOST", help="A host that links may lead to."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Cards it has off, or fewer of."),
    ] = None,
    override_codes: Annotated[
        str,
        typer.Option("--override-codes", metavar="WHOSE", help="Codes of reasons: own or hl7."),
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Write a registration that is there anew.")
    ] = False,
    folder: Folder = CLIENTS,
) -> None:
    """
    Register who may call: NAME.json in the folder of clients.

    EHR profiles: generic-2.0, generic-3.0, epic, oracle. Options of which there may be
    several are given several times. Exit code 2: something cannot be used; nothing is
    written then.
    """
    from cds.cli.client.registering import Added  # noqa: PLC0415 - imported when called
    from cds.cli.client.registering import add_client as add  # noqa: PLC0415 - the same

    asked = Added(
        name=name,
        issuer=issuer,
        title=title,
        jwks_url=jwks_url,
        keys=keys,
        kid=kid,
        algorithms=tuple(one.value for one in algorithm or ()),
        fhir_bases=tuple(fhir_base or ()),
        private_networks=tuple(private_network or ()),
        ehr=ehr,
        tenants=tuple(tenant or ()),
        origins=tuple(origin or ()),
        services=tuple(service or ()),
        audiences=tuple(audience or ()),
        subject=subject,
        order_codes=tuple(order_code or ()),
        link_hosts=tuple(link_host or ()),
        options=tuple(option or ()),
        override_codes=override_codes,
        replace=replace,
    )
    raise typer.Exit(add(asked, folder=folder))


def list_clients(*, folder: Folder = CLIENTS) -> None:
    """List who may call, a line each."""
    from cds.cli.client.registering import list_clients as show  # noqa: PLC0415 - the same

    raise typer.Exit(show(folder=folder))


def show_client(name: Name, *, folder: Folder = CLIENTS) -> None:
    """Show what is registered of one client."""
    from cds.cli.client.registering import show_client as show  # noqa: PLC0415 - the same

    raise typer.Exit(show(name, folder=folder))


def make_key(
    name: Name,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The private key; NAME.private.pem else.", dir_okay=False
        ),
    ] = None,
    algorithm: Annotated[
        Algorithm, typer.Option("--algorithm", help="How it signs.")
    ] = Algorithm.ES384,
    folder: Folder = CLIENTS,
) -> None:
    """Make a key pair to try things with: the public key is registered, the private one kept."""
    from cds.cli.client.registering import make_key as make  # noqa: PLC0415 - the same

    raise typer.Exit(make(name, folder=folder, out=out, algorithm=algorithm.value))


def check_client(
    name: Name,
    *,
    url: Annotated[
        str, typer.Option("--url", metavar="BASE", help="Where the service is reached.")
    ] = "http://127.0.0.1:8000",
    audience: Annotated[
        str,
        typer.Option(
            "--audience",
            metavar="BASE",
            envvar="CDS_PUBLIC_URL",
            help="The base URL that is signed for; that of --url else.",
        ),
    ] = "",
    key: Annotated[Path | None, PRIVATE_KEY] = None,
    kid: KeyId = "",
    tenant: Tenant = "",
    request: Annotated[
        Path | None,
        typer.Option(
            "--request", metavar="FILE", help="A hook call to send.", exists=True, dir_okay=False
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            metavar="FILE",
            help="The certificate of the client with its key, for mutual TLS (PEM).",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    folder: Folder = CLIENTS,
) -> None:
    """
    Call the running service as a client would, and say step by step what worked.

    Exit code 1: something did not. 2: the call itself cannot be made.
    """
    from cds.cli.client.checking import Checked  # noqa: PLC0415 - imported when called
    from cds.cli.client.checking import check_client as check_  # noqa: PLC0415 - the same

    asked = Checked(
        name=name,
        url=url,
        audience=audience,
        key=key,
        kid=kid,
        tenant=tenant,
        request=request,
        certificate=certificate,
    )
    raise typer.Exit(check_(asked, folder=folder))


def print_token(
    name: Name,
    *,
    key: Annotated[Path, PRIVATE_KEY],
    service: Annotated[
        str, typer.Option("--service", metavar="ID", help="The service that is called.")
    ] = "metabolic-patient-view",
    audience: Annotated[
        str,
        typer.Option(
            "--audience",
            metavar="BASE",
            envvar="CDS_PUBLIC_URL",
            help="The base URL of the service, as it knows itself.",
        ),
    ] = "http://127.0.0.1:8000",
    kid: KeyId = "",
    tenant: Tenant = "",
    folder: Folder = CLIENTS,
) -> None:
    """
    Print a token for one call, signed as the client would, to try with curl.

    It is valid for five minutes, once. Exit code 2: it cannot be made.
    """
    from cds.cli.client.checking import Checked  # noqa: PLC0415 - imported when called
    from cds.cli.client.checking import print_token as print_  # noqa: PLC0415 - the same

    asked = Checked(name=name, url="", audience=audience, key=key, kid=kid, tenant=tenant)
    raise typer.Exit(print_(asked, service=service, folder=folder))
