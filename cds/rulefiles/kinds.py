"""
What a rule file of each kind may and must contain.

Conditions, formulas and thresholds have grammars of their own and are passed over here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cds.core.concepts import CONCEPT_TYPES
from cds.core.hooks import HOOKS
from cds.rulefiles.cards import INDICATORS
from cds.rulefiles.clearing import clear_flag, clear_version, clear_whole
from cds.rulefiles.readings import KINDS as READING_KINDS
from cds.rulefiles.shapes import (
    Anything,
    ByKey,
    Either,
    Grammar,
    Keys,
    Many,
    Named,
    Pattern,
    Shape,
    Text,
)

__all__ = ["KINDS", "NAME_FORM", "Kind"]

_BOOLEANS: Final = re.compile(r"(?i)yes|no|on|off|y|n|true|false")
_NUMBERLIKE: Final = re.compile(r"[+-]?(?:[\d_.,]+(?:[eE][+-]?\d+)?|0[xo][\da-fA-F]+|\.inf|\.nan)")
_TEXT: Final = Text()
_MAYBE_TEXT: Final = Text(empty=True)
NAME_FORM: Final = re.compile(r"[a-z][a-z0-9_]*")
_NAME: Final = Text(pattern=NAME_FORM, form="a name in small letters, like `fasting_insulin`")
_GRADE: Final = Text(("A", "B", "C", "D", "X"))
_WHOLE: Final = Pattern(
    re.compile(r"[+-]?\d+"), "a whole number", _NUMBERLIKE, "integer", clear_whole
)
_FLAG: Final = Pattern(
    re.compile("true|false"), "`true` or `false`", _BOOLEANS, "boolean", clear_flag
)
_VERSION: Final = Pattern(
    re.compile(r"\d+\.\d+\.\d+"), "a version like 1.0.0", _NUMBERLIKE, "string", clear_version
)
_DAYS: Final = Text(pattern=re.compile(r"\d+ days?"), form="a number of days, like `365 days`")
_DATE: Final = Text(pattern=re.compile(r"\d{4}-\d\d-\d\d"), form="a date like 2027-06-01")
_CONDITION: Final = Grammar("condition")
_THRESHOLD: Final = Grammar("threshold", Named(Anything()))
_FORMULA: Final = Text(form="a formula")
_NAMES: Final = Many(_NAME)
_TEXTS: Final = Many(_TEXT)
_CODES: Final = Named(Many(_TEXT))

_ABOUT: Final = Keys(
    "`about`",
    {
        "purpose": _TEXT,
        "explanation": _TEXT,
        "evidence": Many(
            Keys(
                "a citation",
                {"cite": _TEXT},
                {
                    "supports": _MAYBE_TEXT,
                    "grade": _GRADE,
                    "strength": _TEXT,
                    "recommendation": _TEXT,
                    "inferred": _FLAG,
                },
            )
        ),
    },
    {"limits": _TEXTS},
)
_UPKEEP: Final = Keys(
    "`upkeep`",
    {"owner": _TEXT, "authors": _TEXTS, "clinical_review": _TEXT, "review_by": _DATE},
    {"reviewers": _TEXTS, "reviewed": _DATE},
)
_TEST_BUT: Final[Mapping[str, Shape]] = {"but": Named(Anything()), "expect": Named(Anything())}
_TEST_MAY: Final[Mapping[str, Shape]] = {
    "use": _TEXT,
    "given": Named(Anything()),
    **_TEST_BUT,
    "each": Many(Keys("a case of `each`", {}, _TEST_BUT), least=1),
    "history": Anything(),
    "todo": _FLAG,
}
_TESTS: Final = Many(Keys("a test", {"name": _TEXT}, _TEST_MAY))
_SITE_TESTS: Final = Many(Keys("a test of a profile", {"name": _TEXT, "rule": _NAME}, _TEST_MAY))
_EQUIVALENT: Final = Many(
    Keys("a mutant that changes nothing", {"mutant": _TEXT, "because": _TEXT})
)
_READING: Final = Keys(
    "a reading",
    {},
    {
        **dict.fromkeys(READING_KINDS, _TEXT),
        "of": _NAME,
        "where": _TEXT,
        "if latest": _FLAG,
        "on": Text(("different days", "newest day")),
        "apart": _DAYS,
        "drawn": _TEXT,
        "within": _DAYS,
        "between": _TEXT,
    },
)
_ALLOW: Final = Many(
    Keys("an `allow` line", {"check": _TEXT, "because": _TEXT}, {"at": _TEXT}), least=1
)
_STATUS: Final = Text(("draft", "trial", "active", "retired"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its folder below `rules/` and its shape."""

    folder: str
    shape: Shape


def _rule(what: str, folder: str, must: Mapping[str, Shape], may: Mapping[str, Shape]) -> Kind:
    return Kind(
        folder,
        Keys(
            what,
            {
                "kind": _TEXT,
                "id": _NAME,
                "title": _TEXT,
                "version": _VERSION,
                "status": _STATUS,
                "about": _ABOUT,
                "upkeep": _UPKEEP,
                **must,
            },
            {
                **may,
                "thresholds": Named(_THRESHOLD, NAME_FORM),
                "readings": Named(_READING, NAME_FORM),
                "patients": Named(Named(Anything())),
                "tests": _TESTS,
                "equivalent": _EQUIVALENT,
                "replaced_by": _TEXT,
                "because": _TEXT,
                "allow": _ALLOW,
            },
        ),
    )


def _library(what: str, folder: str, must: Mapping[str, Shape], may: Mapping[str, Shape]) -> Kind:
    return Kind(
        folder,
        Keys(
            what,
            {"kind": _TEXT, "id": _NAME, **must},
            {"title": _TEXT, "upkeep": _UPKEEP, "allow": _ALLOW, **may},
        ),
    )


_CONCEPT: Final = Keys(
    "a concept",
    {
        "signal": _TEXT,
        "title": _TEXT,
        "type": Text(CONCEPT_TYPES),
    },
    {
        "search": _NAME,
        "unit": _TEXT,
        "units": Named(
            Either(
                text=_TEXT,
                block=Keys("a unit", {"times": _TEXT}, {"plausible": _TEXT}),
            )
        ),
        "plausible": _TEXT,
        "shows": _WHOLE,
        "within": _DAYS,
        "codes": _CODES,
        "codes_if_fasting": _CODES,
        "fasting_with": _NAMES,
        "not_codes": _CODES,
        "codes_ever": _CODES,
        "codes_if": Many(Named(Anything())),
        "conflicts": _FLAG,
        "danger": Text(("high", "low")),
        "acute": Text(("unusable", "usable")),
        "pregnancy": _DAYS,
        "usual": Keys(
            "`usual`",
            {"mean_of": _WHOLE, "within": _DAYS},
            {"single_if_category": _TEXTS},
        ),
        "absent_means": Text(("unknown", "false_if_list_complete")),
        "verified": _TEXT,
        "shares_with": _NAMES,
        "answers": Named(_TEXT),
        "counts_for": _DAYS,
        "text": Keys(
            "`text`",
            {},
            {
                "words": _TEXTS,
                "beginnings": _TEXTS,
                "endings": _TEXTS,
                "without": _TEXTS,
                "unless": _TEXTS,
            },
        ),
        "not_routes": _TEXTS,
        "routes": Named(_TEXTS, NAME_FORM),
        "begins": _NAMES,
        "ends": _NAMES,
        "longest": _DAYS,
        "governs": _FLAG,
        "attribute": Text(("gender identity", "social determinants", "health assessment")),
        "may_lie_ahead": _FLAG,
        "relatives": _TEXTS,
        "gives_way_to": _NAMES,
        "negated_by": _TEXTS,
    },
)
_SEARCH: Final = Keys(
    "a search",
    {"resource": _TEXT, "title": _TEXT},
    {
        "count": _WHOLE,
        "by_code": _FLAG,
        "sort": _TEXT,
        "parameters": Named(_TEXT),
        "lists": _NAME,
    },
)
_GATE_MUST: Final[Mapping[str, Shape]] = {"when": _CONDITION, "because": _TEXT}
_PAIR: Final = Keys("`same_draw`", {"of": _NAMES, "within": _DAYS})
_INPUT: Final = Keys(
    "an input",
    {},
    {
        "concept": _NAME,
        "index": _NAME,
        "reading": _NAME,
        "age": _FLAG,
        "within": _DAYS,
        "optional": _FLAG,
        "same_collection_as": _NAME,
    },
)
_INDEX: Final = _rule(
    "an index",
    "indices",
    {"unit": _TEXT, "show": Text(pattern=re.compile(r"\d decimals?"), form="`2 decimals`")},
    {
        "inputs": Named(_INPUT, NAME_FORM),
        "same_draw": Either(items=Many(_PAIR), block=_PAIR),
        "not_valid_if": Many(
            Keys(
                "a gate",
                _GATE_MUST,
                {"id": _NAME, "if_unknown": Text(("withhold", "compute"))},
            )
        ),
        "formula": _FORMULA,
        "formula_in": Named(_FORMULA),
        "let": Named(_FORMULA),
        "constants": Named(Named(Anything())),
        "conditions": Named(_CONDITION),
        "count_of": Named(_CONDITION),
        "first_of": Many(_NAME, least=1),
        "highest_known_of": Many(_NAME, least=2),
        "bands": Many(Keys("a band", {"name": _NAME}, {"from": _TEXT, "below": _TEXT})),
        "note": _TEXT,
    },
)
_CONDITION_RULE: Final = _rule(
    "a condition", "conditions", {"holds_if": _CONDITION}, {"ruled_out_if": _CONDITION}
)
_STAGES: Final = _rule(
    "the staging table",
    "stages",
    {
        "lines": Many(
            Keys(
                "a line",
                {"label": _TEXT},
                {"meaning": _TEXT, "if": _CONDITION, "otherwise": _FLAG},
            ),
            least=1,
        )
    },
    {},
)
_EVIDENCE_MAY: Final[Mapping[str, Shape]] = {
    "domain": _TEXT,
    "points": _WHOLE,
    "at_least": _NAME,
    "at_most": _NAME,
    "if_missing": Text(("ignore", "could_be_true")),
}
_PIECES: Final = Many(Keys("a piece of evidence", {"id": _NAME, "when": _CONDITION}, _EVIDENCE_MAY))


def _exclusion(*choices: str, **may: Shape) -> Keys:
    return Keys(
        "an exclusion",
        _GATE_MUST,
        {
            "id": _NAME,
            "if_unknown": Text(choices),
            "when_relevant": _CONDITION,
            **may,
        },
    )


_FACTOR: Final = _rule(
    "a factor",
    "factors",
    {
        "evidence_for": _PIECES,
        "grades": Named(
            Keys(
                "a grade",
                {},
                {
                    "points": Text(pattern=re.compile(r"\d+|never"), form="a number or `never`"),
                    "domains": _WHOLE,
                    "points_cannot_reach": _WHOLE,
                },
            )
        ),
    },
    {
        "assess_if": _CONDITION,
        "exclude_if": Many(_exclusion("assess", "hide", "show")),
        "evidence_against": _PIECES,
        "if_conflict": Text(("newest", "trust_against", "say_conflicting")),
        "counts_once": Many(_NAMES),
    },
)
_SAYS: Final = Either(
    text=_TEXT,
    items=Many(
        Either(text=_TEXT, block=Keys("a sentence", {"say": _TEXT}, {"if": _CONDITION})),
        least=1,
    ),
)
# Nothing of a patient can stand in it, and `iss` and `launch` are what the client adds.
_ADDRESS: Final = Text(
    pattern=re.compile(
        r"https://(?!.*[?&](?:iss|launch)=)[A-Za-z0-9.-]+(?::\d+)?(?:[/?][^\s{}]*)?"
    ),
    form="an https address without holes",
)
_LINK: Final = Keys(
    "a link", {"label": _TEXT, "url": _ADDRESS, "type": Text(("absolute", "smart"))}
)
_GUARD: Final = Keys(
    "a guard",
    {"block_if": _CONDITION, "because": _TEXT},
    {
        "id": _NAME,
        "when_relevant": _CONDITION,
        "if_unknown": Either(
            text=Text(("block", "hide", "show")),
            block=Keys("`if_unknown`", {}, {"instead": _NAME, "warn": _TEXT}),
        ),
    },
)
_SUGGESTION: Final = Keys(
    "a suggestion",
    {"id": _NAME, "guards": Either(text=Text(("none",)), items=Many(_GUARD, least=1))},
    {
        "action": _NAME,
        "offer": _TEXT,
        "label": _TEXT,
        "raised_if": Named(_CONDITION, NAME_FORM),
        "offer_if": _CONDITION,
        "recommended": _FLAG,
        "only_instead": _FLAG,
    },
)
_HOOK: Final = Text(HOOKS)
_QUIET: Final = Keys(
    "`quiet`",
    {},
    {
        "repeat_after": _DAYS,
        "after_override": Named(_DAYS),
        "again_early_when_raised": _NAMES,
        "hooks": Many(_HOOK, least=1),
        "review_when": Keys(
            "`review_when`",
            {
                "overridden_over": Text(
                    pattern=re.compile(r"\d{1,2}(?:\.\d+)? %"), form="a share, like `80 %`"
                ),
                "after_shown": _WHOLE,
            },
        ),
    },
)
_CARD: Final = _rule(
    "a card",
    "cards",
    {
        "code": Text(pattern=re.compile(r"[A-Z]{2}(?:-[A-Z0-9]+)+"), form="a code like IR-STG-04"),
        "hooks": Many(_HOOK, least=1),
        "group": _NAME,
        "priority": Either(text=_WHOLE, items=Many(Named(_CONDITION), least=1)),
        "show_if": _CONDITION,
        "card": Keys(
            "`card`",
            {
                "indicator": Either(text=Text(INDICATORS), items=Many(Named(_CONDITION), least=1)),
                "summary": _SAYS,
                "source": Keys("`source`", {"cite": _TEXT}),
            },
            {"detail": _SAYS, "links": Many(_LINK)},
        ),
    },
    {
        "unless": Many(_exclusion("hide", "note", "show", show_because=_TEXT)),
        "grade": _GRADE,
        "inputs": _NAMES,
        "logic": _TEXT,
        "drivers": _NAMES,
        "suggestions": Keys(
            "`suggestions`",
            {"items": Many(_SUGGESTION, least=1)},
            {"choose": Text(("any", "at-most-one"))},
        ),
        "needs_draft": _FLAG,
        "needs_offer": _FLAG,
        "override_reasons": Either(text=Text(("all",)), items=_TEXTS),
        "quiet": Either(text=Text(("none",)), block=_QUIET),
        "appended_to": _NAMES,
        "cuts": Many(Keys("a cut", {}, {"indicator": Text(INDICATORS), "group": _NAME})),
    },
)

_REASONS: Final = Many(
    Keys("an override reason", {"code": _TEXT, "display": _TEXT}, {"hl7": _TEXT})
)
_DEFAULT_PROFILE: Final = _library(
    "the default profile",
    "profiles",
    {
        "override_reasons": _REASONS,
        "override_system": _TEXT,
        "signals_system": _TEXT,
        "source_label": _TEXT,
        "source_url": _MAYBE_TEXT,
        "topic_system": _TEXT,
    },
    {
        "most_cards": _WHOLE,
        "presentation": _TEXT,
        "texts": Named(_TEXT),
        "ethnic_group": _MAYBE_TEXT,
        "hl7_override_system": _TEXT,
    },
)
_SITE_CARD: Final = Keys(
    "what a profile says of a card",
    {},
    {
        "because": _TEXT,
        "disabled": _FLAG,
        "status": Text(("trial",)),
        "hooks": Many(_HOOK, least=1),
        "repeat_after": _DAYS,
        "links": Many(_LINK),
        "suggestions": Named(
            Keys("what a profile says of a suggestion", {"disabled": _FLAG}, {"because": _TEXT})
        ),
    },
)
_SITE_PROFILE: Final = Keys(
    "a profile of a site",
    {
        "kind": _TEXT,
        "id": _NAME,
        "title": _TEXT,
        "extends": _NAME,
        "rules": Text(form="a range of releases, like `>=2026.6 <2027`"),
        "upkeep": Keys(
            "`upkeep`",
            {"owner": _TEXT, "review_by": _DATE},
            {"authors": _TEXTS, "reviewers": _TEXTS, "reviewed": _DATE},
        ),
    },
    {
        "thresholds": Named(Named(Anything())),
        "codes": Named(Keys("what a profile says of codes", {"add": _CODES})),
        "systems": Keys("`systems`", {}, {"sends": _TEXTS, "add": _CODES}),
        "show_units": Named(_TEXT),
        "cards": Named(_SITE_CARD),
        "texts": Named(_TEXT),
        "override_reasons": _REASONS,
        "ethnic_group": _TEXT,
        "patients": Named(Named(Anything())),
        "tests": _SITE_TESTS,
    },
)

KINDS: Final[Mapping[str, Kind]] = {
    "concepts": _library(
        "a concept file",
        "concepts",
        {},
        {
            "concepts": Named(_CONCEPT, NAME_FORM),
            "searches": Named(_SEARCH, NAME_FORM),
            "systems": Named(_TEXTS),
            "groups_of_people": Named(_TEXTS, NAME_FORM),
            "group_extension": _TEXT,
        },
    ),
    "evidence": _library(
        "the evidence library",
        "evidence",
        {
            "sources": Named(
                Keys(
                    "a source",
                    {
                        "title": _TEXT,
                        "by": _TEXT,
                        "in": _TEXT,
                        "year": _WHOLE,
                        "kind": Text(("guideline", "study", "label", "article")),
                        "check": Text(("mem", "chk")),
                    },
                    {"url": _TEXT, "doi": _TEXT, "population": _TEXT},
                )
            )
        },
        {},
    ),
    "actions": _library(
        "the action library",
        "actions",
        {
            "actions": Named(
                Keys(
                    "an action",
                    {"label": _TEXT, "description": _TEXT},
                    {
                        "result": _NAME,
                        "resources": Many(Named(Anything()), least=1),
                        "cancel": Many(_NAME, least=1),
                        "change": Keys("`change`", {"draft": _NAME, "set": Named(Anything())}),
                    },
                ),
                NAME_FORM,
            )
        },
        {"never_cancel": _NAMES},
    ),
    "group": _library(
        "a group",
        "groups",
        {"when_several_fire": Text(("show_one", "merge"))},
        {"option": _TEXT},
    ),
    "population": _library(
        "the population",
        "population",
        {"require": _CONDITION, "because": _TEXT},
        {
            "version": _VERSION,
            "status": _STATUS,
            "about": _ABOUT,
            "unless": Many(
                _exclusion("show", "hide", "note", show_because=_TEXT, **{"except": _TEXTS})
            ),
            "tests": _TESTS,
            "patients": Named(Named(Anything())),
        },
    ),
    "profile": Kind("profiles", ByKey("extends", _SITE_PROFILE, _DEFAULT_PROFILE.shape)),
    "release": _library(
        "the release",
        "",
        {"release": _TEXT},
        {
            "funding": _TEXT,
            "also_on": Keys("`also_on`", {}, dict.fromkeys(HOOKS, Many(_HOOK, least=1))),
        },
    ),
    "condition": _CONDITION_RULE,
    "index": _INDEX,
    "stages": _STAGES,
    "factor": _FACTOR,
    "card": _CARD,
}
"""Every kind of file, by the word that stands after `kind:`."""
