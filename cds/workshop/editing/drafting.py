"""
The first text of a rule: a draft that loads, with a test that fails on purpose.

What it needs to name - a concept, a source, a group - is taken from the folder, so that
nothing clinical stands here; the author puts the right ones in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from cds.core.concepts import Concept
from cds.core.quantity import plain
from cds.rulefiles.diagnostics import did_you_mean, listed
from cds.rulefiles.kinds import KINDS, NAME_FORM
from cds.rulefiles.loader import Loaded
from cds.rulefiles.nodes import Source
from cds.workshop.editing.formatting import format_source
from cds.workshop.editing.vocabulary import Vocabulary

__all__ = ["DRAFTED", "CannotDraft", "Draft", "draft_of"]

_TAKEN: Final = (
    "concept",
    "index",
    "condition",
    "factor",
    "stages",
    "card",
    "group",
)
_AGREED: Final = "project_convention"
"""The source that says that a choice is our own, where the library has it."""

_FAILS: Final = "fails on purpose, nothing is known of this patient yet"


class CannotDraft(Exception):
    """There is no such draft; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is not written yet: where it belongs, its text, and what it holds."""

    path: str
    text: str
    holds: str


@dataclass(frozen=True, slots=True)
class _Names:
    """What a draft leans on: names of the folder, and a number in the middle of a range."""

    concept: str
    unit: str
    middle: str
    source: str
    group: str
    owner: str
    pinned: str


def draft_of(loaded: Loaded, kind: str, name: str, title: str, *, as_of: date) -> Draft:
    """Draft a file of a kind; raises `CannotDraft`."""
    if kind not in DRAFTED:
        known = "there is one staging table" if kind == "stages" else ""
        advice = did_you_mean(kind, DRAFTED) or known or f"kinds: {listed(DRAFTED)}"
        raise CannotDraft(f"`{kind}` is not a kind that can be begun; {advice}")
    if not NAME_FORM.fullmatch(name):
        raise CannotDraft(f"`{name}` is not an id; write small letters, like `visceral_fat`")
    taken = Vocabulary(loaded, {}).find(name, *_TAKEN)
    root = next(iter(loaded.sources), "rules/").partition("/")[0]
    path = f"{root}/{KINDS[kind].folder}/{name}.yaml"
    if path in loaded.sources:
        raise CannotDraft(f"{path} is there already")
    if taken is not None:
        raise CannotDraft(f"`{name}` is already the name of a {taken.kind}, at {taken.place}")
    names = _names_in(loaded)
    write, holds = DRAFTED[kind]
    title = title or name.replace("_", " ").capitalize()
    head = f"# yaml-language-server: $schema=../schema/{kind}.json\n"
    head += f"kind: {kind}\nid: {name}\ntitle: {_quoted(title)}\n"
    text = head + write(names, name, title, as_of)
    laid_out = format_source(Source(path, text)).text
    return Draft(path, laid_out or text, holds)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _names_in(loaded: Loaded) -> _Names:
    """Choose what a draft may lean on; raises `CannotDraft` in a folder that has nothing."""
    rules = loaded.readable
    concepts = (one for one in rules.concepts.values() if _has_range(one))
    concept = next(concepts, None)
    source = _AGREED if _AGREED in rules.sources else next(iter(rules.sources), "")
    group = next(iter(rules.groups), "")
    if concept is None or not source or not group:
        raise CannotDraft(
            "the rules need a concept with a plausible range, a source and a group first"
        )
    unit = concept.units[concept.unit]
    low, high = unit.low or Decimal(0), unit.high or Decimal(0)
    middle = (low + high) / 2
    if low <= int(middle):
        middle = Decimal(int(middle))
    owners = [one.upkeep.owner for one in (*rules.conditions.values(), *rules.cards.values())]
    return _Names(
        concept=concept.id,
        unit=concept.unit,
        middle=plain(middle),
        source=source,
        group=group,
        owner=owners[0] if owners else "who-answers@example.org",
        pinned=rules.release,
    )


def _has_range(concept: Concept) -> bool:
    unit = concept.units.get(concept.unit)
    return (
        concept.type == "quantity"
        and concept.within is not None
        and unit is not None
        and unit.low is not None
        and unit.high is not None
    )


# --- the kinds --------------------------------------------------------------------------


def _begin(names: _Names, as_of: date) -> str:
    again = as_of.replace(year=as_of.year + 1, day=min(as_of.day, 28))
    return f"""\
version: 0.1.0
status: draft
about:
  purpose: Why this rule exists, in one sentence.
  explanation: How it concludes, in a paragraph for clinicians.
  limits: []
  evidence: []
upkeep:
  owner: {_quoted(names.owner)}
  authors: [Who writes it]
  clinical_review: pending
  review_by: {again.isoformat()}
"""


def _cut_off(names: _Names) -> str:
    return f"thresholds:\n  cutoff: {{value: {_quoted(f'{names.middle} {names.unit}')}}}\n"


def _failing(expected: str) -> str:
    return f"tests:\n  - name: {_FAILS}\n    given: {{}}\n    expect: {{{expected}}}\n"


def _condition(names: _Names, _name: str, _title: str, as_of: date) -> str:
    return (
        _begin(names, as_of) + f"# The clause that must be proved; put your own concept here.\n"
        f"holds_if: {names.concept} >= cutoff\n" + _cut_off(names) + _failing("holds: yes")
    )


def _index(names: _Names, _name: str, _title: str, as_of: date) -> str:
    return (
        _begin(names, as_of)
        + f"""\
# What it is worked out from; put your own concepts here.
inputs:
  measured: {{concept: {names.concept}}}
formula: measured
unit: {_quoted(names.unit)}
show: 1 decimal
bands:
  - {{name: expected, below: cutoff}}
  - {{name: raised, from: cutoff}}
"""
        + _cut_off(names)
        + _failing("band: raised")
    )


def _factor(names: _Names, _name: str, _title: str, as_of: date) -> str:
    return (
        _begin(names, as_of)
        + f"""\
# What speaks for it; put your own concept here.
evidence_for:
  - id: first
    when: {names.concept} >= cutoff
    domain: measured
    points: 1
    if_missing: could_be_true
grades:
  probable: {{points: 1}}
  unlikely: {{points_cannot_reach: 1}}
"""
        + _cut_off(names)
        + _failing("grade: probable")
    )


def _card(names: _Names, name: str, title: str, as_of: date) -> str:
    return (
        _begin(names, as_of)
        + f"""\
code: MC-{name.replace("_", "-").upper()}
hooks: [patient-view]
group: {names.group}
priority: 90
# The clause that must be proved; put your own concept here.
show_if: {names.concept} >= cutoff
inputs: [{names.concept}]
logic: '{{{{threshold.cutoff}}}} or more.'
card:
  indicator: info
  summary: {_quoted(f"{title}: {{{{{names.concept}.value}}}}")}
  source: {{cite: {names.source}}}
override_reasons: all
"""
        + _cut_off(names)
        + _failing("shown: true")
    )


def _group(_names: _Names, _name: str, _title: str, _as_of: date) -> str:
    return "# Or merge, where nothing may be dropped.\nwhen_several_fire: show_one\n"


def _profile(names: _Names, _name: str, _title: str, as_of: date) -> str:
    again = as_of.replace(year=as_of.year + 1, day=min(as_of.day, 28))
    return f"""\
extends: default
rules: '>={names.pinned}'
upkeep:
  owner: {_quoted(names.owner)}
  review_by: {again.isoformat()}
"""


_Writer = Callable[[_Names, str, str, date], str]

DRAFTED: Final[dict[str, tuple[_Writer, str]]] = {
    "condition": (_condition, "draft, one clause, one test that fails on purpose"),
    "index": (_index, "draft, one input, one test that fails on purpose"),
    "factor": (_factor, "draft, one evidence item, one test that fails on purpose"),
    "card": (_card, "draft, one clause, one test that fails on purpose"),
    "group": (_group, "what becomes of several cards about one matter"),
    "profile": (_profile, "the default profile, with nothing changed yet"),
}
"""The kinds that can be begun, each with what writes it and what it then holds."""
