# `make demo` and `make test` set up what is missing; `make help` names the rest.
.PHONY: help setup demo go test verify bench clean
PYTEST := .venv/bin/pytest
WORKERS ?= 3

help:  ## name the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

setup:  ## install what is missing: Debian's packages (root or sudo), .venv
	@sh fixtures/setup.sh

demo: setup  ## run matrices/demo.toml on the embedded lab and say where the report is
	@.venv/bin/python -m fixtures.payloads ninja
	@$(PYTEST) -n $(WORKERS) matrices/demo.toml

go: setup  ## the real Go toolchain on the lab, where it must fail (it cannot run on Wine 8)
	@.venv/bin/python -m fixtures.payloads go
	@$(PYTEST) -n $(WORKERS) matrices/go.toml

test: setup  ## the tests
	@.venv/bin/python -m fixtures.payloads ninja
	@$(PYTEST) -n 2

verify: setup  ## the slow proofs: everything that `make test` leaves out
	@.venv/bin/python -m fixtures.payloads ninja go
	@$(PYTEST) -m slow

bench: setup  ## print the measured speeds beside their targets
	@.venv/bin/python -m fixtures.payloads ninja
	@.venv/bin/python -m bench

clean:  ## remove what was built and run, not the environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
