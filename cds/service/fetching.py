"""
What a request did not bring, asked of the FHIR server of its caller.

Only a registered server is asked, at its registered address, with the token of this
request, within one deadline; nothing is kept for another request. Every answer takes the
form in which it would have stood in `prefetch`, and what failed is an OperationOutcome in
its place: unknown, never none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from cds.errors import BadRequest, NotFetched
from cds.fhir.asking import (
    Query,
    count_of,
    merged,
    narrowed,
    next_of,
    product_of,
    queries,
    reads,
    tokens_of,
)
from cds.fhir.scopes import Coverage, Scopes
from cds.hooks.strict import decode
from cds.hooks.wire import HookRequest
from cds.service.addresses import Place, base_of, place_of
from cds.service.breaker import Breaker
from cds.service.clients import Client
from cds.service.logs import log, told_of
from cds.service.outbound import Answer, Limits, Line, Outbound

__all__ = ["Fetching"]

_MOST_PAGES: Final = 3
_MOST_REFERENCES: Final = 20
_PAUSE: Final = 0.02
_MEDIA: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_ACCEPT: Final = "application/fhir+json"
_FORM: Final = "application/x-www-form-urlencoded"
_AGAIN: Final = frozenset({429, 502, 503, 504})
_REASONS: Final[Mapping[int, str]] = {
    401: "not authorised",
    403: "not authorised",
    404: "not found",
    410: "not found",
    429: "busy",
    503: "busy",
}
# What says that the server is not well; anything else is about one question or one caller.
_UNWELL: Final = frozenset(
    {"name", "connect", "tls", "timeout", "protocol", "busy", "server error"}
)
_ISSUES: Final[Mapping[str, str]] = {
    "not authorised": "forbidden",
    "not found": "not-found",
    "timeout": "timeout",
    "too large": "too-costly",
}

Refusal = Literal[
    "no server",
    "not registered",
    "malformed",
    "token type",
    "expired",
    "patient",
    "subject",
    "scheme",
]
"""Why the server of a caller is not asked at all."""


@dataclass(frozen=True, slots=True)
class _Access:
    """A server that may be asked, and with what."""

    base: Place
    scopes: Scopes | None
    headers: Mapping[str, str] = field(repr=False)
    seconds: float
    alike: int = 4
    posts: bool = False

    @property
    def address(self) -> str:
        """The registered base as text."""
        return f"{self.base.scheme}://{self.base.authority}{self.base.path}"


@dataclass(slots=True)
class _Job:
    """One key that is being answered, and what came for it so far."""

    key: str
    query: Query | None = None
    count: int | None = None
    pages: list[Mapping[str, Any]] = field(default_factory=list)
    coverage: Coverage = "whole"
    reason: str = "timeout"
    sent: bool = False

    @property
    def value(self) -> Any:
        """Give what stands in its place: what came, or that it failed."""
        if not self.pages:
            return _outcome(self.reason)
        if self.query is not None and self.query.parameters is None:
            return self.pages[0]
        found = self.pages[0] if len(self.pages) == 1 else merged(self.pages, count=self.count)
        return found if self.coverage == "whole" else narrowed(found)


class Fetching:
    """
    Completes requests from the FHIR servers of their callers.

    *seconds* is the time that all queries of one request have together; *now* gives
    seconds that never go back.
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbound = outbound
        self._seconds = seconds
        # Of 350 ms, 250 are for a connection and 300 for a silence.
        self._limits = Limits(seconds * 5 / 7, seconds * 6 / 7, seconds)
        self._now = now
        self._breakers: dict[Place, Breaker] = {}

    async def complete(
        self,
        request: HookRequest,
        templates: Mapping[str, str],
        client: Client,
        *,
        references: Sequence[str] = (),
        trace_id: str = "",
    ) -> Mapping[str, Any]:
        """
        Give the prefetch of *request*, completed with what *templates* ask for and nobody sent.

        They are asked in their order, which is that of their worth: time may be short.
        Bundles that have a next page get it. *references* are read besides, each under
        `Type/id`. Keys that could not be asked for stay absent.
        Never raises for what a server does.
        """
        jobs = _jobs(request, templates, references)
        if not jobs:
            return request.prefetch
        access = self._access(request, client)
        if not isinstance(access, _Access):
            if access != "no server":
                log.warning("fetch_refused", request=trace_id, why=access)
            return request.prefetch
        began = self._now()
        allowed = [one for one in jobs if _is_covered(one, access.scopes)]
        breaker = self._breaker(access.base)
        call = _Call(access, breaker, self._limits, now=self._now, trace_id=trace_id)
        call.known = {*request.prefetch, *(one.key for one in jobs)}
        try:
            async with AsyncExitStack() as stack:
                if allowed:
                    line = self._outbound.line(
                        access.base, networks=client.private_networks, alike=access.alike
                    )
                    call.line = await stack.enter_async_context(line)
                    await call.answer(allowed)
        except NotFetched as error:
            log.warning("fetch_refused", request=trace_id, why=error.reason)
            return request.prefetch
        failed = [one for one in [*allowed, *call.more] if not one.pages]
        log.info(
            "fetched",
            request=trace_id,
            asked=call.asked,
            failed=len(failed),
            skipped=len(jobs) - len(allowed),
            reasons=sorted({one.reason for one in failed}),
            ms=round((self._now() - began) * 1000, 2),
        )
        return {**request.prefetch, **{one.key: one.value for one in [*allowed, *call.more]}}

    def about(self) -> dict[str, Any]:
        """Say how many servers were asked so far, and how many are left in peace now."""
        resting = sum(one.is_open for one in self._breakers.values())
        return {"servers": len(self._breakers), "resting": resting}

    def _access(self, request: HookRequest, client: Client) -> _Access | Refusal:
        """Find the registered server that a request names, and what it may be asked with."""
        if not request.fhir_server:
            return "no server"
        asked = base_of(request.fhir_server)
        base = next((one for one in map(base_of, client.fhir_bases) if one == asked), None)
        if asked is None or base is None:
            return "not registered"
        headers = {"Accept": _ACCEPT}
        given = request.authorization
        if given is None:
            return self._granted(client, base, None, headers, self._seconds)
        if given.fault:
            return given.fault
        if given.expires_in <= 0:
            return "expired"
        if given.patient and given.patient != request.patient_id:
            return "patient"
        if client.subject and given.subject != client.subject:
            return "subject"
        headers["Authorization"] = f"Bearer {given.access_token.reveal()}"
        seconds = min(self._seconds, float(given.expires_in))
        return self._granted(client, base, Scopes(given.scope), headers, seconds)

    def _granted(
        self,
        client: Client,
        base: Place,
        scopes: Scopes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> _Access:
        posts = client.fhir_searches == "post"
        return _Access(base, scopes, headers, seconds, client.fhir_connections, posts)

    def _breaker(self, base: Place) -> Breaker:
        return self._breakers.setdefault(base, Breaker(now=self._now))


class _Call:
    """The queries of one request, while they are under way."""

    line: Line

    def __init__(
        self,
        access: _Access,
        breaker: Breaker,
        limits: Limits,
        *,
        now: Callable[[], float],
        trace_id: str,
    ) -> None:
        self._trace_id = trace_id
        self._access = access
        self._breaker = breaker
        self._limits = limits
        self._now = now
        self._places = asyncio.Semaphore(access.alike)
        self._is_heard = False
        self._until = now() + access.seconds
        self.asked = 0
        self.known: set[str] = set()
        self.more: list[_Job] = []

    async def answer(self, jobs: Sequence[_Job]) -> None:
        """Answer all of them, or as many as time allows; nothing is left behind."""
        tasks = [asyncio.create_task(self._answer(one)) for one in sorted(jobs, key=_is_search)]
        try:
            await asyncio.wait(tasks, timeout=self._access.seconds)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, job: _Job) -> None:
        seen: set[Place] = set()
        try:
            if job.query is not None:
                place, form = self._access.base.below(job.query.target), None
                seen.add(place)
                if self._access.posts and job.query.parameters is not None:
                    place = self._access.base.below(f"{job.query.resource}/_search")
                    form = job.query.form.encode()
                job.pages.append(_checked(await self._ask(place, form), job.query))
            await self._go_on(job, seen)
            await self._lead_on(job)
        except NotFetched as error:
            job.reason = error.reason
        except Exception as error:  # noqa: BLE001 - an alarm to us; the answer says unknown
            job.reason = "fault"
            log.error("failed", request=self._trace_id, **told_of(error))

    async def _go_on(self, job: _Job, seen: set[Place]) -> None:
        """Follow the pages of a search, below the same base, as far as they may be followed."""
        base = self._access.address
        while len(job.pages) < _MOST_PAGES and (url := next_of(job.pages[-1], base=base)):
            place = place_of(url)
            if place is None or place in seen or not self._access.base.holds(place):
                return
            seen.add(place)
            page = await self._ask(place)
            if not _is_page(page):
                return
            job.pages.append(page)

    async def _lead_on(self, job: _Job) -> None:
        """Read the product of an order that was read for its own sake."""
        if job.query is None or job.query.parameters is not None:
            return
        # The registered base: a reference that is absolute must be on it.
        base, named = self._access.address, [product_of(job.pages[0])]
        for query in reads(named, self.known, base=base):
            self.known.add(query.key)
            product = _Job(query.key, query)
            if _is_covered(product, self._access.scopes):
                self.more.append(product)
                await self._answer(product)

    async def _ask(self, place: Place, form: bytes | None = None) -> Any:
        """Ask once, and where the server only had no time for us once more."""
        async with self._places:
            try:
                answer = await self._once(place, form)
            except NotFetched as error:
                if error.reason != "connect" or not self._has_time_for(_PAUSE):
                    raise
                answer = None
            if answer is None or answer.status in _AGAIN:
                pause = (answer.retry_after if answer is not None else None) or _PAUSE
                if self._has_time_for(pause):
                    await asyncio.sleep(pause)
                    answer = await self._once(place, form)
            if answer is None:
                raise NotFetched("connect")
            return _read(answer)

    def _has_time_for(self, pause: float) -> bool:
        return self._now() + 2 * pause < self._until

    async def _once(self, place: Place, form: bytes | None) -> Answer:
        if not self._breaker.admits():
            raise NotFetched("resting")
        self.asked += 1
        headers, limits = self._access.headers, self._limits
        try:
            if form is None:
                answer = await self.line.get(place, headers=headers, limits=limits)
            else:
                headers = {**headers, "Content-Type": _FORM}
                answer = await self.line.post(place, form, headers=headers, limits=limits)
        except NotFetched as error:
            (self._breaker.failed if error.reason in _UNWELL else self._breaker.succeeded)()
            raise
        except asyncio.CancelledError:
            # Late by our own clock is a failure of a server that was not heard at all. One that
            # answered others in the meantime is only slow, and somebody who went away says nothing.
            late = self._now() >= self._until and not self._is_heard
            (self._breaker.failed if late else self._breaker.abandoned)()
            raise
        self._is_heard = True
        is_unwell = _reason(answer) in _UNWELL
        (self._breaker.failed if is_unwell else self._breaker.succeeded)()
        return answer


def _jobs(
    request: HookRequest, templates: Mapping[str, str], references: Sequence[str]
) -> list[_Job]:
    """List what is missing: absent keys, next pages, resources that something refers to."""
    tokens = tokens_of(
        patient_id=request.patient_id,
        user_id=request.user_id,
        encounter_id=request.encounter_id,
    )
    asked = list(queries(templates, request.prefetch, tokens))
    named = reads(references, request.prefetch, base=request.fhir_server)
    asked += [one for _, one in zip(range(_MOST_REFERENCES), named, strict=False)]
    counts = {key: count_of(template) for key, template in templates.items()}
    return [
        *(_Job(one.key, one, counts.get(one.key)) for one in asked),
        *(_Job(key, None, counts[key], [page]) for key, page in _unfinished(request, templates)),
    ]


def _unfinished(
    request: HookRequest, templates: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, value in request.prefetch.items():
        if key in templates and _is_page(value) and next_of(value):
            yield key, value


def _is_search(job: _Job) -> bool:
    """Tell what waits for who and what the call is about; searches keep their order of worth."""
    return job.query is not None and job.query.parameters is not None


def _is_covered(job: _Job, scopes: Scopes | None) -> bool:
    """Tell whether the token is good for a query at all; the job keeps how far."""
    if scopes is None:
        return True
    query = job.query
    if query is None:
        kinds = {
            str(one["resource"].get("resourceType"))
            for one in job.pages[0].get("entry") or ()
            if isinstance(one, dict) and isinstance(one.get("resource"), dict)
        }
        covered = {scopes.cover(one, "search") for one in kinds}
        job.coverage = "whole" if covered == {"whole"} else "part"
        return bool(covered) and "none" not in covered
    interaction: Literal["read", "search"] = "read" if query.parameters is None else "search"
    job.coverage = scopes.cover(query.resource, interaction, query.parameters)
    return job.coverage != "none"


def _read(answer: Answer) -> Any:
    reason = _reason(answer)
    if reason:
        raise NotFetched(reason)
    if answer.media not in _MEDIA:
        raise NotFetched("media")
    try:
        return decode(answer.body)
    except BadRequest:
        raise NotFetched("json") from None


def _reason(answer: Answer) -> str:
    """Say why an answer is none, by its status; empty where it is one."""
    if answer.status == 200:  # noqa: PLR2004 - a status is its number
        return ""
    usual = "server error" if answer.status >= 500 else "status"  # noqa: PLR2004
    return _REASONS.get(answer.status, usual)


def _checked(found: Any, query: Query) -> Mapping[str, Any]:
    """Check that an answer is one to what was asked."""
    if query.parameters is None:
        fits = isinstance(found, dict) and (found.get("resourceType"), found.get("id")) == (
            query.resource,
            query.id,
        )
    else:
        fits = _is_page(found)
    if not fits:
        raise NotFetched("shape")
    page: Mapping[str, Any] = found
    return page


def _is_page(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("resourceType") == "Bundle"
        and isinstance(value.get("entry", []), list)
    )


def _outcome(reason: str) -> dict[str, Any]:
    """Say in the place of an answer that there is none."""
    issue = {"severity": "error", "code": _ISSUES.get(reason, "transient")}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
