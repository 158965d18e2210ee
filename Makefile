# Everything starts from Python 3.11+ and make alone: the first target that needs it builds `.venv` from the lock file.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SOURCES := tallystick service consumers adapters simulators

.DEFAULT_GOAL := help
.PHONY: help demo run test unit lint proto lock bench live clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@echo "Preparing .venv (once, from requirements.lock) …"
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Tallystick needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY) ## Run Monday, nine o'clock on real Kafka and real PostgreSQL
	@$(BIN)/tallystick demo

run: $(READY) ## Run the whole product on this machine (DATA=dir keeps its data)
	@$(BIN)/tallystick run --data $(or $(DATA),.data)

test: $(READY) lint ## Run every check and every test
	@$(BIN)/python -m pytest

unit: $(READY) ## Run the tests that need no server
	@$(BIN)/python -m pytest tests/unit tests/conformance tests/tidy

lint: $(READY) ## Check style, types, the arrows between packages and the protos
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.proto --check

proto: $(READY) ## Generate tallystick/v1 from proto/
	@$(BIN)/python -m tools.proto

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 --no-emit-index-url -q -o requirements.lock

bench: $(READY) ## Measure speed and memory, as ratios within one run
	@$(BIN)/python -m bench

live: $(READY) ## Run the adapter suites against real software (TALLYSTICK_LIVE_ODOO, TALLYSTICK_LIVE_WOOCOMMERCE)
	@$(BIN)/python -m pytest -m live

clean: ## Remove what make built
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
