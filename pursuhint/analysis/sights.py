"""What a teacher makes of single probe images: ``python -m pursuhint.analysis.sights FOLDER IMAGE...``.

That needs the teacher, so a process of its own looks and keeps what it saw; readers need no torch. One look
takes in all layers: the forward pass is the same, and whoever walks through the layers waits once.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pursuhint.analysis.folder import SIGHTS, AnalysisFolder
from pursuhint.errors import InputError
from pursuhint.files import read_npz, write_atomic
from pursuhint.jobs import answer, ask

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = 1
TIMEOUT = 300


@dataclass(frozen=True, eq=False)
class Sight:
    """What a teacher sees in one image.

    Attributes:
        image: as the network gets it, resized and cropped, uint8, shape (height, width, 3).
        probabilities: of the classes, float32, sum 1.
        maps: layer -> where it responds, float32, shape (h, w), see `pursuhint.activation.activation_map`;
            layers that know no places are missing.
    """

    image: np.ndarray
    probabilities: np.ndarray
    maps: dict[str, np.ndarray]

    def likeliest(self, count: int = 3) -> list[tuple[int, float]]:
        """Return the classes of largest probability with it, the largest first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(int(number), float(self.probabilities[number])) for number in order]


def kept_sight(folder: AnalysisFolder, position: int) -> Sight | None:
    """Return what was seen in the probe image at this position; None when nobody looked yet.

    A damaged file, or one of another version, counts as none.
    """
    path = _file(folder, position)
    if not path.is_file():
        return None
    try:
        content = read_npz(path, what="what a teacher sees in an image")
        if int(content["format"]) != FORMAT:
            return None
        sizes = content["sizes"]
        parts = np.split(content["responses"], np.cumsum(sizes.prod(axis=1))[:-1])
        maps = {
            layer.name: part.reshape(size)
            for layer, part, size in zip(folder.layers, parts, sizes, strict=True)
            if len(part)
        }
        return Sight(content["image"], content["probabilities"], maps)
    except (InputError, KeyError, TypeError, ValueError):
        return None


def look_apart(folder: AnalysisFolder, positions: Sequence[int]) -> None:
    """Look at the images that nobody looked at yet, in a process of its own, and wait for it.

    Args:
        folder: the analysis.
        positions: of probe images; together they take hardly longer than one.

    Raises:
        InputError: teacher or data are no longer what was analysed; PursuhintError: it took too long.
    """
    wanted = [str(position) for position in dict.fromkeys(positions) if kept_sight(folder, position) is None]
    if wanted:
        ask(
            "pursuhint.analysis.sights",
            str(folder.path),
            *wanted,
            what="looking at an image",
            timeout=TIMEOUT,
        )


def look(folder: AnalysisFolder, positions: Sequence[int]) -> list[Sight]:
    """Run the teacher over probe images, keep and return what it saw.

    Raises:
        InputError: no such image, or teacher or data are no longer what was analysed.
    """
    import torch

    from pursuhint.data import load_data
    from pursuhint.device import prepare_cpu
    from pursuhint.teacher import load_teacher

    card, asked, ids = folder.card, folder.analysis_settings, folder.probe["ids"]
    for position in positions:
        if not 0 <= position < len(ids):
            raise InputError(f"a probe image must lie between 0 and {len(ids) - 1}; found {position}")
    prepare_cpu(asked.threads)
    data = load_data(asked.data)
    teacher = load_teacher(
        asked.teacher,
        weights=asked.weights,
        data=data,
        preprocess=card.teacher.preprocess,
        device=asked.device,
    )
    if (data.id, teacher.ref.hash) != (card.data_id, card.teacher.hash):
        changed = "data" if data.id != card.data_id else "teacher's weights"
        raise InputError(f"the {changed} changed after the analysis in `{folder.path}`; analyse again")
    images = data.train.source[ids[list(positions)]]
    with torch.inference_mode():
        logits, maps = _responses(teacher.model, teacher.preprocess.apply(images, teacher.device), folder)
        shares = logits.float().softmax(dim=1).cpu().numpy()
    shown = teacher.preprocess.shown(images)
    found = []
    for row, position in enumerate(positions):
        mine = {name: values[row].cpu().numpy() for name, values in maps.items()}
        found.append(Sight(shown[row], shares[row], mine))
        _save(folder, position, found[-1])
    return found


def _responses(
    model: nn.Module, prepared: Tensor, folder: AnalysisFolder
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the logits, and layer -> activation maps where there are some."""
    from pursuhint.activation import activation_map
    from pursuhint.layout import class_tokens
    from pursuhint.recorder import ActivationRecorder, require_called

    prefix = class_tokens(model)

    def respond(output: Tensor, _layer: str) -> Tensor | None:
        return activation_map(output, prefix=prefix)

    names = [layer.name for layer in folder.layers]
    with ActivationRecorder(model, names, transform=respond) as recorder:
        logits = model(prepared)
        require_called(recorder)
    return logits, {name: maps for name, maps in recorder.outputs.items() if maps is not None}


def _save(folder: AnalysisFolder, position: int, sight: Sight) -> None:
    none = np.zeros((0, 0), np.float32)  # of layers that know no places
    maps = [sight.maps.get(layer.name, none) for layer in folder.layers]
    arrays = {
        "sizes": np.array([one.shape for one in maps]),
        "responses": np.concatenate([one.ravel() for one in maps]),
        "image": sight.image,
        "probabilities": sight.probabilities,
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, format=FORMAT, **arrays)
    write_atomic(_file(folder, position), lambda file: file.write(buffer.getvalue()) and None)


def _file(folder: AnalysisFolder, position: int) -> Path:
    return folder.path / SIGHTS / f"{position:05d}.npz"


def main() -> int:
    """Look at the images named on the command line."""
    path, *positions = sys.argv[1:]
    return answer(lambda: look(AnalysisFolder.open(Path(path)), [int(position) for position in positions]))


if __name__ == "__main__":
    sys.exit(main())
