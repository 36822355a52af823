"""
What the command line does with rule files: begin, check, test, lay out, compare, print.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cds.cli.commands.options import CaseForm, Engine, Form, Profile, Rules, What, WithEngine

__all__ = [
    "check",
    "compare_rules",
    "format_rules",
    "lsp",
    "new",
    "run_cases",
    "schema",
    "watch",
    "write_docs",
]


def check(
    what: What = None,
    *,
    form: Annotated[Form, typer.Option("--format", help="How to print.")] = Form.FULL,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="Make guesses too: look at each.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would change.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also run the cases: what do they leave out?")
    ] = False,
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="CHECK", help="These checks only.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CHECK", help="All but these.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", metavar="DATE", formats=["%Y-%m-%d"], help="Another today."),
    ] = None,
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Read every rule file and say what is wrong with it.

    Under every profile of the folder, or under the one that is named.
    CHECK is a code, a name, or the beginning of codes. Exit code 1: at least one error,
    or with --strict a warning. 2: the files could not be checked.
    """
    from cds.cli.check import check_files  # noqa: PLC0415 - imported when called

    raise typer.Exit(
        check_files(
            what or [],
            rules=rules,
            profile=profile,
            form=form.value,
            as_of=(as_of or datetime.now(UTC)).date(),
            fix=fix,
            unsafe_fixes=unsafe_fixes,
            diff=diff,
            strict=strict,
            thorough=thorough,
            select=select or [],
            ignore=ignore or [],
        )
    )


def run_cases(
    wanted: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WHAT]...", help="Rule ids, codes, files, folders; all else."),
    ] = None,
    *,
    named: Annotated[
        str, typer.Option("-k", metavar="TEXT", help="Only cases with this in their name.")
    ] = "",
    form: Annotated[CaseForm, typer.Option("--format", help="How to print.")] = CaseForm.FULL,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Which answers of each clause the cases see.")
    ] = False,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Which faults put into the rule no case notices.")
    ] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Write the cases that are missing.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="With --suggest: into the rule files.")
    ] = False,
    require: Annotated[
        bool, typer.Option("--require", help="Fail where a rule or a guard is never seen to act.")
    ] = False,
    at_least: Annotated[
        float | None,
        typer.Option("--at-least", metavar="PERCENT", help="Of coverage or mutants, or fail."),
    ] = None,
    engine: WithEngine = Engine.BOTH,
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Run the cases that rule files carry, and those of profiles under their profile.

    With a profile named, the cases of that profile alone. Or say how much the cases prove.
    Exit code 1: a case failed, or the cases prove too little. 2: nothing was selected, or
    the rules cannot be used.
    """
    if coverage or mutate or suggest or require:
        from cds.cli.thoroughness import (  # noqa: PLC0415 - imported when called
            Wanted,
            show_thoroughness,
        )

        wish = Wanted(coverage, mutate, suggest, write, require, at_least)
        raise typer.Exit(show_thoroughness(wanted or [], wish, rules=rules))
    from cds.cli.test import test_rules  # noqa: PLC0415 - imported when called

    raise typer.Exit(
        test_rules(
            wanted or [],
            named=named,
            rules=rules,
            profile=profile,
            engine=engine.value,
            form=form.value,
        )
    )


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="card, condition, factor, ..")],
    name: Annotated[str, typer.Argument(metavar="ID", help="Its id, like visceral_fat.")],
    *,
    title: Annotated[str, typer.Option("--title", help="What readers call it.")] = "",
    rules: Rules = None,
) -> None:
    """
    Begin a rule: a draft that loads, with a test that fails on purpose.

    Nothing is overwritten. Exit code 2: there is no such kind, or the id is taken or none.
    """
    from cds.cli.new import begin_rule  # noqa: PLC0415 - imported when called

    raise typer.Exit(begin_rule(kind, name, title=title, rules=rules))


def format_rules(
    what: What = None,
    *,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; say which files would change.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Write nothing; show what would change.")
    ] = False,
    rules: Rules = None,
) -> None:
    """
    Lay out rule files in the one way, comments and blank lines kept.

    Exit code 1: a file cannot be read and is left alone; with --check or --diff, one would change.
    """
    from cds.cli.fmt import format_files  # noqa: PLC0415 - imported when called

    raise typer.Exit(format_files(what or [], rules=rules, check=check_only, diff=diff))


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="A kind of file; any kind else.")
    ] = None,
    *,
    write: Annotated[
        bool, typer.Option("--write", help="Write schema/*.json in the rules' folder.")
    ] = False,
    rules: Rules = None,
) -> None:
    """Print the JSON Schema of rule files, from which editors complete and check keys."""
    from cds.cli.schema import show_schema  # noqa: PLC0415 - imported when called

    raise typer.Exit(show_schema(kind, rules=rules, write=write))


def compare_rules(
    old: Annotated[
        str | None, typer.Argument(metavar="[OLD]", help="A folder, or a revision of git.")
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="[NEW]", help="The same; the rules as they are else.")
    ] = None,
    *,
    population: Annotated[
        Path | None,
        typer.Option("--population", metavar="DIR", help="Records of patients.", exists=True),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Evaluate them as of then.")
    ] = None,
    patients: Annotated[bool, typer.Option("--patients", help="Name them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As values.")] = False,
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Say what changes between two versions of the rules, and for which patients.

    With --profile alone: what a profile changes, as a table to be signed. Exit code 1:
    answers of a rule changed and its version did not.
    """
    from cds.cli.diff import Diffed, diff_rules  # noqa: PLC0415 - imported when called

    asked = Diffed(
        old=old,
        new=new,
        population=population,
        profile=profile,
        as_of=as_of,
        patients=patients,
        as_json=as_json,
    )
    raise typer.Exit(diff_rules(asked, rules=rules))


def watch(
    wanted: Annotated[
        list[str] | None, typer.Argument(help="Rule ids, files or folders; every rule else.")
    ] = None,
    *,
    rules: Rules = None,
) -> None:
    """
    Check and test after every save, and print whose answer changed. Ctrl-C ends it.

    What leans on the saved rule is tested too.
    """
    from cds.cli.watch import watch_rules  # noqa: PLC0415 - imported when called

    raise typer.Exit(watch_rules(wanted or [], rules=rules))


def lsp(*, rules: Rules = None) -> None:
    """
    Serve an editor on stdin and stdout: the language server for rule files.

    Started by the editor; docs/editors.md says how. Exit code 2: pygls is not installed.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - imported when called

    if find_spec("pygls") is None:
        from cds.cli.console import say_usage  # noqa: PLC0415

        raise typer.Exit(
            say_usage("cds lsp needs pygls: make setup, or pip install 'metabolic-cds[authoring]'")
        )
    from cds.cli.lsp import serve_editor  # noqa: PLC0415

    raise typer.Exit(serve_editor(rules=rules))


def write_docs(
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the pages go.", file_okay=False)
    ] = Path("build/rules"),
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """Write a page for each rule, read back in English, an index, and a graph."""
    from cds.cli.docs import write_pages  # noqa: PLC0415 - imported when called

    raise typer.Exit(write_pages(out=out, rules=rules, profile=profile))
