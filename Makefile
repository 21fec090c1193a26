SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KILLS ?= 200
STAMP := $(VENV)/.stamp
# `dagster dev` advertises `dg dev`, of a package that nothing else here needs.
DG_DEV := ignore:Function `dev_command` is superseded
export DAGSTER_HOME ?= $(CURDIR)/.dagster
export DAGSTER_DISABLE_TELEMETRY := 1
# Empty, whatever it was: a test starts processes, and each would compile all of the project.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo page live test test-fast test-kafka test-object-store test-clock test-spark test-pages check ui bench fuzz faults fix docs notebooks lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## Build .venv from the lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; $$($(PYTHON) --version) found. Set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Seven gaming days through Dagster, then what was made
	@$(BIN)/lakehouse demo

page: $(STAMP) ## The page, on port 8000, until Ctrl-C; `make demo` says who signs in
	@$(BIN)/lakehouse serve

live: $(STAMP) ## Simulated events into topics, topics into the lake, and HTTP on port 8000, until Ctrl-C
	@$(BIN)/lakehouse live

ui: $(STAMP) ## The Dagster UI, with its daemon, on port 3000
	@$(BIN)/python -m igaming_assets.instance
	@PYTHONWARNINGS='$(DG_DEV)' $(BIN)/dagster dev -w workspace.yaml

# Tests wait for processes and sockets a quarter of their time: three share two cores, and six
# that many or more.
WORKERS = $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n * 3 / 2 : 6)))

test: $(STAMP) ## All tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: $(STAMP) ## The quick tests, of each subject, in less than a minute
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not slow'

check: $(STAMP) ## Lint, types, stale documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m lakehouse.serve.dictionary.documents --check

fuzz: $(STAMP) ## Ten thousand malformed landed files, as many random queries, and requests
	@$(BIN)/python -m benchmarks.fuzz
	@$(BIN)/python -m benchmarks.fuzz_sql
	@$(BIN)/python -m benchmarks.fuzz_http

faults: $(STAMP) ## Hundreds of kill -9 of commands, producers and stream workers, runs of the UI terminated; the lakes compared
	@$(BIN)/python -m benchmarks.faults
	@$(BIN)/python -m benchmarks.faults.stream
	@$(BIN)/python -m benchmarks.faults.ui

test-kafka: $(STAMP) ## A real Apache Kafka on loopback: the suite of topics, then KILLS kill -9, of it too
	@$(BIN)/python -m benchmarks.faults.broker --kills $(KILLS)

test-object-store: $(STAMP) ## A real object store (MinIO, built with Go) on loopback: commands and the store killed
	@$(BIN)/python -m benchmarks.faults.object_store
	@$(BIN)/python -m benchmarks object_store

test-clock: $(STAMP) ## Days and nights under the UI by a stepped clock (made by cc), every schedule and sensor on
	@$(BIN)/python -m benchmarks.faults.clock

test-spark: $(STAMP) ## Apache Spark (by Maven) reads a lake: its rows and sums against ours
	@$(BIN)/python -m benchmarks.spark

test-pages: $(STAMP) ## Every page in a real headless Chromium: clicks, axe, a phone, keys, roles; PAGES=--quick
	@$(BIN)/python -m benchmarks.pages.browser $(PAGES)

fix: $(STAMP) ## Format and mend what can be mended
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs: $(STAMP) ## Write the generated documents again
	@$(BIN)/python -m lakehouse.serve.dictionary.documents

notebooks: $(STAMP) ## Run both notebooks again, on four weeks made for them, or on LAKEHOUSE_ROOT
	@$(BIN)/python -m notebooks

bench: $(STAMP) ## Measure speed and memory; prints the tables of docs/benchmarks.md
	@$(BIN)/python -m benchmarks

lock: ## Resolve requirements.lock again (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --no-strip-extras -o requirements.lock

clean: ## Remove .venv; the lake stays
	@rm -rf $(VENV)
