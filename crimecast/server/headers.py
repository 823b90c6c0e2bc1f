"""What browsers are told with every answer: load from here alone, and keep cookies to https."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def policy(pictures: str = "") -> str:
    """The content security policy; `pictures` is one more place that they may come from.

    Scripts may be inline and from blobs, and may compile: Streamlit's own page, its components
    and the charts do all of it. Nothing may be fetched from, sent to or framed by anybody else.
    """
    rules = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": f"'self' data: blob: {pictures}".strip(),
        "font-src": "'self' data:",
        "connect-src": f"'self' data: blob: {pictures}".strip(),
        "worker-src": "'self' blob:",
        "media-src": "'self' blob:",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class Headers:
    """ASGI middleware that adds them; with `secure` every cookie is for https alone, which it also
    is where the request came by https."""

    def __init__(self, app: ASGIApp, policy: str, secure: bool = False) -> None:
        self.app, self.policy, self.secure = app, policy, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        forwarded = (b"x-forwarded-proto", b"https") in scope["headers"]
        secure = self.secure or forwarded or scope["scheme"] in ("https", "wss")

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers["Content-Security-Policy"] = self.policy
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if secure:
                    message["headers"] = [_secured(*pair) for pair in message["headers"]]
            await send(message)

        return await self.app(scope, receive, sent)


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    flags = [part.strip().lower() for part in value.split(b";")[1:]]
    if name.lower() == b"set-cookie" and b"secure" not in flags:
        value += b"; Secure"
    return name, value
