"""
What a status means for others: what is served cannot lean on what is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Report
from cds.rulefiles.names import Key
from cds.rulefiles.nodes import Block

__all__ = ["check_served"]

_SERVED: Final = frozenset({"active", "trial"})
_WHY: Final = {
    "draft": ("is a draft: the service does not load it", "make it `trial` or `active` first"),
    "retired": ("is retired and does not run", "name what takes its place"),
}


def check_served(
    roots: Iterable[tuple[str, Block]],
    leans: Mapping[Key, Mapping[Key, Place]],
    report: Report,
) -> None:
    """
    Report every name of a retired rule, and every name of a draft in what is served.

    *roots* are the rule files with their kinds.
    """
    files = {(kind, root.text("id")): root for kind, root in roots}
    for key, root in files.items():
        status = root.text("status")
        for other, at in (*leans.get(key, {}).items(), *_hosts(key[0], root)):
            found = files.get(other)
            word = found.text("status") if found is not None else ""
            if found is None or word in _SERVED or (word == "draft" and status not in _SERVED):
                continue
            why, help_ = _WHY.get(word, ("", ""))
            instead = found.text("replaced_by")
            report.add(
                "CDS211",
                at,
                f"`{other[1]}` {why}",
                notes=[f"`{key[1]}` is {status}"],
                help=f"its place is taken by `{instead}`" if instead else help_,
            )


def _hosts(kind: str, root: Block) -> Iterator[tuple[Key, Place]]:
    """Name the cards that a card is a line of."""
    if kind == "card":
        yield from ((("card", one.text), one.place) for one in root.scalars("appended_to"))
