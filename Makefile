# Everything a person does with this repository. `make` alone lists it.
#
# The virtual environment is made when it is missing, filled again when a lock changed, and made anew when its Python is
# gone (after an upgrade of the system). The marker files in it say what was done, and when.

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
WORKERS ?= 2
CYCLES ?= 200
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# What stands in .venv cannot run: as good as no .venv.
ifneq ($(wildcard $(VENV)),)
ifneq ($(shell $(BIN)/python -c 'print("runs")' 2>/dev/null),runs)
BROKEN := broken-venv
endif
endif

.PHONY: help run test check fmt bench crash screens lock clean broken-venv

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name text; do
		printf '  make %-7s %s\n' "$$name" "$$text"
	done

run: $(VENV)/.run ## Run the simulated centre on http://127.0.0.1:8080/simulator (ARGS="--port 9000")
	@exec $(BIN)/nucuoi run $(ARGS)

test: $(VENV)/.dev ## Run all tests (WORKERS=4, ARGS="-k panel")
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/.dev ## Style, types and the direction of imports: ruff, mypy --strict, import-linter
	@failed=()
	look() { echo "check: $$*"; "$(BIN)/$$@" || failed+=("$$1"); }
	look ruff check .
	look ruff format --check .
	look mypy
	look lint-imports
	[ $${#failed[@]} = 0 ] || { echo "check: not good: $${failed[*]}" >&2; exit 1; }

fmt: $(VENV)/.dev ## Format the code, and mend what ruff can mend
	@$(BIN)/ruff check --fix . || true
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Measure, each figure against a floor of the same run
	@exec $(BIN)/python tests/bench/run.py $(ARGS)

crash: $(VENV)/.dev ## Kill the node at random, and by the power-loss model, and count again (CYCLES=200)
	@exec $(BIN)/python tests/crash/run.py --cycles $(CYCLES) $(ARGS)

screens: $(VENV)/.dev ## Take the pictures of docs/screens.md again, with Debian's Chromium
	@$(BIN)/python tests/browser/screens.py $(ARGS)
	$(BIN)/python tests/browser/city_screens.py

lock: $(VENV)/.run ## Write both locks anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(BIN)/python -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	compile=($(VENV)/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 $(ARGS) pyproject.toml)
	"$${compile[@]}" --extra build --output-file requirements.lock >/dev/null
	"$${compile[@]}" --extra build --extra dev --constraints requirements.lock --output-file requirements-dev.lock >/dev/null
	echo 'lock: requirements.lock and requirements-dev.lock are up to date; now make check test'

clean: ## Remove .venv and every cache; the data in ./var stays
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python: $(BROKEN)
	@case "$$('$(PYTHON)' -c 'import sys; print(sys.version_info >= (3, 11))' || true)" in
	True) ;;
	False)
		echo "Python 3.11 or later is needed, and $(PYTHON) is $$('$(PYTHON)' -V). Where a newer one is installed, name it:" >&2
		echo '    make PYTHON=python3.13 $(MAKECMDGOALS)' >&2
		exit 1 ;;
	*)
		echo 'Python 3.11 or later is needed, and $(PYTHON) does not run. Type:' >&2
		echo '    sudo apt-get install python3' >&2
		exit 1 ;;
	esac
	# Debian keeps what fills a virtual environment with pip in a package of its own.
	if ! '$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null; then
		package=$$('$(PYTHON)' -c 'import sys; print("python{}.{}-venv".format(*sys.version_info))')
		as_root=()
		[ "$$(id -u)" = 0 ] || as_root=(sudo)
		echo "setup: Debian's $$package is missing; installing it"
		if ! { command -v apt-get "$${as_root[@]}" >/dev/null &&
				"$${as_root[@]}" apt-get update -qq &&
				"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$package" >/dev/null; }; then
			echo "$$package could not be installed. Ask whoever has the rights on this computer to type:" >&2
			echo "    apt-get update && apt-get install $$package" >&2
			exit 1
		fi
	fi
	echo "setup: virtual environment $(VENV) ($$('$(PYTHON)' -V))"
	'$(PYTHON)' -m venv $(if $(BROKEN),--clear) $(VENV)
	touch $@

$(VENV)/.run: $(VENV)/.python requirements.lock pyproject.toml
	@echo 'setup: the packages of requirements.lock, each checked against its hash (a minute or two)'
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo 'setup: the development tools of requirements-dev.lock'
	$(PIP) install --require-hashes -r requirements-dev.lock
	touch $@
