"""
Rules that were loaded before are not loaded again: loading is most of what many tests do.

Both wrap the loader of this process only, and only where the same bytes would be read the
same way; processes that tests start read for themselves.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from cds.rulefiles import loader, source
from cds.rulefiles.diagnostics import Report

__all__ = ["load_shipped_rules_once", "read_files_once"]

_RULES: Final = Path(__file__).resolve().parent.parent / "rules"


def read_files_once() -> None:
    """
    Have a file that reads as before give the nodes of before, as one `Memory` does.

    Thousands of tests load a folder of which they change one file.
    """
    reads = source._read_bytes

    @lru_cache(maxsize=4096)
    def known(name: str, raw: bytes, _by: Any) -> Any:
        report = Report()
        return *reads(name, raw, report), report.sorted()

    def read(name: str, raw: bytes, report: Report) -> Any:
        found, root, diagnostics = known(name, raw, source._Loader)
        report.extend(diagnostics)
        return found, root

    source._read_bytes = read


def load_shipped_rules_once() -> None:
    """
    Have the shipped rules, wherever a copy of them stands, give what they gave before.

    Nothing that was loaded is ever changed, so it can be shared.
    """
    runs = loader._Load.run
    known: dict[str, loader.Loaded] = {}

    def run(load: Any, buffers: Any, memory: Any) -> loader.Loaded:
        if buffers or memory is not None or not _is_shipped(load.folder):
            return runs(load, buffers, memory)
        if load.chosen not in known:
            known[load.chosen] = runs(load, buffers, memory)
        return known[load.chosen]

    loader._Load.run = run  # type: ignore[method-assign]


def _is_shipped(folder: Path) -> bool:
    shipped = _shipped()
    found = sorted(folder.rglob("*.y*ml"))
    return (
        folder.name == _RULES.name
        and len(found) == len(shipped)
        and all(
            one.is_file() and (str(one.relative_to(folder)), one.read_bytes()) == before
            for one, before in zip(found, shipped, strict=True)
        )
    )


@cache
def _shipped() -> list[tuple[str, bytes]]:
    """Give the names and the bytes of the shipped rules."""
    return [
        (str(one.relative_to(_RULES)), one.read_bytes()) for one in sorted(_RULES.rglob("*.y*ml"))
    ]
