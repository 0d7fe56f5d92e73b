# Everything needs only Python 3.11 or newer and make: `setup` brings the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# One thing at a time, also under -j: the order of the checks is part of their meaning.
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

# The interpreter to set up with; empty means the first suitable one on PATH.
PYTHON ?=
# How many seeds soak plays.
SEEDS ?= 1000
# The git reference of the version before, for upgrade-check.
FROM ?=
# Further arguments of test, soak and bench: make test ARGS="-k router -x"
ARGS ?=

PY := .venv/bin/python
PYTHONS := $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11)
# True once setup has succeeded: down, clean and status have nothing to do before.
IS_SET_UP := test -e .local/setup.stamp -a -x $(PY)

.PHONY: help setup lock up down clean status demo test check format format-check lint types layers \
	generate generate-check bench sizing soak pages pages-check screenshots images compose compose-down \
	kube-check brokers-check upgrade-check

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## Install uv and every package; skipped when nothing changed
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec "$$python" deploy/local/bootstrap.py; \
		fi; \
	done; \
	echo "rondo: no Python 3.11 or newer found: install one, or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1

lock: ## Write requirements.lock anew, after a change of dependencies
	@.local/uv/bin/python deploy/local/bootstrap.py lock

up: pages ## Start what is down; ROUTERS=3, GATEWAYS, NOTIFIERS, HISTORIES, LIVE_METRICS, BROKERS; SECURE=1
	@$(PY) -m rondo_local up

down: ## Stop everything; the data stays
	@if $(IS_SET_UP); then $(PY) -m rondo_local down; else echo "Rondo is down"; fi

clean: ## Stop everything and delete the data; downloads stay
	@if $(IS_SET_UP); then $(PY) -m rondo_local clean; else echo "There is no data"; fi

status: ## Show every process of the stack
	@if $(IS_SET_UP); then $(PY) -m rondo_local status; else echo "Rondo is down"; fi

demo: up ## Start the stack and play one conversation
	@$(PY) -m rondo_local demo

test: pages ## Run every test; ARGS="-k name" for some
	@$(PY) -m pytest $(ARGS)

soak: setup ## Simulate routers over SEEDS=1000 bad weeks
	@RONDO_SEEDS=$(SEEDS) $(PY) -m pytest tests/router/test_simulation.py --quiet $(ARGS)

pages: setup ## Build the pages for browsers; skipped when nothing changed
	@$(PY) -m rondo_local pages

screenshots: pages ## Take the guides' pictures anew, of the pages as they are
	@RONDO_SCREENSHOTS=docs/pictures $(PY) -m pytest tests/web/test_pictures.py tests/e2e/console/test_console_for_everyone.py --quiet $(ARGS)

pages-check: setup ## Check the style and types of the pages, and run their tests
	@$(PY) -m rondo_local pages check

images: setup ## Build an image a service: docker, podman or buildah (ENGINE, BASE, IMAGES, TAG)
	@ENGINE="$(ENGINE)" BASE="$(BASE)" IMAGES="$(IMAGES)" TAG="$(TAG)" REVISION="$(REVISION)" $(PY) -m rondo_local images

compose: setup ## Run all of it in containers, from official images and those of make images
	@$(PY) -m rondo_local compose up

compose-down: setup ## Stop the containers; the data stays
	@$(PY) -m rondo_local compose down

kube-check: setup ## Try the chart at a real API server, at KUBEBUILDER_ASSETS
	@$(PY) -m pytest tests/deploy/kube_check.py $(ARGS)

brokers-check: pages ## Lose each of three brokers and replace every process, under load
	@$(PY) -m pytest tests/e2e_brokers/brokers_check.py $(ARGS)

upgrade-check: setup ## Run the version of FROM=<git reference> and this one side by side, under load
	@$(PY) -m tests.upgrade $(FROM)

check: format-check lint types layers generate-check pages-check test ## Run all that a change must pass

format: setup ## Format the code and sort its imports
	@$(PY) -m ruff check --select I --fix --quiet
	@$(PY) -m ruff format
	@$(PY) -m rondo_local pages format

format-check: setup ## Check the formatting
	@$(PY) -m ruff format --check

lint: format-check ## Check style and formatting
	@$(PY) -m ruff check

types: setup ## Check types strictly, tests included
	@$(PY) -m mypy

layers: setup ## Check that imports respect the layers
	@.venv/bin/lint-imports

generate: setup ## Write the generated files anew
	@$(PY) docs/generate.py

generate-check: setup ## Check that the generated files are fresh
	@$(PY) docs/generate.py --check

sizing: up ## Measure processor, memory and disk of chats and of streams, by process
	@$(PY) -m rondo_bench.sizing

bench: up ## Measure throughput and latency beside the raw limits
	@$(PY) -m rondo_bench $(ARGS)
