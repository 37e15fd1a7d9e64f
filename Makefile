# Two commands for newcomers: make demo, make test. Each sets up its own virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := demo
MODEL := face-large
ROOT :=
OUT := runs/reproduce
CUNET := $(BIN)/cunet
# Of the tests; each has a TensorFlow of its own, in 2 to 3 GB. Unreordered, the last files are short: no worker waits long.
WORKERS := 2
PYTEST := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

# Of the tests that coverage is measured for; all without it: SOME='-m "not slow"'.
SOME :=

.PHONY: demo test test-all quick coverage reproduce lint docs dist house android web tfa clean fuzz versions

demo: $(VENV)/.installed
	rm -rf $(DEMO)
	@echo "== find the face on a photograph: $(DEMO)/photo/astronaut_found.jpg"
	$(CUNET) predict --model=face-mobile --out=$(DEMO)/photo docs/pictures/astronaut.jpg
	@echo "== train a small CU-Net on drawn faces"
	$(CUNET) train --data=synthetic --split=0:1600 --preset=face-mobile --batch_size=8 --epochs=7 --workdir=$(DEMO)/run
	@echo "== evaluate on faces drawn from another seed; fails above 6 % NME"
	$(CUNET) evaluate --model=$(DEMO)/run/best.keras --data=synthetic --split=1:200 --max_nme=6 --out=$(DEMO)
	@echo "== export, checked against Keras"
	$(CUNET) export --model=$(DEMO)/run/best.keras --format=float16 --out=$(DEMO)/face.tflite
	@echo "== predict with the .tflite file, without TensorFlow"
	$(CUNET) predict --model=$(DEMO)/face.tflite --out=$(DEMO)/found docs/pictures/drawn
	@echo "== look at $(DEMO)/found/*_found.jpg, $(DEMO)/ced.png, $(DEMO)/run/curves.png"

# All but those marked slow: docs/development/tests.md says what those are.
test: $(VENV)/.installed-dev
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.installed-dev
	$(PYTEST)

# The files of tests/quick.txt: no training, no processes, no real data, but something of every package.
quick: $(VENV)/.installed-dev
	$(PYTEST) --durations=5 -m "not slow" @tests/quick.txt

# Which lines and branches all tests run, in the processes that they start as well: build/coverage/index.html.
# Not those on a full disk: coverage has files of its own to write there.
coverage: $(VENV)/.installed-dev
	mkdir -p build/coverage
	$(PYTEST) --cov --cov-report=term --cov-report=html -k "not full_disk" $(SOME)

# A model that ships, made again from its data set's folder (ROOT), as its card says; the same call goes on after a stop.
reproduce: $(VENV)/.installed
	$(BIN)/python -m cunet_tf.trainers.study.reproduce --model="$(MODEL)" $(if $(ROOT),--root="$(ROOT)") --out="$(OUT)/$(MODEL)"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# The floors of the house and the types, on the tree as it is installed: folders mapped by setup.py cannot be seen otherwise.
	rm -rf build/lint
	$(BIN)/python setup.py --quiet build_py --build-lib build/lint
	cd build/lint && PYTHONPATH=. $(abspath $(BIN))/lint-imports --no-cache --no-logo $(CURDIR)/pyproject.toml
	cd build/lint && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml cunet_tf

# The reference of all modules, from their docstrings: build/docs/html/index.html. A warning fails.
docs: $(VENV)/.installed-dev
	rm -rf build/docs
	$(BIN)/python docs/reference/pages.py build/docs/source
	$(BIN)/python -m sphinx -W --keep-going --quiet -c docs/reference build/docs/source build/docs/html
	@echo "open build/docs/html/index.html"

# What a release uploads, checked: dist/.
dist: $(VENV)/.installed-dev
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

# Lengths, docstrings, annotations, circles: one row for docs and reviews.
house:
	$(PYTHON) .ci/house.py

# 100,000 damaged files of every format: each is refused in one sentence, or read as what it says.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --out=docs/results

# The Android demo without a phone: core tests, desktop run, app and signed APK; brings its own Java.
android: $(VENV)/.installed
	$(BIN)/python android_demo/tools/check.py

# The web page: built into web_demo/dist, tested in headless Chromium; needs Node.js and Chromium.
web: $(VENV)/.installed
	$(BIN)/python web_demo/tools/check.py $(if $(ROOT),--root="$(ROOT)")

# A short set of tests with the lowest and the newest versions that setup.py allows; 2 GB of environments.
versions:
	.ci/versions

# TensorFlow Addons needs an old TensorFlow: an environment of its own, used by one test.
tfa:
	$(PYTHON) -m venv .venv-tfa
	.venv-tfa/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-tfa.txt
	touch .venv-tfa/.installed
	$(BIN)/python -m pytest tests/test_tfa.py

clean:
	rm -rf $(DEMO) build android_demo/build web_demo/build web_demo/dist web_demo/node_modules dist *.egg-info .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "cunet-tf needs Python 3.11 or newer: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	touch $@
