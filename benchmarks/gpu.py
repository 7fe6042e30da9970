"""The share of the time in which a GPU computes, from what torch's profiler saw of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

Interval = tuple[float, float]


class BusyShare:
    """Watch a GPU between `start` and `stop`; without one nothing is watched.

    The profiler slows the host down, so that a share that is limited by the host comes out too small: what is
    timed should not be watched.

    Args:
        device: the GPU, or the CPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._profiler = profile(activities=[ProfilerActivity.CUDA]) if device.type == "cuda" else None

    def start(self) -> None:
        """Begin to watch."""
        if self._profiler:
            torch.cuda.synchronize()
            self._profiler.start()

    def stop(self) -> float:
        """End, and return the share of the time from the first kernel to the last; NaN without a GPU."""
        if self._profiler is None:
            return float("nan")
        torch.cuda.synchronize()
        self._profiler.stop()
        return busy_share(_kernels(self._profiler.events()))


def busy_share(intervals: Iterable[Interval]) -> float:
    """Return the part of the time from the first start to the last end that is covered; NaN for none.

    Example:
        >>> busy_share([(4.0, 8.0), (0.0, 2.0), (1.0, 3.0)])
        0.875
    """
    covered, end = 0.0, float("-inf")
    ordered = sorted(intervals)
    for begin, finish in ordered:
        covered += max(0.0, finish - max(begin, end))
        end = max(end, finish)
    return covered / (end - ordered[0][0]) if ordered and end > ordered[0][0] else float("nan")


def _kernels(events: Iterable[Any]) -> list[Interval]:
    """Return start and end, in microseconds, of kernels and copies; marks around code are left out."""
    return [
        (event.time_range.start, event.time_range.end)
        for event in events
        if event.device_type == DeviceType.CUDA and not getattr(event, "is_user_annotation", False)
    ]
