"""Devices and threads by name."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from pursuhint.errors import InputError

if TYPE_CHECKING:
    import torch

MALLOC_OPTIONS = {-3: 32 * 2**20, -1: 2**31 - 1}
"""M_MMAP_THRESHOLD, at its largest, and M_TRIM_THRESHOLD of glibc's malloc.h."""

ALLOCATORS = ("can't allocate memory", "not enough memory", "out of memory")
"""What the allocators of Linux, Windows and the GPUs say of a request that they cannot serve."""


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


def bfloat16_pays(device: torch.device) -> bool:
    """Say whether a device has arithmetic for bfloat16; without it, mixed precision is slower."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    units = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, unit, lambda: False)() for unit in units)


def prepare_cpu(threads: int | None) -> int:
    """Make this process ready for long work on the CPU.

    Args:
        threads: how many torch uses; None leaves it.

    Returns:
        The number of threads in force.

    Raises:
        InputError: fewer than one thread is asked for.
    """
    import torch

    if threads is not None:
        if threads < 1:
            raise InputError(f"`threads` must be at least 1; found {threads}")
        torch.set_num_threads(threads)
    keep_freed_memory()
    return torch.get_num_threads()


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out, on a GPU or on the CPU.

    Example:
        >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ..."))
        True
    """
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in ALLOCATORS)


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed for what is allocated next; returns whether it obeys.

    By default it hands every large feature map back to the system and faults the pages of the next one in
    again: a fifth of the time of a forward pass on a CPU.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    return all(mallopt(option, size) == 1 for option, size in MALLOC_OPTIONS.items())
