"""Processes that die: the worker at any moment and at each kind of write, the app, the whole machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.torture.bench import Bench, Row, after_a_fault, fork_worker, wait_for
from pursuhint.runs import RunFolder

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
TORN = b'{"time": 1.0, "kind": "step", "tot'


def at_random_times(bench: Bench, tries: int) -> Row:
    """Kill workers at random moments of their lives, some in the middle of a line of the journal."""
    row = Row(
        "a killed worker loses no reported metric and no whole checkpoint; the end is an undisturbed run's",
        "SIGKILL at random moments of a run; after every third the journal ends in half a line",
    )
    run = bench.new_run()
    while row.tries < tries:
        pid = fork_worker(run)
        time.sleep(bench.random.uniform(0.0, 0.8) * bench.seconds)
        _kill_and_check(run, pid, row)
        if row.tries % 3 == 0 and run.last_state()["state"] == "lost":
            with open(run.journal.path, "ab") as file:
                file.write(TORN)
        run = _next(bench, run, row)
    row.lost += bench.finish(run)
    return row


def at_writes(bench: Bench, tries: int) -> Row:
    """Kill workers just before or after a flush to disk or a renaming of any of their files."""
    row = Row(
        "no file shows under its final name before it is whole",
        "the worker kills itself before or after the n-th flush or renaming (journal, checkpoint, student)",
    )
    run = bench.new_run()
    while row.tries < tries:
        name = bench.random.choice(["fsync", "replace"])
        after, count = bench.random.random() < 0.5, bench.random.randint(1, 14 if name == "fsync" else 5)

        def prepare(name: str = name, after: bool = after, count: int = count) -> None:
            _die_at(name, count, after=after)

        wait_for(fork_worker(run, prepare=prepare))
        row.tries += 1
        row.lost += after_a_fault(run, b"")
        run = _next(bench, run, row)
    row.lost += bench.finish(run)
    return row


def the_app(bench: Bench, tries: int) -> Row:
    """Kill the process that started a run, as the app does, soon after."""
    row = Row("a run outlives whoever started it", "SIGKILL of the starting process within two seconds")
    script = (
        "import sys, time; from pathlib import Path; from pursuhint.runs import RunFolder\n"
        "RunFolder(Path(sys.argv[1])).launch(); print('started', flush=True); time.sleep(60)"
    )
    for _ in range(tries):
        run = bench.new_run()
        app = subprocess.Popen([sys.executable, "-c", script, str(run.path)], stdout=subprocess.PIPE)
        app.stdout.readline()
        time.sleep(bench.random.uniform(0, 2))
        app.kill()
        app.wait()
        deadline = time.monotonic() + 120
        while run.is_live() and time.monotonic() < deadline:
            time.sleep(0.1)
        row.tries += 1
        if run.last_state()["state"] != "finished":
            row.lost.append(f"the run ended {run.last_state()['state']}")
    return row


def the_machine(bench: Bench, tries: int) -> Row:
    """Kill the worker and give its number to another program."""
    row = Row(
        "after a restart no run is shown as running, whoever has its process number now",
        "SIGKILL of every process of the run, then another program started under the same number",
    )
    if not os.access(LAST_PID, os.W_OK):
        row.note = "needs root"
        return row
    for _ in range(tries * 5):
        if row.tries == tries:
            break
        run = bench.new_run()
        pid = fork_worker(run)
        _until_running(run)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        LAST_PID.write_text(str(pid - 1))
        other = subprocess.Popen(["sleep", "60"])
        try:
            if other.pid != pid:
                continue  # somebody else was quicker
            row.tries += 1
            row.lost += after_a_fault(run, b"")
            row.lost += bench.finish(run)
        finally:
            other.kill()
            other.wait()
    return row


def _next(bench: Bench, run: RunFolder, row: Row) -> RunFolder:
    """Return the run to go on with: a new one when the last one has come to its end in spite of all."""
    if run.last_state()["state"] != "finished":
        return run
    row.lost += bench.finish(run) if not run.student.is_file() else _compared(bench, run)
    return bench.new_run()


def _compared(bench: Bench, run: RunFolder) -> list[str]:
    same = run.student.read_bytes() == bench.whole.student.read_bytes()
    return [] if same else ["another student than the undisturbed run"]


def _kill_and_check(run: RunFolder, pid: int, row: Row) -> None:
    path = run.journal.path
    seen = path.read_bytes() if path.is_file() else b""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    row.tries += 1
    if path.is_file():
        row.lost += after_a_fault(run, seen)


def _until_running(run: RunFolder) -> None:
    deadline = time.monotonic() + 60
    while not (run.checkpoint_folder.is_dir() or time.monotonic() > deadline):
        time.sleep(0.01)


def _die_at(name: str, count: int, *, after: bool) -> None:
    original, left = getattr(os, name), iter(range(count - 1, -1, -1))

    def call(*arguments: object, **options: object) -> object:
        last = next(left, -1) == 0
        if last and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = original(*arguments, **options)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(os, name, call)
