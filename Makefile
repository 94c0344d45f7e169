# Each target does all of its own set-up: Python 3.11 to 3.13, pip and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint requirements.lock
# On all cores, where pip uses one. What no Python 3 can compile, as some packages ship, is left out.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true

.PHONY: demo test lint format docs bench ui lock clean

demo: $(VENV)/.demo  ## train on the embedded corpus, and say what was found
	$(BIN)/mmray corpus demo/corpus
	$(BIN)/python workflows/fusion.py workflows/configs/quickstart.yaml

test: lint  ## lint, types, import contracts and all tests
	$(BIN)/python -m pytest -m "not gpu" --numprocesses=2 --dist=loadgroup

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs  ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.dev  ## every measured claim
	$(BIN)/mmray bench features
	$(BIN)/mmray bench training
	$(BIN)/mmray bench extraction

ui: $(VENV)/.demo  ## browse the demo's runs on http://127.0.0.1:5000
	$(BIN)/mmray ui workflows/configs/quickstart.yaml

lock: $(VENV)/.dev  ## resolve pyproject.toml anew; torch stays where a CPU build exists
	$(BIN)/pip-compile --quiet --extra dev --extra cluster --extra docs --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --upgrade --upgrade-package torch==2.13.0 --output-file requirements.lock pyproject.toml
	sed -i 's/+cpu//' requirements.lock

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml requirements.lock
	$(PIP) --editable .
	$(COMPILE)
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml requirements.lock
	$(PIP) --editable '.[dev,cluster]'
	$(COMPILE)
	touch $@ $(VENV)/.demo

$(VENV)/.docs: $(VENV)/.python pyproject.toml requirements.lock
	$(PIP) --editable '.[docs]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) site build *.egg-info
