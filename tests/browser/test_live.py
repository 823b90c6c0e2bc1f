"""A city goes live at a switch, its round is done by itself, and Overview opens with its next day."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import App
from tests.patience import until

pytestmark = pytest.mark.browser


@pytest.fixture
def live_app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = App(tmp_path_factory.mktemp("live"))
    yield running
    running.stop()


def ready(page: Any) -> None:
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        " && document.querySelector('h1') && !document.querySelector('[data-testid=stSkeleton]')"
    )


def test_a_city_goes_live_at_a_switch(live_app: App, browser: Any) -> None:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(live_app.url)
    ready(page)
    assert page.get_by_text("events expected").count() == 0
    page.goto(f"{live_app.url}/city")
    ready(page)
    page.get_by_text("Do the rounds by themselves").click()
    page.get_by_role("button", name="Save", exact=False).last.click()
    page.get_by_text("Forecast by").wait_for()
    folder = live_app.data / "live" / "sample"
    until(lambda: (folder / "round.json").exists())
    page.goto(live_app.url)
    page.get_by_text("events expected").wait_for()
    page.get_by_text("Where to look, and why there").click()
    page.get_by_role("heading", name="Tomorrow").wait_for()
    assert page.get_by_text("Live: ").count() == 1
    page.goto(f"{live_app.url}/city")
    ready(page)
    page.get_by_text("Do the rounds by themselves").click()
    page.get_by_role("button", name="Save", exact=False).last.click()
    until(lambda: '"on": false' in Path(folder / "plan.json").read_text())
    page.close()
