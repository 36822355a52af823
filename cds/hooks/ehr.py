"""
What each kind of record system can show: the facts that vendors publish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cds.core.hooks import HOOKS
from cds.core.rules import Profile

__all__ = ["EHRS", "EhrProfile", "hl7_codes", "topic_code"]

_MOST_TOPIC: Final = 100
_NOT_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrProfile:
    """
    What one kind of record system can show.

    *hooks* are those it calls. *several_actions*: a suggestion may hold more than one;
    without *labels* the descriptions of its actions are all that is read of it.
    *selections* lists the values of `selectionBehavior` it knows, *action_selection* says
    that it knows the one of suggestions. With *plain_topics* topic codes are letters and
    digits alone; with *oids* code systems are named by their OID, where one is known.
    *creates* lists what it can be asked to create, None where that is anything, and
    *changes* whether drafts can be changed or deleted; *site_coded* resources count by a
    code of the site only, and *coded_in* names for a resource the system it must be coded
    in. *strips* lists the types of links that it removes unless their host is known there.
    With *brief* a card has to fit into a narrow column. *reads_discovery*: prefetch need
    not be typed in by hand. *notes* are told to who sets it up.
    """

    name: str
    title: str
    hooks: tuple[str, ...] = HOOKS
    several_actions: bool = True
    labels: bool = True
    selections: tuple[str, ...] = ("at-most-one", "any")
    action_selection: bool = False
    plain_topics: bool = False
    oids: bool = False
    creates: frozenset[str] | None = None
    changes: bool = True
    site_coded: frozenset[str] = frozenset()
    coded_in: Mapping[str, str] | None = None
    strips: frozenset[str] = frozenset()
    app_context: bool = True
    extensions: bool = True
    brief: bool = False
    reads_discovery: bool = True
    notes: tuple[str, ...] = ()


_EPIC_HOOKS: Final = ("patient-view", "order-select", "order-sign")
_EPIC_NOTES: Final = tuple(
    """\
Discovery is not read: type the prefetch in, line by line, and again where a release changes it.
Other triggers arrive as patient-view with an extension that names them; it is ignored.
Calling on every opening of a chart is advised against.
What is shown for a suggestion is the description of its action, so it begins with the label.
Of an order only the code counts: map each action below to a preference list or an order set.
What is not mapped is a line of text on the card.
An override is remembered against the topic code of the card.
Every override reason has to be mapped at the site.
Addresses of SMART apps have to be registered, or their links vanish.
Tokens are signed with RS384 unless set otherwise; aud, iss and sub are typed in by hand.
The address of the service must be exactly the registered one.
""".splitlines()
)
_ORACLE_NOTES: Final = tuple(
    """\
CDS Hooks 1.0, patient-view alone; discovery is not read.
The condition on which it calls is registered with the vendor.
A critical card is a pop-up; the others stand in a narrow bar at the side.
Links to hosts that are not registered are removed.
Tokens come from the issuer https://cds-hooks.cerner.com, with keys from its own well-known place.
""".splitlines()
)

EHRS: Final[Mapping[str, EhrProfile]] = {
    one.name: one
    for one in (
        EhrProfile(name="generic-2.0", title="CDS Hooks 2.0.1 as written"),
        EhrProfile(
            name="generic-3.0",
            title="CDS Hooks 2.0.1 with what the 3.0 ballot adds",
            action_selection=True,
        ),
        EhrProfile(
            name="epic",
            title="Epic",
            hooks=_EPIC_HOOKS,
            several_actions=False,
            labels=False,
            selections=("any",),
            plain_topics=True,
            oids=True,
            creates=frozenset({"Condition", "MedicationRequest", "ServiceRequest"}),
            changes=False,
            site_coded=frozenset({"MedicationRequest", "ServiceRequest"}),
            coded_in={"Condition": "icd10cm"},
            strips=frozenset({"smart"}),
            extensions=False,
            reads_discovery=False,
            notes=_EPIC_NOTES,
        ),
        EhrProfile(
            name="oracle",
            title="Oracle Health (Cerner)",
            hooks=("patient-view",),
            selections=("at-most-one",),
            strips=frozenset({"absolute", "smart"}),
            app_context=False,
            extensions=False,
            brief=True,
            reads_discovery=False,
            notes=_ORACLE_NOTES,
        ),
    )
}


def hl7_codes(profile: Profile) -> dict[str, dict[str, str]]:
    """Give for each override reason the code of HL7 that stands for it, where there is one."""
    return {
        one.code: {"code": one.hl7, "system": profile.hl7_override_system}
        for one in profile.override_reasons
        if one.hl7 and profile.hl7_override_system
    }


def topic_code(code: str, ehr: EhrProfile) -> str:
    """Write a rule's code as the topic of its cards: static, whatever the patient."""
    if not ehr.plain_topics:
        return code
    return _NOT_ALPHANUMERIC.sub("", code)[:_MOST_TOPIC]
