"""Weights that others published, under the name of their source; no torch here.

A weight belongs to the reduction of the loss it stands before, so a preset is for one hint loss and refused
with another. RepDistiller runs its hint losses without a logit term (``-a 0``): its presets ask for the
logit loss ``none``. Where a logit loss is wanted beside them, as in RepDistiller's CRD + KD (``-a 1``), name
it and give ``--weight-logit 1``. All of them were published at the temperature 4, the usual one of `kd`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pursuhint.errors import find_named


@dataclass(frozen=True)
class WeightPreset:
    """Fixed weights and what they were published for.

    Attributes:
        hint_loss: the only hint loss they fit; ``none`` for KD alone.
        logit_loss: the logit loss they were published with.
        cls, logit, hint: gamma, alpha and beta.
        source: who says so.
        verified: whether the reduction of the source's hint loss is known to be ours.
    """

    hint_loss: str
    logit_loss: str
    cls: float
    logit: float
    hint: float
    source: str
    verified: bool = True


CAPSULE = "the authors' example (Code Ocean capsule 4245746)"
REPDISTILLER = "RepDistiller, scripts/run_cifar_distill.sh"
BETAS = {
    "fitnet": 100.0,
    "at": 1000.0,
    "sp": 3000.0,
    "cc": 0.02,
    "vid": 1.0,
    "rkd": 1.0,
    "pkt": 30000.0,
    "nst": 50.0,
    "crd": 0.8,
}
"""Hint loss -> RepDistiller's weight of it."""

WEIGHT_PRESETS: dict[str, WeightPreset] = {
    "pursuhint-cifar100": WeightPreset("at", "kd", 1.0, 1.5, 1.0, f"{CAPSULE}, CIFAR-100", verified=False),
    "pursuhint-imagenet": WeightPreset("at", "kd", 1.0, 0.5, 0.01, f"{CAPSULE}, ImageNet", verified=False),
    "repdistiller-kd": WeightPreset("none", "kd", 0.1, 0.9, 0.0, REPDISTILLER),
} | {
    f"repdistiller-{loss}": WeightPreset(loss, "none", 1.0, 0.0, beta, REPDISTILLER)
    for loss, beta in BETAS.items()
}


def weight_preset(name: str) -> WeightPreset:
    """Return a preset by name.

    Raises:
        InputError: there is none.

    Example:
        >>> weight_preset("repdistiller-at").hint
        1000.0
    """
    return find_named("weights preset", name, WEIGHT_PRESETS)


def presets_for(hint_loss: str) -> list[str]:
    """Return the names of the presets that fit a hint loss.

    Example:
        >>> presets_for("at")
        ['pursuhint-cifar100', 'pursuhint-imagenet', 'repdistiller-at']
    """
    return [name for name, preset in WEIGHT_PRESETS.items() if preset.hint_loss == hint_loss]


def describe_preset(name: str) -> str:
    """Say where a preset comes from, and whether it is known to fit.

    Example:
        >>> describe_preset("pursuhint-imagenet")
        "from the authors' example (Code Ocean capsule 4245746), ImageNet; reduction unverified"
    """
    preset = weight_preset(name)
    return f"from {preset.source}{'' if preset.verified else '; reduction unverified'}"
