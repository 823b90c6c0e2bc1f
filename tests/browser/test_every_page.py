"""Every page, light and dark, wide and narrow: it looks as it did, axe-core finds nothing serious, and
nothing is wider than the screen, nor endlessly high.

It looks as it did by screenshots beside those kept in `expected/`, coarsely, so that another font renderer
passes and a broken layout doesn't. `CRIMECAST_KEEP_PICTURES=1` makes what is seen now the expectation;
look at it before keeping it.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import SHOTS, App
from tests.browser.test_loop import NARROW, WIDE, go, settle, shot
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
EXPECTED = Path(__file__).with_name("expected")
SIZE = (160, 100)  # blocks of 9×9 pixels, each with the mean of its colours
STILL = 20  # pictures in a row, ten seconds, that are the same: what differs then is no longer on its way
FAR, SHARE = 32, 0.02  # a block is another if a colour is off by more, a page if more blocks are
WAITS = {
    "overview": "text=Look closer", "city": ".places canvas", "forecast": ".maps3 canvas.map",
    "layers": ".gallery .panel canvas", "findings": "text=Rules judge the validation period",
    "compare": "text=weighted pasts", "tomorrow": ".maps3 canvas.map", "unseen": "[data-testid=stDataFrame]",
}  # fmt: skip
# Findings come first: what was found there is on other pages later.
PAGES = (
    "findings", "overview", "city", "new_city", "grid", "design", "runs", "tomorrow", "forecast", "layers",
    "compare", "unseen", "help",
)  # fmt: skip
VIEWS = ("layers?view=Network", "layers?view=Why", "layers?view=Sight")
SCHEMES = ("light", "dark")
HIGH = 3000  # pixels that a page may have on a wide screen


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app in which nothing was done yet."""
    running = App(tmp_path_factory.mktemp("pictures"))
    yield running
    running.stop()


def opened(browser: Any, size: dict[str, int]) -> Iterator[Page]:
    context = browser.new_context(viewport=size, color_scheme="light")
    context.set_default_timeout(BROWSER)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def wide(browser: Any) -> Iterator[Page]:
    yield from opened(browser, WIDE)


@pytest.fixture(scope="module")
def phone(browser: Any) -> Iterator[Page]:
    yield from opened(browser, NARROW)


def load(page: Page, app: App, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    sign = "&" if "?" in name else "?"
    go(page, app, f"{'' if name == 'overview' else name}{sign}city=sample")


def coarse(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB").resize(SIZE, Image.Resampling.BOX), dtype=np.int16)


def changed(page: Page, name: str, scheme: str) -> float:
    """The share of a page that isn't as it was, once it no longer changes for a while."""
    kept = EXPECTED / f"{name}_{scheme}.png"
    if os.environ.get("CRIMECAST_KEEP_PICTURES") == "1":
        EXPECTED.mkdir(exist_ok=True)
        page.wait_for_timeout(2000)
        seen = Image.open(io.BytesIO(page.screenshot()))
        seen.convert("RGB").resize(SIZE, Image.Resampling.BOX).save(kept)
    before, same = b"", 0
    while True:
        now = page.screenshot()
        seen = Image.open(io.BytesIO(now))
        other = (np.abs(coarse(seen) - coarse(Image.open(kept))).max(axis=2) > FAR).mean()
        same = same + 1 if now == before else 0
        if other <= SHARE or same == STILL:
            break
        before = now
        page.wait_for_timeout(500)  # a map may still be being drawn
    if other > SHARE:
        seen.save(SHOTS / f"changed_{name}_{scheme}.png")
    return float(other)


def streamlits_own(node: dict[str, Any]) -> bool:
    """Whether a finding is of the navigation's list, which Streamlit makes and no app can change."""
    return "stSidebarNavItems" in node["html"] or node["html"].startswith('<li class="st-emotion')


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps somebody out."""
    found = []
    for violation in Axe().run(page).response["violations"]:
        nodes = [n for n in violation["nodes"] if not streamlits_own(n)]
        if nodes and violation["impact"] in ("serious", "critical"):
            targets = [node["html"][:140] for node in nodes[:3]]
            found.append(f"{violation['id']} ({violation['impact']}): {targets}")
    return found


@pytest.mark.parametrize("name", [*PAGES, VIEWS[0]])
def test_it_looks_as_it_did_and_keeps_nobody_out(wide: Page, untouched: App, name: str) -> None:
    wrong = []
    for scheme in SCHEMES:
        load(wide, untouched, name, scheme)
        if name in WAITS:
            wide.locator(WAITS[name]).first.wait_for()
        settle(wide)
        wide.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
        wide.wait_for_timeout(1500)
        if name in PAGES and (other := changed(wide, name, scheme)) > SHARE:
            wrong.append(f"{scheme}: {100 * other:.1f} % of it, see changed_{name}_{scheme}.png")
        wrong += [f"{scheme}: {what}" for what in serious(wide)]
    high = wide.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    assert high <= HIGH
    assert not wrong


@pytest.mark.parametrize("name", [*PAGES, *VIEWS])
def test_on_a_phone_and_in_the_dark(phone: Page, untouched: App, name: str) -> None:
    load(phone, untouched, name, SCHEMES[0])
    for scheme in SCHEMES:  # a page follows the system's while it is open
        phone.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        phone.wait_for_timeout(900)
        assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
        file = f"phone_{scheme}_{name.replace('?view=', '_').lower()}"
        shot(phone, file)
        picture = np.asarray(Image.open(SHOTS / f"{file}.png").convert("L"))
        background = picture[-300:, :8].mean()
        assert background > 200 if scheme == "light" else background < 60


def test_a_missing_picture_would_be_seen() -> None:
    expected = Image.open(EXPECTED / "forecast_light.png")
    broken = expected.copy()
    broken.paste((255, 255, 255), (40, 40, 80, 80))
    assert (np.abs(coarse(broken) - coarse(expected)).max(axis=2) > FAR).mean() > SHARE
