# Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench faults mutants mutants-kit histories docs release release-check clean

demo: .venv/.installed
	$(BIN)/tollbridge demo

test: .venv/.installed-dev
	$(BIN)/pytest --numprocesses auto

lint: .venv/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Known faults of other billing systems, put into a copy one by one: each must make its tests fail.
faults: .venv/.installed-dev
	$(BIN)/python -m tests.faults

# Small changes, one by one: which of them does no test notice? For one module: make mutants OF=rules/overdue
OF ?= rules ledger jobs
mutants: .venv/.installed-dev
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[mutants]'
	rm -rf .mutants && mkdir .mutants
	cp -RL core .mutants/src && cp -RL plugins tests pyproject.toml .mutants
	echo 'only_mutate = [$(foreach part,$(OF),"src/tollbridge/$(part)*",)]' >> .mutants/pyproject.toml
	echo 'pytest_add_cli_args_test_selection = [$(foreach part,$(OF),"tests/$(firstword $(subst /, ,$(part)))",)]' \
		>> .mutants/pyproject.toml
	cd .mutants && nice ../$(BIN)/mutmut run --max-children 1
	cd .mutants && ../$(BIN)/mutmut results

# Fifty faults put around an adapter, one by one: which of them does the conformance kit miss? For one of your own:
# make mutants-kit OF=tests/test_acme.py
mutants-kit: OF = tests/memory/test_memory_conformance.py::TestMemoryBillingInSteps .several_calls/tests
mutants-kit: .venv/.installed-dev
	rm -rf .several_calls && $(BIN)/tollbridge new-adapter acme --several-calls --folder .several_calls
	$(BIN)/python -m tollbridge.conformance.mutants $(OF)

# Histories of a whole company, drawn at random: make histories N=10000
N ?= 100
histories: .venv/.installed-dev
	TOLLBRIDGE_HISTORIES=$(N) $(BIN)/pytest tests/histories

bench: .venv/.installed-dev
	$(BIN)/python -m benchmarks

# The documentation as a site, in site/; a link that leads nowhere is an error.
docs: .venv/.installed-docs
	rm -rf site
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --conf-dir docs . site -d .doctrees

# Wheel, sdist and bill of materials, in dist/
release: .venv/.installed-release
	$(BIN)/python -m release.build

# The same, and then proved in an environment of its own
release-check: release
	$(BIN)/python -m release.check

clean:
	rm -rf site dist .doctrees .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .mutants \
		.several_calls

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/.installed-dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@ .venv/.installed

.venv/.installed-docs .venv/.installed-release: .venv/.installed-%: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	touch $@
