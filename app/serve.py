"""Start the app: ``python app/serve.py [--address A] [--port P]``; for others, behind a gate."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from app import server_log  # noqa: E402
from app.access.people import VARIABLE as PEOPLE_VARIABLE  # noqa: E402
from app.access.people import named_people  # noqa: E402
from app.access.token import is_loopback, new_token, take_token  # noqa: E402
from pursuhint.allowed import VARIABLE as ROOTS_VARIABLE  # noqa: E402
from pursuhint.errors import InputError  # noqa: E402
from pursuhint.home import home  # noqa: E402
from pursuhint.jobs import answer  # noqa: E402

MAIN = ROOT / "app" / "main.py"
HERE = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::")
CERTIFICATE_VARIABLE = "STREAMLIT_SERVER_SSL_CERT_FILE"
OPEN_WIRE = f"""\
  What is sent is not encrypted: use it in a network that you trust, through an SSH tunnel, or with a
  certificate ({CERTIFICATE_VARIABLE} and STREAMLIT_SERVER_SSL_KEY_FILE).
"""


def main() -> None:
    """Do what the command line asks for; ends with the server."""
    parser = argparse.ArgumentParser(description="Start the app.")
    parser.add_argument("--address", default=HERE)
    parser.add_argument("--port", type=int, default=8501)
    asked = parser.parse_args()
    address = asked.address or HERE
    os.environ.setdefault("PYTHONPATH", str(ROOT))  # workers find the library wherever this was called
    token = take_token(os.environ)
    by_name = bool(named_people())
    check_address(address, asked.port)
    if is_loopback(address) and not token and not by_name:
        return _alone(asked.port)
    os.environ.setdefault(ROOTS_VARIABLE, str(home()))
    _guarded(address, asked.port, "" if by_name else token or new_token())


def check_address(address: str, port: int) -> None:
    """Refuse an address and port that this machine cannot listen at.

    Raises:
        InputError: it cannot.
    """
    try:
        family, *_, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((place[0], port, *place[2:]))
    except (OSError, OverflowError) as error:
        raise InputError(
            f"the app cannot listen at `{address}`, port {port}: {getattr(error, 'strerror', error)}; "
            "give an address of this machine that is free, or 0.0.0.0 for all of them"
        ) from None


def config(address: str, port: int, shown: str) -> dict[str, Any]:
    """Return what Streamlit is told for an app behind the gate, whatever else its settings say.

    Args:
        address: to listen at.
        port: the same.
        shown: host in the address that visitors open.

    Example:
        >>> config("0.0.0.0", 8501, "lab")["server.enableXsrfProtection"]
        True
    """
    return {
        "server.address": address,
        "server.port": port,
        "server.headless": True,
        "server.allowedHosts": [],  # the machine may have many names; the gate keeps strangers out
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "browser.serverAddress": shown,
        "logger.hideWelcomeMessage": True,  # the address is printed here, with the token
    }


def _alone(port: int) -> None:
    """Serve the app for this machine only."""
    from streamlit.web import cli

    from app import warm

    warm.begin()
    sys.argv = ["streamlit", "run", str(MAIN), "--server.port", str(port)]
    cli.main(prog_name="streamlit")


def _guarded(address: str, port: int, token: str) -> None:
    """Serve the app behind the gate; without a token its own first page asks who the visitor is."""
    import streamlit as st
    from starlette.middleware import Middleware

    from app import warm
    from app.access.door import check_sign_in
    from app.access.gate import PARAMETER, Gate

    server_log.begin()
    if not token:
        check_sign_in()
    shown = socket.gethostname() if address in EVERYWHERE else address
    host = f"[{shown}]" if ":" in shown else shown
    secure = bool(os.environ.get(CERTIFICATE_VARIABLE))
    query = f"?{PARAMETER}={token}" if token else ""
    whom = "for whoever has this address" if token else f"for the people that {PEOPLE_VARIABLE} names"
    print(f"\n  The app, {whom}:\n\n  http{'s' * secure}://{host}:{port}/{query}\n", flush=True)
    if not secure and not is_loopback(address):
        print(OPEN_WIRE, flush=True)
    gate = [Middleware(Gate, token=token, name=f"pursuhint-{port}")] if token else []
    sys.argv = [__file__]
    warm.begin()
    st.App(MAIN, middleware=gate).run(config=config(address, port, shown))


if __name__ == "__main__":
    sys.exit(answer(main))
