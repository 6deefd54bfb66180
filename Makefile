# One word per verb. Everything happens inside .venv, which the first verb makes.
PYTHON ?= python3
ARGS ?=
EXTRAS ?= neural
BIN := .venv/bin
INSTALLED := .venv/installed$(if $(EXTRAS),-$(EXTRAS))

.PHONY: install demo test hold bench bench-serve bench-speed bench-ease bench-networks bench-accuracy format lint types unit docs clean

install: $(INSTALLED)  ## make .venv with zhiyin in it (EXTRAS= leaves out PyTorch)

demo: $(INSTALLED)  ## make a shop, train, compare, release and serve (ARGS=--no-serve stops before serving, EXTRAS= leaves out PyTorch)
	@$(BIN)/zhiyin demo $(ARGS)

test: format lint types unit  ## everything that must hold before a commit

format: .venv/developed
	@$(BIN)/ruff format --check --quiet . || { echo "run '.venv/bin/ruff format .'"; exit 1; }

lint: .venv/developed
	@$(BIN)/ruff check --quiet .

types: .venv/developed
	@$(BIN)/mypy

unit: .venv/developed .venv-openapi/installed
	@$(BIN)/pytest -n 2 --cov --cov-report=term:skip-covered --cov-fail-under=95 $(ARGS)

hold: .venv/developed  ## how the service holds, in full: kills, a database that goes away, full disks, fuzzers, 30 minutes of load; two hours (ONLY=killed picks one)
	@ZHIYIN_HOLD=full $(BIN)/pytest -s $(if $(ONLY),tests/holding/test_$(ONLY).py,tests/holding) $(ARGS)

bench: .venv/developed  ## speed, as printed in the README (ONLY=prepare picks one)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

docs: .venv/developed  ## write the generated pages again
	@$(BIN)/python docs/generate.py

bench-serve: .venv/developed .venv-peers/installed  ## the service under load, and how it grows: a quarter of an hour, 4 GB
	@$(BIN)/python -m benchmarks --only serve $(ARGS)
	@$(BIN)/python -m benchmarks --only serve_growth $(ARGS)

bench-speed: .venv/developed .venv-peers/installed  ## beside implicit and LAPACK, as ratios
	@$(BIN)/python -m benchmarks --only speed $(ARGS)
	@$(BIN)/python -m benchmarks --only speed_factors $(ARGS)
	@$(BIN)/python -m benchmarks --only speed_growth $(ARGS)
	@$(BIN)/python -m benchmarks --only speed_memory $(ARGS)

bench-ease: .venv/developed  ## EASE on 20,000 items beside the bare inverse: some minutes, 5 GB
	@$(BIN)/python -m benchmarks --only speed_ease $(ARGS)

bench-networks: .venv/developed .venv-rectools/installed  ## SASRec beside that of RecTools, its profile and its growth
	@$(BIN)/python -m benchmarks --only speed_networks $(ARGS)

bench-accuracy: .venv/developed  ## the published protocols (ONLY=gowalla picks one)
	@$(BIN)/python -m benchmarks.accuracy $(if $(ONLY),--only $(ONLY)) $(ARGS)

.venv-peers/installed:
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check implicit 'uvicorn[standard]'
	@touch $@

.venv-openapi/installed:
	@$(PYTHON) -m venv .venv-openapi
	@.venv-openapi/bin/python -m pip install --quiet --disable-pip-version-check 'openapi-python-client>=0.29,<0.30'
	@touch $@

.venv-rectools/installed: constraints.txt
	@$(PYTHON) -m venv .venv-rectools
	@.venv-rectools/bin/python -m pip install --quiet --disable-pip-version-check 'rectools[torch]' "$$(grep '^torch==' constraints.txt)"
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "zhiyin needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	@$(PYTHON) -m venv .venv

FRONT_END := package-lock.json $(wildcard frontend/*) $(wildcard build_backend/*)

$(INSTALLED): pyproject.toml constraints.txt $(FRONT_END) | .venv/bin/python
	@echo "installing zhiyin$(if $(EXTRAS), with $(EXTRAS)) into .venv (a minute or so, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.$(if $(EXTRAS),[$(EXTRAS)])'
	@test -e src/zhiyin/serving/dashboard/static/vendor/echarts.js || echo "the dashboard has no charts: npm could not fetch them (run 'npm ci' to see why, then 'make install')" >&2
	@touch $@

.venv/developed: $(INSTALLED) pyproject.toml constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev
	@touch $@

clean:
	@rm -rf .venv build dist node_modules src/zhiyin/serving/dashboard/static/vendor src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
