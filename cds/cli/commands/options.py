"""
The options and arguments that several verbs share, each declared once.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

__all__ = [
    "CLIENTS",
    "PRIVATE_KEY",
    "Algorithm",
    "CaseForm",
    "Engine",
    "Folder",
    "Form",
    "KeyId",
    "Name",
    "Profile",
    "Rules",
    "Tenant",
    "What",
    "Width",
    "WithEngine",
]


class Engine(StrEnum):
    """Which evaluators run."""

    BOTH = "both"
    DURABLE = "durable"
    REFERENCE = "reference"


class Algorithm(StrEnum):
    """How calls are signed."""

    ES384 = "ES384"
    RS384 = "RS384"
    ES256 = "ES256"
    RS256 = "RS256"


class Form(StrEnum):
    """How diagnostics are printed."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"
    SARIF = "sarif"


class CaseForm(StrEnum):
    """How results of cases are printed."""

    FULL = "full"
    JUNIT = "junit"
    JSON = "json"


Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        metavar="DIR",
        help="Rule files; the shipped ones else.",
        exists=True,
        file_okay=False,
    ),
]

Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="ID", help="Profile of a site; CDS_PROFILE else."),
]

Folder = Annotated[
    Path,
    typer.Option(
        "--clients",
        metavar="DIR",
        envvar="CDS_CLIENTS",
        help="Where registrations are.",
        file_okay=False,
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, like north-hospital.")]

KeyId = Annotated[str, typer.Option("--kid", metavar="ID", help="What the client calls that key.")]
Tenant = Annotated[
    str, typer.Option("--tenant", metavar="ID", help="As which tenant; the first else.")
]
What = Annotated[list[str] | None, typer.Argument(help="Files, folders or rule ids.")]
Width = Annotated[int | None, typer.Option(min=40, help="Columns; the terminal's else.")]
WithEngine = Annotated[Engine, typer.Option(help="Which evaluators run.")]

CLIENTS: Final = Path("clients")
PRIVATE_KEY: Final = typer.Option(
    "--key", metavar="FILE", help="The private key, in PEM.", exists=True, dir_okay=False
)
