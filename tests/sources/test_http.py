"""How long a portal is waited for: not at all where it can't be, shortly where nobody is there, patiently
where it was heard before."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from crimecast.errors import UserError
from crimecast.sources import http
from crimecast.sources.http import Client
from tests.serving import Served


class One(Served):
    """Answers with a number."""

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        return 200, 1


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The attempts after which was waited, without waiting."""
    made: list[int] = []
    monkeypatch.setattr(http.Client, "rest", lambda self, attempt, asked: made.append(attempt))
    return made


@pytest.mark.parametrize(
    "host",
    ["a" * 64, "a" * 300, "a" * 64 + ".example", "ab." * 90 + "com", "a..b", ".example", "ä" * 60, "münchen..de"],
)  # fmt: skip
@pytest.mark.parametrize("guarded", [False, True])
def test_a_name_that_can_not_be_is_refused_at_once(
    host: str, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)  # nobody is asked for it
    with pytest.raises(UserError, match="No computer can be called") as caught:
        Client(f"http://{host}:8000/x", {}, 1, guarded=guarded).ask("/", {})
    assert len(str(caught.value)) < 140


@pytest.mark.parametrize(
    "host", ["a" * 63, "a.b.", "localhost", "127.0.0.1", "[::1]", "a_b.example", "münchen.de"]
)
def test_names_that_can_be(host: str) -> None:
    assert Client(f"https://{host}/x", {}, 1).host == host.strip("[]")


def unknown(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("guarded", [False, True])
def test_nobody_of_that_name_is_asked_for_twice(
    rests: list[int], guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UserError, match=r"known here by the name of portal\.example"):
        Client("https://portal.example", {}, 1, guarded=guarded).ask("/", {})
    assert rests == [0]


def test_nobody_at_that_port_is_asked_for_five_times(rests: list[int]) -> None:
    with pytest.raises(UserError, match="doesn't answer"):
        Client("http://127.0.0.1:1", {}, 1).ask("/", {})
    assert rests == [0, 1, 2, 3]


def late(monkeypatch: pytest.MonkeyPatch, fails: int) -> Callable[..., Any]:
    """The name of the portal isn't known that many times."""
    true, left = socket.getaddrinfo, iter([True] * fails)

    def found(*given: Any, **more: Any) -> Any:
        return unknown() if next(left, False) else true(*given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return found


def test_a_portal_that_was_heard_is_waited_for(
    rests: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with One() as served:
        client = Client(served.url.replace("127.0.0.1", "localhost"), {"Connection": "close"}, 1)
        late(monkeypatch, 1)
        assert client.ask("/", {}) == 1
        assert rests == [0]
        late(monkeypatch, 4)
        assert client.ask("/", {}) == 1
        assert rests == [0, 0, 1, 2, 3]
