"""
`cds check`: what it prints in which form, what it mends, and its exit code.
"""

import json
import shutil

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from tests.check_pages import SAMPLE, lay_out

FILE = "conditions/dysglycaemia.yaml"
ALLOW = "allow:\n  - {check: unnoted-limits, because: They come.}\n"
TESTS = "\ntests:\n  - name: raised\n"


def check(*arguments):
    """
    Call the verb.
    """
    return CliRunner().invoke(app, ["check", *(str(one) for one in arguments)])


@pytest.fixture
def folder(tmp_path):
    """
    The sample with an `allow:` line that allows nothing: one warning with a safe fix.
    """
    lay_out(shutil.copytree(SAMPLE, tmp_path / "rules"))
    path = tmp_path / "rules" / FILE
    path.write_text(path.read_text("utf-8").replace(TESTS, ALLOW + TESTS), "utf-8")
    return tmp_path / "rules"


def change(folder, before, after):
    """
    Write a file of the sample otherwise.
    """
    path = folder / FILE
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")


def test_a_warning_fails_only_a_strict_check(folder):
    """
    0, and 1 with `--strict`; a review that is still to be done fails neither.
    """
    change(folder, ALLOW, "")
    change(folder, "clinical_review: by a second person", "clinical_review: pending")
    pending = check("--rules", folder, "--strict")
    change(folder, TESTS, ALLOW + TESTS)

    assert (0, True) == (pending.exit_code, "CDS611" in pending.stdout)
    assert [0, 1] == [check("--rules", folder, *more).exit_code for more in ([], ["--strict"])]


def test_the_summary_says_what_can_be_mended(folder):
    """
    Safely, or with a look at each.
    """
    assert "\ncan be mended: 1 with --fix\n" in check("--rules", folder).stdout


def test_a_draft_is_named(folder):
    """
    With what is not held against it yet.
    """
    change(folder, ALLOW, "")
    change(folder, "status: active", "status: draft")
    change(folder, "limits: [It is a sample.]", "limits: []")

    assert (
        f"rules/{FILE} is a draft, so nothing else is held against it yet (unnoted-limits)\n"
    ) in check("dysglycaemia", "--rules", folder).stdout


@pytest.mark.parametrize(
    ("more", "count"),
    [
        (["--select", "unused-allow"], 1),
        (["--select", "CDS6"], 1),
        (["--select", "CDS1", "--select", "CDS608"], 1),
        (["--select", "CDS5"], 0),
        (["--ignore", "CDS608"], 0),
        (["--ignore", "unused-allow"], 0),
        (["--select", "CDS6", "--ignore", "CDS608"], 0),
        (["staging"], 0),
        (["dysglycaemia"], 1),
    ],
)
def test_what_is_printed_can_be_chosen(folder, more, count):
    """
    By code, name, family, rule; what is left out does not count.
    """
    result = check("--rules", folder, "--strict", "--format", "json", *more)

    assert count == len(json.loads(result.stdout))
    assert (1 if count else 0) == result.exit_code


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--select", "unused-alow"], "is not a check: did you mean `unused-allow`?"),
        (["--ignore", "DSC1"], "`DSC1` is not a check"),
        (["--unsafe-fixes"], "--unsafe-fixes goes with --fix or --diff"),
        (["--format", "pdf"], "Invalid value"),
    ],
)
def test_a_wrong_call(folder, more, said):
    """
    Exit code 2, and a sentence.
    """
    result = check("--rules", folder, *more)

    assert 2 == result.exit_code
    assert said in result.stderr


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("full", "warning[CDS608] unused-allow: "),
        ("concise", f"rules/{FILE}:31:13: warning[CDS608]"),
        ("json", '[\n {\n  "code": "CDS608"'),
        ("junit", '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite'),
        ("github", f"::warning file=rules/{FILE},line=31"),
        ("sarif", '{\n "$schema"'),
    ],
)
def test_every_form_is_printed(folder, form, beginning):
    """
    The findings first; only people get a summary.
    """
    result = check("--rules", folder, "--format", form)

    assert result.stdout.startswith(beginning)
    assert (form in {"full", "concise"}) == ("1 warning" in result.stdout)


def test_a_diff_writes_nothing(folder):
    """
    It shows what would change, and fails where something would.
    """
    result = check("--rules", folder, "--diff")

    assert 1 == result.exit_code
    assert "-allow:\n" in result.stdout
    assert ALLOW in (folder / FILE).read_text("utf-8")


def test_a_fix_is_written_and_the_rest_reported(folder):
    """
    A second time there is nothing to do.
    """
    result = check("--rules", folder, "--fix")
    again = check("--rules", folder, "--fix", "--strict")

    assert result.stdout.startswith("1 finding mended\n")
    assert ALLOW not in (folder / FILE).read_text("utf-8")
    assert (0, False) == (again.exit_code, "mended" in again.stdout)
    assert 0 == check("--rules", folder, "--diff").exit_code


def test_reviews_are_judged_as_of_a_day(folder):
    """
    The clock is an argument.
    """
    assert 2 == check("--rules", folder, "--as-of", "soon").exit_code
    assert 0 == check("--rules", folder, "--as-of", "2026-06-01").exit_code


def test_a_thorough_check_runs_the_cases(folder):
    """
    And fails a strict one; it is asked for by name, and looks at no profile.
    """
    change(folder, ALLOW, "")
    strict = ["--rules", folder, "--strict"]
    quick, thorough = check(*strict), check(*strict, "--thorough")
    alone = check(*strict, "--select", "CDS702")
    profile = check(*strict, "--thorough", "--profile", "default")

    assert [0, 1, 2, 2] == [one.exit_code for one in (quick, thorough, alone, profile)]
    assert "CDS702" in thorough.stdout
    assert "CDS702: found with --thorough only" in alone.output
    assert 1 == check(*strict, "--thorough", "--select", "CDS702").exit_code


def test_a_thorough_check_mends_its_own_findings(folder):
    """
    Cases at a cut-off are shown before they are written.
    """
    shown = check("--rules", folder, "--thorough", "--select", "CDS703", "--diff", "--unsafe-fixes")

    assert "+      - {but: {age: 17 years}, expect: {not_assessed: age}}\n" in shown.stdout
