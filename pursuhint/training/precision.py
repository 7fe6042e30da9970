"""Number formats of a run, and the Fabric that goes with them and with the processes."""

from __future__ import annotations

import os
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import DoublePrecision, MixedPrecision, Precision

from pursuhint.device import choose_device
from pursuhint.errors import InputError
from pursuhint.ranks import process_count
from pursuhint.training.processes import OwnBuffers
from pursuhint.training.settings import RunSettings


class AutocastPrecision(MixedPrecision):
    """Mixed precision that leaves the inputs as they are.

    Fabric's own rounds every tensor handed to the module: soft labels would no longer sum to 1, and what the
    teacher said would be rounded before the losses, which are computed in float32, have seen it.
    """

    def convert_input(self, data: Any) -> Any:
        """Return the inputs untouched; autocast rounds where an operation wants it."""
        return data


def build_precision(name: str, device: torch.device) -> Precision:
    """Return Fabric's plug-in for a precision.

    Raises:
        InputError: 16-mixed on a CPU.

    Example:
        >>> type(build_precision("bf16-mixed", torch.device("cpu"))).__name__
        'AutocastPrecision'
    """
    if name == "16-mixed" and device.type == "cpu":
        raise InputError("`precision` 16-mixed needs a GPU; use bf16-mixed or 32-true on a CPU")
    if name == "64-true":
        return DoublePrecision()
    return Precision() if name == "32-true" else AutocastPrecision(name, device.type)


def build_fabric(settings: RunSettings) -> Fabric:
    """Build the Fabric of a run: one device, or one for each process that ``torchrun`` has started.

    Raises:
        InputError: the precision does not fit the device, there are fewer GPUs than processes, or several
            processes were given one GPU by its number.
    """
    device = choose_device(settings.device)
    precision = build_precision(settings.precision, device)
    if process_count() == 1:
        devices = 1 if device.type == "cpu" else [device.index or 0]
        return Fabric(accelerator=device.type, devices=devices, plugins=[precision])
    if device.type != "cpu" and device.index is not None:
        raise InputError(
            f"`device` {device} is one GPU, and each of {process_count()} processes takes its own; use "
            f"`--device {device.type}` (which ones: CUDA_VISIBLE_DEVICES) or start the run alone"
        )
    here, machines = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["GROUP_WORLD_SIZE"])
    if device.type != "cpu" and here > torch.accelerator.device_count():
        raise InputError(
            f"{here} processes need {here} GPUs, found {torch.accelerator.device_count()}; start fewer with "
            "`--nproc_per_node` or train on the CPU with `--device cpu`"
        )
    return Fabric(
        accelerator=device.type,
        devices=here,
        num_nodes=machines,
        strategy=OwnBuffers(),
        plugins=[precision],
    )
