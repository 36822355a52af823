"""
From a folder to a ruleset, or to every diagnostic of one pass.
"""

import gc

import pytest

from cds.core.clauses import Place
from cds.errors import RuleError
from cds.rulefiles import load, load_ruleset
from cds.rulefiles.loader import load_every


def test_a_sound_folder_has_nothing_to_say(rules):
    """
    The sample folder is clean, or no other test would mean anything.
    """
    loaded = rules.load()

    assert [] == [str(one) for one in loaded.diagnostics]
    assert loaded.ruleset is not None


def test_load_ruleset_gives_the_ruleset(rules):
    """
    The service asks for the ruleset alone.
    """
    rules.load()

    ruleset = load_ruleset(rules.folder)

    assert "2026.11" == ruleset.release
    assert {"homa"} == set(ruleset.indices)
    assert {"pregnant"} == set(ruleset.conditions)
    assert {"resistance"} == set(ruleset.factors)
    assert {"sample"} == set(ruleset.cards)
    assert {"sample.highest"} == set(ruleset.readings)
    assert "staging" == ruleset.stages.id
    assert {"2028-9": "asian"} == ruleset.groups_of_people
    assert "http://example.org/group" == ruleset.group_extension


def test_load_ruleset_raises_with_every_diagnostic(rules):
    """
    Authors see all that is wrong at once, not one thing after the other.
    """
    rules.load(
        {
            "conditions/pregnant.yaml": ("sex is male", "sex is man"),
            "cards/sample.yaml": ("group: ir", "group: iron"),
        }
    )

    with pytest.raises(RuleError) as caught:
        load_ruleset(rules.folder)

    assert ["CDS201", "CDS110"] == [one.code for one in caught.value.diagnostics]
    assert "rules/cards/sample.yaml" in str(caught.value)


def test_everything_stands_after_what_it_asks_about(rules):
    """
    Evaluators walk the order once and never meet a name that is not worked out.
    """
    order = rules.load().ruleset.order

    assert {
        ("condition", "pregnant"),
        ("index", "homa"),
        ("stages", "staging"),
        ("factor", "resistance"),
        ("reading", "sample.highest"),
        ("card", "sample"),
    } == set(order)
    assert order.index(("condition", "pregnant")) < order.index(("index", "homa"))
    assert order.index(("index", "homa")) < order.index(("stages", "staging"))
    assert ("card", "sample") == order[-1]


def test_an_empty_folder_has_no_profile(tmp_path):
    """
    What is missing is said, and stands in with nothing.
    """
    folder = tmp_path / "rules"
    folder.mkdir()

    loaded = load(folder)

    assert ["CDS104"] == [one.code for one in loaded.diagnostics]
    assert ["warning"] == [one.severity for one in loaded.diagnostics]
    assert "0" == loaded.ruleset.release
    assert 5 == loaded.ruleset.profile.most_cards
    assert None is loaded.ruleset.stages


def test_a_profile_of_a_site_is_not_the_default(rules):
    """
    Only the default profile belongs to the release.
    """
    changes = {
        "profiles/default.yaml": None,
        "profiles/site.yaml": """
            kind: profile
            id: site
            override_reasons: [{code: declined, display: Declined}]
            override_system: urn:x
            signals_system: urn:x
            source_label: CDS
            source_url: ""
            topic_system: urn:x
        """,
    }

    assert ["CDS104 there is no rules/profiles/default.yaml"] == rules.found(changes)


def test_a_file_of_no_kind_is_refused(rules):
    """
    A word that is not a kind, and no word at all.
    """
    changes = {"cards/a.yaml": "kind: cart\nid: a\n", "cards/b.yaml": "id: b\n"}
    loaded = rules.load(changes)

    assert [
        ("CDS105", "`cart` is not a kind of rule file", "did you mean `card`?"),
        (
            "CDS104",
            "the file does not say what it is",
            loaded.diagnostics[1].help,
        ),
    ] == [(one.code, one.headline, one.help) for one in loaded.diagnostics]


def test_a_misnamed_file_is_told_its_name(rules):
    """
    One rule to a file, and the file is called after its id.
    """
    changes = {"groups/iron.yaml": "kind: group\nid: ir2\nwhen_several_fire: merge\n"}

    assert ["CDS107 this file belongs at rules/groups/ir2.yaml"] == rules.found(changes)


def test_a_file_in_the_wrong_folder_is_told_its_folder(rules):
    """
    The folder is the plural of the kind.
    """
    changes = {"cards/other.yaml": "kind: group\nid: other\nwhen_several_fire: merge\n"}

    assert ["CDS107 this file belongs at rules/groups/other.yaml"] == rules.found(changes)


def test_a_second_rule_of_one_name_is_refused(rules):
    """
    An index and a condition share one set of names, for clauses name both.
    """
    changes = {
        "factors/homa.yaml": "kind: factor\nid: homa\n",
    }

    assert "CDS203 `homa` is already the name of an index" in rules.found(changes)


def test_there_is_one_staging_table(rules):
    """
    `stage is` would not know which is meant.
    """
    changes = {"stages/more.yaml": "kind: stages\nid: more\n"}

    assert "CDS203 there is one staging table, and this is a second" in rules.found(changes)


def test_a_folder_of_broken_files_says_all_of_it(rules):
    """
    Nothing is raised on files that have nothing right in them.
    """
    changes = {
        f"{folder}/x.yaml": f"kind: {kind}\nid: x\nlogic: [a]\n"
        for folder, kind in {
            "cards": "card",
            "indices": "index",
            "factors": "factor",
            "conditions": "condition",
            "concepts": "concepts",
            "actions": "actions",
            "evidence": "evidence",
            "population": "population",
            "profiles": "profile",
            "groups": "group",
        }.items()
    }

    rules.load(changes)
    loaded = load_every(rules.folder)

    assert None is loaded.ruleset
    assert set(changes) == {
        one.place.path.removeprefix("rules/")
        for one in loaded.diagnostics
        if one.severity == "error"
    }


def test_the_collector_of_garbage_is_left_as_it_was(rules):
    """
    Loading may switch it off for speed, and never leaves it so.
    """
    rules.load()
    gc.disable()
    try:
        load(rules.folder)
        assert not gc.isenabled()
    finally:
        gc.enable()
    load(rules.folder)
    assert gc.isenabled()


def test_sources_are_kept_for_printing(rules):
    """
    Whoever prints a diagnostic needs the line it points at.
    """
    loaded = rules.load()

    assert "kind: release" == loaded.sources["rules/release.yaml"].lines[0]


def test_a_broken_reason_of_the_profile_is_passed_over(rules):
    """
    It is reported by its shape, and no card can name it.
    """
    changes = {"profiles/default.yaml": ("{code: done, display: Done}", "{code: [], display: x}")}

    assert ["CDS105"] == [one.partition(" ")[0] for one in rules.found(changes)]


def test_places_are_those_of_ids(rules):
    """
    A rule stands where its id stands.
    """
    assert Place("rules/cards/sample.yaml", 2, 5, 6) == rules.load().ruleset.cards["sample"].place


def test_what_can_be_read_is_given_beside_the_errors(rules):
    """
    So that other checks can run on it in the same pass.
    """
    loaded = rules.load({"conditions/pregnant.yaml": ("sex is male", "sex is man")})

    assert None is loaded.ruleset
    assert {"rules/conditions/pregnant.yaml"} == loaded.broken
    assert {"homa"} == set(loaded.readable.indices)
    assert ["homa"] == [root.text("id") for root in loaded.roots["index"]]
