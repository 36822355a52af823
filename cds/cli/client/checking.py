"""
`cds client check` and `token`: call a running service as a client would, or sign such a call.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cds.cli.client.keyfiles import read_private_key, thumbprint
from cds.cli.client.registering import registered
from cds.cli.console import REFUSED, clean, say_usage
from cds.core.hooks import DEFAULT_HOOK, HOOKS
from cds.errors import BadKeys
from cds.hooks.discovery import hook_of, service_of
from cds.service.clients import Client
from cds.service.faults import BadSettingsError

if TYPE_CHECKING:
    from httpx2 import Client as Http
    from httpx2 import Response

__all__ = ["Checked", "check_client", "print_token"]

_SECONDS: Final = 10
_SKEW: Final = 30
_OK: Final = 200
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = range(300, 400)


@dataclass(frozen=True, slots=True)
class Checked:
    """What to check: who calls, where, as what, with which key, by which certificate."""

    name: str
    url: str
    audience: str = ""
    key: Path | None = None
    kid: str = ""
    tenant: str = ""
    request: Path | None = None
    certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What one step showed, what to do where it went wrong, and whether to go on."""

    fine: bool
    sentence: str
    remedy: str = ""
    ends: bool = False


@dataclass(frozen=True, slots=True)
class _Body:
    """The call to make: of which hook, and what is sent."""

    hook: str
    raw: bytes


def check_client(asked: Checked, *, folder: Path) -> int:
    """Call the service step by step, and print what each step showed; give the exit code."""
    try:
        client = registered(asked.name, folder=folder)
        signer = _Signer(asked, client) if asked.key is not None else None
        body = _body(asked.request)
        trust = _trust(asked.certificate)
    except (BadSettingsError, BadKeys) as error:
        return say_usage(str(error))
    except OSError as error:
        return say_usage(f"{error.filename}: cannot be read: {error.strerror}")
    well = True
    for step in _Checking(asked, client, signer, body).steps(trust):
        well = well and step.fine
        sys.stdout.write(f"{'ok  ' if step.fine else 'look'}  {clean(step.sentence)}\n")
        if step.remedy:
            sys.stdout.write(f"      {clean(step.remedy)}\n")
    return 0 if well else REFUSED


def _trust(certificate: Path | None) -> ssl.SSLContext:
    """Trust whom this machine trusts, and show the certificate of the client, where it has one."""
    trust = ssl.create_default_context()
    if certificate is not None:
        try:
            # Without a password: nobody is there to ask.
            trust.load_cert_chain(certificate, password=lambda: "")
        except (ssl.SSLError, OSError):
            raise BadKeys(
                f"--certificate: {certificate.name} holds no certificate with its private key in"
                " PEM: cat certificate.pem key.pem > both.pem"
            ) from None
    return trust


def print_token(asked: Checked, *, service: str, folder: Path) -> int:
    """Print a token for one call of *service*; give the exit code."""
    if not hook_of(service):
        known = ", ".join(map(service_of, HOOKS))
        return say_usage(f"--service: there is no service of this id; there is: {known}")
    try:
        signer = _Signer(asked, registered(asked.name, folder=folder))
    except (BadSettingsError, BadKeys) as error:
        return say_usage(str(error))
    audience = (asked.audience or asked.url).rstrip("/")
    sys.stdout.write(f"{signer.token(f'{audience}/cds-services/{service}')}\n")
    return 0


class _Signer:
    """Signs as the client does."""

    def __init__(self, asked: Checked, client: Client) -> None:
        path = asked.key or Path()
        try:
            self._key, public = read_private_key(path.read_bytes())
        except BadKeys as error:
            raise BadKeys(f"--key: {path.name} {error}") from None
        own = thumbprint(public)
        ids = [str(one.get("kid")) for one in client.keys if thumbprint(one) == own]
        if not client.jwks_url and not ids:
            raise BadKeys(
                f"--key: {path.name} belongs to none of the keys registered for {client.name};"
                f" register its public part (cds client add .. --replace), or"
                f" cds client key {client.name} makes a pair"
            )
        self._client = client
        self._kid = asked.kid or (ids[0] if ids else own)
        self._tenant = asked.tenant or next(iter(client.tenants), "")
        self._algorithm = {"P-384": "ES384", "P-256": "ES256"}.get(
            str(public.get("crv")),
            next((one for one in client.algorithms if one.startswith("RS")), "RS384"),
        )

    def token(self, audience: str) -> str:
        """Sign a call of an address, now."""
        import jwt  # noqa: PLC0415 - only here

        now = int(time.time())
        claims = {
            "iss": self._client.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + min(300, self._client.token_seconds),
            "jti": str(uuid.uuid4()),
        }
        if self._tenant:
            claims["tenant"] = self._tenant
        header = {"kid": self._kid}
        if self._client.jwks_url:
            header["jku"] = self._client.jwks_url
        return jwt.encode(claims, self._key, algorithm=self._algorithm, headers=header)


class _Checking:
    """One walk from reaching the service to its cards."""

    def __init__(self, asked: Checked, client: Client, signer: _Signer | None, body: _Body) -> None:
        self._url = asked.url.rstrip("/")
        self._audience = (asked.audience or asked.url).rstrip("/")
        self._client = client
        self._signer = signer
        self._body = body

    def steps(self, trust: ssl.SSLContext) -> Iterator[_Step]:
        """Take every step that makes sense after the one before."""
        import httpx2  # noqa: PLC0415 - only here

        with httpx2.Client(
            trust_env=False, follow_redirects=False, timeout=_SECONDS, verify=trust
        ) as http:
            try:
                for step in self._walk(http):
                    yield step
                    if step.ends:
                        return
            except httpx2.TimeoutException:
                yield _Step(
                    fine=False,
                    sentence=f"there was no answer within {_SECONDS} seconds",
                    remedy="is something between here and there that swallows connections?",
                )
            except httpx2.TransportError as error:
                yield _unreached(error, self._url)

    def _walk(self, http: Http) -> Iterator[_Step]:
        answer = http.get(f"{self._url}/cds-services")
        yield _Step(fine=True, sentence=f"{self._url} was reached")
        yield self._about_tls()
        yield from self._about_clocks(answer)
        if answer.status_code == _UNAUTHORIZED and self._signer is not None:
            yield _Step(fine=True, sentence="discovery is for those who sign")
            answer = self._get_discovery(http, self._signer)
        found = _services(answer)
        yield self._about_discovery(answer, found)
        hook = self._body.hook
        service = next((one.get("id") for one in found if one.get("hook") == hook), None)
        if not isinstance(service, str):
            yield _Step(
                fine=False,
                sentence=f"no service answers {hook}",
                remedy="--request names a file with a call of a hook that is there",
                ends=True,
            )
            return
        yield from self._about_calls(http, f"/cds-services/{service}")
        if self._client.origins:
            yield self._about_pages(http, f"/cds-services/{service}")

    def _about_tls(self) -> _Step:
        if urlsplit(self._url).scheme == "https":
            return _Step(fine=True, sentence="TLS: the certificate is trusted here")
        host = urlsplit(self._url).hostname or ""
        if host in {"localhost", "::1"} or host.startswith("127."):
            return _Step(fine=True, sentence="no TLS, which is right on this machine alone")
        return _Step(
            fine=False,
            sentence="no TLS: patients' data would go over the network in the open",
            remedy="put a proxy in front that speaks TLS; docs/operating.md shows one",
        )

    def _about_clocks(self, answer: Response) -> Iterator[_Step]:
        try:
            theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        apart = round(abs(theirs - time.time()))
        if apart > _SKEW:
            yield _Step(
                fine=False,
                sentence=f"its clock and ours are {apart} seconds apart",
                remedy="tokens are taken within 60 seconds of their time: set both by NTP",
            )

    def _get_discovery(self, http: Http, signer: _Signer) -> Response:
        token = signer.token(f"{self._audience}/cds-services")
        return http.get(f"{self._url}/cds-services", headers=_bearer(token))

    def _about_discovery(self, answer: Response, found: list[Mapping[str, Any]]) -> _Step:
        if found:
            return _Step(fine=True, sentence=f"discovery lists {_count(found, 'service')}")
        status = answer.status_code
        if status == _UNAUTHORIZED:
            return _Step(
                fine=False,
                sentence="discovery is protected, and our token was not taken",
                remedy=self._why_not() if self._signer else _WITHOUT_KEY,
                ends=True,
            )
        if status == _BAD_REQUEST and b"SSL certificate" in answer.content:  # as nginx says it
            remedy = _WITHOUT_CERTIFICATE
        elif status in _REDIRECTS:
            remedy = "--url is the base URL itself: scheme, host and prefix, as callers use it"
        else:
            remedy = "--url is what stands before /cds-services; is there a prefix?"
        return _Step(
            fine=False,
            sentence=f"discovery answers {status}{_told(answer)}",
            remedy=remedy,
            ends=True,
        )

    def _about_calls(self, http: Http, route: str) -> Iterator[_Step]:
        unsigned = self._post(http, route)
        if unsigned.status_code == _UNAUTHORIZED:
            yield _Step(fine=True, sentence="a call that is not signed is refused")
            if self._signer is None:
                yield _Step(
                    fine=False,
                    sentence="there is nothing to sign a call with",
                    remedy=_WITHOUT_KEY,
                    ends=True,
                )
                return
            token = self._signer.token(self._audience + route)
            answer = self._post(http, route, token)
            yield self._about_signed(answer)
            yield _about_replay(self._post(http, route, token))
        else:
            answer = unsigned
            yield _Step(
                fine=True,
                sentence="calls are answered unsigned, as in development or with AUTH=off",
                remedy="" if self._signer is None else "so nothing was learnt of the key",
            )
        yield _about_cards(answer)

    def _post(self, http: Http, route: str, token: str = "") -> Response:
        headers = {"Content-Type": "application/json", **(_bearer(token) if token else {})}
        return http.post(self._url + route, content=self._body.raw, headers=headers)

    def _about_signed(self, answer: Response) -> _Step:
        if answer.status_code == _UNAUTHORIZED:
            return _Step(
                fine=False, sentence="our token was not taken", remedy=self._why_not(), ends=True
            )
        return _Step(fine=True, sentence="our token was taken")

    def _why_not(self) -> str:
        """Say what to look at: the service itself says nothing to callers."""
        return (
            "the log of the service has `refused_caller` with the reason: `aud`: is"
            f" CDS_PUBLIC_URL there {self._audience}? else --audience; `iss` or `no such key`:"
            " was it started again since the client was registered, and is that its CDS_CLIENTS?"
            " `no such key` too: does --kid say what the key is registered as?"
            f" `tenant`: {self._client.name} may name"
            f" {', '.join(self._client.tenants) or 'none'}"
            f"{_KEYS_ELSEWHERE if self._client.jwks_url else ''}"
        )

    def _about_pages(self, http: Http, route: str) -> _Step:
        origin = self._client.origins[0]
        answer = http.options(
            self._url + route,
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        allowed = answer.headers.get("access-control-allow-origin")
        if answer.is_success and allowed in {origin, "*"}:
            return _Step(fine=True, sentence=f"pages of {origin} may call")
        return _Step(
            fine=False,
            sentence=f"pages of {origin} may not call: the preflight answers {answer.status_code}",
            remedy="does a proxy answer OPTIONS itself, or was the service not started again?",
        )


_KEYS_ELSEWHERE: Final = (
    "; `keys_unavailable` before it: the service could not read --jwks-url; where that is a"
    " private address, --private-network names its network"
)
_WITHOUT_KEY: Final = (
    "--key names the private key of the client; cds client key makes one to try with"
)


_WITHOUT_CERTIFICATE: Final = (
    "mutual TLS: --certificate names one that the proxy takes, with its key behind it"
)
_WANTS_A_CERTIFICATE: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "UNKNOWN_CA")


def _unreached(error: Exception, url: str) -> _Step:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        remedy = "SSL_CERT_FILE names the certificates to trust, if it is one of your own"
        return _Step(fine=False, sentence=f"{url}: its certificate is not trusted", remedy=remedy)
    # Some servers hang up without a word.
    silent = url.startswith("https:") and "disconnected" in text
    if silent or any(one in text for one in _WANTS_A_CERTIFICATE):
        may = "may want" if silent else "wants"
        sentence = f"{url}: it {may} a certificate of ours, or another one"
        return _Step(fine=False, sentence=sentence, remedy=_WITHOUT_CERTIFICATE)
    if "SSL" in text or "TLS" in text:
        remedy = "does it speak TLS at all? http: is for this machine alone"
        return _Step(fine=False, sentence=f"{url}: TLS failed", remedy=remedy)
    remedy = "is it running, is that its host and port, and does a firewall let you through?"
    return _Step(fine=False, sentence=f"{url} was not reached: {text}", remedy=remedy)


def _about_replay(answer: Response) -> _Step:
    if answer.status_code == _UNAUTHORIZED:
        return _Step(fine=True, sentence="the same token a second time is refused")
    return _Step(
        fine=False,
        sentence=f"the same token a second time is answered {answer.status_code}",
        remedy="do all replicas share one CDS_DATABASE?",
    )


def _about_cards(answer: Response) -> _Step:
    try:
        found = answer.json()
    except ValueError:
        found = None
    cards = found.get("cards") if isinstance(found, dict) else None
    if answer.status_code != _OK or not isinstance(cards, list):
        return _Step(
            fine=False,
            sentence=f"the call is answered {answer.status_code}{_told(answer)}",
            remedy="docs/integrating.md says what each status means and what to do",
        )
    if not cards:
        return _Step(fine=True, sentence="the call is answered: no card, every rule was evaluated")
    first = cards[0].get("summary", "") if isinstance(cards[0], dict) else ""
    return _Step(
        fine=True, sentence=f"the call is answered with {_count(cards, 'card')}, first: {first}"
    )


def _services(answer: Response) -> list[Mapping[str, Any]]:
    try:
        found = answer.json()
    except ValueError:
        return []
    services = found.get("services") if isinstance(found, dict) else None
    return [one for one in services or [] if isinstance(one, dict)]


def _told(answer: Response) -> str:
    """Say what the service says of a refusal."""
    try:
        return f": {answer.json()['issue'][0]['diagnostics']}"
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _count(things: list[Any], word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def _body(path: Path | None) -> _Body:
    """Read the call to make; else one about a patient of whom nothing is known."""
    if path is None:
        patient = {"resourceType": "Patient", "id": "example", "gender": "female"}
        call = {
            "hook": DEFAULT_HOOK,
            "hookInstance": str(uuid.uuid4()),
            "context": {"userId": "Practitioner/example", "patientId": "example"},
            "prefetch": {"patient": {**patient, "birthDate": "1970-01-01"}},
        }
        return _Body(DEFAULT_HOOK, json.dumps(call).encode())
    raw = path.read_bytes()
    try:
        found = json.loads(raw)
    except ValueError:
        raise BadSettingsError(f"--request: {path.name} is not JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("hook"), str):
        raise BadSettingsError(f"--request: {path.name} is no call of a hook")
    return _Body(found["hook"], raw)
