"""
Cards: when they are shown, what they say, what they offer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, cast

from cds.core.clauses import Expr
from cds.core.drafted import draft_reason
from cds.core.hooks import ACTS, Act
from cds.core.rules import Card, Condition, Cut, Guard, Say, Suggestion
from cds.rulefiles.conclusions import read_exclusions
from cds.rulefiles.conditions import first_name, read_condition, read_optional, read_required
from cds.rulefiles.diagnostics import did_you_mean, listed
from cds.rulefiles.headers import check_cite, check_ids, plain_value, read_common
from cds.rulefiles.holes import check_all_holes, static_length
from cds.rulefiles.names import Names, Scope
from cds.rulefiles.nodes import Block, Items, Node, Scalar
from cds.rulefiles.silence import read_quiet

__all__ = ["INDICATORS", "check_drafts", "read_card"]

INDICATORS: Final = ("info", "warning", "critical")
_MOST_SUMMARY: Final = 140
_OFFER: Final = re.compile(r"first of \[([^\]]*)\] whose result is (not known|not raised)")
_WORD: Final = re.compile(r"[^\s,]+")


def read_card(root: Block, scope: Scope) -> Card:
    """Read a card."""
    face = root.block("card") or Block(root.source, root.start, root.end)
    suggestions = root.block("suggestions")
    items = suggestions.blocks("items") if suggestions else []
    show_if = read_required(root, "show_if", scope)
    unless = read_exclusions(root.blocks("unless"), scope, ("hide", "note", "show"))
    priorities = _read_priorities(root.get("priority"), scope)
    card = Card(
        code=root.text("code"),
        hooks=root.texts("hooks"),
        group=_group(root, scope),
        priority=priorities[-1][0] if priorities else root.whole("priority") or 0,
        show_if=show_if,
        unless=unless,
        inputs=_read_inputs(root, scope),
        indicators=_read_indicators(face.get("indicator"), scope),
        summaries=_read_says(face.get("summary"), scope),
        details=_read_says(face.get("detail"), scope),
        source=_read_source(face, scope),
        grade=root.text("grade"),
        suggestions=_read_suggestions(items, scope),
        choose=cast(
            "Literal['any', 'at-most-one']",
            suggestions.text("choose", "any") if suggestions else "any",
        ),
        override_reasons=_read_reasons(root, scope),
        needs_draft=root.flag("needs_draft"),
        needs_offer=root.flag("needs_offer"),
        appended_to=_read_cards(root, "appended_to", scope),
        cuts=_read_cuts(root.blocks("cuts"), scope),
        quiet=read_quiet(root.block("quiet"), scope),
        links=tuple(plain_value(one) for one in face.blocks("links")),
        logic=root.text("logic"),
        drivers=_read_drivers(root, scope),
        priorities=priorities,
        **read_common(root, scope),
    )
    _check_texts(root, face, scope)
    _check_acts(card, scope)
    return card


_ASKED: Final[Mapping[Act, str]] = {
    "ordered": "what is being ordered",
    "added": "which problem is being added",
    "refilled": "which medicine is being refilled",
}


def _check_acts(card: Card, scope: Scope) -> None:
    """Report a question about drafts on a card whose hooks bring none."""
    brought = {ACTS[hook] for hook in card.hooks if hook in ACTS}
    for act, at in dict.fromkeys(scope.acts):
        if act not in brought:
            hooks = [hook for hook, one in ACTS.items() if one == act]
            scope.report.add(
                "CDS413",
                at,
                f"no hook of this card says {_ASKED[act]}",
                notes=[f"hooks: {listed(card.hooks)}"],
                help=f"add {listed(hooks)} to `hooks:`, or ask what is present",
            )


def check_drafts(
    root: Block, conditions: Mapping[str, Condition], cards: Mapping[str, Card], names: Names
) -> None:
    """Report `needs_draft` on a card in which nothing could be a draft."""
    card = cards[root.text("id")]
    if card.needs_draft and draft_reason(card, conditions, cards, names.concepts) is None:
        names.report.add(
            "CDS413",
            root.at("needs_draft"),
            f"nothing in `show_if` of `{card.id}` could be a draft",
            notes=[f"hooks: {listed(card.hooks)}"],
            help="ask what is `present or ordered`, and list a hook that brings orders",
        )


# --- the card as such -------------------------------------------------------------


def _group(root: Block, scope: Scope) -> str:
    _known_group(root, scope)
    return root.text("group")


def _known_group(block: Block, scope: Scope) -> None:
    node = block.get("group")
    if isinstance(node, Scalar) and node.text not in scope.names.groups:
        scope.names.missing("a group", node.text, node.place, scope.names.groups)


def _read_source(face: Block, scope: Scope) -> str:
    source = face.block("source")
    cite = source.get("cite") if source else None
    if not isinstance(cite, Scalar):
        return ""
    check_cite(cite, scope.names)
    return cite.text


def _read_inputs(root: Block, scope: Scope) -> tuple[str, ...]:
    allowed = {"concept", "index", "reading", "age"}
    found = []
    for one in root.scalars("inputs"):
        kind = scope.kind(one.text)
        if kind not in allowed:
            known = [word for word in scope.known() if scope.kind(word) in allowed]
            scope.names.missing("a concept, an index or a reading", one.text, one.place, known)
        scope.lean(kind, scope.full(one.text), one.place)
        found.append(scope.full(one.text))
    return tuple(found)


def _read_cuts(blocks: list[Block], scope: Scope) -> tuple[Cut, ...]:
    found = []
    for block in blocks:
        _known_group(block, scope)
        if not block.values:
            scope.report.add(
                "CDS104", block, "this cut does not say what it takes",
                help="write `{indicator: info}`, `{group: diet}`, or both",
            )  # fmt: skip
        found.append(Cut(indicator=block.text("indicator"), group=block.text("group")))
    return tuple(found)


def _read_drivers(root: Block, scope: Scope) -> tuple[str, ...]:
    for one in root.scalars("drivers"):
        if scope.kind(one.text) != "factor":
            known = [word for word in scope.known() if scope.kind(word) == "factor"]
            scope.names.missing("a factor", one.text, one.place, known)
        scope.lean(scope.kind(one.text), one.text, one.place)
    return root.texts("drivers")


def _read_cards(root: Block, key: str, scope: Scope) -> tuple[str, ...]:
    for one in root.scalars(key):
        if one.text not in scope.names.cards:
            scope.names.missing("a card", one.text, one.place, scope.names.cards)
    return root.texts(key)


def _read_reasons(root: Block, scope: Scope) -> tuple[str, ...]:
    known = scope.names.reasons
    if root.text("override_reasons") == "all":
        return tuple(known)
    for one in root.scalars("override_reasons"):
        if one.text not in known:
            scope.names.missing("an override reason", one.text, one.place, known)
    return root.texts("override_reasons")


def _read_indicators(node: Node | None, scope: Scope) -> tuple[tuple[str, Expr | None], ...]:
    if isinstance(node, Scalar):
        _check_indicator(node, scope)
        return ((node.text, None),)
    found = _read_cases(node, scope)
    for word, _ in found:
        _check_indicator(word, scope)
    return tuple((word.text, condition) for word, condition in found)


def _read_priorities(node: Node | None, scope: Scope) -> tuple[tuple[int, Expr | None], ...]:
    if not isinstance(node, Items):
        return ()
    found = []
    for word, condition in _read_cases(node, scope):
        if not word.text.isdigit():
            scope.report.add("CDS105", word, "expected a number", help="{12: CONDITION}")
            continue
        found.append((int(word.text), condition))
    return tuple(found)


def _read_cases(node: Node | None, scope: Scope) -> list[tuple[Scalar, Expr | None]]:
    """Read `[{critical: CONDITION}, {warning: otherwise}]`: the first that is proved."""
    found: list[tuple[Scalar, Expr | None]] = []
    for block in node.items if isinstance(node, Items) else ():
        if not isinstance(block, Block) or len(block.values) != 1:
            scope.report.add(
                "CDS105", block, "expected one word with its condition",
                help="write `{critical: CONDITION}`, and `{warning: otherwise}` last",
            )  # fmt: skip
            continue
        ((key, inner),) = block.entries()
        last = isinstance(inner, Scalar) and inner.text == "otherwise"
        found.append((key, None if last else read_condition(inner, scope)))
    if node is not None and (not found or found[-1][1] is not None):
        scope.report.add(
            "CDS104", node, "nothing is left when no condition holds",
            help="end the list with `{info: otherwise}`",
        )  # fmt: skip
    return found


def _check_indicator(word: Scalar, scope: Scope) -> None:
    if word.text not in INDICATORS:
        scope.report.add(
            "CDS105", word, f"`{word.text}` is not an indicator",
            help=did_you_mean(word.text, INDICATORS) or "info, warning or critical",
        )  # fmt: skip


# --- texts ------------------------------------------------------------------------


def _read_says(node: Node | None, scope: Scope) -> tuple[Say, ...]:
    if isinstance(node, Scalar):
        return (Say(node.text, None, node.place),)
    found = []
    for one in node.items if isinstance(node, Items) else ():
        if isinstance(one, Scalar):
            found.append(Say(one.text, None, one.place))
        elif isinstance(one, Block):
            condition = read_optional(one, "if", scope)
            found.append(Say(one.text("say"), condition, one.at("say").place))
    return tuple(found)


def _check_texts(root: Block, face: Block, scope: Scope) -> None:
    for key in ("summary", "detail", "links"):
        node = face.get(key)
        if node is not None:
            check_all_holes(node, scope)
    for key in ("logic", "show_if", "suggestions", "unless"):
        node = root.get(key)
        if node is not None:
            check_all_holes(node, scope)
    summary = face.get("summary")
    says = summary.items if isinstance(summary, Items) else [summary]
    for one in says:
        said = one.get("say") if isinstance(one, Block) else one
        if isinstance(said, Scalar) and static_length(said.text) >= _MOST_SUMMARY:
            scope.report.add(
                "CDS501",
                said,
                f"the summary has {static_length(said.text)} characters before its "
                f"holes are filled; CDS Hooks wants fewer than {_MOST_SUMMARY}",
                help="move the rest into `detail:`",
            )
    last = says[-1] if says else None
    if isinstance(last, Block) and "if" in last:
        scope.report.add(
            "CDS104",
            last.at("if"),
            "no summary is left when no condition holds",
            help="leave the `if:` out of the last one",
        )


# --- suggestions ------------------------------------------------------------------


def _read_suggestions(blocks: list[Block], scope: Scope) -> tuple[Suggestion, ...]:
    check_ids(blocks, "suggestions", scope)
    found: list[Suggestion] = []
    seen: set[str] = set()
    for block in blocks:
        first_of, choices = _read_offer(block.get("offer"), scope)
        _check_action(block.get("action"), scope)
        if ("action" in block) == ("offer" in block):
            scope.report.add(
                "CDS104",
                block,
                f"suggestion `{block.text('id')}` needs an action",
                help="write either `action: ID` or `offer: first of [..] whose result is "
                "not known`",
            )
        one = Suggestion(
            id=block.text("id"),
            action=block.text("action"),
            offer_if=read_optional(block, "offer_if", scope),
            guards=_read_guards(block, scope),
            place=block.place,
            label=block.text("label"),
            recommended=block.flag("recommended"),
            only_instead=block.flag("only_instead"),
            first_of=first_of,
            choices=choices,
            raised=_read_raised(block, first_of, choices, scope),
        )
        seen.add(one.id)
        found.append(one)
    for block in blocks:
        _check_instead(block, seen, scope)
    return tuple(found)


def _check_action(node: Node | None, scope: Scope) -> None:
    if isinstance(node, Scalar) and node.text not in scope.names.actions:
        scope.names.missing("an action of the library", node.text, node.place, scope.names.actions)


def _read_offer(node: Node | None, scope: Scope) -> tuple[str, tuple[str, ...]]:
    """Read `first of [A, B] whose result is not known`."""
    if node is None:
        return "", ()
    if not isinstance(node, Scalar) or (match := _OFFER.fullmatch(node.text)) is None:
        scope.report.add(
            "CDS110",
            node,
            "`offer` cannot be read",
            help='"first of [order_fpg, order_hba1c] whose result is not known"',
        )
        return "", ()
    choices = []
    for word in _WORD.finditer(match[1]):
        at = node.span(match.start(1) + word.start(), match.start(1) + word.end())
        action = word[0]
        if action not in scope.names.actions:
            scope.names.missing("an action of the library", action, at, scope.names.actions)
        elif not scope.names.results.get(action):
            scope.report.add(
                "CDS104", at, f"the action `{action}` does not say what it measures",
                help="give the action a `result:` with the name of a concept",
            )  # fmt: skip
        choices.append(action)
    return match[2], tuple(choices)


def _read_raised(
    block: Block, first_of: str, choices: tuple[str, ...], scope: Scope
) -> dict[str, Expr]:
    """Read when the result of each choice is raised; asked for exactly where it matters."""
    found = {}
    for key, node in block.pairs("raised_if"):
        if key.text not in choices:
            scope.names.missing("a choice of this offer", key.text, key.place, choices)
        found[key.text] = read_condition(node, scope)
    wanted = choices if first_of == "not raised" else ()
    if {*wanted} - {*found}:
        scope.report.add(
            "CDS104",
            block.at("offer"),
            f"`{block.text('id')}` does not say when each result is raised",
            help="add `raised_if: {"
            + ", ".join(f"{name}: CONDITION" for name in choices if name not in found)
            + "}`",
        )
    if found and not wanted:
        scope.report.add(
            "CDS102",
            block.keys["raised_if"],
            "`raised_if` says nothing about this offer",
            help="write `whose result is not raised`, or take it out",
        )
    return found


def _read_guards(block: Block, scope: Scope) -> tuple[Guard, ...]:
    node = block.get("guards")
    if isinstance(node, Scalar) and node.text == "none":
        return ()
    guards = block.blocks("guards")
    if not guards:
        scope.report.add(
            "CDS105",
            node or block,
            f"suggestion `{block.text('id')}` does not say what guards it",
            help="write `guards: none` where nothing does",
        )
    check_ids(guards, f"guards of `{block.text('id')}`", scope)
    return tuple(_read_guard(one, scope) for one in guards)


def _read_guard(block: Block, scope: Scope) -> Guard:
    when = read_required(block, "block_if", scope)
    name = block.text("id") or first_name(when)
    node = block.get("if_unknown")
    choice, instead, warn = block.text("if_unknown"), "", ""
    if isinstance(node, Block):
        instead, warn = node.text("instead"), node.text("warn")
        choice = "instead" if instead else "warn" if warn else ""
    if not choice:
        scope.report.add(
            "CDS420",
            block.at("block_if"),
            f"guard `{name}` does not say what to do when the answer is unknown",
            help="add `if_unknown: block`, `hide`, `show`, `{instead: ID}` or `{warn: text}`",
        )
    return Guard(
        id=name,
        when=when,
        because=block.text("because"),
        if_unknown=cast("Literal['block', 'show', 'instead', 'warn', 'hide']", choice),
        instead=instead,
        warn=warn,
        relevant=read_optional(block, "when_relevant", scope),
    )


def _check_instead(block: Block, known: set[str], scope: Scope) -> None:
    for guard in block.blocks("guards"):
        choice = guard.block("if_unknown")
        node = choice.get("instead") if choice else None
        if isinstance(node, Scalar) and node.text not in known:
            scope.names.missing("a suggestion of this card", node.text, node.place, known)
