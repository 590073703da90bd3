# Each set-up is stamped: it runs again only when what it installs changes.
PYTHON ?= python3
VENV ?= .venv
SEED ?= $(shell date +%s)
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check

.PHONY: help compare test fuzz test-oldest gpu lint docs clean
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.cli $(VENV)/.test $(VENV)/.docs $(VENV)/.lint: $(VENV)/.%: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install -q -c constraints.txt -e '.[$*]'
	@touch $@

compare: $(VENV)/.cli  ## is an autoencoder worth it? PCA against ours on digits
	$(VENV)/bin/sklearn-ae compare digits --output comparison --force

# A thread each: two processes with two threads each would wait for one another.
test: $(VENV)/.test  ## the whole test suite, in two processes
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2

fuzz: $(VENV)/.test  ## 5,000 odd tables and parameters, 200 fits in a row (minutes)
	$(VENV)/bin/python -m pytest tests/test_fuzz.py --hypothesis-profile=many --hypothesis-seed=$(SEED) --hypothesis-show-statistics
	$(VENV)/bin/python -m pytest -m heavy -rP

test-oldest:  ## the test suite on the oldest releases we claim (downloads GBs of torch)
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install -q -c constraints-oldest.txt -e '.[test]'
	.venv-oldest/bin/python -m pytest

gpu:  ## on a GPU: the tests that need one, and how fast it is (6 minutes)
	PYTHON=$(PYTHON) VENV=$(VENV) benchmarks/gpu_setup.sh $(ARGS)

lint: $(VENV)/.lint  ## ruff, codespell, mypy and pip-audit, through pre-commit
	$(VENV)/bin/pre-commit run --all-files --show-diff-on-failure

docs: $(VENV)/.docs  ## the documentation, into docs/_build/html
	$(VENV)/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

clean:  ## remove what was built (the environment stays)
	rm -rf docs/_build docs/auto_examples comparison dist .pytest_cache .ruff_cache
