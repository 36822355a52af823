"""
Who the patient is, and what was received: every resource, and for every search how whole it came.

`retrieve` reads the prefetch of a request, `whole_record` a record as a file holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cds.core.concepts import Search
from cds.core.facts import Gap, ListState
from cds.errors import BadRequest, CannotProceed
from cds.fhir.bundles import Answer, EveryPage, unpack
from cds.fhir.context import NOTHING, About, found_among
from cds.fhir.references import Item, Resource, bare_id, id_of, identity_of
from cds.fhir.versions import newest

__all__ = ["Retrieved", "retrieve", "whole_record"]

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_WHOLE: Final = ListState(complete=True)
_WRONG_PATIENT: Final = "must be the Patient that context.patientId names"
_NO_PATIENT: Final = "must hold the Patient: nothing can be concluded without"


@dataclass(frozen=True, slots=True)
class Retrieved:
    """
    What one request brought.

    *lists* says for every search of the rules whether its answer came whole; *items*
    holds every resource in the order received, what the call is *about* last;
    *urls* are the fullUrls under which the patient arrived.
    """

    patient_id: str
    patient: Item
    lists: Mapping[str, ListState] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    urls: frozenset[str] = frozenset()
    about: About = NOTHING


def retrieve(
    prefetch: Mapping[str, Any] | None,
    *,
    patient_id: str,
    searches: Mapping[str, Search],
    about: About = NOTHING,
) -> Retrieved:
    """
    Read a prefetch.

    Entries under keys that no search has are read too: they prove presence, never
    absence. A key that is no plain name is never repeated. *about* is what the context of
    the call brought; what it only names is looked for among what was received.
    Raises `BadRequest` where another patient was sent, `CannotProceed` where none was.
    """
    sent: Mapping[Any, Any] = prefetch or {}
    lists = dict.fromkeys(searches, ListState(complete=False, reason=Gap.NOT_SENT))
    answers: list[tuple[str, Search | None, Answer]] = []
    for position, (key, value) in enumerate(sent.items()):
        name = key if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else ""
        path = f"$.prefetch.{name}" if name else f"$.prefetch[{position}]"
        search = searches.get(name)
        answer = unpack(value, path=path, key=name)
        # A key of ours may be said; any other is text of the caller.
        said = path if search is not None else f"$.prefetch[{position}]"
        answers.append((said, search, answer))
        if search is not None:
            paged = isinstance(value, EveryPage)
            lists[name] = _WHOLE if value is None else _state(search, answer, paged=paged)
    patient, urls = _patient(answers, bare_id(patient_id))
    received = (item for _, _, answer in answers for item in answer.items)
    items, about = found_among(about, received)
    return Retrieved(
        patient_id=bare_id(patient_id),
        patient=patient,
        lists=lists,
        items=(*items, *about.items),
        urls=urls,
        about=about,
    )


def whole_record(
    record: Resource | Sequence[Resource],
    *,
    searches: Mapping[str, Search],
    patient_id: str | None = None,
    partial: bool = False,
) -> Retrieved:
    """
    Read a Bundle, or the resources of one patient, as all there is.

    Every search is complete, unless *partial*, or unless the record itself says that
    it is a page or holds an error. Without *patient_id* it must be about one Patient.
    """
    answer = unpack(record, path="$", key="record")
    if patient_id is None:
        patient_id = _only_patient(answer)
    patient, urls = _patient([("$", None, answer)], bare_id(patient_id))
    state = ListState(complete=not partial, reason=Gap.INCOMPLETE if partial else Gap.NOT_SENT)
    if answer.failed:
        state = ListState(complete=False, reason=Gap.SEARCH_FAILED)
    elif answer.continues:
        state = ListState(complete=False, reason=Gap.INCOMPLETE)
    return Retrieved(
        patient_id=bare_id(patient_id),
        patient=patient,
        lists=dict.fromkeys(searches, state),
        items=tuple(answer.items),
        urls=urls,
    )


def _state(search: Search, answer: Answer, *, paged: bool) -> ListState:
    """Say whether an answer can prove that something is absent; *paged* up to its last page."""
    gap = answer.gap
    if gap is None:
        is_read = search.count is None and answer.kinds == {search.resource}
        is_answer = answer.bundled or is_read or not answer.items
        is_full = not paged and search.count is not None and answer.matches >= search.count
        if not is_answer or is_full or not answer.kinds <= {search.resource}:
            gap = Gap.INCOMPLETE
    return _WHOLE if gap is None else ListState(complete=False, reason=gap)


def _is_patient(item: Item, patient_id: str) -> bool:
    own = id_of(item.resource)
    if own:
        return own == patient_id
    return bool(item.url) and bare_id(item.url) == patient_id


def _patient(
    answers: Iterable[tuple[str, Search | None, Answer]], patient_id: str
) -> tuple[Item, frozenset[str]]:
    """Choose the patient; everything else is about somebody else."""
    right: list[Item] = []
    wrong: list[str] = []
    for path, search, answer in answers:
        people = [one for one in answer.items if one.resource.get("resourceType") == "Patient"]
        own = [one for one in people if _is_patient(one, patient_id)]
        if people and not own:
            if search is not None and search.resource == "Patient":
                raise BadRequest(_WRONG_PATIENT, path=path)
            wrong.append(path)
        right.extend(own)
    if right:
        return newest(right), frozenset(one.url for one in right if one.url)
    if wrong:
        raise BadRequest(_WRONG_PATIENT, path=wrong[0])
    raise CannotProceed(_NO_PATIENT, path="$.prefetch")


def _only_patient(answer: Answer) -> str:
    found = {
        bare_id(identity_of(one.resource) or one.url)
        for one in answer.items
        if one.resource.get("resourceType") == "Patient"
    } - {""}
    if len(found) == 1:
        return found.pop()
    if found:
        raise BadRequest("must be the record of one Patient; say which one", path="$")
    raise CannotProceed(_NO_PATIENT, path="$")
