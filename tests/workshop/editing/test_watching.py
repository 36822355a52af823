"""
After every save: whose answer changed, what is wrong, and what else is affected.
"""

import shutil
from datetime import date

import pytest

from cds.service.settings import default_rules
from cds.workshop.editing.watching import Affected, Changed, Checked, Ran, Saved, Watcher
from cds.workshop.testing.cases import NothingSelected

AS_OF = date(2026, 11, 21)
CARD = "cards/short_sleep.yaml"


@pytest.fixture
def rules(tmp_path):
    """
    A copy of the shipped rules.
    """
    return shutil.copytree(default_rules(), tmp_path / "rules")


def save(rules, name, old, new):
    """
    Change a rule file.
    """
    path = rules / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def watched(rules, *wanted):
    """
    Begin to watch.
    """
    watcher = Watcher(rules, wanted, as_of=AS_OF)
    return watcher, list(watcher.begin())


def test_the_beginning_runs_what_is_watched(rules):
    """
    And checks the folder.
    """
    _, (tested, checked) = watched(rules, "short_sleep")

    assert isinstance(tested, Ran)
    assert () == tested.failed
    assert () == tested.changed
    assert tested.passed >= 10
    assert isinstance(checked, Checked)
    assert () == checked.errors


def test_nothing_saved_is_nothing_said(rules):
    """
    Not even that it was looked at.
    """
    watcher, _ = watched(rules, "short_sleep")

    assert [] == list(watcher.look())


def test_a_lower_threshold_changes_answers(rules):
    """
    Named with its numbers; each case with both of its answers.
    """
    watcher, _ = watched(rules, "short_sleep")
    save(rules, CARD, "{value: 7 h,", "{value: 6 h,")
    saved, tested, checked = watcher.look()

    assert Saved((f"rules/{CARD}",), ("thresholds.enough 7 -> 6 h",)) == saved
    assert (
        Changed("short_sleep", "six hours in prediabetes", "shown (info): goal", "no")
        in tested.changed
    )
    assert {"six hours in prediabetes"} <= {one.name for one in tested.failed}
    assert () == checked.errors


def test_putting_it_back_changes_them_back(rules):
    """
    The comparison is with the save before, not with the beginning.
    """
    watcher, _ = watched(rules, "short_sleep")
    save(rules, CARD, "{value: 7 h,", "{value: 6 h,")
    list(watcher.look())
    save(rules, CARD, "{value: 6 h,", "{value: 7 h,")
    _, tested, _ = watcher.look()

    assert (
        Changed("short_sleep", "six hours in prediabetes", "no", "shown (info): goal")
        in tested.changed
    )
    assert () == tested.failed


def test_what_leans_on_it_is_tested_too(rules):
    """
    And nothing else.
    """
    watcher, _ = watched(rules, "homa_ir_any")
    save(rules, "indices/homa_ir_any.yaml", "raised: {value: 2.5,", "raised: {value: 4.3,")
    steps = list(watcher.look())
    affected = {one.rule: one for one in steps if isinstance(one, Affected)}

    assert "compensated_insulin_resistance" in affected
    assert "bmi" not in affected
    assert affected["compensated_insulin_resistance"].changed
    assert affected["compensated_insulin_resistance"].failed


def test_a_broken_file_is_checked_and_keeps_the_answers(rules):
    """
    Mended with another number, it is compared with the answers before it broke.
    """
    watcher, _ = watched(rules, "short_sleep")
    save(rules, CARD, "show_if:", "shows_if:")
    saved, checked = watcher.look()
    save(rules, CARD, "shows_if:", "show_if:")
    save(rules, CARD, "{value: 7 h,", "{value: 6 h,")
    _, tested, _ = watcher.look()

    assert (f"rules/{CARD}",) == saved.files
    assert {"CDS102", "CDS104"} == {one.code for one in checked.errors}
    assert tested.changed


def test_a_concept_reaches_the_rules_that_read_it(rules):
    """
    The concept that changed, not every concept of its file.
    """
    watcher, _ = watched(rules, "short_sleep")
    path = rules / "concepts" / "lifestyle.yaml"
    lines = path.read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  sleep_duration:"))
    at = next(n for n in range(at, len(lines)) if "within:" in lines[n])
    lines[at] = lines[at].replace("365 days", "300 days").replace("730 days", "300 days")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    steps = list(watcher.look())
    affected = {one.rule for one in steps if isinstance(one, Affected)}

    assert {"short_sleep", "sleep_deprivation"} <= affected
    assert "low_aerobic_activity" not in affected


@pytest.mark.parametrize("folder", ["actions", "population"])
def test_a_library_reaches_every_card(rules, folder):
    """
    For each card may draft from it, or be gated by it.
    """
    watcher, _ = watched(rules, "short_sleep")
    (path,) = (rules / folder).glob("*.yaml")
    path.write_text(path.read_text("utf-8") + "# a remark\n", "utf-8")
    affected = {one.rule for one in watcher.look() if isinstance(one, Affected)}

    assert {path.stem for path in (rules / "cards").glob("*.yaml")} == affected


def test_a_word_that_means_no_rule_is_refused(rules):
    """
    With what could have been meant.
    """
    watcher = Watcher(rules, ["short_sleeps"], as_of=AS_OF)

    with pytest.raises(NothingSelected, match="short_sleeps"):
        list(watcher.begin())
