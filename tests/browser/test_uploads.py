"""Uploads are bounded by the server, not only by the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import App
from tests.browser.test_loop import go
from tests.patience import BROWSER

pytestmark = pytest.mark.browser


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """An app that takes files of one megabyte at most."""
    monkeypatch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "1")
    running = App(tmp_path / "data")
    yield running
    running.stop()


def test_a_file_that_is_too_large_is_refused(browser: Any, small: App, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(BROWSER)
    large = tmp_path / "large.csv"
    large.write_bytes(b"time,longitude,latitude\n" + b"2024-01-01,3.0,0.1\n" * 120_000)
    go(page, small, "new_city")
    page.get_by_role("tab", name="From a file").click()
    page.locator("input[type=file]").first.set_input_files(large)
    page.get_by_text("must be 1.0MB or smaller").wait_for()

    # The page's own check is a courtesy; the server refuses too.
    sent: list[Any] = []
    page.on(
        "request",
        lambda r: sent.append(r) if "/_stcore/upload_file" in r.url and r.method == "PUT" else None,
    )
    fine = tmp_path / "fine.csv"
    fine.write_bytes(b"time,longitude,latitude\n2024-01-01,3.0,0.1\n")
    page.locator("input[type=file]").first.set_input_files(fine)
    page.get_by_text("fine.csv").first.wait_for()
    page.wait_for_timeout(1000)
    answer = page.request.put(
        sent[0].url,
        multipart={"file": {"name": "l.csv", "mimeType": "text/csv", "buffer": large.read_bytes()}},
        headers={k: v for k, v in sent[0].headers.items() if k.lower().startswith("x-")},
    )
    assert answer.status in (400, 413)
    page.close()
