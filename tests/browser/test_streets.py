"""Street maps are fetched from the server that the owner named, and only once they are asked for."""

import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import App
from tests.browser.test_loop import go, pixels, settle
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
COLOUR = (12, 200, 34)


@pytest.fixture
def streets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[App, list[str]]]:
    asked: list[str] = []
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), COLOUR).save(buffer, "PNG")

    class Tiles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(buffer.getvalue())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://localhost:{server.server_address[1]}/{{z}}/{{x}}/{{y}}.png"
    monkeypatch.setenv("CRIMECAST_TILES", address)
    running = App(tmp_path / "data")
    yield running, asked
    running.stop()
    server.shutdown()


def test_streets_are_off_until_asked_for(browser: Any, streets: tuple[App, list[str]]) -> None:
    app, asked = streets
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(BROWSER)
    outside: list[str] = []
    page.on(
        "request",
        lambda r: (
            None
            if "//localhost" in r.url or not r.url.startswith("http")
            else outside.append(r.url)
        ),
    )
    go(page, app, "city?city=sample")
    page.locator(".places canvas").wait_for()
    page.wait_for_timeout(1500)
    assert not asked
    assert not page.locator("[data-testid=stDeckGlJsonChart]").count()
    page.get_by_text("Streets", exact=True).click()
    settle(page)
    chart = page.locator("[data-testid=stDeckGlJsonChart]").first
    end, share = time.time() + 60, 0.0
    while share <= 0.2 and time.time() < end:
        page.wait_for_timeout(500)
        share = (abs(pixels(chart).astype(int) - COLOUR).max(axis=1) < 40).mean()
    assert share > 0.2
    assert asked
    assert all(path.endswith(".png") for path in asked)
    assert not outside
    page.close()
