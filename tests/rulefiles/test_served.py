"""
What a status means for others: what is served cannot lean on what is not.
"""

import pytest

CONDITION = "conditions/pregnant.yaml"


def status(word):
    """
    Give the pregnancy condition a status; the index, factor and card lean on it.
    """
    more = "\nbecause: Superseded.\n" if word == "retired" else "\n"
    return "status: active\n", f"status: {word}{more}"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("draft", "CDS211 `pregnant` is a draft: the service does not load it"),
        ("retired", "CDS211 `pregnant` is retired and does not run"),
    ],
)
def test_what_is_active_cannot_lean_on_it(rules, word, sentence):
    """
    Every place that names it is shown.
    """
    assert [sentence] * 3 == rules.found({CONDITION: status(word)})


@pytest.mark.parametrize("word", ["active", "trial"])
def test_what_is_served_may_be_named(rules, word):
    """
    A rule on trial is unknown to active ones, which is for another check to say.
    """
    assert [] == rules.found({CONDITION: status(word)})


def test_a_draft_may_lean_on_a_draft(rules):
    """
    Or nothing new could be written in more than one file.
    """
    draft = ("status: active\n", "status: draft\n")
    files = [CONDITION, "indices/homa.yaml", "factors/resistance.yaml", "stages/staging.yaml"]

    assert [] == rules.found(dict.fromkeys([*files, "cards/sample.yaml"], draft))


def test_nothing_leans_on_what_is_retired(rules):
    """
    A draft that would be, says so at once; what takes its place is named.
    """
    rules.base["conditions/new.yaml"] = rules.base[CONDITION].replace("id: pregnant", "id: new")
    change = ("status: active\n", "status: retired\nreplaced_by: new\n")
    loaded = rules.load(
        {CONDITION: change, "indices/homa.yaml": ("status: active\n", "status: draft\n")}
    )

    found = [one for one in loaded.diagnostics if one.place.path == "rules/indices/homa.yaml"]
    assert ["its place is taken by `new`"] == [one.help for one in found]


def test_a_line_of_a_retired_card(rules):
    """
    It would stand alone for ever.
    """
    rules.base["cards/line.yaml"] = (
        rules.base["cards/sample.yaml"]
        .replace("id: sample", "id: line", 1)
        .replace("IR-STG-04", "IR-STG-05")
        .replace("quiet:", "appended_to: [sample]\nquiet:")
    )
    change = ("status: active\n", "status: retired\nbecause: Superseded.\n")

    assert ["CDS211 `sample` is retired and does not run"] == rules.found(
        {"cards/sample.yaml": change}
    )
