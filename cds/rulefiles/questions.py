"""
What may be asked of a name: numbers of quantities, entries of lists, bands, grades.
"""

from __future__ import annotations

from typing import Final

from cds.core.clauses import Place
from cds.core.hooks import ACTED_ON, Act
from cds.rulefiles.diagnostics import a
from cds.rulefiles.names import Scope

__all__ = ["FORMS", "Questions"]

FORMS: Final = {
    "quantity": "NAME >= VALUE UNIT [within N days], NAME from V below V, NAME is known",
    "list": "NAME is present | absent | on record | not on record | ordered | newly ordered",
    "index": "NAME >= VALUE, NAME is BAND, NAME is known",
    "reading": "NAME >= VALUE, NAME is known",
    "condition": "NAME holds",
    "factor": "NAME is GRADE, NAME is at least GRADE",
    "input": "NAME >= VALUE UNIT",
    "age": "age >= 18 years, age from 18 below 75 years, age is known",
}
"""The sentences that can be made of a name, by its group."""

_MEASURED: Final = frozenset({"quantity", "answer", "date", "episode"})
_NUMBERED: Final = frozenset({"quantity", "index", "reading", "age", "input"})


class Questions:
    """Checks the names of one clause, which stands at *place*."""

    def __init__(self, scope: Scope, place: Place) -> None:
        self.scope = scope
        self.place = place

    def group(self, name: str) -> str:
        """Sort a name by what can be asked of it: a key of `FORMS`, or nothing."""
        kind = self.scope.kind(name)
        if kind == "concept":
            return "quantity" if self.scope.names.concepts[name].type == "quantity" else "list"
        return kind

    def look_up(self, name: str, at: Place) -> str:
        """Give the group of a name; one that is nothing is reported."""
        group = self.group(name)
        if not group:
            self.scope.names.missing(
                "a concept, an index, a reading, a condition or a factor",
                name,
                at,
                self.scope.known(),
            )
        return group

    def ask(self, name: str, at: Place, allowed: str, headline: str) -> None:
        """Report a question that only the groups in *allowed* can answer."""
        group = self.group(name)
        if group and group not in allowed.split():
            self.wrong(name, at, headline)

    def ask_number(self, name: str, at: Place) -> bool:
        """Tell whether *name* has a number; report a name that has none."""
        group = self.group(name)
        if group and group not in _NUMBERED:
            self.wrong(name, at, f"`{name}` has no number to compare")
        return group in _NUMBERED

    def ask_known(self, name: str, at: Place) -> None:
        """Report a name of which `is known` cannot be asked: a conclusion, or a list."""
        concept = self.scope.names.concepts.get(name)
        if self.group(name) in {"factor", "condition", "list", "input"} and (
            concept is None or concept.type not in _MEASURED
        ):
            self.wrong(name, at, f"`is known` cannot be asked of `{name}`")

    def act(self, names: list[tuple[str, Place]], act: Act) -> None:
        """Note what a clause asks of the call itself; report a name it cannot be asked of."""
        self.scope.acts.append((act, self.place))
        for name, at in names:
            concept = self.scope.names.concepts.get(name)
            if concept is not None and concept.type not in ACTED_ON[act]:
                said = act if act == "ordered" else f"being {act}"
                self.wrong(name, at, f"`{name}` is nothing that could be {said}")

    def wrong(self, name: str, at: Place, headline: str) -> None:
        """Report a question that does not fit what *name* is."""
        kind = self.scope.kind(name)
        if kind == "concept":
            kind = f"concept of type {self.scope.names.concepts[name].type}"
        self.scope.report.add(
            "CDS205",
            at,
            headline,
            notes=[f"`{name}` is {a(kind)}"],
            help=FORMS.get(self.group(name), "").replace("NAME", name),
        )

    def lean(self, name: str, at: Place) -> None:
        """Note that the clause needs *name* worked out."""
        self.scope.lean(self.scope.kind(name), self.scope.full(name), at)

    def own_within(self, name: str, within: int | None) -> int | None:
        """Give the window of the clause, else the quantity's own."""
        if within is not None:
            return within
        own = self.scope.names.concepts[name].within
        if own is None:
            self.unbounded(f"`{name}`")
        return own

    def answer_within(self, names: tuple[str, ...]) -> int | None:
        """Give the window that answers share: an old questionnaire says nothing of today."""
        windows = set()
        for name in names:
            concept = self.scope.names.concepts.get(name.partition(":")[0])
            windows.add(
                concept.within if concept is not None and concept.type == "answer" else None
            )
        return windows.pop() if len(windows) == 1 else None

    def unbounded(self, what: str) -> None:
        """Report a clause that looks at results of any age."""
        self.scope.report.add(
            "CDS410",
            self.place,
            f"{what} may be of any age here",
            label="no window",
            help="write `within N days`, or give the concept a `within:` of its own",
        )
