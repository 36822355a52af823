"""
A response rewritten to what one record system can show.

What the system cannot take is said in words on the card that offered it: nothing is lost
between us and the clinician without a trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from cds.hooks.ehr import EhrProfile, topic_code
from cds.hooks.wire import ACTION

__all__ = ["SiteCode", "adapt", "names_to_map", "oids_of", "site_codes"]

_OID: Final = "urn:oid:"
_OWN_CODES: Final[Mapping[str, Mapping[str, str]]] = {}


class SiteCode(Protocol):
    """A code of the site for something that we would order."""

    @property
    def system(self) -> str:
        """The code system."""
        ...

    @property
    def code(self) -> str:
        """The code."""
        ...

    @property
    def display(self) -> str:
        """What the site calls it; may be empty."""
        ...


def oids_of(ehr: EhrProfile, systems: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Give the OID for the address of each code system that goes out under it; empty for most."""
    if not ehr.oids:
        return {}
    return {
        uris[0]: oid
        for uris in systems.values()
        for oid in [next((one for one in uris if one.startswith(_OID)), "")]
        if oid
    }


def adapt(
    response: Mapping[str, Any],
    ehr: EhrProfile,
    *,
    order_codes: Mapping[str, SiteCode],
    link_hosts: Iterable[str],
    systems: Mapping[str, tuple[str, ...]],
    override_codes: Mapping[str, Mapping[str, str]] = _OWN_CODES,
) -> dict[str, Any]:
    """
    Rewrite a response for one record system; *response* itself stays as it is.

    *order_codes* has the site's code for an action of the library (`order_hba1c`), or for
    the second of several things that it drafts (`order_liver_tests.2`); a code for an
    action that drafts several stands for an order set of them all. *link_hosts* are known
    at the site. *systems* names every address of a code system, the canonical one first.
    *override_codes* gives system and code that stand for a reason of ours. What cannot be
    taken becomes a line of text on its card.
    """
    writer = _Writer(ehr, order_codes, frozenset(link_hosts), systems, override_codes)
    adapted = {**response, "cards": [writer.card(one) for one in response["cards"]]}
    if not ehr.extensions:
        adapted.pop("extension", None)
    return adapted


class _Writer:
    """Rewrites the cards of one response."""

    def __init__(
        self,
        ehr: EhrProfile,
        order_codes: Mapping[str, SiteCode],
        hosts: frozenset[str],
        systems: Mapping[str, tuple[str, ...]],
        override_codes: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._ehr = ehr
        self._override_codes = override_codes
        self._order_codes = order_codes
        self._hosts = hosts
        self._strips = ehr.strips or (_EVERY_LINK if hosts else frozenset())
        self._systems = systems
        self._oids = oids_of(ehr, systems)

    def card(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """Rewrite one card."""
        found = dict(card)
        said = [*self._put_suggestions(found), *self._put_links(found)]
        found["source"] = self._source(card["source"])
        if "overrideReasons" in card:
            found["overrideReasons"] = [
                {**one, **self._override_codes.get(one["code"], {})}
                for one in card["overrideReasons"]
            ]
        detail = card.get("detail", "")
        if self._ehr.brief:
            detail = "\n\n".join(_brief(detail.split("\n\n")))
        detail = self._unlinked(detail)
        if said:
            # The last block is the footer, and stays it.
            head, _, footer = detail.rpartition("\n\n")
            detail = "\n\n".join(one for one in (head, *said, footer) if one)
        if detail:
            found["detail"] = detail
        self._drop_extension(found)
        return found

    def _drop_extension(self, member: dict[str, Any]) -> None:
        if not self._ehr.extensions:
            member.pop("extension", None)

    def _source(self, source: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(source)
        if not self._is_kept("absolute", source.get("url", "")):
            del found["url"]
        if "topic" in source:
            topic = source["topic"]
            found["topic"] = {**topic, "code": topic_code(topic["code"], self._ehr)}
        return found

    # --- links ------------------------------------------------------------------

    def _is_kept(self, kind: str, url: str) -> bool:
        return not url or kind not in self._strips or urlsplit(url).hostname in self._hosts

    def _put_links(self, found: dict[str, Any]) -> Iterable[str]:
        links = found.pop("links", ())
        kept = [self._link(one) for one in links if self._is_kept(one["type"], one["url"])]
        if kept:
            found["links"] = kept
        gone = [_told(one) for one in links if not self._is_kept(one["type"], one["url"])]
        return ["See also: " + "; ".join(gone) + "."] if gone else []

    def _link(self, link: Mapping[str, Any]) -> dict[str, Any]:
        """Give a link without what would start an app unseen, or what is not understood."""
        found = {name: value for name, value in link.items() if name != "autolaunchable"}
        if not self._ehr.app_context:
            found.pop("appContext", None)
        return found

    def _unlinked(self, detail: str) -> str:
        """Leave the words of links that would be removed."""
        if "absolute" not in self._strips or "://" not in detail:
            return detail
        detail = _LINK.sub(
            lambda one: one[0] if self._is_kept("absolute", one[2]) else one[1], detail
        )
        return _ADDRESS.sub(
            lambda one: one[0] if self._is_kept("absolute", one[0]) else f"`{one[0]}`", detail
        )

    # --- suggestions ------------------------------------------------------------

    def _put_suggestions(self, found: dict[str, Any]) -> list[str]:
        """Put what can be offered in place of what is; say what cannot, and how to choose."""
        offered: list[dict[str, Any]] = []
        by_hand: list[str] = []
        split: list[str] = []
        alternatives = 0
        for one in found.pop("suggestions", ()):
            parts = list(self._parts(one))
            taken = [self._taken(part) for part in parts]
            kept = [each for each in taken if each is not None]
            offered.extend(kept)
            if not kept:
                by_hand.append(_line(one))
                continue
            alternatives += 1
            left = [part for part, each in zip(parts, taken, strict=True) if each is None]
            by_hand.extend(_line(part) for part in left)
            if len(kept) > 1:
                # All actions of a suggestion apply together, also where they are several.
                names = (_words_of(each["actions"][0]) or each["label"] for each in kept)
                split.append(f"**{one['label']}:** these belong together: {'; '.join(names)}.")
        choose = found.pop("selectionBehavior", "")
        said = list(split)
        if offered:
            found["suggestions"] = offered
            found["selectionBehavior"], how = self._choice(choose, offered, alternatives)
            said.extend(how)
        if by_hand:
            said.append("**To do by hand, it cannot be offered here**\n\n" + "\n".join(by_hand))
        return said

    def _choice(
        self, choose: str, offered: list[dict[str, Any]], alternatives: int
    ) -> tuple[str, list[str]]:
        """
        Give the `selectionBehavior` that is understood, and what it does not say.

        *alternatives* are what there is to choose from: parts of one suggestion count as one.
        """
        known = self._ehr.selections
        is_split = alternatives < len(offered)
        if choose == "at-most-one" and "any" in known and (is_split or choose not in known):
            parts = "; what belongs together counts as one" if is_split else ""
            how = [f"Choose at most one of these suggestions{parts}."]
            return "any", how if alternatives > 1 else []
        if choose in known:
            return choose, []
        several = len(offered) > 1
        recommended = [one for one in offered if one.get("isRecommended")]
        for one in recommended[1:]:
            del one["isRecommended"]
        if not several:
            return "at-most-one", []
        return "at-most-one", ["Only one suggestion can be taken here; do the others by hand."]

    def _parts(self, suggestion: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        """Split a suggestion where it may hold one action only; code what the site has coded."""
        name = suggestion.get("extension", {}).get(ACTION, {}).get("id", "")
        actions = list(suggestion.get("actions", ()))
        codes = site_codes(self._order_codes, name, [_created(one) for one in actions])
        if len(actions) > 1 and codes[0] is not None and codes[0] is self._order_codes.get(name):
            # One code for several things: the site has an order set of them.
            actions = [_ordered(actions[0], codes[0], suggestion["label"])]
        else:
            actions = [
                one if code is None else _ordered(one, code)
                for one, code in zip(actions, codes, strict=True)
            ]
        if self._ehr.several_actions or len(actions) < 2:  # noqa: PLR2004 - one is not split
            yield {**suggestion, **({"actions": actions} if actions else {})}
            return
        for at, action in enumerate(actions):
            which = _words_of(action) or action["resource"]["resourceType"]
            said = action["description"]
            unsaid = self._ehr.labels and not said.endswith(which)
            yield {
                **suggestion,
                "label": f"{suggestion['label']}: {which}",
                "uuid": str(uuid5(UUID(suggestion["uuid"]), str(at))) if at else suggestion["uuid"],
                "actions": [{**action, "description": f"{said}: {which}" if unsaid else said}],
            }

    def _taken(self, suggestion: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give a suggestion as the system takes it, None where it does not."""
        found = dict(suggestion)
        actions = found.get("actions", ())
        taken = [self._action(one) for one in actions]
        if None in taken:
            return None
        if taken:
            found["actions"] = [self._described(one, found["label"]) for one in taken if one]
        if self._ehr.action_selection and len(taken) > 1:
            found["actionSelectionBehavior"] = "all"
        self._drop_extension(found)
        return found

    def _described(self, action: dict[str, Any], label: str) -> dict[str, Any]:
        """Begin a description with the label where nobody reads the label itself."""
        if self._ehr.labels:
            return action
        return {**action, "description": f"{label}. {action['description']}"}

    def _action(self, action: Mapping[str, Any]) -> dict[str, Any] | None:
        ehr = self._ehr
        found = {name: value for name, value in action.items() if name != _CODED}
        self._drop_extension(found)
        if action["type"] != "create":
            return found if ehr.changes else None
        resource = action["resource"]
        kind = resource["resourceType"]
        if ehr.creates is not None and kind not in ehr.creates:
            return None
        if kind in ehr.site_coded and _CODED not in action:
            return None
        if self._oids:
            resource = self._with_oids(resource)
        needed = (ehr.coded_in or {}).get(kind)
        if needed is not None and not self._is_coded_in(resource, needed):
            return None
        return {**found, "resource": resource}

    def _is_coded_in(self, resource: Mapping[str, Any], system: str) -> bool:
        uris = self._systems.get(system, ())
        if self._ehr.oids:
            uris = tuple(one for one in uris if one.startswith(_OID))
        codings = resource.get("code", {}).get("coding", ())
        return any(one.get("system") in uris and one.get("code") for one in codings)

    def _with_oids(self, value: Any) -> Any:
        """Name code systems by their OID, at every depth, where one is known."""
        if isinstance(value, dict):
            found = {name: self._with_oids(one) for name, one in value.items()}
            if "code" in found and found.get("system") in self._oids:
                found["system"] = self._oids[found["system"]]
            return found
        if isinstance(value, list):
            return [self._with_oids(one) for one in value]
        return value


# --- actions --------------------------------------------------------------------

# Where the code of what is ordered stands.
_CODE_AT: Final = {"ServiceRequest": "code", "MedicationRequest": "medicationCodeableConcept"}
# A mark of ours on an action whose code is the site's; it never leaves this module.
_CODED: Final = "_coded"


def names_to_map(action: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """
    List the names under which a site may give a code for what an action drafts.

    *kinds* are the types of what it drafts, in order. Only orders have a code of the site;
    the name of the action itself is one where it drafts nothing else.
    """
    orders = [f"{action}.{at}" for at, kind in enumerate(kinds, 1) if kind in _CODE_AT]
    return (action, *orders) if orders and len(orders) == len(kinds) else tuple(orders)


def site_codes(
    codes: Mapping[str, SiteCode], action: str, kinds: Sequence[str]
) -> tuple[SiteCode | None, ...]:
    """
    Give the site's code for each thing that an action drafts, None where there is none.

    One for the action itself stands for all of them, an order set where they are several.
    """
    names = names_to_map(action, kinds)
    if action in codes and action in names:
        return (codes[action],) * len(kinds)
    numbered = (f"{action}.{at}" for at in range(1, len(kinds) + 1))
    return tuple(codes.get(one) if one in names else None for one in numbered)


def _created(action: Mapping[str, Any]) -> str:
    """Give the type of what an action creates; empty where it creates nothing."""
    return str(action["resource"]["resourceType"]) if action["type"] == "create" else ""


def _ordered(action: Mapping[str, Any], code: SiteCode, text: str = "") -> dict[str, Any]:
    """Put the site's code first; an order set has no other code and a *text* of its own."""
    resource = action["resource"]
    at = _CODE_AT[resource["resourceType"]]
    before = resource.get(at, {})
    coding = {"system": code.system, "code": code.code}
    if code.display:
        coding["display"] = code.display
    others = [] if text else before.get("coding", [])
    found = {**before, "coding": [coding, *others]}
    if text:
        found["text"] = text
    return {**action, _CODED: True, "resource": {**resource, at: found}}


def _line(suggestion: Mapping[str, Any]) -> str:
    """Say a suggestion in words, with what it would have set."""
    label = suggestion["label"]
    wanted = " (recommended)" if suggestion.get("isRecommended") else ""
    words = dict.fromkeys(_words_of(one) for one in suggestion.get("actions", ()))
    told = "; ".join(one for one in words if one and one.lower() not in label.lower())
    return f"- {label}{wanted}" + (f": {told}" if told else "")


def _words_of(action: Mapping[str, Any]) -> str:
    """Give what a resource says of itself in words, if it does; of a change what is to be done."""
    if action["type"] != "create":
        return str(action["description"])
    resource = action["resource"]
    for member in ("code", "medicationCodeableConcept", "description"):
        found = resource.get(member)
        if isinstance(found, dict) and found.get("text"):
            until = next(
                (one["dueDate"] for one in resource.get("target", ()) if "dueDate" in one), ""
            )
            return f"{found['text']}, until {until}" if until else str(found["text"])
    diets = resource.get("oralDiet", {}).get("type", ())
    if diets:
        return "; ".join(str(one["text"]) for one in diets if one.get("text"))
    payload = resource.get("payload") or [{}]
    return str(payload[0].get("contentString") or resource.get("title") or "")


def _told(link: Mapping[str, Any]) -> str:
    """Say a link that would be removed: with its address, where a browser would open it."""
    label = str(link["label"])
    return f"{label} (`{link['url']}`)" if link["type"] == "absolute" else label


# --- detail ---------------------------------------------------------------------

_EVERY_LINK: Final = frozenset({"absolute", "smart"})
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\((https?://[^()\s]+)\)")
_ADDRESS: Final = re.compile(r"(?<![(`])https?://[^\s<>()\[\]`]+")
_CELLS: Final = re.compile(r"(?<!\\)\|")
# What explains a rule and is read at leisure; it stands in the rule book.
_AT_LEISURE: Final = ("**Rule:**", "**Evidence:**")
_DRIVERS: Final = "**Drivers**"
_TABLE: Final = "| Input | Value | Date | Age |"


def _brief(blocks: Iterable[str]) -> Iterable[str]:
    """
    Shorten a detail: tables become lines; drivers, logic and literature go.

    Values, dates, what is missing, warnings, limits and the code of the rule stay.
    """
    before = ""
    for block in blocks:
        if block.startswith(_TABLE):
            yield "\n".join(_row(one) for one in block.splitlines()[2:])
        elif _DRIVERS not in {before, block} and not block.startswith(_AT_LEISURE):
            yield block
        before = block


def _row(row: str) -> str:
    title, value, when, old = (one.strip() for one in _CELLS.split(row)[1:5])
    return f"- {title}: {value}" + (f", {when}" if when else "") + (f" ({old})" if old else "")
