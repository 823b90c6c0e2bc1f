"""Every page looks as it did: screenshots beside those kept in `expected/`, coarsely, so that another
font renderer passes and a broken layout doesn't.

`CRIMECAST_KEEP_PICTURES=1` makes what is seen now the expectation; look at it before keeping it.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import SHOTS, App
from tests.browser.test_loop import go, settle
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
EXPECTED = Path(__file__).with_name("expected")
SIZE = (160, 100)  # blocks of 9×9 pixels, each with the mean of its colours
FAR, SHARE = 32, 0.02  # a block is another if a colour is off by more, a page if more blocks are
WAITS = {
    "overview": "text=Look closer", "city": ".places canvas", "forecast": ".maps3 canvas.map",
    "layers": ".gallery .panel canvas", "findings": "text=Judged on the validation period",
    "compare": "text=memory_mixture", "tomorrow": ".maps3 canvas.map", "unseen": "[data-testid=stDataFrame]",
}  # fmt: skip
# Findings come first: what was found there is on other pages later.
PAGES = (
    "findings", "overview", "city", "new_city", "grid", "design", "runs", "tomorrow", "forecast", "layers",
    "compare",
    "unseen", "help",
)  # fmt: skip


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app in which nothing was done yet."""
    running = App(tmp_path_factory.mktemp("pictures"))
    yield running
    running.stop()


def coarse(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB").resize(SIZE, Image.Resampling.BOX), dtype=np.int16)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_looks_as_it_did(browser: Any, untouched: App, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(BROWSER)
    page = context.new_page()
    changed = []
    for name in PAGES:
        go(page, untouched, f"{'' if name == 'overview' else name}?city=sample")
        if name in WAITS:
            page.locator(WAITS[name]).first.wait_for()
        settle(page)
        page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
        page.wait_for_timeout(1500)
        seen = Image.open(io.BytesIO(page.screenshot()))
        kept = EXPECTED / f"{name}_{scheme}.png"
        if os.environ.get("CRIMECAST_KEEP_PICTURES") == "1":
            EXPECTED.mkdir(exist_ok=True)
            seen.convert("RGB").resize(SIZE, Image.Resampling.BOX).save(kept)
        before = coarse(Image.open(kept))
        other = (np.abs(coarse(seen) - before).max(axis=2) > FAR).mean()
        if other > SHARE:
            seen.save(SHOTS / f"changed_{name}_{scheme}.png")
            changed.append(f"{name}: {100 * other:.1f} % of it")
    context.close()
    assert not changed, f"look at the screenshots changed_*.png: {'; '.join(changed)}"


def test_a_missing_picture_would_be_seen() -> None:
    expected = Image.open(EXPECTED / "forecast_light.png")
    broken = expected.copy()
    broken.paste((255, 255, 255), (40, 40, 80, 80))
    assert (np.abs(coarse(broken) - coarse(expected)).max(axis=2) > FAR).mean() > SHARE
