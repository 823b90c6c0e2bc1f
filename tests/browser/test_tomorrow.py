"""Tomorrow in a browser: two clicks away, a day is picked, a share is covered, nothing runs over."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import SHOTS, App

SIZES = [(1440, 900), (390, 844)]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_tomorrow_is_drawn_and_a_day_is_picked(
    app: App, browser: Browser, width: int, height: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("link", name="The days to come").click(timeout=120_000)
    expect(page.get_by_text("Ten places to look at")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("must not be used to stop")).to_be_visible(timeout=120_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    first = page.get_by_test_id("stMetric").first
    expect(first).to_contain_text("Tue 2024-12-31")
    page.get_by_role("radio", name=re.compile("2025-01-02")).click(force=True)
    expect(first).to_contain_text("Thu 2025-01-02", timeout=30_000)
    over = page.evaluate(
        "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]'))"
    )
    assert over <= 0
    page.screenshot(path=SHOTS / f"tomorrow_{width}_{scheme}.png")
    context.close()
