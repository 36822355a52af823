"""
JSON Schemas: current, understood by editors, and of one mind with the loader.
"""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from cds.cli.schema import schema_texts
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.hints import HINTS, hint
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.nodes import Block, Items, Source
from cds.rulefiles.schemas import EVERY_KIND, schema_of, schema_of_all
from cds.rulefiles.shapes import ByKey, Either, Keys, Many, Named
from cds.rulefiles.source import read_source

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "rules").rglob("*.yaml"))
CORE = [
    (re.compile(r"true|false"), lambda text: text == "true"),
    (re.compile(r"[-+]?\d+"), int),
    (re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?"), float),
    (re.compile(r"|~|null"), lambda _: None),
]


def as_json(node):
    """
    What YAML 1.2's core schema makes of a node: what the schema of an editor looks at.
    """
    if isinstance(node, Block):
        return {key: as_json(one) for key, one in node.values.items()}
    if isinstance(node, Items):
        return [as_json(one) for one in node.items]
    if not node.quoted:
        for pattern, made in CORE:
            if pattern.fullmatch(node.text):
                return made(node.text)
    return node.text


def read(path):
    """
    A rule file as an editor sees it.
    """
    return as_json(read_source(Source(path.name, path.read_text("utf-8")), Report()))


@pytest.fixture(scope="module")
def validators():
    """
    One for each schema.
    """
    return {name: Draft7Validator(json.loads(text)) for name, text in schema_texts().items()}


@pytest.mark.parametrize("name", [*KINDS, EVERY_KIND])
def test_schemas_are_current(name):
    """
    `cds schema --write` writes them anew.
    """
    assert schema_texts()[name] == (ROOT / "rules" / "schema" / f"{name}.json").read_text("utf-8")


def test_there_is_no_schema_of_a_kind_that_is_gone():
    """
    Every file is one of those that are written.
    """
    found = {path.stem for path in (ROOT / "rules" / "schema").glob("*")}

    assert set(schema_texts()) == found


@pytest.mark.parametrize("name", [*KINDS, EVERY_KIND])
def test_a_schema_is_one_of_draft_7(name):
    """
    Sound, and with patterns that editors can read too: theirs are JavaScript's.
    """
    schema = json.loads(schema_texts()[name])
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', schema_texts()[name])
    Draft7Validator.check_schema(schema)

    assert "http://json-schema.org/draft-07/schema#" == schema["$schema"]
    assert [] == [one for one in patterns if "(?i" in one or "(?P" in one or "\\Z" in one]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_files_fit_their_schemas(path, validators):
    """
    That of their kind, and that of any kind.
    """
    document = read(path)
    found = [
        f"{error.json_path}: {error.message}"
        for name in (document["kind"], EVERY_KIND)
        for error in validators[name].iter_errors(document)
    ]

    assert [] == found


CARD = ROOT / "rules" / "cards" / "short_sleep.yaml"
INDEX = ROOT / "rules" / "indices" / "homa_ir.yaml"
SHOW = "show_if:\n  all:\n    - ir_spectrum holds\n    - sleep_duration < enough\n"
ENOUGH = "{value: 7 h, cite: aasm_2015}"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        pytest.param(CARD, "show_if:", "show_iff:", id="unknown key"),
        pytest.param(CARD, "code: IR-SLP-01\n", "", id="missing key"),
        pytest.param(CARD, "status: active", "status: live", id="none of the choices"),
        pytest.param(CARD, "indicator: info", "indicator: panic", id="none of the indicators"),
        pytest.param(CARD, "version: 1.0.0", "version: 1.0", id="a version that is a number"),
        pytest.param(CARD, "hooks: [patient-view]", "hooks: patient-view", id="a text for a list"),
        pytest.param(CARD, "id: short_sleep", "id: Short Sleep", id="no name"),
        pytest.param(CARD, "grade: C\n", "grade: E\n", id="no grade"),
        pytest.param(CARD, "  owner: metabolic-rules@example.org\n", "", id="missing inside"),
        pytest.param(CARD, "guards: none", "guards: some", id="one of two shapes"),
        pytest.param(CARD, SHOW, "show_if: [x holds]\n", id="a list for a condition"),
        pytest.param(CARD, SHOW, "show_if: {every: [x holds]}\n", id="no joiner"),
        pytest.param(CARD, SHOW, "show_if: {all: [x holds], any: [y holds]}\n", id="two joiners"),
        pytest.param(CARD, SHOW, "show_if: {all: x holds}\n", id="nothing to join"),
        pytest.param(CARD, SHOW, "show_if: {at_least: {of: [x holds]}}\n", id="no count"),
        pytest.param(CARD, SHOW, "show_if: {not: {nor: x holds}}\n", id="deep inside"),
        pytest.param(CARD, SHOW, "show_if: {any: {of: [{if: x holds}]}}\n", id="deeper"),
        pytest.param(CARD, ENOUGH, "7 h", id="a threshold without a block"),
        pytest.param(CARD, ENOUGH, "{valeu: 7 h}", id="a threshold's key"),
        pytest.param(CARD, ENOUGH, "{value: [7 h]}", id="half a pair"),
        pytest.param(CARD, ENOUGH, "{male: seven}", id="no number"),
        pytest.param(INDEX, "show: 2 decimals", "show: two", id="a form"),
        pytest.param(INDEX, "within: 365 days}", "within: a year}", id="no days"),
        pytest.param(INDEX, "if_unknown: compute", "if_unknown: hide", id="another kind's word"),
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(path, old, new, validators, tmp_path):
    """
    Mistakes of form are seen in the editor already.
    """
    text = path.read_text("utf-8")
    assert old in text
    broken = tmp_path / path.name
    broken.write_text(text.replace(old, new, 1), "utf-8")
    report, document = Report(), read(broken)
    root = read_source(Source(path.name, broken.read_text("utf-8")), report)
    KINDS[document["kind"]].shape.check(root, report)

    assert not validators[document["kind"]].is_valid(document)
    assert not validators[EVERY_KIND].is_valid(document)
    assert report.sorted() or is_refused_by_its_reader(path, broken)


def is_refused_by_its_reader(path, broken):
    """
    Tell whether the readers of conditions and thresholds refuse what the shapes pass over.
    """
    from cds.rulefiles.loader import load  # noqa: PLC0415 - the slow way, where it is needed

    name = f"rules/{path.relative_to(ROOT / 'rules').as_posix()}"
    loaded = load(ROOT / "rules", buffers={name: broken.read_text("utf-8")})
    return any(one.severity == "error" and one.place.path == name for one in loaded.diagnostics)


@pytest.mark.parametrize(
    "threshold",
    [
        "{value: 7, cite: x, localisable: 6 to 8}",
        "{pair: [126 mg/dL, 7.0 mmol/L], or_own: lower limit}",
        "{male: [40 mg/dL, 1.0 mmol/L], female: 50 mg/dL}",
        "{below 65 years: 1.3, from 65 years: 2.0, from 30 below 42 years: {male: 1}}",
        "{value: 25 kg/m2, asian: 23 kg/m2}",
    ],
)
def test_thresholds_of_every_form(threshold, validators):
    """
    As AUTHORING.md lists them.
    """
    text = CARD.read_text("utf-8").replace(ENOUGH, threshold)
    document = as_json(read_source(Source("x.yaml", text), Report()))

    assert threshold in text
    assert [] == [error.message for error in validators["card"].iter_errors(document)]


def test_a_profile_of_a_site_fits_its_schema(validators):
    """
    And one that says what no profile may say does not.
    """
    document = read(ROOT / "fixtures" / "profiles" / "example_hospital.yaml")
    wrong = {**document, "most_cards": "9"}

    assert [] == [one.message for one in validators["profile"].iter_errors(document)]
    assert [] != list(validators["profile"].iter_errors(wrong))


def keys_of(shape):
    """
    The keys of a shape and of every shape inside it, with the block that holds them.
    """
    if isinstance(shape, Keys):
        for key, inner in {**shape.must, **shape.may}.items():
            yield shape.what, key
            yield from keys_of(inner)
    elif isinstance(shape, Many | Named):
        yield from keys_of(shape.of)
    elif isinstance(shape, ByKey):
        for inner in (shape.present, shape.absent):
            yield from keys_of(inner)
    elif isinstance(shape, Either):
        for inner in (shape.text, shape.items, shape.block):
            yield from keys_of(inner)


def test_every_key_has_a_hint():
    """
    A sentence to be shown by editors.
    """
    keys = {one for kind in KINDS.values() for one in keys_of(kind.shape)}
    common = {key for _, key in keys if key in HINTS[""]}

    assert set() == {(what, key) for what, key in keys if not hint(what, key)}
    assert set(HINTS[""]) == common


def test_a_schema_names_its_kind():
    """
    So that a file of another kind does not fit.
    """
    assert "card" == schema_of("card")["properties"]["kind"]["const"]
    assert list(KINDS) == schema_of_all()["properties"]["kind"]["enum"]
