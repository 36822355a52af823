"""
Data that nobody on this project wrote, sent to the real application.

Whatever arrives: no 5xx, every body JSON, every refusal an OperationOutcome. What was
extracted and what was left out is printed by folder; the committed figures in
`figures.json` are a floor.
"""

import gzip
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cds.core.facts import Gap
from cds.fhir.gathering import COUNTED
from cds.hooks.strict import decode, encode
from tests.calling import (
    NOW,
    Calling,
    evaluation_of,
    fired,
    hook_call,
    is_outcome,
    open_service,
)
from tests.serving import shipped
from tests.shared_data import SHARED, needs_shared_data

pytestmark = needs_shared_data

FIGURES = Path(__file__).with_name("figures.json")
FOLDERS = (
    "cds-hooks/requests",
    "synthea",
    "hl7-r4-examples",
    "odd",
    "cross-version",
    "regional",
    "us-core-examples",
    "au",
)
# Under which a whole record is sent: no template has this key.
UNKNOWN_KEY = "record"
WHOLE = {"document", "searchset", "collection", "transaction"}
# Files of other releases of FHIR, by folder or by name.
OTHER_RELEASES = ("cross-version/", "/R5__", "/Stu3__")
FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass
class Sent:
    """
    One thing that was sent, and what came back.
    """

    folder: str
    name: str
    how: str
    status: int
    is_json: bool
    is_outcome: bool
    stage: str | None
    must_be_staged: bool = False
    facts: int = 0
    dropped: Counter = field(default_factory=Counter)

    @property
    def place(self):
        return f"{self.folder}/{self.name} ({self.how}): {self.status}"


def raw_of(path):
    """
    The bytes of a file, unpacked; a byte order mark is no part of a document.
    """
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return raw.removeprefix(b"\xef\xbb\xbf")


def parsed(raw):
    """
    A document as a lenient reader takes it; None where nobody can.
    """
    try:
        return json.loads(raw)
    except ValueError:
        return None


def resources_in(document):
    """
    Every resource of a document that is no Bundle, and of Bundles inside, in order.
    """
    if not isinstance(document, dict):
        return
    if document.get("resourceType") != "Bundle":
        if isinstance(document.get("resourceType"), str):
            yield document
        return
    for entry in document.get("entry") or []:
        if isinstance(entry, dict):
            for one in resources_in(entry.get("resource")):
                if "id" not in one and isinstance(entry.get("fullUrl"), str):
                    one["id"] = entry["fullUrl"].replace(":", "/").rpartition("/")[2]
                yield one


def patients_in(document):
    """
    The ids of the Patients of a document, in order.
    """
    return [
        str(one.get("id", "none"))
        for one in resources_in(document)
        if one["resourceType"] == "Patient"
    ]


def must_be_staged(place, document):
    """
    Tell whether this is an R4 Bundle, a whole record, about one Patient who can be named.
    """
    people = patients_in(document)
    return (
        isinstance(document, dict)
        and document.get("resourceType") == "Bundle"
        and document.get("type") in WHOLE
        and len(people) == 1
        and FHIR_ID.fullmatch(people[0]) is not None
        and not any(mark in place for mark in OTHER_RELEASES)
    )


def spliced(raw, patient_id):
    """
    A call that carries a document byte for byte, sound or not.
    """
    before, after = encode(hook_call({UNKNOWN_KEY: 0}, patient_id)).split(b'{"record":0}')
    return b"".join((before, b'{"record":', raw, b"}", after))


def one_of(path, service, body, *, how, staged=False):
    """
    Send one body, and look inside at what was extracted of it.
    """
    response = service.post(body)
    body_is_json = parsed(response.content) is not None
    stage = None
    facts, dropped = 0, Counter()
    if response.status_code == 200:
        stage = evaluation_of(response).get("stage")
        facts, dropped = extracted(body)
    return Sent(
        folder=path.parent.relative_to(SHARED).as_posix(),
        name=path.name,
        how=how,
        status=response.status_code,
        is_json=body_is_json,
        is_outcome=body_is_json and is_outcome(response),
        stage=stage,
        must_be_staged=staged,
        facts=facts,
        dropped=dropped,
    )


def extracted(body):
    """
    Count facts, and what was left out by reason.
    """
    request = decode(body)
    snapshot = shipped().snapshot(request["prefetch"], request["context"]["patientId"], NOW)
    facts = sum(map(len, snapshot.results.values())) + sum(map(len, snapshot.entries.values()))
    dropped = Counter()
    for one in snapshot.not_used:
        dropped[one.reason] += one.count
    for unusable in snapshot.unusable.values():
        dropped.update(one.reason for one in unusable if one.reason not in COUNTED)
    return facts, dropped


def send_document(path, service):
    """
    Send a file as one prefetch entry; a hook request also as what it is.
    """
    raw = raw_of(path)
    document = parsed(raw)
    place = path.relative_to(SHARED).as_posix()
    people = patients_in(document)
    if not place.startswith("cds-hooks/"):
        yield one_of(
            path,
            service,
            spliced(raw, (people or ["none"])[0]),
            how="unknown key",
            staged=must_be_staged(place, document),
        )
        return
    yield one_of(path, service, raw, how="as it is")
    prefetch = document.get("prefetch") if isinstance(document, dict) else None
    prefetch = prefetch if isinstance(prefetch, dict) else {UNKNOWN_KEY: document}
    people = [name for one in prefetch.values() for name in patients_in(one)]
    body = encode(hook_call(prefetch, (people or ["none"])[0]))
    yield one_of(path, service, body, how="its prefetch")


def send_lines(path, service):
    """
    Send the resources of newline-delimited files, those of a patient together.

    The files of one folder are one export: *path* is the one with the patients.
    """
    of_patient: dict[str, list] = {}
    alone = []
    for file in (
        sorted(path.parent.glob("*.ndjson*")) if path.name == "Patient.ndjson.gz" else [path]
    ):
        for line in raw_of(file).splitlines():
            one = parsed(line)
            if one is None:
                continue
            subject = one.get("subject") or one.get("patient") or {}
            reference = subject.get("reference", "") if isinstance(subject, dict) else ""
            name = (
                str(one.get("id"))
                if one.get("resourceType") == "Patient"
                else (reference.rpartition("/")[2])
            )
            (of_patient.setdefault(name, []) if name else alone).append(one)
    for name, resources in of_patient.items():
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": one} for one in resources],
        }
        place = path.relative_to(SHARED).as_posix()
        body = encode(hook_call({UNKNOWN_KEY: bundle}, name))
        yield one_of(path, service, body, how=name, staged=must_be_staged(place, bundle))
    for number, one in enumerate(alone):
        body = encode(hook_call({UNKNOWN_KEY: one}, "none"))
        yield one_of(path, service, body, how=f"resource {number}")


def files_of(folder):
    """
    Every data file below a folder, of an export the one with the patients.
    """
    for path in sorted((SHARED / folder).rglob("*.*")):
        in_export = (path.parent / "Patient.ndjson.gz").exists()
        if path.is_file() and (not in_export or path.name == "Patient.ndjson.gz"):
            yield path


@pytest.fixture(scope="module")
def everything(service):
    """
    Every file sent, once.
    """
    found = []
    for folder in FOLDERS:
        for path in files_of(folder):
            send = send_lines if ".ndjson" in path.name else send_document
            found.extend(send(path, service))
    return found


def tell(*lines):
    """
    Print figures of a run.
    """
    sys.stdout.write("".join(f"\n{line}" for line in lines) + "\n")


def by_folder(everything):
    """
    Facts, drops and answers of each folder.
    """
    table = {}
    for one in everything:
        row = table.setdefault(
            one.folder, {"sent": 0, "answered": 0, "facts": 0, "dropped": Counter()}
        )
        row["sent"] += 1
        row["answered"] += one.status == 200
        row["facts"] += one.facts
        row["dropped"] += one.dropped
    return table


def test_all_of_it_was_sent(everything):
    """
    The folders are there and hold what the manifest says.
    """
    assert 640 < len(everything)
    assert set(FOLDERS) == {
        next(folder for folder in FOLDERS if one.folder.startswith(folder)) for one in everything
    }


def test_nothing_breaks(everything):
    """
    No answer of the 5xx, and every answer is JSON.
    """
    assert [] == [one.place for one in everything if one.status >= 500 or not one.is_json]


def test_every_refusal_is_an_outcome(everything):
    """
    Nobody gets an HTML page or an empty body.
    """
    refused = [one for one in everything if one.status != 200]

    assert [] == [one.place for one in refused if not one.is_outcome]


def test_every_answer_has_a_stage(everything):
    """
    Also where hardly anything is known.
    """
    assert [] == [one.place for one in everything if one.status == 200 and not one.stage]


def test_whole_records_are_staged(everything):
    """
    A record of R4 about one Patient is answered, whatever else is wrong with it.
    """
    whole = [one for one in everything if one.must_be_staged]
    tell(f"{len(whole)} whole records: {Counter(one.stage for one in whole).most_common()}")

    assert 70 < len(whole)
    assert [] == [one.place for one in whole if one.status != 200]


def test_requests_for_other_hooks_are_refused(everything):
    """
    A call for another hook never runs our rules.
    """
    ours = [one for one in everything if one.how == "as it is"]
    answers = Counter(one.status for one in ours)
    tell(f"CDS Hooks requests as they are: {dict(answers)}")

    assert {200, 400, 412} >= set(answers)
    assert 60 < answers[400]


def test_facts_do_not_get_lost(everything, updates_golden, capsys):
    """
    No folder yields fewer facts than were committed.
    """
    table = by_folder(everything)
    reasons = [one for one in Gap if any(row["dropped"][one] for row in table.values())]
    lines = [f"{'folder':52}{'sent':>6}{'200':>6}{'facts':>8}  dropped"]
    for folder, row in sorted(table.items()):
        why = ", ".join(f"{one} {row['dropped'][one]}" for one in reasons if row["dropped"][one])
        lines.append(f"{folder:52}{row['sent']:>6}{row['answered']:>6}{row['facts']:>8}  {why}")
    with capsys.disabled():
        tell(*lines)
    found = {folder: row["facts"] for folder, row in sorted(table.items())}
    if updates_golden:
        FIGURES.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    committed = json.loads(FIGURES.read_text("utf-8"))

    assert committed.keys() <= found.keys()
    assert {} == {
        folder: (floor, found[folder])
        for folder, floor in committed.items()
        if found[folder] < floor
    }


@pytest.mark.parametrize("path", sorted((SHARED / "cds-hooks" / "malformed").glob("*")), ids=str)
def test_what_is_no_json_is_refused(service, path):
    """
    400 with a sentence, not a guess at what was meant.
    """
    response = service.post(path.read_bytes())

    assert 400 == response.status_code
    assert is_outcome(response)


SAMPLE = [
    path
    for folder in sorted((SHARED / "synthea").glob("*"))
    for path in sorted(folder.glob("*.json.gz"))[:3]
]


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.name[:24])
def test_the_same_facts_under_the_right_keys(service, path):
    """
    What an EHR answers to our templates holds what the whole record holds.

    Where an answer is as long as its page allows, older facts may be cut: then the stage
    is compared alone.
    """
    document = decode(raw_of(path))
    resources = list(resources_in(document))
    patient_id = patients_in(document)[0]
    for one in resources:
        for member in ("subject", "patient"):
            if str(one.get(member, {}).get("reference", "")).startswith("urn:uuid:"):
                one[member] = {"reference": f"Patient/{patient_id}"}
    answers = service.answers(resources)
    whole = encode(hook_call({UNKNOWN_KEY: document}, patient_id))
    keyed = encode(hook_call(answers, patient_id))

    response = service.post(keyed)

    assert 200 == response.status_code
    assert evaluation_of(service.post(whole))["stage"] == evaluation_of(response)["stage"]
    if not service.full_pages(answers):
        assert extracted(whole) == extracted(keyed)


def test_rules_fire_on_synthea_while_its_data_are_fresh():
    """
    The same records in 2021: both evaluators work on every one, and agree.
    """
    rules, stages = Counter(), Counter()
    with open_service(clock="2021-06-01T12:00:00Z") as client:
        for path in files_of("synthea"):
            document = decode(raw_of(path))
            patient_id = patients_in(document)[0]
            body = encode(hook_call({UNKNOWN_KEY: document}, patient_id))
            response = Calling(client).post(body)
            assert 200 == response.status_code, path.name
            evaluation = evaluation_of(response)
            stages[evaluation["stage"]] += 1
            rules.update(fired(evaluation))
    tell(f"Synthea in June 2021: {stages.most_common()}, {rules.most_common()}")

    assert rules
