"""
What the command line says of the service: what it would serve, with which settings, to whom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds.cli.commands.options import CLIENTS, Folder, Profile, Rules

__all__ = ["config", "doctor", "handover", "status"]


def status(*, rules: Rules = None, profile: Profile = None) -> None:
    """Say what would be served: release, rules, reviews, engine."""
    from cds.cli.status import show_status  # noqa: PLC0415 - imported when called

    raise typer.Exit(show_status(rules=rules, profile=profile))


def doctor(*, rules: Rules = None) -> None:
    """
    Look at Python, the rule engine and the rules, and say what to do about each.

    Exit code 1: the service would not start, or not with both evaluators.
    """
    from cds.cli.doctor import examine  # noqa: PLC0415 - imported when called

    raise typer.Exit(examine(rules=rules))


def handover(
    *,
    client: Annotated[
        str, typer.Option("--client", metavar="NAME", help="Whose sheet; as it is registered.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to; printed else.", dir_okay=False),
    ] = None,
    folder: Folder = CLIENTS,
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Write what the integrator of one client has to enter, ask for and map, as Markdown.

    The settings of the service are those of the environment: CDS_PUBLIC_URL above all.
    """
    from cds.cli.handover import hand_over  # noqa: PLC0415 - imported when called

    raise typer.Exit(hand_over(client, folder=folder, out=out, rules=rules, profile=profile))


def config() -> None:
    """
    Show the settings in effect, secrets masked, and what would stop the service.

    Exit code 78: the service would not start.
    """
    from cds.cli.config import check_config  # noqa: PLC0415 - imported when called

    raise typer.Exit(check_config())
