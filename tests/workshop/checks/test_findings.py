"""
Findings for other programs.
"""

import json
from xml.etree import ElementTree as ET

import pytest

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.fixes import Edit, Fix
from cds.rulefiles.nodes import Source
from cds.workshop.checks.findings import as_github, as_json, as_junit, as_sarif

PATH = "rules/cards/x y.yaml"
SOURCES = {PATH: Source(PATH, "a: 1\nb: <2>\n")}


def findings():
    """
    An error with everything, and a warning with nothing.
    """
    report = Report()
    report.add(
        "CDS608",
        Place(PATH, 2, 4, 3),
        "`<2>` & 100%, or not",
        label="here",
        notes=["a fact"],
        help="an action",
        severity="error",
        spans=[(Place(PATH, 1, 1, 1), "there"), (Place(PATH, 1, 4, 1), "")],
        fix=Fix("put 3", (Edit(PATH, 8, 11, "3"),), safe=False),
    )
    report.add("CDS611", Place(PATH, 1, 1, 1), "x", fix=Fix("move", rename="rules/b.yaml"))
    return report.sorted()


def parsed(text):
    """
    XML that was just written here.
    """
    return ET.fromstring(text)  # noqa: S314 - not from outside


def test_json():
    """
    Every part of a finding, edits by line and column.
    """
    bare, whole = json.loads(as_json(findings(), SOURCES))

    assert {
        "code": "CDS608",
        "name": "unused-allow",
        "severity": "error",
        "headline": "`<2>` & 100%, or not",
        "path": PATH,
        "line": 2,
        "column": 4,
        "end_column": 7,
        "label": "here",
        "spans": [
            {"path": PATH, "line": 1, "column": 1, "end_column": 2, "label": "there"},
            {"path": PATH, "line": 1, "column": 4, "end_column": 5, "label": ""},
        ],
        "notes": ["a fact"],
        "help": "an action",
        "page": "cds explain CDS608",
        "fix": {
            "title": "put 3",
            "safe": False,
            "rename": "",
            "edits": [
                {
                    "path": PATH,
                    "start": {"line": 2, "column": 4},
                    "end": {"line": 2, "column": 7},
                    "text": "3",
                }
            ],
        },
    } == whole
    assert ("rules/b.yaml", []) == (bare["fix"]["rename"], bare["fix"]["edits"])


def test_json_without_a_fix():
    """
    Says so.
    """
    report = Report()
    report.add("CDS611", Place(PATH, 1, 1), "x")

    assert json.loads(as_json(report.sorted(), SOURCES))[0]["fix"] is None


def test_junit():
    """
    A case for each file: errors fail it, warnings are printed, a clean file passes.
    """
    suite = parsed(as_junit(findings(), [PATH, "rules/clean.yaml"]))
    cases = {one.get("name"): one for one in suite}
    failure = cases[PATH].find("failure")

    assert ("2", "1") == (suite.get("tests"), suite.get("failures"))
    assert ("CDS608", "`<2>` & 100%, or not") == (failure.get("type"), failure.get("message"))
    assert "rules/cards/x y.yaml:2:4" in failure.text
    assert "CDS611" in cases[PATH].find("system-out").text
    assert [] == list(cases["rules/clean.yaml"])


def test_junit_of_warnings_alone():
    """
    Nothing fails.
    """
    suite = parsed(as_junit(findings()[:1], [PATH]))

    assert ("0", ["system-out"]) == (suite.get("failures"), [one.tag for one in suite[0]])


def test_github():
    """
    One line each, with what GitHub reads as control characters escaped.
    """
    assert (
        "::warning file=rules/cards/x y.yaml,line=1,col=1,endColumn=2,"
        "title=CDS611 pending-review::x\n"
        "::error file=rules/cards/x y.yaml,line=2,col=4,endColumn=7,"
        "title=CDS608 unused-allow::`<2>` & 100%25, or not%0Aa fact%0Aan action"
    ) == as_github(findings())


def test_github_escapes_its_properties():
    """
    A comma or a colon in a path ends no property.
    """
    report = Report()
    report.add("CDS611", Place("a,b:c.yaml", 1, 1), "x")

    assert "file=a%2Cb%3Ac.yaml," in as_github(report.sorted())


def test_sarif():
    """
    Rules, results, related places and fixes of version 2.1.0.
    """
    log = json.loads(as_sarif(findings(), SOURCES))
    (run,) = log["runs"]
    bare, whole = run["results"]
    region = {"startLine": 2, "startColumn": 4, "endColumn": 7}

    assert "2.1.0" == log["version"]
    assert ["CDS608", "CDS611"] == [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert "Finds `allow:` lines" in run["tool"]["driver"]["rules"][0]["shortDescription"]["text"]
    assert [1, 0] == [one["ruleIndex"] for one in run["results"]]
    assert {
        "artifactLocation": {"uri": "rules/cards/x%20y.yaml"},
        "region": region,
    } == whole["locations"][0]["physicalLocation"]
    assert ["there", None] == [
        one.get("message", {}).get("text") for one in whole["relatedLocations"]
    ]
    assert {
        "deletedRegion": {**region, "endLine": 2},
        "insertedContent": {"text": "3"},
    } == whole["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert not {"fixes", "relatedLocations"} & set(bare)


def test_sarif_fits_its_schema():
    """
    The parts that every reader asks for.
    """
    jsonschema = pytest.importorskip("jsonschema")
    place = {
        "type": "object",
        "required": ["physicalLocation"],
        "properties": {
            "physicalLocation": {
                "type": "object",
                "required": ["artifactLocation", "region"],
                "properties": {"region": {"properties": {"startLine": {"minimum": 1}}}},
            }
        },
    }
    result = {
        "type": "object",
        "required": ["message", "ruleId"],
        "properties": {
            "level": {"enum": ["none", "note", "warning", "error"]},
            "locations": {"type": "array", "items": place},
            "relatedLocations": {"type": "array", "items": place},
        },
    }
    schema = {
        "type": "object",
        "required": ["version", "runs"],
        "properties": {"runs": {"items": {"properties": {"results": {"items": result}}}}},
    }

    assert jsonschema.validate(json.loads(as_sarif(findings(), SOURCES)), schema) is None
