"""
Configuration options: which groups of cards a client may switch off, and what it did switch.

They are advertised in discovery and read from each call, under our own name and, where it
is asked for, under that of Da Vinci CRD. Names and descriptions come from the rule files;
a group that says nothing of an option cannot be switched off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cds.core.options import Options
from cds.core.rules import Ruleset

__all__ = [
    "ADVERTISED",
    "CHOSEN",
    "CRD_ADVERTISED",
    "CRD_CHOSEN",
    "MOST_CARDS",
    "configuration",
    "faults_of",
    "optional_groups",
    "read_options",
]

MOST_CARDS: Final = "max-cards"
"""The code of the option that says how many cards an answer may have."""

ADVERTISED: Final = "org.metabolic-cds.configuration-options"
CHOSEN: Final = "org.metabolic-cds.configuration"
CRD_ADVERTISED: Final = "davinci-crd.configuration-options"
CRD_CHOSEN: Final = "davinci-crd.configuration"


def optional_groups(rules: Ruleset, hook: str = "") -> tuple[str, ...]:
    """List the groups that may be switched off and have an active card (on *hook*)."""
    used = {
        one.group
        for one in rules.cards.values()
        if one.status == "active" and (not hook or hook in one.hooks)
    }
    return tuple(name for name, one in rules.groups.items() if one.option and name in used)


def configuration(rules: Ruleset, hook: str, *, crd: bool = False) -> dict[str, Any]:
    """Give the extension of the service of *hook* in discovery; empty where nothing can be set."""
    options = list(_options(rules, hook))
    names = (ADVERTISED, CRD_ADVERTISED) if crd else (ADVERTISED,)
    return dict.fromkeys(names, options) if options else {}


def _options(rules: Ruleset, hook: str) -> Iterator[dict[str, Any]]:
    for name in optional_groups(rules, hook):
        group = rules.groups[name]
        yield {
            "code": name,
            "type": "boolean",
            "name": group.title or name,
            "description": group.option,
            "default": True,
        }
    texts = rules.profile.texts
    if "most_cards" in texts and "most_cards_option" in texts:
        yield {
            "code": MOST_CARDS,
            "type": "integer",
            "name": texts["most_cards"],
            "description": texts["most_cards_option"],
            "default": rules.profile.most_cards,
        }


def read_options(
    rules: Ruleset,
    settings: Mapping[str, Any],
    extension: Mapping[str, Any],
    *,
    crd: bool = False,
) -> Options:
    """
    Read what is chosen: by the *settings* of a client, then by the *extension* of its call.

    What is supported is obeyed and everything else ignored: unknown codes, values of
    another type, a number of cards below one. More cards than the profile allows are as
    many as it allows.
    """
    chosen = dict(settings)
    for name in (CRD_CHOSEN, CHOSEN) if crd else (CHOSEN,):
        given = extension.get(name)
        if isinstance(given, dict):
            chosen |= {code: value for code, value in given.items() if _is_fit(code, value)}
    off = frozenset(one for one in optional_groups(rules) if chosen.get(one) is False)
    if not _is_fit(MOST_CARDS, chosen.get(MOST_CARDS)):
        return Options(off)
    return Options(off, min(chosen[MOST_CARDS], rules.profile.most_cards))


def faults_of(rules: Ruleset, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """
    Name every setting of a client that would not be obeyed, and what would be.

    What a call says is ignored where it makes no sense; what somebody registers for all
    calls is looked at once.
    """
    optional = [name for name, one in rules.groups.items() if one.option]
    most = rules.profile.most_cards
    for code, value in settings.items():
        if code == MOST_CARDS:
            if not _is_fit(code, value) or value > most:
                yield code, f"must be a number from 1 to {most}"
        elif code in rules.groups and code not in optional:
            yield code, "cannot be switched off"
        elif code not in optional:
            yield code, f"is no option; there are {', '.join([*optional, MOST_CARDS])}"
        elif not _is_fit(code, value):
            yield code, "must be true or false"


def _is_fit(code: str, value: object) -> bool:
    """Tell whether a value can be obeyed: one that cannot leaves what was chosen before."""
    if code == MOST_CARDS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return isinstance(value, bool)
