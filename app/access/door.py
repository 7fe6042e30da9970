"""The door of the app: what this machine's visitors, those past the gate and people by name may pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app.access.gate import SIGN_OUT, Gate
from app.access.people import VARIABLE, is_named, named_people
from app.access.token import is_loopback
from app.words import plain
from pursuhint.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = (
    "One workspace: whoever signs in sees every teacher, plan and run, and may start, stop and delete them."
)


def check_sign_in() -> None:
    """Refuse to start with people named and no way for them to sign in.

    Raises:
        InputError: Streamlit's secrets describe no identity provider, or Authlib is not installed.
    """
    try:
        described = "auth" in st.secrets
    except FileNotFoundError:
        described = False
    if not described:
        raise InputError(
            f"`{VARIABLE}` names who may sign in, and no `[auth]` says where: describe the identity "
            "provider in `app/.streamlit/secrets.toml` (see docs/serving.md)"
        )
    try:
        import authlib  # noqa: F401
    except ImportError:
        raise InputError(
            f"`{VARIABLE}` needs Authlib, which is not installed: `.venv/bin/python -m pip install "
            "'Authlib>=1.3.2'`"
        ) from None


def admitted() -> bool:
    """Say whether this visitor may see the app; draws what stands in its place otherwise."""
    people = named_people()
    if people:
        if st.user.get("is_logged_in") and is_named(st.user.to_dict(), people):
            return True
        _sign_in()
        return False
    if Gate.standing or not _is_open_to_others():
        return True
    with _card():
        st.markdown("**This app is open to others without a sign-in, so it shows nothing.**")
        st.caption("End it and start it with `make app ADDRESS=0.0.0.0`, which asks everybody for a token.")
    return False


def way_out() -> None:
    """Draw what signs this visitor out, where signing in was asked for."""
    if named_people():
        st.button("Sign out", on_click=st.logout, type="tertiary", icon=":material/logout:")
    elif Gate.standing:  # an address of the gate, which Streamlit knows nothing of
        st.html(
            f'<a href="{SIGN_OUT}" target="_self" style="color: inherit; font-size: 0.875rem">Sign out</a>'
        )


def _is_open_to_others() -> bool:
    """Say whether the server listens at another address than app/.streamlit/config.toml says."""
    address = st.get_option("server.address")
    return address is not None and not is_loopback(address)


def _sign_in() -> None:
    known = st.user.get("is_logged_in")
    with _card():
        st.title("Sign in" if not known else "Not on the list", anchor=False)
        if known:
            st.caption(
                f"{plain(str(st.user.get('email') or 'Your account'))} may not use this app. Whoever runs it "
                f"adds people to `{VARIABLE}`."
            )
            st.button("Sign in as somebody else", on_click=st.logout, type="primary", width="stretch")
        else:
            st.caption("This app asks for your organisation's sign-in.")
            st.button("Sign in", on_click=st.login, type="primary", width="stretch")
        st.caption(f":small[{WORKSPACE}]")


def _card() -> Any:
    st.set_page_config(page_title="Sign in · PURSUhInT", page_icon=str(ROOT / "assets" / "icon.svg"))
    st.logo(str(ROOT / "assets" / "logo.svg"), size="large")
    with st.container(horizontal_alignment="center"):
        st.space("large")
        return st.container(border=True, width=430, key="sign-in")
