"""Examining a finished student: ``python -m pursuhint.runs.examine FOLDER`` writes its report card."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pursuhint.errors import InputError, PursuhintError
from pursuhint.jobs import NICENESS, JobFolder, answer, log_lines
from pursuhint.runs.folder import EXAMINATION, RunFolder
from pursuhint.runs.report_card import FIGURES, Answers, ReportCard

if TYPE_CHECKING:
    from torch import nn

    from pursuhint.data import Split
    from pursuhint.preprocess import Preprocess

MODULE = "pursuhint.runs.examine"
PICTURED = 60
"""Disagreements that are kept with a thumbnail, those where the student errs most surely first."""
THUMBNAIL = 96
"""Longest side of a thumbnail in pixels."""


class Examination(JobFolder):
    """The examination of one run's student, a job in a folder of its own inside the run's.

    Args:
        run: a finished run.
    """

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run.path / EXAMINATION)
        self.run = run

    @property
    def is_done(self) -> bool:
        """Whether the card is there."""
        return (self.path / FIGURES).is_file()

    def card(self) -> ReportCard:
        """Return the card.

        Raises:
            InputError: it is not there or damaged.
        """
        return ReportCard.load(self.path)

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            InputError: there is no student to examine.
        """
        if not self.run.student.is_file():
            raise InputError(f"run `{self.run.id}` has no student yet; wait until it has finished")
        if not (self.path / "settings.json").is_file():
            self.create({})

    def launch(self) -> int:
        """Examine in a process of its own and return the process number."""
        self.prepare()
        return self.start(MODULE, threads=self.run.run_settings.threads)


def examine(run: RunFolder, *, own: bool = False) -> ReportCard:
    """Ask a run's student and its teacher about the test images, and keep the report card.

    Args:
        run: a finished one.
        own: this process is there for the run alone, so that it may be ended when the run is deleted.

    Raises:
        InputError: there is no student, or data or teacher cannot be loaded; PursuhintError: it failed. The
            examination's journal then says so too.
    """
    examination = Examination(run)
    examination.prepare()
    with examination.claim(own=own):
        try:
            card = _examine(run)
            card.save(examination.path)
        except PursuhintError as error:
            examination.set_state("failed", reason=str(error))
            raise
        except Exception as error:
            raise examination.fail(error) from error
        examination.set_state("finished")
    return card


def _examine(run: RunFolder) -> ReportCard:
    from pursuhint.data import load_data
    from pursuhint.models import build_model
    from pursuhint.preprocess import parse_preprocess
    from pursuhint.teacher import load_teacher
    from pursuhint.training.beginning import begin

    settings = run.run_settings
    data = load_data(settings.data)
    preprocess, split = parse_preprocess(settings.preprocess), data.test
    classes = len(data.classes)
    untrained = begin(settings, classes).network.model
    student = build_model(settings.student, classes=classes, weights=run.student).model
    teacher = None
    if settings.plan:
        ref = settings.plan.teacher
        weights = settings.teacher_weights or ref.weights
        loaded = load_teacher(ref.spec, weights=weights, data=data, preprocess=ref.preprocess)
        settings.plan.check_teacher(loaded.hash)
        teacher = ask(loaded.model, split, loaded.preprocess)
    own = ask(student, split, preprocess)
    pictured = np.arange(0)
    card = ReportCard(
        data.classes,
        "test",
        split.ids,
        split.labels,
        own,
        teacher,
        float((ask(untrained, split, preprocess).classes == split.labels).mean()),
        pictured,
        thumbnails(split, pictured),
    )
    pictured = card.disagreements() if teacher else np.flatnonzero(own.classes != split.labels)
    pictured = pictured[:PICTURED]
    return ReportCard(**vars(card) | {"pictured": pictured, "thumbnails": thumbnails(split, pictured)})


def ask(model: nn.Module, split: Split, preprocess: Preprocess) -> Answers:
    """Return what a network answers on a split."""
    from scipy.special import softmax

    from pursuhint.teacher import logits_of

    probabilities = softmax(logits_of(model, split, preprocess).astype(np.float64), axis=1)
    return Answers(probabilities.argmax(axis=1), probabilities.max(axis=1).astype(np.float32))


def thumbnails(split: Split, positions: np.ndarray) -> np.ndarray:
    """Return the images at these positions, uint8; large ones by every k-th pixel."""
    height, width = split.source.shape[1:3]
    every = -(-max(height, width) // THUMBNAIL)
    return split.images(positions)[:, ::every, ::every]


def main() -> int:
    """Examine the student of the run that the folder named on the command line lies in."""
    os.nice(NICENESS)
    run = RunFolder(Path(sys.argv[1]).parent)
    with log_lines(f"{run.id}/{EXAMINATION}"):
        return answer(lambda: examine(run, own=True))


if __name__ == "__main__":
    sys.exit(main())
