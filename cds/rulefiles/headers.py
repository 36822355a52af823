"""
What every rule file has: header, about, upkeep, thresholds, readings and tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from cds.core.headers import EXPECTED, About, Citation, TestCase, Upkeep
from cds.rulefiles.diagnostics import did_you_mean, listed
from cds.rulefiles.names import Names, Scope
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.rulefiles.readings import read_readings
from cds.rulefiles.thresholds import Written, read_thresholds

__all__ = ["check_cite", "check_ids", "open_scope", "plain_value", "read_common", "read_tests"]

Localise = Callable[[str, dict[str, Written]], dict[str, Written]]

_LOOSE: Final[dict[str, str | bool]] = {"true": True, "false": False}


def open_scope(root: Block, names: Names, localise: Localise = lambda _, found: found) -> Scope:
    """
    Read what a rule file declares for itself: thresholds and readings.

    *localise* puts the numbers of a site into the thresholds of a rule.
    """
    rule = root.text("id")
    found = read_thresholds(root.block("thresholds"), names.report, names.groups_of_people)
    scope = Scope(names, rule, thresholds=localise(rule, found))
    for key, node in root.pairs("readings"):
        if isinstance(node, Block):
            read_readings(key, node, scope)
    return scope


def read_common(root: Block, scope: Scope) -> dict[str, Any]:
    """Read the fields that all rules share, as keyword arguments of their class."""
    names = scope.names
    _check_thresholds(root, scope)
    return {
        "id": root.text("id"),
        "title": root.text("title"),
        "version": root.text("version"),
        "status": root.text("status"),
        "about": _read_about(root.block("about"), root, names),
        "upkeep": _read_upkeep(root.block("upkeep"), root, names),
        "place": root.at("id").place,
        "tests": read_tests(root, scope),
        "thresholds": {name: written.as_written for name, written in scope.thresholds.items()},
        "readings": dict(scope.readings),
        "equivalent": tuple(
            (one.text("mutant"), one.text("because")) for one in root.blocks("equivalent")
        ),
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


def check_ids(blocks: Iterable[Block], what: str, scope: Scope) -> None:
    """Report the second of two blocks with one `id`: *what* they are, in the plural."""
    seen: dict[str, Node] = {}
    for block in blocks:
        node = block.get("id")
        if not isinstance(node, Scalar):
            continue
        first = seen.setdefault(node.text, node)
        if first is not node:
            scope.report.add(
                "CDS203",
                node,
                f"two {what} are called `{node.text}`",
                spans=[(first, "the first")],
                help="rename one of the two",
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
    words = EXPECTED.get(root.text("kind"), ())
    found: list[TestCase] = []
    seen: dict[str, Node] = {}
    for block in root.blocks("tests"):
        _check_test_name(block, seen, scope)
        _check_expected(block, words, scope)
        use = block.get("use")
        if isinstance(use, Scalar) and use.text not in patients:
            scope.names.missing("a patient of this file", use.text, use.place, patients)
        given = dict(patients.get(block.text("use"), {}))
        given.update(_values(block.block("given")))
        if "history" in block:
            given["history"] = plain_value(block.at("history"))
        given = _changed(given, block)
        expect = _values(block.block("expect"))
        case = TestCase(
            name=block.text("name"),
            given=given,
            expect=expect,
            place=block.place,
            todo=block.flag("todo"),
            said=_said(block),
            rule=block.text("rule"),
        )
        each = block.blocks("each")
        if not each:
            found.append(case)
        for number, inner in enumerate(each, start=1):
            _check_expected(inner, words, scope)
            found.append(
                replace(
                    case,
                    name=f"{case.name} [{number}]",
                    given=_changed(given, inner),
                    expect={**expect, **_values(inner.block("expect"))},
                    place=inner.place,
                    said=_said(block, inner),
                )
            )
    return tuple(found)


def _check_test_name(block: Block, seen: dict[str, Node], scope: Scope) -> None:
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


def _check_expected(block: Block, words: tuple[str, ...], scope: Scope) -> None:
    """Report a word in `expect:` that says nothing about this kind of rule."""
    for key, _ in block.pairs("expect"):
        if words and key.text not in words:
            scope.report.add(
                "CDS102",
                key,
                f"`{key.text}` is nothing that a test here can expect",
                notes=[f"words of `expect`: {listed(words)}"],
                help=did_you_mean(key.text, words),
            )


def _changed(given: Mapping[str, Any], block: Block) -> dict[str, Any]:
    changed = dict(given)
    for key, node in block.pairs("but"):
        value = plain_value(node)
        if value == "none":
            changed.pop(key.text, None)
        else:
            changed[key.text] = value
    return changed


def _said(*blocks: Block) -> str:
    """Repeat the patient of a test in the words of its author."""
    parts = [
        *(one.text("use") for one in blocks if "use" in one),
        *(_written(one.block("given")) for one in blocks if "given" in one),
    ]
    changes = [_written(one.block("but")) for one in blocks if "but" in one]
    history = ["history " + _written(one.block("history")) for one in blocks if "history" in one]
    but = [f"but {', '.join(changes)}"] if changes else []
    return ", ".join(one for one in (*parts, *but, *history) if one)


def _written(block: Block | None) -> str:
    if block is None:
        return ""
    return ", ".join(f"{key.text}: {_as_text(node)}" for key, node in block.entries())


def _as_text(node: Node) -> str:
    if isinstance(node, Items):
        return f"[{', '.join(_as_text(one) for one in node)}]"
    return f"{{{_written(node)}}}" if isinstance(node, Block) else node.text
