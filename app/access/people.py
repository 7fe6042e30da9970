"""The people who may come in by the sign-in of an organisation (OIDC)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

VARIABLE = "PURSUHINT_USERS"
"""Names who may come in by an organisation's sign-in: addresses of people, or ``@domain`` for all of one."""


def named_people() -> tuple[str, ...]:
    """Return who may come in by an organisation's sign-in; nobody when that is not used."""
    given = os.environ.get(VARIABLE, "").split(",")
    return tuple(one for one in (entry.strip().lower() for entry in given) if one)


def is_named(person: Mapping[str, Any], people: tuple[str, ...]) -> bool:
    """Say whether somebody who signed in is among the people named.

    Args:
        person: what the identity provider says: ``email``, and ``email_verified`` where it tells.
        people: from `named_people`.

    Example:
        >>> lab = ("@lab.org",)
        >>> is_named({"email": "Ada@Lab.org"}, lab), is_named({"email": "ada@lab.org.com"}, lab)
        (True, False)
        >>> is_named({"email": "ada@lab.org", "email_verified": False}, lab), is_named({}, lab)
        (False, False)
    """
    email = str(person.get("email") or "").lower()
    if "@" not in email or person.get("email_verified") is False:
        return False
    return email in people or "@" + email.rpartition("@")[2] in people
