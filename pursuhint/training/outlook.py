"""What a training without a teacher would work with, told before it starts and without training anything.

``python -m pursuhint.training.outlook SETTINGS`` prints it as JSON, for a process without torch.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

from pursuhint.jobs import answer, ask
from pursuhint.training.check import check_settings
from pursuhint.training.settings import RunSettings

TIMEOUT = 600
"""Seconds for images that have to be decoded first."""


@dataclass(frozen=True)
class Outlook:
    """What is known of a training before it starts.

    Attributes:
        network: its name in full.
        parameters: of the network; `trained_parameters` of them change.
        classes: that it is to tell apart.
        images: it is trained on.
        image_shape: channels, height and width of a prepared image.
        preprocess: that was settled on.
        beginning: which weights it begins with, in words; empty for random ones.
    """

    network: str
    parameters: int
    trained_parameters: int
    classes: int
    images: int
    image_shape: tuple[int, int, int]
    preprocess: str
    beginning: str


def training_outlook(settings: RunSettings) -> Outlook:
    """Load what a training needs, and tell what it is.

    Args:
        settings: of the kind ``train``; its preprocessing may be ``auto``.

    Raises:
        InputError: the network, its weights, the data or the settings cannot be used, or do not go together.

    Example:
        >>> from pursuhint.training.settings import make_settings
        >>> told = training_outlook(
        ...     make_settings(kind="train", student="resnet8", data="digits", preprocess="auto")
        ... )
        >>> told.network, told.parameters, told.image_shape, told.preprocess
        ('zoo:resnet8', 75290, (3, 8, 8), 'digits')
    """
    check_settings(settings)
    from pursuhint.data import load_data
    from pursuhint.layers import candidate_layers
    from pursuhint.preprocess import parse_preprocess
    from pursuhint.training.batches import check_batch_size
    from pursuhint.training.beginning import begin, with_fitting_preprocess

    data = load_data(settings.data)
    settled = with_fitting_preprocess(settings, data)
    beginning = begin(settled, len(data.classes))
    shape = parse_preprocess(settled.preprocess).shape_of(data.train.images(slice(0, 1)))
    candidate_layers(beginning.network.model, shape)  # refuses images that the network cannot take
    images = settings.limit or len(data.train)
    check_batch_size(settings.batch_size, images)
    return Outlook(
        network=beginning.network.spec,
        parameters=beginning.network.parameters,
        trained_parameters=beginning.trained_parameters,
        classes=len(data.classes),
        images=images,
        image_shape=shape,
        preprocess=settled.preprocess,
        beginning=beginning.text,
    )


def ask_outlook(settings: RunSettings) -> Outlook:
    """Ask a process of its own for a `training_outlook`; a failure is that process's, in its words."""
    said = ask(
        "pursuhint.training.outlook",
        settings.model_dump_json(),
        what=f"looking at `{settings.student}`",
        timeout=TIMEOUT,
    )
    found = json.loads(said)
    return Outlook(**found | {"image_shape": tuple(found["image_shape"])})


def main() -> int:
    """Tell the outlook for the settings on the command line."""
    settings = RunSettings.model_validate_json(sys.argv[1])
    return answer(lambda: print(json.dumps(asdict(training_outlook(settings)))))


if __name__ == "__main__":
    sys.exit(main())
