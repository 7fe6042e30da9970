"""Batch norm on a single value of a channel, in words that say what to change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pursuhint.errors import InputError

TORCHS_WORDS = "more than 1 value per channel when training"


@contextmanager
def explain_lone_values(images: int) -> Iterator[None]:
    """Turn torch's refusal to normalise a single value into an error that says what to do.

    Args:
        images: that the block works on; of several, no channel has a single value.

    Raises:
        InputError: in place of torch's error.
    """
    try:
        yield
    except ValueError as error:
        if images > 1 or TORCHS_WORDS not in str(error):
            raise
        raise InputError(
            "batch norm needs more than one value of a channel: each part of a batch has 1 image (batch "
            "size / accumulated parts / processes), in which a layer has 1 position; give a larger "
            "`--batch-size`, a smaller `--accumulate`, or fewer processes"
        ) from error
