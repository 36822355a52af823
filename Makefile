# `make run` serves, `make test` tests; both set up what they need, once.
# Wants Python 3.11, 3.12 or 3.13, make, and for the rule engine a C compiler.

HOST   ?= 127.0.0.1
PORT   ?= 8000
VENV   ?= .venv
# In which order tests run; another number shuffles them anew.
SEED   ?= 1
# The newest Python that the rule engine builds on and that really starts.
PYTHON ?= $(shell for one in python3.12 python3.11 python3 python python3.13; do \
	"$$one" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& { echo "$$one"; break; }; done)

BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check --quiet
# The engine's source calls a function that Python 3.13 no longer has.
ENGINE  = CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject $(CPPFLAGS)"

.PHONY: help setup run test check coverage bench stall docs conformance mutations nightly lock clean
.DEFAULT_GOAL := help

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: $(VENV)/.authoring  ## create .venv and install what is locked

run: setup  ## serve on HOST:PORT (127.0.0.1:8000)
	@exec env CDS_ENV=$${CDS_ENV:-development} HOST=$(HOST) PORT=$(PORT) $(BIN)/python hooks_service.py

test: $(VENV)/.dev  ## every test but the nightly ones
	$(BIN)/python -m pytest -m "not nightly" --randomly-seed=$(SEED) $(ARGS)

check: $(VENV)/.dev  ## style, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy cds hooks_service.py

coverage: $(VENV)/.dev  ## every branch of the core, the reasoning and the loader
	$(BIN)/python -m pytest -m "not nightly" tests/core tests/reasoning tests/rulefiles --cov-branch \
		--cov=cds.core --cov=cds.reasoning --cov=cds.rulefiles --cov-fail-under=100 $(ARGS)

bench: $(VENV)/.dev  ## what a request costs here
	$(BIN)/python -m tests.bench $(ARGS)

stall: $(VENV)/.dev  ## what stalled connections cost those who work
	$(BIN)/python -m tests.stall $(ARGS)

docs: setup  ## a page for each rule, in build/rules
	$(BIN)/python -m cds.cli docs --out build/rules $(ARGS)

conformance: $(VENV)/.dev  ## docs/conformance.md anew, from what tests say they show
	$(BIN)/python -m tests.conformance

mutations: $(VENV)/.dev  ## changes that must turn the tests of clauses red
	$(BIN)/python -m tests.conformance_mutations

nightly: $(VENV)/.dev  ## every test, the long ones too, in another order and with other examples
	$(BIN)/python -m pytest --hypothesis-profile=nightly $(ARGS)

LOCK = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --upgrade \
	--no-emit-index-url --no-emit-find-links --no-header --annotation-style=line
lock: $(VENV)/.dev  ## write the locked requirements anew
	$(PIP) install --require-hashes -r requirements/lock.txt
	for one in runtime build authoring dev lock; do \
		$(LOCK) -o requirements/$$one.txt requirements/$$one.in || exit 1; done

clean:  ## remove what was made here
	rm -rf $(VENV) build dist .coverage htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found; say which: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt requirements/engine.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@$(ENGINE) $(PIP) install --require-hashes --no-deps --no-build-isolation -r requirements/engine.txt \
		> $(VENV)/engine.log 2>&1 && $(BIN)/python -c 'import durable_rules_engine' >> $(VENV)/engine.log 2>&1 \
		&& echo "The rule engine is installed." \
		|| echo "The rule engine could not be installed: the reference evaluator will serve alone. Why: $(VENV)/engine.log"
	@touch $@

$(VENV)/.authoring: requirements/authoring.txt $(VENV)/.runtime
	$(PIP) install --require-hashes -r requirements/authoring.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.authoring
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
