# `make demo` and `make test` set up what is missing; `make help` names the rest.
.PHONY: help setup setup-demo demo go test verify bench clean
PYTEST := .venv/bin/pytest
WORKERS ?= 4

help:  ## name the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install what is missing: Debian's packages (root or sudo), .venv
	@sh fixtures/setup.sh

setup-demo:
	@sh fixtures/setup.sh demo

demo: setup-demo  ## run matrices/demo.toml on the embedded lab and say where the report is
	@.venv/bin/python -m fixtures.payloads ninja
	@$(PYTEST) -n $(WORKERS) matrices/demo.toml

go: setup-demo  ## the real Go toolchain on the lab, where it must fail (it cannot run on Wine 8)
	@.venv/bin/python -m fixtures.payloads go
	@$(PYTEST) -n $(WORKERS) matrices/go.toml

test: setup  ## the tests
	@.venv/bin/python -m fixtures.payloads ninja
	@$(PYTEST) -n 3 --dist worksteal

verify: setup  ## the slow proofs: everything that `make test` leaves out, and properties on examples of chance
	@.venv/bin/python -m fixtures.payloads ninja go
	@$(PYTEST) -m slow
	@$(PYTEST) -n 2 -m hypothesis --hypothesis-profile unhurried

bench: setup  ## print the measured speeds beside their targets
	@.venv/bin/python -m fixtures.payloads ninja
	@.venv/bin/python -m bench

clean:  ## remove what was built and run, not the environment
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
