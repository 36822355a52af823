"""
Evidence and upkeep: what a rule rests on, who reviewed it, and when again.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from cds.core.headers import Rule
from cds.rulefiles.nodes import Block, Scalar
from cds.workshop.checks.context import Context

__all__ = ["check"]

_PENDING: Final = "pending"
_GRADED: Final = frozenset({"guideline", "study"})


def check(context: Context) -> None:
    """Look at every rule's evidence, review and status, and at the sources themselves."""
    kinds = {
        key.text: node.text("kind")
        for root in context.loaded.roots["evidence"]
        for key, node in root.pairs("sources")
        if isinstance(node, Block)
    }
    for rule in context.every_rule():
        root = context.root_of(rule)
        _check_evidence(root, kinds, context)
        _check_status(rule, root, context)
    for root in context.roots.values():
        upkeep = root.block("upkeep")
        if upkeep is not None:
            _check_review(root, upkeep, context)
    for root in context.loaded.roots["evidence"]:
        for _, node in root.pairs("sources"):
            if isinstance(node, Block):
                _check_link(node.get("url"), context)


def _check_evidence(root: Block, kinds: dict[str, str], context: Context) -> None:
    about = root.block("about")
    for one in about.blocks("evidence") if about else ():
        cite = one.text("cite")
        if not one.text("supports").strip():
            context.report.add(
                "CDS603",
                one.at("supports"),
                f"`{cite}` is cited, and not for what",
                help="say in `supports:` which part of the rule rests on it",
            )
        graded = one.text("grade") or one.flag("inferred") or root.text("kind") != "card"
        if kinds.get(cite) in _GRADED and not graded:
            context.report.add(
                "CDS609",
                one.at("cite"),
                f"`{cite}` is cited without a grade",
                help="add `grade:`, A to D or X, or `inferred: true` where this goes beyond it",
            )


def _check_review(root: Block, upkeep: Block, context: Context) -> None:
    authors, reviewers = set(upkeep.texts("authors")), set(upkeep.texts("reviewers"))
    pending = upkeep.text("clinical_review") == _PENDING
    active = root.text("status", "active") == "active"
    own = authors & reviewers
    if own:
        names = " and ".join(sorted(own))
        context.report.add(
            "CDS604",
            upkeep.at("reviewers"),
            f"{names} reviewed what {names} wrote",
            severity=None if active else "warning",
            spans=[(upkeep.at("authors"), "wrote it")],
            help="have somebody else review it",
        )
    if "clinical_review" in upkeep and not pending and not reviewers:
        context.report.add(
            "CDS604",
            upkeep.at("clinical_review"),
            "a review is on record, and nobody who did it",
            severity=None if active else "warning",
            help="name the `reviewers:`, or write `clinical_review: pending`",
        )
    due = _date(upkeep.get("review_by"), context)
    if due is not None and due < context.as_of and root.text("status") != "retired":
        days = (context.as_of - due).days
        context.report.add(
            "CDS605",
            upkeep.at("review_by"),
            f"the review was due {days} day{'s' * (days != 1)} ago",
            help="review it and move `review_by:` on",
        )
    done = _date(upkeep.get("reviewed"), context)
    if done is not None and done > context.as_of:
        context.report.add(
            "CDS605",
            upkeep.at("reviewed"),
            "the review is dated in the future",
            help="write the day on which it was done",
        )


def _date(node: object, context: Context) -> date | None:
    if not isinstance(node, Scalar):
        return None
    try:
        return date.fromisoformat(node.text)
    except ValueError:
        context.report.add("CDS105", node, f"`{node.text}` is not a day", help="like 2027-06-01")
        return None


def _check_status(rule: Rule, root: Block, context: Context) -> None:
    # As the file says it: a card that a site switched off is not retired by its owner.
    status = root.text("status")
    names = {one.id for one in context.every_rule()}
    successor = root.get("replaced_by")
    if isinstance(successor, Scalar):
        if successor.text == rule.id:
            context.report.add("CDS612", successor, f"`{rule.id}` cannot take its own place")
        elif successor.text not in names:
            context.report.missing("a rule", successor, successor.text, names)
        if status != "retired":
            context.report.add(
                "CDS612",
                root.keys["replaced_by"],
                f"`{rule.id}` is {status}, and says what took its place",
                help="write `status: retired`, or take `replaced_by` out",
            )
    if status == "retired" and "replaced_by" not in root and "because" not in root:
        context.report.add(
            "CDS612",
            root.at("status"),
            f"`{rule.id}` is retired without a word",
            help="add `replaced_by:` with the rule that took its place, or `because:`",
        )


def _check_link(node: object, context: Context) -> None:
    if isinstance(node, Scalar) and node.text and not node.text.startswith("https://"):
        context.report.add(
            "CDS613",
            node,
            f"`{node.text}` is not a link that is safe to follow",
            label="no https",
            help="link to the page by `https://`",
        )
