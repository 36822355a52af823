"""
`cds explain`: whom it is for, what is refused, and the forms of its answer.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.workshop.checks.pages import page_of

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
MAN = "age: 52 years, sex: male"


def explained(*arguments):
    """
    The exit code and what was printed.
    """
    result = CliRunner().invoke(app, ["explain", *arguments, "--width", "100"])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["IR-MAL-02"], "Low testosterone, not confirmed 1.0.0 (IR-MAL-02)"),
        (["low_testosterone_unconfirmed", "--patient", "typical"], "Low testosterone"),
        (["homa_ir", "--given", MAN], "HOMA-IR 1.0.0"),
        (["probable_ir"], "Probable insulin resistance by surrogates 1.0.0"),
        (["staging", "--given", MAN], "Glucose and insulin resistance label 1.0.0"),
        (["insulin_resistance", "--given", MAN], "Insulin resistance 1.0.0"),
    ],
)
def test_every_kind_of_rule_is_explained(arguments, first):
    """
    By id or code, for a patient of its file or in words.
    """
    code, text = explained(*arguments)

    assert 0 == code
    assert text.startswith(first)


@pytest.mark.parametrize("file", ["patients/healthy_control.json", "requests/healthy_control.json"])
def test_a_record_and_a_request_are_read(file):
    """
    As `cds run` reads them.
    """
    code, text = explained("IR-SLP-01", "--patient", str(FIXTURES / file), "--as-of", "2026-06-01")

    assert 0 == code
    assert "sleep_duration" in text


def test_a_patient_can_be_changed():
    """
    One of a rule file and one of a record.
    """
    _, given = explained("IR-MAL-02", "--but", "total_testosterone: 9.2 nmol/L")
    _, record = explained(
        "IR-SLP-01",
        "--patient",
        str(FIXTURES / "patients/sleep_stress_and_low_mood.json"),
        "--as-of",
        "2026-06-01",
        "--but",
        "sleep_duration: 8 h",
    )

    assert "NOT SHOWN" in given
    assert "8 h on 2026-05-22, needs below 7 h" in record


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no_such_rule"], "`no_such_rule` is no rule, code or check"),
        (["homa_irr", "--given", MAN], "did you mean `homa_ir`?"),
        (["homa_ir"], "say for whom: `homa_ir` has no patients of its own"),
        (["IR-MAL-02", "--patient", "nobody"], "`nobody` is neither a file nor a patient"),
        (["homa_ir", "--given", "hba1c 5"], "write `NAME: VALUE, NAME: VALUE`"),
        (["homa_ir", "--given", "hba1c: ["], "--given:"),
        (["homa_ir", "--given", "nothing: 5 %"], "`nothing` is not a concept"),
        (["homa_ir", "--given", MAN, "--why-not"], "say which answer is wanted, with --wanted"),
        (["homa_ir", "--given", MAN, "--wanted", "huge"], "expected, raised, known"),
    ],
)
def test_what_cannot_be_answered_is_said(arguments, said):
    """
    With what could be asked instead.
    """
    code, text = explained(*arguments)

    assert 2 == code
    assert said in " ".join(text.split())


@pytest.mark.parametrize(
    ("content", "as_of", "expected"),
    [
        ("{", "2026-06-01", 2),
        ("[]", "2026-06-01", 2),
        (json.dumps({"resourceType": "Patient", "id": "1"}), "never", 2),
        (json.dumps({"resourceType": "Observation", "id": "1"}), "2026-06-01", 1),
        ('{"resourceType": "Patient", "id": "1"}\n{"resourceType": "Patient", "id": "2"}', None, 2),
    ],
)
def test_files_that_cannot_be_explained(tmp_path, content, as_of, expected):
    """
    Not JSON, nobody in it, several patients, or no such day.
    """
    path = tmp_path / "record.json"
    path.write_text(content, "utf-8")
    code, _ = explained("IR-SLP-01", "--patient", str(path), *(["--as-of", as_of] if as_of else []))

    assert expected == code


def test_reasons_are_values_too():
    """
    The tree, and the changes.
    """
    _, tree = explained("IR-MAL-02", "--json")
    _, flips = explained("IR-MAL-02", "--but", "total_testosterone: none", "--why-not", "--json")

    assert ["unless", "show_if, all of"] == [one["text"] for one in json.loads(tree)["of"]][:2]
    assert [
        {"change": ["measure total_testosterone, and find less than 264 ng/dL"], "then": []}
    ] == json.loads(flips)["changes"]


def test_why_asks_for_the_opposite():
    """
    What would hide a card, what would keep a condition from holding.
    """
    _, card = explained("IR-MAL-02", "--why")
    _, condition = explained("probable_ir", "--why")

    assert "Smallest changes that would hide it:" in card
    assert "Smallest changes that would make it no:" in condition


def test_the_page_of_a_check_is_shown():
    """
    By code and by name.
    """
    _, by_code = explained("CDS414")
    _, by_name = explained("threshold-overlap")
    _, value = explained("CDS414", "--json")

    assert by_code == by_name
    assert "threshold-overlap" in by_code
    assert page_of("CDS414") == json.loads(value)["page"]
