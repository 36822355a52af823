"""
What words mean: concepts, searches and code systems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal, cast

from cds.core.concepts import Concept, Fasting, Search, TextPattern
from cds.core.quantity import EXACT, Conversion, read_unit
from cds.rulefiles.codes import read_codes, read_codes_if
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.names import Declared, Names
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.rulefiles.thresholds import read_range

__all__ = ["check_concepts", "read_concepts", "read_searches"]

_FACTOR: Final = re.compile(r"(?:([x/]) (\d+(?:\.\d+)?)(?: ([+-]) (\d+(?:\.\d+)?))?)|=")
_CODED: Final = frozenset({"quantity", "answer", "date", "problem", "procedure"})


def read_searches(roots: list[Block], names: Names) -> None:
    """Read the searches and code systems of every concept file."""
    for root in roots:
        systems = root.block("systems")
        for name in systems.values if systems else ():
            names.systems[name] = systems.texts(name)  # type: ignore[union-attr]
        groups = root.block("groups_of_people")
        for group in groups.values if groups else ():
            names.groups_of_people[group] = None
            for code in groups.texts(group):  # type: ignore[union-attr]
                names.people[code] = group
        names.people_extension = root.text("group_extension", names.people_extension)
        for key, node in root.pairs("searches"):
            if not isinstance(node, Block):
                continue
            if key.text in names.searches:
                names.report.add("CDS203", key, f"`{key.text}` is already the name of a search")
                continue
            names.searches[key.text] = Search(
                id=key.text,
                resource=node.text("resource"),
                title=node.text("title"),
                count=node.whole("count"),
                by_code=node.flag("by_code"),
                sort=node.text("sort"),
                parameters={
                    name.text: one.text
                    for name, one in node.pairs("parameters")
                    if isinstance(one, Scalar)
                },
                lists=node.text("lists"),
            )


def read_concepts(roots: list[Block], names: Names) -> None:
    """Read the concepts of every file, and enter their names."""
    for root in roots:
        for key, node in root.pairs("concepts"):
            if not isinstance(node, Block):
                continue
            unit = read_unit(node.text("unit"), is_code=True) if "unit" in node else ""
            declared = Declared("concept", key.text, key.place, unit or "1")
            if names.declare(names.operands, declared):
                concept = _read_concept(key, node, unit, names)
                names.concepts[key.text] = concept
                for word in (concept.signal, concept.title, *(one.code for one in concept.codes)):
                    names.aliases.setdefault(word.lower(), key.text)


def check_concepts(roots: list[Block], names: Names) -> None:
    """Check what concepts say of one another, once all are read."""
    for root in roots:
        for key, node in root.pairs("concepts"):
            if not isinstance(node, Block):
                continue
            company = [block.get("with") for block in node.blocks("codes_if")]
            named = [one for one in company if isinstance(one, Scalar)]
            for word in ("fasting_with", "begins", "ends", "gives_way_to"):
                named += node.scalars(word)
            for one in named:
                if one.text not in names.concepts:
                    names.missing("a concept", one.text, one.place, names.concepts)
            _check_search(key, node, names)


def _check_search(key: Scalar, node: Block, names: Names) -> None:
    search = node.get("search")
    if isinstance(search, Scalar) and search.text not in names.searches:
        names.missing("a search", search.text, search.place, names.searches)
    type_ = node.text("type")
    if search is None and type_ != "episode":
        names.report.add(
            "CDS104",
            key,
            f"`{key.text}` does not say which search brings it",
            help="add `search:` with a name of `searches:`",
        )
    if type_ == "quantity" and "unit" not in node:
        names.report.add(
            "CDS104",
            key,
            f"`{key.text}` is a quantity without a unit",
            help='add `unit:` with a UCUM unit, or `unit: "1"`',
        )
    if type_ in _CODED and "codes" in node and "verified" not in node:
        names.report.add(
            "CDS206",
            key,
            f"the codes of `{key.text}` are not marked as verified",
            help="add `verified:` with the mark of the register",
        )


def _read_concept(key: Scalar, node: Block, unit: str, names: Names) -> Concept:
    report = names.report
    excluded = read_codes(node.block("not_codes"), names)
    codes = [
        *read_codes(node.block("codes"), names),
        *read_codes(node.block("codes_if_fasting"), names, fasting=True),
        *read_codes(node.block("codes_ever"), names, history=True),
        *read_codes_if(node.blocks("codes_if"), names),
    ]
    company = node.texts("fasting_with")
    return Concept(
        id=key.text,
        signal=node.text("signal"),
        title=node.text("title"),
        type=node.text("type"),
        search=node.text("search"),
        place=key.place,
        unit=unit,
        units=_read_units(node, unit, report),
        show_digits=node.whole("shows"),
        within=node.days("within"),
        codes=tuple(codes),
        not_codes=tuple(excluded),
        text=_read_text(node.block("text")),
        not_routes=node.texts("not_routes"),
        routes={
            route.text: tuple(one.text for one in words.items if isinstance(one, Scalar))
            for route, words in node.pairs("routes")
            if isinstance(words, Items)
        },
        answers={
            code.text: one.text for code, one in node.pairs("answers") if isinstance(one, Scalar)
        },
        fasting=Fasting(company) if company else None,
        conflicts=node.flag("conflicts"),
        danger=cast("Literal['', 'high', 'low']", node.text("danger")),
        acute=cast("Literal['unusable', 'usable']", node.text("acute", "usable")),
        pregnancy_days=node.days("pregnancy"),
        usual=_read_usual(node.block("usual")),
        absent_means=cast(
            "Literal['unknown', 'false_if_list_complete']",
            node.text("absent_means", "unknown"),
        ),
        counts_for=node.days("counts_for"),
        begins=node.texts("begins"),
        ends=node.texts("ends"),
        longest=node.days("longest"),
        verified=node.text("verified"),
        governs=node.flag("governs"),
        attribute=cast(
            "Literal['', 'gender identity', 'social determinants', 'health assessment']",
            node.text("attribute"),
        ),
        may_lie_ahead=node.flag("may_lie_ahead"),
        relatives=node.texts("relatives"),
        gives_way_to=node.texts("gives_way_to"),
        negated_by=node.texts("negated_by"),
    )


def _read_text(block: Block | None) -> TextPattern | None:
    if block is None:
        return None
    return TextPattern(
        words=block.texts("words"),
        beginnings=block.texts("beginnings"),
        endings=block.texts("endings"),
        without=block.texts("without"),
        unless=block.texts("unless"),
    )


def _read_usual(block: Block | None) -> Mapping[str, Any]:
    if block is None:
        return {}
    return {
        "mean_of": block.whole("mean_of"),
        "within": block.days("within"),
        "single_if_category": block.texts("single_if_category"),
    }


def _read_units(node: Block, unit: str, report: Report) -> dict[str, Conversion]:
    if not unit:
        return {}
    low, high = _plausible(node.get("plausible"), report)
    found = {unit: Conversion(low=low, high=high)}
    for key, one in node.pairs("units"):
        text: Node | None = one
        bounds: tuple[Decimal | None, Decimal | None] = (None, None)
        if isinstance(one, Block):
            text = one.get("times")
            bounds = _plausible(one.get("plausible"), report)
        how = _conversion(text, report)
        if how is None:
            continue
        factor, offset = how
        if bounds == (None, None) and low is not None and high is not None:
            # Without a range of its own a unit inherits the canonical one.
            plain = Conversion(factor, offset)
            bounds = (plain.from_canonical(low), plain.from_canonical(high))
        accepted = read_unit(key.text, is_code=True)
        if accepted in found:
            report.add("CDS103", key, f"the unit `{key.text}` is accepted twice", help="keep one")
            continue
        found[accepted] = Conversion(factor, offset, *bounds)
    return found


def _plausible(node: Node | None, report: Report) -> tuple[Decimal | None, Decimal | None]:
    if node is None:
        return None, None
    bounds = read_range(node.text) if isinstance(node, Scalar) else None
    if bounds is None or bounds[0] > bounds[1]:
        report.add(
            "CDS105",
            node,
            "`plausible` is not a range",
            help="write two numbers, the lower first: `20 to 800`",
        )
        return None, None
    return bounds


def _conversion(node: Node | None, report: Report) -> tuple[Decimal, Decimal] | None:
    match = _FACTOR.fullmatch(node.text) if isinstance(node, Scalar) else None
    if match is None:
        if node is not None:
            report.add(
                "CDS105",
                node,
                "expected how this unit becomes the canonical one",
                help='write `x 18.016`, `/ 6.0`, `x 0.09148 + 2.152`, or `"="`',
            )
        return None
    if match[1] is None:
        return Decimal(1), Decimal(0)
    factor = Decimal(match[2])
    if not factor:
        report.add("CDS105", cast("Node", node), "a factor cannot be zero")
        return None
    if match[1] == "/":
        factor = EXACT.divide(Decimal(1), factor)
    offset = Decimal(match[4] or 0)
    return factor, -offset if match[3] == "-" else offset
