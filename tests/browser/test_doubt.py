"""A file whose dates can be read in two ways: the doubt is shown, a person settles it, and the map is drawn anew."""

import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SHOTS, App
from tests.browser.test_loop import becomes, go, page, pixels, settle

pytestmark = pytest.mark.browser
__all__ = ["page"]


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """Records of 1 to 12 January 2020, written with the day first: each might be the first of a month. They
    wander eastward from day to day."""
    rng = random.Random(0)
    lines = ["id,date,longitude,latitude,type"]
    for i in range(600):
        day = 1 + i // 50
        east, north = 9.8 + 0.015 * day + rng.gauss(0, 0.002), 53.5 + rng.gauss(0, 0.02)
        lines.append(
            f"{i},{day:02d}/01/2020 {rng.randrange(24):02d}:30,{east:.5f},{north:.5f},Theft"
        )
    path = tmp_path / "harbour.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def choose(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label).last
    wanted = page.get_by_role("option", name=option, exact=True)

    def is_offered() -> bool:  # the list closes where the page is still being drawn
        if not wanted.is_visible():
            box.click()
            box.fill(option)
            page.wait_for_timeout(300)
        return wanted.is_visible()

    becomes(page, is_offered)
    wanted.click()
    settle(page)


def test_a_doubt_is_shown_and_settled(page: Any, app: App, doubtful: Path) -> None:
    go(page, app, "new_city")
    page.get_by_role("tab", name="From a file").click()
    page.locator("input[type=file]").first.set_input_files(doubtful)
    asked = page.get_by_text("The dates can be month first or day first, and no row tells which")
    asked.wait_for()
    settle(page)
    canvas = page.locator(".places canvas").last
    canvas.scroll_into_view_if_needed()
    becomes(page, lambda: page.locator(".places").last.get_attribute("data-drawn") == "50")
    becomes(page, lambda: len(np.unique(pixels(canvas), axis=0)) > 5)
    before = pixels(canvas)
    page.screenshot(path=SHOTS / "doubt_shown.png")

    # Without a decision it isn't brought in.
    page.get_by_role("textbox", name="The city's name").last.fill("Harbour")
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_role("button", name="Add the city").last.click()
    settle(page)
    expect(page.get_by_text("is in the registry")).to_have_count(0)
    expect(page.get_by_text("no row tells which; say which it is")).to_have_count(2)

    choose(page, "Dates are written", "day first")
    becomes(page, lambda: page.locator(".places").last.get_attribute("data-drawn") == "600")
    expect(asked).to_have_count(0)
    page.get_by_text("day first: as said").first.wait_for()
    canvas.scroll_into_view_if_needed()
    becomes(page, lambda: not np.array_equal(before, pixels(canvas)))
    page.screenshot(path=SHOTS / "doubt_settled.png")

    page.get_by_role("button", name="Add the city").last.click()
    page.get_by_text("600 records read, 600 of them can be used.").wait_for()
    go(page, app, "city?city=harbour")
    becomes(page, lambda: page.locator(".places").first.get_attribute("data-drawn") == "600")

    # After the fact the city is put right: what was day first was month first, in another zone.
    page.get_by_text("Correct, rename or delete").last.click()
    settle(page)
    choose(page, "Time zone", "Europe/Lisbon")
    choose(page, "Dates are written", "month first")
    becomes(page, lambda: page.locator(".places").last.get_attribute("data-drawn") == "50")
    page.get_by_text("month first: as said").first.wait_for()
    page.screenshot(path=SHOTS / "correcting.png")
    page.get_by_role("button", name="Read again").click()
    said = "Files read again: 1, time zone .* → Europe/Lisbon, dates month first. Of 600 records 600 are used"
    page.get_by_text(re.compile(said)).wait_for()
    becomes(page, lambda: page.locator(".places").first.get_attribute("data-drawn") == "600")
    page.get_by_text("month first: as said").first.wait_for()
