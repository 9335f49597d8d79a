# Gnomon's commands. `make help` lists them.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
SERVE  ?= 1

# The raw set to build from: data/sample, or RAW=PATH of another raw set or a known log.
RAW    ?= data/sample

# The demo's key for identifier hashes. The logs it is used on are public and already
# pseudonymous; set your own, and keep it secret, for anything else.
export GNOMON_HASH_KEY ?= a-demo-key-for-public-logs-only

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt bench nightly clean

help:            ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

demo: $(VENV)/installed   ## install, read data (RAW=PATH), dbt build, publish, ask a first question
	@set -e; export PATH="$(CURDIR)/$(BIN):$$PATH"; \
	adapter=$$(gnomon ingest find "$(RAW)"); name=$$(basename "$(RAW)"); \
	export GNOMON_RAW="$(RAW)" DBT_TARGET_PATH=target; \
	question="north_star_weekly --order -metric_time__week"; \
	if [ "$$adapter" != raw ]; then \
	    rm -rf "raw/$$name"; gnomon ingest "$$adapter" "$(RAW)" --out "raw/$$name"; \
	    export GNOMON_RAW="raw/$$name"; \
	    question="engagement_daily --order metric_time__day"; \
	fi; \
	[ "$(RAW)" = data/sample ] || export DBT_TARGET_PATH="target/$$name"; \
	dbt build; \
	gnomon publish; \
	echo; echo "$$ gnomon query --saved-query $$question --limit 10"; \
	gnomon query --saved-query $$question --limit 10; \
	echo; echo "dashboards: gnomon dashboards render --out pages"; \
	[ "$(SERVE)" = 0 ] || gnomon serve --anonymous reader

test: $(VENV)/installed   ## all tests that CI runs
	$(BIN)/pytest -n 2 --dist loadfile

nightly: $(VENV)/installed   ## slower tests and benchmarks
	$(BIN)/pytest -n 2 --dist loadfile -m "nightly or not nightly" tests
	$(MAKE) bench

check: $(VENV)/installed   ## lint, types, SQL style
	$(BIN)/ruff format --check py tests benchmarks
	$(BIN)/ruff check py tests benchmarks models
	$(BIN)/mypy
	$(BIN)/sqlfluff lint models analyses --processes 2

fmt: $(VENV)/installed   ## format Python and SQL
	$(BIN)/ruff format py tests benchmarks
	$(BIN)/ruff check --fix py tests benchmarks models
	$(BIN)/sqlfluff fix models analyses --processes 2

bench: $(VENV)/installed   ## benchmarks, each beside a peer or a limit
	$(BIN)/python -m benchmarks

clean:           ## remove what builds leave behind
	rm -rf target logs raw .pytest_cache .mypy_cache .ruff_cache
