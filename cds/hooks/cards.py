"""
Decisions to CDS Hooks cards, and what the response says about its own evaluation.

A card carries its whole basis (`docs/reading-cards.md`): what fired, each input with value,
unit, date and age, what was missing and why, the cut-offs in plain words, sources,
limits, rule and version, ways to disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cds.core.drafted import orders_asked_about
from cds.core.facts import Gap, NotUsed, Snapshot
from cds.core.findings import CardFinding, Conclusions, Decision, Offer
from cds.core.headers import Citation
from cds.core.rules import Card, OverrideReason, Profile, Ruleset, SourceText
from cds.core.targets import named_orders
from cds.hooks.suggestions import Change, Draft, Suggesting
from cds.hooks.wire import RULE
from cds.hooks.words import Words, age

__all__ = ["closing_of", "compose", "evaluation", "evidence_of", "override_reasons_of"]


def compose(
    rules: Ruleset,
    snapshot: Snapshot,
    conclusions: Conclusions,
    decision: Decision,
    *,
    draft: Draft,
    change: Change,
    new_uuid: Callable[[], str],
    faults: Mapping[str, tuple[str, ...]] | None = None,
    on_undrafted: Callable[[str], None] = lambda _: None,
    on_unwritten: Callable[[str, Exception], None] | None = None,
) -> list[dict[str, Any]]:
    """
    Write the cards of a decision, the most urgent first.

    *draft* fills and validates a resource template, *change* puts other members into a
    draft of the call; *faults* names, by resource key, places where a cited resource is
    not valid R4. A draft that fails is left out, named on its card and told to
    *on_undrafted*; one of the call that cannot be reached is left to the reader. A card
    that cannot be written says so in its place and is told to *on_unwritten*, so that no
    rule takes the cards of others along (ERR-13); without *on_unwritten* the error is
    raised. Nothing in a card is empty or null.
    """
    words = Words(rules, snapshot, conclusions)
    suggesting = Suggesting(
        rules,
        snapshot,
        words,
        draft=draft,
        change=change,
        new_uuid=new_uuid,
        on_undrafted=on_undrafted,
    )
    writer = _Writer(rules, snapshot, conclusions, words, suggesting, new_uuid, faults or {})
    cards = []
    for finding in decision.shown:
        try:
            cards.append(writer.card(finding))
        except Exception as error:
            if on_unwritten is None:
                raise
            on_unwritten(finding.card, error)
            cards.append(writer.unwritten(finding))
    return cards


class _Writer:
    """Writes the cards of one response."""

    def __init__(
        self,
        rules: Ruleset,
        snapshot: Snapshot,
        conclusions: Conclusions,
        words: Words,
        suggesting: Suggesting,
        new_uuid: Callable[[], str],
        faults: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._rules = rules
        self._snapshot = snapshot
        self._conclusions = conclusions
        self._words = words
        self._suggesting = suggesting
        self._new_uuid = new_uuid
        self._faults = faults

    def card(self, finding: CardFinding) -> dict[str, Any]:
        """Write one card with everything that became a part of it."""
        card = self._rules.cards[finding.card]
        suggestions = self._suggesting.of((finding, *finding.merged))
        written: dict[str, Any] = {
            "uuid": self._new_uuid(),
            "summary": self._summary(finding),
            "indicator": finding.indicator,
            "detail": "\n\n".join(self._blocks(finding)),
            "source": self._source(card),
        }
        if suggestions:
            written["suggestions"] = suggestions
            written["selectionBehavior"] = card.choose
        profile = self._rules.profile
        reasons = override_reasons_of(
            profile, [one for one in profile.override_reasons if one.code in card.override_reasons]
        )
        if reasons:
            written["overrideReasons"] = reasons
        if card.links:
            written["links"] = [dict(link) for link in card.links]
        rule = self._rule(card, finding)
        orders = self._orders(finding, *finding.merged, *finding.appended)
        drafts = named_orders(orders, self._snapshot)
        if drafts:
            rule["drafts"] = list(drafts)
        written["extension"] = {RULE: rule}
        return written

    def unwritten(self, finding: CardFinding) -> dict[str, Any]:
        """Write in the place of a card that it could not be written."""
        card = self._rules.cards[finding.card]
        return {
            "uuid": self._new_uuid(),
            "summary": f"{card.title[:_LONGEST_TITLE]}: could not be evaluated",
            "indicator": finding.indicator,
            "detail": f"{_UNWRITTEN}\n\n{self._footer(card, finding)}",
            "source": self._source(card),
            "extension": {RULE: self._rule(card, finding)},
        }

    def _rule(self, card: Card, finding: CardFinding) -> dict[str, Any]:
        rule: dict[str, Any] = {
            "code": card.code,
            "id": card.id,
            "version": card.version,
            "release": self._rules.release,
        }
        others = (*finding.merged, *finding.appended)
        if others:
            rule["codes"] = [card.code, *(self._rules.cards[one.card].code for one in others)]
        return rule

    def _orders(self, *findings: CardFinding) -> Iterable[str]:
        """Name the concepts of which an order can be why these cards are shown."""
        for one in findings:
            card = self._rules.cards[one.card]
            rules = self._rules
            yield from orders_asked_about(card, rules.conditions, rules.cards, rules.concepts)

    def _summary(self, finding: CardFinding) -> str:
        card = self._rules.cards[finding.card]
        return self._words.summary(card.summaries[finding.summary].say, card, finding)

    def _source(self, card: Card) -> dict[str, Any]:
        profile = self._rules.profile
        text = self._rules.sources.get(card.source)
        label = profile.source_label
        if text is not None:
            label = f"{label}: {_titled(text)}"
        source: dict[str, Any] = {"label": label}
        url = (text.url if text is not None else "") or profile.source_url
        if url:
            source["url"] = url
        source["topic"] = {"system": profile.topic_system, "code": card.code, "display": card.title}
        return source

    # --- detail -----------------------------------------------------------------

    def _blocks(self, finding: CardFinding) -> Iterable[str]:
        card = self._rules.cards[finding.card]
        limits: set[str] = set()
        yield from self._body(finding, limits)
        for other in finding.appended:
            yield f"**Also:** {self._summary(other)}."
            yield from self._said(other)
        for other in finding.merged:
            code = self._rules.cards[other.card].code
            yield f"### {self._summary(other)} ({code})"
            yield from self._body(other, limits)
        yield self._footer(card, finding)

    def _body(self, finding: CardFinding, told: set[str]) -> Iterable[str]:
        """Write one rule; a limit in *told* stands above already."""
        card = self._rules.cards[finding.card]
        yield from self._said(finding)
        table, missing = self._basis(card)
        if table:
            yield "**Based on**\n\n" + "\n".join(table)
        if missing:
            yield "**Not considered**\n\n" + "\n".join(missing)
        drivers = list(self._drivers(card))
        if drivers:
            yield "**Drivers**\n\n" + "\n".join(drivers)
        if finding.notes:
            names = ", ".join(dict.fromkeys(self._words.title(name) for name in finding.notes))
            yield self._rules.profile.texts["not_known"].replace("{{names}}", names)
        for offer in finding.offers:
            yield from self._about_offer(card, offer)
        if card.logic:
            yield f"**Rule:** {self._words.fill(card.logic, card, finding)}"
        moved = "; ".join(self._moved(card))
        if moved:
            yield f"**Changed for this site:** {moved}."
        cited = "; ".join(self._cited(card.about.evidence))
        if cited:
            grade = f" Evidence grade {card.grade}." if card.grade else ""
            yield f"**Evidence:** {cited}.{grade}"
        limits = [*card.about.limits]
        if card.upkeep.clinical_review == "pending":
            limits.append(self._rules.profile.texts["pending"])
        limits = [one for one in limits if one not in told]
        told.update(limits)
        if limits:
            yield "**Limits:** " + " ".join(limits)

    def _moved(self, card: Card) -> Iterable[str]:
        """Say which cut-offs of this card, and of what it prints, are the site's own."""
        for one in self._rules.profile.overrides:
            what, _, rest = one.key.partition(".")
            rule, _, name = rest.rpartition(".")
            if what == "thresholds" and (rule == card.id or rule in card.inputs):
                words = name.replace("_", " ")
                yield f"{self._words.title(rule)}, {words}: {one.site} in place of {one.rule}"

    def _said(self, finding: CardFinding) -> Iterable[str]:
        card = self._rules.cards[finding.card]
        for at in finding.details:
            yield self._words.fill(card.details[at].say, card, finding)

    def _basis(self, card: Card) -> tuple[list[str], list[str]]:
        rows = []
        missing = []
        names = [self._words.full_name(name, card) for name in card.inputs]
        for name in names:
            value = self._words.value(name)
            title = self._words.title(name)
            if not value:
                missing.append(f"- {title}: {self._words.gap(name)}")
                continue
            days = self._words.days(name)
            written = age(days) if days is not None else ""
            rows.append(
                f"| {title} | {value}{self._remark(name)} | {self._words.when(name)} | {written} |"
            )
            newer = self._newer_unused(name)
            if newer:
                missing.append(f"- {title}: {newer}")
        if rows:
            rows = ["| Input | Value | Date | Age |", "| --- | --- | --- | --- |", *rows]
        return rows, missing

    def _remark(self, name: str) -> str:
        """Add what must be known with a number: how it was made, what was wrong with it."""
        remarks: list[str] = []
        index = self._rules.indices.get(name)
        if index is not None:
            found = self._conclusions.numbers.get(name)
            if found is not None:
                remarks.extend(found.notes)
                if found.criteria:
                    unknown = sum(one.is_unknown for one in found.criteria.values())
                    remarks.append(f"of {len(found.criteria)}")
                    remarks.extend([f"{unknown} unknown"] if unknown else [])
            if index.note:
                remarks.append(index.note)
        for result in self._cited_results(name):
            places = self._faults.get(result)
            if places:
                remarks.append(f"used although not valid R4 at {', '.join(places)}")
        return f" ({'; '.join(dict.fromkeys(remarks))})" if remarks else ""

    def _cited_results(self, name: str) -> Iterable[str]:
        if name in self._rules.concepts:
            datum = self._words.datum(name)
            if datum is not None and datum.result is not None:
                yield datum.result.source.key
        elif name in self._conclusions.numbers:
            for result in self._conclusions.numbers[name].results:
                yield result.source.key

    def _newer_unused(self, name: str) -> str:
        datum = self._words.datum(name) if name in self._rules.concepts else None
        if datum is None:
            return ""
        for one in self._snapshot.unusable.get(name, ()):
            if one.reason in _SAID and one.days is not None and one.days < datum.days:
                return f"a newer result was not used ({one.reason})"
        return ""

    def _drivers(self, card: Card) -> Iterable[str]:
        for name in card.drivers:
            found = self._conclusions.grades.get(name)
            if found is None or found.state != "graded":
                continue
            low, high = found.points
            points = _counted(low)
            if low != high:
                points += f", up to {high} if all were known"
            yield f"- {self._words.title(name)}: {found.grade} ({points})"

    def _about_offer(self, card: Card, offer: Offer) -> Iterable[str]:
        action = self._rules.actions[offer.action]
        if offer.offered:
            if action.id in self._suggesting.undrafted:
                yield f"Could not be drafted here, please do it by hand: {action.label}."
            if action.id in self._suggesting.by_hand:
                yield f"A draft cannot be reached from here, please do it by hand: {action.label}."
            if offer.warnings:
                yield f"**{action.label}:** {' '.join(offer.warnings)}"
            if not action.resources and not action.drafts:
                yield f"Consider: {self._words.fill(action.description, card)}"
            return
        item = next(one for one in card.suggestions if one.id == offer.suggestion)
        guard = next(one for one in item.guards if one.id == offer.blocked_by)
        yield f"Not offered: {action.label}. {guard.because}"

    def _cited(self, evidence: Iterable[Citation]) -> Iterable[str]:
        for one in evidence:
            text = self._rules.sources.get(one.cite)
            if text is None:
                continue
            strength = ", ".join(
                part for part in (one.strength, f"grade {one.grade}" if one.grade else "") if part
            )
            ours = "our reading: " if one.inferred else ""
            tail = f" [{strength}]" if strength else ""
            yield f"{_titled(text)} ({ours}{one.supports}){tail}"

    def _footer(self, card: Card, finding: CardFinding) -> str:
        others = (*finding.merged, *finding.appended)
        parts = [card, *(self._rules.cards[one.card] for one in others)]
        rules = ", ".join(f"{one.code} {one.version}" for one in parts)
        return f"Rule {rules}, release {self._rules.release}. {closing_of(self._rules.profile)}"


def override_reasons_of(
    profile: Profile, reasons: Iterable[OverrideReason]
) -> list[dict[str, str]]:
    """Write reasons of the profile as a card offers them."""
    return [
        {"code": one.code, "system": profile.override_system, "display": one.display}
        for one in reasons
    ]


def closing_of(profile: Profile) -> str:
    """Give the words that every card ends with."""
    texts = profile.texts
    return " ".join(texts[key] for key in ("judgement", "not_absent", "not_device") if key in texts)


_SAID = frozenset({Gap.UNIT, Gap.IMPLAUSIBLE, Gap.CONFLICT, Gap.FUTURE, Gap.STATUS, Gap.COMPARATOR})


def _counted(points: int) -> str:
    return "1 point" if points == 1 else f"{points} points"


def _titled(source: SourceText) -> str:
    """Name a source: who issued it, title, year."""
    title = source.title
    if source.by and source.by not in title and len(source.by) <= _LONGEST_ISSUER:
        title = f"{source.by}: {title}"
    return title if str(source.year) in title else f"{title} ({source.year})"


_LONGEST_ISSUER = 80
_LONGEST_TITLE = 100
_UNWRITTEN = (
    "This rule applies to this patient, and what it says could not be written: a fault of this "
    "service, which has been reported. Please look at the record yourself."
)


def evidence_of(
    rules: Ruleset, conclusions: Conclusions, decision: Decision, snapshot: Snapshot
) -> dict[str, Any]:
    """Collect the resources that the shown cards cite, by their key, each once."""
    words = Words(rules, snapshot, conclusions)
    found: dict[str, Any] = {}
    todo = [part for one in decision.shown for part in (one, *one.merged)]
    for finding in todo:
        for name in rules.cards[finding.card].inputs:
            if name in rules.concepts:
                datum = words.datum(name)
                results = [datum.result] if datum is not None and datum.result else []
            elif name in conclusions.numbers:
                results = list(conclusions.numbers[name].results)
            else:
                results = []
            for result in results:
                found.setdefault(result.source.key, result.source.raw)
    return found


def evaluation(
    rules: Ruleset,
    snapshot: Snapshot,
    conclusions: Conclusions,
    decision: Decision,
    *,
    engine: str,
    trace_id: str,
    read: frozenset[str],
    off: Iterable[str] = (),
) -> dict[str, Any]:
    """
    Say what was evaluated, without anything of the patient but the stage label.

    *off* names the groups that are switched off: an answer without their cards says so.

    Rule codes only; empty members are left out, so readers take absent as empty.
    """

    def codes(names: Iterable[str]) -> list[str]:
        return [rules.cards[name].code for name in names if rules.cards[name].is_rule]

    shown: list[str] = []
    for one in decision.shown:
        shown.extend((one.card, *(part.card for part in (*one.merged, *one.appended))))
    about: dict[str, Any] = {
        "fired": codes(decision.fired),
        "shown": codes(shown),
        "quiet": codes(decision.quiet),
        "cut": codes(decision.cut),
        "switchedOff": codes(decision.switched_off),
        "withheld": [
            {"rule": rules.cards[one.card].code, "because": one.because}
            for one in decision.withheld
            if rules.cards[one.card].is_rule
        ],
        "unknown": [
            {
                "rule": rules.cards[name].code,
                "needs": list(dict.fromkeys(need.name for need in needs)),
            }
            for name, needs in decision.unknown
            if rules.cards[name].is_rule and needs
        ],
    }
    about = {name: value for name, value in about.items() if value}
    not_used = [
        {"concept": one.concept, "reason": str(one.reason), "count": one.count}
        for one in (*snapshot.not_used, *_stale(rules, snapshot, read))
    ]
    found: dict[str, Any] = {
        "release": rules.release,
        "profile": rules.profile.id,
        "asOf": snapshot.as_of.isoformat(),
        "engine": engine,
        "stage": conclusions.stage.label,
        "traceId": trace_id,
    }
    if not conclusions.stage.label:
        del found["stage"]
    if about:
        found["rules"] = about
    if not_used:
        found["notUsed"] = not_used
    switched_off = sorted(off)
    if switched_off:
        found["switchedOff"] = switched_off
    return found


def _stale(rules: Ruleset, snapshot: Snapshot, read: frozenset[str]) -> Iterable[NotUsed]:
    """Count results older than their concept allows."""
    for name in sorted(read.intersection(snapshot.results)):
        within = rules.concepts[name].within
        if within is None:
            continue
        count = sum(one.days > within for one in snapshot.results[name])
        if count:
            yield NotUsed(name, Gap.STALE, count)
