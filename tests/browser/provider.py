"""A small OpenID Connect provider that logs in whoever its `email` names, for tests of the login."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class Provider:
    """Runs until `stop`; `email` is who logs in next, `verified` what it says of the address."""

    SILENT = object()  # says nothing of the address

    def __init__(self) -> None:
        self.verified: Any
        self.email, self.verified = "ana@city.example", True
        self.key = RSAKey.generate_key(2048, {"kid": "test", "alg": "RS256", "use": "sig"})
        self.nonces: dict[str, str] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                where = urlsplit(self.path)
                asked = {k: v[0] for k, v in parse_qs(where.query).items()}
                if where.path == "/.well-known/openid-configuration":
                    self.answer(provider.configuration())
                elif where.path == "/jwks":
                    self.answer({"keys": [provider.key.as_dict(private=False)]})
                elif where.path == "/authorize":
                    code = f"code{len(provider.nonces)}"
                    provider.nonces[code] = asked.get("nonce", "")
                    back = urlencode({"code": code, "state": asked["state"]})
                    self.send_response(302)
                    self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                    self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                code = parse_qs(body)["code"][0]
                token = provider.token(provider.nonces[code])
                self.answer({"access_token": "a", "token_type": "Bearer", "id_token": token})

            def answer(self, document: dict[str, Any]) -> None:
                text = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def configuration(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def token(self, nonce: str) -> str:
        """A signed identity."""
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": self.email, "aud": "crimecast", "iat": now, "exp": now + 3600,
            "nonce": nonce, "email": self.email,
        } | ({} if self.verified is self.SILENT else {"email_verified": self.verified})  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "test"}, claims, self.key)

    def stop(self) -> None:
        """End the server."""
        self.server.shutdown()
