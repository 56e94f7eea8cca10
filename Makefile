SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON  ?= python3
PROFILE ?= laptop
JOBS    ?= 2
PORT    ?= 8000
EXAMPLES ?= 1000
BIN     := .venv/bin

.PHONY: help book test faults fuzz reproduce pages pdf lint lock serve clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

book: .venv/.installed ## build the book; PROFILE=smoke|laptop|wide|full, JOBS=2
	$(BIN)/swta build --profile $(PROFILE) --jobs $(JOBS)

test: .venv/.installed ## run the tests with coverage
	$(BIN)/pytest --cov --cov-report=term --cov-fail-under=90

faults: .venv/.installed ## kill, starve and damage everything and see the next run succeed
	$(BIN)/pytest -m faults --no-cov

fuzz: .venv/.installed ## made-up values and damaged files; EXAMPLES=1000 of each kind
	SWTA_FUZZ=$(EXAMPLES) $(BIN)/pytest -m fuzz --no-cov --timeout=0

reproduce: .venv/.installed ## build the committed book twice and compare; PROFILE=smoke
	$(BIN)/swta reproduce --profile $(if $(filter file,$(origin PROFILE)),smoke,$(PROFILE)) --jobs $(JOBS)

pages: .venv/.installed ## open every page of the built book in Chromium and check it
	$(BIN)/pytest tests/test_pages.py tests/test_accessibility.py tests/test_playground.py tests/test_citations.py tests/test_launch.py tests/test_pdf.py --no-cov

pdf: .venv/.installed ## print the built book to _build/html/pdf; CHROMIUM=path
	$(BIN)/swta pdf

lint: .venv/.installed ## check style, types and pairing
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_pairs.py --no-cov

# The lock names no index: packages come from the one that pip is configured for.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "Python 3.11 to 3.13 is needed, found " + sys.version.split()[0] + "; set PYTHON=python3.11")'
	@echo "Making .venv from requirements.lock (some minutes, several GB with CUDA libraries on Linux)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --progress-bar on --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check --disable-pip-version-check
	touch $@

lock: ## resolve requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra test --extra cluster \
	  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock' \
	  --output-file requirements.lock

serve: ## serve _build/html on localhost; PORT=8000
	$(PYTHON) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

clean: ## remove what the build made; .venv stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
