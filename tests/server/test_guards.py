"""The guards by themselves, as any server would call them."""

from typing import Any

import anyio
import pytest

from crimecast.server.headers import Headers, policy
from crimecast.server.messages import Messages
from crimecast.server.names import KnownNames
from crimecast.server.uploads import Guests, Uploads


def call(app: Any, kind: str = "http", path: str = "/", method: str = "GET", **more: Any) -> Any:
    """What an app answers: a status, or 101 for a websocket that is taken; and the headers."""
    headers = [
        (k.replace("_", "-").encode(), v.encode())
        for k, values in more.pop("headers", {}).items()
        for v in (values if isinstance(values, list) else [values])
    ]
    scope = {
        "type": kind, "path": path, "method": method, "headers": headers,
        "scheme": "http" if kind == "http" else "ws", "server": ("127.0.0.1", 8501), **more,
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(app, scope, receive, send)
    first = sent[0]
    status = {"websocket.accept": 101, "websocket.close": 403}.get(
        first["type"], first.get("status")
    )
    return status, dict(first.get("headers", []))


class Inner:
    """The app that is guarded: answers everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            cookies = [(b"set-cookie", b"a=1; Path=/"), (b"x", b"y")]
            await send({"type": "http.response.start", "status": 200, "headers": cookies})


HOSTS = {
    "localhost:8501": 200, "LOCALHOST:8501": 200, "localhost.:8501": 200, "127.0.0.1:8501": 200, "[::1]:8501": 200,
    "crime.city.example": 200, "crime.city.example:443": 200, "a.inner.example:9": 200, "box": 200,
    "localhost": 403, "localhost:8502": 403, "127.0.0.2:8501": 403, "0.0.0.0:8501": 403, "[::]:8501": 403,
    "evil.test:8501": 403, "localhost.evil.test:8501": 403, "127.0.0.1.evil.test:8501": 403,
    "evil.test#localhost:8501": 403, "localhost:8501@evil.test": 403, "evil.test@localhost:8501": 403,
    "crime.city.example:8501": 403, "notcrime.city.example": 403, "crime.city.example.evil.test": 403,
    "inner.example": 403, "evilinner.example": 403, "": 403, " ": 403, "localhost:8501,evil.test": 403,
    "localhost:99999999": 403, "localhost:8501/": 403, "[::1": 403, "ｌocalhost:8501": 403, "2130706433:8501": 403,
}  # fmt: skip


def known(inner: Inner) -> KnownNames:
    return KnownNames(
        inner, ["https://crime.city.example/oauth2callback", ""], ["*.inner.example", "Box"]
    )


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("host", "status"), HOSTS.items())
def test_names(kind: str, host: str, status: int) -> None:
    inner = Inner()
    answer, _ = call(known(inner), kind, headers={"host": host})
    assert answer == (101 if status == 200 and kind == "websocket" else status)
    assert bool(inner.asked) == (status == 200)


def test_no_name_or_two_are_none() -> None:
    inner = Inner()
    assert call(known(inner), headers={})[0] == 403
    assert call(known(inner), headers={"host": ["localhost:8501", "evil.test"]})[0] == 403
    assert not inner.asked


ORIGINS = [
    ("localhost:8501", "http://localhost:8501", True),
    ("localhost:8501", "http://localhost:8502", False),
    ("localhost:8501", "http://localhost", False),
    ("localhost:8501", "http://127.0.0.1:8501", False),
    ("127.0.0.1:8501", "http://127.0.0.1:8501", True),
    ("localhost:8501", "http://evil.test", False),
    ("localhost:8501", "http://evil.test:8501", False),
    ("localhost:8501", "http://localhost:8501.evil.test", False),
    ("localhost:8501", "null", False),
    ("localhost:8501", "", False),
    ("localhost:8501", "file://", False),
    ("localhost:8501", "chrome-extension://localhost:8501", False),
    ("localhost:8501", "http://[::1", False),
    ("crime.city.example", "https://crime.city.example", True),
    ("crime.city.example", "https://crime.city.example:8443", False),
    ("localhost:8501", "https://crime.city.example", True),  # a proxy that changes Host
    ("localhost:8501", "http://crime.city.example", False),
]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("host", "origin", "own"), ORIGINS)
def test_pages(kind: str, host: str, origin: str, own: bool) -> None:
    inner = Inner()
    answer, _ = call(known(inner), kind, headers={"host": host, "origin": origin})
    assert (answer in (101, 200)) == bool(inner.asked) == own


def test_streamlit_finds_the_host_of_the_page() -> None:
    """Else it would ask the outside for this computer's address."""
    inner = Inner()
    call(
        known(inner), "websocket",
        headers={"host": "localhost:8501", "origin": "https://crime.city.example"},
    )  # fmt: skip
    assert dict(inner.asked[0]["headers"])[b"host"] == b"crime.city.example"


def test_cookies_keep_to_https() -> None:
    inner = Inner()

    def cookie(secure: bool = False, **options: Any) -> bytes:
        return call(Headers(inner, "p", secure), **options)[1][b"set-cookie"]

    assert cookie() == b"a=1; Path=/"
    assert cookie(secure=True) == b"a=1; Path=/; Secure"
    assert cookie(scheme="https") == b"a=1; Path=/; Secure"
    assert cookie(headers={"x-forwarded-proto": "https"}) == b"a=1; Path=/; Secure"


def test_the_policy_lets_only_the_page_s_own_scripts_in() -> None:
    made = policy(
        b"<script type=module src=/a.js></script><script>one()</script><script >\ntwo</script>"
    )
    scripts = next(part for part in made.split("; ") if part.startswith("script-src"))
    assert scripts.count("sha256-") == 2
    assert "unsafe" not in scripts
    assert "http" not in made
    assert "https://tiles.example" in policy(b"", "https://tiles.example")


@pytest.fixture
def uploads() -> tuple[Inner, Guests, dict[str, int], Uploads]:
    inner, guests, held = Inner(), Guests(), {"s1": 60, "gone": 15}
    guests.let_in("s1", "ana")
    guests.let_in("s2", "ana")
    guests.let_in("s3", "bo")
    return inner, guests, held, Uploads(inner, lambda: held, 100, 150, guests)


def put(app: Uploads, session: str, length: int | str, **headers: str) -> int:
    path = f"/base/_stcore/upload_file/{session}/f"
    return call(
        app, path=path, method="PUT", headers={"content-length": str(length), **headers}
    )[0]  # fmt: skip


def test_strangers_upload_nothing(uploads: tuple[Inner, Guests, dict[str, int], Uploads]) -> None:
    inner, guests, _, app = uploads
    assert put(app, "unknown", 1) == 403
    assert call(app, path="/_stcore/upload_file/unknown/f", method="POST")[0] == 403
    guests.turn_out("s1")
    assert put(app, "s1", 1) == 403
    assert not inner.asked
    assert call(app, path="/_stcore/upload_file/unknown/f", method="DELETE")[0] == 200
    assert call(app, path="/_stcore/health")[0] == 200


def test_bounds(uploads: tuple[Inner, Guests, dict[str, int], Uploads]) -> None:
    inner, _, held, app = uploads
    assert put(app, "s2", 41) == 413  # ana holds 60 in her other session
    assert put(app, "s2", 40) == 200
    assert put(app, "s3", 76) == 413  # 75 are held altogether
    assert put(app, "s3", 75) == 200
    assert len(inner.asked) == 2
    assert put(app, "s3", "") == 411
    assert put(app, "s3", -1) == 411
    assert put(app, "s3", 1, **{"transfer-encoding": "chunked"}) == 411
    held.clear()
    assert put(app, "s2", 100) == 200


def test_what_is_on_its_way_counts(
    uploads: tuple[Inner, Guests, dict[str, int], Uploads],
) -> None:
    _, guests, held, _ = uploads
    held.clear()
    answers: list[int] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if not answers:
            answers.append(0)
            again: list[Any] = []

            async def keep(message: Any) -> None:
                again.append(message)

            await app(scope, receive, keep)
            answers.append(again[0]["status"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    app = Uploads(slow, lambda: held, 100, 150, guests)
    assert put(app, "s1", 60) == 200
    assert answers == [0, 413]
    assert put(app, "s1", 100) == 200  # and no longer when it has come


def test_messages_that_no_page_sends_are_passed_over() -> None:
    heard: list[Any] = []
    coming = iter(
        [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "bytes": b"draw"},
            {"type": "websocket.receive", "bytes": b"harm"},
            {"type": "websocket.receive", "text": "no bytes"},
            {"type": "websocket.receive", "bytes": b"draw", "text": None},
            {"type": "websocket.disconnect"},
        ]
    )

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        while not heard or heard[-1]["type"] != "websocket.disconnect":
            heard.append(await receive())

    async def receive() -> dict[str, Any]:
        return next(coming)

    app = Messages(inner, lambda content: content != b"harm")
    anyio.run(app, {"type": "websocket"}, receive, None)
    assert [one.get("bytes") for one in heard] == [None, b"draw", None, b"draw", None]
    assert [one["type"].partition(".")[2] for one in heard] == ["connect", *["receive"] * 3, "disconnect"]  # fmt: skip
