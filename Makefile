# Two commands on a bare machine with Python 3.11: `make run` and `make test`. Both call `setup`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/lock-linux-x86_64.txt
WORKERS ?= 2
STAMP := $(VENV)/.set-up

export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.PHONY: help setup run test lint types imports unit test-colab test-long benchmark clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make .venv from the lock file (3.3 GB, no CUDA)

$(STAMP): $(LOCK) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: no $(PYTHON) found. Give another with make PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## The main job on drawn faces: both models, curves, figures, in runs/drawn (RESUME=1 goes on with it)
	$(BIN)/agegender run --out $(or $(OUT),runs/drawn) $(if $(RESUME),--resume)

test: setup lint types imports unit ## Every check that needs nothing more (12 minutes on 2 cores; COLAB=1: and test-colab)

lint: setup
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/ruff format --check src tests scripts benchmarks

types: setup
	$(BIN)/pyright

imports: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(if $(COLAB),-m "not long or colab")

test-colab: setup ## The models under Keras 3.8, Colab's at the brief's date, in an environment of its own (1 GB, once)
	$(BIN)/python -m pytest -m colab

test-long: setup ## Before a release: Keras 3.8 and 3.10, JAX, devices, the notebook (3 GB and the package index, once)
	$(BIN)/python -m pytest -m long --numprocesses $(WORKERS) --dist loadgroup

benchmark: setup ## Throughput of training and evaluation, with the machine's description
	$(BIN)/python benchmarks/throughput.py

clean: ## Remove the environment
	rm -rf $(VENV)
