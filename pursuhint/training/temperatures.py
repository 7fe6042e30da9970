"""The temperature each logit loss is usually run at; no torch here."""

from __future__ import annotations

TEMPERATURES: dict[str, float] = {"kd": 4.0, "wsl": 4.0, "dkd": 4.0, "dist": 4.0, "kd-std": 2.0}
"""Logit loss -> temperature on CIFAR-100: of `kd` and `wsl` that of PURSUhInT's own example, of the others
that of their papers. On ImageNet `dkd` and `dist` take 1, `wsl` 2. `kd-std` divides by T after it has divided
by the standard deviation of the logits, so its T means something else."""


def usual_temperature(logit_loss: str) -> float:
    """Return the temperature that a logit loss is run at when none is given.

    Example:
        >>> usual_temperature("kd-std"), usual_temperature("none")
        (2.0, 4.0)
    """
    return TEMPERATURES.get(logit_loss, TEMPERATURES["kd"])
