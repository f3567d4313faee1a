# Two commands are enough on a fresh machine: `make up` and `make test`.
.DEFAULT_GOAL := help
BIN := .venv/bin
PYTEST_ARGS ?=
# Hundreds of processes start from the same modules: what one has compiled serves all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up down test test-crash check fmt docs benchmarks clean kubernetes kubernetes-down images install uninstall manifests test-kubernetes

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## a highly available PostgreSQL on this machine, from nothing
	@hack/environment.sh runtime
	@$(BIN)/pgherd up

down: ## stop everything that `make up` started; the data stays
	@if [ -x $(BIN)/pgherd ]; then $(BIN)/pgherd down; fi

test: check ## all checks and all tests that need no root
	$(BIN)/pytest -n auto --dist loadgroup $(PYTEST_ARGS)

test-crash: check ## the operator interrupted at every single call (8 minutes; `make test` takes a few of them)
	PGHERD_CRASH=all $(BIN)/pytest -n 2 tests/crash $(PYTEST_ARGS)

check: ## format, lint, types, layers
	@hack/environment.sh development
	$(BIN)/ruff format --check src tests benchmarks hack images
	$(BIN)/ruff check src tests benchmarks hack images
	$(BIN)/shellcheck hack/*.sh hack/kubernetes/etc/init images/*.sh images/*/*.sh images/postgres/programs/*
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fmt: ## format and sort what can be
	@hack/environment.sh development
	$(BIN)/ruff format src tests benchmarks hack images
	$(BIN)/ruff check --fix src tests benchmarks hack images

kubernetes: ## a real Kubernetes of two nodes on this Linux machine, in network namespaces of its own (root)
	@python3 hack/kubernetes up

kubernetes-down: ## stop it, leaving nothing but its data (`python3 hack/kubernetes wipe` removes that too)
	@python3 hack/kubernetes down

images: ## build the images of operator and database pod, with docker, podman or buildah
	@images/build.sh

install: ## install the operator: KUBECONFIG, else the cluster of `make kubernetes`, else ~/.kube/config
	@python3 hack/install.py install

uninstall: ## remove the operator; all clusters go on
	@python3 hack/install.py uninstall

manifests: ## write what is generated of chart and manifests
	@hack/environment.sh development
	$(BIN)/python hack/manifests.py

test-kubernetes: ## the tests on a real Kubernetes: that of KUBECONFIG, or `make kubernetes images` here
	@hack/environment.sh development
	@if [ -z "$$KUBECONFIG" ]; then python3 hack/kubernetes up && images/build.sh; fi
	@# Together what disturbs nobody else, then one by one what takes nodes or the API server away; then, after a whole
	@# run, which rights were used. (5: none was chosen by PYTEST_ARGS.)
	@[ -n "$$KUBECONFIG" ] || enter="python3 hack/kubernetes enter"; export PGHERD_TEST_KUBERNETES=1; failed=0; \
	PGHERD_RECORD_RIGHTS=$$(mktemp -d); export PGHERD_RECORD_RIGHTS; \
	$$enter $(BIN)/pytest tests/hack tests/e2e -m "not disruptive" -n 3 --dist loadgroup $(PYTEST_ARGS) || [ $$? = 5 ] || failed=1; \
	$$enter $(BIN)/pytest tests/hack tests/e2e -m disruptive $(PYTEST_ARGS) || [ $$? = 5 ] || failed=1; \
	[ -n "$(PYTEST_ARGS)" ] || PGHERD_RECORDED_RIGHTS=$$PGHERD_RECORD_RIGHTS \
	$$enter $(BIN)/pytest tests/e2e/test_rights.py || failed=1; \
	rm -r $$PGHERD_RECORD_RIGHTS; exit $$failed

clean: ## remove the virtual environment and all caches of the checkout
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
