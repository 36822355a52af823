"""
Canaries: a request full of marks through every route and every failure; none comes out.

The marks stand wherever a record, a token or a caller can put something: names, ids, notes,
comments, addresses, headers, members that nobody knows. Nothing that is written for anybody
but the caller may hold one, and a refusal may not hold one for the caller either.
"""

import copy
import json
import time

import pytest
from starlette.testclient import TestClient

from cds.errors import EngineFailed, EvaluatorsDisagree
from cds.service import pipeline as module
from cds.service.settings import Settings
from cds.service.start import build
from tests.calling import SERVICE, read_fixture
from tests.service.test_stages import STAGES
from tests.tokens import BASE, ISSUER, Signer

MARK = "zzq"
PATIENT = "canary-patient-zzq"
FEEDBACK = f"{SERVICE}/feedback"
CARD = "0f0a6f3a-7d0c-4b5a-9a43-2f7b1b0f1a11"


class Canaries:
    """
    Marks, each used once.
    """

    def __init__(self):
        self.used = 0

    def __call__(self, kind="canary"):
        """
        Give the next one.
        """
        self.used += 1
        return f"{kind}-{self.used:02}-{MARK}"


def planted(canary):
    """
    A request that is answered, with marks wherever there is a place.
    """
    request = read_fixture("requests/new_prediabetes_likely_fatty_liver.json")
    text = json.dumps(request).replace(request["context"]["patientId"], PATIENT)
    request = json.loads(text)
    request["context"]["userId"] = f"Practitioner/{canary('user')}"
    request["context"]["encounterId"] = canary("encounter")
    request["context"][canary("member")] = canary()
    request[canary("member")] = {"nested": [canary(), {"deeper": canary()}]}
    request["extension"] = {"org.example.x": {"note": canary("extension")}}
    prefetch = request["prefetch"]
    patient = prefetch["patient"]
    patient["name"] = [{"family": canary("family"), "given": [canary("given")], "text": canary()}]
    patient["telecom"] = [{"system": "email", "value": f"{canary('mail')}@example.org"}]
    patient["address"] = [{"line": [canary("street")], "city": canary("city")}]
    patient["identifier"] = [{"system": f"urn:x:{canary()}", "value": canary("mrn")}]
    patient["photo"] = [{"url": f"https://photo.example/{canary('url')}"}]
    patient["text"] = {"status": "generated", "div": f"<div>{canary('html')}\r\n\u2028\x1b</div>"}
    prefetch[canary("key")] = {"resourceType": "Basic", "id": canary("basic")}
    planted_in = 0
    for bundle in prefetch.values():
        for entry in (bundle or {}).get("entry", []):
            resource = entry["resource"]
            entry["fullUrl"] = f"https://fhir.example/{canary('full')}"
            resource["note"] = [{"text": canary("note"), "authorString": canary("author")}]
            resource["identifier"] = [{"value": canary("identifier")}]
            resource["meta"] = {"source": f"urn:x:{canary('meta')}", "tag": [{"code": canary()}]}
            resource.setdefault("code", {})["text"] = canary("text")
            planted_in += 1
    assert planted_in > 5
    return request


class Exposed:
    """
    The service with signed calls and a FHIR server that nobody answers at.
    """

    def __init__(self, folder):
        self.signer = Signer()
        self.canary = Canaries()
        client = {
            "name": "ehr",
            "issuer": ISSUER,
            "keys": [self.signer.jwk],
            "tenants": ["north"],
            "subject": "metabolic-cds",
            "fhir_bases": ["http://127.0.0.1:9/fhir"],
            "private_networks": ["127.0.0.0/8"],
            "rate": 1000,
            "burst": 10000,
        }
        (folder / "clients").mkdir()
        (folder / "clients" / "ehr.json").write_text(json.dumps(client), "utf-8")
        self.app = build(
            Settings(
                env="development",
                auth="required",
                clients=folder / "clients",
                public_url=BASE,
                clock="2026-06-01",
                database=f"sqlite:///{folder / 'state.sqlite3'}",
                max_body=2_000_000,
            )
        )
        self.http = TestClient(self.app, raise_server_exceptions=False)

    def token(self, path, **claims):
        """
        Sign a call of *path*.
        """
        claims = {"aud": BASE + path, "tenant": "north", "jti": self.canary("jti"), **claims}
        return self.signer.token(now=int(time.time()), **claims)

    def send(self, content, path=SERVICE, method="POST", token=None, **headers):
        """
        Send anything, signed unless there is another token.
        """
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.http.request(
            method,
            path,
            content=raw,
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {token or self.token(path)}",
                "User-Agent": self.canary("agent"),
                "Referer": f"https://ehr.example/{self.canary('referer')}",
                "Cookie": self.canary("cookie"),
                "X-Request-Id": self.canary("request"),
                "X-Forwarded-For": self.canary("forwarded"),
                "Origin": "https://ehr.example",
                **headers,
            },
        )


@pytest.fixture(scope="module")
def exposed(tmp_path_factory):
    """
    The service, started once.
    """
    found = Exposed(tmp_path_factory.mktemp("canaries"))
    with found.http:
        yield found


@pytest.fixture
def all_written(written, capfd):
    """
    What the process writes, whoever writes it.
    """

    def read():
        out, err = capfd.readouterr()
        return written.getvalue() + out + err

    return read


def changed(request, change):
    """
    The request with one change.
    """
    request = copy.deepcopy(request)
    change(request)
    return request


def with_fhir_server(request, canary, base="http://127.0.0.1:9/fhir", **members):
    """
    The request with a server to ask and a token for it, and with nothing but the Patient.
    """
    request = copy.deepcopy(request)
    request["fhirServer"] = base
    request["fhirAuthorization"] = {
        "access_token": canary("access"),
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": f"patient/*.read {canary('scope')}",
        "subject": "metabolic-cds",
        "patient": PATIENT,
        **members,
    }
    request["prefetch"] = {"patient": request["prefetch"]["patient"]}
    return request


def failures(exposed):
    """
    Every way to be refused from outside: name, status or None, and the call.
    """
    canary = exposed.canary
    good = planted(canary)
    raw = json.dumps(good).encode()
    item = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-06-01T00:00:00Z"}
    item["overrideReason"] = {"reason": {"code": canary()}, "userComment": canary("comment")}

    def put(member, value):
        return lambda request: request.__setitem__(member, value)

    def context(member, value):
        return lambda request: request["context"].__setitem__(member, value)

    send = exposed.send
    yield "no JSON", 400, lambda: send(canary().encode())
    yield "half of it", 400, lambda: send(raw[: len(raw) // 2])
    yield "a list", 400, lambda: send([canary()])
    yield "not UTF-8", 400, lambda: send(canary().encode("utf-16"))
    yield "half a character", 400, lambda: send(raw.replace(b"canary-", b"\\ud800", 1))
    yield "twice the same", 400, lambda: send(b'{"%s": 1, ' % canary().encode() * 2 + b'"x": 1}')
    yield "NaN", 400, lambda: send(b'{"%s": NaN}' % canary().encode())
    yield "deep", 400, lambda: send(b'{"%s": ' % canary().encode() + b"[" * 99 + b"]" * 99 + b"}")
    yield "another hook", 400, lambda: send(changed(good, put("hook", canary())))
    yield "no UUID", 400, lambda: send(changed(good, put("hookInstance", canary())))
    for member in ("hook", "hookInstance", "context", "prefetch"):
        for value in (canary(), [canary()], {canary(): canary()}, 7):
            yield (
                f"{member} {type(value).__name__}",
                None,
                lambda m=member, v=value: send(changed(good, put(m, v))),
            )
    for member in ("userId", "patientId", "encounterId"):
        for value in (f"a b {canary()}", [canary()], f"../../{canary()}", f"x\r\ny{canary()}"):
            yield f"{member}", None, lambda m=member, v=value: send(changed(good, context(m, v)))
    yield "no Patient", 412, lambda: send(changed(good, put("prefetch", {canary(): None})))
    yield (
        "another Patient",
        400,
        lambda: send(
            changed(good, lambda one: one["prefetch"]["patient"].__setitem__("id", canary("other")))
        ),
    )
    yield (
        "a server of theirs",
        None,
        lambda: send(with_fhir_server(good, canary, f"https://{canary()}.example/fhir")),
    )
    yield "a server that is down", None, lambda: send(with_fhir_server(good, canary))
    yield (
        "a grant for another",
        400,
        lambda: send(with_fhir_server(good, canary, patient=canary("other"))),
    )
    yield (
        "a grant of another",
        400,
        lambda: send(with_fhir_server(good, canary, subject=canary("subject"))),
    )
    yield (
        "a token with a line",
        200,
        lambda: send(with_fhir_server(good, canary, access_token=f"a\r\nX: {canary()}")),
    )
    yield (
        "a grant without a server",
        400,
        lambda: send(changed(with_fhir_server(good, canary), lambda one: one.pop("fhirServer"))),
    )
    yield "not signed by anybody", 401, lambda: send(good, token=canary("token"))
    yield "another issuer", 401, lambda: send(good, token=exposed.token(SERVICE, iss=canary()))
    yield "another audience", 401, lambda: send(good, token=exposed.token(SERVICE, aud=canary()))
    yield "another tenant", 401, lambda: send(good, token=exposed.token(SERVICE, tenant=canary()))
    yield (
        "another key",
        401,
        lambda: send(good, token=exposed.signer.token({"kid": canary("kid")}, aud=BASE + SERVICE)),
    )
    yield (
        "a JWS of another kind",
        401,
        lambda: send(good, token=exposed.signer.token({"jku": f"https://{canary()}.example"})),
    )
    yield "no service", 404, lambda: send(good, path="/cds-services/unknown-zzq")
    yield "no address", 404, lambda: send(good, path=f"/{canary()}?{canary()}={canary()}")
    yield (
        "a query",
        200,
        lambda: send(good, path=f"{SERVICE}?{canary()}", token=exposed.token(SERVICE)),
    )
    yield "no method", 405, lambda: send(good, method="PUT")
    yield "a word for a method", 405, lambda: send(good, method="ZZQ")
    yield "another type", 415, lambda: send(good, **{"Content-Type": f"text/{canary()}"})
    yield "compressed", 415, lambda: send(good, **{"Content-Encoding": canary()})
    yield "too large", 413, lambda: send(raw + b" " * 2_000_000)
    yield (
        "a preflight of another page",
        None,
        lambda: exposed.http.options(
            SERVICE,
            headers={
                "Origin": f"https://{canary()}.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": canary(),
            },
        ),
    )
    yield "feedback", 200, lambda: send({"feedback": [item]}, path=FEEDBACK)
    yield (
        "feedback of no card",
        400,
        lambda: send({"feedback": [{**item, "card": canary("card")}]}, path=FEEDBACK),
    )
    yield (
        "feedback with a comment too long",
        400,
        lambda: send(
            {"feedback": [{**item, "overrideReason": {"userComment": canary() * 500}}]},
            path=FEEDBACK,
        ),
    )
    yield "feedback that is none", 400, lambda: send({canary(): canary()}, path=FEEDBACK)


def test_no_canary_gets_out(exposed, all_written):
    """
    Of 40 refusals and more, neither body, headers nor log hold a mark; nor do answers the
    names, notes and addresses (T10, T59, SEC-21, ERR-11, FB-08).
    """
    good = exposed.send(planted(exposed.canary))
    leaks = [] if good.status_code == 200 else ["the good request"]
    # The patient's own id is on drafts, where it belongs.
    if MARK in good.text.replace(PATIENT, ""):
        leaks.append("cards")
    statuses = set()
    tried = []
    for name, status, call in failures(exposed):
        tried.append(name)
        response = call()
        statuses.add(response.status_code)
        text = response.text.replace(PATIENT, "") if response.status_code == 200 else response.text
        if MARK in text + json.dumps(dict(response.headers)):
            leaks.append(name)
        if response.status_code != status and status is not None:
            leaks.append(f"{name}: {response.status_code}")
        if response.status_code >= 500:
            leaks.append(f"{name}: {response.status_code}")
    public = [exposed.http.get(path).text for path in ("/status", "/openapi.json", "/cds-services")]

    assert [] == leaks
    assert MARK not in all_written() + "".join(public)
    assert len(tried) > 60
    assert exposed.canary.used > 200
    assert {200, 400, 401, 404, 405, 412, 413, 415} <= statuses


@pytest.mark.parametrize(("place", "stage"), STAGES, ids=[name for _, name in STAGES])
def test_no_canary_gets_out_of_a_crash(exposed, all_written, monkeypatch, place, stage):
    """
    Neither message nor local variables of what fails (T59, ERR-08).
    """

    def breaks(*given, **_named):
        name = f"Zebedee {MARK}"
        raise KeyError(name, given)

    monkeypatch.setattr(place, stage, breaks)

    response = exposed.send(planted(exposed.canary))

    log = all_written()
    assert 500 == response.status_code
    assert '"failed"' in log
    assert MARK not in response.text + log


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (EvaluatorsDisagree(["card.x"]), "engine_divergence"),
        (EngineFailed(MARK), "engine_failed"),
        (MemoryError(MARK), "failed"),
        (ExceptionGroup(MARK, [ValueError(MARK)]), "failed"),
        (UnicodeEncodeError("utf-8", MARK, 0, 1, MARK), "failed"),
    ],
)
def test_no_canary_gets_out_of_the_engine(exposed, all_written, monkeypatch, error, event):
    """
    Two answers, a refused fact, and what has data in its message by nature (T59, T45).
    """

    def breaks(*_given, **_named):
        raise error

    monkeypatch.setattr(module, "arbitrate", breaks)
    response = exposed.send(planted(exposed.canary))

    log = all_written()
    assert 500 == response.status_code
    assert f'"{event}"' in log
    assert MARK not in response.text + log


def test_the_log_holds_what_is_needed_and_no_more(exposed, lines):
    """
    A line for the call: its id, the pattern of its path, client and tenant (SEC-20, SEC-21).
    """
    response = exposed.send(planted(exposed.canary))

    (line,) = [one for one in lines() if one["event"] == "answered"]
    assert response.headers["x-request-id"] == line["request"]
    assert ("ehr", "north", "/cds-services/{service}", 200) == tuple(
        line[name] for name in ("client", "tenant", "path", "status")
    )
