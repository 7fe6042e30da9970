"""Decoding image files into one array, in as many processes as there are cores.

``python -m pursuhint.data.decoding ARRAY LIST START STOP`` decodes a part of the files that LIST names into
the rows of ARRAY. Threads would wait for the interpreter's lock: decoding small images is mostly Python.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from pursuhint.errors import InputError, one_line
from pursuhint.jobs import answer, ask
from pursuhint.progress import Progress, silent

if TYPE_CHECKING:
    from PIL import Image

CHUNK = 256
FEWEST = 2000
"""Images for which another process pays: it takes a third of a second to start."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""By content, whatever the name says. Not EPS, for which Pillow starts Ghostscript: a program in an image."""
MOST_PIXELS = 80_000_000
"""Pillow warns a little above this."""
PATIENCE = 24 * 3600.0


def decode_all(
    file: BinaryIO, paths: Sequence[Path], shape: tuple[int, int], progress: Progress = silent
) -> None:
    """Decode images into a .npy of uint8 (n, height, width, 3).

    Args:
        file: a new file, by whose name other processes can open it.
        paths: the images.
        shape: height and width of every row.
        progress: is told how many images are decoded, as far as this process knows.

    Raises:
        InputError: an image cannot be read.
    """
    n = len(paths)
    header = {"descr": "|u1", "fortran_order": False, "shape": (n, *shape, 3)}
    np.lib.format.write_array_header_1_0(file, header)
    file.flush()
    # All the space beforehand: a disk that is full later would kill whoever writes to a memory map.
    os.posix_fallocate(file.fileno(), 0, file.tell() + n * shape[0] * shape[1] * 3)
    parts = max(1, min(len(os.sched_getaffinity(0)), n // FEWEST))
    bounds = [n * part // parts for part in range(parts + 1)]
    (first, stop), *others = pairwise(bounds)
    with tempfile.NamedTemporaryFile(suffix=".txt") as listed, ThreadPoolExecutor() as helpers:
        listed.write(b"\0".join(map(os.fsencode, paths)))
        listed.flush()
        asked = [
            helpers.submit(_ask, str(file.name), listed.name, str(start), str(end)) for start, end in others
        ]
        decode_part(
            Path(file.name),
            paths[:stop],
            first,
            lambda what, done, _: progress(what, parts * done, len(paths)),
        )
        for one in asked:
            one.result()
    progress("decoding images", n, n)


def _ask(array: str, listed: str, start: str, stop: str) -> str:
    what = f"decoding the images from number {start} on"
    return ask("pursuhint.data.decoding", array, listed, start, stop, what=what, timeout=PATIENCE)


def decode_part(array: Path, paths: Sequence[Path], start: int, progress: Progress = silent) -> None:
    """Decode images into the rows of a .npy from number `start` on.

    Raises:
        InputError: an image cannot be read.
    """
    mapped = np.load(array, mmap_mode="r+")
    rows, shape = np.asarray(mapped), mapped.shape[1:3]
    for number, path in enumerate(paths):
        rows[start + number] = fit(path, shape)
        if (number + 1) % CHUNK == 0:
            progress("decoding images", number + 1, len(paths))
    mapped.flush()


def fit(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """Read an image as uint8 (height, width, 3), resized and centre-cropped where it has another size."""
    from PIL import Image, ImageOps

    image = _in_rgb(read_image(path), path)
    if image.size != (shape[1], shape[0]):
        image = ImageOps.fit(image, (shape[1], shape[0]), method=Image.Resampling.BILINEAR)
    return np.asarray(image)


def _in_rgb(image: Image.Image, path: Path) -> Image.Image:
    """Return an image in 8-bit RGB; Pillow alone would make all of a 16-bit image's lighter half white."""
    from PIL import Image

    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65_535:
            raise InputError(f"`{path}` has values outside of 16 bits; save it with 8 bits a channel")
        image = Image.fromarray((values // 257).astype(np.uint8))
    elif image.mode == "F":
        raise InputError(f"`{path}` has floating-point values, whose white is unknown; save it with 8 bits")
    return image.convert("RGB")


def read_image(path: Path) -> Image.Image:
    """Read one image, of an animated one the first frame.

    Raises:
        InputError: it cannot be read, is of another format (`FORMATS`), or declares too many pixels.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise InputError(f"`{path}` declares more than {MOST_PIXELS:,} pixels; remove or shrink it")
            image.load()
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"`{path}` declares far too many pixels; remove or shrink it") from None
    except Exception as error:  # damaged bytes end in a dozen kinds of error, from struct to zlib
        reason = one_line(error)
        raise InputError(f"cannot read the image `{path}`: {reason}; remove or replace it") from None
    return image


def main() -> int:
    """Decode the part that the command line names."""
    array, listed, start, stop = sys.argv[1:]
    paths = [Path(os.fsdecode(name)) for name in Path(listed).read_bytes().split(b"\0")]
    part = paths[int(start) : int(stop)]
    return answer(lambda: decode_part(Path(array), part, int(start)))


if __name__ == "__main__":
    sys.exit(main())
