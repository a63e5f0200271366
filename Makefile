# make demo : set up, run the main job on a patient that is known, print where the report is
# make test : set up, run the whole test suite
# make check: lint, types, layers

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pyradiomics 3.0.1 needs numpy at build time and, on Python 3.12+, a parser name that was removed there.
# Absolute, as pip builds in a folder of its own.
PYRADIOMICS_BUILD := $(CURDIR)/tools/pyradiomics_build

.PHONY: demo test check format benchmark clean

demo: $(VENV)/ready
	$(BIN)/bonequant demo --out demo-report --overwrite

test: $(VENV)/ready
	$(BIN)/python -m pytest -n 2 --dist loadfile Testing

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --editable ".[all,dev,benchmark]"
	$(BIN)/python -m benchmarks

$(VENV)/ready: pyproject.toml $(PYRADIOMICS_BUILD)/sitecustomize.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet numpy "setuptools<80" cython versioneer wheel
	PYTHONPATH=$(PYRADIOMICS_BUILD) $(BIN)/python -m pip install --quiet --no-build-isolation "pyradiomics==3.0.1"
	$(BIN)/python -m pip install --quiet --editable ".[all,dev]"
	touch $@

clean:
	rm -rf $(VENV) demo-report
