"""
`cds watch`, as an author sees it.
"""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds.cli.watch import watch_rules
from cds.service.settings import default_rules

AT = datetime(2026, 11, 21, 12, 4, 31, tzinfo=UTC)


@pytest.fixture
def rules(tmp_path):
    """
    A copy of the shipped rules.
    """
    return shutil.copytree(default_rules(), tmp_path / "rules")


def watching(rules, wanted, *edits):
    """
    Watch while somebody saves *edits*, one after the other, and then ends it.
    """
    left = list(edits)

    def sleep(_):
        if not left:
            raise KeyboardInterrupt
        name, old, new = left.pop(0)
        path = rules / name
        text = path.read_text("utf-8")
        path.write_text(text.replace(old, new, 1), "utf-8")

    return watch_rules(wanted, rules=rules, sleep=sleep, clock=lambda: AT)


def test_a_save_is_answered(rules, capsys):
    """
    What was saved, which cases fail now, whose answer changed, and what else is affected.
    """
    code = watching(
        rules, ["homa_ir"], ("indices/homa_ir.yaml", "raised: {value: 2.5,", "raised: {value: 2.6,")
    )
    out = re.sub(r"\d+\.\d s", "0.1 s", capsys.readouterr().out)

    assert 0 == code
    assert "12:04:31  saved: thresholds.raised 2.5 -> 2.6\n" in out
    assert "check ok" in out
    assert "FAIL  " in out
    assert " 2.50 raised -> 2.50 expected" in out
    assert "also affected, and as before: " in out


def test_a_mistake_is_shown(rules, capsys):
    """
    In one line with its place.
    """
    watching(rules, ["short_sleep"], ("cards/short_sleep.yaml", "show_if:", "shows_if:"))

    assert "error[CDS102] unknown-key: `shows_if` is not a key" in capsys.readouterr().out


def test_a_word_that_means_nothing_ends_it(rules, capsys):
    """
    With what could have been meant.
    """
    assert 2 == watching(rules, ["short_sleeps"])
    assert "perhaps" in capsys.readouterr().err


def test_the_page_shows_what_is_printed(rules, capsys):
    """
    Every line of AUTHORING.md, in that order; `...` stands for lines left out.
    """
    page = (Path(__file__).parents[2] / "AUTHORING.md").read_text("utf-8")
    block = page.partition("```text\n$ cds watch short_sleep\n")[2].partition("```")[0]
    watching(rules, ["short_sleep"], ("cards/short_sleep.yaml", "{value: 7 h,", "{value: 6 h,"))
    printed = iter(_timeless(capsys.readouterr().out).splitlines())
    wanted = [line for line in _timeless(block).splitlines() if line != "..."]

    assert len(wanted) > 5
    assert [] == [line for line in wanted if line not in printed]


def _timeless(text):
    """
    Put one time in the place of each.
    """
    return re.sub(r"\d+\.\d s", "0.1 s", text)
