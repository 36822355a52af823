"""
From what was received to what is known: step four of a request.

Nothing here raises for what a resource holds. What cannot be used becomes a gap with a
reason, and what cannot even be attributed is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from cds.core.concepts import Concept, Search
from cds.core.facts import Entry, Gap, ListState, NotUsed, Result, Snapshot, Unusable
from cds.fhir.codings import Systems
from cds.fhir.encounters import AcuteStays, Encounters
from cds.fhir.episodes import Episode, find_episodes
from cds.fhir.families import Families
from cds.fhir.gathering import COUNTED, Gathered, source_of
from cds.fhir.medicines import Medicines
from cds.fhir.observations import Observations
from cds.fhir.person import birth_of, person_of
from cds.fhir.plans import PLAN_TYPES, Plans
from cds.fhir.problems import Problems
from cds.fhir.references import Attribution, Item, Resource, identity_of
from cds.fhir.retrieve import Retrieved
from cds.fhir.settling import settle
from cds.fhir.versions import latest_items

__all__ = ["Extractor"]

_MEDICINES: Final = frozenset(
    {"MedicationRequest", "MedicationStatement", "MedicationOrder", "MedicationPrescription"}
)
_ORDERS_OF_OTHER_RELEASES: Final = frozenset({"MedicationOrder", "MedicationPrescription"})
# What became the ServiceRequest of R4.
_TESTS_OF_OTHER_RELEASES: Final = frozenset(
    {"DiagnosticOrder", "DiagnosticRequest", "ProcedureRequest", "ReferralRequest"}
)
_READ: Final = (
    frozenset({"Observation", "Condition", "Procedure", "Encounter", "FamilyMemberHistory"})
    | _MEDICINES
    | PLAN_TYPES
)
_ODD: Final = (AttributeError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
_FAMILY: Final = "FamilyMemberHistory"
_GENDER_CARE: Final = "gender_care"
_WHOLE: Final = ListState(complete=True)


class Extractor:
    """
    Makes snapshots for one set of concepts; built once, used for every request.

    *concepts* are those that active rules read, with those they are made of; *systems*
    the addresses of code systems by name; *groups* the group of people of each code that
    a race, or the *group_extension* of the Patient, may have.
    """

    def __init__(
        self,
        *,
        concepts: Mapping[str, Concept],
        searches: Mapping[str, Search],
        systems: Mapping[str, tuple[str, ...]],
        groups: Mapping[str, str] | None = None,
        group_extension: str = "",
    ) -> None:
        known = Systems(systems)
        every = list(concepts.values())
        self._concepts = dict(concepts)
        self._searches = dict(searches)
        self._groups = dict(groups or {})
        self._group_extension = group_extension
        self._episodes = [one for one in every if one.type == "episode"]
        self._of_person = [one for one in every if one.type == "person"]
        self._observations = Observations(every, known)
        self._encounters = Encounters(every)
        self._problems = Problems(every, known)
        self._medicines = Medicines(every, known)
        self._plans = Plans(every, known)
        self._families = Families(every, known)
        self._giving_way = [one for one in every if one.gives_way_to]

    def extract(
        self, retrieved: Retrieved, *, as_of: datetime, zone: tzinfo | None = None
    ) -> Snapshot:
        """
        Say what is known at *as_of*.

        *zone* is the site's: dates without a time are days there.
        """
        gathered = Gathered(
            as_of=as_of,
            zone=zone,
            attribution=Attribution(retrieved.patient_id, retrieved.urls),
            born=birth_of(retrieved.patient.resource, as_of),
        )
        self._read(retrieved, gathered)
        gathered.settle_waiting()
        for concept in self._giving_way:
            gathered.give_way(concept.id, concept.gives_way_to)
        episodes: list[Episode] = []
        for concept in self._episodes:
            episodes.extend(find_episodes(concept, self._concepts, gathered))
        results = settle(self._concepts, gathered, episodes)
        return self._snapshot(retrieved, gathered, results)

    def _read(self, retrieved: Retrieved, gathered: Gathered) -> None:
        """Read every resource; stays in hospital first, because results refer to them."""
        stays = AcuteStays()
        library = {
            identity_of(one.resource): one.resource
            for one in retrieved.items
            if one.resource["resourceType"] == "Medication"
        }
        items = latest_items(retrieved.items, _READ)
        later = [one for one in items if one.resource["resourceType"] != "Encounter"]
        if len(later) != len(items):
            for item in items:
                if item.resource["resourceType"] == "Encounter":
                    self._take(item, gathered, stays, library)
            stays.close()
        for item in later:
            self._take(item, gathered, stays, library)

    def _take(
        self,
        item: Item,
        gathered: Gathered,
        stays: AcuteStays,
        library: Mapping[str, Resource],
    ) -> None:
        kind = item.resource["resourceType"]
        try:
            if kind == "Observation":
                self._observations.take(item, gathered, stays)
            elif kind in _READ:
                self._take_listed(item, kind, gathered, stays, library)
            elif kind != "Patient":
                self._pass_over(item, kind, gathered)
        except _ODD:
            # Whatever shape that was: its absence is not proved, and nobody is harmed.
            gathered.count((), Gap.UNREADABLE, item.resource)
            gathered.leave_open(item, Gap.UNREADABLE)

    def _pass_over(self, item: Item, kind: str, gathered: Gathered) -> None:
        """Count what no rule reads: of another patient, or ordered as another release writes it."""
        gap = gathered.attribution.judge(item.resource, item.scope)
        if gap is not Gap.OTHER_PATIENT:
            if not item.act or kind not in _TESTS_OF_OTHER_RELEASES:
                return
            gap = Gap.VERSION
            gathered.leave_open(item, gap)
        gathered.count((), gap, item.resource)

    def _take_listed(
        self,
        item: Item,
        kind: str,
        gathered: Gathered,
        stays: AcuteStays,
        library: Mapping[str, Resource],
    ) -> None:
        gap = gathered.attribution.judge(item.resource, item.scope)
        if gap is not None and not _is_unfinished(item):
            gathered.count((), gap, item.resource)
            if item.act and gap is Gap.NO_SUBJECT:
                gathered.leave_open(item, gap)
        elif kind == "Condition":
            self._problems.take_condition(item, gathered)
        elif kind in _MEDICINES:
            self._medicines.take(item, gathered, library)
        elif kind == "Procedure":
            self._problems.take_procedure(item, gathered)
        elif kind == "Encounter":
            self._encounters.take(item, gathered, stays)
        elif kind == _FAMILY:
            self._families.take(item, gathered)
        elif self._plans.is_needed:
            self._plans.take(item, gathered)

    def _snapshot(
        self,
        retrieved: Retrieved,
        gathered: Gathered,
        results: Mapping[str, tuple[Result, ...]],
    ) -> Snapshot:
        unusable = {
            name: tuple(sorted(found, key=_newest_unusable))
            for name, found in gathered.unusable.items()
        }
        entries = {
            name: tuple(sorted(found, key=_newest_entry))
            for name, found in gathered.entries.items()
        }
        counts = gathered.counts
        for name, left_out in unusable.items():
            for one in left_out:
                if one.reason in COUNTED:
                    counts[name, one.reason] += 1
        person = person_of(
            retrieved.patient.resource,
            retrieved.patient_id,
            born=gathered.born,
            groups=self._groups,
            group_extension=self._group_extension,
            sex_is_settled=not entries.get(_GENDER_CARE),
        )
        if person.deceased:
            source = source_of(retrieved.patient)
            for concept in self._of_person:
                entries[concept.id] = (Entry(concept.id, source),)
        return Snapshot(
            as_of=gathered.as_of,
            person=person,
            results=results,
            unusable=unusable,
            entries=entries,
            lists=self._lists(retrieved, gathered),
            not_used=tuple(
                NotUsed(name, reason, count) for (name, reason), count in sorted(counts.items())
            ),
            hook=retrieved.about.hook,
            drafts=_drafts(retrieved, gathered),
        )

    def _lists(self, retrieved: Retrieved, gathered: Gathered) -> dict[str, ListState]:
        """Say what is whole: every search, and the lists they feed."""
        states = dict(retrieved.lists)
        spoiled_types = dict(gathered.spoiled_types)
        for kind in _ORDERS_OF_OTHER_RELEASES & spoiled_types.keys():
            spoiled_types.setdefault("MedicationRequest", spoiled_types[kind])
        for name, search in self._searches.items():
            gap = gathered.spoiled_searches.get(name) or spoiled_types.get(search.resource)
            if gap is not None and states.get(name, _WHOLE).complete:
                states[name] = ListState(complete=False, reason=gap)
        for name, search in self._searches.items():
            state = states.get(name)
            if search.lists and search.lists != name and state is not None:
                known = states.get(search.lists, _WHOLE)
                states[search.lists] = state if known.complete else known
        self._heed_statements(states)
        return states

    def _heed_statements(self, states: dict[str, ListState]) -> None:
        """Let statements that came as an error or a page spoil the orders; absence does not."""
        bad = [
            states[name]
            for name, search in self._searches.items()
            if search.resource == "MedicationStatement"
            and name in states
            and not states[name].complete
            and states[name].reason is not Gap.NOT_SENT
        ]
        for name, search in self._searches.items():
            if bad and search.resource == "MedicationRequest":
                for one in {name, search.lists} - {""}:
                    if states.get(one, _WHOLE).complete:
                        states[one] = bad[0]


def _is_unfinished(item: Item) -> bool:
    """Tell whether this is a draft on which nobody is named yet: it is this patient's."""
    named = item.resource.get("subject")
    if named is None:
        named = item.resource.get("patient")
    if named is None or type(named) is dict:
        return bool(item.act) and not {"reference", "identifier", "display"} & (named or {}).keys()
    return False


def _drafts(retrieved: Retrieved, gathered: Gathered) -> ListState:
    """Say whether everything that the call is about could be read."""
    if gathered.drafts is None:
        return retrieved.about.state
    return ListState(complete=False, reason=gathered.drafts)


def _newest_unusable(one: Unusable) -> tuple[float, str, str, str, str]:
    at = -one.when.end.timestamp() if one.when is not None else float("inf")
    return at, one.source.resource, one.source.code, one.reason, str(one.sent)


def _newest_entry(one: Entry) -> tuple[float, bool, str, str]:
    at = -one.when.end.timestamp() if one.when is not None else float("inf")
    return at, not one.active, one.source.resource, one.source.code
