"""
Profiles: what a site has otherwise than the rule files, key by key, inside their limits.

A profile extends another, down to the default one; of two that say something of one key
the nearer counts. It can move a threshold that its rule lets be moved, add codes, choose
units for texts, switch a card or a suggestion off or to trial, lengthen a silence and
replace links. It has no key for anything else: no guard goes, no silence gets shorter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from operator import eq, ge, gt, le, lt
from typing import Final

from cds.core.clauses import Place
from cds.core.concepts import CodeRule, Concept
from cds.core.quantity import read_unit
from cds.core.reads import concepts_read
from cds.core.rules import Card, OverrideReason, Profile, Ruleset
from cds.rulefiles.codes import read_codes
from cds.rulefiles.diagnostics import Report, did_you_mean, listed
from cds.rulefiles.headers import read_tests
from cds.rulefiles.libraries import NO_PROFILE, read_profile
from cds.rulefiles.localising import LocalCards, LocalThresholds
from cds.rulefiles.names import Declared, Names, Scope
from cds.rulefiles.nodes import Block, Scalar
from cds.rulefiles.overrides import Overrides
from cds.rulefiles.thresholds import Written

__all__ = ["DEFAULT", "Site", "chain_of"]

DEFAULT: Final = "default"

_PIN: Final = re.compile(r"(>=|<=|>|<|=)(\d+(?:\.\d+)*)")
_SIGNS: Final = {">=": ge, "<=": le, ">": gt, "<": lt, "=": eq}
_RELEASE: Final = re.compile(r"\d+(?:\.\d+)*")
_CODED: Final = frozenset(
    {"quantity", "answer", "date", "problem", "medicine", "procedure", "plan", "family"}
)
_UNCODED: Final = frozenset({"episode", "person"})


def chain_of(roots: list[Block], profile: str, folder: str, report: Report) -> list[Block]:
    """Follow `extends` from *profile* down; give the profiles, the default one first."""
    known = {root.text("id"): root for root in roots}
    if profile != DEFAULT and profile not in known:
        report.add(
            "CDS201",
            Place(f"{folder}/profiles/{profile}.yaml", 1, 1),
            f"`{profile}` is not a profile",
            notes=[f"profiles: {listed(known)}"],
            help=did_you_mean(profile, known),
        )
    found: list[Block] = []
    name = profile
    while name in known:
        root = known[name]
        found.append(root)
        below = root.get("extends")
        if not isinstance(below, Scalar):
            break
        name = below.text
        if any(one.text("id") == name for one in found):
            path = [*(one.text("id") for one in found), name]
            report.add(
                "CDS210",
                below,
                " -> ".join(path[path.index(name) :]),
                label="extends itself",
                help="let one of them extend `default`",
            )
            break
        if name not in known:
            report.add(
                "CDS201",
                below,
                f"`{name}` is not a profile",
                notes=[f"profiles: {listed(known)}"],
                help=did_you_mean(name, known),
            )
    return found[::-1]


class Site:
    """
    The profiles of one chain, and what they change while a folder is loaded.

    Each change is made where the thing itself is read, so that everything that is
    checked of it is checked of the site's as well.
    """

    def __init__(self, chain: list[Block], names: Names) -> None:
        self._chain = chain
        self._sites = [root for root in chain if "extends" in root]
        self._names = names
        self._report = names.report
        self._overrides = Overrides(names.report)
        self._shown: dict[str, str] = {}
        self._thresholds = LocalThresholds(self._sites, names, self._overrides)
        self._cards = LocalCards(self._sites, names, self._overrides)

    def localise(self, rule: str, found: dict[str, Written]) -> dict[str, Written]:
        """Put the numbers of the site into the thresholds of a rule."""
        return self._thresholds.localise(rule, found)

    def card(self, card: Card) -> Card:
        """Give a card as the site has it."""
        return self._cards.card(card)

    # --- names ----------------------------------------------------------------------

    @property
    def reasons(self) -> list[Block]:
        """Give the override reasons of the nearest profile that lists any."""
        for root in reversed(self._chain):
            if "override_reasons" in root:
                return root.blocks("override_reasons")
        return []

    def add_systems(self) -> None:
        """Enter the code systems of the site, and their addresses."""
        for root in self._sites:
            block = root.block("systems") or root
            added = block.block("add")
            for name in added.values if added else ():
                known = self._names.systems.get(name, ())
                self._names.systems[name] = (*known, *added.texts(name))  # type: ignore[union-attr]

    def add_codes(self) -> None:
        """Add the codes of the site to its concepts, and read in which units they show."""
        for root in self._sites:
            for key, node in root.pairs("codes"):
                concept = self._concept(key)
                if concept is not None and isinstance(node, Block):
                    self._add_codes(key, concept, read_codes(node.block("add"), self._names))
            for key, node in root.pairs("show_units"):
                concept = self._concept(key)
                if concept is not None and isinstance(node, Scalar):
                    self._show_in(key, concept, node)

    def _concept(self, key: Scalar) -> Concept | None:
        found = self._names.concepts.get(key.text)
        if found is None:
            self._names.missing("a concept", key.text, key.place, self._names.concepts)
        return found

    def _add_codes(self, key: Scalar, concept: Concept, codes: list[CodeRule]) -> None:
        if concept.type in _UNCODED:
            self._report.add(
                "CDS205",
                key,
                f"`{concept.id}` is not found by codes",
                notes=[f"it is a concept of type {concept.type}"],
            )
            return
        for one in codes:
            if any(_covers(refused, one) for refused in concept.not_codes):
                self._report.add(
                    "CDS802",
                    key,
                    f"`{concept.id}` refuses the code {one.code}",
                    notes=["`not_codes` of the concept keeps it out on purpose"],
                    help="leave it out, or ask the owner of the concept",
                )
        self._names.concepts[concept.id] = replace(concept, codes=(*concept.codes, *codes))
        self._overrides.note(
            f"codes.{concept.id}",
            key,
            rule=f"{len(concept.codes)} codes",
            site="also " + ", ".join(f"{one.system} {one.code}" for one in codes),
        )

    def _show_in(self, key: Scalar, concept: Concept, node: Scalar) -> None:
        unit = read_unit(node.text, is_code=True)
        if unit not in concept.units:
            self._report.add(
                "CDS301",
                node,
                f"`{concept.id}` cannot be shown in {node.text}",
                notes=[f"accepted units: {', '.join(concept.units)}"] if concept.units else [],
                help="choose one of the units of the concept",
            )
            return
        self._shown[concept.id] = unit
        self._overrides.note(f"show_units.{concept.id}", key, rule="as received", site=unit)

    # --- the profile as a whole -----------------------------------------------------

    def profile(self, release: str) -> Profile:
        """Give the profile that counts, once everything is read."""
        self._thresholds.check_ranges()
        self._check_names()
        root = self._chain[-1] if self._chain else None
        if root is None or "extends" in self._chain[0]:
            return NO_PROFILE
        base = read_profile(self._chain[0])
        if root is self._chain[0]:
            self._check_group(root)
            return base
        texts, group = dict(base.texts), base.ethnic_group
        sends: tuple[str, ...] = ()
        for site in self._sites:
            self._check_group(site)
            texts |= self._texts(site, base.texts)
            group = self._group(site, group)
            systems = site.block("systems")
            sends = systems.texts("sends") if systems and "sends" in systems else sends
        reasons = self._reasons(base)
        for site in self._sites:
            self._check_pin(site, release)
        return replace(
            base,
            id=root.text("id"),
            title=root.text("title"),
            override_reasons=reasons,
            texts=texts,
            ethnic_group=group,
            extends=root.text("extends"),
            pinned=root.text("rules"),
            overrides=self._overrides.all(),
            show_units=dict(self._shown),
            sends=sends,
            tests=read_tests(root, Scope(self._names, root.text("id"))),
        )

    def _texts(self, site: Block, base: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for key, node in site.pairs("texts"):
            if key.text not in base:
                self._report.add(
                    "CDS102",
                    key,
                    f"no card has a text called `{key.text}`",
                    notes=[f"texts: {listed(base)}"],
                    help=did_you_mean(key.text, base),
                )
            elif isinstance(node, Scalar):
                found[key.text] = node.text
                self._overrides.note(f"texts.{key.text}", key, rule=base[key.text], site=node.text)
        return found

    def _group(self, site: Block, before: str) -> str:
        group = site.text("ethnic_group", before)
        if group != before:
            key = site.keys["ethnic_group"]
            self._overrides.note("ethnic_group", key, rule=before or "as recorded", site=group)
        return group

    def _reasons(self, base: Profile) -> tuple[OverrideReason, ...]:
        reasons = tuple(
            OverrideReason(one.text("code"), one.text("display"), one.text("hl7"))
            for one in self.reasons
        )
        if reasons != base.override_reasons:
            root = next(one for one in reversed(self._sites) if "override_reasons" in one)
            before, after = (
                ", ".join(one.code for one in some) for some in (base.override_reasons, reasons)
            )
            self._overrides.note(
                "override_reasons", root.keys["override_reasons"], rule=before, site=after
            )
        return reasons

    def _check_group(self, root: Block) -> None:
        group = root.get("ethnic_group")
        known = self._names.groups_of_people
        if isinstance(group, Scalar) and group.text and group.text not in known:
            self._names.missing("a group of people", group.text, group.place, known)

    def _check_names(self) -> None:
        """Report what the profile says of rules that there are not."""
        every: dict[str, Declared] = {**self._names.operands, **self._names.stages}
        rules = [name for name, one in every.items() if one.kind != "concept"]
        for rule, key in self._thresholds.left():
            self._names.missing("a rule", rule, key.place, [*rules, *self._names.cards])
        for card, key in self._cards.left():
            self._names.missing("a card", card, key.place, self._names.cards)
        for block in self._sites[-1].blocks("tests") if self._sites else ():
            rule = block.text("rule")
            if rule not in rules and rule not in self._names.cards:
                at = block.at("rule").place
                self._names.missing("a rule", rule, at, [*rules, *self._names.cards])

    def _check_pin(self, site: Block, release: str) -> None:
        node = site.at("rules")
        words = site.text("rules").split()
        ends = [_PIN.fullmatch(word) for word in words]
        if not ends or None in ends:
            self._report.add(
                "CDS105",
                node,
                "`rules` is not a range of releases",
                help="write `>=2026.6 <2027`: from which release, below which",
            )
            return
        here = _numbers(release) if _RELEASE.fullmatch(release) else ()
        if here and all(_SIGNS[end[1]](here, _numbers(end[2])) for end in ends if end):
            return
        keys = self._overrides.of_file(site.source.path)
        self._report.add(
            "CDS804",
            node,
            f"release {release} lies outside {site.text('rules')}, "
            f"for which `{site.text('id')}` was written",
            notes=[f"to approve again: {listed(keys)}"] if keys else [],
            help="look at each of them under this release, then move `rules`",
        )

    def check_codes(self, rules: Ruleset) -> None:
        """Report concepts that are read and that no code system of the site can bring."""
        said = next((one for one in reversed(self._sites) if _sends(one)), None)
        if said is None:
            return
        sends = {one.text for one in _sends(said)}
        for one in _sends(said):
            if one.text not in rules.systems:
                self._names.missing("a code system", one.text, one.place, rules.systems)
        place = said.block("systems") or said
        for name in sorted(concepts_read(rules)):
            concept = rules.concepts[name]
            if concept.type not in _CODED or concept.text is not None:
                continue
            if concept.codes and not any(code.system in sends for code in concept.codes):
                has = sorted({code.system for code in concept.codes})
                self._report.add(
                    "CDS805",
                    place.at("sends"),
                    f"nothing that this site sends can mean `{name}`",
                    notes=[f"it has codes of {listed(has)}"],
                    help=f"add the site's own: `codes: {{{name}: {{add: {{…}}}}}}`",
                )


def _sends(site: Block) -> list[Scalar]:
    systems = site.block("systems")
    return systems.scalars("sends") if systems else []


def _covers(refused: CodeRule, code: CodeRule) -> bool:
    if refused.system != code.system:
        return False
    return code.code == refused.code or (refused.prefix and code.code.startswith(refused.code))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
