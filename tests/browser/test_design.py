"""A spec is changed by its cards; every change is seen in the diagram, can be undone, and can be trained."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App
from tests.browser.test_loop import go, settle
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
PATIENCE = 30_000  # ms


def wait_for_spec(page: Page, wanted: Callable[[str], bool]) -> str:
    """The TOML, as its tab shows it once it is as it should be."""
    page.get_by_role("tab", name="TOML").click()
    field = page.get_by_label("Spec", exact=True).last
    end = time.time() + PATIENCE / 1000
    while time.time() < end:
        text = field.input_value() if field.count() else ""
        if text and wanted(text):
            page.get_by_role("tab", name="Layers", exact=True).click()
            settle(page)
            return text
        page.wait_for_timeout(200)
    raise AssertionError(f"the spec never became so: {text}")


def enter(page: Page, field: Any, value: str) -> None:
    field.fill(value)
    page.keyboard.press("Enter")


def test_cards_change_the_spec(browser: Any, app: App) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    go(page, app, "design?city=sample")
    before = wait_for_spec(page, lambda text: "wide_1" in text)
    card = page.locator(".st-key-card_2")
    card.get_by_role("button", name="Change").click()
    expect(card.get_by_text(re.compile("sees its own cell"))).to_be_visible()

    enter(page, card.get_by_label("Channels", exact=True), "48")
    expect(card.get_by_text(re.compile(r"48×\d+×\d+"))).to_be_visible()
    wide = before.replace("channels = 32", "channels = 48", 2)
    wide = wide.replace("channels = 48", "channels = 32", 1)
    wait_for_spec(page, lambda text: text == wide)
    enter(page, card.get_by_label("Kernel", exact=True), "5")
    expect(card.get_by_text(re.compile("sees 5×5 cells"))).to_be_visible()
    page.get_by_role("tab", name="Changes").click()
    expect(page.get_by_text("+kernel = 5")).to_be_visible()
    page.get_by_role("tab", name="Layers", exact=True).click()

    # A kernel that can't be is refused in a sentence, and training with it too.
    settle(page)
    enter(page, card.get_by_label("Kernel", exact=True), "4")
    expect(page.get_by_text("kernel must be odd").first).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()

    undo = page.get_by_role("button", name="Undo")
    for kernel in ("kernel = 5", "channels = 48", ""):
        undo.click()
        now = wait_for_spec(
            page, lambda text, kernel=kernel: kernel in text if kernel else text == before
        )
    assert now == before
    expect(undo).to_be_disabled()
    page.get_by_role("button", name="Redo").click()
    wait_for_spec(page, lambda text: text == wide)

    # TOML that can't be read is said where it is, and undone like any change.
    page.get_by_role("tab", name="TOML").click()
    page.get_by_label("Spec", exact=True).last.fill("name = ")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("is not valid TOML").first).to_be_visible()
    undo.click()
    wait_for_spec(page, lambda text: text == wide)

    # A layer that is taken out is bridged.
    expect(card.get_by_text(re.compile(r"48×\d+×\d+"))).to_be_visible()
    card.get_by_role("button", name="Take out").click()
    expect(card.get_by_text("narrow_1")).to_be_visible()
    wait_for_spec(page, lambda text: 'name = "wide_1"' not in text)
    page.close()


def test_a_block_is_added_and_trained(browser: Any, app: App) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(BROWSER)
    go(page, app, "design?city=sample&fork=stack-1")
    page.locator(".st-key-card_8").get_by_role("button", name="Change").click()
    page.get_by_label("Add after it").wait_for()
    settle(page)
    page.get_by_label("Add after it").click()
    page.keyboard.type("residual")
    expect(page.get_by_role("option")).to_have_text(["residual block"])
    page.wait_for_timeout(
        1000
    )  # the list is drawn anew as it is narrowed, and marks its first last
    page.keyboard.press("Enter")
    text = wait_for_spec(page, lambda text: 'name = "sum"' in text)
    assert text.index('name = "wide"') < text.index('name = "sum"')
    enter(page, page.get_by_label("Epochs at most", exact=True), "1")
    settle(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("link", name="See its layers").wait_for()
    page.close()


def test_a_module_of_ones_own_is_trained_when_it_is_trusted(
    browser: Any, app: App, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nclass Part: ...\nclass Mine(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.mix = torch.nn.Conv2d(7, 1, 3, padding=1)\n"
        "    def forward(self, history, calendar, static):\n        return self.mix(history.flatten(1, 2)) - 1\n"
    )
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(BROWSER)
    go(page, app, "design?city=sample")
    enter(page, page.get_by_label("Epochs at most", exact=True), "1")
    settle(page)
    page.get_by_text("Or a module of your own").click()
    page.locator("[data-testid=stFileUploader] input").set_input_files(str(tmp_path / "net.py"))
    train = page.get_by_role("button", name="Train this module")
    expect(train).to_be_disabled()
    page.get_by_text("I trust this file").click()
    train.click()
    page.wait_for_url(re.compile("run=net-"))
    page.get_by_role("link", name="See its layers").wait_for()
    page.close()
