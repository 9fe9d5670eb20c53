# One command per habit. `make` alone lists them.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo next test test-thorough test-faults test-soak test-upgrade test-year test-native stress bench bench-extract bench-wide bench-tables bench-parity bench-maintenance bench-binlog bench-dashboards bench-observe bench-search lint lint-dashboards format lock lock-superset up down clean

PYTHON     ?= python3.11
UV_VERSION := 0.13.9
CACHE      := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/shoplake
OUR_UV     := $(CACHE)/uv/bin/uv
# The machine's uv where it has a working one, else one of our own in the cache folder.
UV         := $(or $(shell uv --version >/dev/null 2>&1 && command -v uv),$(OUR_UV))
export UV
BIN        := .venv/bin
STATE      := $(or $(LAKE_HOME),.lake)

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.complete  ## make the environment and fetch the servers; needs a network once
	@$(BIN)/lake install

demo: setup  ## from nothing to a published lake and a report; LAKE_SHOP_SERVER=mysql puts the shop on MySQL
	$(BIN)/lake up
	$(BIN)/lake shop load
	$(BIN)/lake run
	$(BIN)/lake report open
	@$(MAKE) --no-print-directory next

# Works as printed in a shell that knows nothing of the environment. The ports and the server of the shop are remembered.
LAKE := $(if $(LAKE_HOME),LAKE_HOME=$(LAKE_HOME) )$(BIN)/lake
next:
	@printf '%s\n' '' 'What to type next, in $(CURDIR):' \
	  '  $(LAKE) sql "select * from marts.daily_revenue order by 1 desc limit 7"' \
	  '  $(LAKE) shop tick --orders 500 && $(LAKE) run' \
	  '  $(LAKE) receipts' \
	  '  $(LAKE) status' \
	  '`source $(BIN)/activate` lets this shell know `lake` by its name; `make down` stops the services.'

test: setup lint  ## run the tests on services of their own; what is for both database servers, on one of them each
	LAKE_TEST_REDUCED=1 $(BIN)/python -m pytest

test-thorough: setup  ## run all tests, on both database servers; takes twice as long
	$(BIN)/python -m pytest

test-faults: setup  ## strike every fault and write docs/reliability.md; takes more than an hour
	WRITE_RELIABILITY_PAGE=1 $(BIN)/python -m pytest tests -m fault
	$(BIN)/python -m pytest tests/properties -m "slow or not slow"

test-soak: setup  ## run back to back while the shop lives, proven by a replica of its own: minutes=30 rate=20
	LAKE_SOAK_MINUTES=$(or $(minutes),30) LAKE_SOAK_RATE=$(or $(rate),20) $(BIN)/python -m pytest tests/end_to_end/test_soak.py -rP

test-upgrade: setup  ## let the last release make a lake, and go on with it; about ten minutes
	$(BIN)/python -m pytest tests/upgrade -m slow

test-year: setup  ## let a small shop live for a year, a run a day; up to an hour: server=mysql days=365 seed=20250101
	LAKE_YEAR_DAYS=$(or $(days),365) LAKE_YEAR_SEED=$(or $(seed),20250101) \
	  $(BIN)/python -m pytest tests/year -m slow -k $(or $(server),mariadb) -s

stress: setup  ## let every alert fire, on real faults, and write the table of docs/monitoring.md; twenty minutes
	WRITE_MONITORING_TABLE=1 $(BIN)/python -m pytest tests/stress -m "slow or not slow" -s

test-native: export CARGO_TARGET_DIR = $(CACHE)/build/mysql-arrow-tests
test-native:  ## check and test the reader's Rust; apart from `make test`, because compiling it takes minutes
	cd native && cargo fmt --check
	cd native && cargo clippy --locked --all-targets --features python -- --deny warnings
	cd native && cargo test --locked

bench: setup  ## measure full and incremental runs: scale=1 rounds=1
	$(BIN)/python -m benchmarks --scale $(or $(scale),1) --rounds $(or $(rounds),1)

bench-extract: setup  ## measure readers: rows=6000000 rounds=3 promotions=1 server=mariadb|mysql
	$(BIN)/python -m benchmarks.extract --rows $(or $(rows),6000000) --rounds $(or $(rounds),3) $(if $(promotions),--promotions) $(if $(server),--server $(server))

bench-wide: setup  ## measure increments of tables of 5, 60 and 500 columns, beside each other
	$(BIN)/python -m benchmarks.wide

bench-tables: setup  ## measure runs over hundreds of tables, on a platform of its own: tables=1000 server=mariadb|mysql runs=200
	$(BIN)/python -m benchmarks.tables --tables $(or $(tables),1000) --server $(or $(server),mariadb) --runs $(or $(runs),0)

bench-parity: setup  ## measure a sweep beside one plain sum: url=mysql://root:password@host:port/database rows=10000000
	$(BIN)/python -m benchmarks.parity $(url) --rows $(or $(rows),10000000) --rounds $(or $(rounds),3)

bench-maintenance: setup  ## measure a table after increments and maintenance: rows=200000 increments=300 hours=24
	$(BIN)/python -m benchmarks.maintenance --rows $(or $(rows),200000) --increments $(or $(increments),300) --hours $(or $(hours),24)

bench-dashboards: setup  ## measure Trino's time for each chart of the dashboards, over a published lake: rounds=5
	$(BIN)/python -m benchmarks.dashboards --rounds $(or $(rounds),5)

bench-observe: setup  ## measure what monitoring costs an idle platform that is up with it: seconds=600
	$(BIN)/python -m benchmarks.observe --seconds $(or $(seconds),600)

bench-search: setup  ## measure product search, whose node is up (`lake up search`): demo=1 builds an index first
	$(BIN)/python -m benchmarks.search $(if $(demo),--demo $(demo))

bench-binlog: setup  ## measure readers of the binlog: rows=1000000 rounds=3
	$(BIN)/python -m benchmarks.binlog --rows $(or $(rows),1000000) --rounds $(or $(rounds),3)

lint: setup  ## check style, types, imports, SQL, alert rules and routes, dashboards; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --package infra.grafana --package infra.opensearch_dashboards --package infra.superset
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt
	$(BIN)/python -m lake.metrics.page --check
	$(BIN)/python -m lake.api.page --check
	$(BIN)/python -m lake.observe.lint
	$(BIN)/python -m infra.grafana --check
	$(BIN)/python -m infra.opensearch_dashboards --check
	$(BIN)/python -m infra.superset --check

lint-dashboards: .venv/.complete  ## check the dashboards against Grafana's own types; needs npm, and a network once
	$(BIN)/python -m infra.grafana.typed

format: .venv/.complete  ## bring code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: | $(UV)  ## compile requirements.txt anew from pyproject.toml
	$(UV) pip compile pyproject.toml --group dev --python-version 3.11 --upgrade --quiet -o requirements.txt

lock-superset: | $(UV)  ## compile infra/superset/requirements.txt anew from requirements.in beside it
	$(UV) pip compile infra/superset/requirements.in --python-version 3.11 --upgrade --quiet -o infra/superset/requirements.txt

up: setup  ## start every service
	$(BIN)/lake up

down: .venv/.complete  ## stop every service; data stays
	$(BIN)/lake down

clean:  ## stop every service and remove all state; the environment and the cache folder stay
	@if [ -x $(BIN)/lake ]; then $(BIN)/lake down; fi
	rm -rf $(STATE) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dbt/target dbt/logs

# Everything is in the cache after the first time, so the network is asked only where that does not do.
.venv/.complete: requirements.txt pyproject.toml | $(UV)
	@test -x .venv/bin/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@rm -f $@ .venv/.mysql-arrow
	@echo "installing $$(grep -c == requirements.txt) packages into .venv"
	@export VIRTUAL_ENV=$(CURDIR)/.venv; \
	  $(UV) pip sync --quiet --offline requirements.txt 2>/dev/null || $(UV) pip sync requirements.txt; \
	  $(UV) pip install --quiet --offline --no-deps --editable . 2>/dev/null || $(UV) pip install --no-deps --editable .
	@touch $@

$(OUR_UV):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found -> install Python 3.11, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "installing uv $(UV_VERSION) into $(CACHE)/uv"
	@rm -rf $(CACHE)/uv $(CACHE)/uv.new
	@$(PYTHON) -m venv $(CACHE)/uv.new || { echo "-> install the package python3.11-venv" >&2; exit 1; }
	@$(CACHE)/uv.new/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@mv $(CACHE)/uv.new $(CACHE)/uv
