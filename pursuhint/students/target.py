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
