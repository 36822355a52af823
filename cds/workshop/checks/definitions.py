"""
What is defined and used by nobody: CDS204.
"""

from __future__ import annotations

from collections import Counter

from cds.rulefiles.fixes import Fix, taken_out
from cds.rulefiles.nodes import Block, Scalar
from cds.workshop.checks.context import Context
from cds.workshop.checks.walking import words_below

__all__ = ["check"]

_OWN = (
    ("thresholds", "threshold"),
    ("readings", "reading"),
    ("inputs", "input"),
    ("let", "step"),
    ("constants", "constant"),
    ("conditions", "condition"),
)
"""What a rule file defines for itself alone."""

_LIBRARIES = (
    ("concepts", "concepts", "concept"),
    ("concepts", "searches", "search"),
    ("actions", "actions", "action"),
    ("evidence", "sources", "source"),
)
"""What libraries define for everybody: kind of file, key, word."""


def check(context: Context) -> None:
    """Report what is defined and named nowhere else."""
    used: Counter[str] = Counter()
    for root in context.roots.values():
        counts = Counter(words_below(root))
        used += counts
        if root.source.path not in context.broken and root.text("kind") != "profile":
            _check_own(root, counts, context)
    if context.sources.keys() - context.roots.keys():
        # What cannot be read at all may use anything.
        return
    for kind, key, what in _LIBRARIES:
        for root in context.loaded.roots[kind]:
            _check_library(root, key, what, used, context)
    for root in context.loaded.roots["condition"]:
        _check_file(root, used, context)


def _check_own(root: Block, counts: Counter[str], context: Context) -> None:
    for word, what in _OWN:
        block = root.block(word)
        if block is None:
            continue
        for key, value in block.entries():
            # A threshold may be called like what it bounds: its own text names it never.
            outside = counts[key.text] - Counter(words_below(value))[key.text]
            outside -= _as_a_name(root, key.text) if word == "thresholds" else 0
            if outside <= 0 and not _is_first(root, word, key.text):
                _report(root, block, key, word, what, context)
    block = root.block("patients")
    if block is not None:
        taken = {one.text("use") for one in root.blocks("tests")}
        for key, _ in block.entries():
            if key.text not in taken:
                _report(root, block, key, "patients", "patient", context)


def _as_a_name(root: Block, word: str) -> int:
    """Count where a word is the name of a band or an id, which uses no threshold."""
    lists = ("bands", "unless", "not_valid_if", "exclude_if", "evidence_for", "evidence_against")
    own = [one for key in lists for one in root.blocks(key)]
    suggestions = root.block("suggestions")
    for one in suggestions.blocks("items") if suggestions else ():
        own += [one, *one.blocks("guards")]
    return sum((one.text("id") == word) + (one.text("action") == word) for one in own)


def _is_first(root: Block, word: str, name: str) -> bool:
    """Tell whether an input is the one whose unit chooses the formula: it counts by that."""
    inputs = root.block("inputs")
    return (
        word == "inputs"
        and "formula_in" in root
        and next(iter(inputs.keys if inputs else ()), "") == name
    )


def _check_library(root: Block, key: str, what: str, used: Counter[str], context: Context) -> None:
    block = root.block(key)
    if block is None:
        return
    for name, value in block.entries():
        if isinstance(value, Block) and (
            value.flag("governs") or value.text("resource") == "Patient"
        ):
            continue
        if used[name.text] <= Counter(words_below(value))[name.text]:
            _report(root, block, name, key, what, context)


def _check_file(root: Block, used: Counter[str], context: Context) -> None:
    name = root.text("id")
    # Its own `id:` is one file that says the name.
    if used[name] <= 1 and "id" in root and root.text("status") != "retired":
        context.report.add(
            "CDS204",
            root.at("id"),
            f"the condition `{name}` is used by nothing",
            help="use it, or remove the file",
        )


def _report(
    root: Block, block: Block, key: Scalar, section: str, what: str, context: Context
) -> None:
    rest = len(block.keys) > 1
    edit = taken_out(block, key) if rest else taken_out(root, root.keys[section])
    context.report.add(
        "CDS204",
        key,
        f"the {what} `{key.text}` is used by nothing",
        help="use it, or take it out",
        fix=Fix(f"take `{key.text}` out", (edit,)),
    )
