# make play    start improv                      (ARGS="--in keystation" are handed on)
# make test    run every test                    (ARGS="-k settings" are handed on)
# make check   formatting, lint, types
# make bench   measure how long a step takes and how late notes are
#
# Each sets up what it needs in .venv, once. PYTHON=/path/to/python3.12 chooses another Python.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PLAY_READY := $(VENV)/.improv-play-ready
TEST_READY := $(VENV)/.improv-test-ready
ARGS ?=

# A moved or half-removed environment is set up again. The stamps hold the folder they were made in.
ifneq ($(shell cat $(PLAY_READY) 2>/dev/null):$(wildcard $(BIN)/improv),$(CURDIR):$(BIN)/improv)
$(shell rm -f $(PLAY_READY) $(TEST_READY))
endif
ifeq ($(wildcard $(BIN)/pytest),)
$(shell rm -f $(TEST_READY))
endif

.PHONY: play test check bench
.DEFAULT_GOAL := play

# At a terminal, job control makes improv the foreground job: Ctrl-C reaches improv alone, and make sees its
# exit status instead of being interrupted itself. Elsewhere improv takes the place of the shell, so that a
# signal that make passes on reaches it.
play: $(PLAY_READY)
	@if [ -t 0 ]; then set -m; $(BIN)/improv play $(ARGS); else exec $(BIN)/improv play $(ARGS); fi

test: $(TEST_READY)
	@$(BIN)/python -m pytest $(ARGS)

check: $(TEST_READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(PLAY_READY)
	@$(BIN)/python -m bench $(ARGS)

$(PLAY_READY): pyproject.toml
	@echo "Setting up improv (once, about a minute)..."
	@PYTHON="$(PYTHON)" sh scripts/make-venv $(VENV)
	@$(PIP) -e . || { echo "Setting up stopped; the lines above say why. Run make again to go on." >&2; exit 1; }
	@printf '%s' "$(CURDIR)" > $@

$(TEST_READY): pyproject.toml | $(PLAY_READY)
	@echo "Setting up the tests and the trainer (once, a few minutes)..."
	@$(PIP) -e '.[train,dev]' || { echo "Setting up stopped; the lines above say why." >&2; exit 1; }
	@printf '%s' "$(CURDIR)" > $@
