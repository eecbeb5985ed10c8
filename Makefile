# Two commands: `make run` opens the page, `make test` runs every check. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt

.PHONY: run test fast check clean

run: $(VENV)/.run
	$(BIN)/python app.py

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

# What one runs between edits: everything but the slow and the browser tests.
fast: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -m "not slow and not browser"

$(VENV)/.run: $(INPUTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test,milvus,ocr]"
	touch $@

clean:
	rm -rf build dist *.egg-info
