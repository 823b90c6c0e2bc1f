"""Text from data is shown as text: what looks like HTML in a record runs nothing, on any page."""

import os
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import TOP, App
from tests.browser.test_loop import go
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror='window.hacked=1'>"


def test_records_that_look_like_html_stay_text(browser: Any, app: App, tmp_path: Any) -> None:
    path = tmp_path / "evil.csv"
    rows = [
        f'2024-01-{1 + i % 28:02d} 12:00,"{EVIL}{i % 2}",{3.0 + i % 9 * 0.01},{50.0 + i % 7 * 0.01}'
        for i in range(400)
    ]
    path.write_text("\n".join(["when,what,lng,lat", *rows]))
    columns = ["time=when", "type=what", "longitude=lng", "latitude=lat"]
    maps = [word for pair in columns for word in ("--map", pair)]
    environment = {**os.environ, "CRIMECAST_DATA": str(app.data)}

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "crimecast", *command], cwd=TOP, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    run("import", "evil", str(path), *maps, "--tz", "Europe/Paris", "--crs", "EPSG:4326")
    run("grid", "evil", "--types", "each")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(BROWSER)
    page: Page = context.new_page()
    for where in ("city", "grid", "design", "runs", ""):
        go(page, app, f"{where}?city=evil")
        page.wait_for_timeout(1000)
        assert page.evaluate("window.hacked") is None, where
        assert page.locator("img[src=x]").count() == 0, where
    context.close()
