# make report | make test need Python 3.11+ and make, nothing else: each sets itself up.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# A misspelt variable would otherwise be ignored, and last month's report issued again.
VARIABLES := RUN TEMPLATE MONTH QUARTER YEAR DATA MAP SLICE FOLDER NAME COMPANY CURRENCY TIME_ZONE YES AS_OF DEFINITIONS MOVED NOTEBOOKS PARAMETERS WORKERS FORCE DRAFT REPORTS ID EDITION OUT NULL SEED SEEDS STUDIES PLANTED ONLY ALL ROOT PYTHON VENV SOURCE_DATE_EPOCH PYTEST
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command line,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(VARIABLES) MAKEFLAGS MAKEOVERRIDES SHELL,$(GIVEN))
ifneq ($(UNKNOWN),)
$(error unknown variable $(UNKNOWN); known: $(VARIABLES))
endif

# What was typed is taken as it stands: without this make would read the $ in a value as a variable of its own.
TYPED := $(filter $(VARIABLES),$(GIVEN))
$(foreach name,$(TYPED),$(eval override $(name) := $$(value $(name)))$(eval export $(name)))

# given NAME,--option: the option with the variable's value, only when it was given to make and not by a stray environment;
# the shell reads the value itself, so spaces and quotes in it are safe
given = $(if $(filter $(1),$(TYPED)),$(2) "$$$(1)")
flag = $(if $(filter $(1),$(TYPED)),$(if $(filter-out 0 no false,$($(1))),$(2)))
RUN_OPTIONS = $(call given,TEMPLATE,--run) $(call given,RUN,--run) $(call given,MONTH,--month) $(call given,QUARTER,--quarter) $(call given,YEAR,--year) $(call given,DATA,--data) $(call given,MAP,--map)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=path/to/python3.11"; exit 2; }
	@echo "setting up $(VENV) (first time only, a minute or two) ..."
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv $$(test -d $(VENV)/conda-meta || echo --clear) $(VENV)
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $(STAMP)

.PHONY: help
help: ## this list
	@echo "after-sales finance workbook: from a company's tables to a signed monthly report"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo; echo "  examples:  make report MONTH=2026-10 DATA=path/to/folder     make trace ID='after_sales_cost#2026-10:1'"

.PHONY: setup
setup: $(STAMP) ## make the environment (every other target does this by itself)

.PHONY: start
start: $(STAMP) ## your own data: from a folder of exports to a first draft  FOLDER=path [NAME= COMPANY= CURRENCY=EUR TIME_ZONE=Europe/Berlin MONTH= YES=1]
	@$(BIN)/analysis start "$$FOLDER" $(call given,NAME,--name) $(call given,COMPANY,--company) $(call given,CURRENCY,--currency) \
	  $(call given,TIME_ZONE,--time-zone) $(call given,MONTH,--month) $(call given,WORKERS,--workers) $(call flag,YES,--yes)

.PHONY: report
report: $(STAMP) ## make and issue the report of a month, a quarter or a year  [MONTH= or QUARTER=2026-Q3 or YEAR=2026, DATA= MAP= RUN= TEMPLATE=saas SLICE=region=South AS_OF= NOTEBOOKS="10 90" PARAMETERS="top=7" WORKERS= FORCE=1 DRAFT=1]
	@$(BIN)/analysis report $(RUN_OPTIONS) $(call given,AS_OF,--as-of) $(call given,SLICE,--slice) $(call given,NOTEBOOKS,--notebooks) \
	  $(foreach pair,$(if $(filter PARAMETERS,$(TYPED)),$(PARAMETERS)),-p '$(pair)') \
	  $(call given,WORKERS,--workers) $(call given,REPORTS,--reports) $(call flag,FORCE,--force) $(call flag,DRAFT,--draft)

.PHONY: test
test: $(STAMP) ## fast tests, and the notebooks against their kept outputs  [PYTEST="-k bridge"]
	@$(BIN)/analysis check >/dev/null # the sample, once: two notebooks at a time would each make it
	@$(BIN)/python -m pytest --nbval-lax --nbval-current-env tests notebooks $(PYTEST)

.PHONY: test-slow
test-slow: $(STAMP) ## every test but those of make mistreat, simulations over many seeds included
	@$(BIN)/analysis check >/dev/null # the sample, once: two notebooks at a time would each make it
	@$(BIN)/python -m pytest --nbval-lax --nbval-current-env -m "slow or not slow" --ignore=tests/mistreat tests notebooks $(PYTEST)

.PHONY: fuzz
fuzz: $(STAMP) ## a thousand damaged exports: each ends in true tables or in a refusal (ten minutes)
	@$(BIN)/python -m pytest -n0 -q -m slow tests/unit/tables/test_bad_exports.py -k every_damaged

.PHONY: matrix
matrix: $(STAMP) ## any shape of history and table, into docs/MATRIX.md: adds the situations that are not there yet  [ALL=1: all anew, COLUMNS=1: each column absent, too]
	@$(BIN)/python tests/unit/workbook/shapes.py $(call flag,ALL,--all) $(call flag,COLUMNS,--columns)

.PHONY: mistreat
mistreat: $(STAMP) ## kills, full disks, damaged stores and files, hostile text, meddling notebooks …: no wrong pack, no leak, no half edition (two hours on two cores)  [PYTEST="-k killed"]
	@$(BIN)/python -m pytest -m slow tests/mistreat $(PYTEST)

.PHONY: check
check: $(STAMP) ## ruff check, ruff format --check, mypy --strict
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

.PHONY: lab
lab: $(STAMP) ## JupyterLab on the notebooks; own work goes to notebooks/scratch  [ROOT=1 as root, in a container]
	@mkdir -p notebooks/scratch
	@$(BIN)/jupyter lab notebooks $(call flag,ROOT,--allow-root)

.PHONY: tables
tables: $(STAMP) ## read and prove the tables only, print where their rows went  [DATA= MONTH= QUARTER= YEAR= RUN=]
	@$(BIN)/analysis check $(RUN_OPTIONS)

.PHONY: trace
trace: $(STAMP) ## where a number comes from: a fact, finding, table, figure  [ID= EDITION=reports/2026-10/edition-1 OUT=rows.csv]
	@$(if $(filter ID,$(TYPED)),,echo "make trace needs ID=…, what the report prints beside a number, e.g. ID='after_sales_cost#2026-10:1' or ID='Table 13'"; exit 2)
	@$(BIN)/analysis trace $(call given,EDITION,--edition) $(call given,OUT,--out) -- "$$ID"

.PHONY: sample
sample: $(STAMP) ## make the sample company  [NULL=1 with nothing planted, SEED=, OUT=folder]
	@$(BIN)/analysis sample $(call flag,NULL,--null) $(call given,SEED,--seed) $(call given,OUT,--out)

.PHONY: nulls
nulls: $(STAMP) ## false findings in companies with nothing planted, into docs/NULLS.md; goes on where it stood  [SEEDS=400 STUDIES="retention value" WORKERS=1 PLANTED=1; TEMPLATE=saas: what its report names of what is planted, into docs/TRUTHS.md]
	@$(BIN)/analysis nulls $(call given,TEMPLATE,--template) $(call given,SEEDS,--seeds) $(call given,STUDIES,--studies) $(call given,WORKERS,--workers) $(call flag,PLANTED,--planted)

.PHONY: bench
bench: $(STAMP) ## speed and memory as ratios, peers in an environment of their own  [ONLY=pack]
	@$(BIN)/analysis bench $(ONLY)

.PHONY: golden
golden: $(STAMP) ## rewrite the kept outputs of the notebooks, or with DEFINITIONS=1 the kept definitions; look at the difference  [DEFINITIONS=1 MOVED=1]
	@$(BIN)/analysis golden $(call given,WORKERS,--workers) $(call flag,DEFINITIONS,--definitions) $(call flag,MOVED,--moved)

.PHONY: lock
lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "uv writes the lock and is not part of the environment: python3 -m pip install uv, then make lock"; exit 2; }
	@uv pip compile --quiet --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock

.PHONY: clean
clean: $(STAMP) ## remove what can be made again; issued editions stay  [ALL=1: sample and quarantine as well]
	@$(BIN)/analysis clean $(call flag,ALL,--all)
