"""What the tests of proofs have at hand."""

import pytest

from cds.proofs.prover import Proofs
from tests.reasoning.release import Release


@pytest.fixture
def release(tmp_path):
    """Give a folder with a few concepts and no rules."""
    return Release(tmp_path)


@pytest.fixture
def asked(release):
    """Give conditions by name, as they are loaded, and what can be proved of them."""

    def ask(heads="", **clauses):
        for name, text in clauses.items():
            release.condition(name, f"{heads}holds_if: {text}\n")
        rules = release.load()
        return Proofs(rules), *(rules.conditions[name].holds_if for name in clauses)

    return ask
