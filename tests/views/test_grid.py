"""The Grid page: what is advised before anything was counted."""

import re
from pathlib import Path

import pytest

from crimecast.cities import load_city
from crimecast.grids.grid import make_grid
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from crimecast.views.grid import advised, thinness


def test_the_sample_city_is_advised_what_it_is_counted_on(sample: str) -> None:
    cell, step, why = advised(snapshot(load_city("sample")))
    assert (cell, step) == (500.0, "1d")
    assert re.search(
        r"44,407 events are then about 1\d\d\.\d in each cell and 60\.\d each day", why
    )


@pytest.mark.usefixtures("data")
def test_few_records_are_advised_what_is_enough_of_them(tmp_path: Path) -> None:
    rows = [
        f"2024-{1 + i % 12:02d}-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d},theft,{-0.9 + 0.0007 * (i * 37 % 211):.5f},{41.6 + 0.0006 * (i * 53 % 199):.5f}"
        for i in range(900)
    ]
    path = tmp_path / "few.csv"
    path.write_text("\n".join(["time,type,longitude,latitude", *rows]))
    import_file("few", path, zone="Europe/Madrid")
    cell, step, _ = advised(snapshot(load_city("few")))
    assert cell > 500
    assert step == "1w"
    assert thinness(make_grid("few", cell, step, "all"))[0]
