"""
What an editor is told: findings, words, proposals, declarations, fixes, layout, outline.
"""

from datetime import date

import pytest

from cds.workshop.editing.editor import Editor
from tests.check_pages import AS_OF

CARD = "rules/cards/prediabetes.yaml"
INDEX = "rules/indices/homa_ir.yaml"
FACTOR = "rules/factors/resistance.yaml"
CONDITION = "rules/conditions/dysglycaemia.yaml"
CONCEPTS = "rules/concepts/metabolic.yaml"


@pytest.fixture
def editor(sample):
    """
    The sample folder in an editor.
    """
    return Editor(sample.folder, as_of=AS_OF)


def text_of(editor, path):
    """
    A file as it is saved.
    """
    return editor.file_of(path).read_text("utf-8")


def place_of(editor, path, words, behind=0):
    """
    Line and column of words in a file.
    """
    text = editor.source(path).text
    at = text.index(words) + behind
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def write(editor, path, old, new):
    """
    Write in the editor, and give the position at the bar.
    """
    text = text_of(editor, path)
    assert old in text
    text = text.replace(old, new, 1)
    at = text.index("|", text.index(new.partition("|")[0]))
    editor.put(path, text[:at] + text[at + 1 :])
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


# --- texts and files --------------------------------------------------------------------


def test_texts_count_before_they_are_saved(editor):
    """
    In every file that leans on them, until they are dropped.
    """
    text = text_of(editor, CONDITION)
    editor.put(CONDITION, text.replace("id: dysglycaemia", "id: dysglycemia"))
    wrong = editor.findings()
    editor.drop(CONDITION)

    assert "CDS107" in [one.code for one in wrong[CONDITION]]
    assert "CDS201" in [one.code for one in wrong[CARD]]
    assert "CDS201" not in [one.code for one in editor.findings()[CARD]]


def test_a_new_file_counts(editor):
    """
    Though nobody has saved it yet.
    """
    editor.put("rules/groups/new.yaml", "kind: group\nid: new\nwhen_several_fire: often\n")

    assert ["CDS105"] == [one.code for one in editor.findings()["rules/groups/new.yaml"]]


def test_files_that_others_write_are_seen(editor):
    """
    After the editor was told to look again.
    """
    before = editor.findings()
    file = editor.file_of(CARD)
    file.write_text(file.read_text("utf-8").replace("dysglycaemia holds", "nothing holds"), "utf-8")
    kept = editor.findings()
    editor.refresh()

    assert before == kept
    assert "CDS201" in [one.code for one in editor.findings()[CARD]]


def test_names_of_files(editor, tmp_path):
    """
    As diagnostics print them; what is no rule file has none.
    """
    assert CARD == editor.name_of(editor.file_of(CARD))
    assert "" == editor.name_of(tmp_path / "x.yaml")
    assert "" == editor.name_of(editor.folder / "CHANGELOG.md")
    assert "" == editor.source("rules/none.yaml").text


# --- words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words", "said"),
    [
        (CONDITION, "hba1c >=", "**hba1c** (concept): HbA1c\n\n- quantity, kept in %\n"),
        (CONDITION, "hba1c >=", "- loinc: 4548-4"),
        (CONDITION, "raised_a1c\n", "**raised_a1c** (threshold)\n\n- 5.7 %\n- source: A society"),
        (CONDITION, "raised_glucose\n", "- 100 mg/dL or 5.6 mmol/L"),
        (INDEX, "raised, from", "a site may choose 1.6 to 3.8"),
        (FACTOR, "homa_ir is", "**homa_ir** (index): HOMA-IR\n\n- To show one thing."),
        (FACTOR, "homa_ir is", "- bands: expected, raised"),
        (CARD, "resistance is", "- grades: probable, possible, unlikely"),
        (CARD, "standards, supports", "**standards** (source): Standards of care\n\n- A society"),
        (CARD, "order_hba1c", "**order_hba1c** (action)"),
        (CARD, "typical\n    expect", "**typical** (patient)\n\n- age: 50 years\n- hba1c: 5.8 %"),
        (CARD, "hba1c.value", "**hba1c** (concept)"),
        (CARD, "show_if", "The condition that must be proved."),
        (CARD, "if_unknown: show", "{instead: ID} or {warn: TEXT}."),
        (CARD, "but:", "What differs from the patient; none takes out."),
    ],
)
def test_words_are_explained(editor, path, words, said):
    """
    Keys by what they are for, names by what they name.
    """
    found = editor.hover(path, *place_of(editor, path, words, 1))

    assert said in found.text
    assert place_of(editor, path, words)[0] == found.place.line


def test_the_tests_of_a_rule_answer_its_clause(editor):
    """
    With what they met: hovering a clause shows where it stands on each side.
    """
    found = editor.hover(CONDITION, *place_of(editor, CONDITION, "hba1c >=", 1))

    assert [
        "- yes: raised (5.7 % on 2026-05-22, from 5.7 %)",
        "- no: normal (5.6 % on 2026-05-22, needs from 5.7 %)",
        "- unknown: glucose alone (never measured)",
        "- unknown: nothing known (never measured)",
    ] == found.text.partition("In the tests:\n\n")[2].split("\n")


def test_clauses_of_what_an_index_chose_have_no_answer_alone(editor):
    """
    They depend on the draw; and a case that no patient can have says nothing.
    """
    write(editor, INDEX, "when: pregnancy is present,", 'when: "insulin >= 900 u[IU]/mL|",')
    gate = editor.hover(INDEX, *place_of(editor, INDEX, "insulin >=", 1))
    write(editor, CONDITION, "given: {hba1c: 5.7 %}", "given: {hba1c: soon|}")
    clause = editor.hover(CONDITION, *place_of(editor, CONDITION, "hba1c >=", 1))

    assert "In the tests" not in gate.text
    assert "raised (" not in clause.text
    assert "- no: normal" in clause.text


def test_many_cases_are_counted(editor):
    """
    A dozen is shown.
    """
    each = ", ".join(f"{{but: {{hba1c: 5.{number} %}}}}" for number in range(9))
    write(editor, CONDITION, "    given: {hba1c: 5.7 %}\n", f"    each: [{each}]|\n")
    write_twice = editor.source(CONDITION).text.replace(
        "  - name: normal", f"  - name: again\n    each: [{each}]\n  - name: normal"
    )
    editor.put(CONDITION, write_twice)
    found = editor.hover(CONDITION, *place_of(editor, CONDITION, "hba1c >=", 1))

    assert found.text.endswith("- and 9 more")


def test_nothing_is_said_of_nothing(editor):
    """
    Between words, behind the end, of words without a meaning.
    """
    assert editor.hover(CARD, 1, 6) is None
    assert editor.hover(CARD, 9999, 1) is None
    assert editor.hover(CARD, *place_of(editor, CARD, "Think of", 1)) is None
    assert editor.definition(CARD, 9999, 1) is None
    assert editor.definition(CARD, *place_of(editor, CARD, "Think of", 1)) is None


@pytest.mark.parametrize(
    ("path", "words", "target", "declared"),
    [
        (CONDITION, "hba1c >=", CONCEPTS, "  hba1c:"),
        (CONDITION, "raised_a1c\n", CONDITION, "raised_a1c: {"),
        (CARD, "dysglycaemia holds", CONDITION, "dysglycaemia\ntitle"),
        (CARD, "standards, supports", "rules/evidence/library.yaml", "standards:"),
        (CARD, "order_hba1c", "rules/actions/library.yaml", "order_hba1c:"),
        (CARD, "sugar", "rules/groups/sugar.yaml", "sugar"),
        (CARD, "typical\n    expect", CARD, "typical: {"),
        (CARD, "plan, repeat]", CARD, "plan\n      action"),
        (INDEX, "glucose * insulin / 405", INDEX, "glucose: {concept"),
        (INDEX, "glucose: 81 mg", CONCEPTS, "  glucose:"),
        (CONCEPTS, "laboratory", "rules/concepts/searches.yaml", "laboratory:"),
    ],
)
def test_where_a_name_is_declared(editor, path, words, target, declared):
    """
    In this file or another one.
    """
    found = editor.definition(path, *place_of(editor, path, words, 1))
    behind = len(declared) - len(declared.lstrip())

    assert target == found.path
    assert place_of(editor, target, declared, behind) == (found.line, found.column)


# --- proposals --------------------------------------------------------------------------

CLAUSE = "    - dysglycaemia holds"


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        pytest.param(CARD, "kind: card", "kind: |", ["card", "condition", "index"], id="kinds"),
        pytest.param(CARD, "kind: card", "k|", ["kind: "], id="no kind yet"),
        pytest.param(CARD, "grade: B\ninputs", "g|\ninputs", ["grade: ", "cuts: "], id="keys"),
        pytest.param(CARD, "  indicator: info", "  indicator: |", ["info", "critical"], id="words"),
        pytest.param(CARD, CLAUSE, "    - |", ["hba1c", "all: ", "any of ["], id="beginning"),
        pytest.param(CARD, CLAUSE, "    - hb|", ["hba1c", "dysglycaemia"], id="begun"),
        pytest.param(CARD, CLAUSE, "    - hba1c |", [">= ", "is known"], id="question"),
        pytest.param(CARD, CLAUSE, "    - age |", [">= ", "is known"], id="age"),
        pytest.param(CARD, CLAUSE, "    - sex is |", ["male", "female"], id="sex"),
        pytest.param(CARD, CLAUSE, "    - metformin is |", ["present", "absent"], id="list"),
        pytest.param(CARD, CLAUSE, "    - homa_ir is |", ["raised", "expected"], id="band"),
        pytest.param(CARD, CLAUSE, "    - homa_ir |", [">= ", "is "], id="index"),
        pytest.param(CARD, CLAUSE, "    - dysglycaemia |", ["holds"], id="condition"),
        pytest.param(CARD, CLAUSE, "    - resistance |", ["is at least "], id="factor"),
        pytest.param(
            CARD, CLAUSE, "    - resistance is at least |", ["probable", "possible"], id="grade"
        ),
        pytest.param(CARD, CLAUSE, "    - stage is |", ["UNDET"], id="stage"),
        pytest.param(CARD, CLAUSE, "    - card |", ["prediabetes fires"], id="card"),
        pytest.param(CARD, CLAUSE, '    - "any of [hba1c, g|"', ["glucose"], id="in a list"),
        pytest.param(CARD, CLAUSE, "    - hba1c >= 5.7 % w|", ["within "], id="window"),
        pytest.param(CARD, "cite: standards}\nsugg", "cite: |}\nsugg", ["standards"], id="source"),
        pytest.param(CARD, "action: plan", "action: |", ["plan", "order_hba1c"], id="action"),
        pytest.param(CARD, "use: typical", "use: |", ["typical"], id="patient"),
        pytest.param(CARD, "but: {hba1c", "but: {h|", ["hba1c: ", "age: "], id="data"),
        pytest.param(CARD, "typical: {age", "typical: {|", ["hba1c: ", "sex: "], id="given"),
        pytest.param(CARD, "[plan, repeat]", "[|]", ["plan", "repeat"], id="suggestion"),
        pytest.param(CARD, "group: sugar", "group: |", ["sugar"], id="group"),
        pytest.param(
            CONDITION, "    - hba1c >= raised_a1c", "    - hba1c >= |", ["raised_a1c"], id="cut-off"
        ),
        pytest.param(CONDITION, "{value: 5.7 %, ", "{|, ", ["value: ", "pair: "], id="threshold"),
        pytest.param(INDEX, "of: [glucose, ", "of: [|", ["glucose", "insulin"], id="inputs"),
        pytest.param(INDEX, "below: raised", "below: |", ["raised"], id="end of a band"),
        pytest.param(INDEX, "concept: insulin", "concept: |", ["insulin", "hba1c"], id="concept"),
        pytest.param(CONCEPTS, "search: laboratory", "search: |", ["laboratory"], id="search"),
        pytest.param(
            CARD, "override_reasons: all", "allow: [{check: |", ["unnoted-limits"], id="check"
        ),
        pytest.param(CARD, "override_reasons: all", "needs_offer: |", ["true", "false"], id="flag"),
    ],
)
def test_what_could_be_written(editor, path, old, new, expected):
    """
    Also where the file is broken just now: it could be read a moment ago.
    """
    editor.symbols(path)
    line, column = write(editor, path, old, new)
    found = [one.text for one in editor.proposals(path, line, column)]

    assert [] == [one for one in expected if one not in found]


@pytest.mark.parametrize(
    ("old", "new", "left_out"),
    [
        pytest.param("grade: B\ninputs", "g|\ninputs", ["kind: ", "show_if: "], id="keys there"),
        pytest.param(CLAUSE, "    - hba1c |", ["all: ", "hba1c"], id="no new clause"),
        pytest.param(CLAUSE, "    - dysglycaemia |", [">= "], id="no number"),
        pytest.param(CLAUSE, "    - nothing |", [">= ", "holds"], id="no such name"),
        pytest.param("title: Prediabetes", "title: |", ["hba1c"], id="free words"),
        pytest.param("id: prediabetes", "colour: |", ["hba1c", "card"], id="no such key"),
    ],
)
def test_what_is_not_proposed(editor, old, new, left_out):
    """
    What cannot stand there.
    """
    line, column = write(editor, CARD, old, new)
    found = [one.text for one in editor.proposals(CARD, line, column)]

    assert [] == [one for one in left_out if one in found]


def test_dates_and_answers_have_questions_of_their_own(editor):
    """
    So have readings and inputs.
    """
    more = "  due: {signal: d, title: Due, type: date, search: laboratory, codes: {loinc: [1-8]}}\n"
    text = text_of(editor, CONCEPTS).replace(
        "  hba1c:\n", f"{more}{more.replace('due', 'yn')}  hba1c:\n"
    )
    editor.put(
        CONCEPTS,
        text.replace(
            "yn: {signal: d, title: Due, type: date", "yn: {signal: a, title: YN, type: answer"
        ),
    )
    asked = {}
    for name in ("due", "yn"):
        line, column = write(editor, CARD, CLAUSE, f"    - {name} |")
        asked[name] = [one.text for one in editor.proposals(CARD, line, column)]

    assert "is in the future" in asked["due"]
    assert "is answered yes" in asked["yn"]


def test_proposals_replace_what_is_typed(editor):
    """
    And say what they are.
    """
    line, column = write(editor, CONDITION, "- hba1c >= raised_a1c", "- hba1c >= rai|")
    found = {one.text: one for one in editor.proposals(CONDITION, line, column)}

    assert (
        "rai"
        == editor.source(CONDITION).lines[line - 1][
            found["raised_a1c"].start : found["raised_a1c"].end
        ]
    )
    assert ("threshold", "5.7 %") == (found["raised_a1c"].sort, found["raised_a1c"].detail)
    assert "100 mg/dL or 5.6 mmol/L" == found["raised_glucose"].detail


# --- fixes, layout, outline -------------------------------------------------------------


def test_findings_come_with_their_fixes(editor):
    """
    Those of the lines that are asked for.
    """
    write(editor, CARD, "dysglycaemia holds", "dysglycemia holds|")
    line, _ = place_of(editor, CARD, "dysglycemia")
    fixes = [(found.code, fix.edits[0].text) for found, fix in editor.fixes(CARD, line, line)]

    assert [("CDS201", "dysglycaemia")] == fixes
    assert "CDS201" not in [found.code for found, _ in editor.fixes(CARD, 1, line - 1)]


def test_a_text_is_laid_out(editor):
    """
    As `cds fmt` does it; what cannot be read is refused.
    """
    editor.put(CARD, "kind:   card\n")
    loose = editor.formatted(CARD)
    editor.put(CARD, "kind: [\n")

    assert "kind: card\n" == loose.text
    assert editor.formatted(CARD).text is None


def test_an_outline(editor):
    """
    Keys, what stands below them, and tests by name.
    """
    found = {one.name: one for one in editor.symbols(CARD)}
    last = len(editor.source(CARD).lines)

    assert ["prediabetes", "normal"] == [one.name for one in found["tests"].of]
    assert ["recorded"] == [one.name for one in found["unless"].of]
    assert ["indicator", "summary", "detail", "source"] == [one.name for one in found["card"].of]
    assert last == found["tests"].last
    assert () == found["title"].of
    assert [] == editor.symbols("rules/none.yaml")


def test_an_outline_of_texts_that_are_folded(editor):
    """
    A part ends where its words do.
    """
    editor.put(CARD, "kind: card\nabout:\n  limits: []\n  purpose: >-\n    a\n    b\n\nid: x\n")
    found = {one.name: one.last for one in editor.symbols(CARD)}

    assert {"kind": 1, "about": 6, "id": 8} | {"about": found["about"]} == found
    assert found["about"] in {6, 7}


def test_the_day_decides_what_is_overdue(sample):
    """
    It is given, not read from a clock.
    """
    late = Editor(sample.folder, as_of=date(2040, 1, 1))

    assert late.as_of > AS_OF
    assert late.findings().keys() == Editor(sample.folder, as_of=AS_OF).findings().keys()
