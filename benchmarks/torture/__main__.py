"""Run the series: ``python -m benchmarks.torture [--write docs/reliability.md]``; as root, for the mounts."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
from benchmarks.torture import crowds, disks, hostile, kills, strangers
from benchmarks.torture.bench import Bench, Row

Series = tuple[tuple[Callable[[Bench, int], Row], int], ...]
FAULTS: Series = (
    (kills.at_random_times, 60),
    (kills.at_writes, 40),
    (kills.the_app, 3),
    (kills.the_machine, 5),
    (disks.full, 6),
    (disks.read_only, 4),
    (disks.damaged, 9),
    (disks.clock, 5),
    (disks.data, 2),
    (crowds.crowd, 1),
    (crowds.mirror, 2),
    (strangers.strangers, 2_000),
)
HOSTILE: Series = (
    (hostile.checkpoints, 450),
    (hostile.code, 1),
    (hostile.bombs, 1),
    (hostile.images, 350),
    (hostile.many_images, 100_000),
    (hostile.plans, 5000),
    (hostile.paths, 1),
)
TABLES = {"<!-- the series -->": FAULTS, "<!-- hostile input -->": HOSTILE}
"""Mark around a table in the file -> the rows of the table."""


def main() -> int:
    """Cause every fault, print what came of it; 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="Put each whole table between its marks in this file.")
    parser.add_argument("--only", help="Of the faults, those whose name holds this.", default="")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.nice(10)
    rows, began = {mark: [] for mark in TABLES}, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        os.environ["PURSUHINT_HOME"] = folder
        bench = Bench(Path(folder), random.Random(given.seed))
        _import_everything(bench)
        bench.measure()
        for mark, fault, tries in ((mark, *one) for mark, series in TABLES.items() for one in series):
            name = f"{fault.__module__.rpartition('.')[2]}.{fault.__name__}"
            if given.only not in name:
                continue
            started = time.monotonic()
            row = fault(bench, tries)
            rows[mark].append(row)
            told = row.note or f"{row.tries} tries, {len(row.lost)} lost"
            print(f"{name:<24}{told:<24}{time.monotonic() - started:6.0f} s", flush=True)
            for text in row.lost:
                print(f"    {text}", flush=True)
    print(f"{time.monotonic() - began:.0f} s in all, seed {given.seed}")
    if given.write:
        for mark, series in TABLES.items():
            if len(rows[mark]) == len(series):
                before, _, after = given.write.read_text().split(mark)
                given.write.write_text(f"{before}{mark}\n{_table(rows[mark])}{mark}{after}")
    return int(any(row.lost for table in rows.values() for row in table))


def _import_everything(bench: Bench) -> None:
    """Import here what a worker imports, also what is imported late, so that its copies start at once."""
    for name in ("export", "runs.mirrors", "training.loop", "training.prepare"):
        importlib.import_module(f"pursuhint.{name}")
    student = sys.modules["pursuhint.training.prepare"].load_parts(bench.settings()).student.model
    sys.modules["torch"].optim.SGD(student.parameters(), lr=0.1)


def _table(rows: list[Row]) -> str:
    lines = ["| promise | how it is tested | tries | lost |", "|---|---|--:|--:|"]
    for row in rows:
        tries, lost = (row.note, "–") if row.note else (str(row.tries), str(len(row.lost)))
        lines.append(f"| {row.promise} | {row.how} | {tries} | {lost} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
