# make demo   install into this folder and run the main job on data/samples
# make test   install and run the tests
# make check  formatting, lint, types, direction of imports
# make bench  the measurements of benchmarks/
# make pages  write the pages that come from the code
# make docs   the documentation as a site, in site/
# make pictures  the pictures of the pages, from the demo; needs Chromium

PYTHON ?= python3
UV := .venv/tool/bin/uv
RUN := .venv/bin
INSTALLED := .venv/installed
COMPILED := .venv/compiled
# compiled libraries are kept: each process starts in half the time
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check bench pages docs pictures clean

demo: $(INSTALLED)
	$(RUN)/callsieve --home .callsieve/demo demo

test: $(COMPILED)
	$(RUN)/pytest $(PYTEST)

check: $(INSTALLED)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: $(INSTALLED)
	for script in benchmarks/*.py; do $(RUN)/python $$script || exit 1; done

pages: $(INSTALLED)
	$(RUN)/python -m cdr.formats.page > docs/formats.md
	$(RUN)/python -m fraud.features.page > docs/features.md
	for page in tables settings commands errors; do \
	  $(RUN)/python -m pipelines.$${page}_page > docs/$$page.md || exit 1; done
	$(RUN)/python -m pipelines.settings_file > callsieve.toml

docs: $(INSTALLED)
	$(RUN)/mkdocs build --quiet

pictures: demo
	$(RUN)/python docs/pictures/remake.py

clean:
	rm -rf .venv .callsieve site

# uv is installed into the checkout too: a fresh machine has none
$(INSTALLED): pyproject.toml uv.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(RUN)/python || $(PYTHON) -m venv .venv
	test -x $(UV) || ($(PYTHON) -m venv .venv/tool && .venv/tool/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1')
	UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --quiet --extra notebooks --python $(RUN)/python
	touch $@

# once, or each worker compiles libraries and tests for itself: 16 s of processor time apiece
$(COMPILED): $(INSTALLED)
	-$(RUN)/pytest -q -n 0 --collect-only > /dev/null
	touch $@
