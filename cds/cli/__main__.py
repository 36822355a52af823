"""
The command line: every verb, in the order in which help lists them.

What a verb takes is declared in `cds.cli.commands`; what it needs to do its work is
imported when it is called, so that help is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

import typer

from cds.cli.commands.clients import (
    add_client,
    check_client,
    list_clients,
    make_key,
    print_token,
    show_client,
)
from cds.cli.commands.patients import explain_rule, run
from cds.cli.commands.rules import (
    check,
    compare_rules,
    format_rules,
    lsp,
    new,
    run_cases,
    schema,
    watch,
    write_docs,
)
from cds.cli.commands.serving import config, doctor, handover, status

__all__ = ["main"]

Command = Callable[..., None]

_HELP: Final = (
    "Decision support for insulin resistance: run it on a patient, check and test its rules."
)
_VERBS: Final[Mapping[str, Command]] = {
    "run": run,
    "check": check,
    "test": run_cases,
    "new": new,
    "fmt": format_rules,
    "explain": explain_rule,
    "schema": schema,
    "diff": compare_rules,
    "watch": watch,
    "lsp": lsp,
    "docs": write_docs,
    "status": status,
    "doctor": doctor,
    "handover": handover,
    "config": config,
}
_OF_CLIENTS: Final[Mapping[str, Command]] = {
    "add": add_client,
    "list": list_clients,
    "show": show_client,
    "key": make_key,
    "check": check_client,
    "token": print_token,
}


def _command_line() -> typer.Typer:
    line = typer.Typer(
        name="cds",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for verb, command in _VERBS.items():
        line.command(verb)(command)
    of_clients = typer.Typer(
        name="client",
        help="Register who may call the service, and try it out as they would.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for verb, command in _OF_CLIENTS.items():
        of_clients.command(verb)(command)
    line.add_typer(of_clients)
    return line


app = _command_line()


def main() -> None:
    """Run the command line; a reader that went away (`| head`) is no error."""
    try:
        app(prog_name="cds")
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
