"""
Which release answers: looked at again when its files change, swapped only once proved.

A changed folder is copied, judged in a process of its own (`cds.workshop.gate`), opened
beside the release that serves, and put in its place between two requests. Whatever goes
wrong on the way leaves the release that serves where it is, and `/status` says why.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cds.core.rules import Ruleset
from cds.errors import CdsError, RuleError
from cds.rulefiles.source import signature_of
from cds.service.logs import log
from cds.service.pipeline import Answer, Call, Pipeline
from cds.service.release import NotServedError, Release

__all__ = ["Activation", "Opened", "copy_rules", "judged"]

_SECONDS_TO_JUDGE: Final = 180
_SECONDS_BETWEEN_LOOKS: Final = 1.0
_MOST_FILES: Final = 2_000
_MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_SAID: Final = 10
_PROGRAM: Final = Path(__file__).resolve().parents[2]

Judge = Callable[[Path], list[str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A release with what answers by it; *mark* is a digest of its files."""

    release: Release
    pipeline: Pipeline
    mark: str

    @property
    def name(self) -> str:
        """Name it by its release and its files: `2026.11 3f9a0c12`."""
        return f"{self.release.ruleset.release} {self.mark}"


@dataclass(slots=True)
class _Refused:
    """Rules that were looked at and are not served, with the reasons."""

    mark: str
    at: datetime
    why: tuple[str, ...]
    count: int


@dataclass(slots=True)
class _State:
    """What is being served, what was before, and what was refused last."""

    current: Opened
    since: datetime
    previous: Opened | None = None
    refused: _Refused | None = None
    checking: bool = False
    rolled_back: bool = False
    swaps: int = 0
    answered: int = 0
    would_have_shown: Counter[str] = field(default_factory=Counter)


class Activation:
    """
    Answers by one release at a time.

    *opens* makes a release ready from a folder or raises what says why not; *judge*
    gives the reasons against a folder. `look` and `roll_back` belong to the event loop,
    as `answer` does: a request is answered by the release it began with. *changed* is told
    of the rules whenever others begin to answer. *kept* is a folder to begin with where
    *folder* can no longer be used: a process that is replaced must not stay away.
    """

    def __init__(
        self,
        folder: Path,
        *,
        opens: Callable[[Path], tuple[Release, Pipeline]],
        now: Callable[[], datetime],
        judge: Judge,
        changed: Callable[[Ruleset], None] = lambda _: None,
        kept: Path | None = None,
    ) -> None:
        self._folder = folder
        self._changed = changed
        self._opens = opens
        self._judge = judge
        self._now = now
        self._seen = signature_of(folder)
        try:
            opened, refused = self._open(folder), None
        except CdsError as error:
            if kept is None:
                raise
            opened, refused = self._open(kept), self._refused(error)
            log.error("rules_refused", release=opened.name, count=refused.count)
        release = opened.release
        self._state = _State(opened, now(), refused=refused)
        _warn_of_pending(release)
        self._looking = asyncio.Lock()

    def _open(self, folder: Path) -> Opened:
        release, pipeline = self._opens(folder)
        return Opened(release, pipeline, _mark(folder))

    # --- answering --------------------------------------------------------------------

    @property
    def ruleset(self) -> Ruleset:
        """Give the rules that are served now."""
        return self._state.current.release.ruleset

    @property
    def engine(self) -> str:
        """Say which evaluators run."""
        return self._state.current.pipeline.engine

    @property
    def why_not_durable(self) -> str:
        """Say why the rule engine does not run; empty where it does."""
        return self._state.current.pipeline.why_not_durable

    async def answer(self, raw: bytes, call: Call) -> Answer:
        """Answer the body of a hook call by the release that is served now."""
        state = self._state
        opened = state.current
        answer = await opened.pipeline.answer(raw, call)
        if state.current is opened:
            state.answered += 1
            state.would_have_shown.update(answer.would_have_shown)
        return answer

    def close(self) -> None:
        """Give memory back."""
        for one in (self._state.current, self._state.previous):
            if one is not None:
                one.pipeline.close()

    # --- what is said of it -------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Say for `/status` what is served, and what became of the last change."""
        state = self._state
        release = state.current.release
        activation: dict[str, Any] = {
            "files": state.current.mark,
            "since": state.since.isoformat(timespec="seconds"),
            "state": self._word(),
            "swaps": state.swaps,
        }
        if state.previous is not None:
            activation["previous"] = state.previous.name
        if state.refused is not None:
            activation["refused"] = {
                "files": state.refused.mark,
                "at": state.refused.at.isoformat(timespec="seconds"),
                "reasons": state.refused.count,
                "why": list(state.refused.why),
            }
        about: dict[str, Any] = {
            "rules": dict(release.counts),
            "pendingReviews": len(release.pending),
            "activation": activation,
        }
        trial = sorted(one.id for one in release.ruleset.cards.values() if one.status == "trial")
        if trial:
            about["trial"] = {
                "answered": state.answered,
                "wouldHaveShown": {name: state.would_have_shown[name] for name in trial},
            }
        return about

    def _word(self) -> str:
        state = self._state
        if state.checking:
            return "checking"
        if state.refused is not None:
            return "change refused"
        return "rolled back" if state.rolled_back else "current"

    # --- changing -----------------------------------------------------------------------

    async def run(self, *, watches: bool) -> None:
        """
        Stand by until cancelled: SIGHUP looks at the files, SIGUSR1 goes a release back.

        With *watches* the files are looked at whenever they change.
        """
        loop = asyncio.get_running_loop()
        started: set[asyncio.Task[None]] = set()

        def begin(work: Coroutine[Any, Any, None]) -> None:
            task = loop.create_task(work)
            started.add(task)
            task.add_done_callback(started.discard)

        # Only the main thread of a system that has them can take signals.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGHUP, lambda: begin(self.look()))
            loop.add_signal_handler(signal.SIGUSR1, self.roll_back)
        if watches:
            await self.watch()
        else:
            await asyncio.Event().wait()

    async def watch(self) -> None:
        """Look at the files again and again, and act once they have stopped changing."""
        before = self._seen
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            now = await asyncio.to_thread(signature_of, self._folder)
            if now != self._seen and now == before:
                await self.look()
            before = now

    async def look(self) -> None:
        """Judge the files as they are now; serve them, or say why not. One look at a time."""
        async with self._looking:
            self._state.checking = True
            try:
                # What changes while this runs is seen by the next look.
                self._seen = await asyncio.to_thread(signature_of, self._folder)
                found = await asyncio.to_thread(self._prepare)
            finally:
                self._state.checking = False
            if isinstance(found, Opened):
                self._put(found, rolled_back=False)
                return
            self._state.refused = found
            if found is not None:
                log.error("rules_refused", release=self._state.current.name, count=found.count)

    def _prepare(self) -> Opened | _Refused | None:
        """Copy, judge and open the folder; None where it holds what is served already."""
        with tempfile.TemporaryDirectory(prefix="cds-rules-") as parent:
            copy = Path(parent) / self._folder.name
            try:
                copy_rules(self._folder, copy)
                mark = _mark(copy)
                if mark == self._state.current.mark:
                    return None
                why = self._judge(copy)
                if why:
                    return self._refuse(mark, why)
                release, pipeline = self._opens(copy)
            except (CdsError, OSError) as error:
                return self._refused(error)
        return Opened(release, pipeline, mark)

    def _refused(self, error: Exception) -> _Refused:
        if isinstance(error, RuleError):
            return self._refuse("unreadable", [str(one) for one in error.diagnostics])
        return self._refuse("unreadable", [_sentence(error)])

    def _refuse(self, mark: str, why: list[str]) -> _Refused:
        return _Refused(mark, self._now(), tuple(why[:_MOST_SAID]), len(why))

    def _put(self, opened: Opened, *, rolled_back: bool) -> None:
        """Let *opened* answer from the next request on; keep the one before it for a way back."""
        state = self._state
        if state.previous is not None and state.previous is not opened:
            state.previous.pipeline.close()
        state.previous, state.current = state.current, opened
        state.since = self._now()
        state.refused = None
        state.rolled_back = rolled_back
        state.swaps += 1
        state.answered = 0
        state.would_have_shown.clear()
        # What is alive now stays; what the old release alone held may go.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        log.info("rules_activated", release=opened.name)
        _warn_of_pending(opened.release)
        self._changed(opened.release.ruleset)

    def roll_back(self) -> bool:
        """
        Serve the release before this one; tell whether there was one.

        It stays until the files change once more. A second call goes forward again.
        """
        if self._state.previous is None:
            return False
        self._put(self._state.previous, rolled_back=not self._state.rolled_back)
        return True


def _warn_of_pending(release: Release) -> None:
    if release.pending:
        log.warning("unreviewed_rules", count=len(release.pending))


def judged(folder: Path, *, profile: str = "default") -> list[str]:
    """Let a process of its own judge the rules; one that dies or hangs is a reason against."""
    # The judge runs the program that serves, wherever that was started from.
    path = os.pathsep.join(filter(None, (str(_PROGRAM), os.environ.get("PYTHONPATH", ""))))
    try:
        done = subprocess.run(  # noqa: S603 - our own module, a folder of our own making
            [sys.executable, "-m", "cds.workshop.gate", str(folder), profile],
            capture_output=True,
            timeout=_SECONDS_TO_JUDGE,
            check=False,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        return [f"the rules could not be judged in {_SECONDS_TO_JUDGE} seconds"]
    try:
        verdict: Mapping[str, Any] = json.loads(done.stdout)
        why = [str(one) for one in verdict["why"]]
        rest = int(verdict["count"]) - len(why)
    except (ValueError, KeyError, TypeError):
        return [f"the process that judges the rules ended with {done.returncode}"]
    return [*why, *([f"and {rest} more"] if rest else [])]


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the files cannot be read: {error.strerror or type(error).__name__}"
    return str(error) if isinstance(error, NotServedError) else type(error).__name__


def _files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*.y*ml") if one.is_file())


def copy_rules(folder: Path, to: Path) -> None:
    """Copy the rule files, so that what was judged is what is served."""
    files = _files(folder)
    size = sum(one.stat().st_size for one in files)
    if len(files) > _MOST_FILES or size > _MOST_BYTES:
        raise NotServedError(f"{len(files)} files with {size} bytes are more than a release has")
    to.mkdir()
    for one in files:
        target = to / one.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(one, target)


def _mark(folder: Path) -> str:
    """Digest names and contents of the files."""
    digest = hashlib.sha256()
    for one in _files(folder):
        digest.update(str(one.relative_to(folder)).encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(one.read_bytes()).digest())
    return digest.hexdigest()[:12]
