"""
Indices: inputs, validity, formula and bands.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Literal, cast

from cds.core.clauses import Case, Threshold
from cds.core.indices import Band, FormulaExpr, Gate, Index, Input, Number, Pair
from cds.core.quantity import Conversion, read_unit
from cds.rulefiles.conditions import first_name, read_condition, read_required
from cds.rulefiles.diagnostics import a
from cds.rulefiles.formulas import Vocabulary, parse_formula
from cds.rulefiles.headers import check_ids, read_common
from cds.rulefiles.names import AGE, Scope
from cds.rulefiles.nodes import Block, Node, Scalar
from cds.rulefiles.thresholds import Target, literal, read_amount, read_thresholds

__all__ = ["read_index"]


def read_index(root: Block, scope: Scope) -> Index:
    """Read an index."""
    targets = scope.inputs
    inputs = tuple(
        _read_input(key, node, targets, scope)
        for key, node in root.pairs("inputs")
        if isinstance(node, Block)
    )
    unit = read_unit(root.text("unit", "1"), is_code=True)
    groups = scope.names.groups_of_people
    constants = {
        name: written.as_written
        for name, written in read_thresholds(root.block("constants"), scope.report, groups).items()
    }
    conditions = {key.text: read_condition(node, scope) for key, node in root.pairs("conditions")}
    words = Vocabulary(targets, set(constants), set(conditions))
    let: dict[str, FormulaExpr] = {}
    for key, node in root.pairs("let"):
        let[key.text] = _formula(node, words, scope)
        words.steps.add(key.text)
    formula = root.get("formula")
    _check_how(root, scope)
    check_ids(root.blocks("not_valid_if"), "gates", scope)
    return Index(
        **read_common(root, scope),
        inputs=inputs,
        same_draw=_read_pairs(root, targets, scope),
        not_valid_if=tuple(_read_gate(one, scope) for one in root.blocks("not_valid_if")),
        unit=unit,
        digits=_digits(root.text("show")),
        formula=None if formula is None else _formula(formula, words, scope),
        formula_in=_read_formula_in(root, inputs, words, scope),
        let=let,
        constants=constants,
        conditions=conditions,
        count_of={key.text: read_condition(node, scope) for key, node in root.pairs("count_of")},
        first_of=_read_members(root, "first_of", scope),
        highest_known_of=_read_members(root, "highest_known_of", scope),
        bands=_read_bands(root, unit, scope),
        note=root.text("note"),
    )


def _digits(text: str) -> int:
    word = text.partition(" ")[0]
    return int(word) if word.isdigit() else 0


def _check_how(root: Block, scope: Scope) -> None:
    every = ("formula", "formula_in", "count_of", "highest_known_of")
    ways = [word for word in every if word in root]
    # `first_of` may name a formula of its own.
    ways += ["first_of"] * ("first_of" in root and bool({*every[2:]} & {*ways}))
    if len(ways) > 1 or not (ways or "first_of" in root):
        scope.report.add(
            "CDS104",
            root.at("id"),
            "an index says in one way how it is worked out",
            notes=[f"found: {', '.join(ways)}"] if ways else [],
            help="write `formula:`, `formula_in:`, `count_of:`, `first_of:` or `highest_known_of:`",
        )


def _formula(node: Node, words: Vocabulary, scope: Scope) -> FormulaExpr:
    if isinstance(node, Scalar):
        return parse_formula(node, words, scope.report)
    scope.report.add("CDS105", node, "expected a formula", help="quote it")
    return Number(Decimal(0))


def _read_input(key: Scalar, node: Block, targets: dict[str, Target], scope: Scope) -> Input:
    ways = [word for word in ("concept", "index", "reading", "age") if word in node]
    what = ways[0] if len(ways) == 1 else "age"
    if len(ways) != 1:
        scope.report.add(
            "CDS104",
            key,
            f"the input `{key.text}` does not say what it is",
            help="write one of `concept:`, `index:`, `reading:` and `age: true`",
        )
    name = "age" if what == "age" else node.text(what)
    at = node.at(what).place
    if scope.kind(name) != what:
        known = [one for one in scope.known() if scope.kind(one) == what]
        scope.names.missing(a(what), name, at, known)
        targets[key.text] = AGE
    else:
        targets[key.text] = scope.target(name)
        scope.lean(what, scope.full(name), at)
    within = node.days("within")
    concept = scope.names.concepts.get(name)
    if what == "concept" and concept is not None:
        within = within or concept.within
        if within is None:
            scope.report.add(
                "CDS410",
                key,
                f"the input `{key.text}` may be of any age",
                help="add `within: 365 days`",
            )
    other = node.get("same_collection_as")
    if isinstance(other, Scalar) and other.text not in targets:
        scope.names.missing("an earlier input", other.text, other.place, targets)
    return Input(
        name=key.text,
        source=scope.full(name),
        what=cast("Literal['concept', 'index', 'age', 'reading']", what),
        within=within,
        optional=node.flag("optional"),
        same_collection_as=node.text("same_collection_as"),
    )


def _read_pairs(root: Block, targets: dict[str, Target], scope: Scope) -> tuple[Pair, ...]:
    node = root.get("same_draw")
    blocks = [node] if isinstance(node, Block) else root.blocks("same_draw")
    found = []
    for block in blocks:
        for one in block.scalars("of"):
            if one.text not in targets:
                scope.names.missing("an input", one.text, one.place, targets)
        found.append(Pair(block.texts("of"), block.days("within") or 0))
    return tuple(found)


def _read_gate(block: Block, scope: Scope) -> Gate:
    when = read_required(block, "when", scope)
    choice = block.text("if_unknown")
    if not choice:
        scope.report.add(
            "CDS420",
            block.at("when"),
            "this does not say what to do when the answer is unknown",
            help="add `if_unknown: withhold` or `if_unknown: compute`",
        )
    return Gate(
        when=when,
        because=block.text("because"),
        if_unknown=cast("Literal['withhold', 'compute']", choice),
        id=block.text("id") or first_name(when),
    )


def _read_formula_in(
    root: Block, inputs: tuple[Input, ...], words: Vocabulary, scope: Scope
) -> dict[str, FormulaExpr]:
    found: dict[str, FormulaExpr] = {}
    for key, node in root.pairs("formula_in"):
        unit = read_unit(key.text, is_code=True)
        first = inputs[0].name if inputs else ""
        target = words.inputs.get(first)
        if target is None or unit not in target.units:
            scope.report.add(
                "CDS301",
                key,
                f"`{first}` is not sent in {unit}",
                notes=[f"accepted units: {', '.join(target.units)}"] if target else [],
            )
        words.as_sent = (first, unit)
        found[unit] = _formula(node, words, scope)
    words.as_sent = ("", "")
    return found


def _read_members(root: Block, key: str, scope: Scope) -> tuple[str, ...]:
    found = []
    for one in root.scalars(key):
        name = one.text
        may_be_own = name == "formula" and key == "first_of"
        if not may_be_own and scope.kind(name) not in {"concept", "index"}:
            known = [word for word in scope.known() if scope.kind(word) != "condition"]
            scope.names.missing("a concept or an index", name, one.place, known)
        scope.lean(scope.kind(name), name, one.place)
        found.append(name)
    return tuple(found)


# --- bands ------------------------------------------------------------------------


def _read_bands(root: Block, unit: str, scope: Scope) -> tuple[Band, ...]:
    target = Target(root.text("id"), unit, {unit: Conversion()})
    bands: list[tuple[Band, Block]] = []
    for block in root.blocks("bands"):
        low = _end(block.get("from"), target, scope)
        high = _end(block.get("below"), target, scope)
        bands.append((Band(block.text("name"), low, high), block))
    bands.sort(key=lambda one: _lowest(one[0]))
    if bands:
        _check_bands(bands, scope)
    return tuple(band for band, _ in bands)


def _end(node: Node | None, target: Target, scope: Scope) -> Threshold | None:
    if not isinstance(node, Scalar):
        return None
    amount = read_amount(node.text)
    if amount is None:
        written = scope.written(node.text, node.place)
    else:
        written = literal(str(amount[0]), amount[1] or target.unit, node.place)
    return None if written is None else written.fit(target, node.place, scope.report)


def _lowest(band: Band) -> tuple[int, Decimal]:
    if band.low is None or not band.low.cases:
        return 0, Decimal(0)
    return 1, band.low.cases[0].value


def _check_bands(bands: list[tuple[Band, Block]], scope: Scope) -> None:
    (first, first_block), (last, last_block) = bands[0], bands[-1]
    if first.low is not None:
        _gap(first_block.at("from"), f"no band covers what lies below `{first.name}`", scope)
    if last.high is not None:
        _gap(last_block.at("below"), f"no band covers what lies above `{last.name}`", scope)
    for (lower, lower_block), (upper, upper_block) in pairwise(bands):
        if lower.high is None or upper.low is None:
            open_ = lower_block if lower.high is None else upper_block
            scope.report.add(
                "CDS406",
                open_,
                f"`{lower.name}` and `{upper.name}` overlap: an end is missing",
                help="end one with `below:` where the next begins with `from:`",
            )
            continue
        names = f"`{lower.name}` and `{upper.name}`"
        _compare_ends(names, lower.high, upper.low, upper_block.at("from"), scope)


def _compare_ends(names: str, end: Threshold, start: Threshold, node: Node, scope: Scope) -> None:
    if end.cases == start.cases:
        return
    for below, above in _for_equal_people(end.cases, start.cases):
        if below.value < above.value:
            _gap(node, f"no band covers {below.value} to {above.value}", scope)
        elif below.value > above.value:
            scope.report.add(
                "CDS406",
                node,
                f"{names} both cover {above.value} to {below.value}",
                help="begin the next band where the one before ends",
            )


def _for_equal_people(lower: tuple[Case, ...], upper: tuple[Case, ...]) -> list[tuple[Case, Case]]:
    """Pair the cases that can hold for one person."""
    return [
        (one, other)
        for one in lower
        for other in upper
        if (not one.sex or not other.sex or one.sex == other.sex)
        and (not one.group or not other.group or one.group == other.group)
        and (one.age_below is None or (other.age_from or 0) < one.age_below)
        and (other.age_below is None or (one.age_from or 0) < other.age_below)
    ]


def _gap(node: Node, headline: str, scope: Scope) -> None:
    scope.report.add(
        "CDS405",
        node,
        headline,
        help="begin each band where the one before ends; leave the outer ends open",
    )
