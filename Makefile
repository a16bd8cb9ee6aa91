# Everything happens in .venv, which is made here: Python 3.11+ with venv, git and make suffice.
PYTHON ?= python3
DEMO ?= demo
BIN := .venv/bin
STAMP := .venv/.complete

.PHONY: demo test docs lint format lock clean

# Real runs of a real project, trained and verified.
demo: $(STAMP)
	rm -rf $(DEMO)
	$(BIN)/reprocheck demo $(DEMO)

# All tests, lint, types and import contracts.
test: lint
	$(BIN)/python -m pytest -n $${REPROCHECK_WORKERS:-2} --dist worksteal

# The site of docs/ in site/index.html; Material's notice of MkDocs 2 is none of its readers'.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo site/index.html

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd capture && ../$(BIN)/mypy --cache-dir ../.mypy_cache
	$(BIN)/lint-imports --no-cache

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# requirements.lock is what users and the action install; requirements-dev.lock adds our tools,
# requirements-extras.lock every extra, and requirements-build.lock is what the action builds by.
# None names reprocheck-capture: it is always this tree's own.
LOCKING := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --no-emit-package reprocheck-capture
lock: $(STAMP)
	$(LOCKING) pyproject.toml --output-file requirements.lock
	$(LOCKING) pyproject.toml --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock
	$(LOCKING) pyproject.toml --all-extras --constraint requirements.lock \
		--output-file requirements-extras.lock
	echo 'hatchling>=1.27' | $(LOCKING) - --constraint requirements-dev.lock \
		--output-file requirements-build.lock

clean:
	rm -rf .venv $(DEMO) dist site

# A company's proxy has a root certificate of its own, which only the system knows; where the system
# has no certificates at all, uv's own serve.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python
export UV_SYSTEM_CERTS ?= 1

# uv itself comes from the lock too, with its hash.
$(STAMP): requirements-dev.lock pyproject.toml capture/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "reprocheck needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock || \
		UV_SYSTEM_CERTS=0 $(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --no-deps --no-build-isolation --editable ./capture --editable .
	touch $@
