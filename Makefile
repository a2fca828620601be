# Every verb a newcomer or an operator needs. `make` alone lists them.
PORT ?= 8001
HOST ?= 127.0.0.1
# The first Python on this machine that is new enough.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
TTSOPS := $(BIN)/ttsops

.DEFAULT_GOAL := help
.PHONY: help setup setup-test pack serve health smoke bench capacity monitor soak diag test test-slow test-programs test-browser test-quality test-image test-ray lint format docs lock accept warmup clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 15

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer was found" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.setup: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.setup-test: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.setup

setup: $(VENV)/.setup ## install what the server needs into .venv

setup-test: $(VENV)/.setup-test ## install what the tests need, too

serve: setup ## start a talking server on http://127.0.0.1:8001 (PORT=, HOST=)
	$(TTSOPS) serve --host $(HOST) --port $(PORT)

health: setup ## ask the running server how it is (HOST=, PORT=)
	$(TTSOPS) health --url http://$(HOST):$(PORT)

accept: setup-test ## ask the default engine everything that must be true before it serves (ENGINE=)
	$(TTSOPS) accept $(if $(ENGINE),--engine $(ENGINE))

warmup: setup ## what the first listener would wait for: loading, and the first utterance (ENGINE=)
	$(TTSOPS) warmup $(if $(ENGINE),--engine $(ENGINE))

pack: setup ## models and voices into one archive, for a machine without a network (ARCHIVE=, MODELS=)
	$(TTSOPS) models pack $(or $(ARCHIVE),models.tar) $(MODELS)

smoke: setup-test ## start a server, send it twenty sentences, let a recogniser listen
	$(BIN)/python -m pytest tests/e2e/test_words_are_heard.py -q -s

bench: setup-test ## what the server costs, against a bare route in the same run
	$(BIN)/python -m benchmarks.server_overhead

capacity: setup-test ## is the simulation of docs/operate/capacity.md true? beside real servers
	$(BIN)/python -m benchmarks.capacity check

monitor: setup ## is it slower than before? one more line in monitor.jsonl (ENGINE=)
	$(TTSOPS) monitor run $(if $(ENGINE),--engine $(ENGINE))

soak: setup ## five minutes of requests: does memory grow? (ENGINE=, DURATION=, RPS=)
	$(TTSOPS) soak --duration $(or $(DURATION),300) --rps $(or $(RPS),2) $(if $(ENGINE),--engine $(ENGINE))

diag: setup ## pack a support bundle, without secrets and text (LOG=)
	$(TTSOPS) diag $(if $(LOG),--log $(LOG))

test: setup-test ## run the tests, with coverage
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile \
		--cov --cov-report=term:skip-covered --cov-fail-under=85

test-slow: setup-test ## the proof that takes minutes
	$(BIN)/python -m pytest -m slow --timeout 900

test-browser: setup-test ## the listening page in a real Chromium (chromium, chromium-driver)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	$(BIN)/python -m pytest -m browser -rs

test-programs: setup-test ## with real programs (prometheus, prometheus-alertmanager, docker-compose, nginx-light, logrotate, terraform, helm)
	$(BIN)/python -m pytest -m programs -rs

test-quality: setup-test ## predicted opinions, with the models of the extra `quality` (480 MB)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[quality]'
	$(BIN)/python -m pytest -m dnsmos -rs --timeout 300

test-ray: setup-test ## a Ray cluster of two nodes on this machine, with the extra `ray` (500 MB)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ray]'
	$(BIN)/python -m pytest -m ray -rs

test-image: setup-test ## build the images in a Debian made here, run them (as root; buildah, debootstrap)
	$(BIN)/python -m pytest -m image -rs --timeout 1200

lint: setup-test ## style, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-test ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup-test ## write docs/reference from the code
	$(BIN)/python -m ttsops.cli.reference docs/reference

lock: setup-test ## pin what is installed now
	$(BIN)/python -m pip freeze --exclude-editable | sort -f > constraints.txt

clean: ## remove what was installed or generated
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .coverage* htmlcov
