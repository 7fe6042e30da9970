"""Zip archives judged by their directory alone, before a byte of them is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pursuhint.errors import InputError

MOST_UNPACKED = 4 << 30
"""Bytes that an archive of arrays may hold once unpacked; both parts of CIFAR take 0.2 GB."""
MOST_ENTRIES = 200_000


def check_archive(archive: zipfile.ZipFile, path: Path, *, compressed: bool = True) -> dict[str, int]:
    """Check what a zip archive declares.

    Args:
        archive: open for reading.
        path: of its file, for messages.
        compressed: whether its entries may be; torch never compresses, numpy does on request.

    Returns:
        Name of an entry -> its bytes once unpacked, in the archive's order.

    Raises:
        InputError: entries that leave the archive or share a name, more than it can hold, or compressed ones.

    Example:
        >>> import io
        >>> archive = zipfile.ZipFile(io.BytesIO(), "w")
        >>> archive.writestr("w/data.pkl", b"123")
        >>> check_archive(archive, Path("w.npz"))
        {'w/data.pkl': 3}
    """
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise InputError(
            f"`{path}` is an archive of {len(entries):,} files; expected at most {MOST_ENTRIES:,}: it is no "
            "file of weights or arrays"
        )
    sizes = {entry.filename: entry.file_size for entry in entries}
    outside = [name for name in sizes if name.startswith("/") or ".." in name.split("/")]
    if outside or len(sizes) < len(entries):
        raise InputError(
            f"`{path}` is an archive in which names {'leave its folder' if outside else 'stand twice'}; "
            "neither torch nor numpy writes that: take the file from its source again"
        )
    if not compressed and any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise InputError(
            f"`{path}` is a compressed archive, and torch never compresses weights; unpack it and name the "
            "weight file in it"
        )
    most = MOST_UNPACKED if compressed else path.stat().st_size
    if (total := sum(sizes.values())) > most:
        raise InputError(
            f"`{path}` declares {total:,} bytes, and at most {most:,} are read from it; it is damaged or was "
            "made to fill the memory"
        )
    return sizes
