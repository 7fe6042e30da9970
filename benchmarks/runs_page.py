"""How long the Runs page's data take: a long journal, each second of it, and a thousand finished runs.

    python -m benchmarks.runs_page [--steps 100000] [--runs 1000] [--points 10000]

Aims: a journal of 100,000 steps is opened in about a second and then read on within milliseconds, at most
1,000 points of a line are sent, a list of 1,000 runs is there in less than 1 s without their journals.
Times are of this process's work (CPU), so that a busy machine tells the same as an idle one.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pursuhint.runs import History, RunFolder, RunIndex, create_run
from pursuhint.runs.panels import PALETTE, Shown, curves
from pursuhint.training.settings import RunSettings, make_settings

PER_EPOCH = 20
STEPS_PER_SECOND = 4


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns, and its milliseconds of CPU."""
    start = time.process_time()
    found = call()
    return found, 1e3 * (time.process_time() - start)


def step(number: int) -> dict[str, Any]:
    """Return a logged step of a distillation at three hint points."""
    fall = 1 / (1 + number / 2e4)
    hints = {f"hint/layer{stage}.2->layer{stage}.0": fall / stage for stage in (1, 2, 3)}
    terms = {"cls": 1.2 * fall, "logit": 1.1 * fall, "hint": sum(hints.values())}
    named = {"cls": 1.2 * fall, "logit": 2.3 * fall, **hints}
    weighted = {"weighted": terms, "total": sum(terms.values()), "learning_rate": 0.05 * fall}
    place = {"time": 1.7e9 + number / STEPS_PER_SECOND, "step": number + 1, "epoch": (number + 1) / PER_EPOCH}
    return {"kind": "step", **place, **weighted, "raw": named, "contributions": named}


def write(run: RunFolder, points: int, *, state: str = "finished") -> None:
    """Write a journal as the worker leaves it."""
    lines = [{"kind": "start", "time": 1.7e9, "steps_per_epoch": PER_EPOCH, "parameters": 78_042}]
    epoch = {"kind": "epoch", "validation_cross_entropy": 0.4, "images_per_second": 900.0, "seconds": 9.0}
    for number in range(points):
        lines.append(step(number))
        if (number + 1) % PER_EPOCH == 0:
            passed = (number + 1) // PER_EPOCH
            share = 0.9 - 0.5 / (1 + passed)
            lines.append(epoch | {"epoch": passed, "time": 1.7e9 + number, "validation_accuracy": share})
    lines.append({"kind": "state", "time": 1.7e9 + points, "state": state, "reason": ""})
    run.journal.path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def settings(number: int, epochs: int) -> RunSettings:
    """Return the settings of a run without a teacher."""
    given = {"kind": "train", "student": "zoo:resnet8", "data": "digits", "preprocess": "digits"}
    return make_settings(**given, name=f"run {number}", seed=number, epochs=epochs)


def long_journal(folder: Path, steps: int) -> None:
    """Print how long it takes to open a long journal, to read it on and to draw it."""
    run = create_run(settings(0, steps // PER_EPOCH + 1), folder=folder)
    write(run, steps)
    size = run.journal.size() / 1e6
    history, opening = timed(run.history)
    shown = [Shown(run.id, "run", PALETTE[0], history)]
    epochs = steps // PER_EPOCH + 1
    _, drawing = timed(lambda: curves(shown, epochs=epochs))

    def tick(history: History = history) -> dict[str, Any]:
        run.history(history)
        return curves(shown, epochs=epochs)

    for number in range(steps, steps + STEPS_PER_SECOND):
        run.journal.append(**{name: value for name, value in step(number).items() if name != "time"})
    content, ticking = timed(tick)
    sent = len(json.dumps(content))
    most = max(len(line["x"]) for panel in content["panels"] for line in panel["lines"])
    middle = epochs / 2
    zoomed, zooming = timed(lambda: curves(shown, epochs=epochs, view=(middle, middle + 2)))
    lines = [line for panel in zoomed["panels"] for line in panel["lines"]]
    inside = sum(middle <= place <= middle + 2 for place in lines[1]["x"])
    print(f"journal of {steps:,} steps           {size:8.1f} MB")
    print(f"opened                              {opening:8.0f} ms")
    print(f"drawn                               {drawing:8.1f} ms")
    print(f"a tick: {STEPS_PER_SECOND} steps more, read and drawn {ticking:8.1f} ms")
    print(f"sent a tick                         {sent / 1e3:8.0f} kB, at most {most} points a line")
    print(f"two epochs looked at                {zooming:8.1f} ms, {inside} points a line in them")


def many_runs(folder: Path, runs: int, points: int) -> None:
    """Print how long the list of many runs takes, the first time ever, in a new process, and later."""
    first = create_run(settings(0, points // PER_EPOCH), folder=folder)
    write(first, points)
    for number in range(1, runs):
        run = create_run(settings(number, points // PER_EPOCH), folder=folder)
        os.link(first.journal.path, run.journal.path)  # one file on the disk, read as often as there are runs
    index = RunIndex(folder)
    (found, problems), once = timed(index.summaries)
    assert len(found) == runs and not problems
    _, again = timed(RunIndex(folder).summaries)
    _, later = timed(index.summaries)
    _, opening = timed(lambda: RunFolder(first.path).history())
    print(f"\n{runs:,} runs of {points:,} points, {runs * first.journal.size() / 1e6:,.0f} MB of journals")
    print(f"summed up, once ever                {once:8.0f} ms")
    print(f"listed by a new process             {again:8.0f} ms")
    print(f"listed again                        {later:8.0f} ms")
    print(f"one of them opened                  {opening:8.0f} ms")


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--points", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        long_journal(Path(folder) / "long", given.steps)
        many_runs(Path(folder) / "many", given.runs, given.points)


if __name__ == "__main__":
    main()
