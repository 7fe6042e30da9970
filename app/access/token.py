"""The token that opens the app to a visitor, and the cookie that it turns into."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import MutableMapping

from pursuhint.errors import InputError

VARIABLE = "PURSUHINT_TOKEN"
"""Names the token, so that it stays the same from one start to the next."""
SHORTEST = 16
"""Letters of a chosen token: nobody tries them all."""
DAYS = 7
"""For how long a browser stays signed in."""


def is_loopback(address: str) -> bool:
    """Say whether only programs of this machine reach an address.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, True, False)
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def take_token(environment: MutableMapping[str, str]) -> str:
    """Return the token that the environment names and remove it there, so that no worker inherits it.

    Returns:
        The token; empty when none is named.

    Raises:
        InputError: it is too short, or holds letters that an address cannot.
    """
    token = environment.pop(VARIABLE, "")
    if token and (len(token) < SHORTEST or not all(33 <= ord(letter) < 127 for letter in token)):
        raise InputError(
            f"`{VARIABLE}` must have at least {SHORTEST} letters, digits or signs and no space: found "
            f"{len(token)}; choose another one, or none and one is made"
        )
    return token


def new_token() -> str:
    """Return a token that nobody guesses: 192 random bits in 32 letters.

    Example:
        >>> len(new_token()), new_token() == new_token()
        (32, False)
    """
    return secrets.token_urlsafe(24)


def is_same(found: str, expected: str) -> bool:
    """Compare two secrets in a time that does not tell how much of them agrees.

    Example:
        >>> is_same("ä", "a"), is_same("a", "a")
        (False, True)
    """
    return hmac.compare_digest(found.encode(), expected.encode())


def cookie_value(token: str) -> str:
    """Return what the browser of somebody who knows the token keeps: it does not give the token away."""
    return hmac.digest(token.encode(), b"pursuhint cookie", "sha256").hex()
