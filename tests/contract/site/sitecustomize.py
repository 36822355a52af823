"""
Watch the application in a process that a test has started (`tests.contract.traffic`).

Python imports this at its start where the folder is on its path. Nothing happens before
the application itself is imported.
"""

import importlib.util
import os
import sys
from pathlib import Path

_MODULE = "cds.service.frame"
_ROOT = str(Path(__file__).resolve().parents[3])


class _Finder:
    """Finds one module as usual, and has its application watched."""

    def find_spec(self, name, path=None, target=None):
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        executes = spec.loader.exec_module

        def exec_module(module):
            executes(module)
            _watch(module)

        spec.loader.exec_module = exec_module
        return spec


def _watch(module):
    # The checkout last, and only now: the process may serve another copy.
    sys.path.append(_ROOT)
    try:
        from tests.contract.traffic import FILE, Watch  # noqa: PLC0415 - found only here
    finally:
        sys.path.remove(_ROOT)
    Watch(file=Path(os.environ[FILE])).install(module.Frame)


if os.environ.get("CONTRACT_FAULTS"):
    sys.meta_path.insert(0, _Finder())
