"""
What a site says of one key, and the list of what it changed: a table to be signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cds.core.rules import Override
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.nodes import Block, Node, Scalar

__all__ = ["Overrides", "Said"]

_ADDS_UP: Final = "codes."


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a profile says: under which key, what, and in which block."""

    key: Scalar
    node: Node
    block: Block


class Overrides:
    """The changes of a chain of profiles, in the order in which they were met."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._found: list[Override] = []

    def because(self, said: Said, what: str) -> str:
        """Give the reason of a change; report one that has none."""
        because = said.block.text("because")
        if not because:
            self.report.add(
                "CDS803",
                said.key,
                f"{what} needs a reason",
                help="add `because:` in words that a committee would sign",
            )
        return because

    def note(
        self,
        key: str,
        at: Scalar,
        *,
        rule: str,
        site: str,
        because: str = "",
        approved: Block | None = None,
    ) -> None:
        """Enter a change; of two of one key the later counts, but codes add up."""
        if not key.startswith(_ADDS_UP):
            self._found = [one for one in self._found if one.key != key]
        self._found.append(
            Override(
                key=key,
                rule=rule,
                site=site,
                place=at.place,
                because=because,
                approved_by=approved.text("by") if approved else "",
                approved_on=approved.text("date") if approved else "",
            )
        )

    def all(self) -> tuple[Override, ...]:
        """Give them all."""
        return tuple(self._found)

    def of_file(self, path: str) -> list[str]:
        """Name the keys that stand in one file."""
        return [one.key for one in self._found if one.place.path == path]
