# make demo: set up, judge a mail, compare designs, refute an idea, write the page that shows it
# make test: set up, run every test
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

.PHONY: venv demo site test test-all test-tree lint update-docs clean bench fuzz mutate soundness lab lab-smoke lab-riscv-csr-skip lab-ldt

venv: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "loadput needs Python 3.11 or newer; on Debian: apt-get install python3 python3-venv"; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	$(VENV)/bin/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@$(VENV)/bin/python -m compileall -q src
	@touch $@

demo: venv
	@$(VENV)/bin/python tools/demo.py

test: venv
	$(VENV)/bin/python -m pytest -n auto --dist worksteal

# With the scenarios of millions of states, which `make test` leaves out: some minutes more.
test-all: venv
	LOADPUT_SLOW=1 $(VENV)/bin/python -m pytest -n auto --dist worksteal

# Three Debian kernels, from their source packages (over 1 GB each unpacked, outside here): what of them is
# mirrored, what has drifted, every citation.
test-tree: venv
	@$(VENV)/bin/python tools/fetch_linux.py > $(VENV)/linux.env
	set -a; . $(VENV)/linux.env; $(VENV)/bin/python -m pytest tests/tree tests/lang/test_tree.py tests/facts

lint: venv
	$(VENV)/bin/ruff format --check src tests tools
	$(VENV)/bin/ruff check src tests tools
	$(VENV)/bin/mypy

# Rewrite the output of every command in README.md and docs/ with the present one.
update-docs: venv
	$(VENV)/bin/python tools/update_docs.py

# The pages of docs/ as a site with search that needs no network; ends where a link is dead.
site: venv
	@$(VENV)/bin/python tools/site.py

clean:
	rm -rf $(VENV) build src/*.egg-info .pytest_cache .mypy_cache .ruff_cache

# A coverage-guided fuzzer on the trace readers; one minute unless SECONDS is set.
fuzz: venv
	$(VENV)/bin/python tools/fuzz_trace.py --seconds $(or $(SECONDS),60)

# Damage the specification, one place at a time, and see which property notices; an hour or so the first
# time; writes docs/mutation.md.
mutate: venv
	$(VENV)/bin/python tools/mutate.py

# Programs that nobody wrote, decided in every way there is; goes on where it was stopped; writes its table
# into docs/reductions.md.
soundness: venv
	$(VENV)/bin/python tools/soundness.py --write

# Beside SPIN and rumur, which come from Debian; half an hour; writes bench/README.md.
bench: venv
	$(VENV)/bin/python bench/run.py

# Boot Debian's kernels under QEMU's emulation, record them as `loadput record --print` says, hold the
# recordings to the specification; prints the table of docs/lab.md. lab-smoke: one of them.
lab: venv
	$(VENV)/bin/python lab/lab.py all

lab-smoke: venv
	$(VENV)/bin/python lab/lab.py smoke

# Decide a finding on the kernels that it is about; each is a folder of lab/experiments.
lab-riscv-csr-skip: venv
	$(VENV)/bin/python lab/lab.py experiment riscv-csr-skip

lab-ldt: venv
	$(VENV)/bin/python lab/lab.py experiment ldt
