"""Versions of files: what an older program wrote opens, what a newer one wrote is refused."""

from __future__ import annotations

from importlib.metadata import version

from pursuhint.errors import InputError


def check_version(content: object, newest: int, what: str, *, source: str, field: str = "version") -> None:
    """Refuse the content of a file that a newer program wrote.

    Files say their version as a whole number; those that say none were written before they did, and open.

    Args:
        content: of the file, parsed.
        newest: version that this program writes and reads, with all older ones.
        what: the file holds, such as "a hint plan".
        source: the file, for the message.
        field: that says the version.

    Raises:
        InputError: the version is newer.

    Example:
        >>> check_version({"version": 1}, 1, "a hint plan", source="plan.json")
        >>> check_version({}, 1, "a hint plan", source="plan.json")
    """
    found = content.get(field) if isinstance(content, dict) else None
    if isinstance(found, int) and found > newest:
        raise InputError(
            f"`{source}` is {what} of version {found}; this program (pursuhint {version('pursuhint')}) reads "
            f"up to {newest}: update it, or open the file with the program that wrote it"
        )
