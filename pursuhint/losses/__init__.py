"""The losses by name; each stands in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pursuhint.errors import find_named
from pursuhint.losses.at import AttentionTransfer
from pursuhint.losses.at_crd import AttentionThenContrast
from pursuhint.losses.base import TERMS, Batch, Loss, Outputs, Term, TrainingImages
from pursuhint.losses.cc import CorrelationCongruence
from pursuhint.losses.cka import CentredKernelAlignment
from pursuhint.losses.crd import ContrastiveDistillation
from pursuhint.losses.cross_entropy import CrossEntropy
from pursuhint.losses.dist import CorrelationDistillation
from pursuhint.losses.dkd import DecoupledKnowledgeDistillation
from pursuhint.losses.fitnet import FitNet
from pursuhint.losses.hint import HintLoss
from pursuhint.losses.kd import KnowledgeDistillation
from pursuhint.losses.kd_std import StandardisedDistillation
from pursuhint.losses.logit import LogitLoss
from pursuhint.losses.nst import NeuronSelectivity
from pursuhint.losses.pkt import ProbabilisticTransfer
from pursuhint.losses.rkd import Relational
from pursuhint.losses.sp import SimilarityPreserving
from pursuhint.losses.vid import VariationalInformation
from pursuhint.losses.wsl import WeightedSoftLabels
from pursuhint.pairs import Pair

__all__ = [
    "HINT_LOSSES",
    "LOGIT_LOSSES",
    "TERMS",
    "Batch",
    "HintLoss",
    "LogitLoss",
    "Loss",
    "Outputs",
    "Term",
    "TrainingImages",
    "build_losses",
]

HINT_LOSSES: dict[str, type[HintLoss]] = {
    loss.name: loss
    for loss in (
        AttentionTransfer,
        FitNet,
        SimilarityPreserving,
        VariationalInformation,
        ContrastiveDistillation,
        AttentionThenContrast,
        ProbabilisticTransfer,
        NeuronSelectivity,
        CorrelationCongruence,
        Relational,
        CentredKernelAlignment,
    )
}
LOGIT_LOSSES: dict[str, Callable[[float], LogitLoss]] = {
    loss.name: loss
    for loss in (
        KnowledgeDistillation,
        WeightedSoftLabels,
        DecoupledKnowledgeDistillation,
        CorrelationDistillation,
        StandardisedDistillation,
    )
}


def build_losses(
    *,
    hint_loss: str,
    logit_loss: str,
    pairs: Sequence[Pair] = (),
    temperature: float | None = None,
    label_smoothing: float = 0.0,
) -> list[Loss]:
    """Build the losses of a run: L_cls always, L_logit and L_hint unless they are ``none``.

    Args:
        hint_loss: a name of `HINT_LOSSES` or ``none``.
        logit_loss: a name of `LOGIT_LOSSES` or ``none``.
        pairs: hint points and guided layers.
        temperature: of the logit loss; None takes its usual one.
        label_smoothing: of L_cls.

    Raises:
        InputError: a name is unknown.

    Example:
        >>> [loss.term for loss in build_losses(hint_loss="none", logit_loss="kd")]
        ['cls', 'logit']
    """
    losses: list[Loss] = [CrossEntropy(label_smoothing)]
    if logit_loss != "none":
        build = find_named("logit loss", logit_loss, LOGIT_LOSSES, beside=["none"])
        losses.append(build(temperature))
    if hint_loss != "none":
        losses.append(find_named("hint loss", hint_loss, HINT_LOSSES, beside=["none"])(pairs))
    return losses
