"""Whatever stands in an address, its page is drawn or says in a sentence why not, and nothing is read
outside the data folder."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.browser.conftest import App
from tests.browser.frontend import Frontend
from tests.hostile import addresses

pytestmark = pytest.mark.browser
SECRET = "the content of a file outside"
# Tells whatever is opened or listed whose name was put into an address.
WATCH = """
import os, sys
def told(event, given):
    if event in ("open", "sqlite3.connect", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove"):
        name = os.path.abspath(os.fsdecode(given[0])) if isinstance(given[0], (str, bytes, os.PathLike)) else ""
        if name.endswith("/passwd") or "/outside/" in name + "/" or "/outside-grid" in name:
            os.write(there, f"{event} {name}\\n".encode("utf-8", "backslashreplace"))
there = os.open(%r, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(told)
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Path]]:
    """An app, and the file that says what it opened outside of where it may."""
    folder = tmp_path_factory.mktemp("addresses")
    log = folder / "opened.txt"
    (folder / "outside").mkdir()
    for name in ("secret", "secret.toml", "grid.json", "network.safetensors"):
        (folder / "outside" / name).write_text(SECRET)
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(WATCH % str(log))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder / "site"))
        running = App(folder / "data")
    with Frontend(running.url) as session:
        session.show()  # the sample city is made ready
    yield running, log
    running.stop()


def look(watched: tuple[App, Path], numbers: range) -> None:
    """Have pages drawn with the queries of these numbers."""
    app, log = watched
    wrong = []
    for number in numbers:
        page, query = addresses.make(Random(number))
        with Frontend(app.url) as session:
            shown = session.show(page, query)
        said = " ".join(shown.texts)
        if shown.exceptions or "not foreseen" in said or SECRET in said:
            wrong.append((number, page, query[:300], shown.exceptions, said[-300:]))
        if log.read_text():
            wrong.append((number, page, query[:300], log.read_text()))
            log.write_text("")
    assert wrong == []


def test_a_few(watched: tuple[App, Path]) -> None:
    known = {"city", "grid", "run", "cell", "channel", "with", "other_step", "epoch", "fork"}
    assert known <= set(addresses.parameters()[0])
    look(watched, range(40))


@pytest.mark.long
def test_many(watched: tuple[App, Path]) -> None:
    look(watched, range(100, 700))


def test_the_watch_sees(watched: tuple[App, Path]) -> None:
    """What a page opens is seen: the name of the sample's own files is, where it is asked for."""
    app, log = watched
    assert log.exists()
    grid = next((app.data / "grids").glob("sample-*"))
    (app.data / "grids" / "outside-grid").symlink_to(grid)
    with Frontend(app.url) as session:
        session.show("grid", "city=sample")
    assert "/outside-grid" in log.read_text()
    log.write_text("")
    (app.data / "grids" / "outside-grid").unlink()
