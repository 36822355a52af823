"""
Shapes: what may stand where, and the schemas that say the same.
"""

import re

import pytest

from cds.rulefiles.clearing import clear_flag
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.fixes import applied
from cds.rulefiles.nodes import Source
from cds.rulefiles.shapes import Anything, Either, Grammar, Keys, Many, Named, Pattern, Text
from cds.rulefiles.source import read_source

WORD = Text()
FLAG = Pattern(
    re.compile("true|false"), "`true` or `false`", re.compile("yes|no"), "boolean", clear_flag
)


def check(shape, text):
    """Check the value of `a:`, and give what was reported."""
    report = Report()
    block = read_source(Source("x.yaml", f"a: {text}\n"), report)
    shape.check(block.get("a"), report)
    return [(one.code, one.headline, one.help) for one in report.sorted()]


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (WORD, "word"),
        (Text(empty=True), '""'),
        (Text(("a", "b")), "b"),
        (Text(pattern=re.compile(r"\d+")), "12"),
        (FLAG, "true"),
        (Many(WORD, least=1), "[a]"),
        (Named(WORD), "{x: y}"),
        (Named(WORD, re.compile("[a-z]+")), "{x: y}"),
        (Keys("a thing", {"x": WORD}, {"y": WORD}), "{y: b, x: a}"),
        (Either(text=WORD, items=Many(WORD)), "a"),
        (Either(text=WORD, items=Many(WORD)), "[a]"),
        (Either(block=Named(WORD)), "{x: y}"),
        (Anything(), "[{}]"),
        (Grammar("condition"), "[{}]"),
        (Grammar("threshold", Named(Anything())), "{x: []}"),
    ],
)
def test_what_fits(shape, text):
    """
    Nothing is said of what is right.
    """
    assert [] == check(shape, text)


@pytest.mark.parametrize(
    ("shape", "text", "code", "headline"),
    [
        (WORD, "[a]", "CDS105", "expected a text, found a list"),
        (Grammar("x", WORD), "[a]", "CDS105", "expected a text, found a list"),
        (WORD, '""', "CDS105", "expected a text, found a text"),
        (Text(("one", "two")), "tow", "CDS105", "expected one of `one`, `two`, found `tow`"),
        (Text(("one",)), "{}", "CDS105", "expected one of `one`, found a block"),
        (Text(pattern=re.compile("a"), form="an a"), "b", "CDS105", "expected an a, found `b`"),
        (WORD, "{}", "CDS105", "expected a text, found a block"),
        (FLAG, "yes", "CDS106", "`yes` can be read in more than one way"),
        (FLAG, "perhaps", "CDS105", "expected `true` or `false`, found `perhaps`"),
        (FLAG, "[a]", "CDS105", "expected `true` or `false`, found a list"),
        (Many(WORD), "a", "CDS105", "expected a list, found `a`"),
        (Many(WORD, least=2), "[a]", "CDS105", "expected a list of 2 or more, found a list"),
        (Named(WORD), "[]", "CDS105", "expected a block of names, found a list"),
        (
            Named(WORD, re.compile("[a-z]+")),
            "{X: y}",
            "CDS105",
            "expected a name in small letters, like `fasting_insulin`, found `X`",
        ),
        (Keys("a thing"), "x" * 60, "CDS105", "expected a block: a thing, found a text"),
        (
            Keys("a thing", may={"name": WORD}),
            "{nmae: x}",
            "CDS102",
            "`nmae` is not a key of a thing",
        ),
        (Keys("a thing", {"name": WORD}), "{}", "CDS104", "a thing needs `name`"),
        (
            Either(text=WORD, items=Many(WORD)),
            "{}",
            "CDS105",
            "expected a text or a list, found a block",
        ),
        (Either(block=Named(WORD)), "[]", "CDS105", "expected a block, found a list"),
    ],
)
def test_what_does_not_fit(shape, text, code, headline):
    """
    What was expected, and what was found.
    """
    assert (code, headline) in [one[:2] for one in check(shape, text)]


@pytest.mark.parametrize(
    ("shape", "sample"),
    [
        (Text(("one", "two")), "add `x: one`"),
        (Many(WORD), "add `x: […]`"),
        (Keys("y"), "add `x: {…}`"),
        (Named(WORD), "add `x: {…}`"),
        (WORD, "add `x: …`"),
    ],
)
def test_a_missing_key_comes_with_a_sample(shape, sample):
    """
    Something to paste.
    """
    assert [sample] == [help_ for _, _, help_ in check(Keys("a thing", {"x": shape}), "{}")]


def test_shapes_as_json_schema():
    """
    The same tables, for editors.
    """
    shape = Keys(
        "a thing",
        {"x": WORD, "y": Text(("a",)), "z": Text(pattern=re.compile("b"))},
        {
            "f": FLAG,
            "m": Many(WORD, 1),
            "n": Named(WORD),
            "e": Either(text=WORD),
            "c": Anything(),
            "k": Named(WORD, re.compile("[a-z]")),
            "when": Grammar("condition"),
            "within": Text(("b",)),
        },
    )
    word = {"type": ["string", "number", "boolean"]}

    assert {
        "type": "object",
        "properties": {
            "x": word,
            "y": {"enum": ["a"]},
            "z": {"type": ["string", "number"], "pattern": "^(?:b)$"},
            "f": {"type": "boolean"},
            "m": {"type": "array", "items": word, "minItems": 1},
            "n": {"type": "object", "additionalProperties": word},
            "e": {"anyOf": [word]},
            "c": {},
            "k": {
                "type": "object",
                "additionalProperties": word,
                "propertyNames": {"pattern": "^(?:[a-z])$"},
            },
            "when": {
                "description": "The condition.",
                "allOf": [{"$ref": "#/definitions/condition"}],
            },
            "within": {
                "description": "How old a result may be, in days.",
                "enum": ["b"],
            },
        },
        "required": ["x", "y", "z"],
        "additionalProperties": False,
    } == shape.schema()


def test_a_version_is_three_numbers(rules):
    """
    `1.0` would be a number to other readers of YAML.
    """
    found = rules.found({"cards/sample.yaml": ("version: 1.0.0", "version: 1.0")})

    assert ["CDS106 `1.0` can be read in more than one way"] == found


def fixed(shape, text):
    """
    The text with the first fix, and whether that was safe.
    """
    source = Source("x.yaml", f"a: {text}\n")
    report = Report({source.path: source})
    shape.check(read_source(source, report).get("a"), report)
    fix = next((one.fix for one in report.sorted() if one.fix), None)
    return fix and (applied(source.text, fix.edits)[3:-1], fix.safe)


KEYS = Keys("a thing", {}, {"domain": WORD, "points": WORD})


@pytest.mark.parametrize(
    ("shape", "text", "expected"),
    [
        (KEYS, "{domian: x}", ("{domain: x}", True)),
        (KEYS, "{point: x}", ("{points: x}", True)),
        (KEYS, "{do: x}", None),
        (KEYS, "{pointxxx: x}", ("{points: x}", False)),
        (KEYS, "{point: x, points: y}", None),
        (KEYS, "{zzz: x}", None),
        (Text(("draft", "active")), "actve", ("active", False)),
        (Text(("draft", "active")), "x", None),
        (FLAG, "yes", ("true", True)),
    ],
)
def test_slips_are_mended(shape, text, expected):
    """
    Safely where a letter or two differ and the place is free, else as a guess.
    """
    assert expected == fixed(shape, text)


@pytest.mark.parametrize(
    ("shape", "help_"),
    [
        (WORD, "add `x: …`"),
        (Text(("a", "b")), "add `x: a`"),
        (Many(WORD), "add `x: […]`"),
        (Named(WORD), "add `x: {…}`"),
        (Keys("k"), "add `x: {…}`"),
        (Anything(), "add `x: …`"),
        (Either(text=WORD, items=Many(WORD)), "add `x: …`"),
        (Either(items=Many(WORD), block=Named(WORD)), "add `x: […]`"),
        (Either(block=Named(WORD)), "add `x: …`"),
        (Keys("k", {"a": WORD, "b": Many(WORD)}), "add:\nx:\n  a: …\n  b: […]"),
        (Many(Keys("k", {"a": WORD, "b": WORD})), "add:\nx:\n  - {a: …, b: …}"),
        (Many(Keys("k", {}, {"c": WORD})), "add:\nx:\n  - {c: …}"),
    ],
)
def test_a_missing_key_comes_with_a_piece_to_paste(shape, help_):
    """
    As long as what is missing.
    """
    ((code, _, said),) = check(Keys("a thing", {"x": shape}), "{}")

    assert ("CDS104", help_) == (code, said)
