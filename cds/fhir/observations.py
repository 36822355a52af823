"""
Observations: one usable number, answer or date for each concept that their code means.

This is where the time goes: a request holds hundreds of results. Codes, units and dates
are looked up, never worked out twice; nothing here validates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from cds.core.concepts import Concept
from cds.core.facts import Gap, Result, Source, Unusable
from cds.core.moment import Moment
from cds.fhir.codings import Code, CodeIndex, Systems, codings_of, texts_of
from cds.fhir.encounters import AcuteStays
from cds.fhir.gathering import Answer, Gathered, source_of
from cds.fhir.moments import age_of, is_future, latest_written, read
from cds.fhir.references import Item, Resource
from cds.fhir.units import Measure
from cds.fhir.units import Reading as Number
from cds.fhir.versions import is_foreign_observation

__all__ = ["Observations", "effective"]

_USABLE: Final = frozenset({"final", "amended", "corrected"})
_ANSWERS: Final = frozenset({"yes", "no"})

# What a code means: the concept, how its numbers are read, whether the sample must be
# shown to be fasting, and the coding that said so.
Way = tuple[Concept, Measure | None, bool, Code]
Found = tuple[Way, ...]


class _Sample:
    """What an Observation says once for all its components."""

    __slots__ = ("category", "days", "gap", "is_acute", "item", "specimen", "status", "when")

    item: Item
    status: object
    gap: Gap | None
    when: Moment | None
    days: int
    specimen: str
    category: str
    is_acute: bool | None


class Observations:
    """Reads Observations for a set of concepts; made once, used for every request."""

    def __init__(self, concepts: Sequence[Concept], systems: Systems) -> None:
        own = [one for one in concepts if one.type in {"quantity", "answer", "date"}]
        self._index = CodeIndex(own, systems)
        self._measures = {one.id: Measure(one) for one in own if one.type == "quantity"}
        # Dates that begin an episode may lie ahead, and those that say so.
        self._expected = {name for one in concepts if one.type == "episode" for name in one.begins}
        self._expected |= {one.id for one in own if one.may_lie_ahead}
        self._memo: dict[tuple[Any, ...], Found | None] = {}

    def take(self, item: Item, gathered: Gathered, stays: AcuteStays) -> None:
        """Read one Observation of whomever."""
        resource = item.resource
        gap = gathered.attribution.judge(resource, item.scope)
        found = self._find(resource.get("code"))
        if gap is not None:
            gathered.count({way[0].id for way in found or ()}, gap, resource)
            return
        sample = None
        if found:
            sample = self._sample(item, gathered)
            self._read(sample, resource, found, gathered, stays)
        components = resource.get("component")
        if type(components) is list:
            for one in components:
                inner = self._find(one.get("code")) if type(one) is dict else None
                if inner:
                    sample = sample or self._sample(item, gathered)
                    self._read(sample, one, inner, gathered, stays)
        elif found is None:
            gathered.count((), Gap.UNREADABLE, resource)

    def _find(self, concept: Any) -> Found | None:
        """Find what a CodeableConcept means; None where it has no code at all."""
        codings = concept.get("coding") if type(concept) is dict else None
        if type(codings) is not list:
            return None
        try:
            if len(codings) == 1:
                key = (codings[0].get("system"), codings[0].get("code"))
            else:
                key = tuple(
                    text for one in codings for text in (one.get("system"), one.get("code"))
                )
            return self._memo[key]
        except KeyError:
            return self._look(concept, key)
        except (AttributeError, TypeError):
            # Something in the list is no Coding, or its code is no text.
            return self._look(concept, ())

    def _look(self, concept: Any, key: tuple[Any, ...]) -> Found | None:
        ways: dict[str, Way] = {}
        codes = list(codings_of(concept))
        for hit, code in self._index.all_hits(codes):
            name = hit.concept.id
            # A code that says fasting itself needs no company.
            if name not in ways or (ways[name][2] and not hit.rule.with_fasting):
                measure = self._measures.get(name)
                ways[name] = (hit.concept, measure, hit.rule.with_fasting, code)
        found = tuple(ways.values()) if codes else None
        size = sum(len(one) if type(one) is str else _LONGEST for one in key if one is not None)
        if key and size < _LONGEST:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            self._memo[key] = found
        return found

    @staticmethod
    def _sample(item: Item, gathered: Gathered) -> _Sample:
        resource = item.resource
        sample = _Sample()
        sample.item = item
        sample.status = status = resource.get("status")
        sample.when = when = effective(resource, gathered.zone)
        sample.is_acute = None
        sample.days = 0
        if is_foreign_observation(resource):
            sample.gap = Gap.VERSION
        elif type(status) is not str or status not in _USABLE:
            sample.gap = Gap.STATUS
        else:
            sample.gap = Gap.UNDATED if when is None else None
        if when is not None:
            sample.days = age_of(when, gathered.as_of)
            if sample.gap is None and not sample.days and is_future(when, gathered.as_of):
                sample.gap = Gap.FUTURE
        sample.specimen = ""
        if "specimen" in resource:
            specimen = resource["specimen"]
            if type(specimen) is dict and type(specimen.get("reference")) is str:
                sample.specimen = item.scope.name(specimen["reference"])
        sample.category = _category(resource)
        return sample

    def _read(
        self,
        sample: _Sample,
        element: Resource,
        found: Found,
        gathered: Gathered,
        stays: AcuteStays,
    ) -> None:
        """Read one value, of the Observation or of a component, for every concept it means."""
        if sample.status == "entered-in-error":
            gathered.count((way[0].id for way in found), Gap.STATUS, sample.item.resource)
            return
        source: Source | None = None
        said: Code | None = None
        for concept, measure, needs_proof, code in found:
            if source is None or said != code:
                source, said = source_of(sample.item, code, sample.status), code
            if sample.gap is Gap.VERSION:
                gathered.spoiled_searches[concept.search] = Gap.VERSION
            if measure is not None:
                number = _number(measure, element)
                gap = _gap(sample, number, concept, stays)
                if gap is None and sample.when is not None:
                    where = gathered.unproved if needs_proof else gathered.results
                    result = _result(sample, sample.when, element, source, measure, number)
                    where.setdefault(concept.id, []).append(result)
                else:
                    left_out = _unusable(sample, concept, source, gap, number)
                    gathered.unusable.setdefault(concept.id, []).append(left_out)
            elif concept.type == "answer":
                _answer(sample, element, concept, source, gathered)
            else:
                expected = concept.id in self._expected
                _date(sample, element, concept, source, gathered, expected=expected)


def _result(
    sample: _Sample,
    when: Moment,
    element: Resource,
    source: Source,
    measure: Measure,
    number: Number,
) -> Result:
    low = high = None
    if "referenceRange" in element:
        low, high = _own_range(measure, element["referenceRange"], number.unit)
    return Result(
        measure.concept.id,
        number.value,
        number.value if number.sent is None else number.sent,
        number.unit,
        when,
        sample.days,
        source,
        number.bound,
        low,
        high,
        sample.specimen,
        sample.category,
    )


_FIRST: Final = frozenset({Gap.VERSION, Gap.STATUS})
_MEMO: Final = 16384
_LONGEST: Final = 320


def _gap(sample: _Sample, number: Number, concept: Concept, stays: AcuteStays) -> Gap | None:
    """Say why a number does not count: what the Observation says of itself comes first."""
    gap = sample.gap if sample.gap in _FIRST else number.gap or sample.gap
    if gap is None and stays and concept.acute == "unusable":
        if sample.is_acute is None:
            sample.is_acute = stays.cover(sample.item, sample.when)
        gap = Gap.ACUTE if sample.is_acute else None
    return gap


def _unusable(
    sample: _Sample, concept: Concept, source: Source, gap: Gap | None, number: Number
) -> Unusable:
    return Unusable(
        concept.id,
        gap or Gap.UNDATED,
        source,
        sample.when,
        None if sample.when is None else sample.days,
        number.sent,
        number.unit,
        number.value if number.gap is None else None,
    )


def _number(measure: Measure, element: Resource) -> Number:
    if "dataAbsentReason" in element:
        return Number(Gap.NO_VALUE)
    quantity = element.get("valueQuantity")
    if quantity is not None:
        return measure.quantity(quantity)
    if "valueInteger" in element:
        return measure.integer(element["valueInteger"])
    if measure.concept.answers:
        coded = element.get("valueCodeableConcept")
        texts = list(texts_of(coded))
        if type(element.get("valueString")) is str:
            texts.append(element["valueString"])
        return measure.word(tuple(code for _, code in codings_of(coded)), tuple(texts))
    return Number(Gap.NO_VALUE)


def _own_range(measure: Measure, ranges: Any, unit: str) -> tuple[Any, Any]:
    """Convert the laboratory's limits; several ranges say nothing without their conditions."""
    if type(ranges) is not list or len(ranges) != 1 or type(ranges[0]) is not dict:
        return None, None
    return measure.limit(ranges[0].get("low"), unit), measure.limit(ranges[0].get("high"), unit)


def _answer(
    sample: _Sample, element: Resource, concept: Concept, source: Source, gathered: Gathered
) -> None:
    """Read a coded yes or no; yes under the concept's name, no under `NAME:no`."""
    if sample.gap is not None or sample.when is None:
        gathered.leave_out(concept.id, sample.gap or Gap.UNDATED, source, sample.when)
        return
    word = "" if "dataAbsentReason" in element else _word(concept.answers, element)
    if word not in _ANSWERS:
        gathered.leave_out(concept.id, Gap.NO_VALUE, source, sample.when)
        return
    gathered.answers.append(Answer(concept.id, word, sample.when, sample.specimen, source))
    name = concept.id if word == "yes" else f"{concept.id}:no"
    gathered.enter(name, source, active=True, when=sample.when)


def _word(answers: Mapping[str, str], element: Resource) -> str:
    truth = element.get("valueBoolean")
    if type(truth) is bool:
        return answers.get("true" if truth else "false", "")
    said = {answers.get(code, "") for _, code in codings_of(element.get("valueCodeableConcept"))}
    said &= _ANSWERS
    # Two codings that say yes and no say nothing.
    return said.pop() if len(said) == 1 else ""


def _date(
    sample: _Sample,
    element: Resource,
    concept: Concept,
    source: Source,
    gathered: Gathered,
    *,
    expected: bool,
) -> None:
    """Read a result that is itself a date; the entry is dated by what it says."""
    if sample.gap is not None or sample.when is None:
        gathered.leave_out(concept.id, sample.gap or Gap.UNDATED, source, sample.when)
        return
    value = element.get("valueDateTime", element.get("valueDate"))
    when = None if "dataAbsentReason" in element else read(value, gathered.zone)
    if when is None:
        gathered.leave_out(concept.id, Gap.NO_VALUE, source, sample.when)
        return
    gathered.answers.append(Answer(concept.id, "date", sample.when, "", source, when))
    gathered.enter(concept.id, source, active=True, when=when, may_be_future=expected)


def _category(resource: Resource) -> str:
    """Give the first category code."""
    categories = resource.get("category")
    for one in categories if type(categories) is list else ():
        codings = one.get("coding") if type(one) is dict else None
        for coding in codings if type(codings) is list else ():
            code = coding.get("code") if type(coding) is dict else None
            if type(code) is str:
                return code
    return ""


def effective(resource: Resource, zone: tzinfo | None) -> Moment | None:
    """
    Say when an Observation was true; None where that cannot be read.

    `effective[x]` decides, the end of a period, the last event of a timing; `issued`
    only where there is none. A date that cannot be read is not replaced by another.
    """
    written = resource.get("effectiveDateTime")
    if written is not None:
        return read(written, zone)
    if "effectiveInstant" in resource:
        return read(resource["effectiveInstant"], zone)
    period = resource.get("effectivePeriod")
    if type(period) is dict and "end" in period:
        return read(period["end"], zone)
    timing = resource.get("effectiveTiming")
    if type(timing) is dict and type(timing.get("event")) is list:
        return latest_written(timing["event"], zone)
    when = read(resource.get("issued"), zone)
    if when is None and type(period) is dict:
        when = read(period.get("start"), zone)
    return when
