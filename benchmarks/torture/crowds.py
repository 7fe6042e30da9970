"""Several who act on the same runs at once, and a mirror that comes and goes."""

from __future__ import annotations

import importlib.util
import os
import random
import sqlite3
import sys
import time
from contextlib import suppress

from benchmarks.torture.bench import Bench, Row, follows_the_table, fork_worker, wait_for
from pursuhint.errors import PursuhintError
from pursuhint.jobs.stopping import stop, stop_soon
from pursuhint.runs import RunFolder

ACTING = 25.0
"""Seconds for which the crowd acts."""


def crowd(bench: Bench, tries: int) -> Row:
    """Let four processes start, stop and read the same two runs, as two apps and two terminals would."""
    row = Row(
        "two apps and two command lines at once: one worker a run, no state out of order, the same end",
        f"four processes that start, stop and read two runs at random for {ACTING:.0f} s",
    )
    for _ in range(tries):
        runs = [bench.new_run(), bench.new_run()]
        people = [_person(runs, bench.random.randrange(10**6)) for _ in range(4)]
        for pid in people:
            if wait_for(pid):
                row.lost.append("somebody was shown an error that is none of ours; see above")
        for run in runs:
            stop(run)
            row.tries += 1
            row.lost += follows_the_table(run)
            if run.is_live():
                row.lost.append(f"did not stop: {run.last_state()}")
            elif run.last_state()["state"] != "finished":
                row.lost += bench.finish(run)
    return row


def _person(runs: list[RunFolder], seed: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        chance, end = random.Random(seed), time.monotonic() + ACTING
        while time.monotonic() < end:
            run = chance.choice(runs)
            act = chance.choice([RunFolder.launch, RunFolder.launch, RunFolder.summary, stop_soon])
            with suppress(PursuhintError):  # such as: it has finished
                act(run)
            time.sleep(chance.uniform(0, 2.0))
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        os._exit(code)


def mirror(bench: Bench, tries: int) -> Row:
    """Lock MLflow's data base while a run trains."""
    row = Row(
        "a mirror that cannot be written for a while stops nothing and is complete afterwards",
        "MLflow's data base locked for 8 s from the middle of a run on",
    )
    if importlib.util.find_spec("mlflow") is None:
        row.note = "MLflow is not installed"
        return row
    for _ in range(tries):
        run = bench.new_run(mirrors=("mlflow",), epochs=10)
        pid = fork_worker(run)
        base = run.path / "mlflow.json"
        while not base.is_file():
            time.sleep(0.05)
        with sqlite3.connect(run.path / "mlflow.db", timeout=30, isolation_level=None) as held:
            held.execute("BEGIN EXCLUSIVE")
            time.sleep(8)
            held.execute("ROLLBACK")
        wait_for(pid, 180)
        row.tries += 1
        row.lost += _compared(run)
    return row


def _compared(run: RunFolder) -> list[str]:
    from mlflow import MlflowClient

    if run.last_state()["state"] != "finished":
        return [f"the run ended {run.last_state()['state']}"]
    client = MlflowClient(f"sqlite:///{run.path / 'mlflow.db'}")
    (found,) = client.search_runs([client.get_experiment_by_name("pursuhint").experiment_id])
    points = {(one.step, one.value) for one in client.get_metric_history(found.info.run_id, "loss")}
    expected = {(step["step"], step["total"]) for step in run.history().steps}
    return [] if points == expected else [f"{len(expected - points)} of {len(expected)} steps are missing"]
