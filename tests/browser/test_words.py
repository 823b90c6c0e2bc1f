"""In the analyst's view no page has a word of the field that docs/words.md keeps from it."""

import re
from collections.abc import Iterator

import pytest
from google.protobuf.message import Message

from tests.browser.conftest import App
from tests.browser.frontend import Frontend
from tests.views.test_words import jargon

pytestmark = pytest.mark.browser
PAGES = ("", "city", "new_city", "grid", "runs", "tomorrow", "forecast", "findings", "unseen", "help", *(
    f"compare?section={one}" for one in ("Scores", "Where", "Hits", "Calibration", "Groups", "Fair%20use")
))  # fmt: skip
SAID = ("body", "label", "help", "placeholder", "options", "text", "entries", "value", "caption")


def strings(of: Message) -> Iterator[str]:
    """Whatever a person reads of an element."""
    for field, value in of.ListFields():
        several = value if field.is_repeated else [value]
        for one in several if not hasattr(value, "items") else ():
            if isinstance(one, Message):
                yield from strings(one)
            elif isinstance(one, str) and field.name in SAID:
                yield one


def sentences(app: App, page: str) -> set[str]:
    """Every sentence of a page."""
    name, _, query = page.partition("?")
    said: set[str] = set()
    with Frontend(app.url) as session:
        session.heard = lambda delta: said.update(strings(delta))
        shown = session.show(name, "&".join(filter(None, ("for=analyst", query))))
    assert not shown.exceptions, shown.exceptions
    plain = (re.sub(r"\\(.)|[*`]", r"\1", text) for text in said)
    return {part.strip() for text in plain for part in re.split(r"(?<=[.!?:;])\s+|\n", text)}


@pytest.mark.parametrize("page", PAGES)
def test_an_analyst_is_shown_plain_words(app: App, page: str) -> None:
    found = {one: words for one in sentences(app, page) if (words := jargon(one))}
    assert found == {}
