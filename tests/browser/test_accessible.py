"""The accessibility checker axe-core finds nothing serious on any page, light or dark."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import App
from tests.browser.test_loop import go
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
PAGES = (
    "", "city", "new_city", "grid", "design", "runs", "tomorrow", "forecast", "layers", "layers?view=Network",
    "findings",
    "compare", "unseen", "help",
)  # fmt: skip


def streamlits_own(node: dict[str, Any]) -> bool:
    """Whether a finding is of the navigation's list, which Streamlit makes and no app can change."""
    return "stSidebarNavItems" in node["html"] or node["html"].startswith('<li class="st-emotion')


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, app: App, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(BROWSER)
    page: Page = context.new_page()
    found = []
    for path in PAGES:
        go(page, app, path)
        page.wait_for_timeout(1500)
        result = Axe().run(page)
        for violation in result.response["violations"]:
            nodes = [n for n in violation["nodes"] if not streamlits_own(n)]
            if nodes and violation["impact"] in ("serious", "critical"):
                targets = [node["html"][:140] for node in nodes[:3]]
                found.append(
                    f"{path or 'overview'}: {violation['id']} ({violation['impact']}): {targets}"
                )
    context.close()
    assert not found, "\n".join(found)
