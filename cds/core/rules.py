"""
Rules as they stand after loading: names resolved, units checked, every clause placed.

The loader (`cds.rulefiles`) makes these from YAML; both evaluators read them. Nothing
here knows YAML, FHIR or the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from cds.core.quantity import Conversion

__all__ = [
    "About",
    "Action",
    "All",
    "Any_",
    "AtLeast",
    "Band",
    "BandIs",
    "Binary",
    "Call",
    "Card",
    "CardFires",
    "Case",
    "Citation",
    "CodeRule",
    "Compare",
    "Concept",
    "Condition",
    "Evidence",
    "Exclusion",
    "Expr",
    "Factor",
    "Fasting",
    "FormulaExpr",
    "Gate",
    "Grade",
    "GradeIs",
    "Group",
    "Guard",
    "Holds",
    "Index",
    "Input",
    "InputRef",
    "Known",
    "Limit",
    "ListComplete",
    "Listed",
    "NewerThan",
    "Not",
    "NotUsedBecause",
    "Number",
    "OneIf",
    "OverrideReason",
    "Pair",
    "Place",
    "Population",
    "Profile",
    "Reading",
    "Received",
    "Ruleset",
    "Say",
    "Search",
    "SexIs",
    "SourceText",
    "Stage",
    "StageIs",
    "Stages",
    "Step",
    "Suggestion",
    "TestCase",
    "TextPattern",
    "Threshold",
    "Upkeep",
    "clauses_of",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a rule file; lines and columns count from one."""

    path: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


# --- thresholds ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """
    One number of a threshold, for whom it holds.

    *value* is in the unit of what it is compared with. *alternate* is the number the
    guideline prints for results sent in *alternate_unit* (paired thresholds).
    """

    value: Decimal
    sex: str = ""
    age_from: int | None = None
    age_below: int | None = None
    group: str = ""
    alternate: Decimal | None = None
    alternate_unit: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A cut-off with a name; *or_own* takes the laboratory's own limit where sent."""

    name: str
    cases: tuple[Case, ...]
    unit: str
    cite: str = ""
    or_own: Literal["", "lower", "upper"] = ""
    localisable: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One end of a range."""

    threshold: Threshold
    inclusive: bool


# --- conditions ---------------------------------------------------------------
#
# Every clause has `text` (the author's words), `place`, and `label` (the `as:` of a
# clause that can be named in a list). `key` is equal for clauses that ask the same,
# whatever they are called; both evaluators work a key out once.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    text: str
    place: Place
    key: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(_Clause):
    """
    `NAME >= VALUE`, `NAME from A below B`, `age < 18 years`.

    *what* is a concept (its latest usable result, no older than *within* days), an
    index, a reading, or `age` (completed years). Both limits may be given.
    """

    name: str
    what: Literal["concept", "index", "reading", "age", "input"]
    low: Limit | None = None
    high: Limit | None = None
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(_Clause):
    """`NAME is known`: yes or no, never unknown. Several names: *any* or *all* of them."""

    names: tuple[str, ...]
    whats: tuple[str, ...]
    quantifier: Literal["any", "all"] = "any"
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(_Clause):
    """
    `any of [...] is present`, `NAME is on record`.

    Yes when one entry counts: active, or any with *ever*; dated no more than *within*
    days ago (an undated one then makes it unknown, or counts with *undated_counts*).
    Otherwise no when every list was received whole, else unknown. With *on_record* no
    is the answer whenever no entry was received. `is absent` and `none of` are `Not`.
    """

    names: tuple[str, ...]
    ever: bool = False
    within: int | None = None
    undated_counts: bool = False
    on_record: bool = False
    ordered: Literal["", "also", "only"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandIs(_Clause):
    """`homa_ir is raised`: the index lies in one of these bands."""

    name: str
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeIs(_Clause):
    """
    `FACTOR is [at least] GRADE`.

    Compares intervals: `is at least probable` is no only when even the best outcome
    falls short, and unknown while it could still get there.
    """

    name: str
    grade: str
    or_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageIs(_Clause):
    """`stage is one of [S1, S2]`: compares the label that was given."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds(_Clause):
    """`NAME holds`: a named condition."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SexIs(_Clause):
    """`sex is male`: unknown where sex is not on record."""

    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListComplete(_Clause):
    """`the medicines list is complete`: yes or no."""

    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(_Clause):
    """
    `any of [...] was received within N days`, usable or not.

    No only when every search came whole; else unknown.
    """

    names: tuple[str, ...]
    within: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerThan(_Clause):
    """`any of [...] is newer than NAME`: a usable result dated after the other's; two-valued."""

    names: tuple[str, ...]
    than: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsedBecause(_Clause):
    """`some result was not used because of [unit, conflict] within N days`: two-valued."""

    reasons: tuple[str, ...]
    within: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFires(_Clause):
    """`card NAME fires`: its logic holds, before arbitration."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Every one of them. *id* names the block where a list in a hole refers to it."""

    of: tuple[Expr, ...]
    key: str
    place: Place
    id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Any_:  # noqa: N801 - `Any` means something else to every reader of Python
    """One of them or more."""

    of: tuple[Expr, ...]
    key: str
    place: Place
    id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The opposite; unknown stays unknown."""

    of: Expr
    key: str
    place: Place
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """*count* of them or more."""

    count: int
    of: tuple[Expr, ...]
    key: str
    place: Place
    id: str = ""
    label: str = ""


Clause = (
    Compare
    | Known
    | Listed
    | BandIs
    | GradeIs
    | StageIs
    | Holds
    | SexIs
    | ListComplete
    | Received
    | NewerThan
    | NotUsedBecause
    | CardFires
)
Expr = Clause | All | Any_ | Not | AtLeast


def clauses_of(expr: Expr) -> Iterator[Clause]:
    """Walk the clauses of a condition in file order."""
    if isinstance(expr, Not):
        yield from clauses_of(expr.of)
    elif isinstance(expr, All | Any_ | AtLeast):
        for one in expr.of:
            yield from clauses_of(one)
    else:
        yield expr


# --- what every rule file has ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Citation:
    """A source by key, and what it supports here. *grade* as knowledge.md 0.5: A B C D X."""

    cite: str
    supports: str
    grade: str = ""
    strength: str = ""
    recommendation: str = ""
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """Why a rule exists, how it concludes, what it gets wrong, what it rests on."""

    purpose: str
    explanation: str
    limits: tuple[str, ...]
    evidence: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Who answers for a rule. *clinical_review* is `pending` until a named person reviewed it."""

    owner: str
    authors: tuple[str, ...]
    clinical_review: str
    reviewers: tuple[str, ...] = ()
    reviewed: str = ""
    review_by: str = ""


@dataclass(frozen=True, slots=True)
class TestCase:
    """An inline case: *given*, *but*, *expect* as plain YAML values, checked when it runs."""

    __test__ = False

    name: str
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    place: Place
    todo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    id: str
    title: str
    version: str
    status: Literal["draft", "trial", "active", "retired"]
    about: About
    upkeep: Upkeep
    place: Place
    tests: tuple[TestCase, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    readings: Mapping[str, Reading] = field(default_factory=dict)


# --- concepts -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodeRule:
    """
    One code that means a concept: exact, or a prefix where it ended in `*`.

    *history* marks codes that say `ever` and never `now`. *age_above*/*age_below* bind
    the meaning to an age, *with_fasting* to a sample known to be fasting.
    """

    system: str
    code: str
    prefix: bool = False
    history: bool = False
    age_above: int | None = None
    age_below: int | None = None
    with_fasting: bool = False


@dataclass(frozen=True, slots=True)
class TextPattern:
    """
    Words that mean a concept in a medicine's or plan's text.

    *words* are whole words (or phrases), *beginnings* and *endings* match parts of
    words; blank and hyphen are one, case does not matter. *without* excludes a text
    that also holds one of these words, unless it holds one of *unless*.
    """

    words: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fasting:
    """How a result becomes fasting by company: concepts that prove it in one collection."""

    company: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """
    What a word means: codes, units, range, what absence means.

    *type*: `quantity` (Observation, or one of its components), `answer` (a coded
    Observation that means yes, no or nothing, by *answers*), `date` (an Observation
    whose value is a date), `problem` (Condition), `medicine`, `procedure`, `plan`,
    `family` (FamilyMemberHistory), `episode` (made of other concepts, see *begins*),
    `encounter` (by its class), `person` (the patient is recorded as deceased).

    *search* names the prefetch search that brings it; *within* is the age in days up
    to which a result counts unless a clause says otherwise. *conflicts*: two results
    of one day that differ by more than a fifth, or of one instant that differ at all,
    are both unusable; otherwise the *danger*ous end (`high`, `low`) or the later wins.
    *acute*: whether results from acute illness stay `usable`. *pregnancy_days*: results
    collected while pregnant, or up to so many days after birth, are unusable (None:
    stay usable). *governs* marks a concept that bends how other data are read (a
    gender-affirming care entry makes the sex unknown) and is read though no rule asks.
    """

    id: str
    signal: str
    title: str
    type: str
    search: str
    place: Place
    unit: str = ""
    units: Mapping[str, Conversion] = field(default_factory=dict)
    show_digits: int | None = None
    within: int | None = None
    codes: tuple[CodeRule, ...] = ()
    not_codes: tuple[CodeRule, ...] = ()
    text: TextPattern | None = None
    not_routes: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    fasting: Fasting | None = None
    conflicts: bool = False
    danger: Literal["", "high", "low"] = ""
    acute: Literal["unusable", "usable"] = "usable"
    pregnancy_days: int | None = None
    usual: Mapping[str, Any] = field(default_factory=dict)
    absent_means: Literal["unknown", "false_if_list_complete"] = "unknown"
    counts_for: int | None = None
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    longest: int | None = None
    governs: bool = False
    verified: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """
    One prefetch search: what is asked for and how many entries at most.

    The codes come from the concepts that name it and that active rules read. *count*
    is the `_count` of the template; an answer with as many entries is not the whole.
    """

    id: str
    resource: str
    title: str
    count: int | None = None
    by_code: bool = False
    sort: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    lists: str = ""


# --- numbers from several results, and from formulas ------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A number from several results of one concept, named in a rule and used like any quantity.

    *kind*: `count days of`, `average of last`, `highest of`, `lowest of`. A count is an
    interval (sure, possible): unusable results and partial searches widen it. *low* and
    *high* say which results count (`where:`), *if_latest* that none counts unless the
    newest one does. *between* bounds the age in days, both inclusive.
    """

    id: str
    kind: str
    concept: str
    place: Place
    low: Limit | None = None
    high: Limit | None = None
    if_latest: bool = False
    last: int | None = None
    different_days: bool = False
    apart: int | None = None
    drawn_before: str = ""
    between: tuple[int, int] | None = None
    unit: str = "1"


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a formula."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class InputRef:
    """An input, expressed in *unit* (its canonical unit where empty), as a plain number."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step named by `let:`, or a constant by sex named by `constants:`."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary:
    """`+ - * / ^`."""

    op: str
    left: FormulaExpr
    right: FormulaExpr


@dataclass(frozen=True, slots=True)
class Call:
    """`ln`, `log10`, `exp`, `sqrt`, `min`, `max`, `logistic`."""

    function: str
    arguments: tuple[FormulaExpr, ...]


@dataclass(frozen=True, slots=True)
class OneIf:
    """`one_if(NAME)`: 1 when the condition of `conditions:` holds, 0 when not."""

    name: str


FormulaExpr = Number | InputRef | Step | Binary | Call | OneIf


@dataclass(frozen=True, slots=True)
class Input:
    """
    An input of an index: a concept, another index, or `age`.

    *optional* inputs may be missing. *same_collection_as* names another input: only a
    result of that collection counts.
    """

    name: str
    source: str
    what: Literal["concept", "index", "age", "reading"]
    within: int | None = None
    optional: bool = False
    same_collection_as: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Inputs that must lie no more than *days* apart; the latest such set is taken."""

    of: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A reason why a number is not valid; unknown: `withhold` or `compute`."""

    when: Expr
    because: str
    if_unknown: Literal["withhold", "compute"]
    id: str


@dataclass(frozen=True, slots=True)
class Band:
    """A named range of an index: *low* is inclusive (`from`), *high* exclusive (`below`)."""

    name: str
    low: Threshold | None = None
    high: Threshold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(_Rule):
    """
    A number derived from data.

    Exactly one of *formula*, *formula_in* (by the unit in which the first input was
    sent), *count_of* (named criteria; gives yes and unknown) or *first_of* (names of
    other indices or concepts, or `formula`) says how.
    """

    inputs: tuple[Input, ...]
    same_draw: tuple[Pair, ...]
    not_valid_if: tuple[Gate, ...]
    unit: str
    digits: int
    formula: FormulaExpr | None = None
    formula_in: Mapping[str, FormulaExpr] = field(default_factory=dict)
    let: Mapping[str, FormulaExpr] = field(default_factory=dict)
    constants: Mapping[str, Threshold] = field(default_factory=dict)
    conditions: Mapping[str, Expr] = field(default_factory=dict)
    count_of: Mapping[str, Expr] = field(default_factory=dict)
    first_of: tuple[str, ...] = ()
    bands: tuple[Band, ...] = ()
    note: str = ""


# --- conclusions ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(_Rule):
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
class Stages(_Rule):
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
    acting"; `show` shows without a word; `assess` is `show` in factors. *relevant*:
    asked only when this is not no.
    """

    when: Expr
    because: str
    if_unknown: Literal["hide", "note", "show", "assess"]
    id: str
    relevant: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor(_Rule):
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
    """What blocks a suggestion; unknown: `block`, `show`, `instead` or `warn`."""

    id: str
    when: Expr
    because: str
    if_unknown: Literal["block", "show", "instead", "warn"]
    instead: str = ""
    warn: str = ""
    relevant: Expr | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """
    An entry of the action library: what a suggestion drafts.

    *resource* is a FHIR template with holes and `$concept` codes; *result* the concept
    that a drafted test would give. *text_only* actions are said in words, never drafted.
    """

    id: str
    label: str
    description: str
    resources: tuple[Mapping[str, Any], ...]
    place: Place
    result: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """
    One thing that could be done: an action of the library, offered when proved.

    With *choices* the action is the first of them whose result is not known (*first_of*
    is `not known`) or not raised; *action* is then empty.
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


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """A reason to disagree."""

    code: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(_Rule):
    """
    What the clinician sees and can do.

    *code* is public (`IR-STG-04`, `MC-MISSING`). *inputs* names what the card prints as
    its basis, in order. *indicators* and *summaries*: the first whose condition is proved.
    *population*: whether the gates of `kind: population` apply.
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
    needs_offer: bool = False
    appended_to: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    quiet_days: int | None = None
    links: tuple[Mapping[str, str], ...] = ()
    logic: str = ""
    drivers: tuple[str, ...] = ()
    priorities: tuple[tuple[int, Expr | None], ...] = ()

    @property
    def is_rule(self) -> bool:
        """Tell whether this is a rule of the knowledge base, not a card beside the rules."""
        return not self.code.startswith("MC-")


@dataclass(frozen=True, slots=True)
class Group:
    """What becomes of a group of cards of which several fire: `show_one` or `merge`."""

    id: str
    when_several_fire: Literal["show_one", "merge"]


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
class Profile:
    """What a site may choose. The default profile holds the override reasons and fixed texts."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """
    One release of the rule files, resolved.

    *order* lists what is computed (readings, indices, conditions, stages, factors, cards)
    so that each stands after everything it asks about. *groups_of_people* maps codes of
    the Patient extension *group_extension* to the groups that thresholds tell apart.
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
