"""Web servers on this computer for tests."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class Server:
    """Serves while in a `with`; `url` is where. Subclasses say what takes the requests."""

    url: str

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """What takes the requests."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Served(Server):
    """Answers in JSON; subclasses say what."""

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """The status, and what is sent as JSON."""
        raise NotImplementedError

    def answered(self) -> None:
        """Called when an answer is sent."""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """What takes the requests."""
        served = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = 1 << 16  # one write an answer, or the client waits for each half

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                status, answer = served.answer(parts.path, query)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                served.answered()

            def log_message(self, *_: object) -> None:
                return None

        return Handler
