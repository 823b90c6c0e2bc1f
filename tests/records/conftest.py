"""An import as the command line does it, for all tests of this folder."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crimecast.cities import load_city
from crimecast.cli import main
from crimecast.records.snapshot import snapshot
from tests.records.test_import_kinds import Run


@pytest.fixture
def run(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Import content under a file name; the command's JSON and the events, sorted by time."""

    def go(
        content: str | bytes | Path, *options: str, suffix: str = ".csv", city: str = "town", zone: str = "America/Chicago"
    ) -> tuple[dict[str, Any], pl.DataFrame]:  # fmt: skip
        path = content if isinstance(content, Path) else tmp_path / f"file{suffix}"
        if not isinstance(content, Path):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert main(["import", city, str(path), "--tz", zone, "--json", *options]) == 0
        return json.loads(capsys.readouterr().out), snapshot(load_city(city)).scan().sort(
            "time"
        ).collect()

    return go
