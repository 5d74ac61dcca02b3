# A fresh machine needs git, make and Python 3.11 or newer; uv is used where it is.
#   make demo    opens a book of people who do not exist, in the browser; Ctrl-C stops it
#   make test    the tests
# Both make a private .venv first, from hash-pinned requirements.

VENV  ?= .venv
LOCKS ?= dev
ARGS  ?=

bin := $(VENV)/bin

.PHONY: demo test check bench soak soak-tests soak-book soak-faults soak-sending soak-forgetting screenshots setup lock clean
.DEFAULT_GOAL := demo

demo: LOCKS := runtime book
demo: setup
	@"$(bin)/comity" demo

test: setup
	"$(bin)/python" -m pytest -n 2 $(ARGS)

check: setup
	"$(bin)/ruff" check
	"$(bin)/ruff" format --check
	"$(bin)/mypy"
	"$(bin)/lint-imports" --no-logo

# Ratios against peers; writes docs/benchmarks.md.
bench: LOCKS += bench
bench: setup
	"$(bin)/python" -m bench $(ARGS)

# For an idle evening: the property tests with many times the examples and a fresh seed; the book at its full size, each
# figure printed; and a running book whose programs are killed one after the other. The parts can be run by themselves.
soak: soak-tests soak-book soak-faults soak-sending soak-forgetting

soak-tests: setup
	"$(bin)/python" -m pytest -n 2 --hypothesis-profile soak --hypothesis-show-statistics $(ARGS)

soak-book: setup
	"$(bin)/python" -m bench.segments --people 1000000
	"$(bin)/python" -m bench.audience --people 1000000
	"$(bin)/python" -m bench.imports --people 1000000
	"$(bin)/python" -m bench.exports --people 200000 --formats all
	"$(bin)/python" -m bench.lists --people 1000000
	"$(bin)/python" -m bench.search --people 1000000
	"$(bin)/python" -m bench.vault --people 1000000
	"$(bin)/python" -m bench.cleaning
	"$(bin)/python" -m bench.ledger
	"$(bin)/python" -m bench.ledger --by django

# No hand-over after a withdrawal, 20,000 times for each of ten seeds; a sender killed at each point of 10,000 messages.
soak-sending: setup
	COMITY_WITHDRAWALS=20000 COMITY_WITHDRAWAL_SEEDS=10 "$(bin)/python" -m pytest -s tests/post/test_withdrawals.py
	COMITY_KILLED_MESSAGES=10000 "$(bin)/python" -m pytest tests/post/test_killing.py

# Nothing of whoever was erased is found in any copy, past the horizon; and how long erasing takes.
soak-forgetting: setup
	"$(bin)/python" -m bench.forgetting --people 1000 --erased 100
	"$(bin)/python" -m bench.erasing

soak-faults: setup
	"$(bin)/python" -m bench.faults --minutes 10

# The pictures of the README, taken from a demo of their own. Needs Chromium.
screenshots: setup
	"$(bin)/python" tools/screenshots.py $(ARGS)

setup:
	@sh scripts/setup "$(VENV)" $(LOCKS)

# Pins everything anew, the build backends of Comity and of PySpark too (add UPGRADE=--upgrade for newer versions). Needs uv. The files name no index and no host.
UPGRADE ?=
compile  = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
           --custom-compile-command 'make lock' $(UPGRADE)
backends = import tomllib; ours = tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"]; \
           print(*ours, "setuptools", sep="\n")

lock: setup
	$(compile) pyproject.toml -o requirements/runtime.txt
	$(compile) pyproject.toml --extra book -c requirements/runtime.txt -o requirements/book.txt
	$(compile) pyproject.toml --extra dev -c requirements/book.txt -o requirements/dev.txt
	$(compile) pyproject.toml --extra spark -c requirements/dev.txt -o requirements/spark.txt
	$(compile) pyproject.toml --extra bench -c requirements/dev.txt -o requirements/bench.txt
	"$(bin)/python" -c '$(backends)' | $(compile) -c requirements/dev.txt - -o requirements/build.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
