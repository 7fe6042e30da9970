"""What stands before the app when others can reach it: nothing is served to whoever has not signed in.

The gate sees every request before Streamlit does, and so guards what Streamlit serves without a session as
well: its pages, pictures and downloads (``/media``), uploads and the connection that runs the pages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.sign_in_page import sign_in_page
from app.access.token import DAYS, cookie_value, is_same

LOG = logging.getLogger("pursuhint.gate")
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
PARAMETER = "token"
LONGEST = 4096
"""Bytes of a sign-in form."""
WRONG_TOKEN_S = 0.5
"""Seconds that an answer to a wrong token takes."""
WRONG = "That is not the token. It stands in the terminal in which the app was started."
REFUSED = 1008
"""A WebSocket's code for: against the rules of this server."""
Headers = list[tuple[bytes, bytes]]
PAGE_HEADERS: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'none'",
    ),
]
APP_HEADERS: Headers = [
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
]
"""Sent with everything of the app: no other site shows it in a frame."""


class Gate:
    """Let through who has signed in; an ASGI middleware.

    Args:
        app: that it guards.
        token: that opens it.
        name: of the cookie; cookies of one host are shared by all its ports, so it tells the port.
    """

    standing = False
    """Whether there is one in this process."""

    def __init__(self, app: ASGIApp, *, token: str, name: str) -> None:
        self._app, self._token, self._name = app, token, name
        self._cookie = cookie_value(token)
        Gate.standing = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._knows(scope):
            await self._app(scope, receive, send)
            return
        await receive()  # its request to connect
        await send({"type": "websocket.close", "code": REFUSED})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in asked if name == PARAMETER]
        here = _address(scope["path"], [pair for pair in asked if pair[0] != PARAMETER])
        if scope["path"] == SIGN_IN:
            await self._sign_in(scope, receive, send)
        elif scope["path"] == SIGN_OUT:
            await _redirect(send, "/", self._set_cookie(scope, "", days=0))
        elif scope["method"] == "GET" and tokens:
            await self._try(scope, send, tokens[-1], here)
        elif self._knows(scope):
            await self._app(scope, receive, _with_headers(send))
        else:
            await _answer(send, 401, sign_in_page(here))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _redirect(send, "/")
            return
        form = parse_qs((await _body(receive)).decode("latin-1"))
        await self._try(scope, send, form.get(PARAMETER, [""])[0].strip(), _own(form.get("next", ["/"])[0]))

    async def _try(self, scope: Scope, send: Send, token: str, then: str) -> None:
        """Sign in and go on to an address without the token in it, or ask again."""
        if is_same(token, self._token):
            LOG.info("%s signed in", _visitor(scope))
            await _redirect(send, then, self._set_cookie(scope, self._cookie, days=DAYS))
            return
        LOG.warning("%s gave a wrong token", _visitor(scope))
        await asyncio.sleep(WRONG_TOKEN_S)
        await _answer(send, 403, sign_in_page(then, problem=WRONG))

    def _set_cookie(self, scope: Scope, value: str, *, days: int) -> str:
        encrypted = "; Secure" * (scope.get("scheme") == "https")  # it then never travels otherwise
        return f"{self._name}={value}; Max-Age={days * 86_400}; Path=/; HttpOnly; SameSite=Lax{encrypted}"

    def _knows(self, scope: Scope) -> bool:
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
        return any(is_same(one, self._cookie) for one in _cookies(given, self._name))


def _visitor(scope: Scope) -> str:
    return (scope.get("client") or ("somebody", 0))[0]


def _cookies(headers: Iterable[str], name: str) -> Iterable[str]:
    for header in headers:
        for part in header.split(";"):  # one that is malformed does not hide the others
            try:
                morsel = SimpleCookie(part.strip()).get(name)
            except CookieError:
                continue
            if morsel is not None:
                yield morsel.value


def _address(path: str, asked: list[tuple[str, str]]) -> str:
    return _own(quote(path) + ("?" + urlencode(asked) if asked else ""))


def _own(address: str) -> str:
    r"""Return an address of this app; its first page in place of one that leads elsewhere.

    Example:
        >>> _own("/runs?run=a"), _own("//elsewhere.org"), _own("https://elsewhere.org"), _own("/a\r\nCookie")
        ('/runs?run=a', '/', '/', '/')
    """
    leads_here = address.startswith("/") and address[1:2] not in ("/", "\\")
    return address if leads_here and address.isascii() and address.isprintable() else "/"


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) <= LONGEST:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body[:LONGEST]


async def _answer(send: Send, status: int, page: str) -> None:
    await _send(send, status, PAGE_HEADERS, page.encode())


async def _redirect(send: Send, address: str, cookie: str = "") -> None:
    headers = [(b"location", address.encode("latin-1")), *PAGE_HEADERS]
    await _send(send, 303, headers + ([(b"set-cookie", cookie.encode())] if cookie else []), b"")


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            given: list[Any] = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message = message | {"headers": given + [one for one in APP_HEADERS if one[0] not in names]}
        await send(message)

    return sender
