"""Strangers at the door of an app that others can reach."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.access.token import VARIABLE, cookie_value
from benchmarks.torture.bench import Bench, Row

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
PATHS = (
    "/",
    "/runs",
    "/hint_points",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/upload_file/{}/{}",
    "/_stcore/bidi-components/{}",
    "/_stcore/stream",
    "/media/{}.png",
    "/component/{}/index.html",
    "/static/index.html",
    "/static/js/{}.js",
    "/favicon.png",
    "/auth/login",
    "/oauth2callback",
    "/../app/main.py",
    "//runs",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/sign-in/../runs",
    "/SIGN-IN",
    "/sign-in%2f..%2fruns",
)
START_S = 60.0


def strangers(bench: Bench, tries: int) -> Row:
    """Ask for everything that the app and Streamlit serve, with everything but the right token."""
    row = Row(
        "whoever has not signed in gets the sign-in page and nothing of the app, not even its health",
        "an app on 0.0.0.0 asked with random methods, paths, hosts and nearly right cookies; every tenth "
        "time for the connection that runs its pages",
    )
    token = secrets.token_urlsafe(24)
    with _served(bench, token) as port:
        for number in range(tries):
            row.tries += 1
            place = bench.random.choice(PATHS).format(secrets.token_hex(8), secrets.token_hex(8))
            method = bench.random.choice(METHODS)
            headers = {
                "Cookie": _nearly(bench, token, port),
                "Host": bench.random.choice(("lab", "localhost")),
            }
            if number % 10 == 0:
                method, place = "GET", "/_stcore/stream"
                headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
                headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
            status, body = _ask(port, method, place, headers)
            known = b'name="token"' in body or not body or method == "HEAD"
            if status not in (400, 401, 403) or (status == 401 and not known):
                row.lost.append(f"{method} {place} was answered with {status}: {body[:60]!r}")
        right = {"Cookie": f"pursuhint-{port}={cookie_value(token)}"}
        if _ask(port, "GET", "/_stcore/health", right)[0] != 200:
            row.lost.append("whoever has signed in is not let in")
    return row


def _nearly(bench: Bench, token: str, port: int) -> str:
    right = cookie_value(token)
    return bench.random.choice(
        (
            "",
            f"pursuhint-{port}={right[:-1]}",
            f"pursuhint-{port}={right.upper()}",
            f"pursuhint-{port}={token}",
            f"pursuhint-{port + 1}={right}",
            f"Pursuhint-{port}={right}",
            f"pursuhint-{port}={cookie_value(secrets.token_urlsafe(24))}",
        )
    )


def _ask(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


@contextmanager
def _served(bench: Bench, token: str) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app/serve.py", "--address", "0.0.0.0", "--port", str(port)]
    with open(bench.folder / "served.log", "wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {VARIABLE: token}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_it_listens(server, port)
        yield port
    finally:
        server.kill()
        server.wait()


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the app did not start within {START_S:.0f} s")
