"""Trunk and head learn at different rates: the trunk more slowly, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class LearningGroup:
    """Parameters that learn at one rate.

    Attributes:
        parameters: what is trained.
        share: of the run's learning rate.
    """

    parameters: list[nn.Parameter]
    share: float = 1.0


def freeze_trunk(network: nn.Module, head: Collection[str]) -> list[nn.Module]:
    """Switch off the gradients of all parameters but the head's.

    Args:
        network: to be trained.
        head: names of its parameters that are trained.

    Returns:
        The modules that must stay in eval mode, so that batch norm keeps its statistics and nothing is
        dropped: all that do not hold a parameter of the head themselves.
    """
    for name, value in network.named_parameters():
        value.requires_grad_(name in head)
    learning = {name.rpartition(".")[0] for name in head}
    return [module for path, module in network.named_modules() if path not in learning]


def learning_groups(
    trained: nn.Module, network: nn.Module, head: Collection[str], trunk_rate: float
) -> list[LearningGroup]:
    """Divide what is trained by the rate at which it learns.

    Args:
        trained: all that has parameters, such as the distiller.
        network: the part of it that has a trunk and a head.
        head: names of the network's parameters that learn at the full rate.
        trunk_rate: share of the rate for the network's other parameters; 0 leaves them out.

    Returns:
        One group, or two: the trunk first.
    """
    if trunk_rate == 1:
        return [LearningGroup(list(trained.parameters()))]
    trunk = {id(value) for name, value in network.named_parameters() if name not in head}
    rest = LearningGroup([value for value in trained.parameters() if id(value) not in trunk])
    if trunk_rate == 0:
        return [rest]
    slow = [value for value in trained.parameters() if id(value) in trunk]
    return [LearningGroup(slow, trunk_rate), rest]
