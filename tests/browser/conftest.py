"""A running app on a data folder of its own, and a real Chromium to drive it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.chromium import FLAGS, TOP, free_port, serve
from tests.browser.provider import Provider

SHOTS = Path(os.environ.get("CRIMECAST_SCREENSHOTS", Path(__file__).parent / "screenshots"))
CHROMIUM = os.environ.get("CRIMECAST_CHROMIUM", "/usr/bin/chromium")


class App:
    """A server that can be stopped and started again on the same data."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process, self.url = serve(TOP / "app.py", data)
        self.port = int(self.url.rpartition(":")[2])

    def start(self) -> None:
        self.process, self.url = serve(TOP / "app.py", self.data, self.port)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    running = App(tmp_path_factory.mktemp("browser"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    compulsory = os.environ.get("CRIMECAST_TEST_ALL") == "1"
    if shutil.which(CHROMIUM) is None:
        assert not compulsory, f"{CHROMIUM} must be installed"
        pytest.skip(f"{CHROMIUM} is not installed")
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path, Provider]]:
    """An app with a login, where it answers and keeps its data, and who logs people in. Ana is an operator."""
    provider, port = Provider(), free_port()
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\n'
        'cookie_secret = "for this test alone, long enough to sign"\nclient_id = "crimecast"\n'
        f'client_secret = "secret"\nserver_metadata_url = "{provider.url}/.well-known/openid-configuration"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(secrets))
    monkeypatch.setenv("CRIMECAST_OPERATORS", "ana@city.example")
    process, url = serve(TOP / "app.py", tmp_path / "data", port)
    yield url, tmp_path / "data", provider
    process.terminate()
    process.wait(20)
    provider.stop()
