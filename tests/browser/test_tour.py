"""Every stop of the tour says where one is and what is to be seen, and what is no stop shows none."""

from pathlib import Path

import pytest

from pages.parts.tour import STOPS
from tests.browser.conftest import App
from tests.browser.frontend import Frontend, state

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("number", range(1, len(STOPS) + 1))
def test_a_stop(app: App, number: int) -> None:
    page, title, _ = STOPS[number - 1]
    with Frontend(app.url) as session:
        shown = session.show(Path(page).stem, f"city=sample&tour={number}")
        assert not shown.exceptions
        assert any(
            f"{number} of {len(STOPS)}" in text and title[:8] in text for text in shown.texts
        )
        leave = shown.labelled("Leave the tour")
        after = session.show(Path(page).stem, shown.query, [state(leave, trigger_value=True)])
        assert not any(f"{number} of {len(STOPS)}" in text for text in after.texts)


@pytest.mark.parametrize("other", ["0", "7", "-1", "x", ""])
def test_no_stop(app: App, other: str) -> None:
    with Frontend(app.url) as session:
        shown = session.show("", f"city=sample&tour={other}")
    assert not shown.exceptions
    assert not any(f"of {len(STOPS)} ·" in text for text in shown.texts)
