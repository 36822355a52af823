"""
What a check may look at, and where it reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cds.core.headers import Rule
from cds.core.rules import Ruleset
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.loader import Loaded
from cds.rulefiles.nodes import Block, Source

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """
    One pass of checks over a folder, as of a day.

    *loaded* holds what the loader could read. What a check says about a rule in a broken
    file may be wrong, so checks of logic ask for `sound_rules` only.
    """

    loaded: Loaded
    report: Report
    as_of: date

    @property
    def rules(self) -> Ruleset:
        """Give what could be read."""
        return self.loaded.readable

    @property
    def sources(self) -> Mapping[str, Source]:
        """Give the texts of the files, by path."""
        return self.loaded.sources

    @cached_property
    def broken(self) -> frozenset[str]:
        """Name the files in which the loader found an error."""
        return self.loaded.broken

    @cached_property
    def roots(self) -> Mapping[str, Block]:
        """Give the files as they were written, by path."""
        return {one.source.path: one for several in self.loaded.roots.values() for one in several}

    def root_of(self, rule: Rule) -> Block:
        """Give the file of a rule as it was written."""
        return self.roots[rule.place.path]

    def every_rule(self) -> Iterator[Rule]:
        """Walk the rules that could be read: conditions, indices, stages, factors, cards."""
        rules = self.rules
        yield from rules.conditions.values()
        yield from rules.indices.values()
        if rules.stages is not None:
            yield rules.stages
        yield from rules.factors.values()
        yield from rules.cards.values()

    def sound_rules(self) -> Iterator[Rule]:
        """Walk the rules whose own file is without an error."""
        return (one for one in self.every_rule() if one.place.path not in self.broken)
