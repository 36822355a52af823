"""
Drafts: what is begun loads, is laid out, and fails its one test.
"""

from datetime import date

import pytest

from cds.core.rules import Ruleset
from cds.rulefiles.loader import load
from cds.workshop.checks.checking import check_folder
from cds.workshop.editing.drafting import DRAFTED, CannotDraft, draft_of
from cds.workshop.editing.formatting import format_source
from cds.workshop.testing.running import run_cases
from tests.check_pages import AS_OF


def begun(sample, kind, name="brand_new", title=""):
    """
    Draft a file in the sample folder, and write it.
    """
    draft = draft_of(load(sample.folder), kind, name, title, as_of=AS_OF)
    path = sample.folder.parent / draft.path
    path.parent.mkdir(exist_ok=True)
    path.write_text(draft.text, "utf-8")
    return draft


@pytest.mark.parametrize("kind", DRAFTED)
def test_a_draft_loads(sample, kind):
    """
    With no finding but those that a draft deserves, and laid out already.
    """
    draft = begun(sample, kind)
    checked = check_folder(sample.folder, as_of=AS_OF)
    found = {one.code for one in checked.findings if one.place.path == draft.path}
    source = checked.loaded.sources[draft.path]

    assert checked.loaded.ruleset is not None
    assert found <= {"CDS204", "CDS511", "CDS601"}
    assert draft.text == format_source(source).text
    assert f"# yaml-language-server: $schema=../schema/{kind}.json" == source.lines[0]


@pytest.mark.parametrize("kind", ["condition", "index", "factor", "card"])
def test_a_draft_fails_its_test(sample, kind):
    """
    So that nobody forgets to write one.
    """
    begun(sample, kind)
    (result,) = run_cases(sample.folder, ["brand_new"])

    assert not result.passed
    assert "fails on purpose" in result.name


def test_a_title_is_quoted_where_it_must_be(sample):
    """
    And made of the id where none is given.
    """
    loud = begun(sample, "card", "loud", "It's: {loud} # now")
    plain = begun(sample, "card", "very_plain")

    assert 'title: "It\'s: {loud} # now"' in loud.text
    assert "title: Very plain" in plain.text
    assert "code: MC-VERY-PLAIN" in plain.text
    assert isinstance(load(sample.folder).ruleset, Ruleset)


def test_a_draft_is_looked_at_again_in_a_year(sample):
    """
    Also when it was begun on a leap day.
    """
    draft = draft_of(load(sample.folder), "card", "leap", "", as_of=date(2028, 2, 29))

    assert "review_by: 2029-02-28" in draft.text


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("crad", "x", "`crad` is not a kind that can be begun; did you mean `card`?"),
        ("zzz", "x", "`zzz` is not a kind that can be begun; kinds: `condition`, `index`"),
        ("stages", "x", "there is one staging table"),
        ("card", "Visceral Fat", "`Visceral Fat` is not an id; write small letters"),
        ("card", "prediabetes", "rules/cards/prediabetes.yaml is there already"),
        ("card", "hba1c", "`hba1c` is already the name of a concept, at rules/concepts/"),
    ],
)
def test_what_cannot_be_begun(sample, kind, name, why):
    """
    With the reason.
    """
    with pytest.raises(CannotDraft) as problem:
        draft_of(load(sample.folder), kind, name, "", as_of=AS_OF)

    assert why in str(problem.value)


def test_a_folder_without_anything_to_lean_on(tmp_path):
    """
    Concepts and sources come first.
    """
    (tmp_path / "rules").mkdir()

    with pytest.raises(CannotDraft, match="need a concept"):
        draft_of(load(tmp_path / "rules"), "card", "x", "", as_of=AS_OF)


def test_where_nothing_says_that_a_choice_is_our_own(sample):
    """
    The first source of the library is named, and the owner that other rules have.
    """
    draft = draft_of(load(sample.folder), "card", "x", "", as_of=AS_OF)

    assert "source: {cite: standards}" in draft.text
    assert "owner: rules@example.org" in draft.text
