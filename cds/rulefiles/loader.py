"""
The folder of rule files in; a ruleset or diagnostics out.

Files are read and checked against their shapes, names are declared, and only then are
conditions read, so that a clause knows what its words mean. Every diagnostic of the
pass is collected; a ruleset comes only from a folder without errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cds.core.clauses import Place
from cds.core.concepts import Reading
from cds.core.indices import Index
from cds.core.quantity import read_unit
from cds.core.rules import Card, Condition, Factor, Population, Ruleset, Stages
from cds.errors import RuleError
from cds.rulefiles.actions import read_actions
from cds.rulefiles.cancelling import check_card_offers, read_never_cancel
from cds.rulefiles.cards import check_drafts, read_card
from cds.rulefiles.collecting import uncollected
from cds.rulefiles.concepts import check_concepts, read_concepts, read_searches
from cds.rulefiles.conclusions import read_condition_rule, read_factor, read_stages
from cds.rulefiles.diagnostics import Diagnostic, Report, did_you_mean, in_order, listed, nearest
from cds.rulefiles.fixes import Fix
from cds.rulefiles.headers import open_scope, read_tests
from cds.rulefiles.indices import read_index
from cds.rulefiles.kinds import KINDS
from cds.rulefiles.libraries import read_groups, read_population, read_sources
from cds.rulefiles.names import Declared, Names, Scope, order_of
from cds.rulefiles.nodes import Block, Scalar, Source
from cds.rulefiles.profiles import DEFAULT, Site, chain_of
from cds.rulefiles.releases import ReleaseFile, read_release
from cds.rulefiles.served import check_served
from cds.rulefiles.source import Memory, read_folder

__all__ = ["Loaded", "load", "load_every", "load_ruleset"]

_RULES: Final = ("condition", "index", "stages", "factor", "card")


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    What became of a folder: *ruleset* is None where any diagnostic is an error.

    *readable* holds what could be read all the same, so that one pass of checks reports
    everything; what stands in a file of `broken` may lack parts. *roots* are the files
    by kind, as they were written, *profile* is the one that they were read under.
    """

    ruleset: Ruleset | None
    readable: Ruleset
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]
    roots: Mapping[str, Sequence[Block]]
    profile: str = DEFAULT

    @property
    def profiles(self) -> tuple[str, ...]:
        """Name every profile of the folder."""
        return tuple(root.text("id") for root in self.roots["profile"])

    @property
    def broken(self) -> frozenset[str]:
        """Name the files in which something is an error."""
        return frozenset(one.place.path for one in self.diagnostics if one.severity == "error")


def load_ruleset(folder: Path, profile: str = DEFAULT) -> Ruleset:
    """Load a folder, or raise `RuleError` with every diagnostic of the pass."""
    loaded = load(folder, profile)
    if loaded.ruleset is None:
        raise RuleError(loaded.diagnostics)
    return loaded.ruleset


def load(
    folder: Path,
    profile: str = DEFAULT,
    *,
    buffers: Mapping[str, str] = MappingProxyType({}),
    memory: Memory | None = None,
) -> Loaded:
    """
    Load a folder of rule files under a profile, and say everything that is wrong with it.

    Profiles that this one does not extend are passed over; `load_every` looks at them all.
    *buffers* are texts not saved yet, by path; *memory* makes loading again quick.
    """
    with uncollected():
        return _Load(folder, profile).run(buffers, memory)


def load_every(
    folder: Path,
    *,
    buffers: Mapping[str, str] = MappingProxyType({}),
    memory: Memory | None = None,
) -> Loaded:
    """Load a folder under its default profile, and add what is wrong under each other one."""
    memory = memory or Memory()
    loaded = load(folder, buffers=buffers, memory=memory)
    found = dict.fromkeys(loaded.diagnostics)
    for profile in loaded.profiles:
        if profile != DEFAULT:
            other = load(folder, profile, buffers=buffers, memory=memory)
            found.update(dict.fromkeys(other.diagnostics))
    return replace(loaded, diagnostics=in_order(found))


class _Load:
    """One pass over a folder."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.folder = folder
        self.chosen = profile
        self.sources: dict[str, Source] = {}
        self.report = Report(self.sources)
        self.names = Names(self.report)
        self.roots: dict[str, list[Block]] = {kind: [] for kind in KINDS}
        self.conditions: dict[str, Condition] = {}
        self.indices: dict[str, Index] = {}
        self.stages: dict[str, Stages] = {}
        self.factors: dict[str, Factor] = {}
        self.cards: dict[str, Card] = {}
        self.readings: dict[str, Reading] = {}
        self.leans: dict[tuple[str, str], dict[tuple[str, str], Place]] = {}
        self.places: dict[tuple[str, str], Place] = {}
        self.release = ReleaseFile()

    def run(self, buffers: Mapping[str, str], memory: Memory | None) -> Loaded:
        self._read_files(buffers, memory)
        site = self._choose_profile()
        self.release = read_release(self.roots["release"], self.report)
        self._declare(site)
        never_cancel = read_never_cancel(self.roots["actions"], self.names)
        actions = read_actions(self.roots["actions"], self.names, never_cancel)
        population = self._read_population()
        for kind in _RULES:
            for root in self.roots[kind]:
                self._read_rule(kind, root, site)
        for root in self.roots["card"]:
            check_drafts(root, self.conditions, self.cards, self.names)
            check_card_offers(root, actions, self.report)
        files = [(kind, root) for kind in _RULES for root in self.roots[kind]]
        check_served(files, self.leans, self.report)
        profile = site.profile(self.release.release)
        order = order_of(self.leans, self.places, self.report)
        readable = Ruleset(
            release=self.release.release,
            profile=profile,
            concepts=self.names.concepts,
            searches=self.names.searches,
            systems=self.names.systems,
            sources=read_sources(self.roots["evidence"]),
            actions=actions,
            groups=read_groups(self.roots["group"]),
            population=population,
            indices=self.indices,
            conditions=self.conditions,
            stages=next(iter(self.stages.values()), None),
            factors=self.factors,
            cards=self.cards,
            readings=self.readings,
            order=order,
            also_on=self.release.also_on,
            never_cancel=never_cancel,
            groups_of_people=self.names.people,
            group_extension=self.names.people_extension,
        )
        if not self.report.has_errors:
            site.check_codes(readable)
        return Loaded(
            None if self.report.has_errors else readable,
            readable,
            self.report.sorted(),
            self.sources,
            self.roots,
            self.chosen,
        )

    # --- files ----------------------------------------------------------------------

    def _read_files(self, buffers: Mapping[str, str], memory: Memory | None) -> None:
        files = read_folder(self.folder, self.report, buffers=buffers, memory=memory)
        for source, root in files:
            self.sources[source.path] = source
            if root is None:
                continue
            kind = KINDS.get(root.text("kind"))
            if kind is None:
                self._refuse_kind(root)
                continue
            self._check_name(source, root, kind.folder)
            if root.text("kind") != "profile":
                kind.shape.check(root, self.report)
            self.roots[root.text("kind")].append(root)

    def _refuse_kind(self, root: Block) -> None:
        if "kind" in root:
            word = root.text("kind")
            self.report.add(
                "CDS105",
                root.at("kind"),
                f"`{word}` is not a kind of rule file",
                notes=[f"kinds: {listed(KINDS)}"],
                help=did_you_mean(word, KINDS),
                fix=self.report.rewriting(root.at("kind").place, nearest(word, KINDS)),
            )
        else:
            self.report.add(
                "CDS104",
                root.place,
                "the file does not say what it is",
                help="begin with `kind:`, one of " + listed(KINDS),
            )

    def _check_name(self, source: Source, root: Block, folder: str) -> None:
        wanted = "/".join(
            part for part in (self.folder.name, folder, f"{root.text('id')}.yaml") if part
        )
        if "id" in root and source.path != wanted:
            self.report.add(
                "CDS107",
                root.at("id"),
                f"this file belongs at {wanted}",
                notes=[f"found at {source.path}"],
                help="rename the file, or change `kind` or `id`",
                fix=Fix(f"rename it to {wanted}", rename=wanted),
            )

    def _choose_profile(self) -> Site:
        """Check the profiles of the chain; what others hold must not stop this one."""
        roots = self.roots["profile"]
        if not any(root.text("id") == DEFAULT for root in roots):
            self._missing("profiles/default.yaml")
        chain = chain_of(roots, self.chosen, self.folder.name, self.report)
        for root in chain:
            KINDS["profile"].shape.check(root, self.report)
        return Site(chain, self.names)

    # --- names ----------------------------------------------------------------------

    def _declare(self, site: Site) -> None:
        names, roots = self.names, self.roots
        read_searches(roots["concepts"], names)
        site.add_systems()
        read_concepts(roots["concepts"], names)
        site.add_codes()
        check_concepts(roots["concepts"], names)
        self._declare_rules()
        for root in roots["evidence"]:
            self._declare_members(names.sources, "source", root, "sources")
        for root in roots["actions"]:
            self._declare_members(names.actions, "action", root, "actions")
            for key, node in root.pairs("actions"):
                if isinstance(node, Block):
                    names.results.setdefault(key.text, node.text("result"))
        for one in site.reasons:
            code = one.get("code")
            if isinstance(code, Scalar):
                names.declare(names.reasons, Declared("reason", code.text, code.place))

    def _declare_rules(self) -> None:
        names, roots = self.names, self.roots
        for root in roots["index"]:
            bands = tuple(one.text("name") for one in root.blocks("bands"))
            unit = read_unit(root.text("unit", "1"), is_code=True)
            self._declare_rule(names.operands, "index", root, unit, bands)
        for root in roots["factor"]:
            grades = tuple(key.text for key, _ in root.pairs("grades"))
            self._declare_rule(names.operands, "factor", root, words=grades)
        for root in roots["stages"]:
            labels = tuple(one.text("label") for one in root.blocks("lines"))
            self._declare_rule(names.stages, "stages", root, words=labels)
        for kind, table in (
            ("condition", names.operands),
            ("card", names.cards),
            ("group", names.groups),
        ):
            for root in roots[kind]:
                self._declare_rule(table, kind, root)
        for root in roots["stages"][1:]:
            self.report.add(
                "CDS203",
                root.at("id"),
                "there is one staging table, and this is a second",
                spans=[(roots["stages"][0].at("id"), "the first")],
            )

    def _declare_rule(
        self,
        table: dict[str, Declared],
        kind: str,
        root: Block,
        unit: str = "1",
        words: tuple[str, ...] = (),
    ) -> None:
        one = Declared(kind, root.text("id"), root.at("id").place, unit, words)
        self.names.declare(table, one)

    def _declare_members(
        self, table: dict[str, Declared], kind: str, root: Block, key: str
    ) -> None:
        for name, _ in root.pairs(key):
            self.names.declare(table, Declared(kind, name.text, name.place))

    # --- rules ----------------------------------------------------------------------

    def _read_rule(self, kind: str, root: Block, site: Site) -> None:
        scope = open_scope(root, self.names, site.localise)
        name = root.text("id")
        for reading in scope.readings.values():
            self.readings[reading.id] = reading
            self.leans["reading", reading.id] = {}
            self.places["reading", reading.id] = reading.place
        if kind == "condition":
            self.conditions.setdefault(name, read_condition_rule(root, scope))
        elif kind == "index":
            self.indices.setdefault(name, read_index(root, scope))
        elif kind == "stages":
            self.stages.setdefault(name, read_stages(root, scope))
        elif kind == "factor":
            self.factors.setdefault(name, read_factor(root, scope))
        else:
            self.cards.setdefault(name, self._card(root, scope, site))
        self.leans.setdefault((kind, name), scope.leans)
        self.places.setdefault((kind, name), root.at("id").place)

    def _card(self, root: Block, scope: Scope, site: Site) -> Card:
        return site.card(self.release.on_hooks(read_card(root, scope)))

    def _read_population(self) -> Population | None:
        found: Population | None = None
        for root in self.roots["population"]:
            scope = Scope(self.names, root.text("id"))
            found = read_population(root, scope)
            read_tests(root, scope)
        return found

    def _missing(self, path: str) -> None:
        name = f"{self.folder.name}/{path}"
        self.report.add(
            "CDS104",
            Place(name, 1, 1),
            f"there is no {name}",
            severity="warning",
            help="add it: without it cards have no override reasons and no fixed texts",
        )
