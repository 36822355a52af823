"""
What a request costs: `make bench`.

CPU (process time), p50 and p99 of the whole application, called in process, for three
sizes of body; beside it, in the same run, a bare handler of the same framework that only
decodes the same JSON. Then where the time of one request goes, what the engine holds, and
how long it takes to start. Last what authors wait for. Ratios carry over to other
machines; milliseconds do not.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import os
import random
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cds.core.hooks import DEFAULT_HOOK
from cds.hooks.discovery import service_of
from cds.rulefiles import load
from cds.service.logs import configure
from tests.attacks.groups import ROWS
from tests.calling import SERVICE, open_service
from tests.hostile import BYTES, TEXTS

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

# Code, unit and range of what fills the larger bodies: what rules read, and what none does.
READ = (
    ("4548-4", "%", 5.0, 6.4),
    ("1558-6", "mg/dL", 80, 124),
    ("3048-6", "mg/dL", 70, 240),
    ("2085-9", "mg/dL", 35, 70),
    ("8280-0", "cm", 80, 118),
    ("29463-7", "kg", 60, 110),
    ("1742-6", "U/L", 12, 60),
    ("1920-8", "U/L", 12, 50),
)
UNREAD = (("6690-2", "10*3/uL", 3, 12), ("2951-2", "mmol/L", 133, 147), ("8310-5", "Cel", 36, 38))


def observation(number: int, code: str, unit: str, value: float, days: int) -> dict[str, Any]:
    """Write one Observation as an EHR sends it, about 800 bytes."""
    when = (NOW - timedelta(days=days, hours=4)).isoformat()
    return {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "meta": {
            "versionId": "1",
            "lastUpdated": when,
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"],
        },
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": code, "display": "Measured"}],
            "text": "Measured",
        },
        "subject": {"reference": "Patient/bench"},
        "effectiveDateTime": when,
        "issued": when,
        "valueQuantity": {
            "value": round(value, 1),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }


def body(observations: int, *, read: float) -> bytes:
    """Write a request with so many observations, a share of which some rule reads."""
    rng = random.Random(observations)
    found = []
    for number in range(observations):
        code, unit, low, high = rng.choice(READ if rng.random() < read else UNREAD)
        found.append(
            observation(number, code, unit, rng.uniform(low, high), rng.randrange(1, 2000))
        )
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "entry": [{"fullUrl": f"urn:{one['id']}", "resource": one} for one in found],
    }
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    request = {
        "hook": "patient-view",
        "hookInstance": "8b2f2a46-6ad5-4ee4-9df6-5a0d5c0f0b11",
        "context": {"userId": "Practitioner/bench", "patientId": "bench"},
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": "bench",
                "gender": "male",
                "birthDate": "1974-03-02",
            },
            "glycaemia": bundle,
            **dict.fromkeys(("problems", "medicines", "statements", "encounters"), empty),
        },
    }
    return json.dumps(request).encode()


def bodies() -> Mapping[str, bytes]:
    """Name the bodies that are measured."""
    small = (ROOT / "fixtures/requests/single_diabetes_range_hba1c.json").read_bytes()
    full = (ROOT / "fixtures/requests/compensated_insulin_resistance.json").read_bytes()
    return {
        "almost nothing": small,
        "small": body(19, read=1.0),
        "small, 3 cards": full,
        "Synthea-sized": body(135, read=0.5),
        "large": body(1000, read=0.98),
    }


App = Callable[[Any, Any, Any], Awaitable[None]]


async def call(app: App, path: str, raw: bytes) -> tuple[int, bytes]:
    """Call an ASGI application without a socket."""
    answer: dict[str, Any] = {"status": 0, "body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
        else:
            answer["body"] += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(raw)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return answer["status"], answer["body"]


def bare() -> App:
    """Make an application of the same framework that decodes the JSON and answers nothing."""
    import msgspec  # noqa: PLC0415
    from fastapi import FastAPI, Request, Response  # noqa: PLC0415

    app = FastAPI(openapi_url=None)
    decode = msgspec.json.Decoder().decode

    async def only_decode(service: str, request: Request) -> Response:
        decode(await request.body())
        return Response(b'{"cards":[]}', media_type="application/json")

    only_decode.__annotations__ = {"service": str, "request": Request, "return": Response}
    app.post("/cds-services/{service}")(only_decode)
    return app


async def measure(app: App, raw: bytes, times: int) -> tuple[float, float, float]:
    """Give CPU per request, p50 and p99, in milliseconds."""
    path = "/cds-services/metabolic-patient-view"
    status, _ = await call(app, path, raw)
    if status != 200:
        msg = f"the application answers {status}"
        raise SystemExit(msg)
    for _ in range(max(5, times // 10)):
        await call(app, path, raw)
    walls = []
    cpu = time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        await call(app, path, raw)
        walls.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / times * 1000
    walls.sort()
    return cpu, walls[len(walls) // 2] * 1000, walls[int(len(walls) * 0.99)] * 1000


def opened(engine: str) -> tuple[App, Any]:
    """Open the application as production runs it, with the clock of the samples."""
    from cds.rulefiles.loader import load_ruleset  # noqa: PLC0415
    from cds.service.app import create_app  # noqa: PLC0415
    from cds.service.logs import configure  # noqa: PLC0415
    from cds.service.pipeline import Pipeline  # noqa: PLC0415
    from cds.service.settings import read_settings  # noqa: PLC0415

    configure(io.StringIO())
    os.environ |= {"CDS_ENV": "production", "ALLOW_UNREVIEWED": "1", "ENGINE": engine}
    os.environ.pop("CDS_CLOCK", None)
    settings = read_settings()
    pipeline = Pipeline(load_ruleset(ROOT / "rules"), engine=engine, now=lambda: NOW)  # type: ignore[arg-type]
    return create_app(settings, pipeline), pipeline


async def report(times: int) -> None:
    """Measure and print everything that runs in this process."""
    both, pipeline = opened("both")
    reference, _ = opened("reference")
    plain = bare()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    program = pipeline._desks[DEFAULT_HOOK].reasoner.program
    if program is not None:
        patterns = sum(len(one) for one in program.productions.values())
        print(f"engine: {len(program.productions)} productions, {patterns} patterns\n")
    print(f"{'body':<16}{'KB':>6}  {'':<22}{'CPU ms':>8}{'p50 ms':>8}{'p99 ms':>8}  x bare")
    for name, raw in bodies().items():
        rounds = max(30, min(times, times * 30_000 // len(raw)))
        floor = 0.0
        for title, app in (("bare", plain), ("reference only", reference), ("both", both)):
            cpu, p50, p99 = await measure(app, raw, rounds)
            floor = floor or cpu
            print(
                f"{name:<16}{len(raw) / 1024:>6.0f}  {title:<22}{cpu:>8.2f}{p50:>8.2f}{p99:>8.2f}"
                f"{cpu / floor:>8.1f}"
            )
    print(f"\nresident set {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def parts(times: int) -> None:
    """Print where the time of one request goes."""
    from cds.fhir.evidence import faults  # noqa: PLC0415
    from cds.fhir.retrieve import retrieve  # noqa: PLC0415
    from cds.hooks.cards import compose, evidence_of  # noqa: PLC0415
    from cds.hooks.wire import read_request  # noqa: PLC0415
    from cds.reasoning.arbiter import arbitrate  # noqa: PLC0415

    _, pipeline = opened("both")
    desk = pipeline._desks[DEFAULT_HOOK]
    rules, reasoner = pipeline.ruleset, desk.reasoner
    print("\nwhere it goes, CPU ms")
    for name in ("small, 3 cards", "large"):
        raw = bodies()[name]
        spent: dict[str, float] = {}

        def timed(step: str, work: Callable[[], Any], spent: dict[str, float] = spent) -> Any:
            began = time.process_time()
            found = work()
            spent[step] = spent.get(step, 0.0) + time.process_time() - began
            return found

        for _ in range(times):
            request = timed("decode, strictly", lambda: read_request(raw, hook=DEFAULT_HOOK))  # noqa: B023
            sent = timed(
                "gather",
                lambda: retrieve(
                    request.prefetch,  # noqa: B023
                    patient_id=request.patient_id,  # noqa: B023
                    searches=rules.searches,
                ),
            )
            snapshot = timed(
                "extract facts",
                lambda: desk.extractor.extract(sent, as_of=NOW),  # noqa: B023
            )
            run = timed("reference", lambda: reasoner.start(snapshot))  # noqa: B023
            timed(
                "engine",
                lambda: reasoner._engine.conclude(snapshot, run.worked, run.graded),  # noqa: B023
            )
            conclusions = reasoner.conclude(snapshot)
            decision = arbitrate(rules, conclusions)
            cited = evidence_of(rules, conclusions, decision, snapshot)
            timed("validate evidence", lambda: [faults(one) for one in cited.values()])  # noqa: B023
            timed(
                "compose cards",
                lambda: compose(
                    rules,
                    snapshot,  # noqa: B023
                    conclusions,  # noqa: B023
                    decision,  # noqa: B023
                    draft=pipeline._composer._draft,
                    change=pipeline._composer._draft.change,
                    new_uuid=lambda: "00000000-0000-4000-8000-000000000000",
                ),
            )
        shown = "  ".join(f"{step} {value / times * 1000:.2f}" for step, value in spent.items())
        print(f"{name:<16}{shown}")


def start_up() -> None:
    """Print how long the service takes from a cold process to its first answer."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "CDS_ENV": "development"}
    environment.pop("ENGINE", None)
    began = time.perf_counter()
    service = subprocess.Popen(
        [sys.executable, str(ROOT / "hooks_service.py")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).read()
                break
            except OSError:
                if service.poll() is not None or time.perf_counter() - began > 60:
                    print("start-up: the service did not start")
                    return
                time.sleep(0.005)
        wall = time.perf_counter() - began
    finally:
        service.terminate()
        service.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"start-up {wall:.2f} s to the first answer, {used.ru_utime + used.ru_stime:.2f} s of CPU"
    )


def refusals() -> None:
    """Print what the worst of the hostile rule files cost before they are refused."""
    costs = []
    for what, text in {**TEXTS, **BYTES}.items():
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / "rules" / "conditions" / "x.yaml"
            path.parent.mkdir(parents=True)
            raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            path.write_bytes(raw)
            began = time.process_time()
            load(path.parent.parent)
            costs.append(((time.process_time() - began) * 1000, what))
    worst = ", ".join(f"{what} {cost:.0f} ms" for cost, what in sorted(costs, reverse=True)[:3])
    print(f"hostile rule files, {len(costs)} of them, CPU until refused; the worst: {worst}")


def hostile() -> None:
    """Print what the worst of the hostile requests cost, and how cost grows with entries."""
    configure(io.StringIO())
    costs = []
    with open_service() as client:

        def cost(raw: bytes, path: str = SERVICE, method: str = "POST") -> float:
            began = time.process_time()
            client.request(method, path, content=raw, headers={"Content-Type": "application/json"})
            return (time.process_time() - began) * 1000

        for rows in ROWS.values():
            for row in rows:
                hook = row.services[0]
                path = row.path or f"/cds-services/{service_of(hook)}"
                costs.append((cost(row.body(hook), path, row.method), row.name))
        few, many = (min(cost(body(count, read=0.5)) for _ in range(3)) for count in (500, 5_000))
    worst = ", ".join(f"{what} {spent:.0f} ms" for spent, what in sorted(costs, reverse=True)[:3])
    print(f"hostile requests, {len(costs)} of them, CPU; the worst: {worst}")
    print(f"500 entries {few:.0f} ms, 5,000 entries {many:.0f} ms of CPU: {many / few:.1f} times")


def checking() -> None:
    """Print what `cds check` of the whole rule base costs, the start of Python included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "cds.cli", "check", "--format", "json"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"cds check of the whole rule base: {spent:.2f} s of CPU")


def fetching(times: int) -> None:
    """Print what a call that brings nothing costs: every template, asked on loopback."""
    from cds.service.fetching import Fetching  # noqa: PLC0415 - only here
    from cds.service.outbound import Outbound  # noqa: PLC0415
    from tests.fhir_server import FhirServer, served  # noqa: PLC0415
    from tests.service import fetching as calls  # noqa: PLC0415

    story = "new_prediabetes_likely_fatty_liver"
    asks = Fetching(Outbound(development=True), seconds=10)
    with served(FhirServer(list(calls.record(story)))) as server:
        request = calls.request_of(server.base, calls.patient_id_of(story))
        client = calls.client_of(server.base)

        async def run() -> list[tuple[float, float]]:
            costs = []
            for _ in range(times):
                began, cpu = time.perf_counter(), time.thread_time()
                await asks.complete(request, calls.templates(), client)
                costs.append(
                    ((time.perf_counter() - began) * 1000, (time.thread_time() - cpu) * 1000)
                )
            return costs

        costs = sorted(asyncio.run(run()))
    many = len(calls.templates())
    cpu = sorted(one for _, one in costs)[times // 2]
    print(
        f"fetching {many} searches on loopback: p50 {costs[times // 2][0]:.0f} ms, "
        f"CPU {cpu:.1f} ms, {cpu / many:.2f} ms a search"
    )


def main() -> None:
    """Measure; a number as the only argument says how many calls of the small body."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    asyncio.run(report(times))
    parts(max(20, times // 8))
    start_up()
    checking()
    refusals()
    hostile()
    fetching(max(10, times // 20))


if __name__ == "__main__":
    main()
