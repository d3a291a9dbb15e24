# Isotherm's commands. Each sets up what it needs by itself; Python 3.11 or newer is all that has to be there.
PYTHON ?= python3
SOURCE ?=
REGION ?=
INTERVAL ?=
PORT ?=
KILLS ?=
MINUTES ?=
CHAOS_SEED ?=
MUTANTS ?=
FANOUT ?=
CLIENTS ?=

.DEFAULT_GOAL := help
.PHONY: images chart e2e-smoke e2e kind help up databases test lint unit integration browser screenshots chaos rehearsal explore mutants bench-cdc bench-fanout soak-web format lock clean

help: ## Show this list
	@awk -F ': ## ' '/^[a-z0-9-]+: ## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "make up SOURCE=simulator|open-meteo REGION=europe|south,west,north,east INTERVAL=30s PORT=5000"

up: ## Run the whole pipeline on this machine; Ctrl-C stops it
	@exec $(PYTHON) ci/bootstrap.py up --source "$(SOURCE)" --region="$(REGION)" --interval "$(INTERVAL)" --port "$(PORT)"

databases: ## Run only MySQL and MongoDB
	@exec $(PYTHON) ci/bootstrap.py databases

test: ## Run every check: lint, types, imports, unit, integration and browser tests
	@exec $(PYTHON) ci/test

lint: ## Run the linters and type checkers
	@exec $(PYTHON) ci/test lint types imports

unit: ## Run the unit tests
	@exec $(PYTHON) ci/test unit page

integration: ## Run the integration tests, with real servers
	@exec $(PYTHON) ci/test integration

browser: ## Run the browser tests
	@exec $(PYTHON) ci/test browser

screenshots: ## Make docs/screenshots anew, from the page as it is
	@$(PYTHON) ci/bootstrap.py install dev
	@PYTHONPATH=tests .venv/bin/python -m browser.pictures

chaos: ## Kill the CDC again and again (KILLS=1000 or MINUTES=30, CHAOS_SEED=…), and compare
	@$(PYTHON) ci/bootstrap.py install dev
	@PYTHONPATH=tests KILLS="$(KILLS)" MINUTES="$(MINUTES)" CHAOS_SEED="$(CHAOS_SEED)" .venv/bin/python -m chaos.cdc

rehearsal: ## Break one thing after the other before a real Prometheus, and look which alerts fire
	@exec $(PYTHON) ci/test rehearsal

explore: ## Try the properties on random examples that no run has tried (ROUNDS=10), until one breaks
	@$(PYTHON) ci/bootstrap.py install dev
	@for round in $$(seq $(or $(ROUNDS),10)); do \
	  .venv/bin/python -m pytest -q -x -m hypothesis --hypothesis-profile=explore services || exit; \
	done

mutants: ## Break the CDC's code in named ways, each of which a named test must notice (MUTANTS="NAME …": only these)
	@$(PYTHON) ci/bootstrap.py install dev
	@PYTHONPATH=tests .venv/bin/python -m mutants $(MUTANTS)

bench-cdc: ## Measure the CDC against a sink that only acknowledges, beside mysql-replication and pymongo (docs/benchmarks.md)
	@$(PYTHON) ci/bootstrap.py install dev
	@.venv/bin/python tests/bench/cdc/run.py

bench-fanout: ## Measure how fast a change reaches 10,000 browsers, beside Flask-SocketIO (docs/benchmarks.md)
	@$(PYTHON) ci/bootstrap.py install dev
	@.venv/bin/python -m uv venv --quiet --allow-existing .cache/bench-fanout
	@.venv/bin/python -m uv pip install --quiet --python .cache/bench-fanout/bin/python --require-hashes -r tests/bench/fanout/requirements.txt
	@.venv/bin/python tests/bench/fanout/run.py --baseline-python .cache/bench-fanout/bin/python $(FANOUT)

soak-web: ## Follow the map by 1,000 clients while web processes are killed (KILLS=20, CLIENTS=1000), and compare
	@$(PYTHON) ci/bootstrap.py install dev
	@PYTHONPATH=tests .venv/bin/python -m web_support.soak --kills $(or $(KILLS),20) --clients $(or $(CLIENTS),1000)

format: ## Format the code
	@$(PYTHON) ci/bootstrap.py install dev
	.venv/bin/ruff check --fix --quiet services tests ci || true
	.venv/bin/ruff format services tests ci
	cd services/web/frontend && npm run -s format

lock: ## Write the lock files anew (make lock UPGRADE=--upgrade takes the newest versions)
	@$(PYTHON) ci/bootstrap.py install dev
	@.venv/bin/python ci/lock $(UPGRADE)

images: ## Build the container images
	@ci/images/build

chart: ## Generate the chart's schema and README, and test what it renders
	@$(PYTHON) ci/bootstrap.py install dev
	@.venv/bin/python ci/chart/generate.py
	@.venv/bin/python -m pytest -q tests/chart

e2e-smoke: ## Install the chart on a cluster and follow a datum (USE_CLUSTER=1 KUBECONFIG=… PREFIX=…: on yours)
	@USE_CLUSTER=$(USE_CLUSTER) ci/e2e smoke

e2e: ## Run all end-to-end tests: kills, network policies, Prometheus
	@USE_CLUSTER=$(USE_CLUSTER) ci/e2e

kind: ## Make a kind cluster (ci/kind) and run everything in it with skaffold
	ci/kind up
	skaffold run -p simulator --port-forward

clean: ## Remove the data, the downloads and everything built
	rm -rf .venv .local .cache services/web/src/isotherm_web/static services/web/frontend/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +
