"""
What every rule file has: header, about, upkeep, thresholds, readings and tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cds.core.headers import About, Citation, TestCase, Upkeep
from cds.rulefiles.names import Names, Scope
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.rulefiles.readings import read_readings
from cds.rulefiles.thresholds import Written, read_thresholds

__all__ = ["check_cite", "open_scope", "plain_value", "read_common", "read_tests"]

Localise = Callable[[str, dict[str, Written]], dict[str, Written]]

_LOOSE: Final[dict[str, str | bool]] = {"true": True, "false": False}


def open_scope(root: Block, names: Names, localise: Localise = lambda _, found: found) -> Scope:
    """
    Read what a rule file declares for itself: thresholds and readings.

    *localise* puts the numbers of a site into the thresholds of a rule.
    """
    rule = root.text("id")
    found = read_thresholds(root.block("thresholds"), names.report)
    scope = Scope(names, rule, thresholds=localise(rule, found))
    for key, node in root.pairs("readings"):
        if isinstance(node, Block):
            read_readings(key, node, scope)
    return scope


def read_common(root: Block, scope: Scope) -> dict[str, Any]:
    """Read the fields that all rules share, as keyword arguments of their class."""
    names = scope.names
    _check_thresholds(root, scope)
    tests = read_tests(root, scope)
    if not tests:
        names.report.add(
            "CDS701",
            root.at("id"),
            f"`{root.text('id')}` has no tests",
            help="add `tests:` with a case in which it says yes and one in which not",
        )
    return {
        "id": root.text("id"),
        "title": root.text("title"),
        "version": root.text("version"),
        "status": root.text("status"),
        "about": _read_about(root.block("about"), root, names),
        "upkeep": _read_upkeep(root.block("upkeep"), root, names),
        "place": root.at("id").place,
        "tests": tests,
        "thresholds": {name: written.as_written for name, written in scope.thresholds.items()},
        "readings": dict(scope.readings),
    }


def _check_thresholds(root: Block, scope: Scope) -> None:
    active = root.text("status") == "active"
    for key, node in root.pairs("thresholds"):
        if not isinstance(node, Block):
            continue
        cite = node.get("cite")
        if isinstance(cite, Scalar):
            check_cite(cite, scope.names)
        else:
            scope.report.add(
                "CDS601",
                key,
                f"the threshold `{key.text}` cites no source",
                severity="error" if active else None,
                help="add `cite:` with a key of the evidence library",
            )


def check_cite(cite: Scalar, names: Names) -> None:
    """Report a source that the evidence library does not hold."""
    if cite.text not in names.sources:
        names.missing(
            "a source of the evidence library", cite.text, cite.place, names.sources,
            code="CDS602",
        )  # fmt: skip


def _read_about(block: Block | None, root: Block, names: Names) -> About:
    if block is None:
        return About("", "", (), ())
    limits = block.texts("limits")
    if not limits:
        names.report.add(
            "CDS606",
            block.at("limits") if "limits" in block else root.keys["about"],
            "no limits are noted",
            help="say in `limits:` when this rule is wrong",
        )
    citations = []
    for one in block.blocks("evidence"):
        cite = one.get("cite")
        if isinstance(cite, Scalar):
            check_cite(cite, names)
        citations.append(
            Citation(
                cite=one.text("cite"),
                supports=one.text("supports"),
                grade=one.text("grade"),
                strength=one.text("strength"),
                recommendation=one.text("recommendation"),
                inferred=one.flag("inferred"),
            )
        )
    return About(
        purpose=block.text("purpose"),
        explanation=block.text("explanation"),
        limits=limits,
        evidence=tuple(citations),
    )


def _read_upkeep(block: Block | None, root: Block, names: Names) -> Upkeep:
    if block is None:
        return Upkeep("", (), "pending")
    review = block.text("clinical_review")
    if review == "pending":
        names.report.add(
            "CDS611",
            block.at("clinical_review"),
            f"no clinician has reviewed `{root.text('id')}` yet",
        )
    return Upkeep(
        owner=block.text("owner"),
        authors=block.texts("authors"),
        clinical_review=review,
        reviewers=block.texts("reviewers"),
        reviewed=block.text("reviewed"),
        review_by=block.text("review_by"),
    )


# --- tests ------------------------------------------------------------------------


def plain_value(node: Node) -> Any:
    """
    Turn a node into plain values: texts, `true`, `false`, None, lists and mappings.

    Numbers stay texts, so that none of their digits is lost.
    """
    if isinstance(node, Block):
        return {key: plain_value(one) for key, one in node.values.items()}
    if isinstance(node, Items):
        return [plain_value(one) for one in node.items]
    if node.style:
        return node.text
    if node.is_null:
        return None
    return _LOOSE.get(node.text, node.text)


def _values(block: Block | None) -> dict[str, Any]:
    return {} if block is None else {key: plain_value(one) for key, one in block.values.items()}


def read_tests(root: Block, scope: Scope) -> tuple[TestCase, ...]:
    """
    Read the inline cases.

    `use:` takes a patient of the same file, `given:` adds to it, `but:` changes it
    (`none` removes), and each of `each:` makes a case of its own.
    """
    patients = {
        key.text: _values(node) for key, node in root.pairs("patients") if isinstance(node, Block)
    }
    found: list[TestCase] = []
    seen: dict[str, Node] = {}
    for block in root.blocks("tests"):
        name = block.text("name")
        if name in seen:
            scope.report.add(
                "CDS705",
                block.at("name"),
                f"two tests are called `{name}`",
                label="again",
                spans=[(seen[name], "first")],
                help="say in the name what differs",
            )
        seen.setdefault(name, block.at("name"))
        given: dict[str, Any] = {}
        use = block.get("use")
        if isinstance(use, Scalar):
            if use.text not in patients:
                scope.names.missing("a patient of this file", use.text, use.place, patients)
            given = dict(patients.get(use.text, {}))
        given.update(_values(block.block("given")))
        if "history" in block:
            given["history"] = plain_value(block.at("history"))
        given = _changed(given, block)
        todo, rule = block.flag("todo"), block.text("rule")
        each = block.blocks("each")
        expect = _values(block.block("expect"))
        if not each:
            found.append(TestCase(name, given, expect, block.place, todo, rule))
        for number, inner in enumerate(each, start=1):
            found.append(
                TestCase(
                    f"{name} ({number})",
                    _changed(given, inner),
                    {**expect, **_values(inner.block("expect"))},
                    inner.place,
                    todo,
                    rule,
                )
            )
    return tuple(found)


def _changed(given: Mapping[str, Any], block: Block) -> dict[str, Any]:
    changed = dict(given)
    for key, node in block.pairs("but"):
        value = plain_value(node)
        if value == "none":
            changed.pop(key.text, None)
        else:
            changed[key.text] = value
    return changed
