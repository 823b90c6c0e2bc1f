"""With a login nobody looks in without one, viewers change nothing, and every action has its line."""

import json
from pathlib import Path
from typing import Any

from tests.browser.provider import Provider
from tests.patience import BROWSER


def log_in(browser: Any, url: str) -> Any:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(url)
    page.get_by_role("button", name="Log in").click(timeout=BROWSER)
    page.get_by_role("heading", name="Overview").wait_for(timeout=BROWSER)
    return page


def test_viewers_look_and_operators_act(browser: Any, guarded: tuple[str, Path, Provider]) -> None:
    url, data, provider = guarded
    # Not logged in, every address shows the login and nothing else.
    stranger = browser.new_page()
    stranger.goto(f"{url}/runs")
    stranger.get_by_role("button", name="Log in").wait_for(timeout=BROWSER)
    assert "stack-1" not in stranger.content()
    stranger.close()

    provider.email = "eve@elsewhere.example"
    page = log_in(browser, url)
    page.get_by_text("eve@elsewhere.example · viewer").wait_for()
    page.goto(f"{url}/design")
    page.goto(f"{url}/new_city")  # nothing may be given to the server that it would read or fetch
    page.get_by_text("Only operators may do this.").first.wait_for(timeout=BROWSER)
    assert page.locator("input[type=file]").count() == 0
    assert page.get_by_label("Address").count() == 0
    page.goto(f"{url}/design")
    train = page.get_by_role("button", name="Train", exact=True)
    train.wait_for(timeout=BROWSER)
    assert train.is_disabled()
    page.context.close()

    # An address that the provider hasn't verified makes nobody an operator.
    for said in (False, "false", "true", 1, None, Provider.SILENT):
        provider.email, provider.verified = "ana@city.example", said
        page = log_in(browser, url)
        page.get_by_text("ana@city.example · viewer").wait_for()
        page.context.close()

    provider.verified = True
    page = log_in(browser, url)
    page.get_by_text("ana@city.example · operator").wait_for()
    page.goto(f"{url}/runs")
    note = page.get_by_label("Note")
    note.wait_for(timeout=BROWSER)
    note.fill("looks right")
    note.press("Enter")
    page.wait_for_timeout(3000)
    lines = [json.loads(x) for x in (data / "audit.jsonl").read_text("utf-8").splitlines()]
    mine = [x for x in lines if x["who"] == "ana@city.example"]
    assert [(x["action"], x["what"]) for x in mine] == [("annotate", "stack-1")]
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in").wait_for(timeout=BROWSER)
    page.context.close()
