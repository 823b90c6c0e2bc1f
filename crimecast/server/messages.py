"""What a browser says to the server: only what the app's pages say gets through.

Streamlit knows more messages, from anybody who reaches it: to empty everybody's caches, to tell about
the repository that the server runs from, to write files beside it.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Messages:
    """ASGI middleware that passes over whatever `said` says no page says."""

    def __init__(self, app: ASGIApp, said: Callable[[bytes], bool]) -> None:
        self.app, self.said = app, said

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with these messages left out."""
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)

        async def heard() -> Message:
            while True:
                message = await receive()
                content = message.get("bytes")
                if message["type"] != "websocket.receive" or not content or self.said(content):
                    return message

        return await self.app(scope, heard, send)
