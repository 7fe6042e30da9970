"""A loaded teacher: the network, what it is, and how its images must be prepared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pursuhint.data import ImageData, Split
from pursuhint.data.images import choose_images
from pursuhint.device import choose_device, is_out_of_memory
from pursuhint.errors import InputError, PursuhintError
from pursuhint.logits import require_logits
from pursuhint.models import build_model, parse_spec
from pursuhint.plan import TeacherRef
from pursuhint.preprocess import KNOWN, Preprocess, parse_preprocess
from pursuhint.progress import Progress, silent

if TYPE_CHECKING:
    from torch import nn

N_TRIAL = 1000
"""Images on which `auto` compares the two likeliest preprocessings of a bare checkpoint."""
N_HEAT = 100
"""Images that tell which two are the likeliest."""
ABOVE_CHANCE = 0.1
"""A teacher must be so much better than guessing, or twice as good where that is less."""
LUCK = 1e-3
"""And so good that guessing would do as well less often than this."""


class NotFiniteError(PursuhintError):
    """A network answers with what is no number."""


@dataclass(frozen=True)
class Teacher:
    """A trained network with its identity and its preprocessing.

    Attributes:
        model: in eval mode, without gradients, on `device`.
        spec: canonical name, such as ``zoo:resnet56``.
        weights: the checkpoint's path; None for a teacher that ships with the project.
        hash: of all tensors; plans and analyses carry it.
        note: how the weights were matched and the preprocessing was found, in words.
    """

    model: nn.Module
    spec: str
    weights: Path | None
    hash: str
    classes: int
    parameters: int
    preprocess: Preprocess
    device: str
    note: str = ""

    @property
    def ref(self) -> TeacherRef:
        """What a plan stores of it."""
        weights = str(self.weights) if self.weights else None
        return TeacherRef(
            spec=self.spec,
            weights=weights,
            hash=self.hash,
            classes=self.classes,
            preprocess=self.preprocess.text,
        )

    @property
    def input_shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of a prepared image; None when the preprocessing keeps the size."""
        crop = self.preprocess.crop
        return (3, crop, crop) if crop else None

    def input_shape_for(self, data: ImageData) -> tuple[int, int, int]:
        """Return the shape of one prepared image of a data set."""
        return self.preprocess.shape_of(data.train.images(np.array([0])))


@dataclass(frozen=True)
class Score:
    """How well a network does on a split."""

    accuracy: float
    n: int
    cross_entropy: float


def load_teacher(
    spec: str,
    *,
    weights: Path | str | None = None,
    data: ImageData,
    preprocess: str = "auto",
    device: str = "auto",
) -> Teacher:
    """Load a trained network.

    Args:
        spec: such as ``builtin:digits-resnet56``, ``zoo:resnet56``, ``torchvision:resnet18`` or
            ``timm:NAME``.
        weights: a local checkpoint; needed by all but the built-in teachers.
        data: the data set it classifies; its number of classes must fit.
        preprocess: ``auto`` or a preprocessing (see `pursuhint.preprocess.parse_preprocess`).
        device: see `choose_device`.

    Raises:
        InputError: the name, the checkpoint, the number of classes or the preprocessing does not fit.
    """
    import torch

    place = choose_device(device)
    path = Path(weights).expanduser() if weights else None
    if path is None and parse_spec(spec).source != "builtin":
        raise InputError(
            f"teacher `{spec}` needs its trained weights: give a checkpoint file with `--weights`"
        )
    built = build_model(spec, classes=len(data.classes), weights=path)
    # Channels last: a fifth faster for convolutions on a CPU, more on a GPU, and nothing to networks without.
    model = built.model.eval().requires_grad_(False).to(place, memory_format=torch.channels_last)
    if preprocess != "auto":
        recipe, found = parse_preprocess(preprocess), "as given"
    elif built.preprocess is not None:
        recipe, found = built.preprocess, "from the model's own card"
    else:
        recipe, found = _best_preprocess(model, data)
    matched = f"{built.report}; " if built.report else ""
    return Teacher(
        model=model,
        spec=built.spec,
        weights=path.resolve() if path else None,
        hash=built.hash,
        classes=built.classes,
        parameters=built.parameters,
        preprocess=recipe,
        device=str(place),
        note=f"{matched}preprocessing `{recipe.name}` {found}",
    )


def _best_preprocess(model: nn.Module, data: ImageData) -> tuple[Preprocess, str]:
    """Take the known preprocessing with the lowest cross-entropy on training images."""
    from pursuhint.folding import fast_copy

    trial = choose_images(data.train, min(N_TRIAL, len(data.train)))
    heat = trial.take(slice(0, N_HEAT))
    scores = _cross_entropies(model, heat, KNOWN)
    finalists = sorted(scores, key=scores.__getitem__)[:2]
    images = KNOWN[finalists[0]].apply(heat.images(), next(model.parameters()).device)
    scores = _cross_entropies(fast_copy(model, images[:16], ()), trial, finalists)
    best, second = sorted(scores, key=scores.__getitem__)
    found = (
        f"chosen by cross-entropy on {len(trial)} training images: "
        f"{scores[best]:.3f}, next `{second}` {scores[second]:.3f}"
    )
    return KNOWN[best], found


def _cross_entropies(model: nn.Module, trial: Split, names: Iterable[str]) -> dict[str, float]:
    return {name: score(model, trial, KNOWN[name]).cross_entropy for name in names}


def logits_of(
    model: nn.Module,
    split: Split,
    preprocess: Preprocess,
    *,
    batch_size: int = 128,
    progress: Progress = silent,
    stage: str = "evaluating",
) -> np.ndarray:
    """Return a network's logits for every image of a split, float32, shape (n, classes), in eval mode.

    Where memory runs out, the batch is halved and the pass goes on: in eval mode every image is alone.

    Raises:
        PursuhintError: memory runs out on a single image.
    """
    import torch

    was_training = model.training
    rows, done = [], 0
    model.eval()
    try:
        with torch.inference_mode():
            while done < len(split):
                stop = min(done + batch_size, len(split))
                found = _logits_if_they_fit(model, split, preprocess, slice(done, stop))
                if found is None:
                    batch_size = (stop - done) // 2
                    continue
                rows.append(found)
                done = stop
                progress(stage, done, len(split))
    finally:
        model.train(was_training)
    return np.concatenate(rows)


def _logits_if_they_fit(
    model: nn.Module, split: Split, preprocess: Preprocess, which: slice
) -> np.ndarray | None:
    """Return the logits of some images; None when memory runs out on several."""
    example = next(model.parameters())
    try:
        images = preprocess.apply(split.images(which), example.device)
        return _forward(model, images.to(example.dtype)).float().cpu().numpy()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if which.stop - which.start > 1:
            return None
        raise PursuhintError(
            f"out of memory with a single image on {example.device}; free some memory, or choose another "
            "`--device` or a preprocessing with smaller images"
        ) from error


def _forward(model: nn.Module, images):
    try:
        return require_logits(model(images), len(images))
    except (RuntimeError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"the network refuses images of shape {tuple(images.shape[1:])}: {reason}; give its input "
            "size with "
            f"`--preprocess`, such as `imagenet/256/224`"
        ) from error


def score(
    model: nn.Module,
    split: Split,
    preprocess: Preprocess,
    *,
    batch_size: int = 128,
    progress: Progress = silent,
) -> Score:
    """Measure a network on a split.

    Raises:
        NotFiniteError: the network's outputs are not finite.
        PursuhintError: memory runs out on a single image.
    """
    from scipy.special import log_softmax

    logits = logits_of(model, split, preprocess, batch_size=batch_size, progress=progress)
    if not np.isfinite(logits).all():
        raise NotFiniteError("the network's outputs are not finite on this data; its weights are damaged")
    likelihood = log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(split)), split.labels]
    accuracy = float((logits.argmax(axis=1) == split.labels).mean())
    return Score(accuracy, len(split), float(-likelihood.mean()))


def check_strength(accuracy: float, labels: np.ndarray, classes: int, *, allow_weak: bool = False) -> None:
    """Make sure that a teacher does better than chance: than guessing, or naming the commonest class.

    Args:
        accuracy: on some images.
        labels: of these images, int, shape (n,).
        classes: that the teacher knows.
        allow_weak: take any.

    Raises:
        InputError: it is near chance level, or chance would often do as well on so few images.
    """
    from scipy.stats import binom

    n, chance = len(labels), max(1 / classes, float(np.bincount(labels).max() / len(labels)))
    lucky = min(n, binom.isf(LUCK, n, chance) + 1) / n  # all right is enough, however few they are
    least = max(1 / classes + min(1 / classes, ABOVE_CHANCE), lucky)
    if accuracy < least and not allow_weak:
        raise InputError(
            f"the teacher is right on {accuracy:.1%} of {n:,} images, near chance ({chance:.1%}; expected "
            f"at least {least:.1%}): its weights, preprocessing or class order do not fit this data; allow "
            "it with `--allow-weak-teacher`"
        )
