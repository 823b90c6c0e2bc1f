"""A running server, tried from outside: foreign names, foreign pages, strangers' files."""

import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bench.chromium import FLAGS, TOP, free_port, serve
from tests.browser.conftest import CHROMIUM, App
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
PATHS = ["/", "/runs", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/media/x.png", "/static/x.js",
         "/component/x/y", "/_stcore/bidi-components/x/y", "/auth/login", "/oauth2callback"]  # fmt: skip


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> int:
    """The status that a server answers, with exactly these headers."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=BROWSER / 1000)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in {**headers, "Content-Length": str(len(body or b""))}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    with contextlib.suppress(OSError):  # answered before all was sent
        connection.send(body or b"")
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def stream(url: str, token: str = "", **headers: str) -> ClientConnection:
    """A websocket as a browser opens it; `token` is the one that belongs to its cookies."""
    host = url.removeprefix("http://")
    name, _, port = host.partition(":")
    return connect(
        f"ws://{headers.pop('Host', host)}/_stcore/stream",
        sock=socket.create_connection((name, int(port))),
        additional_headers=headers,
        subprotocols=["streamlit", *([token] if token else [])],  # type: ignore[list-item]
        proxy=None,
        open_timeout=BROWSER / 1000,
    )


def begin(open_: ClientConnection) -> str:
    """Ask for the first page; the name of the session."""
    asked = BackMsg()
    asked.rerun_script.query_string = ""
    open_.send(asked.SerializeToString())
    while True:
        found = ForwardMsg()
        found.ParseFromString(bytes(open_.recv(60)))  # type: ignore[arg-type]
        if found.WhichOneof("type") == "new_session":
            return found.new_session.initialize.session_id


def finish(open_: ClientConnection) -> None:
    """Wait until the page was drawn."""
    while True:
        found = ForwardMsg()
        found.ParseFromString(bytes(open_.recv(90)))  # type: ignore[arg-type]
        if found.WhichOneof("type") == "script_finished":
            return


def upload(url: str, session: str, size: int) -> int:
    """Send a file to a session as its page would."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=BROWSER / 1000)
    connection.request("GET", "/_stcore/health")
    answer = connection.getresponse()
    answer.read()
    cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
    body = b"".join([
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\n\r\n', b"x" * size, b"\r\n--b--\r\n"
    ])  # fmt: skip
    return ask(
        url, f"/_stcore/upload_file/{session}/{os.urandom(8).hex()}", "PUT", body,
        Cookie=cookie, X_Xsrftoken=cookie.partition("=")[2], Content_Type="multipart/form-data; boundary=b",
    )  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_name_gets_no_answer(app: App, path: str) -> None:
    for host in (f"evil.test:{app.port}", "evil.test", "localhost:1", f"127.0.0.1.evil.test:{app.port}"):  # fmt: skip
        assert ask(app.url, path, Host=host) == 403, host
    assert ask(app.url, path, Origin="http://evil.test") == 403
    assert ask(app.url, path, Origin="http://localhost:1") == 403
    assert ask(app.url, path, Host=f"127.0.0.1:{app.port}") != 403


def test_a_foreign_page_gets_no_session(app: App) -> None:
    port = app.port
    for headers in (
        {"Host": f"evil.test:{port}", "Origin": f"http://evil.test:{port}"},
        {"Origin": "http://evil.test"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
    ):
        with pytest.raises(InvalidStatus, match="403"):
            stream(app.url, **headers)
    with stream(app.url, Origin=app.url) as open_:
        assert begin(open_)


def test_a_browser_with_a_name_that_was_bound_again(browser: Any, app: App) -> None:
    """The whole attack: a page under a foreign name that leads here."""
    own = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[*FLAGS, "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP other.test 127.0.0.1"],
    )
    page = own.new_page()
    answer = page.goto(f"http://evil.test:{app.port}/")
    assert answer.status == 403
    assert page.locator("[data-testid=stApp]").count() == 0
    opened = """port => new Promise(done => {
        const socket = new WebSocket(`ws://${location.hostname}:${port}/_stcore/stream`, ['streamlit'])
        socket.onopen = () => done('open'); socket.onerror = () => done('refused') })"""
    assert page.evaluate(opened, app.port) == "refused"
    # Neither does a page of another server on this computer reach it under its true name.
    foreign = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    page.goto(f"http://localhost:{foreign.server_address[1]}/")
    assert page.evaluate(opened, app.port) == "refused"
    seen = page.evaluate(
        "async url => { try { return (await fetch(url)).status } catch { return 'refused' } }",
        f"{app.url}/_stcore/health",
    )
    assert seen in (403, "refused")
    page.goto(app.url)  # by its own name it answers as ever
    page.get_by_role("heading", name="Overview").wait_for(timeout=BROWSER)
    foreign.shutdown()
    own.close()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<p>elsewhere</p>")

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def with_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, list[str], int]]:
    """A server with a login, reached by https through a proxy; what it asks the outside for."""
    outside: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            outside.append(self.path)
            self.send_response(502)
            self.end_headers()

        do_CONNECT = do_GET

        def log_message(self, *_: object) -> None:
            return None

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        '[auth]\nredirect_uri = "https://crime.city.example/oauth2callback"\n'
        'cookie_secret = "for this test alone, long enough to sign"\nclient_id = "crimecast"\n'
        'client_secret = "secret"\nserver_metadata_url = "https://provider.example/.well-known/openid-configuration"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(secrets))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_address[1]}")
    monkeypatch.setenv("no_proxy", "localhost")
    port = free_port()
    process, url = serve(TOP / "app.py", tmp_path / "data", port)
    yield url, outside, process.pid
    process.terminate()
    process.wait(20)
    proxy.shutdown()


def test_a_stranger_uploads_nothing_and_sends_nothing_out(
    with_login: tuple[str, list[str], int],
) -> None:
    url, outside, _ = with_login
    with stream(url, Host="crime.city.example", Origin="https://crime.city.example") as open_:
        session = begin(open_)
        finish(open_)
        assert upload(url, session, 10) == 403
        assert upload(url, session, 20_000_000) == 403
    # The page of the server's own name, behind a proxy that changes Host.
    with stream(url, Origin="https://crime.city.example") as open_:
        assert begin(open_)
    for origin in ("http://evil.test", "https://crime.city.example.evil.test", "null"):
        with pytest.raises(InvalidStatus, match="403"):
            stream(url, Origin=origin)
    assert outside == []


def test_cookies_are_for_https_alone(with_login: tuple[str, list[str], int]) -> None:
    connection = http.client.HTTPConnection(
        with_login[0].removeprefix("http://"), timeout=BROWSER / 1000
    )
    connection.request("GET", "/_stcore/health")
    cookies = connection.getresponse().headers.get_all("Set-Cookie") or []
    assert cookies
    assert all("Secure" in cookie for cookie in cookies)


def test_nobody_says_what_no_page_says(app: App) -> None:
    """Nothing is installed, told or emptied because a websocket asks for it; nor by the agent API."""
    kinds = {"clear_cache": True, "load_git_info": True, "set_run_on_save": True, "debug_shutdown_runtime": True, "debug_disconnect_websocket": True}  # fmt: skip
    with stream(app.url, Origin=app.url) as open_:
        begin(open_)
        finish(open_)
        for name, value in kinds.items():
            open_.send(BackMsg(**{name: value}).SerializeToString())
        for name in ("install_skills", "dismiss_skills_nudge"):
            asked = BackMsg()
            getattr(asked.backend_operation_request, name).SetInParent()
            open_.send(asked.SerializeToString())
        open_.send(BackMsg(app_heartbeat=True).SerializeToString())
        answers: list[ForwardMsg] = []
        while not answers or answers[-1].WhichOneof("type") != "heartbeat_ack":
            answers.append(ForwardMsg())
            answers[-1].ParseFromString(bytes(open_.recv(60)))  # type: ignore[arg-type]
    assert not any(one.session_status_changed.run_on_save for one in answers)
    told = {"git_info_changed", "backend_operation_response", "session_event"}
    assert not told & {one.WhichOneof("type") for one in answers}
    for path, refused in (("interact", 403), ("mcp", 400)):  # "not_available", in either protocol
        body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}'
        status = ask(app.url, f"/_stcore/agent/{path}", "POST", body, Content_Type="application/json")  # fmt: skip
        assert status == refused, path


def test_files_go_when_their_session_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "2")
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "10")
    running = App(tmp_path / "data")

    def kept() -> float:
        connection = http.client.HTTPConnection(
            running.url.removeprefix("http://"), timeout=BROWSER / 1000
        )
        connection.request("GET", "/_stcore/metrics?families=cache_memory_bytes")
        lines = connection.getresponse().read().decode().splitlines()
        return sum(float(x.split()[-1]) for x in lines if "UploadedFileManager" in x)

    try:
        with stream(running.url, Origin=running.url) as open_:
            session = begin(open_)
            finish(open_)
            answers = [upload(running.url, session, 1_500_000) for _ in range(4)]
            assert answers == [204, 204, 413, 413]  # twice the largest file
            assert kept() == 3_000_000
        for _ in range(60):
            if kept() == 0:
                break
            threading.Event().wait(1)
        assert kept() == 0
    finally:
        running.stop()
