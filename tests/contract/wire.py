"""
Discovery, answers, feedback and refusals of CDS Hooks 2.0.1, strictly.

Each function gives what is wrong as lines such as
`CARD-01: a summary of 140 characters at $.cards[0].summary`; an empty list is praise.
What needs the request to be judged takes it: whose patient, which drafts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.contract.looking import CODE, UUID, Look, is_absolute
from tests.contract.markdown import markdown
from tests.contract.prefetch import templates
from tests.contract.resources import created, faults_of, updated

__all__ = ["HOOKS", "discovery", "feedback", "outcome", "request", "response"]

HOOKS: Final = {
    "patient-view": "1.0",
    "order-select": "1.0",
    "order-sign": "1.0",
    "order-dispatch": "1.1",
    "encounter-start": "1.0",
    "encounter-discharge": "1.0",
    "appointment-book": "1.0",
    "problem-list-item-create": "0.1.0",
    "allergyintolerance-create": "0.1.0",
    "medication-refill": "0.1.0",
}
"""The hooks of the catalogue, with the version of their published tables."""

_SERVICE: Final = frozenset(
    {"hook", "title", "description", "id", "prefetch", "usageRequirements"}
    | {"version", "hookVersion", "extension"}
)
_CARD: Final = frozenset(
    {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior"}
    | {"overrideReasons", "links", "extension"}
)
_SEGMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_SEMVER: Final = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_RELATIVE: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_URGENCY: Final = ("critical", "warning", "info")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


# --- discovery ----------------------------------------------------------------------


def discovery(body: Any) -> list[str]:
    """Check an answer of discovery."""
    look = Look()
    whole = look.object_at("DISC-02", body, "$")
    if whole is None:
        return look.found
    look.members("DISC-02", whole, frozenset({"services"}), "$")
    look.nothing_empty(whole, "$", but=frozenset({"$.services"}))
    ids: list[str] = []
    for at, one in look.items_at("DISC-02", whole.get("services"), "$.services", least=0):
        ids.append(_service(look, one, at))
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        look.wrong("DISC-12", f"the id {name} twice", "$.services")
    return look.found


def _service(look: Look, one: dict[str, Any], at: str) -> str:
    look.members("DISC-16" if "url" in one else "CARD-16", one, _SERVICE, at)
    hook = look.text("DISC-04", one, "hook", at)
    if hook and hook not in HOOKS and _DOMAIN.fullmatch(hook) is None:
        look.wrong("HOOK-10", "a hook that is neither of the catalogue nor of a domain", at)
    look.text("DISC-05", one, "description", at)
    found = look.text("DISC-06", one, "id", at)
    if found and (_SEGMENT.fullmatch(found) is None or CODE.fullmatch(found) is None):
        look.wrong("DISC-06", "no safe segment of a path", f"{at}.id")
    look.text("DISC-07", one, "title", at)
    if "usageRequirements" in one:
        look.text("DISC-09", one, "usageRequirements", at)
    if "version" in one and _SEMVER.fullmatch(str(one["version"])) is None:
        look.wrong("DISC-10", "no semantic version", f"{at}.version")
    if "hookVersion" in one and one["hookVersion"] != HOOKS.get(hook):
        look.wrong("DISC-11", "not the published version of the hook", f"{at}.hookVersion")
    if "prefetch" in one:
        keys = look.object_at("DISC-08", one["prefetch"], f"{at}.prefetch") or {}
        for key, text in keys.items():
            if not isinstance(text, str):
                look.wrong("DISC-08", "a template that is no text", f"{at}.prefetch.{key}")
        legible = {key: text for key, text in keys.items() if isinstance(text, str)}
        templates(look, legible, hook, f"{at}.prefetch")
    look.extension(one, at)
    return found


# --- answers ------------------------------------------------------------------------


def response(
    body: Any,
    *,
    patient: str = "",
    drafts: Mapping[str, Any] | None = None,
    ballot: bool = False,
) -> list[str]:
    """
    Check the answer of a service.

    *patient* is the id of the patient of the call, *drafts* the drafts of its context by
    `Type/id`; what cannot be judged without them is left alone where they are not given.
    With *ballot* the client is known to read what the 3.0 ballot adds.
    """
    look = Look(ballot=ballot)
    whole = look.object_at("RESP-01", body, "$")
    if whole is None:
        return look.found
    if "systemActions" in whole:
        look.wrong("RESP-04", "system actions that nobody agreed to", "$.systemActions")
    look.members("CARD-16", whole, frozenset({"cards", "systemActions", "extension"}), "$")
    look.nothing_empty(whole, "$", but=frozenset({"$.cards"}))
    look.extension(whole, "$")
    seen: list[str] = []
    order: list[int] = []
    for at, card in look.items_at("RESP-01", whole.get("cards"), "$.cards", least=0):
        seen.extend(_card(look, card, at, patient, drafts))
        if card.get("indicator") in _URGENCY:
            order.append(_URGENCY.index(card["indicator"]))
    if order != sorted(order):
        look.wrong("RESP-05", "a card behind a less urgent one", "$.cards")
    if len(seen) != len(set(seen)):
        look.wrong("CARD-09", "one uuid twice", "$.cards")
    return look.found


def _card(
    look: Look,
    card: dict[str, Any],
    at: str,
    patient: str,
    drafts: Mapping[str, Any] | None,
) -> Iterable[str]:
    look.members("CARD-16", card, _CARD, at)
    uuids = [look.uuid("CARD-09", card, at)]
    _summary(look, card, at)
    if card.get("indicator") not in _URGENCY:
        look.wrong("CARD-02", "none of info, warning, critical", f"{at}.indicator")
    _source(look, card, at, patient)
    links = _links(look, card, at, patient)
    if "detail" in card:
        text = look.text("CARD-07", card, "detail", at)
        markdown(look, text, links, f"{at}.detail")
    if "overrideReasons" in card:
        for place, one in look.items_at(
            "CARD-12", card["overrideReasons"], f"{at}.overrideReasons"
        ):
            look.coding("CARD-13", one, place, "code", "system", "display")
    uuids += _suggestions(look, card, at, patient, drafts)
    look.extension(card, at)
    return uuids


def _summary(look: Look, card: dict[str, Any], at: str) -> None:
    text = look.text("CARD-01", card, "summary", at)
    # As a browser counts: characters beyond the basic plane are two.
    length = len(text.encode("utf-16-le", "replace")) // 2
    if length >= 140:
        look.wrong("CARD-01", f"a summary of {length} characters", f"{at}.summary")
    if _CONTROL.search(text):
        look.wrong("CARD-01", "more than one line of plain text", f"{at}.summary")
    if re.search(r"</?[A-Za-z]", text):
        look.wrong("CARD-08", "markup", f"{at}.summary")


def _source(look: Look, card: dict[str, Any], at: str, patient: str) -> None:
    source = look.object_at("CARD-03", card.get("source"), f"{at}.source")
    if source is None:
        return
    at = f"{at}.source"
    look.members("CARD-16", source, frozenset({"label", "url", "icon", "topic"}), at)
    look.text("CARD-03", source, "label", at)
    if "url" in source and not is_absolute(source["url"]):
        look.wrong("CARD-04", "no absolute address", f"{at}.url")
    if "url" in source and _holds(str(source["url"]), patient):
        look.wrong("CARD-04", "an address of one patient", f"{at}.url")
    if "icon" in source and not is_absolute(source["icon"]):
        look.wrong("CARD-05", "no absolute address", f"{at}.icon")
    if "topic" in source:
        look.coding("CARD-06", source["topic"], f"{at}.topic", "code", "system")


def _links(look: Look, card: dict[str, Any], at: str, patient: str) -> list[str]:
    if "links" not in card:
        return []
    urls = []
    for place, link in look.items_at("CARD-15", card["links"], f"{at}.links"):
        known = frozenset({"label", "url", "type", "appContext", "autolaunchable"})
        look.members("CARD-16", link, known, place)
        look.text("LINK-01", link, "label", place)
        url = look.text("LINK-01", link, "url", place)
        if link.get("type") not in {"absolute", "smart"}:
            look.wrong("LINK-01", "a type that is neither absolute nor smart", f"{place}.type")
        if not is_absolute(url) or not url.startswith("https:"):
            look.wrong("LINK-02", "no absolute https address", f"{place}.url")
        if link.get("type") == "smart" and re.search(r"[?&](iss|launch)=", url):
            look.wrong("LINK-03", "what the client adds", f"{place}.url")
        if "appContext" in link and link.get("type") != "smart":
            look.wrong("LINK-04", "appContext on a link that is not smart", place)
        if "appContext" in link and not isinstance(link["appContext"], str):
            look.wrong("LINK-04", "appContext that is no text", place)
        if link.get("autolaunchable"):
            look.wrong("LINK-05", "a launch that nobody asked for", place)
        if _holds(url, patient):
            look.wrong("LINK-07", "the patient in an address", f"{place}.url")
        urls.append(url)
    return urls


def _holds(url: str, patient: str) -> bool:
    """Tell whether an address names the patient, as a part of its own."""
    return bool(patient) and patient in re.split(r"[/?&=#|,]", url)


def _suggestions(
    look: Look,
    card: dict[str, Any],
    at: str,
    patient: str,
    drafts: Mapping[str, Any] | None,
) -> list[str]:
    behaviour = card.get("selectionBehavior")
    if "suggestions" not in card:
        if behaviour is not None:
            look.wrong("CARD-11", "selectionBehavior without suggestions", at)
        return []
    if behaviour not in {"at-most-one", "any"}:
        look.wrong("CARD-11", "suggestions without a known selectionBehavior", at)
    uuids: list[str] = []
    recommended = 0
    for place, one in look.items_at("CARD-10", card["suggestions"], f"{at}.suggestions"):
        known = {"label", "uuid", "isRecommended", "actions", "extension"}
        if "actionSelectionBehavior" in one:
            _action_choice(look, one, place)
        look.members("CARD-16", one, frozenset(known | {"actionSelectionBehavior"}), place)
        look.text("SUG-01", one, "label", place)
        uuids.append(look.uuid("SUG-02", one, place))
        if not isinstance(one.get("isRecommended", False), bool):
            look.wrong("SUG-03", "isRecommended that is no boolean", place)
        recommended += one.get("isRecommended") is True
        _actions(look, one, place, patient, drafts)
        look.extension(one, place)
    if recommended > 1 and behaviour == "at-most-one":
        look.wrong("SUG-03", "several recommended where one may be chosen", at)
    return uuids


def _action_choice(look: Look, suggestion: dict[str, Any], at: str) -> None:
    """Want a known value, with something to choose from, and only where it is read."""
    if not look.ballot:
        look.wrong("SUG-05", "actionSelectionBehavior", at)
    if suggestion["actionSelectionBehavior"] not in {"all", "any", "at-most-one"}:
        look.wrong("SUG-05", "none of all, any, at-most-one", f"{at}.actionSelectionBehavior")
    if not suggestion.get("actions"):
        look.wrong("SUG-05", "a choice of no actions", at)


def _actions(
    look: Look,
    suggestion: dict[str, Any],
    at: str,
    patient: str,
    drafts: Mapping[str, Any] | None,
) -> None:
    if "actions" not in suggestion:
        return
    ids: list[str] = []
    changed: dict[str, str] = {}
    for place, action in look.items_at("SUG-04", suggestion["actions"], f"{at}.actions"):
        known = frozenset({"type", "description", "resource", "resourceId", "extension"})
        look.members("CARD-16", action, known, place)
        look.text("SUG-06", action, "description", place)
        look.extension(action, place)
        kind = action.get("type")
        if kind not in {"create", "update", "delete"}:
            look.wrong("SUG-06", "none of create, update, delete", f"{place}.type")
            continue
        target = _target(look, action, place, drafts)
        if kind == "create" and isinstance(action.get("resource"), dict):
            created(look, action["resource"], patient, f"{place}.resource")
            ids.append(str(action["resource"].get("id")))
        if kind == "update" and isinstance(action.get("resource"), dict):
            draft = (drafts or {}).get(target)
            updated(look, action["resource"], draft, patient, f"{place}.resource")
        if target and changed.setdefault(target, kind) != kind:
            look.wrong("SUG-11", "one resource updated and deleted", place)
    if len(ids) != len(set(ids)):
        look.wrong("SUG-10", "one id for two new resources", at)


def _target(look: Look, action: dict[str, Any], at: str, drafts: Mapping[str, Any] | None) -> str:
    """Check what an action is about, and name it where it is there already."""
    kind = action["type"]
    if kind == "delete":
        target = str(action.get("resourceId", ""))
        if "resource" in action or _RELATIVE.fullmatch(target) is None:
            look.wrong("SUG-09", "a delete without a relative resourceId alone", at)
    else:
        clause = "SUG-07" if kind == "create" else "SUG-08"
        resource = look.object_at(clause, action.get("resource"), f"{at}.resource") or {}
        if "resourceId" in action:
            look.wrong("SUG-09", f"a {kind} with a resourceId", at)
        if kind == "create":
            return ""
        target = f"{resource.get('resourceType')}/{resource.get('id')}"
    if drafts is not None and target not in drafts:
        look.wrong("SUG-14", f"a {kind} of something that is no draft", at)
    return target


# --- refusals -----------------------------------------------------------------------

_SEVERITIES: Final = frozenset({"fatal", "error", "warning", "information"})


def outcome(body: Any) -> list[str]:
    """Check the body of a refusal: an OperationOutcome of R4 that says something."""
    look = Look()
    whole = look.object_at("ERR-10", body, "$")
    if whole is None:
        return look.found
    look.nothing_empty(whole, "$")
    if whole.get("resourceType") != "OperationOutcome":
        look.wrong("ERR-10", "no OperationOutcome", "$")
        return look.found
    for at, issue in look.items_at("ERR-10", whole.get("issue"), "$.issue"):
        if issue.get("severity") not in _SEVERITIES:
            look.wrong("ERR-10", "no severity", at)
        look.text("ERR-10", issue, "code", at)
        text = look.text("ERR-10", issue, "diagnostics", at)
        if "Traceback" in text or 'File "' in text:
            look.wrong("ERR-08", "a stack", at)
    for fault in faults_of(whole):
        look.wrong("ERR-10", fault, "$")
    return look.found


# --- what clients send --------------------------------------------------------------


def request(body: Any) -> list[str]:
    """Check the envelope of a call as HL7's model of it does (cds-r-1, cds-r-2)."""
    look = Look()
    whole = look.object_at("REQ-01", body, "$")
    if whole is None:
        return look.found
    look.text("REQ-02", whole, "hook", "$")
    instance = look.text("REQ-03", whole, "hookInstance", "$")
    if instance and UUID.fullmatch(instance.lower()) is None:
        look.wrong("REQ-03", "no uuid", "$.hookInstance")
    context = look.object_at("REQ-09", whole.get("context"), "$.context")
    if context is not None and not context:
        look.wrong("REQ-09", "an empty context", "$.context")
    for name in ("patientId", "encounterId"):
        if name in (context or {}) and _ID.fullmatch(str((context or {})[name])) is None:
            look.wrong("HOOK-03", "no bare id", f"$.context.{name}")
    chosen = (context or {}).get("selections", [])
    if not isinstance(chosen, list) or not all(_RELATIVE.fullmatch(str(one)) for one in chosen):
        look.wrong("ord-1", "a selection that is no type with an id", "$.context.selections")
    if "fhirServer" in whole and not is_absolute(whole["fhirServer"]):
        look.wrong("REQ-05", "no absolute address", "$.fhirServer")
    if "fhirAuthorization" in whole:
        if "fhirServer" not in whole:
            look.wrong("cds-r-1", "fhirAuthorization without fhirServer", "$")
        _authorization(look, whole["fhirAuthorization"])
    if "extension" in whole:
        look.object_at("EXT-01", whole["extension"], "$.extension")
    for key, one in (
        look.object_at("REQ-10", whole.get("prefetch", {}), "$.prefetch") or {}
    ).items():
        if one is not None and not (isinstance(one, dict) and one.get("resourceType")):
            look.wrong("cds-r-2", "neither a resource nor null", f"$.prefetch.{key}")
    return look.found


def _authorization(look: Look, value: Any) -> None:
    at = "$.fhirAuthorization"
    found = look.object_at("REQ-07", value, at)
    if found is None:
        return
    for name in ("access_token", "scope", "subject"):
        look.text("REQ-07", found, name, at)
    if found.get("token_type") != "Bearer":
        look.wrong("REQ-07", "a token_type that is not Bearer", f"{at}.token_type")
    if type(found.get("expires_in")) is not int or found["expires_in"] <= 0:
        look.wrong("REQ-07", "no lifetime in whole seconds", f"{at}.expires_in")
    if "patient" not in found and "patient/" in str(found.get("scope")):
        look.wrong("REQ-08", "scopes of a patient without the patient", at)


def feedback(body: Any) -> list[str]:
    """Check feedback as HL7's model of it does (cds-fb-1 to cds-fb-3)."""
    look = Look()
    whole = look.object_at("FB-02", body, "$")
    if whole is None:
        return look.found
    for at, one in look.items_at("FB-02", whole.get("feedback"), "$.feedback"):
        card = look.text("FB-03", one, "card", at)
        if card and UUID.fullmatch(card) is None:
            look.wrong("FB-03", "a card that is no uuid", f"{at}.card")
        if _TIME.fullmatch(look.text("FB-03", one, "outcomeTimestamp", at)) is None:
            look.wrong("FB-03", "no instant with a zone", f"{at}.outcomeTimestamp")
        _outcome_of_card(look, one, at)
    return look.found


def _outcome_of_card(look: Look, one: dict[str, Any], at: str) -> None:
    how = one.get("outcome")
    if how not in {"accepted", "overridden"}:
        look.wrong("cds-fb-1", "neither accepted nor overridden", f"{at}.outcome")
    if how == "accepted":
        if "overrideReason" in one:
            look.wrong("cds-fb-1", "a reason to override what was accepted", at)
        for place, each in look.items_at(
            "cds-fb-2", one.get("acceptedSuggestions"), f"{at}.acceptedSuggestions"
        ):
            look.text("FB-04", each, "id", place)
    elif "acceptedSuggestions" in one:
        look.wrong("cds-fb-2", "accepted suggestions of a card that was not accepted", at)
    if "overrideReason" in one:
        reason = look.object_at("FB-05", one["overrideReason"], f"{at}.overrideReason") or {}
        if not reason.get("reason") and not reason.get("userComment"):
            look.wrong("cds-fb-3", "neither a reason nor a comment", f"{at}.overrideReason")
        if "reason" in reason:
            coding = look.object_at("FB-05", reason["reason"], f"{at}.overrideReason.reason") or {}
            look.text("FB-05", coding, "code", f"{at}.overrideReason.reason")
