"""Imports into one city at the same time, and first imports that fail."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.errors import UserError
from crimecast.records import importing
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from tests.conftest import tiny_csv

MAPPING = {"time": "when", "longitude": "lng", "latitude": "lat", "type": "what"}


def test_two_first_imports_at_once_are_one_after_the_other(data: Path, tmp_path: Path) -> None:
    def beside(name: str, east: float) -> Path:
        """A town on the border of two zones of UTM, most of it on the one side or the other."""
        lines = tiny_csv(tmp_path / name).read_text().splitlines()
        rows = [line.split(",") for line in lines[1:]]
        moved = [
            f"{name}{i},{when},{float(x) + east * (x != '0.000000'):.6f},{y},{what}"
            for i, when, x, y, what in rows
        ]
        (tmp_path / name).write_text("\n".join([lines[0], *moved]) + "\n")
        return tmp_path / name

    west, east = beside("west.csv", 2.09), beside("east.csv", 2.11)
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(import_file, "town", path, MAPPING, zone="Europe/Berlin")
            for path in (west, east)
        ]
        answers = [made.result() for made in both]
    city = load_city("town")
    held = snapshot(city)
    assert len(held.imports) == 2
    first = next(path for path in (west, east) if path.name == held.imports[0]["origin"])
    assert city.crs == {"west.csv": "EPSG:32632", "east.csv": "EPSG:32633"}[first.name]
    assert sum(answer["read"] for answer in answers) == 800
    assert city.bounds is not None
    assert np.isfinite(city.bounds).all()


def test_a_first_import_that_fails_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(importing, "write_city", full)
        with pytest.raises(OSError, match="No space"):
            import_file("town", tiny_csv(tmp_path / "a.csv"), MAPPING, zone="Europe/Berlin")
    assert not (data / "cities" / "town").exists()
    import_file("town", tiny_csv(tmp_path / "a.csv"), MAPPING, zone="Europe/Berlin")
    assert load_city("town").bounds


def test_a_damaged_entry_is_not_taken_for_a_new_city(data: Path, tmp_path: Path) -> None:
    import_file("town", tiny_csv(tmp_path / "a.csv"), MAPPING, zone="Europe/Berlin")
    (data / "cities" / "town.toml").write_text(
        'title = "Town"\ntime_zone = "Mars/Base"\ncrs = "EPSG:32632"\n'
    )
    files = sorted((data / "cities" / "town" / "events").iterdir())
    with pytest.raises(UserError, match="Mars/Base"):
        import_file("town", tiny_csv(tmp_path / "b.csv", seed=1), MAPPING, zone="Europe/Berlin")
    assert sorted((data / "cities" / "town" / "events").iterdir()) == files
