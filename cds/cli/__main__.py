"""
The command line: one verb, one module; what a verb needs is imported when it is called.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["main"]

app = typer.Typer(
    name="cds",
    help="Decision support for insulin resistance: run it on a patient, check and test its rules.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


clients = typer.Typer(
    name="client",
    help="Register who may call the service, and try it out as they would.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(clients)


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


@app.command()
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
    width: Annotated[int | None, typer.Option(min=40, help="Columns; the terminal's else.")] = None,
    color: Annotated[
        bool | None, typer.Option("--color/--no-color", help="As the terminal can, else.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="Which evaluators run.")] = Engine.BOTH,
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


@app.command()
def check(
    what: Annotated[list[str] | None, typer.Argument(help="Files, folders or rule ids.")] = None,
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


@app.command("test")
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
    engine: Annotated[Engine, typer.Option(help="Which evaluators run.")] = Engine.BOTH,
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


@app.command()
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


@app.command("fmt")
def format_rules(
    what: Annotated[list[str] | None, typer.Argument(help="Files, folders or rule ids.")] = None,
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


@app.command("explain")
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
    width: Annotated[int | None, typer.Option(min=40, help="Columns; the terminal's else.")] = None,
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


@app.command()
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


@app.command("diff")
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


@app.command()
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


@app.command()
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


@app.command("docs")
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


@app.command()
def status(*, rules: Rules = None, profile: Profile = None) -> None:
    """Say what would be served: release, rules, reviews, engine."""
    from cds.cli.status import show_status  # noqa: PLC0415 - imported when called

    raise typer.Exit(show_status(rules=rules, profile=profile))


@app.command()
def doctor(*, rules: Rules = None) -> None:
    """
    Look at Python, the rule engine and the rules, and say what to do about each.

    Exit code 1: the service would not start, or not with both evaluators.
    """
    from cds.cli.doctor import examine  # noqa: PLC0415 - imported when called

    raise typer.Exit(examine(rules=rules))


@app.command()
def handover(
    *,
    client: Annotated[
        str, typer.Option("--client", metavar="NAME", help="Whose sheet; as it is registered.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to; printed else.", dir_okay=False),
    ] = None,
    folder: Folder = Path("clients"),
    rules: Rules = None,
    profile: Profile = None,
) -> None:
    """
    Write what the integrator of one client has to enter, ask for and map, as Markdown.

    The settings of the service are those of the environment: CDS_PUBLIC_URL above all.
    """
    from cds.cli.handover import hand_over  # noqa: PLC0415 - imported when called

    raise typer.Exit(hand_over(client, folder=folder, out=out, rules=rules, profile=profile))


@app.command()
def config() -> None:
    """
    Show the settings in effect, secrets masked, and what would stop the service.

    Exit code 78: the service would not start.
    """
    from cds.cli.config import check_config  # noqa: PLC0415 - imported when called

    raise typer.Exit(check_config())


@clients.command("add")
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
    replace: Annotated[
        bool, typer.Option("--replace", help="Write a registration that is there anew.")
    ] = False,
    folder: Folder = Path("clients"),
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
        replace=replace,
    )
    raise typer.Exit(add(asked, folder=folder))


@clients.command("list")
def list_clients(*, folder: Folder = Path("clients")) -> None:
    """List who may call, a line each."""
    from cds.cli.client.registering import list_clients as show  # noqa: PLC0415 - the same

    raise typer.Exit(show(folder=folder))


@clients.command("show")
def show_client(name: Name, *, folder: Folder = Path("clients")) -> None:
    """Show what is registered of one client."""
    from cds.cli.client.registering import show_client as show  # noqa: PLC0415 - the same

    raise typer.Exit(show(name, folder=folder))


@clients.command("key")
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
    folder: Folder = Path("clients"),
) -> None:
    """Make a key pair to try things with: the public key is registered, the private one kept."""
    from cds.cli.client.registering import make_key as make  # noqa: PLC0415 - the same

    raise typer.Exit(make(name, folder=folder, out=out, algorithm=algorithm.value))


@clients.command("check")
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
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="FILE", help="The private key, in PEM.", exists=True, dir_okay=False
        ),
    ] = None,
    kid: Annotated[
        str, typer.Option("--kid", metavar="ID", help="What the client calls that key.")
    ] = "",
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="ID", help="As which tenant; the first else.")
    ] = "",
    request: Annotated[
        Path | None,
        typer.Option(
            "--request", metavar="FILE", help="A hook call to send.", exists=True, dir_okay=False
        ),
    ] = None,
    folder: Folder = Path("clients"),
) -> None:
    """
    Call the running service as a client would, and say step by step what worked.

    Exit code 1: something did not. 2: the call itself cannot be made.
    """
    from cds.cli.client.checking import Checked  # noqa: PLC0415 - imported when called
    from cds.cli.client.checking import check_client as check_  # noqa: PLC0415 - the same

    asked = Checked(
        name=name, url=url, audience=audience, key=key, kid=kid, tenant=tenant, request=request
    )
    raise typer.Exit(check_(asked, folder=folder))


@clients.command("token")
def print_token(
    name: Name,
    *,
    key: Annotated[
        Path,
        typer.Option(
            "--key", metavar="FILE", help="The private key, in PEM.", exists=True, dir_okay=False
        ),
    ],
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
    kid: Annotated[
        str, typer.Option("--kid", metavar="ID", help="What the client calls that key.")
    ] = "",
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="ID", help="As which tenant; the first else.")
    ] = "",
    folder: Folder = Path("clients"),
) -> None:
    """
    Print a token for one call, signed as the client would, to try with curl.

    It is valid for five minutes, once. Exit code 2: it cannot be made.
    """
    from cds.cli.client.checking import Checked  # noqa: PLC0415 - imported when called
    from cds.cli.client.checking import print_token as print_  # noqa: PLC0415 - the same

    asked = Checked(name=name, url="", audience=audience, key=key, kid=kid, tenant=tenant)
    raise typer.Exit(print_(asked, service=service, folder=folder))


def main() -> None:
    """Run the command line; a reader that went away (`| head`) is no error."""
    try:
        app(prog_name="cds")
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
