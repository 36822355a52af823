"""
The hand-over sheet: all that an integrator of one client has to enter, ask for or map.

Written from the rules, the registration of the client and the settings of the service, so
that it is true for what is served; nothing in it is secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from cds import __version__
from cds.core.rules import Action, Card, Ruleset
from cds.hooks.adapting import SiteCode, adapt, names_to_map, oids_of, site_codes
from cds.hooks.contexts import CONTEXTS
from cds.hooks.discovery import hooks_of, prefetch_of, service_of
from cds.hooks.ehr import EHRS, hl7_codes, topic_code
from cds.hooks.feedback import MOST_FEEDBACK, MOST_ITEMS
from cds.hooks.options import (
    ADVERTISED,
    CHOSEN,
    CRD_ADVERTISED,
    CRD_CHOSEN,
    MOST_CARDS,
    configuration,
    read_options,
)
from cds.hooks.unchecked import UNCHECKED
from cds.hooks.wire import ACTION, EVALUATION, RULE
from cds.service.clients import Client
from cds.service.limits import FEEDBACK_BURST
from cds.service.settings import Settings

__all__ = ["sheet_of"]

_TYPE: Final = re.compile(r"([A-Z][A-Za-z]+)([/?])")
_ORDERS: Final = frozenset({"MedicationRequest", "ServiceRequest"})
_UUID: Final = "00000000-0000-4000-8000-000000000000"


def sheet_of(rules: Ruleset, client: Client, settings: Settings) -> str:
    """Write the sheet of one client, in Markdown."""
    return "\n".join(_Sheet(rules, client, settings).lines()) + "\n"


class _Sheet:
    """Writes one sheet, section by section."""

    def __init__(self, rules: Ruleset, client: Client, settings: Settings) -> None:
        self._rules = rules
        self._client = client
        self._settings = settings
        self._ehr = EHRS[client.ehr]
        self._base = settings.base_url
        served = hooks_of(rules)
        may = client.services or tuple(service_of(one) for one in served)
        self._hooks = [one for one in served if one in self._ehr.hooks and service_of(one) in may]
        self._left = [one for one in served if one not in self._hooks]
        self._cards = [
            one
            for one in rules.cards.values()
            if one.status == "active" and set(one.hooks) & set(self._hooks)
        ]

    def lines(self) -> Iterator[str]:
        title = self._client.title or self._client.name
        yield f"# Hand-over sheet: {_cell(title)}"
        yield ""
        yield (
            f"Metabolic CDS {__version__}, rules {self._rules.release}, profile "
            f"`{self._rules.profile.id}`; CDS Hooks 2.0.1, FHIR R4; EHR profile "
            f"`{self._ehr.name}` ({self._ehr.title})."
        )
        yield "Decision support for health professionals; not a medical device."
        for heading, section in (
            (f"Before you begin: {self._ehr.title}", self._notes()),
            ("Addresses", self._addresses()),
            ("Hooks and their context", self._contexts()),
            ("Prefetch", self._prefetch()),
            ("Access to your FHIR server", self._access()),
            ("How calls are signed", self._signing()),
            ("Topics: what an override is remembered by", self._topics()),
            ("Override reasons", self._reasons()),
            ("Orders to map", self._orders()),
            ("Hosts of links", self._links()),
            ("Options", self._options()),
            ("Our extensions", self._extensions()),
            ("Limits", self._limits()),
            ("To agree on", self._agreement()),
        ):
            found = list(section)
            if found:
                yield ""
                yield f"## {heading}"
                yield ""
                yield from found

    # --- what is called ----------------------------------------------------------

    def _notes(self) -> Iterator[str]:
        yield from (f"- {one}" for one in self._ehr.notes)

    def _addresses(self) -> Iterator[str]:
        if not self._settings.public_url:
            yield "`CDS_PUBLIC_URL` is not set: these addresses are good on this machine only."
            yield ""
        rows = [("discovery", f"GET {self._base}/cds-services")]
        for hook in self._hooks:
            address = f"{self._base}/cds-services/{service_of(hook)}"
            rows += [(hook, f"POST {address}"), ("its feedback", f"POST {address}/feedback")]
        yield from _table(("what", "address"), [(what, _code(one)) for what, one in rows])
        if self._left:
            yield ""
            yield f"Served, and not for this client: {', '.join(self._left)}."

    def _contexts(self) -> Iterator[str]:
        yield from _table(
            ("hook", "version", "required", "optional"),
            [
                (
                    hook,
                    CONTEXTS[hook].version,
                    _codes([*CONTEXTS[hook].required, *map("|".join, CONTEXTS[hook].either)]),
                    _codes(CONTEXTS[hook].optional),
                )
                for hook in self._hooks
            ],
        )

    def _prefetch(self) -> Iterator[str]:
        yield "Only the Patient is required; what else is missing counts as unknown."
        if not self._ehr.reads_discovery:
            yield "Discovery is not read: enter each line by hand, as it stands."
        same: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for hook in self._hooks:
            same.setdefault(tuple(prefetch_of(self._rules, hook).items()), []).append(hook)
        for templates, hooks in same.items():
            yield ""
            yield f"### {', '.join(service_of(one) for one in hooks)}"
            for key, template in templates:
                yield ""
                yield f"{_code(key)}"
                yield ""
                yield "```text"
                yield template
                yield "```"

    def _access(self) -> Iterator[str]:
        reads = sorted({found for hook in self._hooks for found in self._reads(hook)})
        yield "Needed only where prefetch does not bring everything. All of it is reading."
        yield ""
        yield from _table(
            ("resource", "SMART v1", "SMART v2"),
            [
                (name, _code(f"patient/{name}.read"), _code(f"patient/{name}.{letter}"))
                for name, letter in reads
            ],
        )
        yield ""
        subject = _code(self._client.subject) if self._client.subject else "not registered yet"
        yield f"What you call us (`fhirAuthorization.subject`): {subject}."
        bases = _codes(self._client.fhir_bases) or "none yet; we ask no other"
        yield f"Your FHIR servers that we may ask: {bases}."
        how = "GET" if self._client.fhir_searches == "get" else "POST to `_search`"
        alike = self._client.fhir_connections
        yield f"For one call up to {alike} requests at the same time; searches by {how}."

    def _reads(self, hook: str) -> Iterator[tuple[str, str]]:
        for template in prefetch_of(self._rules, hook).values():
            found = _TYPE.match(template)
            if found is not None:
                yield found.group(1), "rs" if found.group(2) == "?" else "r"

    def _signing(self) -> Iterator[str]:
        client = self._client
        if not client.issuer:
            yield "No issuer is registered: no call of this client would be let in."
            return
        yield "`Authorization: Bearer` with a JWT of your own, on services and feedback."
        if self._settings.protect_discovery:
            yield "On discovery too."
        yield ""
        keys = f"the key set at {_code(client.jwks_url)}" if client.jwks_url else "registered here"
        kids = [str(one.get("kid", "")) for one in client.keys]
        audiences = [self._base, *(one.rstrip("/") for one in client.audiences)]
        rows = [
            ("`alg`", " or ".join(_code(one) for one in client.algorithms)),
            ("`typ`", "`JWT`"),
            ("`kid`", _codes(one for one in kids if one) or "a key of that set"),
            ("`jku`", f"{_code(client.jwks_url)} or none" if client.jwks_url else "none"),
            ("keys", keys),
            ("`iss`", _code(client.issuer)),
            ("`aud`", "the address that is called, to the letter, under " + _codes(audiences)),
            ("`iat`, `exp`", f"at most {client.token_seconds} seconds apart"),
            ("`jti`", "new for each call, at most 128 characters"),
            ("`sub`", "not needed"),
            ("`tenant`", "one of " + _codes(client.tenants) if client.tenants else "none"),
        ]
        yield from _table(("member", "value"), rows)

    # --- what is mapped ----------------------------------------------------------

    def _topics(self) -> Iterator[str]:
        yield f"System {_code(self._rules.profile.topic_system)}; the same for every patient."
        yield ""
        yield from _table(
            ("code", "rule", "title"),
            [
                (_code(topic_code(one.code, self._ehr)), one.code, _cell(one.title))
                for one in self._cards
            ]
            + [
                (
                    _code(topic_code(UNCHECKED, self._ehr)),
                    UNCHECKED,
                    _cell(self._rules.profile.texts["unchecked_title"]),
                )
            ],
        )

    def _reasons(self) -> Iterator[str]:
        profile = self._rules.profile
        theirs = hl7_codes(profile) if self._client.override_codes == "hl7" else {}
        rows = []
        for one in profile.override_reasons:
            coding = {
                "code": one.code,
                "system": profile.override_system,
                **theirs.get(one.code, {}),
            }
            rows.append((_code(coding["code"]), _code(coding["system"]), _cell(one.display)))
        yield from _table(("code", "system", "what is read"), rows)

    def _orders(self) -> Iterator[str]:
        rows = [row for action in self._actions() for row in self._order(action)]
        rows += [self._change(one) for one in self._used() if one.drafts]
        if not rows:
            return
        yield "`order_codes` of the registration has the code under which you order an action."
        yield "One for an action without its number stands for an order set of all it drafts."
        yield ""
        head = ("action", "label", "resource", "our code", "your code", "so it is")
        yield from _table(head, rows)
        known = {name for one in self._actions() for name in names_to_map(one.id, _kinds(one))}
        strange = sorted(set(self._client.order_codes) - known)
        if strange:
            yield ""
            yield f"Mapped, and no order on a card of this client: {_codes(strange)}."

    def _used(self) -> list[Action]:
        names = {name for card in self._cards for name in _offered_by(card)}
        return [one for name, one in self._rules.actions.items() if name in names]

    def _actions(self) -> list[Action]:
        return [one for one in self._used() if one.resources]

    def _change(self, action: Action) -> tuple[str, ...]:
        """Tell of an action that takes drafts of a call back, or changes them."""
        what = "deletes drafts" if action.cancel else "changes drafts"
        fate = "offered" if self._ehr.changes else "a line of text"
        return _code(action.id), _cell(action.label), what, "", "", fate

    def _order(self, action: Action) -> Iterator[tuple[str, ...]]:
        codes = site_codes(self._client.order_codes, action.id, _kinds(action))
        for at, (resource, code) in enumerate(zip(action.resources, codes, strict=True), 1):
            yours = _code(f"{code.system}|{code.code}") if code is not None else "not mapped"
            yield (
                _code(action.id if len(action.resources) == 1 else f"{action.id}.{at}"),
                _cell(action.label),
                resource["resourceType"],
                _our_codes(resource, oids_of(self._ehr, self._rules.systems)),
                yours if resource["resourceType"] in _ORDERS else "",
                "offered" if self._is_offered(action, resource, code) else "a line of text",
            )

    def _is_offered(
        self, action: Action, resource: Mapping[str, Any], code: SiteCode | None
    ) -> bool:
        """Ask what rewrites answers whether this is left to be accepted."""
        create = {"type": "create", "description": action.description, "resource": dict(resource)}
        suggestion = {
            "label": action.label,
            "uuid": _UUID,
            "extension": {ACTION: {"id": action.id}},
            "actions": [create],
        }
        card = {"source": {}, "suggestions": [suggestion], "selectionBehavior": "any"}
        found = adapt(
            {"cards": [card]},
            self._ehr,
            order_codes={} if code is None else {action.id: code},
            link_hosts=(),
            systems=self._rules.systems,
        )
        return "suggestions" in found["cards"][0]

    def _links(self) -> Iterator[str]:
        hosts = sorted(set(self._hosts()))
        if not hosts:
            return
        known = set(self._client.link_hosts)
        limited = known or self._ehr.strips
        yield "Every host that a card may lead to; `link_hosts` of the registration has yours."
        yield ""
        yield from _table(
            ("host", "registered"),
            [
                (_code(one), "yes" if one in known else "no" if limited else "all are")
                for one in hosts
            ],
        )

    def _hosts(self) -> Iterator[str]:
        urls = [self._rules.profile.source_url]
        for card in self._cards:
            source = self._rules.sources.get(card.source)
            urls += [source.url if source is not None else "", *(one["url"] for one in card.links)]
        for url in urls:
            host = urlsplit(url).hostname
            if host:
                yield host

    # --- how much ----------------------------------------------------------------

    def _options(self) -> Iterator[str]:
        chosen = read_options(self._rules, self._client.options, {})
        listed = {
            one["code"]: one
            for hook in self._hooks
            for one in configuration(self._rules, hook).get(ADVERTISED, ())
        }
        if not listed:
            return
        rows = []
        for name, one in listed.items():
            here = "off" if name in chosen.off else "on"
            if name == MOST_CARDS:
                here = str(chosen.most_cards or one["default"])
            rows.append((_code(name), here, _cell(one["description"])))
        yield "`options` of the registration sets them for all calls, a call for itself."
        yield ""
        yield from _table(("option", "here", "what it is"), rows)
        strange = sorted(set(self._client.options) - set(listed))
        if strange:
            yield ""
            yield f"Set, and no option of these services: {_codes(strange)}."

    def _extensions(self) -> Iterator[str]:
        chosen = [CHOSEN, *([CRD_CHOSEN] if self._settings.crd else [])]
        listed = [ADVERTISED, *([CRD_ADVERTISED] if self._settings.crd else [])]
        if not self._ehr.extensions:
            yield "None is sent to this EHR profile; in a call, options may be set in one:"
            yield f"{' or '.join(map(_code, chosen))}. All others are ignored."
            return
        yield from _table(
            ("name", "of", "what it says"),
            [
                (_code(RULE), "a card", "its rule, version and release"),
                (_code(ACTION), "a suggestion", "its action of the library, and its rule"),
                (_code(EVALUATION), "an answer", "what was evaluated, not used, switched off"),
                *(
                    (_code(one), "a service in discovery", "the options there are")
                    for one in listed
                ),
                *((_code(one), "a call", "the options that are chosen") for one in chosen),
            ],
        )
        yield ""
        yield "None has to be read or sent; those of a call that nobody knows are ignored."

    def _limits(self) -> Iterator[str]:
        settings, client = self._settings, self._client
        most = read_options(self._rules, client.options, {}).most_cards
        rows = [
            ("body of a call", f"{settings.max_body:,} bytes"),
            ("body of feedback", f"{MOST_FEEDBACK:,} bytes, {MOST_ITEMS} items"),
            ("time to send a body", f"{settings.receive_seconds:g} seconds"),
            ("calls", f"{client.rate:g} in a second, {client.burst} at once"),
            ("calls of feedback", f"{FEEDBACK_BURST} in a minute"),
            ("time for your FHIR server", f"{settings.fetch_seconds:g} seconds for all of it"),
            (
                "cards of an answer",
                f"{most or self._rules.profile.most_cards}; critical ones always",
            ),
            ("summary of a card", "139 characters"),
        ]
        yield from _table(("what", "limit"), rows)

    def _agreement(self) -> Iterator[str]:
        yield "- which hooks call, and when"
        yield "- which prefetch is sent, and which scopes a token has"
        yield "- how the token is kept: for one call, in memory, never written down"
        yield "- our client id at your authorization server"
        yield "- who maps orders and override reasons, and who is told of a new release"
        owners = sorted({one.upkeep.owner for one in self._cards if one.upkeep.owner})
        yield ""
        yield f"Who answers for the rules: {', '.join(owners)}."


def _offered_by(card: Card) -> Iterator[str]:
    for one in card.suggestions:
        yield from (one.action, *one.choices)
        yield from (each.instead for each in one.guards)


def _kinds(action: Action) -> list[str]:
    return [str(one["resourceType"]) for one in action.resources]


def _our_codes(resource: Mapping[str, Any], oids: Mapping[str, str]) -> str:
    """Write the codes of an order or a problem under the names of systems that go out."""
    for member in ("code", "medicationCodeableConcept"):
        found = resource.get(member)
        if isinstance(found, dict):
            return _codes(
                f"{oids.get(one['system'], one['system'])}|{one['code']}"
                for one in found.get("coding", ())
            )
    return ""


# --- Markdown -------------------------------------------------------------------


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(_code(one) for one in texts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
