"""
The command line: exit codes, what is read, what a clinician sees.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.cli.console import clean
from cds.cli.records import HookCall, Record, read_records
from cds.errors import BadRequest
from cds.hooks.wire import EVALUATION, Response
from cds.service.settings import default_rules

AS_OF = "2026-06-30"
LOINC = "http://loinc.org"


def patient(number="1"):
    """
    A woman of fifty.
    """
    return {"resourceType": "Patient", "id": number, "gender": "female", "birthDate": "1976-01-01"}


def observation(code, value, unit, number="1"):
    """
    A result of this month.
    """
    return {
        "resourceType": "Observation",
        "id": f"{code}-{number}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{number}"},
        "effectiveDateTime": "2026-06-15T08:00:00Z",
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def bundle(*resources):
    """
    A record.
    """
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in resources],
    }


def hook(**prefetch):
    """
    A hook request.
    """
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "1"},
        "prefetch": prefetch,
    }


HBA1C = observation("4548-4", 5.9, "%")
RECORD = bundle(patient(), HBA1C)


@pytest.fixture
def put(tmp_path):
    """
    Write a file.
    """

    def write(content, name="x.json"):
        path = tmp_path / name
        if isinstance(content, list):
            path.write_text("".join(json.dumps(one) + "\n" for one in content), "utf-8")
        elif isinstance(content, dict):
            path.write_text(json.dumps(content, indent=2), "utf-8")
        else:
            path.write_bytes(content)
        return str(path)

    return write


def cds(*arguments, **more):
    """
    Call the command line.
    """
    return CliRunner().invoke(app, [str(one) for one in arguments], **more)


def response(*arguments):
    """
    The raw response of a run that must succeed.
    """
    result = cds("run", *arguments, "--json", "--as-of", AS_OF)
    assert 0 == result.exit_code, result.stderr
    return json.loads(result.stdout)


# --- run ------------------------------------------------------------------------


def test_a_record_is_shown_as_a_clinician_would_see_it(put):
    """
    The indicator, the summary, the basis, what could be done, and no colour in a pipe.
    """
    result = cds("run", put(RECORD), "--as-of", AS_OF, "--width", 80)

    assert 0 == result.exit_code
    assert "stage S" in result.stdout
    assert "5.9 %" in result.stdout
    assert " INFO " in result.stdout
    assert "[ ]" in result.stdout
    assert "Not known: " in result.stdout
    assert "\x1b" not in result.stdout
    assert 80 == max(map(len, result.stdout.splitlines()))


def test_colour_may_be_asked_for(put):
    """
    For a pager.
    """
    result = cds("run", put(RECORD), "--as-of", AS_OF, "--color")

    assert "\x1b[" in result.stdout


def test_the_raw_response_is_what_the_service_says(put):
    """
    Valid on the wire, as of the date that was given.
    """
    found = response(put(RECORD))

    assert Response.model_validate(found).cards
    assert found["extension"][EVALUATION]["asOf"].startswith(AS_OF)


def test_a_record_is_whole_unless_it_is_partial(put):
    """
    Then nothing that is not there is known to be absent.
    """
    file = put(bundle(patient()))

    whole = response(file)["extension"][EVALUATION]
    partial = response(file, "--partial")["extension"][EVALUATION]

    assert whole["rules"] != partial["rules"]


def test_a_hook_request_is_what_it_is(put):
    """
    No list is complete that was not sent.
    """
    found = response(put(hook(patient=patient(), glycaemia=bundle(HBA1C))))

    assert "S" in found["extension"][EVALUATION]["stage"]


def test_several_patients_are_several_reports(put):
    """
    From NDJSON with a resource a line, in any order.
    """
    lines = [HBA1C, patient("1"), patient("2"), observation("4548-4", 7.1, "%", "2")]
    file = put(lines, "x.ndjson")

    result = cds("run", file, "--json", "--as-of", AS_OF)

    assert 0 == result.exit_code
    assert 2 == len([json.loads(line) for line in result.stdout.splitlines()])


def test_standard_input_is_read():
    """
    With a dash.
    """
    result = cds("run", "-", "--json", "--as-of", AS_OF, input=json.dumps(RECORD))

    assert 0 == result.exit_code


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"{", 2, "is not well-formed JSON"),
        (b"[]", 2, "must be a JSON object"),
        (b"{}", 2, "is neither a hook request nor a FHIR resource"),
        (b'{"resourceType":"Patient"}\n[]\n', 2, "every line must be a FHIR resource"),
        (json.dumps(hook()).encode(), 1, "412 $.prefetch"),
        (json.dumps({**hook(), "hookInstance": "x"}).encode(), 1, "400 $.hookInstance"),
        (json.dumps(bundle(HBA1C)).encode(), 1, "412 "),
    ],
)
def test_what_cannot_be_run_is_said(put, content, code, said):
    """
    1 where it was refused, 2 where it cannot be read at all.
    """
    result = cds("run", put(content), "--as-of", AS_OF)

    assert code == result.exit_code
    assert said in result.stderr
    assert "" == result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "/nowhere.json"), "No such file"),
        (("run", "-", "--as-of", "yesterday"), "must be a date"),
        (("run", "-", "--rules", "/nowhere"), "does not exist"),
        (("run",), "Missing argument"),
        (("check", "no_such_rule"), "no rule file matches"),
        (("test", "no_such_rule"), "is no rule, file or folder with cases"),
    ],
)
def test_a_wrong_call_is_exit_code_two(arguments, said):
    """
    With a sentence.
    """
    result = cds(*arguments, input=json.dumps(RECORD))

    assert 2 == result.exit_code
    assert said in " ".join(result.stderr.replace("\u2502", " ").split())


def test_the_reference_evaluator_may_be_asked_alone(put):
    """
    The response says who answered.
    """
    assert (
        "reference"
        == response(put(RECORD), "--engine", "reference")["extension"][EVALUATION]["engine"]
    )


def test_nothing_steers_the_terminal():
    """
    Whatever data of a patient may hold.
    """
    assert "a[31mb\nc" == clean("a\x1b[31mb\nc\x07\u202e")


# --- records --------------------------------------------------------------------


def test_gzip_is_unpacked(put):
    """
    Whatever the file is called.
    """
    (record,) = read_records(put(gzip.compress(json.dumps(RECORD).encode())))

    assert Record(RECORD, None).patient_id == record.patient_id
    assert len(RECORD["entry"]) == len(record.content["entry"])


def test_a_hook_request_stays_bytes(put):
    """
    The service reads it itself, strictly.
    """
    (call,) = read_records(put(hook()))

    assert isinstance(call, HookCall)


def test_a_bundle_of_several_patients_is_run_for_each(put):
    """
    Once each, though one is in it twice.
    """
    file = put(bundle(patient("1"), patient("2"), patient("1")))

    assert ["1", "2"] == [one.patient_id for one in read_records(file)]


def test_lines_may_be_bundles_or_resources(put):
    """
    What names nobody is shared: others may refer to it.
    """
    medication = {"resourceType": "Medication", "id": "m"}
    file = put([bundle(patient("9")), HBA1C, medication, patient("1")])

    whole, single = read_records(file)

    assert None is whole.patient_id
    assert ("1", ["Patient", "Observation", "Medication"]) == (
        single.patient_id,
        [one["resourceType"] for one in single.content],
    )


def test_a_single_resource_is_a_record(put):
    """
    A Patient alone, for instance.
    """
    (record,) = read_records(put(patient()))

    assert [patient()] == record.content


def test_a_line_that_is_no_json_is_refused(put):
    """
    As a whole.
    """
    with pytest.raises(BadRequest):
        list(read_records(put(b'{"resourceType":"Patient"}\n{\n')))


# --- check, test, status, doctor --------------------------------------------------


def test_the_shipped_rules_have_no_errors():
    """
    Warnings are printed, one line each, and counted.
    """
    result = cds("check", "--format", "concise")

    assert 0 == result.exit_code
    assert " 0 errors, " in result.stdout.splitlines()[-1]


def test_check_may_be_narrowed():
    """
    To a rule, a file or a folder.
    """
    for narrowed in (
        "staging",
        default_rules() / "stages",
        default_rules() / "stages/staging.yaml",
    ):
        result = cds("check", narrowed)
        assert 0 == result.exit_code
        assert result.stdout.splitlines()[-1].startswith("1 file, 0 errors, ")


def test_another_folder_may_be_checked(tmp_path):
    """
    Errors are exit code 1, in full or concise.
    """
    broken = tmp_path / "release.yaml"
    broken.write_text("kind: release\nid: release\nid: release\n", "utf-8")

    full = cds("check", tmp_path)
    concise = cds("check", "--rules", tmp_path, "--format", "concise")

    assert (1, 1) == (full.exit_code, concise.exit_code)
    assert "error[CDS103] duplicate-key" in full.stdout
    assert "^" in full.stdout
    assert "release.yaml:3:1: error[CDS103]" in concise.stdout


def test_rules_that_cannot_be_used_stop_every_verb(tmp_path):
    """
    With the reason and where to look.
    """
    (tmp_path / "release.yaml").write_text("kind: release\nid: release\nid: release\n", "utf-8")

    for verb in (("run", "-"), ("test",), ("status",)):
        result = cds(*verb, "--rules", tmp_path, input=json.dumps(RECORD))
        assert 2 == result.exit_code
        assert "see cds check" in result.stderr
    assert 1 == cds("doctor", "--rules", tmp_path).exit_code


def test_rules_without_a_card_are_not_run(tmp_path):
    """
    Silence is no answer.
    """
    for verb in (("run", "-"), ("status",)):
        result = cds(*verb, "--rules", tmp_path, input=json.dumps(RECORD))
        assert 2 == result.exit_code
        assert "no active card" in result.stderr
    assert "no active card" in cds("doctor", "--rules", tmp_path).stdout


def test_status_says_what_would_be_served():
    """
    Release, reviews, engine.
    """
    lines = dict(one.split(maxsplit=1) for one in cds("status").stdout.splitlines())

    assert {"release", "profile", "reviews", "engine", "python", "folder"} <= set(lines)


def test_the_doctor_draws_a_conclusion():
    """
    Or says what is in the way.
    """
    result = cds("doctor")

    assert "a first conclusion was drawn" in result.stdout


def test_help_needs_next_to_nothing():
    """
    None of what verbs import.
    """
    code = (
        "import sys; sys.argv = ['cds', '--help']\n"
        "from cds.cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([one for one in ('pydantic', 'fastapi', 'fhir', 'msgspec', 'yaml') "
        "if one in sys.modules])"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )

    assert "[]" == run.stdout.splitlines()[-1]


def test_the_package_can_be_run():
    """
    `python -m cds.cli`.
    """
    run = subprocess.run(
        [sys.executable, "-m", "cds.cli", "--help"],
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert "Show the cards" in run.stdout
