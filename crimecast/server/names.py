"""Answer only to the names that the server is known by, and only its own pages.

A page elsewhere can make a name of its own lead to this computer (DNS rebinding); its browser then
sends the request here under that name. Whatever comes so is turned away before there is a session.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HERE = ("localhost", "127.0.0.1", "[::1]")
USUAL = {"http": 80, "ws": 80, "https": 443, "wss": 443}
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\.?(?::([0-9]{1,5}))?")


class Address(NamedTuple):
    """Where a server is reached; `host` in small letters, IPv6 in brackets."""

    scheme: str
    host: str
    port: int


def address(text: str) -> Address | None:
    """The address of a URL or an Origin header; None if it isn't one."""
    try:
        parts = urlsplit(text.strip().lower())
    except ValueError:
        return None
    found = HOST.fullmatch(parts.netloc)
    if found is None or parts.scheme not in ("http", "https"):
        return None
    return Address(parts.scheme, found[1], int(found[2] or USUAL[parts.scheme]))


class KnownNames:
    """ASGI middleware that turns away foreign names (the Host header) and foreign pages (Origin).

    Known are this computer's own names at the port that listens, `addresses` (whole, such as
    `https://crime.city.example`) and `hosts`, names at any port, `*.city.example` for all below one.
    """

    def __init__(
        self, app: ASGIApp, addresses: Iterable[str] = (), hosts: Iterable[str] = ()
    ) -> None:
        self.app = app
        self.addresses = {found for text in addresses if (found := address(text))}
        self.hosts = [text.strip().lower().rstrip(".") for text in hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say in a sentence why not."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        hosts, origins = (
            [value.decode("latin-1") for key, value in scope["headers"] if key == name]
            for name in (b"host", b"origin")
        )
        if (
            len(hosts) != 1
            or len(origins) > 1
            or not self.known(hosts[0], scope)
            or not all(self.own(origin, hosts[0]) for origin in origins)
        ):
            return await turned_away(
                scope,
                receive,
                send,
                "This server does not answer to that address. Its owner names those it is known by: docs/server.md.",
            )
        if origins and scope["type"] == "websocket":
            # Streamlit judges once more, by the name alone, and where that differs from Host (behind
            # a proxy that changes it) it would ask the outside for this computer's address.
            netloc = urlsplit(origins[0]).netloc.encode("latin-1")
            headers = [(k, netloc if k == b"host" else v) for k, v in scope["headers"]]
            scope = {**scope, "headers": headers}
        return await self.app(scope, receive, send)

    def known(self, host: str, scope: Scope) -> bool:
        """Whether a Host header is a name of this server."""
        found = HOST.fullmatch(host.lower())
        if found is None:
            return False
        name, port = found[1], int(found[2]) if found[2] else None
        listening = (scope.get("server") or ("", None))[1]
        if name in HERE and (port or USUAL[scope["scheme"]]) == listening:
            return True
        if any(
            name == own.host and (port or USUAL[own.scheme]) == own.port for own in self.addresses
        ):
            return True
        return any(
            kept in ("*", name) or (kept.startswith("*.") and name.endswith(kept[1:]))
            for kept in self.hosts
        )

    def own(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` belongs to the server that was asked as `host`, by host and
        port."""
        found = address(origin)
        if found is None:
            return False
        asked = HOST.fullmatch(host.lower())
        same = asked is not None and found[1:] == (
            asked[1],
            int(asked[2] or USUAL[found.scheme]),
        )
        return same or found in self.addresses


async def turned_away(
    scope: Scope, receive: Receive, send: Send, why: str, status: int = 403
) -> None:
    """The one answer to what isn't let in."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    else:
        await PlainTextResponse(why, status, {"Connection": "close"})(scope, receive, send)
