# make demo   install what is needed and find real pictures by words, by example, near a place
# make test   install what is needed and run the tests
# make check  ruff, mypy --strict, import-linter      make bench  speed, memory and quality beside their peers

BIN := .venv/bin
.PHONY: install demo dev check test bench clean

install:
	@scripts/install demo

dev:
	@scripts/install dev

demo: install
	$(BIN)/cartolina demo

check: dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

test: dev
	$(BIN)/pytest --cov --cov-report=term:skip-covered --durations=15

bench: dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
