"""A process of our own finds the package and the data folder from any working directory."""

import json
from pathlib import Path

import pytest

from crimecast.machine import background


def test_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("CRIMECAST_DATA", "relative")
    log = tmp_path / "log.txt"
    process = background.start("crimecast", "cities", "--json", log=log)
    assert process.wait() == 0, log.read_text()
    assert "sample" in [city["name"] for city in json.loads(log.read_text())]
    assert (tmp_path / "relative" / "cities" / "sample" / "ready").exists()


@pytest.mark.long
def test_what_is_given_counts_more_than_what_is_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path / "around"))
    log = tmp_path / "log.txt"
    given = {"CRIMECAST_DATA": str(tmp_path / "given")}
    assert background.start("crimecast", "runs", log=log, environment=given).wait() == 0
    assert (tmp_path / "given" / "crimecast.sqlite").exists()
