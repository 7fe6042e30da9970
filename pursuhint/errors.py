"""Every error a user can cause or meet: one line that says the rule, the value found and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

Entry = TypeVar("Entry")
MOST_LISTED = 12
LONGEST_SHOWN = 200


class PursuhintError(Exception):
    """A job failed while it ran; the command line ends with exit code 1."""

    exit_code = 1


class InputError(PursuhintError):
    """Something that was asked for or handed over cannot be used; exit code 2."""

    exit_code = 2


class StopRequested(PursuhintError):
    """Work ended early because it was asked to: nothing went wrong, though it is not done; exit code 1."""


class StorageError(PursuhintError):
    """A file cannot be written: the disk is full or the folder is closed; exit code 2, nothing is lost."""

    exit_code = 2


def unknown(what: str, found: str, known: Iterable[str]) -> InputError:
    """Build the error for a name that is not among the known ones, with the nearest match.

    Args:
        what: what the name should have named, such as ``"metric"``.
        found: the name that was given.
        known: the names that exist, in the order in which they are to be shown.

    Returns:
        The error, to be raised by the caller.

    Example:
        >>> str(unknown("metric", "cka_liner", ["r2_cca", "cka_linear"]))
        'unknown metric `cka_liner`: did you mean `cka_linear`? Known: r2_cca, cka_linear'
        >>> str(unknown("run", "nope", []))
        'unknown run `nope`. Known: none'
    """
    names = list(known)
    nearest = difflib.get_close_matches(found[:LONGEST_SHOWN], names, n=1, cutoff=0.5)
    hint = f": did you mean `{nearest[0]}`?" if nearest else "."
    listed = ", ".join(names[:MOST_LISTED]) or "none"
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return InputError(f"unknown {what} `{one_line(found)}`{hint} Known: {listed}{more}")


def one_line(found: object) -> str:
    r"""Write what was found on one line of bounded length: it may be megabytes, or hold control characters.

    Example:
        >>> one_line("a\nb"), one_line(3), len(one_line("x" * 1000))
        ('a\\nb', '3', 201)
    """
    text = str(found)
    short = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)


def find_named(what: str, name: str, table: Mapping[str, Entry], *, beside: Iterable[str] = ()) -> Entry:
    """Return an entry of a table by its name.

    Args:
        what: what the name stands for, such as ``"metric"``.
        name: the name that was given.
        table: the entries by name, in the order in which they are to be shown.
        beside: further names that are allowed elsewhere, for the list in the error.

    Raises:
        InputError: there is none of that name; names the nearest match.

    Example:
        >>> find_named("metric", "b", {"a": 1, "b": 2})
        2
    """
    if name not in table:
        raise unknown(what, name, [*table, *beside])
    return table[name]
