# Every target sets up what it needs in .venv and reuses what is there.
PYTHON ?= python3
BIN := .venv/bin
CONFIGURATION := pyproject.toml setup.py constraints.txt
WORKERS ?= 2
# A part of the full run: SHARD="--splits 4 --group 1".
SHARD ?=
# What make bench measures: BENCH="rotary --size large".
BENCH ?= --size all
RESULTS := benchmarks/results
SITE := build/site

.PHONY: bench demo docs docs-links test test-full clean

# Exit status 1 of one dtype, a result that is not eager's, does not keep the other from running.
bench: .venv/ready-bench
	@mkdir -p $(RESULTS)
	status=0; for dtype in complex64 complex128; do \
		$(BIN)/python -m torch_complex_subclass bench $(BENCH) --dtype $$dtype \
			--export $(RESULTS)/$$dtype.json --plot $(RESULTS)/$$dtype.png || status=$$?; \
	done; exit $$status

demo: .venv/ready-demo
	$(BIN)/python examples/digits.py

# A warning, such as a link that leads nowhere, is an error; the tutorial is run.
docs: .venv/ready-docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs $(SITE)
	@echo "the site: $(SITE)/index.html"

# Also asks for every address outside, which needs a network.
docs-links: .venv/ready-docs
	$(BIN)/python -m sphinx -W --keep-going -q -b linkcheck docs build/links

test: .venv/ready-test
	$(BIN)/python -m pytest -n $(WORKERS)

test-full: .venv/ready-test
	PYTORCH_TEST_WITH_SLOW=1 $(BIN)/python -m pytest -n $(WORKERS) $(SHARD) -m "slow or not slow"

# torch goes first, so that it is the pinned one whatever else asks for it.
.venv/ready-%: $(CONFIGURATION) scripts/check_environment.py
	@$(PYTHON) scripts/check_environment.py
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt torch
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e ".[$*]"
	@$(BIN)/python scripts/check_environment.py --torch
	@touch $@

clean:
	rm -rf .venv build dist docs/generated demo-output *.egg-info .mypy_cache .ruff_cache .pytest_cache
