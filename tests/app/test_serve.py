"""The app as `make app` starts it: what its port gives away, by real requests to a real server."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.access import door
from app.access.gate import Gate
from app.access.people import VARIABLE as PEOPLE
from app.access.token import VARIABLE as TOKEN_VARIABLE
from app.access.token import cookie_value
from app.serve import check_address
from pursuhint.errors import InputError
from tests.app.conftest import texts

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-the-tests"
OFF = {"STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false", "STREAMLIT_SERVER_ENABLE_CORS": "false"}


class Served:
    """A server, asked without a browser's care.

    Args:
        port: that it listens at.
        log: what it printed.
    """

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log, self.cookie = port, log, {}

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, self.cookie | headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}

    def connect(self, *, origin: str, host: str = "") -> int:
        """Ask for the connection that runs pages and return the status, 101 when it is given."""
        host = host or f"127.0.0.1:{self.port}"
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "streamlit"}
        lines = (upgrade | key | {"Host": host, "Origin": origin} | self.cookie).items()
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as wire:
            wire.sendall(b"GET /_stcore/stream HTTP/1.1\r\n")
            wire.sendall("".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n")
            return int(wire.recv(64).split()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start ``app/serve.py`` on a free port and wait until it answers."""
    processes = []

    def run(*options: str, **environment: str) -> Served:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "app/serve.py", "--port", str(port), *options]
        log = tmp_path / f"{port}.log"
        variables = os.environ | {"HOME": str(tmp_path), "STREAMLIT_SERVER_HEADLESS": "true"} | environment
        with open(log, "wb") as output:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=output))
        served, end = Served(port, log), time.monotonic() + 60
        while time.monotonic() < end and processes[-1].poll() is None:
            try:
                served.ask("/_stcore/health")
                return served
            except OSError:
                time.sleep(0.05)
        raise AssertionError(log.read_text(encoding="utf-8"))

    yield run
    for process in processes:
        process.kill()
        process.wait(10)


def test_an_app_for_others_gives_strangers_nothing_whatever_the_settings_say(start):
    served = start("--address", "0.0.0.0", **{TOKEN_VARIABLE: TOKEN}, **OFF)
    own, stranger = f"http://127.0.0.1:{served.port}", "http://elsewhere.org"
    upload = f"/_stcore/upload_file/{'0' * 36}/{'1' * 36}"
    for path in ("/", "/_stcore/health", "/_stcore/metrics", "/media/x.png", "/static/index.js", upload):
        assert served.ask(path)[0] == 401
    assert served.ask(upload, "PUT", "file")[0] == 401
    assert served.connect(origin=own) == 403

    status, headers = served.ask(f"/runs?run=a&token={TOKEN}")
    assert (status, headers["location"]) == (303, "/runs?run=a")
    served.cookie = {"Cookie": f"pursuhint-{served.port}={cookie_value(TOKEN)}"}
    assert headers["set-cookie"].startswith(served.cookie["Cookie"] + ";")

    status, headers = served.ask("/_stcore/health", Origin=stranger)
    assert status == 200 and "access-control-allow-origin" not in headers
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert served.ask(upload, "PUT", "file")[0] == 403  # XSRF: the header that only our own page can set
    assert served.connect(origin=stranger) == 403
    assert served.connect(origin=f"http://lab:{served.port}", host=f"lab:{served.port}") == 101
    log = served.log.read_text(encoding="utf-8")
    assert log.count(TOKEN) == 1 and f"/?token={TOKEN}\n" in log
    assert "not encrypted" in log
    assert re.search(r"^\d{4}-\d\d-\d\dT\S+ INFO pursuhint.gate 127.0.0.1 signed in$", log, re.MULTILINE)


def test_an_app_for_this_machine_answers_to_its_own_names_and_pages_only(start):
    served = start()
    own, stranger = f"http://127.0.0.1:{served.port}", "http://elsewhere.org"
    assert served.connect(origin=own) == 101
    assert served.connect(origin=stranger) == 403
    assert served.connect(origin=stranger, host="elsewhere.org") == 403  # a name of theirs that leads here
    assert "access-control-allow-origin" not in served.ask("/_stcore/health", Origin=stranger)[1]
    assert served.ask(f"/_stcore/upload_file/{'0' * 36}/x", "PUT", "file")[0] == 403


@pytest.mark.parametrize(("address", "port"), [("192.0.2.1", 8501), ("127.0.0.1", 99999)])
def test_an_address_that_is_not_ours_is_said(address, port):
    with pytest.raises(
        InputError, match=rf"cannot listen at `{address}`, port {port}: .*; give an address of"
    ):
        check_address(address, port)


def test_a_busy_port_is_said():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        with pytest.raises(InputError, match="in use; give an address of this machine that is free"):
            check_address("127.0.0.1", busy.getsockname()[1])


def test_an_app_open_to_others_without_a_gate_shows_nothing(open_page, monkeypatch):
    monkeypatch.setattr(Gate, "standing", False)
    monkeypatch.setattr(door.st, "get_option", {"server.address": "0.0.0.0"}.get)
    said = texts(open_page("runs"))
    assert "open to others without a sign-in" in said and "Runs" not in said
    monkeypatch.setattr(Gate, "standing", True)
    assert "Distillations, live and finished" in texts(open_page("runs"))


class Person(dict):
    """What Streamlit knows of a visitor."""

    def to_dict(self) -> dict:
        return dict(self)


@pytest.mark.parametrize(
    ("person", "shown", "button"),
    [
        ({}, "asks for your organisation's sign-in", "Sign in"),
        (
            {"is_logged_in": True, "email": "eve@elsewhere.org"},
            "eve@elsewhere.org may not use this app",
            "Sign in as somebody else",
        ),
        ({"is_logged_in": True, "email": "ada@lab.org"}, "Distillations, live and finished", "Sign out"),
    ],
)
def test_people_by_name_sign_in_where_their_organisation_says(open_page, monkeypatch, person, shown, button):
    monkeypatch.setenv(PEOPLE, "@lab.org")
    monkeypatch.setattr(door.st, "user", Person(person))
    page = open_page("runs")
    assert shown in texts(page)
    assert [one.label for one in page.button] == [button]
    assert ("One workspace" in texts(page)) == (button != "Sign out")


def test_people_without_a_way_to_sign_in_are_refused_at_the_start(monkeypatch):
    monkeypatch.setattr(door.st, "secrets", {})
    with pytest.raises(
        InputError, match=r"`PURSUHINT_USERS` names who may sign in, and no `\[auth\]` says where"
    ):
        door.check_sign_in()
    monkeypatch.setattr(door.st, "secrets", {"auth": {}})
    monkeypatch.setitem(sys.modules, "authlib", None)
    with pytest.raises(InputError, match="`PURSUHINT_USERS` needs Authlib"):
        door.check_sign_in()
