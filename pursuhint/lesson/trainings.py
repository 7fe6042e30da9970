"""The short trainings behind the lesson, and how far each choice of hint points is ahead of none."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.special import stdtrit

from pursuhint.errors import InputError, unknown
from pursuhint.files import read_json

TRAININGS = Path(__file__).parents[2] / "assets" / "lesson" / "trainings.json"
"""Made by `tools/lesson_trainings.py`."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Record):
    """One student, taught at one choice of hint points.

    Attributes:
        arm: what it was taught by, such as ``kd`` or ``stage_ends``.
        hint_points: layers of the teacher; empty for none.
        accuracy: on the test images, in [0, 1].
    """

    arm: str
    seed: int
    hint_points: tuple[str, ...]
    accuracy: float


class Strength(_Record):
    """One student with hints of one strength.

    Attributes:
        share: of the hints' gradient at the start, that of the labels being 1.
        curves: term -> its value without its weight, epoch by epoch.
    """

    share: float
    seed: int
    accuracy: float
    curves: dict[str, tuple[float, ...]]


class Trainings(_Record):
    """Everything that was trained, with what it takes to do it again.

    Attributes:
        command: makes them anew.
        seconds: of one core.
        share: the strength of the hints in `places`.
    """

    command: str
    versions: dict[str, str]
    student: str
    hint_loss: str
    share: float
    epochs: int
    batch_size: int
    learning_rate: float
    test_images: int
    seconds: int
    places: tuple[Place, ...]
    strengths: tuple[Strength, ...]

    @property
    def seeds(self) -> int:
        """With how many seeds every arm was trained."""
        return len({place.seed for place in self.places})

    @property
    def shares(self) -> tuple[float, ...]:
        """The strengths, rising."""
        return tuple(sorted({strength.share for strength in self.strengths}))

    def last(self, share: float, term: str) -> float:
        """Return the mean over seeds of a term in the last epoch.

        Raises:
            InputError: no training has this share.
        """
        return statistics.mean(one.curves[term][-1] for one in self.of_share(share))

    def accuracy(self, share: float) -> float:
        """Return the mean test accuracy over seeds.

        Raises:
            InputError: no training has this share.
        """
        return statistics.mean(one.accuracy for one in self.of_share(share))

    def of_share(self, share: float) -> tuple[Strength, ...]:
        """Return the trainings of one strength.

        Raises:
            InputError: there is none.
        """
        found = tuple(one for one in self.strengths if one.share == share)
        if not found:
            known = ", ".join(f"{one:g}" for one in self.shares)
            raise InputError(f"no training has the share {share:g}: choose one of {known}")
        return found


@dataclass(frozen=True)
class Gain:
    """How far one choice is ahead of the reference, seed by seed.

    Attributes:
        arm: what was taught.
        each: accuracy minus the reference's of the same seed.
        mean: of them.
        interval: its 95 % interval over seeds; None for a single seed.
    """

    arm: str
    each: tuple[float, ...]
    mean: float
    interval: tuple[float, float] | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def load_trainings(path: Path = TRAININGS) -> Trainings:
    """Read the trainings that ship with the project.

    Raises:
        InputError: the file is missing, or is none of this version.
    """
    try:
        return Trainings.model_validate(read_json(path))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(
            f"`{path}` must hold the lesson's trainings: `{place}`: {error.errors()[0]['msg']}; make it anew "
            "with `python tools/lesson_trainings.py`"
        ) from None


def gain_limits(found: Sequence[Gain]) -> tuple[float, float]:
    """Return the smallest and the largest gain of a single training, at least from 0 to 0.

    Example:
        >>> gain_limits([Gain("a", (0.01, -0.02), -0.005, None), Gain("b", (-0.01,), -0.01, None)])
        (-0.02, 0.01)
    """
    each = [0.0, *(value for gain in found for value in gain.each)]
    return min(each), max(each)


def gains(trainings: Trainings, *, seeds: int, reference: str = "kd") -> tuple[Gain, ...]:
    """Compare every arm with one of them, seed by seed: what a seed does to both drops out.

    Args:
        trainings: of all arms.
        seeds: use the first so many.
        reference: the arm that the others are compared with.

    Returns:
        The other arms, in the order of the trainings. The interval is Student's, of the mean of the
        differences; it knows of the seeds only, not of the test images, which are the same for all.

    Raises:
        InputError: an unknown reference, or more seeds than there are.

    Source:
        Student (1908), Biometrika 6: The probable error of a mean.

    Example:
        >>> found = gains(load_trainings(), seeds=1)
        >>> "kd" in [gain.arm for gain in found], found[0].interval
        (False, None)
    """
    accuracies: dict[str, dict[int, float]] = {}
    for place in trainings.places:
        accuracies.setdefault(place.arm, {})[place.seed] = place.accuracy
    if reference not in accuracies:
        raise unknown("arm", reference, accuracies)
    if not 1 <= seeds <= trainings.seeds:
        raise InputError(
            f"`seeds` must lie between 1 and {trainings.seeds}, with which every arm was trained; found "
            f"{seeds}"
        )
    used = sorted(accuracies[reference])[:seeds]
    return tuple(
        _gain(arm, [found[seed] - accuracies[reference][seed] for seed in used])
        for arm, found in accuracies.items()
        if arm != reference
    )


def _gain(arm: str, each: list[float]) -> Gain:
    mean = statistics.mean(each)
    if len(each) < 2:
        return Gain(arm, tuple(each), mean, None)
    half = float(stdtrit(len(each) - 1, 0.975)) * statistics.stdev(each) / len(each) ** 0.5
    return Gain(arm, tuple(each), mean, (mean - half, mean + half))
