"""Where a server lets itself be sent: public addresses alone, the one that was checked, with nobody
else's token."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from crimecast.crawling.discover import look_at
from crimecast.errors import UserError
from crimecast.sources import public, socrata
from crimecast.sources.http import TOKEN, Client
from crimecast.sources.public import check_public, is_public

REFUSED = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1",
    "192.0.0.8", "192.88.99.1", "192.168.0.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "fc00::1",
    "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "52.1.2.3", "2600:1f18::1", "2a00:1450:4001::8"])
def test_an_address_that_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "0", "localhost",
     "[::1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
)  # fmt: skip
def test_the_same_in_other_words(host: str) -> None:
    with pytest.raises(UserError, match="private network"):
        check_public(host)
    with pytest.raises(UserError, match="private network"):
        look_at(f"http://{host}:9/resource/abcd-1234.json")


@pytest.mark.parametrize(
    "address",
    ["http://[::1/abcd-1234", "http://[x]/abcd-1234", "http://a:99999/abcd-1234", "http://a:b/abcd-1234",
     "file:///etc/passwd/abcd-1234", "file://localhost/abcd-1234", "FILE:/abcd-1234", "gopher://a/abcd-1234",
     "//a/abcd-1234", "http:///abcd-1234", "http://u:p@a.example/abcd-1234", "http://a b/abcd-1234",
     f"http://{'a' * 70}.example/abcd-1234", "http://a..b/abcd-1234", "http://\x00/abcd-1234", "https://%/abcd-1234"],
)  # fmt: skip
def test_what_is_no_address_ends_in_a_sentence(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may be connected to")

    monkeypatch.setattr(public, "create_connection", nowhere)
    monkeypatch.setattr("crimecast.sources.http.ATTEMPTS", 1)
    with pytest.raises(UserError) as refused:
        look_at(address)
    assert "\n" not in str(refused.value)


def test_the_address_that_was_checked_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked up, and this computer when it is looked up again."""
    answers = iter(["93.184.216.34", *["127.0.0.1"] * 9])
    went: list[str] = []

    def resolve(host: str, port: Any, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port or 0))]

    def connect(to: tuple[str, int], *_: Any, **__: Any) -> None:
        went.append(to[0])
        raise OSError("no further")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(public, "create_connection", connect)
    with pytest.raises(UserError, match="private network"):  # the next attempt sees the other one
        Client("http://rebound.example", {}, 1, guarded=True).ask("/", {})
    assert went == ["93.184.216.34"]


@contextmanager
def answering(headers: dict[str, str], status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers `[]`, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()


def test_a_redirect_drops_the_token() -> None:
    with (
        answering({}) as (other, seen),
        answering({"Location": f"{other}/x"}, 302) as (portal, first),
    ):
        assert Client(portal, {TOKEN: "secret"}, 1).ask("/", {}) == []
    assert first[0][TOKEN] == "secret"
    assert len(seen) == 1
    assert TOKEN not in seen[0]


@pytest.mark.parametrize("to", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://2130706433:9/"])
def test_a_redirect_into_the_network_is_refused(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({"Location": to}, 302) as (portal, _):
        allowed = portal.removeprefix("http://").split(":")[1]
        real = public.public_addresses

        def only_the_portal(host: str, port: int | None = None) -> list[str]:
            return ["127.0.0.1"] if str(port) == allowed else real(host, port)

        monkeypatch.setattr(public, "public_addresses", only_the_portal)
        with pytest.raises(UserError, match="private network"):
            Client(portal, {}, 1, guarded=True).ask("/", {})


def test_a_redirect_to_a_file_is_refused() -> None:
    with (
        answering({"Location": "file:///etc/passwd"}, 302) as (portal, _),
        pytest.raises(UserError, match="sends to what is none"),
    ):
        Client(portal, {}, 1).ask("/", {})


def test_a_token_belongs_to_a_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "abc==, data.seattle.gov=def")
    assert socrata.token("https://data.cityofchicago.org") == "abc=="
    assert socrata.token("https://data.seattle.gov/d/abcd-1234") == "def"
    for other in ("https://evil.example", "https://data.cityofchicago.org.evil.example", "https://[::1",
                  "http://data.cityofchicago.org", "https://data.sfgov.org@evil.example"):  # fmt: skip
        assert socrata.token(other) is None, other
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "")
    assert socrata.token("https://data.cityofchicago.org") is None


def test_an_address_that_somebody_types_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "abc")
    with answering({}) as (portal, asked):
        with pytest.raises(UserError, match="no rows"):
            look_at(f"{portal}/resource/abcd-1234.json", guarded=False)
        assert asked
        assert TOKEN not in asked[0]
