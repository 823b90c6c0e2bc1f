"""What browsers are told with every answer: load from here alone, and keep cookies to https."""

from base64 import b64encode
from hashlib import sha256
from re import DOTALL
from re import compile as compiled

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

INLINE = compiled(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", DOTALL)


def policy(page: bytes, pictures: str = "") -> str:
    """The content security policy for Streamlit's `page`; `pictures` is one more place they come from.

    Scripts are the server's own files, those written in the page, and blobs, which the scripts of
    components are. Nothing may be fetched from, sent to or framed by anybody else.
    """
    inline = [b64encode(sha256(text).digest()).decode() for text in INLINE.findall(page)]
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "blob:", *(f"'sha256-{one}'" for one in inline)]),
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
