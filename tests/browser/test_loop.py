"""The whole loop in real Chromium: pixels are looked at, not only elements."""

import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Error, Page, expect

from bench.chromium import TOP, serve
from tests.browser.conftest import SHOTS, App
from tests.conftest import tiny_csv
from tests.patience import BROWSER

expect.set_options(timeout=BROWSER)
pytestmark = pytest.mark.browser
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def page(browser: Any) -> Any:
    context = browser.new_context(viewport=WIDE)
    context.set_default_timeout(BROWSER)
    made = context.new_page()
    made.outside = []
    made.on(
        "request",
        lambda r: (
            made.outside.append(r.url)
            if not re.match(r"(https?|wss?)://localhost|data:|blob:", r.url)
            else None
        ),
    )
    made.problems = []
    made.on("pageerror", lambda error: made.problems.append(str(error)))
    yield made
    assert not made.outside, f"asked for something outside: {made.outside}"
    assert not made.problems
    context.close()


def go(page: Page, app: App, path: str) -> None:
    page.goto(f"{app.url}/{path}")
    page.wait_for_selector("h1")
    settle(page)


def settle(page: Page) -> None:
    page.wait_for_timeout(400)
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        " && !document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')"
    )
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def pixels(canvas: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).reshape(-1, 3)


def assert_drawn(canvas: Any, colours: int = 20) -> None:
    canvas.scroll_into_view_if_needed()
    becomes(canvas.page, lambda: len(np.unique(pixels(canvas), axis=0)) >= colours)


def becomes(page: Page, condition: Callable[[], object]) -> None:
    """Return once a condition holds in the page, which may take its time."""
    end = time.time() + BROWSER / 1000

    def holds() -> object:
        try:
            return condition()
        except Error:  # what was looked at is just being drawn anew
            return False

    while not holds():
        assert time.time() < end, "waited in vain"
        page.wait_for_timeout(100)


def shot(page: Page, name: str) -> None:
    page.screenshot(path=str(SHOTS / f"{name}.png"))


def drawn_step(page: Page) -> str:
    return page.locator(".maps").first.get_attribute("data-drawn") or ""


def test_the_loop_on_the_sample_city(page: Page, app: App) -> None:
    go(page, app, "")
    expect(page.get_by_text("Simulated city")).to_be_visible()
    page.get_by_role("heading", name=re.compile(r"\w+-\d+ is ")).wait_for()
    shot(page, "overview")

    go(page, app, "city?city=sample")
    assert_drawn(page.locator(".places canvas").first)
    shot(page, "city")

    go(page, app, "grid?city=sample")
    expect(page.get_by_text("44,407").first).to_be_visible()
    shot(page, "grid")

    # One click trains; the page shows it live; a reload finds it again.
    go(page, app, "design?city=sample")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile(r"batches a second")).first.wait_for()
    shot(page, "training")
    page.reload()
    page.wait_for_selector("h1")
    page.get_by_role("link", name="See its layers").wait_for(timeout=BROWSER)
    shot(page, "trained")
    page.get_by_role("link", name="See its layers").click()
    page.locator(".gallery .panel canvas").first.wait_for()
    settle(page)
    assert re.search("run=stack-[2-9]", page.url)

    gallery = page.locator(".gallery .panel canvas")
    assert gallery.count() == 32
    for number in (0, 5, 31):
        assert_drawn(gallery.nth(number))
    shot(page, "layers")
    gallery.nth(5).click()
    page.get_by_text("How channel 5 is distributed").wait_for()
    assert "channel=5" in page.url
    settle(page)
    assert_drawn(page.locator(".maps3 canvas.map").first)
    shot(page, "channel")

    page.get_by_role("link", name="Forecast").first.click()
    page.locator(".maps3 .panel canvas.map").nth(2).wait_for()
    settle(page)
    maps = page.locator(".maps3 .panel canvas.map")
    assert maps.count() == 3
    for number in range(3):
        assert_drawn(maps.nth(number), 4)
    shot(page, "forecast")


def test_steps_and_cells_on_the_forecast_page(page: Page, app: App) -> None:
    go(page, app, "forecast?city=sample&run=stack-1")
    maps = page.locator(".maps3 .panel canvas.map")
    maps.first.wait_for()
    assert_drawn(maps.nth(1), 4)
    before, actual = drawn_step(page), pixels(maps.nth(1))
    slider = page.locator("input[type=range]").first
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    becomes(page, lambda: int(drawn_step(page)) == int(before) - 5)
    settle(page)
    becomes(page, lambda: not np.array_equal(actual, pixels(maps.nth(1))))
    label = page.locator(".label").first.inner_text()
    becomes(page, lambda: f"step={label}" in page.url)
    box = maps.first.bounding_box()
    maps.first.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.get_by_role("heading", name=re.compile(r"its middle$")).wait_for()
    assert "cell=" in page.url
    expect(page.get_by_text("Its events in this step")).to_be_visible()
    assert_drawn(page.locator(".js-plotly-plot").first)
    shot(page, "cell")
    # The address opens the same view again.
    address = page.url
    page.goto(address)
    page.get_by_role("heading", name=re.compile(r"its middle$")).wait_for()
    assert page.locator(".label").first.inner_text() == label


def test_many_quick_steps_are_caught_up_with(page: Page, app: App) -> None:
    go(page, app, "forecast?city=sample&run=stack-1")
    page.locator(".maps3 .panel canvas.map").first.wait_for()
    becomes(page, lambda: drawn_step(page))
    start = int(drawn_step(page))
    slider = page.locator("input[type=range]").first
    slider.focus()
    for _ in range(70):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(40)
    becomes(page, lambda: int(drawn_step(page)) == start - 70)


def test_training_survives_a_restarted_server_and_stops_and_resumes(page: Page, app: App) -> None:
    go(page, app, "design?city=sample")
    page.get_by_role("tab", name="TOML").click()
    text = page.get_by_role("textbox", name="Spec", exact=True)
    expect(text).to_have_value(re.compile("patience = 3"))  # the box comes before its text
    slower = (
        text.input_value()
        .replace("patience = 3", "patience = 400")
        .replace("channels = 24", "channels = 48")
        .replace("deterministic = false", "deterministic = true")  # which never compiles
    )
    text.fill(slower)
    expect(text).to_have_value(slower)
    page.keyboard.press("Control+Enter")
    # Drawn anew while the next box is being filled, that box would get its text twice.
    page.get_by_role("tab", name="Changes").click()
    page.get_by_text("+patience = 400").wait_for()
    settle(page)
    page.get_by_role("spinbutton", name="Epochs at most").fill("400")
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile(r"epoch \d+ of 400")).first.wait_for()
    name = re.search(r"run=(stack-\d+)", page.url)[1]
    app.stop()
    time.sleep(2)
    app.start()
    go(page, app, f"runs?city=sample&run={name}")
    page.get_by_text(re.compile(r"epoch \d+ of 400")).first.wait_for()
    shot(page, "runs")
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(f"{name} is stopped").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text(re.compile(r"epoch \d+ of 400")).first.wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text(f"{name} is stopped").wait_for()


def test_a_file_is_brought_in_gridded_and_looked_at(page: Page, app: App, tmp_path: Any) -> None:
    go(page, app, "city?city=san_francisco")
    expect(page.get_by_text("has no records yet")).to_be_visible()
    path = tiny_csv(tmp_path / "sf.csv", 500)
    lines = path.read_text().splitlines()
    moved = [lines[0]] + [
        ",".join(
            [
                a,
                b,
                f"{float(c) - 132.33:.6f}" if float(c) else "0",
                f"{float(d) - 15.73:.6f}" if float(d) else "0",
                e,
            ]
        )
        for a, b, c, d, e in (line.split(",") for line in lines[1:])
    ]
    path.write_text("\n".join(moved))
    page.get_by_role("tab", name="From a file").click()
    page.locator("input[type=file]").set_input_files(str(path))
    page.get_by_text("Columns, as guessed").wait_for()
    for field, column in (("time", "when"), ("type", "what")):
        page.get_by_label(re.compile(f"^{field}")).click()
        page.get_by_role("option", name=column, exact=True).click()
        settle(page)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("500 records read: 500 new").wait_for()
    page.wait_for_timeout(1500)
    shot(page, "imported")
    go(page, app, "grid?city=san_francisco")
    page.get_by_role("button", name="Make the grid").click()
    page.get_by_text("Cells in the study area").wait_for()


@pytest.mark.parametrize("path", ["forecast", "layers", "runs", "design", "grid"])
def test_empty_pages_say_what_to_do(page: Page, app: App, path: str) -> None:
    go(page, app, f"{path}?city=los_angeles")
    link = page.locator("[data-testid=stMain] [data-testid=stPageLink] a")
    expect(link).to_have_count(1)
    shot(page, f"empty_{path}")


def test_a_new_city_is_made_from_a_file_and_a_wrong_address_is_a_sentence(
    page: Page, app: App, tmp_path: Any
) -> None:
    go(page, app, "new_city")
    page.get_by_role("textbox", name="Address").fill("http://127.0.0.1/resource/abcd-1234.json")
    page.keyboard.press("Enter")
    page.get_by_text("inside a private network").wait_for()
    page.get_by_role("tab", name="From a file").click()
    page.locator("input[type=file]").first.set_input_files(str(tiny_csv(tmp_path / "t.csv", 300)))
    page.get_by_text("Which column is what").wait_for()
    for field, column in (("time", "when"), ("type", "what")):
        page.get_by_label(re.compile(f"^{field}")).click()
        page.get_by_role("option", name=column, exact=True).click()
        settle(page)
    page.get_by_role("textbox", name="The city's name").fill("Small Town")
    page.keyboard.press("Enter")
    settle(page)
    shot(page, "new_city")
    page.get_by_role("button", name="Add the city").click()
    page.get_by_text("300 records read, 294 of them can be used").wait_for()
    page.get_by_role("link", name="Go to the city").click()
    page.get_by_role("tab", name=re.compile("Coverage")).wait_for()
    settle(page)
    page.get_by_role("tab", name=re.compile("Coverage")).click()
    page.wait_for_timeout(800)
    shot(page, "coverage")


def test_the_grid_can_be_blurred_for_the_eye(page: Page, app: App) -> None:
    go(page, app, "grid?city=sample")
    maps = page.locator(".maps3 .panel canvas.map")
    maps.first.wait_for()
    assert_drawn(maps.nth(1))
    settle(page)
    sharp = pixels(maps.nth(1))
    blur = page.get_by_role("slider", name=re.compile("Blur"))
    blur.first.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    becomes(page, lambda: not np.array_equal(sharp, pixels(maps.nth(1))))
    shot(page, "blur")


def test_what_unseen_says_can_be_taken_away(page: Page, app: App) -> None:
    go(page, app, "unseen?city=sample&run=stack-1")
    page.get_by_role("button", name="Save the numbers").wait_for()
    settle(page)
    kept = {}
    for name in ("Save the numbers", "Save the report"):
        with page.expect_download() as made:
            page.get_by_role("button", name=name).click()
        kept[name] = Path(made.value.path()).read_text(encoding="utf-8")
    first, row = kept["Save the numbers"].splitlines()[:2]
    assert first.startswith("run,trial,city,grid,since,until,against,gain,low,high,unit")
    assert row.startswith("stack-1,later time,sample,")
    gain = float(row.split(",")[7])
    assert f"{gain:+.4f}" in kept["Save the report"]


def test_a_page_of_what_it_needs_not_is_drawn_before_the_sample_is_ready(
    browser: Any, tmp_path: Path
) -> None:
    process, url = serve(TOP / "app.py", tmp_path / "data")
    try:
        context = browser.new_context()
        fresh = context.new_page()
        fresh.goto(f"{url}/new_city")
        fresh.get_by_role("tab", name="From a file").wait_for()
        fresh.goto(f"{url}/forecast")
        fresh.locator(".maps3 .panel canvas.map").first.wait_for()
        context.close()
    finally:
        process.terminate()
        process.wait(20)
