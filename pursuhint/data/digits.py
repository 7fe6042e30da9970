"""scikit-learn's handwritten digits: the data set that ships with the project (1,797 images of 8 x 8)."""

from __future__ import annotations

import numpy as np

from pursuhint.data.images import ImageData, Split, content_id, hold_out

N_TEST, N_VALIDATION = 500, 297


def load_digits() -> ImageData:
    """Load the digits: 1,000 training, 297 validation and 500 test images, a fixed stratified split.

    Source:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998), as in scikit-learn.

    Example:
        >>> data = load_digits()
        >>> len(data.train), len(data.validation), len(data.test), data.image_shape
        (1000, 297, 500, (3, 8, 8))
    """
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    grey = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    images = np.repeat(grey[..., None], 3, axis=-1)
    labels = bunch.target.astype(np.int64)
    whole = Split(images, np.arange(len(labels)), labels)
    rest, test = hold_out(whole, N_TEST)
    train, validation = hold_out(rest, N_VALIDATION)
    return ImageData(
        spec="digits",
        id=content_id(images, labels),
        classes=tuple(str(name) for name in bunch.target_names),
        train=train,
        validation=validation,
        test=test,
        preprocess="digits",
        augmentation="affine",
    )
