"""Devices and threads by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pursuhint.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str = "auto") -> torch.device:
    """Return a device: ``auto`` takes a GPU when there is one.

    Raises:
        InputError: the name is unknown or the device is not there.

    Example:
        >>> choose_device("cpu").type
        'cpu'
    """
    import torch

    if name == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return torch.device(accelerator.type if accelerator else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"device `{name}` is not available here; use `auto`, `cpu` or a GPU such as `cuda:0`"
        ) from None
    return device


def set_threads(threads: int | None) -> int:
    """Set how many CPU threads torch uses (None leaves it) and return the number in force.

    Raises:
        InputError: fewer than one thread is asked for.
    """
    import torch

    if threads is not None:
        if threads < 1:
            raise InputError(f"`threads` must be at least 1; found {threads}")
        torch.set_num_threads(threads)
    return torch.get_num_threads()
