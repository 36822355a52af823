"""
A page in a real browser: discovery, a signed call and feedback by `fetch`, from another origin.

What preflights and headers are worth only a browser knows. The page signs by itself, with a
key that its browser makes tokens of.
"""

import html
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from jwt.algorithms import ECAlgorithm

from tests.contract.traffic import python_path
from tests.pages import ROOT
from tests.tokens import BASE, private_key, public_jwk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ALONE = ("no-sandbox", "headless", "disable-gpu", "disable-quic", "no-first-run", "disable-sync")
STILL = ("disable-background-networking", "disable-component-update")
ISSUER = "https://page.example"
CALL = ROOT / "fixtures" / "requests" / "raised_homa_ir_alone.json"
SCRIPT = """
const said = {};
const encoded = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const text = one => encoded(new TextEncoder().encode(JSON.stringify(one)));
async function token(audience) {
  const how = {name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384'};
  const key = await crypto.subtle.importKey('jwk', KEY, how, false, ['sign']);
  const now = Math.floor(Date.now() / 1000);
  const claims = {iss: ISSUER, aud: audience, iat: now, exp: now + 300, jti: crypto.randomUUID()};
  const signed = text({alg: 'ES384', typ: 'JWT', kid: 'page'}) + '.' + text(claims);
  const made = await crypto.subtle.sign(how, key, new TextEncoder().encode(signed));
  return signed + '.' + encoded(made);
}
async function ask(name, path, body, signs) {
  const headers = body === undefined ? {} : {'Content-Type': 'application/json'};
  if (signs) headers.Authorization = 'Bearer ' + await token(AUDIENCE + path);
  const method = body === undefined ? 'GET' : 'POST';
  try {
    const answer = await fetch(SERVER + path, {method, headers, body});
    const found = await answer.json();
    said[name] = {status: answer.status, id: answer.headers.get('X-Request-Id'), found};
    return found;
  } catch (error) {
    said[name] = {error: String(error)};
  }
}
(async () => {
  const discovery = await ask('discovery', '/cds-services');
  const service = (discovery?.services ?? []).find(one => one.hook === 'patient-view');
  const path = '/cds-services/' + (service?.id ?? 'none');
  const cards = (await ask('call', path, JSON.stringify(CALL), true))?.cards ?? [];
  const reason = cards[0]?.overrideReasons[0];
  const feedback = [{card: cards[0]?.uuid, outcome: 'overridden', overrideReason: {reason},
    outcomeTimestamp: new Date().toISOString()}];
  await ask('feedback', path + '/feedback', JSON.stringify({feedback}), true);
  await ask('unsigned', path, JSON.stringify(CALL), false);
  await ask('broken', path, '{', true);
  document.getElementById('said').textContent = JSON.stringify(said);
})();
"""


@contextmanager
def page(server):
    """
    Serve the page on a port of its own.
    """
    members = {
        "SERVER": server,
        "AUDIENCE": BASE,
        "ISSUER": ISSUER,
        "KEY": ECAlgorithm.to_jwk(private_key("ES384", "page"), as_dict=True),
        "CALL": json.loads(CALL.read_text("utf-8")),
    }
    known = "".join(f"const {name} = {json.dumps(one)};\n" for name, one in members.items())
    written = f'<!doctype html><pre id="said"></pre><script>{known}{SCRIPT}</script>'.encode()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_things):
            """
            Say nothing.
            """

    with HTTPServer(("127.0.0.1", 0), Pages) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()


@contextmanager
def service(port, folder, origin):
    """
    The service in production, as it is started, with the page as a registered client.
    """
    clients = folder / "clients"
    clients.mkdir(mode=0o700)
    key = public_jwk(private_key("ES384", "page"), kid="page")
    client = {"name": "page", "issuer": ISSUER, "keys": [key], "origins": [origin]}
    (clients / "page.json").write_text(json.dumps(client), "utf-8")
    (clients / "page.json").chmod(0o600)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "hooks_service.py")],
            env={
                **{name: one for name, one in os.environ.items() if name[:4] != "CDS_"},
                "CDS_ENV": "production",
                "CDS_ALLOW_UNREVIEWED": "1",
                "CDS_CLIENTS": str(clients),
                "CDS_PUBLIC_URL": BASE,
                "CDS_PORT": str(port),
                "CDS_DATABASE": f"sqlite:///{folder / 'state.sqlite3'}",
                "PYTHONPATH": python_path(ROOT),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        ends = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            assert process.poll() is None, (folder / "log").read_text("utf-8")[-2000:]
            assert time.monotonic() < ends, (folder / "log").read_text("utf-8")[-2000:]
            time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def answers(url):
    """
    Tell whether somebody is there.
    """
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own
            return answer.status == 200
    except OSError:
        return False


def shown(url, folder):
    """
    What the page has written when it has done all.
    """
    arguments = [f"--{one}" for one in (*ALONE, *STILL)]
    arguments += [f"--user-data-dir={folder}", "--virtual-time-budget=20000", "--dump-dom", url]
    run = subprocess.run(
        [CHROMIUM, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    found = re.search(r'<pre id="said">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found is not None, run.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """
    What a registered page could do, and what another one could.
    """
    folder = tmp_path_factory.mktemp("browser")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = f"http://127.0.0.1:{port}"
    with page(server) as registered, page(server) as stranger, service(port, folder, registered):
        yield shown(registered, folder / "one"), shown(stranger, folder / "two")


pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]


def test_a_registered_page_can_do_all(said):
    """
    It finds the services, reads cards, says what became of them, and reads refusals.
    """
    mine, _ = said

    assert {"discovery": 200, "call": 200, "feedback": 200, "unsigned": 401, "broken": 400} == {
        name: one.get("status") for name, one in mine.items()
    }
    assert mine["call"]["found"]["cards"]
    assert {"received": 1} == mine["feedback"]["found"]
    assert all(len(one["id"]) == 36 for one in mine.values())


def test_another_page_can_do_nothing(said):
    """
    Its browser keeps even the answer of discovery from it.
    """
    _, theirs = said

    assert {"discovery", "call", "feedback", "unsigned", "broken"} == set(theirs)
    assert all("Failed to fetch" in one.get("error", "") for one in theirs.values())
