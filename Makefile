# Two commands: `make run` opens the page, `make test` runs every check. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt
# Two processes, a file of tests in one of them, so that what a file shares is made once. Browsers and clocks come after.
# One thread each for the matrix products: with two, four threads wait for one another on two cores (66 s, 126 s in one
# process, for tests/qa, the readers and the commands).
TWO := -n 2 --dist loadfile
ALONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: run test fast check clean

run: $(VENV)/.run
	$(BIN)/python app.py

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(ALONE) $(BIN)/python -m pytest $(TWO) -m "not browser and not serial"
	$(BIN)/python -m pytest -m "browser or serial"

# What one runs between edits: everything but the slow and the browser tests.
fast: $(VENV)/.test
	$(BIN)/ruff check .
	$(ALONE) $(BIN)/python -m pytest $(TWO) -m "not slow and not browser and not serial"

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
