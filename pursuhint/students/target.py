"""How much smaller than its teacher a student is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from pursuhint.errors import InputError, unknown

By = Literal["parameters", "flops"]
AUTO = "auto"
DEFAULT_COMPRESSION = 2.5
"""Up to which the paper compresses."""
CLEAR_MISS = 1.25
"""A student this many times larger or smaller than wanted is remarked on."""
LEAST_WANTED, LEAST_FOUND = 1.5, 1.1
"""Who wants the first does not get a student below the second without a word of his own."""


class Sized(Protocol):
    """A network whose size is known."""

    @property
    def parameters(self) -> int:
        """Number of trainable values."""

    @property
    def flops(self) -> int | None:
        """Floating-point operations for one image."""


@dataclass(frozen=True)
class Target:
    """A wanted ratio, teacher to student.

    Attributes:
        compression: the ratio, above 1.
        by: what the ratio is of.

    Raises:
        InputError: the ratio or what it is of cannot be used.
    """

    compression: float = DEFAULT_COMPRESSION
    by: By = "parameters"

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise unknown("measure of size", self.by, get_args(By))
        if not 1 < self.compression < math.inf:
            raise InputError(
                f"the compression must be a number above 1, such as {DEFAULT_COMPRESSION}; found "
                f"`{self.compression:g}`"
            )

    def ratio(self, student: Sized, teacher: Sized) -> float:
        """Return the ratio of two networks that the target is about."""
        return getattr(teacher, self.by) / getattr(student, self.by)

    def miss(self, ratio: float) -> float:
        """Return how far a ratio is from the wanted one: the absolute logarithm of their quotient.

        Twice too large and twice too small are equally far.

        Example:
            >>> Target(2).miss(4) == Target(2).miss(1)
            True
        """
        return abs(math.log(ratio / self.compression))

    def is_refused(self, ratio: float) -> bool:
        """Say whether a ratio is next to none where a real one was wanted.

        Example:
            >>> Target(2.5).is_refused(1.04), Target(1.2).is_refused(1.04)
            (True, False)
        """
        return self.compression >= LEAST_WANTED and ratio < LEAST_FOUND

    def remark(self, spec: str, ratio: float) -> str:
        """Say that a student misses the target; nothing when it is near.

        Example:
            >>> print(Target(10).remark("zoo:resnet8", 2.19))
            `zoo:resnet8` has 2.19 times fewer parameters than its teacher, where 10 times was wanted;
            name another student to come nearer
            >>> Target(2).remark("zoo:resnet8", 2.19)
            ''
        """
        if self.miss(ratio) <= math.log(CLEAR_MISS):
            return ""
        return (
            f"`{spec}` has {ratio:.2f} times fewer {self.words} than its teacher, where {self.compression:g} "
            "times was wanted; name another student to come nearer"
        )

    @property
    def words(self) -> str:
        """What the ratio is of, as a reader calls it."""
        return "FLOPs" if self.by == "flops" else self.by


def parse_target(text: str) -> Target | None:
    """Read ``auto``, ``auto:2.5`` or ``auto:flops:4``; None when the text names a student instead.

    Raises:
        InputError: what stands behind ``auto`` cannot be used.

    Example:
        >>> parse_target("auto:flops:4"), parse_target("zoo:resnet20")
        (Target(compression=4.0, by='flops'), None)
    """
    word, *rest = text.strip().split(":")
    if word != AUTO:
        return None
    number = rest.pop() if rest else str(DEFAULT_COMPRESSION)
    try:
        compression = float(number)
    except ValueError:
        compression = math.nan
    if len(rest) > 1 or math.isnan(compression):
        raise InputError(
            f"an automatic student is written `auto`, `auto:2.5` or `auto:flops:4`; found `{text}`"
        )
    return Target(compression, *rest)
