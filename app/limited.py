"""Numbers between limits: one beyond them is refused in words, and the former one stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.bound import bound
from pursuhint.errors import InputError


def number(
    label: str,
    key: str,
    value: float | None,
    write: Callable[[Any], None],
    *,
    least: float,
    most: float | None = None,
    optional: bool = False,
    **shape: Any,
) -> None:
    """Draw a number that is tied to a value of the state.

    The widget knows no limits: beyond them it would turn red, go on showing what was typed, and tell nobody.

    Args:
        label: what it is.
        key: of the widget.
        value: what it is to show; None for none.
        write: receives what the visitor enters, when it may be.
        least: the lower limit.
        most: the upper one; none when None.
        optional: whether the field may be emptied, which is None.
        shape: further arguments of `st.number_input`.
    """

    def take(entered: float | None) -> None:
        write(None if optional and entered is None else check(label, entered, least, most))

    st.number_input(label, value=None, **shape, **bound(key, value, take))


def check(label: str, entered: float | None, least: float, most: float | None) -> float:
    """Return a number that lies between the limits.

    Raises:
        InputError: it does not.

    Example:
        >>> check("Epochs", 3, 1, None)
        3
        >>> check("Temperature T", 0, 0.5, 20)
        Traceback (most recent call last):
        pursuhint.errors.InputError: Temperature T: expected 0.5 to 20, found 0; the former value stays
    """
    if entered is not None and least <= entered and (most is None or entered <= most):
        return entered
    limits = f"at least {least:g}" if most is None else f"{least:g} to {most:g}"
    found = "nothing" if entered is None else f"{entered:g}"
    raise InputError(f"{label}: expected {limits}, found {found}; the former value stays")
