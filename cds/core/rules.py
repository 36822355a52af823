"""
Rules as they stand after loading: names resolved, units checked, every clause placed.

The loader (`cds.rulefiles`) makes these from YAML; both evaluators read them. Nothing
here knows YAML, FHIR or the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from cds.core.clauses import Expr, Place
from cds.core.concepts import Concept, Reading, Search
from cds.core.headers import Rule, TestCase
from cds.core.indices import Index

__all__ = [
    "Action",
    "Card",
    "Change",
    "Condition",
    "Cut",
    "Evidence",
    "Exclusion",
    "Factor",
    "Grade",
    "Group",
    "Guard",
    "Override",
    "OverrideReason",
    "Population",
    "Profile",
    "Quiet",
    "Ruleset",
    "Say",
    "SourceText",
    "Stage",
    "Stages",
    "Suggestion",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Rule):
    """
    A named condition, said as `NAME holds`.

    With *ruled_out_if* no is proved by that condition alone: yes if *holds_if* is yes,
    else no if *ruled_out_if* is yes, else unknown. Without it, the answer of *holds_if*.
    """

    holds_if: Expr
    ruled_out_if: Expr | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the staging table; the last has no condition."""

    label: str
    condition: Expr | None
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages(Rule):
    """An ordered table: the first line that is proved wins."""

    lines: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    One piece of evidence of a factor.

    *at_least* is a floor under the grade, *at_most* a ceiling (evidence against).
    """

    id: str
    when: Expr
    domain: str = ""
    points: int = 0
    at_least: str = ""
    at_most: str = ""
    if_missing: Literal["ignore", "could_be_true"] = "ignore"


@dataclass(frozen=True, slots=True)
class Grade:
    """
    A grade of a factor, the highest first.

    Reached with *points* in *domains*, never by points (`points: never`), or when the
    points cannot reach *cannot_reach*.
    """

    name: str
    points: int | None = None
    domains: int = 1
    cannot_reach: int | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """
    What stops a rule, why, and what an unknown answer does.

    `hide` stops as well (hard); `note` shows with "Not known: ..., check before
    acting"; `show` shows without a word, for the reason of *show_because*; `assess` is
    `show` in factors. *relevant*: asked only when this is not no.
    """

    when: Expr
    because: str
    if_unknown: Literal["hide", "note", "show", "assess"]
    id: str
    relevant: Expr | None = None
    show_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor(Rule):
    """A finding with graded certainty: points as an interval, floors and ceilings."""

    assess_if: Expr | None
    exclude_if: tuple[Exclusion, ...]
    evidence_for: tuple[Evidence, ...]
    evidence_against: tuple[Evidence, ...]
    if_conflict: str
    counts_once: tuple[tuple[str, ...], ...]
    grades: tuple[Grade, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence with holes, and when it is said; always where there is no condition."""

    say: str
    condition: Expr | None
    place: Place


@dataclass(frozen=True, slots=True)
class Guard:
    """
    What blocks a suggestion; unknown: `block`, `show`, `instead` or `warn`.

    `hide` blocks too, and nothing is said of it.
    """

    id: str
    when: Expr
    because: str
    if_unknown: Literal["block", "show", "instead", "warn", "hide"]
    instead: str = ""
    warn: str = ""
    relevant: Expr | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Other *members* for the drafts of a concept: FHIR with holes and `$concept` codes."""

    draft: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """
    An entry of the action library: what a suggestion does.

    It drafts *resources* (FHIR templates with holes and `$concept` codes), takes back the
    drafts of the call in which it finds one of the concepts of *cancel*, or changes
    (*change*) those in which it finds one; where it does none of these it is said in
    words. *result* is the concept that a drafted test would give.
    """

    id: str
    label: str
    description: str
    resources: tuple[Mapping[str, Any], ...]
    place: Place
    result: str = ""
    cancel: tuple[str, ...] = ()
    change: Change | None = None

    @property
    def drafts(self) -> tuple[str, ...]:
        """Name the concepts whose drafts it takes back or changes."""
        return self.cancel if self.change is None else (self.change.draft,)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    One thing that could be done: an action of the library, offered when proved.

    With *choices* the action is the first of them whose result is not known (*first_of*
    is `not known`) or not raised; *action* is then empty. *raised* says of each choice when
    its result is: a choice counts as not raised unless that is proved.
    """

    id: str
    action: str
    offer_if: Expr | None
    guards: tuple[Guard, ...]
    place: Place
    label: str = ""
    recommended: bool = False
    only_instead: bool = False
    first_of: str = ""
    choices: tuple[str, ...] = ()
    raised: Mapping[str, Expr] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """A reason to disagree; *hl7* is the code of HL7 that comes nearest, where there is one."""

    code: str
    display: str
    hl7: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """
    When a card keeps quiet: so many days after it was shown, or after an override.

    *after_override* has a period for a reason by its code, for `any_reason`, and for `any`
    override, with a reason or without. *again_early* names factors and indices: a grade or
    band that has risen since ends the silence. With *hooks* it keeps quiet on these alone.
    Of more than *review_after* times that it was shown, *review_over* per cent overridden
    make it a card to be reviewed.
    """

    repeat_after: int | None = None
    after_override: Mapping[str, int] = field(default_factory=dict)
    again_early: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    review_over: Decimal | None = None
    review_after: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """What a shown card takes from the others: those that match all that is said."""

    indicator: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Rule):
    """
    What the clinician sees and can do.

    *code* is public (`IR-STG-04`, `MC-MISSING`). *inputs* names what the card prints as
    its basis, in order. *indicators* and *summaries*: the first whose condition is proved.
    With *needs_draft* one of the reasons must be what the call is about, on hooks that
    are about something; with *needs_offer* there must be something left to offer.
    *also_on* are those of its *hooks* that answer like another one, by the release.
    """

    code: str
    hooks: tuple[str, ...]
    group: str
    priority: int
    show_if: Expr
    unless: tuple[Exclusion, ...]
    inputs: tuple[str, ...]
    indicators: tuple[tuple[str, Expr | None], ...]
    summaries: tuple[Say, ...]
    details: tuple[Say, ...]
    source: str
    grade: str
    suggestions: tuple[Suggestion, ...]
    choose: Literal["any", "at-most-one"]
    override_reasons: tuple[str, ...]
    needs_draft: bool = False
    needs_offer: bool = False
    appended_to: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()
    quiet: Quiet | None = None
    links: tuple[Mapping[str, str], ...] = ()
    logic: str = ""
    drivers: tuple[str, ...] = ()
    priorities: tuple[tuple[int, Expr | None], ...] = ()
    also_on: tuple[str, ...] = ()

    @property
    def as_written(self) -> Card:
        """Give the card on the hooks of its own file alone."""
        own = tuple(one for one in self.hooks if one not in self.also_on)
        return replace(self, hooks=own, also_on=()) if self.also_on else self

    @property
    def is_rule(self) -> bool:
        """Tell whether this is a rule of the knowledge base, not a card beside the rules."""
        return not self.code.startswith("MC-")


@dataclass(frozen=True, slots=True)
class Group:
    """
    What becomes of a group of cards of which several fire: `show_one` or `merge`.

    *option* is what clients are told who may switch its cards off; where it is empty,
    nobody may.
    """

    id: str
    when_several_fire: Literal["show_one", "merge"]
    title: str = ""
    option: str = ""


@dataclass(frozen=True, slots=True)
class Population:
    """
    Gates that apply to every card, and to those only that are not named in *except*.

    *because* says why a card is withheld from somebody of whom *require* is not proved.
    """

    require: Expr
    because: str
    unless: tuple[tuple[Exclusion, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class SourceText:
    """One source of the evidence library."""

    key: str
    title: str
    by: str
    where: str
    year: int
    url: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """
    One thing that a site has otherwise than the rule files, with who says so and why.

    *key* names it as the profile does (`thresholds.homa_ir.raised`); *rule* is what the
    rule files say, *site* what counts here.
    """

    key: str
    rule: str
    site: str
    place: Place
    because: str = ""
    approved_by: str = ""
    approved_on: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What a site may choose. The default profile holds the override reasons and fixed texts.

    *extends* names the profile beneath, *pinned* the releases it was written against.
    *overrides* lists what it changes, those it inherits with them; *show_units* the units
    in which concepts are printed; *sends* the code systems that the site sends. *tests*
    run under this profile alone; each names its rule.
    """

    id: str
    title: str
    override_reasons: tuple[OverrideReason, ...]
    override_system: str
    signals_system: str
    source_label: str
    source_url: str
    topic_system: str
    most_cards: int
    texts: Mapping[str, str]
    ethnic_group: str = ""
    extends: str = ""
    pinned: str = ""
    overrides: tuple[Override, ...] = ()
    show_units: Mapping[str, str] = field(default_factory=dict)
    sends: tuple[str, ...] = ()
    tests: tuple[TestCase, ...] = ()
    hl7_override_system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """
    One release of the rule files, resolved.

    *order* lists what is computed (readings, indices, conditions, stages, factors, cards)
    so that each stands after everything it asks about. *groups_of_people* maps codes of
    the Patient extension *group_extension* to the groups that thresholds tell apart.
    *also_on* names, by a hook, those that answer like it. No suggestion takes back a draft
    in which a concept of *never_cancel* is found.
    """

    release: str
    profile: Profile
    concepts: Mapping[str, Concept]
    searches: Mapping[str, Search]
    systems: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, SourceText]
    actions: Mapping[str, Action]
    groups: Mapping[str, Group]
    population: Population | None
    indices: Mapping[str, Index]
    conditions: Mapping[str, Condition]
    stages: Stages | None
    factors: Mapping[str, Factor]
    cards: Mapping[str, Card]
    readings: Mapping[str, Reading]
    order: tuple[tuple[str, str], ...]
    groups_of_people: Mapping[str, str] = field(default_factory=dict)
    group_extension: str = ""
    also_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    never_cancel: tuple[str, ...] = ()
