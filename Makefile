# `make app` and `make test` do all their own set-up; a second call of either installs nothing.
PORT ?= 8501
ADDRESS ?= 127.0.0.1
PYTHON ?=
ARGS ?=
export PYTHON
python := .venv/bin/python

.PHONY: help app test torture lint format clean

help:
	@echo 'make app      the app on http://localhost:8501; PORT=... for another port;'
	@echo '              ADDRESS=0.0.0.0 serves it to others, who sign in with the token that is printed'
	@echo 'make test     lint, format check, unit tests, doctests, page tests, browser tests (their pictures: screenshots/);'
	@echo '              ARGS=... goes to pytest'
	@echo 'make torture  cause every fault of docs/reliability.md for real, some minutes; as root for the mounts'
	@echo 'make lint     ruff check and format check alone'
	@echo 'make format   let ruff put the code in order'
	@echo 'make clean    remove .venv and what was built'
	@echo 'PYTHON=/path/to/python3.x goes with each; default: the newest suitable one on the PATH'

app:
	@tools/environment.sh app '$(PORT)'
	@exec $(python) app/serve.py --address '$(ADDRESS)' --port '$(PORT)'

test:
	@tools/environment.sh test
	@$(python) -m ruff check
	@$(python) -m ruff format --check
	@OMP_NUM_THREADS=1 PURSUHINT_SCREENSHOTS='$(CURDIR)/screenshots' $(python) -m pytest -n auto --dist worksteal $(ARGS)

torture:
	@tools/environment.sh test
	@OMP_NUM_THREADS=1 $(python) -m benchmarks.torture --write docs/reliability.md $(ARGS)

lint:
	@tools/environment.sh test
	@$(python) -m ruff check
	@$(python) -m ruff format --check

format:
	@tools/environment.sh test
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

clean:
	rm -rf .venv build dist screenshots *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
