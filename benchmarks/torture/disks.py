"""Disks and clocks that fail: full, read-only, damaged, set back; data that change under a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.torture.bench import Bench, Row, after_a_fault, follows_the_table, fork_worker, wait_for
from pursuhint.errors import PursuhintError, StorageError
from pursuhint.jobs import Journal
from pursuhint.training.checkpoint import checkpoints


def full(bench: Bench, tries: int) -> Row:
    """Let runs fill a file system of some hundred kilobytes, then give it more space."""
    row = Row(
        "a full disk ends the run with its reason; with space it goes on and ends as an undisturbed one",
        "a file system of 80 to 260 kB that the run fills; then 20 MB",
    )
    while row.tries < tries:
        size = bench.random.randint(80, 260)
        with _mounted(bench.folder / "small", f"size={size}k", row) as disk:
            if disk is None:
                return row
            run = bench.new_run(disk)
            wait_for(fork_worker(run))
            state = run.last_state()
            if state["state"] == "finished":
                continue  # so much was enough
            row.tries += 1
            row.lost += after_a_fault(run, b"")
            if "No space left on device" not in state["reason"]:
                row.lost.append(f"ended {state['state']} with `{state['reason']}` at {size} kB")
            subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
            row.lost += bench.finish(run)
    return row


def read_only(bench: Bench, tries: int) -> Row:
    """Make the file system read-only while a run trains; starting there is refused."""
    row = Row(
        "a folder that becomes read-only ends the run and refuses a start in words; later it goes on",
        "a file system that is remounted read-only at a random moment of the run, later writable again",
    )
    for _ in range(tries):
        with _mounted(bench.folder / "locked", "size=20m", row) as disk:
            if disk is None:
                return row
            run = bench.new_run(disk)
            pid = fork_worker(run)
            time.sleep(bench.random.uniform(0.2, 0.7) * bench.seconds)
            os.kill(pid, signal.SIGSTOP)  # nothing may be open for writing at the moment of the remount
            done = subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True)
            if done.returncode:  # busy: files are open; a bind mount would hide the same
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            else:
                os.kill(pid, signal.SIGCONT)
                wait_for(pid)
            row.tries += 1
            if run.journal.path.is_file():
                row.lost += after_a_fault(run, b"")
            try:
                run.launch()
                row.lost.append("a start in a read-only folder was not refused")
            except StorageError as error:
                if "Read-only file system" not in str(error):
                    row.lost.append(f"refused with `{error}`")
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            row.lost += bench.finish(run)
    return row


def damaged(bench: Bench, tries: int) -> Row:
    """Damage the newest checkpoint of a killed run in one of three ways."""
    row = Row(
        "a damaged newest checkpoint is stepped over and said; the run ends as an undisturbed one",
        "the file cut short, emptied or 64 of its bytes changed",
    )
    while row.tries < tries:
        run = bench.new_run()
        pid = fork_worker(run)
        deadline = time.monotonic() + 60
        while len(checkpoints(run.checkpoint_folder)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if len(kept := checkpoints(run.checkpoint_folder)) < 2:
            continue
        way = ("cut", "emptied", "changed")[row.tries % 3]
        _damage(kept[-1], way, bench)
        row.tries += 1
        found = bench.finish(run)
        row.lost += [f"{way}: {text}" for text in found]
        if not any("cannot be read; going on from" in text for text in run.history().warnings):
            row.lost.append(f"{way}: not said")
    return row


def clock(bench: Bench, tries: int) -> Row:
    """Set the clock of a worker back by up to a day while it trains."""
    row = Row(
        "a clock that is set back breaks nothing: no time of a journal goes back, the figures are the same",
        "an injected clock that goes back by up to a day in the middle, then a start with the true one",
    )
    for _ in range(tries):
        run, back = bench.new_run(), bench.random.uniform(60, 86_400)
        turn = time.time() + bench.random.uniform(0.2, 0.8) * bench.seconds

        def prepare(turn: float = turn, back: float = back) -> None:
            def odd() -> float:
                now = time.time()
                return now - back if now > turn else now

            Journal.__init__.__kwdefaults__["clock"] = odd

        pid = fork_worker(run, prepare=prepare)
        time.sleep(0.9 * bench.seconds)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        row.tries += 1
        row.lost += follows_the_table(run)
        if run.last_state()["state"] != "finished":
            row.lost += bench.finish(run)
    return row


def data(bench: Bench, tries: int) -> Row:
    """Change the image folder of a stopped run: another picture, then one picture fewer."""
    row = Row(
        "changed data are noticed when a run goes on: other pictures are said, another number is refused",
        "one file of an image folder written over, then one removed, between two parts of a run",
    )
    for number in range(tries):
        root = bench.folder / f"pictures-{number}"
        _draw(root, bench)
        settings = {"data": f"folder:{root}", "limit": None, "augmentation": "none"}
        run = bench.new_run(**settings)
        _stop_in_the_middle(run)
        _picture(next((root / "train" / "a").iterdir()), bench)
        _stop_in_the_middle(run)
        if not any("the images or labels have changed" in text for text in run.history().warnings):
            row.lost.append("another picture was not said")
        next((root / "train" / "b").iterdir()).unlink()
        wait_for(fork_worker(run))
        row.tries += 1
        if "put the data back" not in run.last_state()["reason"]:
            row.lost.append(f"one picture fewer was not refused: {run.last_state()}")
        shutil.rmtree(root)
    return row


def _stop_in_the_middle(run) -> None:
    before = len(run.history().epochs)
    pid = fork_worker(run)
    deadline = time.monotonic() + 60
    while len(run.history().epochs) <= before and time.monotonic() < deadline:
        time.sleep(0.01)
    run.ask_to_stop()
    wait_for(pid)
    if run.last_state()["state"] not in ("stopped", "finished"):
        raise PursuhintError(f"the run did not stop: {run.last_state()}; see `{run.log}`")


def _draw(root: Path, bench: Bench) -> None:
    for split, count in (("train", 40), ("val", 8)):
        for name in "ab":
            for index in range(count):
                _picture(root / split / name / f"{index}.png", bench)


def _picture(path: Path, bench: Bench) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.frombuffer(bench.random.randbytes(8 * 8 * 3), np.uint8).reshape(8, 8, 3)
    Image.fromarray(pixels).save(path)


def _damage(path: Path, way: str, bench: Bench) -> None:
    content = bytearray(path.read_bytes())
    if way == "changed":
        start = bench.random.randrange(len(content) // 2)
        content[start : start + 64] = bench.random.randbytes(64)
    size = {"cut": len(content) // 2, "emptied": 0, "changed": len(content)}[way]
    path.write_bytes(content[:size])


@contextmanager
def _mounted(place: Path, options: str, row: Row) -> Iterator[Path | None]:
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        row.note = "needs the right to mount"
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
