"""
All pages of a release: one for each rule, an index, and a graph of what rests on what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cds.core.reads import asked_by_rule
from cds.core.rules import Card, Ruleset
from cds.rulefiles.loader import Loaded
from cds.workshop.book.rulepages import Neighbours, page_of, row
from cds.workshop.testing.cases import every_rule
from cds.workshop.testing.expectations import Rule, kind_of
from cds.workshop.testing.lab import Lab

__all__ = ["pages_of"]

_FOLDERS: Final = {
    "card": "cards",
    "condition": "conditions",
    "factor": "factors",
    "index": "indices",
    "stages": "stages",
}
_TITLES: Final = {
    "card": "Cards",
    "stages": "Stages",
    "factor": "Factors",
    "index": "Indices",
    "condition": "Conditions",
}
_RELEASE: Final = re.compile(r"(?m)^## (.+)$")

Key = tuple[str, str]


def pages_of(loaded: Loaded, folder: Path) -> dict[str, str]:
    """Write every page of a folder of rules that has no error, by its path."""
    rules = loaded.readable
    every = {(kind_of(one), one.id): one for one in every_rule(rules)}
    below = {key: _below(rules, key, every) for key in every}
    above: dict[Key, list[Key]] = {key: [] for key in every}
    for key, names in below.items():
        for name in names:
            above[name].append(key)
    funding = next((root.text("funding") for root in loaded.roots["release"]), "")
    changes = _changes(folder)
    lab = Lab(rules, engine="reference")
    paths = {name: path_of(kind, name) for kind, name in every}
    pages = {}
    for key, rule in every.items():
        pages[path_of(*key)] = page_of(
            rule,
            lab,
            Neighbours(tuple(below[key]), tuple(above[key])),
            link=lambda name, title: f"[{title}](../{paths[name]})" if name in paths else title,
            history=_history(changes, rule),
            funding=funding,
        )
    pages["README.md"] = "\n".join(_index(rules, every)) + "\n"
    pages["graph.md"] = "\n".join(_graph(every, below)) + "\n"
    return pages


def path_of(kind: str, name: str) -> str:
    """Say where the page of a rule stands."""
    return f"{_FOLDERS[kind]}/{name}.md"


def _below(rules: Ruleset, key: Key, every: Mapping[Key, Rule]) -> list[Key]:
    """Name the rules that one rule itself asks about."""
    return [one for one in asked_by_rule(rules, *key) if one in every and one != key]


# --- history --------------------------------------------------------------------------


def _changes(folder: Path) -> list[tuple[str, str]]:
    """Read the changelog of the rules: every entry with the release it belongs to."""
    path = folder / "CHANGELOG.md"
    if not path.is_file():
        return []
    parts = _RELEASE.split(path.read_text("utf-8"))
    found = []
    for release, text in zip(parts[1::2], parts[2::2], strict=True):
        entries = re.split(r"(?m)^(?=- )", text)
        found += [(release, " ".join(one[2:].split())) for one in entries if one[:2] == "- "]
    return found


def _history(changes: Sequence[tuple[str, str]], rule: Rule) -> list[str]:
    """Find the entries that name a rule, by its id or its code."""
    names = [rule.id, *([rule.code] if isinstance(rule, Card) else [])]
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
    return [f"{release}: {entry}" for release, entry in changes if pattern.search(entry)]


# --- index and graph ------------------------------------------------------------------


def _index(rules: Ruleset, every: Mapping[Key, Rule]) -> Iterator[str]:
    pending = sum(
        one.status == "active" and one.upkeep.clinical_review == "pending" for one in every.values()
    )
    yield f"# Rules of release {rules.release}"
    yield ""
    yield f"{len(every)} rules, {pending} of them active and pending clinical review."
    yield "Written by `cds docs` from the rule files; [what rests on what](graph.md)."
    for kind, title in _TITLES.items():
        some = [one for (what, _), one in every.items() if what == kind]
        if not some:
            continue
        yield ""
        yield f"## {title}"
        yield ""
        yield row(("rule", "code", "status", "version", "owner", "review", "look again by"))
        yield row(["---"] * 7)
        for one in some:
            upkeep = one.upkeep
            code = one.code if isinstance(one, Card) else ""
            link = f"[{one.title}]({path_of(kind, one.id)})"
            review = upkeep.reviewed or upkeep.clinical_review
            yield row((link, code, one.status, one.version, upkeep.owner, review, upkeep.review_by))


def _graph(every: Mapping[Key, Rule], below: Mapping[Key, Sequence[Key]]) -> Iterator[str]:
    yield "# What rests on what"
    yield ""
    yield "An arrow leads from a rule to one that it asks. Cards stand on the left."
    yield ""
    yield "```mermaid"
    yield "flowchart LR"
    for kind, title in _TITLES.items():
        some = [(key, one) for key, one in every.items() if key[0] == kind]
        if some:
            yield f"  subgraph {title}"
            for key, one in some:
                words = one.code if isinstance(one, Card) else one.id
                yield f"    {_node(key)}[{words}]"
            yield "  end"
    for key, names in below.items():
        yield from (f"  {_node(key)} --> {_node(name)}" for name in names)
    yield "```"


def _node(key: Key) -> str:
    return "_".join(key)
