"""
`cds lsp`: the protocol, spoken with the server itself.
"""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cds.cli.__main__ import app
from cds.service.settings import default_rules

ROOT = Path(__file__).parents[2]
CARD = default_rules().resolve() / "cards" / "short_sleep.yaml"
TEXT = CARD.read_text("utf-8")


class Client:
    """
    Speaks JSON-RPC over the pipes of a process, as an editor does.
    """

    def __init__(self, process):
        self.process = process
        self.count = 0
        self.notes = []

    def send(self, method, params, **more):
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b": ")
            if name == b"Content-Length":
                length = int(value)
        assert length, "the server said nothing more"
        return json.loads(self.process.stdout.read(length))

    def ask(self, method, params):
        self.count += 1
        self.send(method, params, id=self.count)
        while True:
            message = self.read()
            if message.get("id") == self.count and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self.notes.append(message)

    def findings(self, uri):
        """Wait for what the server finds in a file."""
        while True:
            message = self.notes.pop(0) if self.notes else self.read()
            params = message.get("params")
            is_ours = message.get("method") == "textDocument/publishDiagnostics"
            if is_ours and params["uri"] == uri:
                return params["diagnostics"]

    def note(self, method):
        """Wait for a message of the server."""
        while True:
            message = self.notes.pop(0) if self.notes else self.read()
            if message.get("method") == method:
                return message["params"]


@pytest.fixture
def client():
    """
    A server process that has been greeted, and is told to go in the end.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "cds.cli", "lsp"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        found = Client(process)
        capabilities = {"general": {"positionEncodings": ["utf-16"]}}
        greeting = found.ask(
            "initialize",
            {"processId": None, "rootUri": ROOT.as_uri(), "capabilities": capabilities},
        )
        found.capabilities = greeting["capabilities"]
        found.send("initialized", {})
        yield found
        found.ask("shutdown", None)
        found.send("exit", None)
        assert 0 == process.wait(timeout=20)


def position(text, words, behind=0):
    """
    Where words stand, as the protocol counts.
    """
    at = text.index(words) + behind
    return {"line": text.count("\n", 0, at), "character": at - text.rfind("\n", 0, at) - 1}


def opened(client, text, uri):
    """
    Open a text in place of a file.
    """
    document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
    client.send("textDocument/didOpen", {"textDocument": document})
    return {"textDocument": {"uri": uri}}


def test_an_editor_is_served(client):
    """
    From the first greeting to the end, over the pipes of a process of its own.
    """
    uri = CARD.as_uri()
    text = TEXT.replace("- ir_spectrum holds", "- ir_spectum holds").replace(
        "id: short", "id:  short"
    )
    file = opened(client, text, uri)
    found = client.findings(uri)
    wrong = next(one for one in found if one["code"] == "CDS201")
    actions = client.ask(
        "textDocument/codeAction",
        {**file, "range": wrong["range"], "context": {"diagnostics": [wrong]}},
    )
    edit = actions[0]["edit"]["documentChanges"][0]["edits"][0]
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 9999, "character": 0}}
    client.send(
        "textDocument/didChange",
        {
            "textDocument": {"uri": uri, "version": 2},
            "contentChanges": [{"range": whole, "text": TEXT}],
        },
    )
    mended = client.findings(uri)
    hover = client.ask(
        "textDocument/hover", {**file, "position": position(TEXT, "- sleep_duration <", 4)}
    )
    place = client.ask(
        "textDocument/definition", {**file, "position": position(TEXT, "- sleep_duration <", 4)}
    )
    proposed = client.ask(
        "textDocument/completion", {**file, "position": position(TEXT, "duration < enough", 11)}
    )
    symbols = client.ask("textDocument/documentSymbol", file)

    assert position(text, "ir_spectum") == wrong["range"]["start"]
    assert "did you mean `ir_spectrum`?" in wrong["message"]
    assert ("ir_spectrum", wrong["range"]) == (edit["newText"], edit["range"])
    assert "CDS201" not in [one["code"] for one in mended]
    assert "six hours in prediabetes (6.2 h" in hover["contents"]["value"]
    assert place["uri"].endswith("rules/concepts/lifestyle.yaml")
    assert ["enough"] == [one["label"] for one in proposed["items"]]
    assert {"show_if", "thresholds", "tests"} <= {one["name"] for one in symbols}
    assert client.capabilities["documentFormattingProvider"]


def test_files_are_laid_out_and_taken_back(client, tmp_path):
    """
    By the layout of `cds fmt`; what cannot be read is left alone, and closing a file ends it.
    """
    rules = tmp_path / "rules"
    (rules / "groups").mkdir(parents=True)
    (rules / "release.yaml").write_text('kind: release\nid: release\nrelease: "1"\n', "utf-8")
    path = rules / "groups" / "é.yaml"
    path.write_text("kind: group\nid: e\nwhen_several_fire: merge\n", "utf-8")
    uri = path.as_uri()
    options = {"options": {"tabSize": 2, "insertSpaces": True}}
    file = opened(client, "kind:  group\nid: e\ntitle: '𝄞' # x\nbad: [\n", uri)
    broken = client.findings(uri)
    none = client.ask("textDocument/formatting", {**file, **options})
    message = client.note("window/showMessage")
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    for number, new in enumerate(["kind:  group\nid: e\ntitle: '𝄞'\n", "kind: group\nid: e\n"], 2):
        client.send(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": number},
                "contentChanges": [{"range": whole, "text": new}],
            },
        )
        if number == 2:
            edits = client.ask("textDocument/formatting", {**file, **options})
    same = client.ask("textDocument/formatting", {**file, **options})
    client.send("textDocument/didSave", file)
    saved = client.findings(uri)
    client.send("textDocument/didClose", file)
    closed = client.findings(uri)

    assert ["CDS101"] == [one["code"] for one in broken if one["severity"] == 1]
    assert not none
    assert message["message"].startswith("left as it is: rules/groups/")
    assert ["kind: group\nid: e\ntitle: 𝄞\n"] == [one["newText"] for one in edits]
    assert not same
    assert {"CDS104", "CDS107"} <= {one["code"] for one in saved}
    assert ["CDS107"] == [one["code"] for one in closed if one["code"] != "CDS108"]


def test_other_files_are_none_of_its_business(client, tmp_path):
    """
    No answer, and no failure.
    """
    file = opened(client, "a: 1\n", (tmp_path / "notes.yaml").as_uri())
    at = {**file, "position": {"line": 0, "character": 0}}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    asked = {
        "hover": at,
        "definition": at,
        "documentSymbol": file,
        "formatting": {**file, "options": {"tabSize": 2, "insertSpaces": True}},
        "codeAction": {**file, "range": whole, "context": {"diagnostics": []}},
    }

    assert [] == [
        name for name, params in asked.items() if client.ask(f"textDocument/{name}", params)
    ]
    assert [] == client.ask("textDocument/completion", at)["items"]


def test_without_pygls_it_says_what_to_install(monkeypatch):
    """
    It is a tool of authors, not of the service.
    """
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    result = CliRunner().invoke(app, ["lsp"])

    assert 2 == result.exit_code
    assert "cds lsp needs pygls: make setup" in result.output
