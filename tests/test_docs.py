"""
The documentation is a contract: what it shows is executed, and what there is stands in it.
"""

import re
import shutil
from typing import get_args

import pytest
import yaml
from typer.main import get_command

from cds.cli.__main__ import app
from cds.core.clauses import (
    BandIs,
    Began,
    Beside,
    CardFires,
    Changed,
    Clause,
    Compare,
    GradeIs,
    Holds,
    InFuture,
    Known,
    ListComplete,
    Listed,
    NewerThan,
    NotUsedBecause,
    OnTrial,
    Received,
    SexIs,
    StageIs,
    clauses_of,
)
from cds.core.facts import Gap
from cds.core.headers import EXPECTED
from cds.fhir.gathering import COUNTED
from cds.reasoning.engine import UNAVAILABLE
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.loader import load
from cds.rulefiles.shapes import ByKey, Either, Keys, Many, Named
from cds.service import outcomes
from cds.service.logs import EVENTS
from cds.service.settings import Settings
from tests.pages import CUT, HOME, ROOT, Walk, agrees, blocks_of, commands_of, place_of

EXECUTED = ("README.md", "AUTHORING.md", "docs/integrating.md", "docs/operating.md")
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
)


def text_of(page):
    """
    A page.
    """
    return (ROOT / page).read_text("utf-8")


def prose_of(page):
    """
    A page without its blocks.
    """
    return re.sub(r"(?ms)^```.*?^```", "", text_of(page))


def section(page, heading):
    """
    The prose below a heading, down to the next one of its level.
    """
    level = heading.partition(" ")[0]
    return re.split(rf"(?m)^#{{1,{len(level)}}} ", prose_of(page).partition(f"\n{heading}\n")[2])[0]


def rows_of(text):
    """
    The rows of the tables in a text, each a list of cells.
    """
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("| ---"):
            yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def codes_in(cell):
    """
    What stands between backticks.
    """
    return re.findall(r"`([^`]+)`", cell)


# --- what a page shows is what happens ------------------------------------------------


@pytest.mark.parametrize("page", EXECUTED)
def test_a_page_shows_what_happens(page, tmp_path, updates_golden):
    """
    Its commands are executed from top to bottom, and its changes made on the way.
    """
    text = text_of(page)
    if "curl" in text and shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    if "curl" in text and UNAVAILABLE:
        pytest.skip("the pages show a service that has its rule engine")
    lines = text.splitlines()
    wrong = []
    written = {}
    with Walk(tmp_path) as walk:
        for block in blocks_of(text):
            if block.language == "diff":
                walk.change(block)
            elif block.is_rule_file:
                walk.put(block)
            elif block.language == "console":
                new = []
                for command in commands_of(block):
                    printed = walk.execute(command)
                    fine = agrees(command.printed, printed)
                    said = command.printed if fine else [line.rstrip() for line in printed]
                    new += [*command.lines, *said]
                    if not fine:
                        wrong.append(f"$ {command.text}\n" + "\n".join(printed))
                written[block.start] = (len(block.lines), new)
    if updates_golden:
        for start, (length, new) in sorted(written.items(), reverse=True):
            lines[start : start + length] = new
        (ROOT / page).write_text("\n".join(lines) + "\n", "utf-8")
        return

    assert [] == wrong


def whole_files():
    """
    The blocks of all pages that are whole rule files.
    """
    for page in EXECUTED:
        for block in blocks_of(text_of(page)):
            if block.is_rule_file:
                yield pytest.param(block, id=f"{page}:{block.start}")


@pytest.mark.parametrize("block", list(whole_files()))
def test_a_rule_file_of_a_page_is_sound(block, tmp_path):
    """
    It loads among the shipped rules; that nobody has reviewed it is all there is to say.
    """
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    place = place_of(block)
    (tmp_path / place).write_text(block.text, "utf-8")
    found = [one for one in load(rules).diagnostics if one.place.path == place]

    assert [] == [str(one) for one in found if one.code != "CDS611"]


def excerpts():
    """
    The blocks of all pages that say from which file they are.
    """
    for page in EXECUTED:
        for block in blocks_of(text_of(page)):
            if block.language == "yaml" and block.lines[0].startswith("# from "):
                yield pytest.param(block, id=f"{page}:{block.start}")


@pytest.mark.parametrize("block", list(excerpts()))
def test_an_excerpt_is_what_the_file_says(block):
    """
    Line by line, in order; `# ...` stands for lines that are left out.
    """
    rest = text_of(block.lines[0].removeprefix("# from "))
    for part in "\n".join(block.lines[1:]).split("\n# ...\n"):
        _, found, rest = rest.partition(part.strip("\n") + "\n")

        assert found, part


def test_every_other_yaml_block_is_yaml():
    """
    So that it can be copied.
    """
    found = [block for page in EXECUTED for block in blocks_of(text_of(page))]

    assert all(yaml.safe_load(block.text) for block in found if block.language == "yaml")


# --- what there is stands in a page ---------------------------------------------------


COMMAND = get_command(app)


@pytest.mark.parametrize("verb", sorted(COMMAND.commands))
def test_every_verb_is_documented(verb):
    """
    In the table of commands, with every option, and with help of its own.
    """
    documented = section("AUTHORING.md", "### The commands")
    rows = re.findall(r"(?m)^\| `cds (\w+)", documented)
    options = [
        name
        for one in COMMAND.commands[verb].params
        for name in (*one.opts, *one.secondary_opts)
        if name.startswith("--")
    ]

    assert COMMAND.commands[verb].help
    assert verb in rows
    assert [] == [name for name in options if f"`{name}" not in documented]


CLIENTS = COMMAND.commands["client"].commands


@pytest.mark.parametrize("verb", sorted(CLIENTS))
def test_every_verb_about_clients_is_documented(verb):
    """
    In the table for operators, with every option, and with help of its own.
    """
    documented = section("docs/operating.md", "## Clients")
    rows = {found for row in rows_of(documented) for found in codes_in(row[0])}
    options = [one for one in CLIENTS[verb].params if one.opts[0].startswith("--")]

    assert CLIENTS[verb].help
    assert any(one.startswith(f"cds client {verb}") for one in rows)
    assert [] == [one.opts[0] for one in options if f"`{one.opts[0]}" not in documented]


def test_no_option_about_clients_is_promised():
    """
    What is documented of a command is an option of it.
    """
    documented = section("docs/operating.md", "## Clients")
    for names, verbs, *_ in rows_of(documented):
        for name in (one.partition(" ")[0] for one in codes_in(names) if one.startswith("--")):
            for verb in codes_in(verbs) or sorted(CLIENTS):
                assert name in {each for one in CLIENTS[verb].params for each in one.opts}


def test_no_verb_is_promised():
    """
    What is documented as a command exists.
    """
    documented = section("AUTHORING.md", "### The commands")
    found = {word for row in rows_of(documented) for word in re.findall(r"`cds (\w+)", row[0])}

    assert set(COMMAND.commands) == found


def test_every_setting_is_documented():
    """
    By every name it can be given, and with its default.
    """
    expected = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names = [alias] if isinstance(alias, str) else list(alias.choices)
        default = field.get_default()
        expected[tuple(names)] = {None: [], "": [], False: ["false"]}.get(default, [str(default)])
        if name == "rules":
            expected[tuple(names)] = []
    rows = rows_of(section("docs/operating.md", "## Settings"))

    assert expected == {
        tuple(codes_in(row[0])): codes_in(row[1]) for row in rows if row[0] != "name"
    }


def keys_of(shape):
    """
    The keys of a shape and of every shape inside it.
    """
    if isinstance(shape, Keys):
        for key, inner in {**shape.must, **shape.may}.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(shape, Many | Named):
        yield from keys_of(shape.of)
    elif isinstance(shape, ByKey):
        for inner in (shape.present, shape.absent):
            yield from keys_of(inner)
    elif isinstance(shape, Either):
        for inner in (shape.text, shape.items, shape.block):
            yield from keys_of(inner)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_key_of_a_rule_file_is_documented(kind):
    """
    In the reference, in a sentence or an example.
    """
    text = text_of("AUTHORING.md")
    missing = {
        key for key in keys_of(KINDS[kind].shape) if not re.search(rf"(?<!\w){key}(?!\w)", text)
    }

    assert set() == missing
    assert f"| `{kind}` |" in text


EXAMPLES = [
    codes_in(row[1])[0]
    for row in rows_of(section("AUTHORING.md", "## Clauses"))
    if codes_in(row[1])
]

CLAUSES_FILE = """\
kind: condition
id: clauses_of_a_page
title: Clauses of a page
version: 1.0.0
status: draft
about: {purpose: To try., explanation: Clauses., limits: [None is meant.], evidence: []}
upkeep: {owner: nobody, authors: [Nobody], clinical_review: pending, review_by: 2027-06-01}
thresholds:
  enough: {value: 7 h, cite: aasm_2015}
readings:
  high_days: {count days of: hba1c, where: at least 6.5 %, within: 365 days}
  peak_weight: {highest of: body_weight, between: 90 and 730 days ago}
  last_metformin: {last end of: metformin}
holds_if:
  any:
"""


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """
    The clauses that the examples of the page are read as; a plain one for each negated one.
    """
    folder = tmp_path_factory.mktemp("clauses") / "rules"
    shutil.copytree(ROOT / "rules", folder)
    lines = "".join(f'    - "{one}"\n' for one in EXAMPLES)
    (folder / "conditions" / "clauses_of_a_page.yaml").write_text(CLAUSES_FILE + lines, "utf-8")
    loaded = load(folder)
    wrong = [str(one) for one in loaded.diagnostics if one.severity == "error"]
    assert [] == wrong
    return list(clauses_of(loaded.ruleset.conditions["clauses_of_a_page"].holds_if))


FORMS = {
    Compare: [
        lambda one: one.what == "concept" and one.low is not None and one.high is None,
        lambda one: one.what == "concept" and one.low is None,
        lambda one: one.low is not None and one.high is not None,
        lambda one: one.what == "index",
        lambda one: one.what == "reading",
        lambda one: one.what == "age",
        lambda one: one.low is not None and one.low.threshold.name == "",
        lambda one: one.high is not None and one.high.threshold.name == "enough",
    ],
    Known: [
        lambda one: len(one.names) == 1,
        lambda one: len(one.names) > 1 and one.quantifier == "any",
        lambda one: one.quantifier == "all",
        lambda one: one.within == 730,
    ],
    Listed: [
        lambda one: len(one.names) > 1,
        lambda one: one.ever,
        lambda one: one.within is not None and not one.undated_counts,
        lambda one: one.undated_counts,
        lambda one: one.on_record,
        lambda one: one.ordered == "also",
        lambda one: one.ordered == "only",
        lambda one: one.names[0].endswith(":no"),
    ],
    Began: [bool],
    InFuture: [bool],
    Changed: [lambda one: one.share, lambda one: not one.share],
    Beside: [lambda one: one.side in {"below", "above"}, lambda one: one.side == "after"],
    BandIs: [lambda one: len(one.bands) == 1, lambda one: len(one.bands) > 1],
    GradeIs: [lambda one: one.or_more, lambda one: not one.or_more],
    StageIs: [lambda one: len(one.labels) == 1, lambda one: len(one.labels) > 1],
    Holds: [bool],
    SexIs: [bool],
    ListComplete: [lambda one: len(one.lists) == 1, lambda one: len(one.lists) > 1],
    Received: [lambda one: len(one.names) == 1, lambda one: len(one.names) > 1],
    NewerThan: [bool],
    NotUsedBecause: [lambda one: one.names, lambda one: not one.names],
    CardFires: [bool],
}


@pytest.mark.parametrize("form", list(FORMS), ids=lambda form: form.__name__)
def test_every_clause_form_is_documented(form, examples):
    """
    Each sort of clause, in each of its shapes, has an example that can be read.
    """
    found = [one for one in examples if type(one) is form]

    assert [] == [at for at, shape in enumerate(FORMS[form]) if not any(map(shape, found))]


def test_no_sort_of_clause_is_left_out():
    """
    The table above names them all, but the one that nobody writes.
    """
    assert set(get_args(Clause)) - {OnTrial} == set(FORMS)


def test_every_word_of_expect_is_documented():
    """
    By the kind of rule it is for.
    """
    kinds = set(EXPECTED)
    words = {(kind, word) for kind in kinds for word in EXPECTED[kind]}
    rows = rows_of(section("AUTHORING.md", "## Tests"))

    assert words == {
        (kind, word)
        for row in rows
        for kind in kinds
        if row[0].endswith(kind)
        for word in codes_in(row[1])
    }


def test_every_reason_why_data_are_not_used_is_documented():
    """
    As the evaluation says it.
    """
    rows = rows_of(section("docs/integrating.md", "## The answer"))
    documented = {word for row in rows for word in codes_in(row[0])}

    assert set() == {str(gap) for gap in {*COUNTED, Gap.STALE}} - documented


def test_every_status_is_documented():
    """
    That a refusal may have.
    """
    rows = rows_of(section("docs/integrating.md", "## Refusals"))

    assert {str(status) for status in outcomes._ISSUES} == {
        row[0] for row in rows if row[0].isdigit()
    }


def test_every_event_of_the_log_is_documented():
    """
    So that an alarm can be looked up.
    """
    rows = rows_of(section("docs/operating.md", "## Logs"))

    assert set(EVENTS) == {word for row in rows for word in codes_in(row[0])}


def test_every_target_of_make_is_documented():
    """
    For those who build it.
    """
    targets = re.findall(r"(?m)^([a-z]+):.*##", text_of("Makefile"))

    assert [] == [
        one for one in targets if one != "help" and f"make {one}" not in text_of("CONTRIBUTING.md")
    ]


def test_every_decision_is_listed():
    """
    In the order of their numbers.
    """
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))

    assert pages == re.findall(r"\((0\d+-[\w-]+\.md)\)", text_of("docs/decisions/README.md"))


# --- the pages themselves -------------------------------------------------------------


def anchors_of(page):
    """
    The anchors of the headings of a page, as GitHub makes them.
    """
    for heading in re.findall(r"(?m)^#+ (.+)$", prose_of(page)):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    """
    To a file of the checkout, and to a heading that is there.
    """
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", prose_of(page))
    broken = []
    for path, anchor in links:
        target = (ROOT / page).parent / path if path else ROOT / page
        inside = str(target.resolve().relative_to(ROOT))
        if not target.exists() or (anchor and anchor not in anchors_of(inside)):
            broken.append(f"{path}#{anchor}")

    assert [] == broken


def test_the_first_page_is_short():
    """
    It says what this is, shows it, and sends one on.
    """
    assert len(text_of("README.md").splitlines()) <= 130


# --- the reader of pages can fail -----------------------------------------------------


def test_a_difference_is_seen():
    """
    Apart from what differs from run to run, and from what is left out.
    """
    printed = ["one", "two", "took 0.3 s"]

    assert agrees(["one", "two", "took 1.5 s"], printed)
    assert agrees(["one", CUT], printed)
    assert agrees([CUT, "took 0.3 s"], printed)
    assert not agrees(["one", "two"], printed)
    assert not agrees(["one", "three", CUT], printed)
    assert not agrees([], printed)


def test_commands_and_what_they_print_are_told_apart():
    """
    A command goes on over several lines while a quote, a pipe or a backslash is open.
    """
    (block,) = blocks_of("```console\n$ a |\n  b 'c\nd'\ne\n$ f \\\n  g\n```\n")

    assert [("a |\n  b 'c\nd'", ["e"]), ("f \\\n  g", [])] == [
        (one.text, one.printed) for one in commands_of(block)
    ]


def test_commands_run_in_a_copy(tmp_path):
    """
    One after the other: the second knows how the first ended, and what it left.
    """
    (block,) = blocks_of("```console\n$ touch left; pwd; exit 3\n$ echo $?; ls left\n```\n")
    with Walk(tmp_path) as walk:
        printed = [walk.execute(one) for one in commands_of(block)]

    assert [[HOME], ["3", "left"]] == printed


def test_a_change_must_fit(tmp_path):
    """
    Its lines stand in the file once.
    """
    (block,) = blocks_of("```diff\n--- rules/release.yaml\n-no such line\n+another\n```\n")
    with Walk(tmp_path) as walk, pytest.raises(AssertionError):
        walk.change(block)
