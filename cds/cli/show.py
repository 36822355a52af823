"""
Cards on a terminal, as a clinician would see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from cds.cli.console import clean
from cds.core.facts import Gap
from cds.core.hooks import DEFAULT_HOOK
from cds.core.rules import Ruleset
from cds.hooks.wire import EVALUATION, RULE
from cds.service.pipeline import Answer
from cds.workshop.why.values import Values

__all__ = ["show", "show_trial"]

_COLOURS: Final = {"critical": "red", "warning": "yellow", "info": "blue"}


def show(
    answer: Answer, rules: Ruleset, out: Console, *, brief: bool = False, ids: bool = False
) -> None:
    """
    Print the cards of an answer, then what was concluded and what was left out.

    *brief* gives a line to each card, *ids* names the resources that were not used.
    """
    cards = answer.response["cards"]
    about = answer.response.get("extension", {}).get(EVALUATION, {})
    out.print(_headline(cards, about))
    hook = answer.snapshot.hook if answer.snapshot is not None else DEFAULT_HOOK
    out.print(Text(_counts(about.get("rules", {}), rules, hook), style="dim"))
    for card in cards:
        if brief:
            out.print(_line(card))
            continue
        out.print()
        out.print(_card(card))
    notes = list(_notes(answer, about, rules, ids=ids))
    if notes:
        out.print()
        for note in notes:
            out.print(Padding(note, (0, 0, 0, 1), expand=False))
    out.print()


def show_trial(cards: Sequence[Mapping[str, Any]], out: Console) -> None:
    """Print the cards on trial that nobody is shown."""
    count = len(cards)
    text = f"On trial: {count or 'no'} card{'s' * (count != 1)} would have been shown"
    out.print(Text(text, style="bold"))
    for card in cards:
        out.print()
        out.print(_card(card))
    out.print()


def _headline(cards: Sequence[Any], about: Mapping[str, Any]) -> Text:
    count = len(cards)
    text = Text.assemble((f"{count or 'No'} card" + "s" * (count != 1), "bold"))
    for label, name in (("stage", "stage"), ("as of", "asOf"), ("release", "release")):
        if name in about:
            value = clean(str(about[name]))
            day = value[: len("2026-11-21")]
            text.append(f"  {label} ", style="dim").append(day if name == "asOf" else value)
    return text


def _counts(sorts: Mapping[str, Any], rules: Ruleset, hook: str) -> str:
    """Count what became of the rules that were considered; what is nobody is left out."""
    considered = [
        one
        for one in rules.cards.values()
        if one.is_rule and one.status == "active" and hook in one.hooks
    ]
    counts = [(len(considered), "rules considered")]
    counts += [
        (len(sorts.get(name, ())), word)
        for name, word in (
            ("cut", "left out"),
            ("quiet", "quiet"),
            ("withheld", "withheld"),
            ("unknown", "not decided"),
        )
    ]
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _line(card: Mapping[str, Any]) -> Text:
    indicator = str(card["indicator"])
    code = card.get("extension", {}).get(RULE, {}).get("code", "")
    return Text.assemble(
        (f"  {indicator:<8} ", f"bold {_COLOURS.get(indicator, 'white')}"),
        clean(card["summary"]),
        (f"  {code}", "dim"),
    )


def _card(card: Mapping[str, Any]) -> Panel:
    indicator = str(card["indicator"])
    colour = _COLOURS.get(indicator, "white")
    title = Text(f" {indicator.upper()} ", style=f"bold reverse {colour}")
    rule = card.get("extension", {}).get(RULE, {})
    return Panel(
        Group(*_parts(card, colour)),
        title=title,
        title_align="left",
        subtitle=Text(f"{rule.get('code', '')} {rule.get('version', '')}".strip(), style="dim"),
        subtitle_align="right",
        border_style=colour,
        padding=(1, 2),
    )


def _parts(card: Mapping[str, Any], colour: str) -> Iterator[RenderableType]:
    yield Text(clean(card["summary"]), style=f"bold {colour}")
    if card.get("detail"):
        yield Text()
        yield Markdown(clean(card["detail"]), hyperlinks=False)
    if card.get("suggestions"):
        yield Text()
        one = card.get("selectionBehavior") == "at-most-one"
        yield Text("Suggestions" + (" (choose one)" if one else ""), style="bold")
        for suggestion in card["suggestions"]:
            yield from _suggestion(suggestion)
    yield Text()
    yield Text.assemble(("Source  ", "dim"), clean(card["source"]["label"]))
    if card["source"].get("url"):
        yield Text.assemble(("        ", "dim"), (clean(card["source"]["url"]), "dim underline"))
    for link in card.get("links", ()):
        yield Text.assemble(("Link    ", "dim"), clean(link["label"]), " ", clean(link["url"]))


def _suggestion(suggestion: Mapping[str, Any]) -> Iterator[RenderableType]:
    label = Text.assemble("  [ ] ", clean(suggestion["label"]))
    if suggestion.get("isRecommended"):
        label.append("  recommended", style="italic green")
    yield label
    for action in suggestion.get("actions", ()):
        resource = action.get("resource", {})
        kind = resource.get("resourceType", "")
        words = [str(resource[name]) for name in ("status", "intent") if name in resource]
        drafted = f" ({' '.join([*words, kind])})" if kind else ""
        yield Padding(
            Text(clean(action["description"]) + drafted, style="dim"), (0, 0, 0, 6), expand=False
        )


def _notes(
    answer: Answer, about: Mapping[str, Any], rules: Ruleset, *, ids: bool
) -> Iterator[Text]:
    """Say what did not become a card, in the words of the rule files."""
    titles = {
        name: one.title
        for table in (rules.conditions, rules.indices, rules.concepts)
        for name, one in table.items()
    }
    named = {one.code: one.title for one in rules.cards.values()}
    sorts = about.get("rules", {})
    for word, sentence in (("cut", "Left out for a more important card"), ("quiet", "Quiet")):
        for code in sorts.get(word, ()):
            yield _note(sentence, f"{named.get(code, '')} ({code})")
    for one in sorts.get("withheld", ()):
        yield _note("Withheld", f"{named.get(one['rule'], '')} ({one['rule']}): {one['because']}")
    reasons = _reasons(answer, rules)
    unknown: dict[str, list[str]] = {}
    for one in sorts.get("unknown", ()):
        for need in one["needs"]:
            unknown.setdefault(need, []).append(one["rule"])
    for need, codes in sorted(unknown.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        why = f" ({reasons[need]})" if reasons.get(need) else ""
        yield _note("Not known", f"{titles.get(need, need)}{why}, undecided: {', '.join(codes)}")
    for one in about.get("notUsed", ()):
        title = titles.get(one["concept"], one["concept"])
        keys = _not_used(answer, rules, one) if ids else ()
        named_ids = f" ({', '.join(keys)})" if keys else ""
        yield _note("Not used", f"{one['count']} x {title}: {one['reason']}{named_ids}")


def _reasons(answer: Answer, rules: Ruleset) -> Mapping[str, str]:
    """Say of each name that left a rule undecided why it is not known."""
    if answer.snapshot is None or answer.decision is None:
        return {}
    values = Values(rules, answer.snapshot)
    return {
        # What is too old is told with its value, without brackets inside brackets.
        need.name: values.reasons([need], need.name).replace(" (", ", ").rstrip(")")
        for _, needs in answer.decision.unknown
        for need in needs
    }


def _not_used(answer: Answer, rules: Ruleset, one: Mapping[str, Any]) -> Sequence[str]:
    """Name the resources of a concept that were not used for a reason."""
    snapshot, concept = answer.snapshot, one["concept"]
    if snapshot is None:
        return ()
    keys = [
        left_out.source.resource
        for left_out in snapshot.unusable.get(concept, ())
        if left_out.reason == one["reason"]
    ]
    within = rules.concepts[concept].within if concept in rules.concepts else None
    if one["reason"] == Gap.STALE and within is not None:
        results = snapshot.results.get(concept, ())
        keys += [result.source.resource for result in results if result.days > within]
    return list(dict.fromkeys(keys))


def _note(what: str, text: str) -> Text:
    return Text.assemble((f"{what}: ", "dim"), clean(text))
