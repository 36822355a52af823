"""
Names that others may import: said in `__all__`, there, sorted, and nothing else is taken.
"""

import ast
import importlib

import pytest

from tests.test_layers import imports_of, modules, path_of


def offered_by(module):
    """
    What may be imported from a module; from a folder its modules.
    """
    if path_of(module).name == "__init__.py" and module != "cds":
        return {one.stem for one in path_of(module).parent.glob("*.py")}
    return set(importlib.import_module(module).__all__)


WITH_EXPORTS = [one for one in modules() if not path_of(one).name.startswith("__")]


@pytest.mark.parametrize("module", WITH_EXPORTS)
def test_a_module_says_what_it_offers(module):
    """
    Every name of `__all__` exists.
    """
    found = importlib.import_module(module)

    assert [] == [name for name in found.__all__ if not hasattr(found, name)]


@pytest.mark.parametrize("module", list(modules()))
def test_only_what_is_offered_is_taken(module):
    """
    No module imports a name that another keeps to itself.
    """
    tree = ast.parse(path_of(module).read_text("utf-8"))
    taken = [
        f"{node.module}.{one.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("cds.")
        for one in node.names
        if one.name not in offered_by(node.module)
    ]

    assert [] == taken


def test_every_module_is_used():
    """
    Apart from the entries.
    """
    taken = {name for module in modules() for name in imports_of(module)}
    entries = {
        "cds.workshop.testing.pytest_plugin",
        "cds.cli.__main__",
        "cds.service.server",
        "cds.service.start",
        "cds.service.workers",
        "cds.workshop.gate",
    }

    assert [] == [one for one in WITH_EXPORTS if one not in taken | entries]
