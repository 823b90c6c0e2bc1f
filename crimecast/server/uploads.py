"""Uploads: from people who were let in alone, and no more than fits.

Streamlit takes a file from any session, before anybody asked who sits there, and keeps it in memory.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from re import compile as pattern

from starlette.types import ASGIApp, Receive, Scope, Send

from crimecast.server.names import turned_away

PATH = pattern(r".*/_stcore/upload_file/(?P<session>[^/]+)/[^/]+")


class Guests:
    """Who was let in to upload, by session."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def let_in(self, session: str, name: str) -> None:
        """From now on this session may upload, as that person."""
        self._names[session] = name

    def turn_out(self, session: str) -> None:
        """It may no longer."""
        self._names.pop(session, None)

    def name(self, session: str) -> str | None:
        """The person of a session; None if it may not upload."""
        return self._names.get(session)

    def sessions(self) -> list[str]:
        """Those that may upload."""
        return list(self._names)


guests = Guests()


class Uploads:
    """ASGI middleware in front of Streamlit's uploads.

    `held` gives the bytes that every session holds; a person may hold `each` in all sessions of
    theirs, everybody together `together`.
    """

    def __init__(
        self,
        app: ASGIApp,
        held: Callable[[], Mapping[str, int]],
        each: int,
        together: int,
        guests: Guests = guests,
    ) -> None:
        self.app, self.held, self.each, self.together, self.guests = (
            app, held, each, together, guests,
        )  # fmt: skip
        self._coming: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the file, or say in a sentence why not, before a byte of it was read."""
        found = PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] in ("OPTIONS", "DELETE"):
            return await self.app(scope, receive, send)
        name = self.guests.name(found["session"])
        if name is None:
            return await turned_away(scope, receive, send, "Only operators may upload files.")
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        # What comes in chunks doesn't say how much it is.
        if not length.isdigit() or b"transfer-encoding" in headers:
            return await turned_away(scope, receive, send, "How long is the file?", 411)
        size = int(length)
        kept: Counter[str] = Counter(self._coming)
        for session, amount in self.held().items():
            kept[self.guests.name(session) or ""] += amount
        if kept[name] + size > self.each or kept.total() + size > self.together:
            return await turned_away(
                scope, receive, send, "Too much was uploaded; remove a file first.", 413
            )
        self._coming[name] += size
        try:
            await self.app(scope, receive, send)
        finally:
            self._coming[name] -= size
