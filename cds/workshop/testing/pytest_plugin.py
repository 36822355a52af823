"""
Cases of rule files as pytest items: `pytest rules/` collects one for each case.

What belongs together is the folder with `release.yaml` in it; its rules are read once.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

__all__ = ["CaseItem", "RuleFile", "pytest_collect_file"]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> RuleFile | None:
    """Take the `.yaml` files below a folder of rules; leave all others alone."""
    if file_path.suffix != ".yaml":
        return None
    folder = next((one for one in file_path.parents if (one / "release.yaml").is_file()), None)
    if folder is None:
        return None
    return RuleFile.from_parent(parent, path=file_path, folder=folder)


class RuleFile(pytest.File):
    """A rule file; without cases it collects nothing."""

    def __init__(self, *, folder: Path, **more: Any) -> None:
        super().__init__(**more)
        self.folder = folder

    def collect(self) -> Iterable[CaseItem]:
        """Give the cases of this file."""
        from cds.workshop.testing.cases import cases_of  # noqa: PLC0415 - not for every run of pytest

        lab = _lab_of(self.config, self.folder)
        path = f"{self.folder.name}/{self.path.relative_to(self.folder).as_posix()}"
        for rule, case in cases_of(lab.rules):
            if rule.place.path == path:
                yield CaseItem.from_parent(self, name=case.name, rule=rule, case=case, lab=lab)


class CaseItem(pytest.Item):
    """One case: it fails with its differences, and may fail while it is still to be done."""

    def __init__(self, *, rule: Any, case: Any, lab: Any, **more: Any) -> None:
        super().__init__(**more)
        self._rule = rule
        self._case = case
        self._lab = lab
        if case.todo:
            self.add_marker(pytest.mark.xfail(reason="still to be done", strict=False))

    def runtest(self) -> None:
        """Run the case by both evaluators."""
        from cds.workshop.testing.reports import one_case  # noqa: PLC0415 - not for every run of pytest
        from cds.workshop.testing.running import run_case  # noqa: PLC0415

        result = run_case(self._lab, self._rule, self._case)
        if result.differences:
            raise CaseFailed(one_case(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Write what differs, and nothing of our own frames."""
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the case stands."""
        return self.path, self._case.place.line - 1, f"{self._rule.id}: {self.name}"


class CaseFailed(Exception):
    """A case differs; the message is its report."""


_LABS = pytest.StashKey[dict[Path, Any]]()


def _lab_of(config: pytest.Config, folder: Path) -> Any:
    """Open the lab of a folder once for the whole run."""
    from cds.workshop.testing.lab import Lab  # noqa: PLC0415 - not for every run of pytest
    from cds.workshop.testing.running import usable  # noqa: PLC0415

    labs = config.stash.setdefault(_LABS, {})
    if folder not in labs:
        labs[folder] = lab = Lab(usable(folder))
        config.add_cleanup(lab.close)
    return labs[folder]
