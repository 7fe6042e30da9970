"""The student to ship: weights and card in one safetensors file, read back before it is offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save as serialise
from torch import nn

from pursuhint.errors import PursuhintError
from pursuhint.files import write_atomic
from pursuhint.models import build_model
from pursuhint.training.prepare import Parts
from pursuhint.training.settings import RunSettings


def export_student(
    student: nn.Module, path: Path, *, settings: RunSettings, parts: Parts, figures: dict[str, Any]
) -> dict[str, Any]:
    """Write a trained student without its regressors, and make sure that the file gives the same logits.

    Args:
        student: the trained network.
        path: of the new .safetensors file; its metadata holds the card as JSON under ``pursuhint``.
        settings: of its run.
        parts: of its run.
        figures: what it reached, added to the card.

    Returns:
        The card.

    Raises:
        PursuhintError: the disk is full, or the file read back computes something else; nothing is left then.
    """
    card = {
        "model": parts.student.spec,
        "classes": list(parts.data.classes),
        "preprocess": parts.preprocess.text,
        "data": parts.data.spec,
        "data_id": parts.data.id,
        "parameters": parts.student.parameters,
        "hint_loss": settings.hint_loss,
        "logit_loss": settings.logit_loss,
        "seed": settings.seed,
        "epochs": settings.epochs,
        "teacher": parts.teacher.ref.model_dump(mode="json") if parts.teacher else None,
    } | figures
    if began := parts.beginning.facts():
        card["beginning"] = began
    tensors = {name: value.detach().cpu().contiguous() for name, value in student.state_dict().items()}
    content = serialise(tensors, metadata={"pursuhint": json.dumps(card)})
    write_atomic(path, lambda file: file.write(content) and None)
    _check_reload(student, path, parts)
    return card


def _check_reload(student: nn.Module, path: Path, parts: Parts) -> None:
    """Build the network anew from the file and compare its logits on a few images."""
    device = next(student.parameters()).device  # of both: a GPU's convolutions round more than a CPU's
    again = build_model(parts.student.spec, classes=len(parts.data.classes), weights=path).model.eval()
    images = parts.preprocess.apply(parts.data.validation.images(slice(0, 8))).to(device)
    was_training = student.training
    with torch.inference_mode():
        expected, found = student.eval()(images).float(), again.to(device)(images)
    student.train(was_training)
    if not torch.allclose(expected, found, rtol=1e-3, atol=1e-3):
        path.unlink()
        raise PursuhintError(
            f"the exported student differs from the trained one by "
            f"{float((expected - found).abs().max()):.2g} "
            f"in its logits; the file was removed"
        )


def read_card(path: Path) -> dict[str, Any]:
    """Return the card of an exported student."""
    with safe_open(path, framework="pt") as file:
        return json.loads((file.metadata() or {}).get("pursuhint", "{}"))
