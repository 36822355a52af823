"""
The pages of a release: one for each rule, with links that lead somewhere.
"""

import re
from pathlib import Path, PurePosixPath

import pytest

from cds.rulefiles.loader import load
from cds.rulefiles.source import Memory
from cds.workshop.book.attributes import NAMES, attributes_of
from cds.workshop.book.rulebook import pages_of
from cds.workshop.testing.cases import every_rule
from tests.check_pages import SAMPLE
from tests.sites import hospital
from tests.workshop.conftest import RULES

GOLDEN = Path(__file__).parent / "pages"
SHOWN = ("cards/prediabetes.md", "indices/homa_ir.md", "factors/resistance.md")


@pytest.fixture(scope="module")
def pages():
    """Every page of the shipped rules."""
    return pages_of(load(RULES), RULES)


def test_every_rule_has_a_page(pages, rules):
    """Besides the index and the graph."""
    assert len(list(every_rule(rules))) + 2 == len(pages)
    assert all(text.startswith("# ") and text.endswith("\n") for text in pages.values())


def test_pages_are_the_same_each_time(pages):
    """So that a difference is a change of a rule."""
    assert pages == pages_of(load(RULES, memory=Memory()), RULES)


@pytest.mark.parametrize("path", SHOWN)
def test_a_page_reads_as_it_should(path, updates_golden):
    """As golden files, for people read them; of the sample, which changes seldom."""
    pages = pages_of(load(SAMPLE), SAMPLE)
    golden = GOLDEN / path.replace("/", "_")
    if updates_golden:
        golden.write_text(pages[path], "utf-8")

    assert golden.read_text("utf-8") == pages[path]


def test_links_lead_to_pages(pages):
    """From wherever they stand."""
    broken = []
    for path, text in pages.items():
        for link in re.findall(r"\]\(([^)#]+\.md)\)", text):
            parts = []
            for part in (PurePosixPath(path).parent / link).parts:
                if part == "..":
                    parts.pop()
                else:
                    parts.append(part)
            if "/".join(parts) not in pages:
                broken.append((path, link))

    assert [] == broken


def test_tables_are_tables(pages):
    """Every row has as many cells as its head."""
    for path, text in pages.items():
        widths = []
        for line in text.splitlines():
            if line.startswith("|"):
                widths.append(len(re.findall(r"(?<!\\)\|", line)))
            else:
                assert len(set(widths)) <= 1, path
                widths = []


def test_the_index_and_the_graph_name_every_rule(pages, rules):
    """With status, owner and review date."""
    for rule in every_rule(rules):
        assert f"/{rule.id}.md) |" in pages["README.md"]
        assert f"_{rule.id}[" in pages["graph.md"]
    assert "| metabolic-rules@example.org | pending | 2027-06-01 |" in pages["README.md"]
    assert "  index_homa_ir_any --> index_homa_ir" in pages["graph.md"]


def test_a_page_names_what_rests_on_it(pages):
    """In both directions."""
    assert "- [HOMA-IR](../indices/homa_ir.md)" in pages["indices/homa_ir_any.md"]
    used = pages["indices/homa_ir.md"].partition("## Used by")[2]
    assert "- [HOMA-IR, computed or reported](../indices/homa_ir_any.md)" in used


def test_the_history_comes_from_the_changelog(tmp_path):
    """Entries that name the rule by its id or its code; without a changelog there are none."""
    folder = hospital(tmp_path)
    (folder / "CHANGELOG.md").write_text(
        "# Changes\n\n## 2026.12\n\n- changed IR-SLP-01: 6 h,\n  not 7.\n- new: nothing\n", "utf-8"
    )
    found = pages_of(load(folder), folder)
    (folder / "CHANGELOG.md").unlink()
    without = pages_of(load(folder), folder)

    assert "- 2026.12: changed IR-SLP-01: 6 h, not 7." in found["cards/short_sleep.md"]
    assert "Nothing is noted yet." in found["indices/homa_ir.md"]
    assert "Nothing is noted yet." in without["cards/short_sleep.md"]


def test_pages_of_a_site(tmp_path):
    """Show its cut-offs, with nobody's source behind them."""
    folder = hospital(tmp_path)
    pages = pages_of(load(folder, "example_hospital"), folder)

    assert "| `raised` | 3.0 | this site | 1.6 to 3.8 |" in pages["indices/homa_ir.md"]


# --- source attributes ----------------------------------------------------------------


def test_every_rule_has_every_attribute(rules):
    """Thirteen, and none is empty: not used is an answer."""
    for rule in every_rule(rules):
        found = attributes_of(rules, rule, "Not declared")

        assert list(NAMES) == list(found)
        assert all(text.strip(". ") for text in found.values())


def attribute(rules, table, name, what):
    """One attribute of one rule."""
    return attributes_of(rules, getattr(rules, table)[name], "")[what]


def test_what_is_used_is_found_in_the_compiled_rule(rules):
    """Through whatever the rule leans on."""
    assert "Used." == attribute(rules, "conditions", "waist_raised", "sex")
    assert "asian" in attribute(rules, "conditions", "waist_raised", "ethnicity")
    assert "asian" in attribute(rules, "cards", "central_adiposity", "race")
    assert "Used: the age." == attribute(rules, "indices", "fib4", "date of birth")
    assert "makes the sex on record unknown" in attribute(
        rules, "conditions", "waist_raised", "gender identity"
    )
    assert "Not used." == attribute(rules, "indices", "non_hdl", "sex")
    assert "Not used." == attribute(rules, "indices", "non_hdl", "gender identity")
    assert "Not used." == attribute(rules, "indices", "non_hdl", "date of birth")
    assert "Not declared." == attribute(rules, "indices", "non_hdl", "funding source")
    assert "Insomnia Severity Index" in attribute(
        rules, "factors", "sleep_deprivation", "health-status assessments"
    )
