"""What maps can do beside being looked at: one laid over the other, saved, enlarged by a tap."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import App
from tests.browser.test_loop import becomes, go
from tests.patience import BROWSER

pytestmark = pytest.mark.browser


def pixels(canvas: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"))


def test_actual_is_wiped_over_the_forecast(browser: Any, app: App) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(BROWSER)
    page = context.new_page()
    go(page, app, "forecast?city=sample")
    maps = page.locator(".maps3 .panel canvas.map")
    maps.nth(2).wait_for()
    becomes(page, lambda: (pixels(maps.nth(0)) != pixels(maps.nth(0))[0, 0]).any())
    handle, forecast = page.get_by_label("Where the wipe stands"), pixels(maps.nth(0))
    assert handle.is_hidden()
    wipe = page.get_by_role("button", name="Wipe")
    wipe.click()
    becomes(page, lambda: maps.nth(1).is_hidden() and handle.is_visible())
    handle.fill("0.995")
    becomes(page, lambda: handle.input_value() == "0.995")
    page.wait_for_timeout(200)
    far = pixels(maps.nth(0))
    handle.fill("0.5")
    becomes(page, lambda: not np.array_equal(far, pixels(maps.nth(0))))
    half, width = pixels(maps.nth(0)), far.shape[1]
    assert np.array_equal(half[:, : width // 2 - 4], far[:, : width // 2 - 4])
    assert not np.array_equal(half[:, width // 2 + 4 : -8], far[:, width // 2 + 4 : -8])
    wipe.click()
    becomes(page, lambda: maps.nth(1).is_visible())
    becomes(page, lambda: np.array_equal(pixels(maps.nth(0)), forecast))
    context.close()


@pytest.mark.parametrize(("address", "whose"), [("forecast", "stack_1"), ("grid", "counts")])
def test_a_saved_picture_says_what_it_shows(
    browser: Any, app: App, address: str, whose: str
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(BROWSER)
    page = context.new_page()
    go(page, app, f"{address}?city=sample")
    page.locator(".maps3 .panel canvas.map").nth(1).wait_for()
    saved = {}
    for kind in ("SVG", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        name = download.value.suggested_filename
        assert name.startswith("Sample_city_simulated")
        assert whose in name
        saved[kind] = download.value.path().read_bytes()
    drawn = saved["SVG"].decode()
    for said in ("Sample city (simulated) · ", "events per cell and day", " km</text>", "≥ "):
        assert said in drawn
    size = drawn.split('width="', 1)[1].split('"', 1)[0]
    assert Image.open(io.BytesIO(saved["PNG"])).width == 2 * int(size)
    context.close()


def test_a_tap_on_a_telephone_leads_to_the_large_map(browser: Any, app: App) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.set_default_timeout(BROWSER)
    page = context.new_page()
    go(page, app, "layers?city=sample")
    small = page.locator(".gallery canvas.map").nth(3)
    small.wait_for()
    page.locator(".st-key-layer_large canvas.map").first.wait_for()

    def top() -> float:
        found = "() => document.querySelector('.st-key-layer_large')?.getBoundingClientRect().top ?? 9999"
        return float(page.evaluate(found))

    assert top() > 844
    small.tap()
    becomes(page, lambda: 0 <= top() < 400)
    context.close()


def test_the_part_that_is_looked_at_is_the_same_on_every_page(browser: Any, app: App) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(BROWSER)
    page = context.new_page()

    def first() -> Any:
        canvas = page.locator(".maps3 .panel canvas.map").first
        canvas.wait_for()
        becomes(page, lambda: (pixels(canvas) != pixels(canvas)[0, 0]).any())
        page.wait_for_timeout(500)
        return canvas

    go(page, app, "tomorrow?city=sample")
    whole = pixels(first())
    go(page, app, "forecast?city=sample")
    first().hover(position={"x": 60, "y": 60})
    page.mouse.wheel(0, -800)
    page.wait_for_timeout(300)
    go(page, app, "tomorrow?city=sample")
    canvas = first()
    assert (np.abs(pixels(canvas).astype(int) - whole).max(axis=2) > 40).mean() > 0.2
    page.get_by_role("button", name="Whole city").first.click()
    becomes(page, lambda: np.array_equal(pixels(canvas), whole))
    context.close()


def test_on_a_telephone_one_map_stands_in_the_place_of_another(browser: Any, app: App) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(BROWSER)
    page = context.new_page()
    go(page, app, "forecast?city=sample")
    maps, tabs = page.locator(".maps3 .panel canvas.map"), page.locator(".maps .tabs")

    def shown(which: int) -> bool:
        return [maps.nth(i).is_visible() for i in range(3)] == [i == which for i in range(3)]

    becomes(page, lambda: maps.count() == 3 and shown(0))
    tabs.get_by_role("button", name="Actual", exact=True).click()
    becomes(page, lambda: shown(1))
    for way, then in ((-120, 2), (120, 1), (120, 0)):  # a swipe to the left goes on
        at = maps.nth(1 if way == -120 or then == 0 else 2).bounding_box()
        assert at is not None
        x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + way, y, steps=5)
        page.mouse.up()
        becomes(page, lambda then=then: shown(then))
    context.close()
