# The commands a newcomer needs: `make run` and `make test`; the rest is for contributors.
.DEFAULT_GOAL := help
.PHONY: help run test test-full soak check bench docs format lock sbom
export PYTHONPATH := $(CURDIR)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PRODUCT := nightschool.py bot deploy docs serving store trainer

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

$(READY): deploy/setup.sh pyproject.toml locks/cpu.txt locks/gpu.txt
	@VENV=$(VENV) sh deploy/setup.sh
	@touch $@

run: $(READY) ## Set up and start everything on this machine; prints the address of the page
	@$(BIN)/nightschool run

test: $(READY) ## Set up and run the tests, but for those with a real vLLM, training or browser
	@VENV=$(VENV) sh deploy/setup.sh tests
	@$(BIN)/python -m pytest -m 'not slow and not soak'

test-full: test ## After those also the ones with a real vLLM, training or browser
	@$(BIN)/python -m pytest -m 'slow and not soak'

soak: $(READY) ## Run what takes hours: two hundred kills of a night on both databases
	@VENV=$(VENV) sh deploy/setup.sh tests
	@$(BIN)/python -m pytest -m soak

check: $(READY) ## Lint, format, types, import rules, security patterns
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(PRODUCT)

format: $(READY) ## Put the code into the house format
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(READY) ## Measure speed and quality against named peers (about two hours); prints tables
	@$(BIN)/python -m bench

lock: ## Write both lock files anew from pyproject.toml; versions that still fit stay
	@VENV=$(VENV) sh deploy/setup.sh lock

sbom: $(READY) ## Write sbom.cdx.json: every package that is installed, in CycloneDX
	@VENV=$(VENV) sh deploy/setup.sh sbom

docs: $(READY) ## Write the reference pages anew
	@$(BIN)/python -m docs.generate
