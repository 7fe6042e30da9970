"""Train the students that the lesson shows: ``python tools/lesson_trainings.py`` writes their figures.

Every student is the same tiny network, trained on the built-in digits for the same few epochs. What differs
is what it is taught by: labels, the teacher's answers, hint points at many places, hints of several
strengths; and the seed. Takes about ten minutes on one core; the summary is `assets/lesson/trainings.json`.
"""

from __future__ import annotations

import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.comparison import beside_presets
from pursuhint.files import write_json
from pursuhint.hints import choose_hints
from pursuhint.lesson.trainings import TRAININGS
from pursuhint.plan import HintPlan
from pursuhint.runs import RunFolder, create_run
from pursuhint.runs.worker import work
from pursuhint.training.settings import RunSettings, Weights, make_settings

STUDENT, EPOCHS = "zoo:resnet8?width=0.25", 8
SEEDS = range(8)
SHARE = 0.5
"""Of the gradient that the hints get where their place is the question; that of the app and of the demo."""
SHARES, SHARE_SEEDS = (0.01, 0.1, 0.5, 2.0, 8.0), range(2)


@dataclass(frozen=True)
class Arm:
    """What a student is taught by.

    Attributes:
        name: key of the arm.
        hint_points: layers of the teacher; empty for none.
        logits: whether it hears the teacher's answers.
        share: of the hints' gradient, that of the labels being 1.
    """

    name: str
    hint_points: tuple[str, ...] = ()
    logits: bool = True
    share: float = SHARE


def arms(analysis: AnalysisFolder, automatic: HintPlan, seed: int) -> Iterator[Arm]:
    """Yield what is compared at one seed; the random places are others at every seed."""
    layers = automatic.layers
    best = next(row for row in beside_presets(analysis, automatic) if row.name.startswith("Best"))
    yield Arm("labels", logits=False)
    yield Arm("kd")
    yield Arm("automatic", automatic.hint_points)
    yield Arm("coverage", best.hint_points)
    for preset in ("stage_ends", "uniform", "random"):
        yield Arm(preset, choose_hints(analysis, method=preset, seed=seed).hint_points)
    yield Arm("first", layers[:3])
    yield Arm("last", layers[-3:])


def settings_of(arm: Arm, automatic: HintPlan, seed: int) -> RunSettings:
    """Return the settings of one training; arms differ in nothing but what teaches."""
    taught = arm.logits or bool(arm.hint_points)
    plan = automatic.with_hint_points(arm.hint_points) if arm.hint_points else automatic
    return make_settings(
        kind="distill" if taught else "train",
        name=f"{arm.name} {arm.share:g} seed {seed}",
        student=STUDENT,
        data=automatic.data,
        preprocess=automatic.teacher.preprocess,
        plan=plan if taught else None,
        logit_loss="kd" if arm.logits else "none",
        hint_loss="at" if arm.hint_points else "none",
        weights=Weights(mode="balanced", cls=1.0, logit=1.0, hint=arm.share),
        epochs=EPOCHS,
        batch_size=64,
        learning_rate=0.1,
        seed=seed,
        threads=1,
        device="cpu",
    )


def trained(arm: Arm, automatic: HintPlan, seed: int, folder: Path) -> dict[str, Any]:
    """Train one student and return what the lesson shows of it."""
    run = create_run(settings_of(arm, automatic, seed), folder=folder)
    final = work(run)
    entry = {"arm": arm.name, "seed": seed, "hint_points": list(arm.hint_points)}
    entry |= {"share": arm.share, "accuracy": final["test_accuracy"]}
    return entry | {"curves": curves(run)}


def curves(run: RunFolder) -> dict[str, list[float]]:
    """Return each term without its weight, epoch by epoch; the hints' mean over the pairs."""
    terms: dict[str, list[float]] = {}
    for _, steps in groupby(run.history().steps, key=lambda step: int(np.ceil(step["epoch"] - 1e-9))):
        raws = [step["raw"] for step in steps]
        for term in sorted({name.partition("/")[0] for name in raws[0]}):
            values = [raw[name] for raw in raws for name in raw if name.partition("/")[0] == term]
            terms.setdefault(term, []).append(round(statistics.mean(values), 6))
    return terms


def train_all(analysis: AnalysisFolder, automatic: HintPlan, folder: Path) -> Iterator[dict[str, Any]]:
    """Train one student after the other; yield after each seed what there is so far."""
    places: list[dict[str, Any]] = []
    strengths: list[dict[str, Any]] = []
    for seed in SEEDS:
        for share in SHARES if seed in SHARE_SEEDS else ():
            found = trained(Arm("automatic", automatic.hint_points, share=share), automatic, seed, folder)
            strengths.append({name: found[name] for name in ("share", "seed", "accuracy", "curves")})
        for arm in arms(analysis, automatic, seed):
            found = trained(arm, automatic, seed, folder)
            places.append({name: found[name] for name in ("arm", "seed", "hint_points", "accuracy")})
        yield {"places": places, "strengths": strengths}


def main() -> None:
    """Train everything and write the summary, seed by seed."""
    analysis, began = AnalysisFolder.open(BUILTIN_ANALYSIS), time.process_time()
    automatic = choose_hints(analysis)
    example = settings_of(Arm("automatic", automatic.hint_points), automatic, 0)
    about = {
        "command": "python tools/lesson_trainings.py",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "student": STUDENT,
        "hint_loss": example.hint_loss,
        "share": SHARE,
        "epochs": EPOCHS,
        "batch_size": example.batch_size,
        "learning_rate": example.learning_rate,
        "test_images": analysis.test_score["n"],
    }
    with tempfile.TemporaryDirectory() as folder:
        for found in train_all(analysis, automatic, Path(folder)):
            write_json(TRAININGS, about | {"seconds": round(time.process_time() - began)} | found)
            print(f"{len(found['places']) + len(found['strengths'])} trainings", flush=True)


if __name__ == "__main__":
    main()
