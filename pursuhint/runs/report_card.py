"""A student's report card: right answers class by class, beside its teacher's on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pursuhint.errors import InputError
from pursuhint.files import read_json, read_npz, write_atomic, write_json
from pursuhint.intervals import mcnemar, paired_difference, wilson

FIGURES, ARRAYS = "report.json", "report.npz"
VERSION = 1


@dataclass(frozen=True)
class Answers:
    """What a network answered.

    Attributes:
        classes: its answers, int, shape (n,).
        confidence: the probability it gave them, float32, shape (n,).
    """

    classes: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class ReportCard:
    """A student beside its teacher on the same images.

    Attributes:
        classes: names in label order.
        split: the part of the data that the images are of.
        ids: of the images, int64, shape (n,); `labels` likewise.
        student: its answers.
        teacher: likewise; None for a student without one.
        untrained_accuracy: of the student's start weights on the same images.
        pictured: positions of the images that have a thumbnail, int, shape (m,).
        thumbnails: uint8, shape (m, height, width, 3).
    """

    classes: tuple[str, ...]
    split: str
    ids: np.ndarray
    labels: np.ndarray
    student: Answers
    teacher: Answers | None
    untrained_accuracy: float
    pictured: np.ndarray
    thumbnails: np.ndarray

    @property
    def accuracy(self) -> float:
        """The student's share of right answers."""
        return float((self.student.classes == self.labels).mean())

    def confusion(self, of: Literal["student", "teacher"] = "student") -> np.ndarray:
        """Return how often an image of one class (row) was taken for another (column), int, shape (C, C)."""
        answers = self.student if of == "student" else self._taught
        count = len(self.classes)
        pairs = self.labels * count + answers.classes
        return np.bincount(pairs, minlength=count * count).reshape(count, count)

    @property
    def _taught(self) -> Answers:
        if self.teacher is None:
            raise InputError("this student had no teacher; only its own answers are known")
        return self.teacher

    def standing(self) -> dict[str, np.ndarray]:
        """Return how many images of each class both, one or none of the two got right, int, shape (C,)."""
        student, teacher = (one.classes == self.labels for one in (self.student, self._taught))
        cases = {
            "both": student & teacher,
            "student": student & ~teacher,
            "teacher": teacher & ~student,
            "neither": ~student & ~teacher,
        }
        count = len(self.classes)
        return {name: np.bincount(self.labels[case], minlength=count) for name, case in cases.items()}

    def disagreements(self) -> np.ndarray:
        """Return the positions of the images they answer differently, the student's surest errors first."""
        teacher = self._taught
        apart = np.flatnonzero(self.student.classes != teacher.classes)
        lost = (teacher.classes == self.labels)[apart]
        return apart[np.lexsort((-self.student.confidence[apart], ~lost))]

    def figures(self) -> dict[str, Any]:
        """Return everything that is not an array, as plain values; shares with their 95 % intervals."""
        n = len(self.labels)
        per_class = np.bincount(self.labels, minlength=len(self.classes))
        right = np.diagonal(self.confusion())
        low, high = wilson(right, per_class)
        found: dict[str, Any] = {
            "version": VERSION,
            "split": self.split,
            "n": n,
            "classes": list(self.classes),
            "student": {"accuracy": self.accuracy, "interval": _plain(wilson(int(right.sum()), n))},
            "untrained_accuracy": self.untrained_accuracy,
            "per_class": {
                "n": per_class.tolist(),
                "student": _shares(right, per_class),
                "low": low.tolist(),
                "high": high.tolist(),
            },
        }
        if self.teacher is not None:
            found |= self._beside_teacher(found["per_class"], per_class)
        return found

    def _beside_teacher(self, table: dict[str, Any], per_class: np.ndarray) -> dict[str, Any]:
        cases = self.standing()
        teacher = cases["both"] + cases["teacher"]
        order = ("both", "student", "teacher", "neither")
        change, low, high = paired_difference(*(cases[name] for name in order))
        table["teacher"] = _shares(teacher, per_class)
        table["change"], table["change_low"], table["change_high"] = (
            [None if np.isnan(value) else float(value) for value in values] for values in (change, low, high)
        )
        sums = {name: int(counts.sum()) for name, counts in cases.items()}
        whole = paired_difference(*(sums[name] for name in order))
        return {
            "teacher": {
                "accuracy": float(teacher.sum() / len(self.labels)),
                "interval": _plain(wilson(int(teacher.sum()), len(self.labels))),
            },
            "change": {"accuracy": float(whole[0]), "interval": _plain(whole[1:])},
            "mcnemar": sums | {"p": mcnemar(sums["student"], sums["teacher"])},
            "disagree": int((self.student.classes != self._taught.classes).sum()),
        }

    def save(self, folder: Path) -> None:
        """Write the card into a folder: figures as JSON, answers and thumbnails as NPZ."""
        arrays = {
            "ids": self.ids,
            "labels": self.labels,
            "student_answers": self.student.classes,
            "student_confidence": self.student.confidence,
            "confusion_student": self.confusion(),
            "pictured": self.pictured,
            "thumbnails": self.thumbnails,
        }
        if self.teacher is not None:
            arrays |= {
                "teacher_answers": self.teacher.classes,
                "teacher_confidence": self.teacher.confidence,
                "confusion_teacher": self.confusion("teacher"),
            }
        write_atomic(folder / ARRAYS, lambda file: np.savez_compressed(file, **arrays))
        write_json(folder / FIGURES, self.figures())

    @classmethod
    def load(cls, folder: Path) -> ReportCard:
        """Read a card.

        Raises:
            InputError: it is not there, damaged or of another version.
        """
        figures = read_json(folder / FIGURES)
        if figures.get("version") != VERSION:
            raise InputError(f"`{folder / FIGURES}` is of another version; examine the student again")
        arrays = read_npz(folder / ARRAYS, what="the answers of a student")
        try:
            teacher = None
            if "teacher_answers" in arrays:
                teacher = Answers(arrays["teacher_answers"], arrays["teacher_confidence"])
            return cls(
                tuple(figures["classes"]),
                figures["split"],
                arrays["ids"],
                arrays["labels"],
                Answers(arrays["student_answers"], arrays["student_confidence"]),
                teacher,
                figures["untrained_accuracy"],
                arrays["pictured"],
                arrays["thumbnails"],
            )
        except KeyError as error:
            raise InputError(f"`{folder / ARRAYS}` lacks {error}; examine the student again") from None


def _shares(right: np.ndarray, n: np.ndarray) -> list[float | None]:
    return [float(a / b) if b else None for a, b in zip(right, n, strict=True)]


def _plain(ends: tuple[np.ndarray, ...]) -> list[float]:
    return [float(end) for end in ends]
