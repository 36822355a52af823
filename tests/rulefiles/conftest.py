"""
A small folder of rule files without a single finding, to change one thing at a time.
"""

import textwrap
from pathlib import Path

import pytest

from cds.core.clauses import Expr
from cds.rulefiles import Loaded, load

HEADER = """
version: 1.0.0
status: active
about:
  purpose: Show one thing.
  explanation: It does what it says.
  limits: [It is a sample.]
  evidence: [{cite: ada_2025, supports: all of it}]
upkeep: {owner: rules@example.org, authors: [A], clinical_review: by B, review_by: 2027-06-01}
"""

BASE = {
    "release.yaml": 'kind: release\nid: release\nrelease: "2026.11"\n',
    "groups/ir.yaml": "kind: group\nid: ir\nwhen_several_fire: merge\n",
    "evidence/library.yaml": """
kind: evidence
id: library
sources:
  ada_2025: {title: Standards, by: ADA, in: Diabetes Care, year: 2025, kind: guideline, check: chk}
""",
    "profiles/default.yaml": """
kind: profile
id: default
title: Default
override_reasons: [{code: declined, display: Declined}, {code: done, display: Done}]
override_system: urn:x:reasons
signals_system: urn:x:signals
source_label: CDS
source_url: ""
topic_system: urn:x:topics
most_cards: 4
texts: {pending: Not yet reviewed.}
""",
    "concepts/searches.yaml": """
kind: concepts
id: searches
title: Searches
searches:
  glycaemia: {resource: Observation, title: Glucose, count: 60, by_code: true, sort: -date,
              lists: glycaemia, parameters: {category: laboratory}}
  problems: {resource: Condition, title: Problems, lists: problems}
  medicines: {resource: MedicationRequest, title: Medicines, lists: medicines}
systems:
  loinc: ["http://loinc.org"]
  snomed: ["http://snomed.info/sct"]
  icd10cm: ["http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"]
  rxnorm: ["http://www.nlm.nih.gov/research/umls/rxnorm"]
groups_of_people: {asian: ["2028-9"]}
group_extension: http://example.org/group
""",
    "concepts/sample.yaml": """
kind: concepts
id: sample
title: Sample
concepts:
  hba1c:
    {signal: a1c, title: HbA1c, type: quantity, search: glycaemia, unit: "%", plausible: 3 to 20,
     units: {mmol/mol: {times: x 0.09148 + 2.152, plausible: 9 to 195}}, within: 365 days,
     codes: {loinc: [4548-4]}, verified: V1}
  glucose:
    {signal: fpg, title: Glucose, type: quantity, search: glycaemia, unit: mg/dL,
     units: {mmol/L: x 18.016}, plausible: 20 to 800, within: 365 days,
     codes: {loinc: [1558-6]}, codes_if_fasting: {loinc: [2345-7]}, fasting_with: [fasting],
     verified: V1}
  insulin_level:
    {signal: ins, title: Insulin, type: quantity, search: glycaemia, unit: "u[IU]/mL",
     units: {"m[IU]/L": "=", pmol/L: / 6.0}, within: 365 days,
     codes: {loinc: [27873-9]}, verified: V1}
  waist:
    {signal: waist, title: Waist, type: quantity, search: glycaemia, unit: cm,
     units: {"[in_i]": x 2.54}, codes: {loinc: [8280-0]}, verified: V1}
  phq2:
    {signal: phq2, title: PHQ-2, type: quantity, search: glycaemia, unit: "1", within: 365 days,
     codes: {loinc: [55758-7]}, answers: {LA6568-5: 0}, verified: V1}
  fasting:
    {signal: fast, title: Fasting, type: answer, search: glycaemia, within: 30 days,
     codes: {loinc: [49541-6]}, answers: {Y: yes, N: no}, verified: V1}
  due_date:
    {signal: edd, title: Due date, type: date, search: glycaemia, within: 300 days,
     codes: {loinc: [11778-8]}, verified: V1}
  type_2_diabetes:
    {signal: t2d, title: Type 2 diabetes, type: problem, search: problems,
     codes: {snomed: [44054006], icd10cm: [E11*]}, codes_ever: {icd10cm: [E11.A]},
     absent_means: false_if_list_complete, verified: V1}
  type_1_diabetes:
    {signal: t1d, title: Type 1 diabetes, type: problem, search: problems,
     codes: {icd10cm: [E10*]}, absent_means: false_if_list_complete, verified: V1}
  metformin:
    {signal: met, title: Metformin, type: medicine, search: medicines, codes: {rxnorm: [6809]},
     text: {words: [metformin], endings: [formin]}, not_routes: [topical],
     absent_means: false_if_list_complete, verified: V1}
  pregnancy:
    {signal: preg, title: Pregnancy, type: episode, begins: [due_date], ends: [fasting],
     longest: 300 days}
""",
    "actions/library.yaml": """
kind: actions
id: library
actions:
  order_hba1c:
    label: Order HbA1c
    description: Draft a request
    result: hba1c
    resources: [{resourceType: ServiceRequest, status: draft, intent: proposal,
                 subject: {reference: "Patient/{{patient.id}}"}}]
  order_glucose:
    label: Order glucose
    description: Draft a request
    result: glucose
    resources: [{resourceType: ServiceRequest, status: draft, intent: proposal}]
  plan:
    label: Make a plan
    description: Draft a plan
    resources: [{resourceType: CarePlan, status: draft, intent: proposal}]
""",
    "conditions/pregnant.yaml": "kind: condition\nid: pregnant\ntitle: Pregnant"
    + HEADER
    + """
holds_if: pregnancy is present
ruled_out_if: sex is male
tests: [{name: one, given: {sex: male}, expect: {holds: "no"}}]
""",
    "indices/homa.yaml": "kind: index\nid: homa\ntitle: HOMA"
    + HEADER
    + """
inputs:
  sugar: {concept: glucose, within: 365 days}
  insulin: {concept: insulin_level}
same_draw: {of: [sugar, insulin], within: 1 day}
not_valid_if:
  - {id: pregnant, when: pregnant holds, because: Pregnancy., if_unknown: compute}
formula_in: {mg/dL: sugar * insulin / 405, mmol/L: sugar * insulin / 22.5}
unit: "1"
show: 2 decimals
bands:
  - {name: expected, below: raised}
  - {name: raised, from: raised}
thresholds:
  raised: {value: 2.5, cite: ada_2025, localisable: 1.6 to 3.8}
tests: [{name: one, given: {}, expect: {value: 1}}]
""",
    "stages/staging.yaml": "kind: stages\nid: staging\ntitle: Stages"
    + HEADER
    + """
lines:
  - {label: S2, meaning: prediabetes, if: hba1c >= 5.7 %}
  - {label: NG(age)?, meaning: other, if: homa is raised}
  - {label: UNDET, meaning: not known, otherwise: true}
tests: [{name: one, given: {}, expect: {stage: UNDET}}]
""",
    "factors/resistance.yaml": "kind: factor\nid: resistance\ntitle: Resistance"
    + HEADER
    + """
assess_if: age >= 18 years
exclude_if:
  - {when: pregnant holds, because: Pregnancy., if_unknown: assess}
evidence_for:
  - {id: index, when: homa is raised, domain: blood, points: 3, at_least: probable,
     if_missing: could_be_true}
  - {id: waist, when: waist >= 102 cm within 365 days, points: 1, if_missing: ignore}
evidence_against:
  - {id: low, when: homa is expected, at_most: unlikely}
if_conflict: newest
counts_once: [[index, waist]]
grades:
  probable: {points: 3, domains: 1}
  possible: {points: 1}
  unlikely: {points_cannot_reach: 1}
tests: [{name: one, given: {}, expect: {grade: undetermined}}]
""",
    "cards/sample.yaml": "kind: card\nid: sample\ntitle: Sample"
    + HEADER
    + """
code: IR-STG-04
hooks: [patient-view]
group: ir
priority: 30
show_if:
  all:
    - stage is S2
    - any: {id: why, of: [{when: hba1c >= raised, as: "HbA1c {{hba1c.value}}"}]}
unless:
  - {id: pregnant, when: pregnant holds, because: Pregnancy., if_unknown: hide}
grade: C
inputs: [homa, hba1c, highest]
logic: HbA1c of {{threshold.raised}} or more.
drivers: [resistance]
card:
  indicator: info
  summary: "HbA1c {{hba1c.value}}: {{met(why)}}"
  detail: [{say: "{{homa.band}} {{resistance.grade}} {{stage.label}}", if: homa is known}, Think.]
  source: {cite: ada_2025}
  links: [{label: More, url: "https://example.org", type: absolute}]
suggestions:
  choose: any
  items:
    - {id: plan, action: plan, guards: none}
    - id: test
      offer: first of [order_glucose, order_hba1c] whose result is not known
      guards:
        - {id: metformin, block_if: metformin is present, because: On it.,
           if_unknown: {instead: plan}}
override_reasons: all
quiet: {repeat_after: 180 days}
thresholds:
  raised: {value: 5.7 %, cite: ada_2025}
readings:
  highest: {highest of: hba1c, within: 730 days}
patients: {typical: {age: 50 years, hba1c: 5.8 %}}
tests: [{name: one, use: typical, expect: {shown: true}}]
""",
    "population/adults.yaml": """
kind: population
id: adults
title: Adults
require: age >= 18 years
because: For adults.
unless:
  - {id: dying, when: type_1_diabetes is present, because: No., except: [IR-SAFE-*],
     if_unknown: show, show_because: It is rare.}
""",
}

ASKED = (
    "kind: condition\nid: asked\ntitle: Asked"
    + HEADER
    + """
thresholds:
  cut: {value: 5.7 %, cite: ada_2025}
  pair: {pair: [126 mg/dL, 7.0 mmol/L], cite: ada_2025}
  big: {male: 102 cm, female: 88 cm, asian: {male: 90 cm, female: 80 cm}, cite: ada_2025}
readings:
  days: {count days of: glucose, where: at least pair, within: 365 days}
  peak: {highest of: glucose, between: 90 and 730 days ago}
tests: [{name: one, given: {}, expect: {holds: unknown}}]
holds_if: CLAUSE
"""
)

Change = str | tuple[str, str] | None


class Rules:
    """The sample folder, with changes: a new text, a (before, after) pair, or None to remove."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base: dict[str, str] = dict(BASE)

    def load(self, changes: dict[str, Change] | None = None, profile: str = "default") -> Loaded:
        files: dict[str, str] = dict(self.base)
        for path, change in (changes or {}).items():
            if change is None:
                del files[path]
            elif isinstance(change, str):
                files[path] = textwrap.dedent(change)
            else:
                before, after = change
                assert before in files[path], f"{path} does not hold {before!r}"
                files[path] = files[path].replace(before, after)
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return load(self.folder, profile)

    def found(self, changes: dict[str, Change] | None = None) -> list[str]:
        """Give `CODE headline` of every diagnostic."""
        return [f"{one.code} {one.headline}" for one in self.load(changes).diagnostics]

    def ask(self, clause: str) -> Expr:
        """Read one clause or condition, which must be without a finding."""
        loaded = self.load({"conditions/asked.yaml": ASKED.replace("CLAUSE", clause)})
        assert [] == [str(one) for one in loaded.diagnostics]
        assert loaded.ruleset is not None
        return loaded.ruleset.conditions["asked"].holds_if

    def misread(self, clause: str) -> list[tuple[str, str, str]]:
        """Give code, marked words and headline of what is wrong with a clause."""
        loaded = self.load({"conditions/asked.yaml": ASKED.replace("CLAUSE", clause)})
        out = []
        for one in loaded.diagnostics:
            place = one.place
            line = loaded.sources[place.path].lines[place.line - 1]
            words = line[place.column - 1 : place.column - 1 + place.width]
            out.append((one.code, words, one.headline))
        return out


@pytest.fixture
def rules(tmp_path):
    return Rules(tmp_path / "rules")
