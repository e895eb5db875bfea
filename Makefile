# Everything sets itself up: `make demo` and `make test` need Python 3.11, a C compiler and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: help demo test fast check format env soak clean

help:
	@echo "make demo    run the whole job on the embedded model and show where the report is"
	@echo "make test    all tests, real vLLM and real verl among them"
	@echo "make fast    the tests that need neither (under two minutes)"
	@echo "make check   ruff, format, mypy, import-linter"
	@echo "make soak    what is too long for every day: kills, fuzz, sweeps"
	@echo "make env     only the environment, in .venv"

env: $(STAMP)

# The lock is complete, so nothing is resolved: the resolver would bring torchvision and triton,
# whose builds do not match the CPU build of torch.
$(STAMP): requirements-cpu.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Python 3.11 is needed: set PYTHON=... (now: $(PYTHON))"; exit 2; }
	@command -v cc >/dev/null || { echo "A C compiler is needed (package pycosat is compiled): install gcc"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -r requirements-cpu.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	touch $(STAMP)

demo: env
	$(BIN)/python -m runners.demo

test: env
	$(BIN)/python -m pytest -m "not soak and not gpu"

fast: env
	$(BIN)/python -m pytest -m "not slow and not soak and not gpu"

soak: env
	$(BIN)/python -m pytest -m "soak"

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv runs
