"""Contestants of a benchmark, each in a process of its own, so that none warms up or tunes another's.

A benchmark module calls `contest` with its contestants; started with ``--contestant NAME`` it runs that one
once and prints how long it took, started without it runs all of them in turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

Contestant = Callable[[argparse.Namespace], Callable[[], np.ndarray | None]]
"""Prepares, untimed, and returns the work, which may return a result to compare."""


def contest(
    module: str, given: argparse.Namespace, contestants: dict[str, Contestant]
) -> tuple[dict[str, float], dict[str, np.ndarray]] | None:
    """Time contestants in turns.

    Args:
        module: the benchmark's own name, to start it again.
        given: its options, with ``contestant``, ``result`` and ``rounds``.
        contestants: name -> what prepares its work.

    Returns:
        Name -> its quickest time in seconds, and name -> its result where it has one; None in the process of
        a contestant, which has printed its time and is to end.
    """
    if given.contestant:
        _run_one(contestants[given.contestant](given), Path(given.result))
        return None
    seconds: dict[str, float] = {}
    results: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for name in contestants:
                result = Path(folder) / f"{name}.npy"
                took = _start(module, name, result, given)
                seconds[name] = min(seconds.get(name, took), took)
                if result.is_file():
                    results[name] = np.load(result)
    return seconds, results


def _run_one(work: Callable[[], np.ndarray | None], result: Path) -> None:
    start = time.perf_counter()
    found = work()
    took = time.perf_counter() - start
    if found is not None:
        np.save(result, found)
    print(json.dumps({"seconds": took}))


def _start(module: str, name: str, result: Path, given: argparse.Namespace) -> float:
    options: list[str] = ["--contestant", name, "--result", str(result)]
    for option, value in vars(given).items():
        if option not in ("contestant", "result", "rounds") and value not in (None, False):
            options += [f"--{option.replace('_', '-')}", *([] if value is True else [str(value)])]
    done = subprocess.run(
        [sys.executable, "-m", module, *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr.strip().splitlines()[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer["seconds"]
