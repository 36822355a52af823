"""
The floors and fences of the house: who may import whom.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOOR = {
    "core": 0,
    "errors": 0,
    "rulefiles": 1,
    "reasoning": 1,
    "fhir": 1,
    "hooks": 1,
    "proofs": 1,
    "service": 2,
    "workshop": 2,
    "cli": 3,
}
SERVICE_AND_CLI = {"cds.service", "cds.cli"}
FENCE = {
    "durable": set(),
    "durable_rules_engine": {"cds.reasoning.engine"},
    "cryptography": {"cds.service.keys", "cds.cli.client"},
    "fastapi": {"cds.service.app"},
    "fhir": {"cds.fhir"},
    "fhir_core": {"cds.fhir"},
    "httpcore2": {"cds.service.outbound"},
    "httpx2": {"cds.service", "cds.cli.client"},
    "jwt": {"cds.service.keys", "cds.service.tokens", "cds.cli.client"},
    "lsprotocol": {"cds.cli.lsp"},
    "msgspec": {"cds.hooks.strict", "cds.cli.run"},
    "pydantic": {
        "cds.cli.client",
        "cds.hooks.wire",
        "cds.rulefiles.shapes",
        "cds.service.clients",
        "cds.service.faults",
        "cds.service.settings",
    },
    "pydantic_settings": {"cds.service.settings"},
    "pygls": {"cds.cli.lsp"},
    "pytest": {"cds.workshop.testing.pytest_plugin"},
    "rich": {"cds.cli", "cds.workshop"},
    "sqlalchemy": {"cds.service"},
    "starlette": {
        "cds.service.app",
        "cds.service.bodies",
        "cds.service.cors",
        "cds.service.refusals",
    },
    "structlog": SERVICE_AND_CLI,
    "typer": {"cds.cli", "cds.workshop"},
    "uvicorn": {"cds.service.receiving", "cds.service.server", "cds.service.workers"},
    "yaml": {"cds.rulefiles.source"},
}
STANDARD_ONLY = {"core", "errors", "proofs", "reasoning"}


def modules():
    """
    Every module of the package, by its name.
    """
    for path in sorted((ROOT / "cds").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def path_of(module):
    """
    Where a module is.
    """
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports_of(module):
    """
    Every name that a module imports, wherever in its text.
    """
    for node in ast.walk(ast.parse(path_of(module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written out, so that one can search for them"
            yield node.module


def folder_of(module):
    """
    The part of the house: `cds.fhir.extract` is in `fhir`.
    """
    return module.split(".")[1] if "." in module else ""


def is_within(module, places):
    """
    Tell whether a module is one of the places, or inside one.
    """
    return any(module == one or module.startswith(f"{one}.") for one in places)


def is_allowed(module, name):
    """
    Tell whether a module may import a name.
    """
    top = name.split(".")[0]
    if top != "cds":
        return top not in FENCE or is_within(module, FENCE[top])
    here, there = folder_of(module), folder_of(name)
    return not there or here == there or FLOOR[there] < FLOOR[here]


@pytest.mark.parametrize("module", list(modules()))
def test_a_module_imports_only_downwards(module):
    """
    Lower floors never learn about higher ones, nor neighbours about each other.
    """
    assert [] == [name for name in imports_of(module) if not is_allowed(module, name)]


@pytest.mark.parametrize("module", [one for one in modules() if folder_of(one) in STANDARD_ONLY])
def test_the_core_needs_nothing_but_the_standard_library(module):
    """
    Besides the engine, in the one module that drives it.
    """
    import sys  # noqa: PLC0415 - only here

    allowed = {"cds", "durable_rules_engine", *sys.stdlib_module_names}

    assert [] == [name for name in imports_of(module) if name.split(".")[0] not in allowed]


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("cds.core.truth", "cds.errors", False),
        ("cds.hooks.cards", "cds.core.rules", True),
        ("cds.hooks.cards", "cds.fhir.extract", False),
        ("cds.proofs.prover", "cds.rulefiles.loader", False),
        ("cds.workshop.checks.checking", "cds.proofs.prover", True),
        ("cds.hooks.cards", "cds.hooks.wire", True),
        ("cds.service.pipeline", "cds.fhir.extract", True),
        ("cds.service.pipeline", "cds.workshop.testing.cases", False),
        ("cds.cli.run", "cds.service.pipeline", True),
        ("cds.fhir.drafts", "fhir.resources.R4B.observation", True),
        ("cds.hooks.cards", "fhir.resources", False),
        ("cds.reasoning.compile", "durable_rules_engine", False),
        ("cds.reasoning.engine", "durable.lang", False),
        ("cds.core.truth", "decimal", True),
    ],
)
def test_the_rule_itself(module, name, expected):
    """
    So that it can fail.
    """
    assert expected == is_allowed(module, name)


RUNS_CODE = {"eval", "exec", "compile", "__import__", "import_module", "run_path", "loads"}


@pytest.mark.parametrize("module", list(modules()))
def test_no_text_becomes_code(module):
    """
    Nothing that a rule file or a request says is run, imported or unpickled (T51).
    """
    found = []
    for node in ast.walk(ast.parse(path_of(module).read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func
            whole = ast.unparse(name)
            last = name.attr if isinstance(name, ast.Attribute) else whole
            if last in RUNS_CODE and whole not in {"re.compile", "json.loads"}:
                found.append(f"{whole} in line {node.lineno}")

    assert [] == found
