"""The gate before an app that others can reach, spoken to as a server would (ASGI), without a server."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import pytest

from app.access import gate as gate_module
from app.access.gate import LONGEST, REFUSED, Gate
from app.access.people import VARIABLE as PEOPLE
from app.access.people import named_people
from app.access.token import SHORTEST, VARIABLE, cookie_value, new_token, take_token
from pursuhint.errors import InputError

TOKEN = "right-token-of-the-tests"
COOKIE = f"pursuhint-1={cookie_value(TOKEN)}"
SECRET = b"what only the app says"


@dataclass
class Reply:
    """What came back: a status (or a WebSocket's code), headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(gate_module, "WRONG_TOKEN_S", 0.0)
    monkeypatch.setattr(Gate, "standing", False)


def ask(
    path: str = "/",
    *,
    query: str = "",
    method: str = "GET",
    cookie: str = "",
    body: bytes = b"",
    **scope: Any,
) -> Reply:
    """Send one request through a gate to an app that tells a secret to everybody."""

    async def app(scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": SECRET})

    said: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": body}

    async def send(message: dict) -> None:
        said.append(message)

    asked = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    asked |= {"headers": [(b"cookie", cookie.encode())] if cookie else []} | scope
    asyncio.run(Gate(app, token=TOKEN, name="pursuhint-1")(asked, receive, send))
    first = said[0]
    headers = {name.decode(): value.decode() for name, value in first.get("headers", ())}
    return Reply(first.get("status", first.get("code", 0)), headers, said[-1].get("body", b""))


STREAMLIT = [
    "/",
    "/runs",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/upload_file/a/b",
    "/media/0123.png",
    "/component/x/y.js",
    "/static/js/index.js",
    "/app/static/x",
    "/sign-in/..",
]


@pytest.mark.parametrize("path", STREAMLIT)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"])
def test_a_stranger_gets_nothing_of_the_app(path, method):
    reply = ask(path, method=method, cookie=f"pursuhint-1={'0' * 64}; pursuhint-2={cookie_value(TOKEN)}")
    assert reply.status == 401
    assert SECRET not in reply.body and b'name="token"' in reply.body
    assert reply.headers["cache-control"] == "no-store"
    assert "script" not in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_a_stranger_gets_no_connection():
    refused = ask("/_stcore/stream", type="websocket")
    assert refused.status == REFUSED
    assert ask("/_stcore/stream", type="websocket", cookie=COOKIE).status == 0  # accepted by the app


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_the_address():
    reply = ask("/runs", query=f"run=a%20b&token={TOKEN}&run=c")
    assert (reply.status, reply.headers["location"], reply.body) == (303, "/runs?run=a+b&run=c", b"")
    name, value = re.match(r"(\S+?)=(\S+);", reply.headers["set-cookie"]).groups()
    assert (name, value) == ("pursuhint-1", cookie_value(TOKEN))
    assert TOKEN not in str(reply.headers) and reply.headers["referrer-policy"] == "no-referrer"
    for attribute in ("HttpOnly", "SameSite=Lax", "Max-Age=604800", "Path=/"):
        assert attribute in reply.headers["set-cookie"]
    assert "Secure" not in reply.headers["set-cookie"]
    encrypted = ask("/", query=f"token={TOKEN}", scheme="https")
    assert encrypted.headers["set-cookie"].endswith("; Secure")


def test_whoever_has_the_cookie_comes_in_and_no_other_site_frames_the_app():
    reply = ask("/media/x", cookie=f"other=1; broken[=; {COOKIE}")
    assert (reply.status, reply.body) == (200, SECRET)
    assert reply.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert reply.headers["x-own"] == "1"


@pytest.mark.parametrize("token", ["wrong", "", TOKEN[:-1], TOKEN + "x", "\u00e4" * 24, "x" * 10_000])
def test_a_wrong_token_is_asked_for_again(token):
    form = f"token={token}&next=%2Fruns".encode()
    reply = ask("/sign-in", method="POST", body=form)
    assert reply.status == 403 and b"That is not the token" in reply.body
    assert b'value="/runs"' in reply.body or len(form) > LONGEST
    assert "set-cookie" not in reply.headers
    assert ask("/", query="token=wrong").status == 403


@pytest.mark.parametrize(
    ("then", "leads"),
    [
        ("/runs?run=a", "/runs?run=a"),
        ("//elsewhere.org", "/"),
        ("/%5Celsewhere.org", "/"),
        ("https://elsewhere.org", "/"),
        ("/a%0D%0ASet-Cookie:x", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_the_form_signs_in_and_never_leads_elsewhere(then, leads):
    reply = ask("/sign-in", method="POST", body=f"token=+{TOKEN}+&next={then.replace('&', '%26')}".encode())
    assert (reply.status, reply.headers["location"]) == (303, leads)
    assert cookie_value(TOKEN) in reply.headers["set-cookie"]


def test_what_stands_in_the_address_is_text_on_the_page():
    reply = ask('/"><script>alert(1)</script>', query="x=%22%3E%3Cimg%20src=y%3E")
    assert b"<script" not in reply.body and b"<img" not in reply.body


def test_signing_out_forgets_the_cookie():
    reply = ask("/sign-out", cookie=COOKIE)
    assert reply.status == 303 and reply.headers["set-cookie"].startswith("pursuhint-1=; Max-Age=0")
    assert ask("/sign-in", cookie=COOKIE).headers["location"] == "/"


def test_another_token_makes_every_cookie_worthless():
    assert cookie_value(new_token()) != cookie_value(new_token())
    assert TOKEN not in cookie_value(TOKEN)


def test_a_chosen_token_is_taken_out_of_the_environment():
    environment = {VARIABLE: TOKEN, "OTHER": "1"}
    assert (take_token(environment), environment) == (TOKEN, {"OTHER": "1"})
    assert take_token({}) == ""


@pytest.mark.parametrize(
    "token", ["short", "x" * (SHORTEST - 1), "with a space in between", "\u00e4" * SHORTEST]
)
def test_a_token_that_can_be_tried_out_is_refused(token):
    with pytest.raises(
        InputError, match=rf"`{VARIABLE}` must have at least {SHORTEST} .* found {len(token)}"
    ):
        take_token({VARIABLE: token})


def test_the_people_named_are_read_from_a_list(monkeypatch):
    monkeypatch.setenv(PEOPLE, " Ada@Lab.org, ,@group.org ")
    assert named_people() == ("ada@lab.org", "@group.org")
    monkeypatch.delenv(PEOPLE)
    assert named_people() == ()
