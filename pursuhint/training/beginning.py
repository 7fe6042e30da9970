"""The network as a run begins with it: random weights, or trained ones, with a new head for other classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pursuhint.data import ImageData
from pursuhint.heads import head_names, with_new_head
from pursuhint.models import BuiltModel, build_model
from pursuhint.published import DEFAULT, published_weights
from pursuhint.training.settings import RunSettings


@dataclass(frozen=True)
class Beginning:
    """What a run begins with.

    Attributes:
        network: with its start weights.
        weights: the file that they are from; None when they are random.
        weights_hash: identity of what was in the file.
        classes_before: how many classes the network of that file tells apart.
        head: tensors that the number of classes gives their shape; looked up only for trained weights.
        trunk_rate: as in the settings.
    """

    network: BuiltModel
    weights: Path | None = None
    weights_hash: str = ""
    classes_before: int = 0
    head: tuple[str, ...] = ()
    trunk_rate: float = 1.0

    @property
    def has_new_head(self) -> bool:
        """Whether the head of the file was replaced."""
        return self.weights is not None and self.classes_before != self.network.classes

    @property
    def trained_parameters(self) -> int:
        """How many parameters the training changes."""
        named = self.network.model.named_parameters()
        return sum(value.numel() for name, value in named if self.trunk_rate or name in self.head)

    def facts(self) -> dict[str, Any] | None:
        """Return what the record says of it, as plain values; None for random weights."""
        if self.weights is None:
            return None
        return {
            "weights": str(self.weights),
            "hash": self.weights_hash,
            "classes_before": self.classes_before,
            "replaced": list(self.head) if self.has_new_head else [],
            "trained_parameters": self.trained_parameters,
            "text": self.text,
        }

    @property
    def text(self) -> str:
        """What it is, in words; nothing for random weights."""
        if self.weights is None:
            return ""
        names, classes = ", ".join(self.head), self.network.classes
        head = f"its head ({names}) is kept, which has {classes} outputs too"
        if self.has_new_head:
            head = f"a new head ({names}) with {classes} outputs in place of {self.classes_before}"
        return f"begins with {self.weights.name}: {head}{self._trunk}"

    @property
    def _trunk(self) -> str:
        if self.trunk_rate == 0:
            learning = f"{self.trained_parameters:,} of {self.network.parameters:,} parameters"
            return f"; only the head is trained, {learning}"
        return "" if self.trunk_rate == 1 else f"; all else learns at {self.trunk_rate:g} of the rate"


def begin(settings: RunSettings, classes: int) -> Beginning:
    """Build the network that a run trains, as it is before the first step.

    Args:
        settings: of the run; the seed makes what is random.
        classes: of the data.

    Raises:
        InputError: the name or the checkpoint cannot be used, or it is for other classes, in a distillation.
    """
    torch.manual_seed(settings.seed)
    if settings.init is None:
        return Beginning(build_model(settings.student, classes=classes))
    path = published_weights(settings.student) if settings.init == DEFAULT else Path(settings.init)
    if settings.kind == "distill":
        return Beginning(build_model(settings.student, classes=classes, weights=path))
    found = build_model(settings.student, weights=path)
    network = found if found.classes == classes else with_new_head(found, classes=classes)
    head = head_names(network.spec, classes=classes)
    return Beginning(network, path, found.hash, found.classes, head, settings.trunk_rate)


def with_fitting_preprocess(settings: RunSettings, data: ImageData) -> RunSettings:
    """Put the preprocessing that fits in place of ``auto``: that of the start weights, else that of the data.

    Args:
        settings: of a training.
        data: that it is on.

    Raises:
        InputError: the network or its start weights cannot be used.
    """
    if settings.preprocess != "auto":
        return settings
    found = _own_preprocess(begin(settings, len(data.classes))) if settings.init else None
    return settings.model_copy(update={"preprocess": found or data.preprocess})


def _own_preprocess(beginning: Beginning) -> str | None:
    """Return what a file's card, or else the source of its network, says that the weights expect."""
    from pursuhint.export import read_card

    if beginning.weights.suffix == ".safetensors" and (card := read_card(beginning.weights)):
        return card["preprocess"]
    return beginning.network.preprocess.text if beginning.network.preprocess else None
