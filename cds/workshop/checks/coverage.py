"""
What the cases of a rule leave out: CDS702, CDS703, CDS704.

Every case is run, which takes seconds: these are the checks of `cds check --thorough`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cds.core.clauses import Place
from cds.rulefiles.fixes import Edit, Fix
from cds.rulefiles.headers import plain_value
from cds.rulefiles.nodes import Block, Items, Node
from cds.workshop.checks.context import Context
from cds.workshop.testing.cases import every_rule
from cds.workshop.testing.expectations import Rule
from cds.workshop.testing.lab import Lab
from cds.workshop.thoroughness.coverage import Coverage, Edge, coverage_of
from cds.workshop.thoroughness.suggesting import suggest_sides
from cds.workshop.thoroughness.writing_cases import as_yaml, end_of_tests

__all__ = ["check"]

_GUARDS: Final = ("unless", "suggestions", "exclude_if", "not_valid_if")
_BANDS: Final = ("bands", "grades", "lines")


def check(context: Context) -> None:
    """Report what no case of a rule sees; a rule without cases has CDS701 already."""
    lab = Lab(context.rules, engine="reference")
    try:
        for rule in every_rule(context.rules):
            if rule.tests and rule.status != "retired":
                _check(context, lab, rule)
    finally:
        lab.close()


def _check(context: Context, lab: Lab, rule: Rule) -> None:
    found = coverage_of(lab, rule)
    advice = f"`cds test --suggest {rule.id}` proposes cases"
    _answers(context, found, advice)
    root = context.root_of(rule)
    for name, seen in found.guards.items():
        if not seen:
            context.report.add(
                "CDS702",
                _written_at(root, _GUARDS, name.split(".")),
                f"in no case of `{rule.id}` does `{name}` block",
                help=advice,
            )
    for edge in found.edges:
        if not (edge.below and edge.above):
            _edge(context, lab, rule, edge)
    for name, seen in found.reached.items():
        if not seen:
            context.report.add(
                "CDS704",
                _written_at(root, _BANDS, [name]),
                f"no case of `{rule.id}` reaches `{name}`",
                help=advice,
            )


def _answers(context: Context, found: Coverage, advice: str) -> None:
    for row in found.rows:
        if row.missing:
            seen = ", ".join(sorted(row.seen)) or "nothing"
            context.report.add(
                "CDS702",
                row.place,
                f"in no case of `{found.rule}` is `{row.text}` {' or '.join(row.missing)}",
                label=f"the cases see: {seen}",
                help=advice,
            )


def _edge(context: Context, lab: Lab, rule: Rule, edge: Edge) -> None:
    side = "just above" if edge.below else "just below" if edge.above else "on either side of"
    name = edge.limit.threshold.name or edge.text
    context.report.add(
        "CDS703",
        edge.place,
        f"no case of `{rule.id}` stands {side} `{name}`",
        label=f"the cases have {', '.join(edge.used)}" if edge.used else "no case has a number",
        help="write a case for each side, at most one unit in the last place away",
        fix=_cases(context, lab, rule, edge),
    )


def _cases(context: Context, lab: Lab, rule: Rule, edge: Edge) -> Fix | None:
    """Write the cases that are missing at the end of `tests:`; somebody must read them."""
    root = context.root_of(rule)
    text = root.source.text
    patients = {
        key.text: {name: plain_value(one) for name, one in node.values.items()}
        for key, node in root.pairs("patients")
        if isinstance(node, Block)
    }
    taken = [case.name.partition(" [")[0] for case in rule.tests]
    cases = as_yaml(lab.rules, suggest_sides(lab, rule, edge), patients, taken)
    end = end_of_tests(text)
    if end is None or not cases:
        return None
    if not text[:end].endswith("\n"):
        cases = f"\n{cases}"
    if "\r\n" in text:
        cases = cases.replace("\n", "\r\n")
    return Fix("write the cases", (Edit(rule.place.path, end, end, cases),), safe=False)


def _written_at(root: Block, keys: tuple[str, ...], words: list[str]) -> Place:
    """Say where a file writes a name, below one of some keys; else where it names the rule."""
    for key in keys:
        nodes: list[Node] = [root.values[key]] if key in root else []
        place: Place | None = None
        for word in words:
            found = next((one for node in nodes for one in _called(node, word)), None)
            if found is None:
                break
            place, inner = found
            nodes = [inner]
        else:
            if place is not None:
                return place
    return root.at("id").place


def _called(node: Node, word: str) -> Iterator[tuple[Place, Node]]:
    """Find the blocks with a name, and the keys that are one."""
    if isinstance(node, Block):
        for name in ("id", "name", "label"):
            if node.text(name) == word:
                yield node.at(name).place, node
        for key, value in node.entries():
            if key.text == word:
                yield key.place, value
            yield from _called(value, word)
    elif isinstance(node, Items):
        for one in node:
            yield from _called(one, word)
