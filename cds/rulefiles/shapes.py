"""
What a rule file of each kind may and must contain, as data.

The same tables check files and give the JSON Schemas that editors read. Conditions,
formulas and thresholds have grammars of their own and are only passed over here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cds.rulefiles.cards import INDICATORS
from cds.rulefiles.diagnostics import Report, did_you_mean, listed
from cds.rulefiles.readings import KINDS as READING_KINDS
from cds.rulefiles.source import Block, Items, Node, Scalar

__all__ = ["KINDS", "Kind", "Shape", "schema_of"]


class Shape(Protocol):
    """What a node may look like."""

    def check(self, node: Node, report: Report) -> None:
        """Report where *node* looks otherwise."""

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""


_BOOLEANS: Final = re.compile(r"(?i)yes|no|on|off|y|n|true|false")
_NUMBERLIKE: Final = re.compile(r"[+-]?(?:[\d_.,]+(?:[eE][+-]?\d+)?|0[xo][\da-fA-F]+|\.inf|\.nan)")


@dataclass(frozen=True, slots=True)
class Text:
    """A text: any, one of *choices*, or one that *pattern* describes in words (*form*)."""

    choices: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    form: str = "a text"
    empty: bool = False

    def check(self, node: Node, report: Report) -> None:
        """Report what is no text, or not one of those that may stand here."""
        if node.__class__ is not Scalar:
            _wrong(node, self._wanted(), report)
            return
        text: str = node.text  # type: ignore[attr-defined]
        if self.choices:
            if text not in self.choices:
                _wrong(node, self._wanted(), report, did_you_mean(text, self.choices))
        elif self.pattern is not None:
            if self.pattern.fullmatch(text) is None:
                _wrong(node, self.form, report)
        elif not text.strip() and not self.empty:
            _wrong(node, self.form, report, "write it, or take the key out")

    def _wanted(self) -> str:
        return "one of " + listed(self.choices) if self.choices else self.form

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        if self.choices:
            return {"enum": list(self.choices)}
        if self.pattern is not None:
            return {"type": ["string", "number"], "pattern": f"^(?:{self.pattern.pattern})$"}
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A plain word of a fixed form that YAML might read as something else."""

    pattern: re.Pattern[str]
    form: str
    like: re.Pattern[str]
    type: str

    def check(self, node: Node, report: Report) -> None:
        """Report another form; one that looks nearly right is called ambiguous."""
        if not isinstance(node, Scalar):
            _wrong(node, self.form, report)
        elif not self.pattern.fullmatch(node.text):
            if self.like.fullmatch(node.text):
                report.add(
                    "CDS106",
                    node,
                    f"`{node.text}` can be read in more than one way",
                    label=f"expected {self.form}",
                    help=f"write {self.form}",
                )
            else:
                _wrong(node, self.form, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {"type": self.type}


@dataclass(frozen=True, slots=True)
class Many:
    """A list of *of*, with *least* members or more."""

    of: Shape
    least: int = 0

    def check(self, node: Node, report: Report) -> None:
        """Report what is no list, and what is wrong in it."""
        if not isinstance(node, Items):
            _wrong(node, "a list", report)
            return
        if len(node.items) < self.least:
            _wrong(node, f"a list of {self.least} or more", report)
        for one in node.items:
            self.of.check(one, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {"type": "array", "items": self.of.schema(), "minItems": self.least}


@dataclass(frozen=True, slots=True)
class Named:
    """A block whose keys the author chooses; every value is *of*."""

    of: Shape
    keys: re.Pattern[str] | None = None

    def check(self, node: Node, report: Report) -> None:
        """Report what is no block, keys that are no names, and what is wrong in it."""
        if not isinstance(node, Block):
            _wrong(node, "a block of names", report)
            return
        for key, one in node.entries():
            if self.keys is not None and not self.keys.fullmatch(key.text):
                _wrong(key, "a name in small letters, like `fasting_insulin`", report)
            self.of.check(one, report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {"type": "object", "additionalProperties": self.of.schema()}


@dataclass(frozen=True, slots=True)
class Keys:
    """A block with keys of ours: *must* and *may*."""

    what: str
    must: Mapping[str, Shape] = field(default_factory=dict)
    may: Mapping[str, Shape] = field(default_factory=dict)

    def check(self, node: Node, report: Report) -> None:
        """Report unknown and missing keys, and what is wrong below the known ones."""
        if not isinstance(node, Block):
            _wrong(node, f"a block: {self.what}", report)
            return
        must, may = self.must, self.may
        for key, one in node.values.items():
            shape = must.get(key) or may.get(key)
            if shape is None:
                known = [*must, *may]
                report.add(
                    "CDS102",
                    node.keys[key],
                    f"`{key}` is not a key of {self.what}",
                    notes=[f"keys: {listed(known)}"],
                    help=did_you_mean(key, known),
                )
            else:
                shape.check(one, report)
        for key in must:
            if key not in node.values:
                report.add(
                    "CDS104",
                    _head(node),
                    f"{self.what} needs `{key}`",
                    help=f"add `{key}: {_sample(must[key])}`",
                )

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        every = {**self.must, **self.may}
        return {
            "type": "object",
            "properties": {key: shape.schema() for key, shape in every.items()},
            "required": list(self.must),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Either:
    """A text, a list or a block, whichever of them may stand here."""

    text: Shape | None = None
    items: Shape | None = None
    block: Shape | None = None

    def check(self, node: Node, report: Report) -> None:
        """Report a kind of node that may not stand here."""
        shape = (
            self.text
            if isinstance(node, Scalar)
            else self.items
            if isinstance(node, Items)
            else self.block
        )
        if shape is not None:
            shape.check(node, report)
            return
        words = (
            ("a text", self.text),
            ("a list", self.items),
            ("a block", self.block),
        )
        _wrong(node, " or ".join(word for word, one in words if one), report)

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        shapes = (self.text, self.items, self.block)
        return {"anyOf": [one.schema() for one in shapes if one is not None]}


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever has a grammar of its own, or none."""

    what: str = "a value"

    def check(self, node: Node, report: Report) -> None:
        """Leave it to whoever reads it."""

    def schema(self) -> dict[str, Any]:
        """Say the same as JSON Schema."""
        return {}


def _found(node: Node) -> str:
    if isinstance(node, Scalar):
        return f"`{node.text}`" if node.text and len(node.text) < 40 else "a text"
    return "a list" if isinstance(node, Items) else "a block"


def _wrong(node: Node, wanted: str, report: Report, help_: str = "") -> None:
    report.add("CDS105", node, f"expected {wanted}, found {_found(node)}", help=help_)


def _head(node: Block) -> Node:
    return next(iter(node.keys.values()), node)


def _sample(shape: Shape) -> str:
    if isinstance(shape, Text) and shape.choices:
        return shape.choices[0]
    if isinstance(shape, Many):
        return "[…]"
    return "{…}" if isinstance(shape, Keys | Named) else "…"


# --- the words ------------------------------------------------------------------------

_TEXT: Final = Text()
_MAYBE_TEXT: Final = Text(empty=True)
_NAME_FORM: Final = re.compile(r"[a-z][a-z0-9_]*")
_NAME: Final = Text(
    pattern=_NAME_FORM, form="a name in small letters, like `fasting_insulin`"
)
_WHOLE: Final = Pattern(re.compile(r"[+-]?\d+"), "a whole number", _NUMBERLIKE, "integer")
_FLAG: Final = Pattern(
    re.compile("true|false"), "`true` or `false`", _BOOLEANS, "boolean"
)
_VERSION: Final = Pattern(
    re.compile(r"\d+\.\d+\.\d+"), "a version like 1.0.0", _NUMBERLIKE, "string"
)
_DAYS: Final = Text(pattern=re.compile(r"\d+ days?"), form="a number of days, like `365 days`")
_DATE: Final = Text(pattern=re.compile(r"\d{4}-\d\d-\d\d"), form="a date like 2027-06-01")
_CONDITION: Final = Anything("a condition")
_FORMULA: Final = Text(form="a formula")
_NAMES: Final = Many(_NAME)
_TEXTS: Final = Many(_TEXT)
_CODES: Final = Named(Many(_TEXT))

_ABOUT: Final = Keys(
    "`about`",
    {
        "purpose": _TEXT,
        "explanation": _TEXT,
        "limits": _TEXTS,
        "evidence": Many(
            Keys(
                "a citation",
                {"cite": _TEXT, "supports": _TEXT},
                {
                    "grade": Text(("A", "B", "C", "D", "X")),
                    "strength": _TEXT,
                    "recommendation": _TEXT,
                    "inferred": _FLAG,
                },
            )
        ),
    },
)
_UPKEEP: Final = Keys(
    "`upkeep`",
    {"owner": _TEXT, "authors": _TEXTS, "clinical_review": _TEXT, "review_by": _DATE},
    {"reviewers": _TEXTS, "reviewed": _DATE},
)
_TEST_BUT: Final = {"but": Named(Anything()), "expect": Named(Anything())}
_TESTS: Final = Many(
    Keys(
        "a test",
        {"name": _TEXT},
        {
            "use": _TEXT,
            "given": Named(Anything()),
            **_TEST_BUT,
            "each": Many(Keys("a case of `each`", {}, _TEST_BUT), least=1),
            "history": Anything(),
            "todo": _FLAG,
        },
    )
)
_READING: Final = Keys(
    "a reading",
    {},
    {
        **dict.fromkeys(READING_KINDS, _TEXT),
        "of": _NAME,
        "where": _TEXT,
        "if latest": _FLAG,
        "on": Text(("different days",)),
        "apart": _DAYS,
        "drawn": _TEXT,
        "within": _DAYS,
        "between": _TEXT,
    },
)
_STATUS: Final = Text(("draft", "trial", "active", "retired"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its folder below `rules/` and its shape."""

    folder: str
    shape: Keys


def _rule(
    what: str, folder: str, must: Mapping[str, Shape], may: Mapping[str, Shape]
) -> Kind:
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
                "thresholds": Named(Named(Anything()), _NAME_FORM),
                "readings": Named(_READING, _NAME_FORM),
                "patients": Named(Named(Anything())),
                "tests": _TESTS,
                "replaced_by": _TEXT,
                "because": _TEXT,
            },
        ),
    )


def _library(
    what: str, folder: str, must: Mapping[str, Shape], may: Mapping[str, Shape]
) -> Kind:
    return Kind(
        folder,
        Keys(
            what,
            {"kind": _TEXT, "id": _NAME, **must},
            {"title": _TEXT, "upkeep": _UPKEEP, **may},
        ),
    )


_CONCEPT: Final = Keys(
    "a concept",
    {
        "signal": _TEXT,
        "title": _TEXT,
        "type": Text(
            (
                "quantity",
                "answer",
                "date",
                "problem",
                "medicine",
                "procedure",
                "plan",
                "family",
                "episode",
                "encounter",
            )
        ),
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
        "begins": _NAMES,
        "ends": _NAMES,
        "longest": _DAYS,
        "governs": _FLAG,
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
_GATE_MUST: Final = {"when": _CONDITION, "because": _TEXT}
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
        "inputs": Named(_INPUT, _NAME_FORM),
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
_PIECES: Final = Many(
    Keys("a piece of evidence", {"id": _NAME, "when": _CONDITION}, _EVIDENCE_MAY)
)


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
                    "points": Text(
                        pattern=re.compile(r"\d+|never"), form="a number or `never`"
                    ),
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
_LINK: Final = Keys(
    "a link", {"label": _TEXT, "url": _TEXT, "type": Text(("absolute", "smart"))}
)
_GUARD: Final = Keys(
    "a guard",
    {"block_if": _CONDITION, "because": _TEXT},
    {
        "id": _NAME,
        "when_relevant": _CONDITION,
        "if_unknown": Either(
            text=Text(("block", "show")),
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
        "offer_if": _CONDITION,
        "recommended": _FLAG,
        "only_instead": _FLAG,
    },
)
_CARD: Final = _rule(
    "a card",
    "cards",
    {
        "code": Text(
            pattern=re.compile(r"[A-Z]{2}(?:-[A-Z0-9]+)+"), form="a code like IR-STG-04"
        ),
        "hooks": Many(
            Text(
                (
                    "patient-view",
                    "order-select",
                    "order-sign",
                    "encounter-start",
                    "encounter-discharge",
                    "appointment-book",
                )
            ),
            least=1,
        ),
        "group": _NAME,
        "priority": Either(text=_WHOLE, items=Many(Named(_CONDITION), least=1)),
        "show_if": _CONDITION,
        "card": Keys(
            "`card`",
            {
                "indicator": Either(
                    text=Text(INDICATORS), items=Many(Named(_CONDITION), least=1)
                ),
                "summary": _SAYS,
                "source": Keys("`source`", {"cite": _TEXT}),
            },
            {"detail": _SAYS, "links": Many(_LINK)},
        ),
    },
    {
        "unless": Many(_exclusion("hide", "note", "show")),
        "grade": Text(("A", "B", "C", "D", "X")),
        "inputs": _NAMES,
        "logic": _TEXT,
        "drivers": _NAMES,
        "suggestions": Keys(
            "`suggestions`",
            {"items": Many(_SUGGESTION, least=1)},
            {"choose": Text(("any", "at-most-one"))},
        ),
        "needs_offer": _FLAG,
        "override_reasons": Either(text=Text(("all",)), items=_TEXTS),
        "quiet": Keys("`quiet`", {"repeat_after": _DAYS}),
        "appended_to": _NAMES,
        "cuts": Many(Keys("a cut", {}, {"indicator": Text(INDICATORS), "group": _NAME})),
    },
)

KINDS: Final[Mapping[str, Kind]] = {
    "concepts": _library(
        "a concept file",
        "concepts",
        {},
        {
            "concepts": Named(_CONCEPT, _NAME_FORM),
            "searches": Named(_SEARCH, _NAME_FORM),
            "systems": Named(_TEXTS),
            "groups_of_people": Named(_TEXTS),
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
                    {"result": _NAME, "resources": Many(Named(Anything()), least=1)},
                ),
                _NAME_FORM,
            )
        },
        {},
    ),
    "group": _library(
        "a group",
        "groups",
        {"when_several_fire": Text(("show_one", "merge"))},
        {},
    ),
    "population": _library(
        "the population",
        "population",
        {"require": _CONDITION},
        {
            "version": _VERSION,
            "status": _STATUS,
            "about": _ABOUT,
            "unless": Many(_exclusion("show", "hide", "note", **{"except": _TEXTS})),
            "tests": _TESTS,
            "patients": Named(Named(Anything())),
        },
    ),
    "profile": _library(
        "a profile",
        "profiles",
        {
            "override_reasons": Many(
                Keys("an override reason", {"code": _TEXT, "display": _TEXT})
            ),
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
        },
    ),
    "release": _library("the release", "", {"release": _TEXT}, {}),
    "condition": _CONDITION_RULE,
    "index": _INDEX,
    "stages": _STAGES,
    "factor": _FACTOR,
    "card": _CARD,
}
"""Every kind of file, by the word that stands after `kind:`."""


def schema_of(kind: str) -> dict[str, Any]:
    """Give the JSON Schema of one kind of file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"kind: {kind}",
        **KINDS[kind].shape.schema(),
    }
