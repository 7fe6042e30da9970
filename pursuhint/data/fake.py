"""Synthetic images that a network can learn: for trying a model out, and for tests."""

from __future__ import annotations

import numpy as np

from pursuhint.data.images import ImageData, Split, content_id, hold_out

N_CLASSES, SIDE, N_TRAIN, N_TEST = 10, 32, 640, 160


def load_fake() -> ImageData:
    """Draw 800 noisy images: each class is a colour wave of its own direction and frequency.

    Example:
        >>> load_fake().train.images().shape
        (576, 32, 32, 3)
    """
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, np.pi, N_CLASSES)
    frequency = generator.uniform(1, 4, N_CLASSES)
    tint = generator.uniform(0.3, 1, (N_CLASSES, 3))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    labels = np.tile(np.arange(N_CLASSES), (N_TRAIN + N_TEST) // N_CLASSES)
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * frequency[:, None, None] * along)
    pattern = wave[..., None] * tint[:, None, None, :]
    noisy = pattern[labels] + generator.normal(0, 0.2, (len(labels), SIDE, SIDE, 3))
    images = np.clip(noisy * 255, 0, 255).astype(np.uint8)
    whole = Split(images, np.arange(len(labels)), labels.astype(np.int64))
    rest, test = whole.take(np.arange(N_TRAIN)), whole.take(np.arange(N_TRAIN, N_TRAIN + N_TEST))
    train, validation = hold_out(rest, N_TRAIN // 10)
    return ImageData(
        spec="fake",
        id=content_id(images, whole.labels),
        classes=tuple(f"wave {i}" for i in range(N_CLASSES)),
        train=train,
        validation=validation,
        test=test,
        preprocess="cifar10",
        augmentation="crop-flip",
    )
