"""
Changes of one line each, every one of which turns the test of a clause red.

Which clauses is not chosen but drawn (`drawn`), so that nobody picks the easy ones.
`python -m tests.conformance_mutations` tries them all, each in a copy of its own; a change
that no test notices ends it with 1.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.contract.checklist import ROOT, read
from tests.contract.traffic import python_path

__all__ = ["MUTATIONS", "Mutation", "copied", "drawn", "status_of"]

_SEED: Final = 4
_NUMBER: Final = 20
_COPIED: Final = ("cds", "rules", "fixtures", "tests", "docs", "hooks_service.py", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One line of the product that becomes another, for the clause *id* and its test."""

    id: str
    file: str
    old: str
    new: str
    test: str

    def apply(self, folder: Path) -> None:
        """Make the change in a copy."""
        path = folder / self.file
        text = path.read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.id}: {self.file} does not hold the line once")
        path.write_text(text.replace(self.old, self.new), "utf-8")


def drawn() -> list[str]:
    """Draw clauses from all that must or should be."""
    ids = sorted(
        one.id
        for group in read("checklist")
        for one in group.items
        if one.level.startswith(("MUST", "SHOULD"))
    )
    return sorted(random.Random(_SEED).sample(ids, _NUMBER))


MUTATIONS: Final = (
    Mutation(
        "CARD-13",
        "cds/hooks/cards.py",
        '"system": profile.override_system, "display": one.display}',
        '"system": profile.override_system, "display": one.code}',
        "tests/test_cards_contract.py::test_override_reasons",
    ),
    Mutation(
        "DISC-07",
        "cds/hooks/discovery.py",
        '        "title": f"{_TITLE}, {_WHEN[hook]}",\n',
        "",
        "tests/service/test_interface.py::test_discovery_is_what_the_contract_says",
    ),
    Mutation(
        "DISC-13",
        "cds/hooks/discovery.py",
        "        codes = sorted({each for one in read for each in _codes(ruleset, search, one)})\n",
        "        codes = list({each for one in read for each in _codes(ruleset, search, one)})\n",
        "tests/hooks/test_discovery.py::test_discovery_does_not_depend_on_the_hashing_of_a_process",
    ),
    Mutation(
        "ERR-02",
        "cds/hooks/wire.py",
        "    if hook is not None and called != hook:\n",
        "    if hook is not None and called == hook + hook:\n",
        "tests/service/test_interface.py::test_a_service_answers_its_own_hook_only",
    ),
    Mutation(
        "ERR-05",
        "cds/service/app.py",
        "    if hook not in hooks_of(rules):\n",
        "    if hook in {'unknown'}:\n",
        "tests/service/test_app.py::test_what_is_not_there_is_an_outcome",
    ),
    Mutation(
        "ERR-06",
        "cds/service/refusals.py",
        "    headers = error.headers if isinstance(error, HTTPException) else None\n",
        "    headers = None\n",
        "tests/service/test_app.py::test_what_is_not_there_is_an_outcome",
    ),
    Mutation(
        "FB-02",
        "cds/hooks/feedback.py",
        "    for at, item in enumerate(items):\n",
        "    for at, item in enumerate(items[:1]):\n",
        "tests/hooks/test_feedback.py::test_several_cards_come_in_one_call",
    ),
    Mutation(
        "FB-07",
        "cds/service/app.py",
        '        said: dict[str, Any] = {"received": len(found.items)}\n',
        '        said: dict[str, Any] = {"received": str(found.items[0].card)}\n',
        "tests/service/test_feedback.py::test_an_unknown_card_is_no_news",
    ),
    Mutation(
        "HOOK-01",
        "cds/hooks/contexts.py",
        '    "order-sign": Context("1.0", (*_WHO, "draftOrders")),\n',
        '    "order-sign": Context("1.0", (*_WHO, "draftOrders", "encounterId")),\n',
        "tests/service/test_interface.py::test_the_least_context_of_every_hook_is_enough",
    ),
    Mutation(
        "HOOK-05",
        "cds/fhir/context.py",
        '        one._replace(act="ordered" if at in chosen else "background")\n',
        '        one._replace(act="ordered")\n',
        "tests/fhir/test_context.py::test_on_order_select_only_the_selected",
    ),
    Mutation(
        "HTTP-05",
        "cds/service/bodies.py",
        '_MEDIA: Final = frozenset({"", "application/json", "application/fhir+json"})\n',
        '_MEDIA: Final = frozenset({"", "application/json"})\n',
        "tests/service/test_app.py::test_json_may_be_called_by_its_names",
    ),
    Mutation(
        "LINK-03",
        "cds/rulefiles/kinds.py",
        "(?!.*[?&](?:iss|launch)=)",
        "",
        "tests/rulefiles/test_cards.py::test_what_is_wrong_with_a_card",
    ),
    Mutation(
        "LINK-07",
        "cds/rulefiles/kinds.py",
        r"(?:[/?][^\s{}]*)?",
        r"(?:[/?][^\s]*)?",
        "tests/rulefiles/test_cards.py::test_what_is_wrong_with_a_card",
    ),
    Mutation(
        "PF-23",
        "cds/fhir/bundles.py",
        "        answer.failed = answer.failed or _is_error(resource)\n",
        "        answer.failed = answer.failed\n",
        "tests/fhir/test_retrieve.py::test_an_answer_proves_absence_only_where_it_came_whole",
    ),
    Mutation(
        "PF-34",
        "cds/hooks/discovery.py",
        "        if not one.prefix:\n",
        "        if one.prefix:\n",
        "tests/hooks/test_discovery.py::test_every_code_that_is_read_is_asked_for",
    ),
    Mutation(
        "REQ-01",
        "cds/service/app.py",
        '    @app.post("/cds-services/{service}", summary="Call a service", responses=_REFUSALS)\n',
        '    @app.post("/services/{service}", summary="Call a service", responses=_REFUSALS)\n',
        "tests/service/test_interface.py::test_every_listed_service_can_be_called",
    ),
    Mutation(
        "SEC-05",
        "cds/service/tokens.py",
        '    if _text(header, "typ", most=16).upper() != "JWT":\n',
        '    if _text(header, "typ", most=16).upper() == "JWE":\n',
        "tests/service/test_tokens.py::test_every_member_of_the_header_is_needed",
    ),
    Mutation(
        "SEC-18",
        "cds/service/refusals.py",
        "        body = encode(outcome(error.status))\n",
        "        body = encode(outcome(error.status, request=str(error.reason)))\n",
        "tests/service/test_tokens.py::test_every_refusal_looks_alike",
    ),
    Mutation(
        "SEC-23",
        "cds/hooks/cards.py",
        '            written = age(days) if days is not None else ""\n',
        '            written = ""\n',
        "tests/test_cards_contract.py::test_every_input_has_its_value_date_and_age",
    ),
    Mutation(
        "SUG-06",
        "cds/hooks/suggestions.py",
        '                "description": f"{description}: {which}" if which else description,\n',
        '                "description": "",\n',
        "tests/test_cards_contract.py::test_suggestions_can_be_chosen",
    ),
)
"""One for each clause that was drawn."""


def copied(folder: Path) -> Path:
    """Copy what the tests need below *folder*."""
    there = folder / "checkout"
    there.mkdir()
    leave = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, there / name, ignore=leave)
        else:
            shutil.copy2(ROOT / name, there / name)
    return there


def status_of(folder: Path, tests: Iterable[str]) -> int:
    """Run tests in a copy; give the exit status of pytest (0 green, 1 red)."""
    environment = {key: one for key, one in os.environ.items() if key != "CONTRACT_FAULTS"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": python_path(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def main() -> int:
    """Try every change, and say what became of it."""
    unnoticed = 0
    with TemporaryDirectory() as name:
        base = copied(Path(name))
        if status_of(base, {one.test for one in MUTATIONS}) != 0:
            print("the tests are not green without a change")
            return 1
        for number, one in enumerate(MUTATIONS):
            there = Path(name) / str(number)
            shutil.copytree(base, there)
            one.apply(there)
            red = status_of(there, [one.test]) == 1
            print(f"{'red       ' if red else 'NOT NOTICED'} {one.id} {one.test}", flush=True)
            unnoticed += not red
            shutil.rmtree(there)
    return int(unnoticed > 0)


if __name__ == "__main__":
    sys.exit(main())
