"""
Codes of concepts: exact ones, prefixes that end in `*`, and ranges of ICD-10-CM.
"""

from __future__ import annotations

import re
from typing import Final

from cds.core.concepts import CodeRule
from cds.rulefiles.names import Names
from cds.rulefiles.nodes import Block, Items, Scalar

__all__ = ["read_codes", "read_codes_if"]

_ICD: Final = "icd10cm"
_RANGE: Final = re.compile(r"([A-Z])(\d[\dA-Z])-([A-Z])(\d[\dA-Z])")
_DOTTED: Final = re.compile(r"([A-Z]\d[\dA-Z])\.(\d+)-([A-Z]\d[\dA-Z])\.(\d+)")
_THIRD: Final = "0123456789AB"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_IFS: Final = frozenset({"age", "with"})
_AGE: Final = re.compile(r"(above|below) (\d+) years")


def read_codes(
    block: Block | None, names: Names, *, history: bool = False, fasting: bool = False
) -> list[CodeRule]:
    """Read `{loinc: [..], icd10cm: [..]}`."""
    found: list[CodeRule] = []
    if block is None:
        return found
    for system, node in block.entries():
        if system.text not in names.systems:
            names.missing("a code system", system.text, system.place, names.systems)
        if not isinstance(node, Items):
            continue
        for one in node.items:
            if isinstance(one, Scalar):
                found += [
                    CodeRule(
                        system=system.text,
                        code=code,
                        prefix=prefix,
                        history=history,
                        with_fasting=fasting,
                    )
                    for code, prefix in _expand(system.text, one, names)
                ]
    return found


def read_codes_if(blocks: list[Block], names: Names) -> list[CodeRule]:
    """Read `[{icd10cm: [N95.1], age: above 50 years}, {icd10cm: [E88.1], with: hiv}]`."""
    found: list[CodeRule] = []
    for block in blocks:
        match = _AGE.fullmatch(block.text("age"))
        if match is None and ("age" in block or "with" not in block):
            names.report.add(
                "CDS105",
                block.at("age") if "age" in block else block,
                "codes under `codes_if` need an age, or another problem",
                help="write `age: above 50 years`, `age: below 50 years` or `with: NAME`",
            )
            continue
        years = int(match[2]) if match else None
        side = match[1] if match else ""
        inner = Block(block.source, block.start, block.end)
        inner.keys = {name: key for name, key in block.keys.items() if name not in _IFS}
        inner.values = {name: one for name, one in block.values.items() if name not in _IFS}
        found += [
            CodeRule(
                system=rule.system,
                code=rule.code,
                prefix=rule.prefix,
                age_above=years if side == "above" else None,
                age_below=years if side == "below" else None,
                with_problem=block.text("with"),
            )
            for rule in read_codes(inner, names)
        ]
    return found


def _expand(system: str, node: Scalar, names: Names) -> list[tuple[str, bool]]:
    """Give codes with whether each is a prefix; what a range spans, with its children."""
    code = node.text
    if code.endswith("*"):
        return [(code[:-1], True)]
    if system != _ICD or "-" not in code:
        return [(code, False)]
    found: list[tuple[str, bool]] = []
    dotted = _DOTTED.fullmatch(code)
    chapters = _RANGE.fullmatch(code)
    if dotted and dotted[1] == dotted[3] and len(dotted[2]) == len(dotted[4]):
        width = len(dotted[2])
        found = [
            (f"{dotted[1]}.{number:0{width}d}", True)
            for number in range(int(dotted[2]), int(dotted[4]) + 1)
        ]
    elif chapters:
        first, last = code.split("-")
        found = [
            (category, True)
            for letter in _LETTERS
            for second in "0123456789"
            for third in _THIRD
            if first <= (category := letter + second + third) <= last
        ]
    if not found:
        names.report.add(
            "CDS105",
            node,
            f"`{code}` is not a range of ICD-10-CM codes",
            help="write `C00-C96` or `Z68.25-Z68.29`, the lower end first",
        )
    return found
