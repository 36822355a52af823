"""
Pages of the documentation, and what becomes of the commands that stand in them.

A page is walked from top to bottom in a copy of the checkout: `console` blocks are
executed, `diff` blocks change a file, `yaml` blocks that are whole rule files are put in
their place. A line `...` stands for lines that are left out.
"""

from __future__ import annotations

import http.client
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.contract.traffic import python_path

ROOT: Final = Path(__file__).resolve().parent.parent
CLOCK: Final = "2026-06-01"
# Where the reader of a page has put the checkout.
HOME: Final = "/home/you/metabolic-cds"
CUT: Final = "..."

_COPIED: Final = ("cds", "rules", "fixtures", "hooks_service.py")
_SERVE: Final = re.compile(r"((?:[A-Z_]+=\S+ )*)make run PORT=(\d+)")
_RULE_FILE: Final = re.compile(r"kind: (\w+)")
_VARYING: Final = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"), "INSTANT"),
    (re.compile(r"\b\d+\.\d s$"), "SECONDS"),
    (re.compile(r'("ms": |"uptimeSeconds": ?)[\d.]+'), r"\1N"),
    (re.compile(r"\b3\.1\d\.\d+\b"), "PYTHON"),
    # Where the rule engine cannot be had, the reference evaluator serves alone.
    (re.compile(r"both evaluators agree|the reference evaluator works"), "AGREED"),
    (re.compile(r"(ok  |look)  the rule engine .*"), "ENGINE"),
    (re.compile(r"^engine   .*"), "ENGINE"),
    (re.compile(r'("(?:engine|used)": ?)"(?:both|reference)"'), r"\1ENGINE"),
)


@dataclass(slots=True)
class Block:
    """A fenced block: its language, its lines, and the number of its first line (from 0)."""

    language: str
    start: int
    lines: list[str]

    @property
    def text(self) -> str:
        """The block as one text."""
        return "\n".join(self.lines) + "\n"

    @property
    def is_rule_file(self) -> bool:
        """Tell whether this is a whole rule file."""
        return self.language == "yaml" and _RULE_FILE.match(self.text) is not None


@dataclass(slots=True)
class Command:
    """One command of a `console` block, and what the page says it prints."""

    text: str
    lines: list[str]
    printed: list[str]


def blocks_of(text: str) -> Iterator[Block]:
    """Give the fenced blocks of a page."""
    found: Block | None = None
    for number, line in enumerate(text.splitlines()):
        if found is None and line.startswith("```"):
            found = Block(line[3:].strip(), number + 1, [])
        elif found is not None and line.startswith("```"):
            yield found
            found = None
        elif found is not None:
            found.lines.append(line)


def commands_of(block: Block) -> list[Command]:
    """Give the commands of a `console` block; one goes on while its sentence is not complete."""
    found: list[Command] = []
    for line in block.lines:
        if found and not _is_complete(found[-1].text):
            found[-1].text += "\n" + line
            found[-1].lines.append(line)
        elif line.startswith("$ "):
            found.append(Command(line[2:], [line], []))
        else:
            found[-1].printed.append(line)
    return found


def _is_complete(text: str) -> bool:
    if text.endswith(("\\", "|")):
        return False
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    return words.count("do") <= words.count("done")


def agrees(expected: list[str], got: list[str]) -> bool:
    """Compare what a page prints with what was printed; `...` stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == CUT else re.escape(normal(line)) + "\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(normal(line) + "\n" for line in got)) is not None


def normal(line: str) -> str:
    """Take out of a line what differs from run to run, and blanks at its end."""
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.rstrip()


class Walk:
    """The walk over one page, in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "metabolic-cds"
        self.folder.mkdir()
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.folder / name)
            else:
                shutil.copy2(ROOT / name, self.folder / name)
        self._put_commands()
        self._code = 0
        self._ports: dict[str, str] = {}
        self._servers: list[subprocess.Popen[bytes]] = []
        kept = {key: one for key, one in os.environ.items() if not key.startswith("CDS_")}
        for name in ("HOST", "PORT", "ENGINE", "RULES", "APP_ENV", "ALLOW_UNREVIEWED"):
            kept.pop(name, None)
        self._environment = {
            **kept,
            "PATH": f"{self.folder}/.venv/bin{os.pathsep}{kept.get('PATH', '')}",
            "PYTHONPATH": python_path(self.folder),
            "CDS_CLOCK": CLOCK,
            "COLUMNS": "84",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "no_proxy": "127.0.0.1",
            "PYTHONUTF8": "1",
        }

    def _put_commands(self) -> None:
        """Make what `make setup` makes: the commands of a virtual environment."""
        commands = self.folder / ".venv" / "bin"
        commands.mkdir(parents=True)
        for name, call in (("cds", "-m cds.cli"), ("python", ""), ("python3", "")):
            path = commands / name
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {call} "$@"\n')
            path.chmod(0o755)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._servers:
            one.terminate()
        for one in self._servers:
            one.wait(20)

    def execute(self, command: Command) -> list[str]:
        """Execute one command of the page, and give the lines it printed."""
        serve = _SERVE.fullmatch(command.text)
        printed = self._serve(*serve.groups()) if serve else self._run(command.text)
        for said, real in self._ports.items():
            printed = printed.replace(real, said)
        return printed.replace(str(self.folder), HOME).splitlines()

    def _run(self, text: str) -> str:
        for said, real in self._ports.items():
            text = text.replace(said, real)
        environment = dict(self._environment)
        if "CDS_ENV=production" in text:
            del environment["CDS_CLOCK"]
        done = subprocess.run(
            ["/bin/sh", "-c", f"(exit {self._code})\n{text}"],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        self._code = done.returncode
        return done.stdout.decode()

    def _serve(self, settings: str, port: str) -> str:
        """Do what `make run` does once everything is set up, on a free port."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            free = str(listening.getsockname()[1])
        self._ports[port] = free
        said = dict(one.split("=", 1) for one in settings.split())
        log = self.folder / f"{port}.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [sys.executable, "hooks_service.py"],
                cwd=self.folder,
                env={"CDS_ENV": "development", **self._environment, **said, "PORT": free},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self._servers.append(server)
        deadline = time.monotonic() + 30
        while not _is_ready(free) and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return log.read_text("utf-8")

    def change(self, block: Block) -> None:
        """Apply a `diff` block: one file, lines that go and lines that come."""
        path = self.folder / block.lines[0].removeprefix("--- ")
        old = [line[1:] for line in block.lines[1:] if line[:1] in {"-", " "}]
        new = [line[1:] for line in block.lines[1:] if line[:1] in {"+", " "}]
        text = path.read_text("utf-8")
        before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
        assert 1 == text.count(before), f"{path.name} does not hold these lines once"
        path.write_text(text.replace(before, after), "utf-8")

    def put(self, block: Block) -> Path:
        """Write a whole rule file to where it belongs."""
        path = self.folder / place_of(block)
        path.write_text(block.text, "utf-8")
        return path


def place_of(block: Block) -> str:
    """Say where a rule file belongs."""
    from cds.rulefiles.kinds import KINDS  # noqa: PLC0415 - only here

    kind, name = (
        next(line.partition(": ")[2] for line in block.lines if line.startswith(f"{key}: "))
        for key in ("kind", "id")
    )
    return "/".join(part for part in ("rules", KINDS[kind].folder, f"{name}.yaml") if part)


def _is_ready(port: str) -> bool:
    call = http.client.HTTPConnection("127.0.0.1", int(port), timeout=1)
    try:
        call.request("GET", "/readyz")
        return call.getresponse().status == 200
    except OSError:
        return False
    finally:
        call.close()
