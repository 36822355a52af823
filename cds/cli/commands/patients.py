"""
What the command line does with a patient: show the cards, say why.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cds.cli.commands.options import Engine, Profile, Rules, Width, WithEngine

__all__ = ["explain_rule", "run"]


def run(
    file: Annotated[str, typer.Argument(help="Hook request, Bundle or NDJSON; - for stdin.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The raw response.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="One line for each card.")] = False,
    ids: Annotated[
        bool, typer.Option("--ids", help="Name the resources that were not used.")
    ] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Evaluate as of then.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="A record may lack things: absence proves nothing.")
    ] = False,
    trial: Annotated[
        bool, typer.Option("--trial", help="Also the cards on trial, which nobody is shown.")
    ] = False,
    width: Width = None,
    color: Annotated[
        bool | None, typer.Option("--color/--no-color", help="As the terminal can, else.")
    ] = None,
    engine: WithEngine = Engine.BOTH,
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Show the cards of a patient as a clinician would see them.

    A Bundle or NDJSON is taken as the whole record. Exit code 1: refused or failed.
    """
    from cds.cli.run import run_file  # noqa: PLC0415 - imported when called

    raise typer.Exit(
        run_file(
            file,
            rules=rules,
            profile=profile,
            as_of=as_of,
            partial=partial,
            trial=trial,
            as_json=as_json,
            brief=brief,
            ids=ids,
            width=width,
            color=color,
            engine=engine.value,
        )
    )


def explain_rule(
    what: Annotated[str, typer.Argument(help="A rule id, a code, or a check.")],
    *,
    patient: Annotated[
        str | None,
        typer.Option("--patient", metavar="WHO", help="A patient of the rule file, or a file."),
    ] = None,
    given: Annotated[
        str | None, typer.Option("--given", metavar="DATA", help="A patient in words.")
    ] = None,
    but: Annotated[
        list[str] | None, typer.Option("--but", metavar="DATA", help="The same patient, but.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Evaluate a file as of then.")
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", min=0, help="How deep to open what clauses name.")
    ] = 1,
    why_not: Annotated[
        bool, typer.Option("--why-not", help="The smallest changes that would show it.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="The smallest changes that would hide it.")
    ] = False,
    wanted: Annotated[
        str | None,
        typer.Option("--wanted", metavar="ANSWER", help="The same for a grade, band or stage."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As a tree of values.")] = False,
    width: Width = None,
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Say why a rule answers as it does, clause by clause; or what a check is about.

    Exit code 1: the patient's data were refused.
    """
    from cds.cli.explain import Asked, explain  # noqa: PLC0415 - imported when called

    asked = Asked(
        what=what,
        patient=patient,
        given=given,
        but=tuple(but or ()),
        as_of=as_of,
        depth=depth,
        why_not=why_not,
        why=why,
        wanted=wanted,
        as_json=as_json,
        width=width,
    )
    raise typer.Exit(explain(asked, rules=rules, profile=profile))
