"""Cells are called after the quarters that the records themselves name."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crimecast.cities import load_city
from crimecast.grids.correcting import correct_city
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import make_grid
from crimecast.judging.breakdown import ELSEWHERE, neighbourhoods
from crimecast.records import originals
from crimecast.records.correcting import Correction
from crimecast.records.importing import import_file
from crimecast.storage.store import data_root
from crimecast.views.place_names import place_name

MIDDLES = {"Dampoort": (3.740, 51.056), "Brugse Poort": (3.700, 51.058), "Ledeberg": (3.742, 51.036)}  # fmt: skip


def records(path: Path, column: str = "wijk", mixed: bool = False) -> Path:
    """Records round three places, each with the name of its own or, `mixed`, with any."""
    rng = np.random.default_rng(3)
    lines = [f"nr;datum;feit;lengte;breedte;{column}"]
    for number in range(900):
        name = list(MIDDLES)[number % 3]
        lon, lat = rng.normal(MIDDLES[name], (0.004, 0.003))
        said = rng.choice(list(MIDDLES)) if mixed else name
        at = np.datetime64("2023-01-01") + np.timedelta64(int(rng.integers(0, 100 * 1440)), "m")
        lines.append(f"{number};{at};Diefstal;{lon:.5f};{lat:.5f};{said if number % 9 else ''}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def names(grid: str) -> dict[str, str]:
    """What the cells in the middle of each place are called."""
    cube = load_cube(grid)
    city = load_city(cube.city)
    found = {}
    for name, place in MIDDLES.items():
        x, y = city.to_metres.transform(*place)
        row, column = (int(np.abs(axis - at).argmin()) for axis, at in ((cube.y, y), (cube.x, x)))
        found[name] = place_name(city, cube, row, column)
    return found


@pytest.mark.parametrize("column", ["wijk", "Neighbourhood", "Bezirk", "Barrio"])
def test_cells_are_called_after_what_most_of_their_records_say(
    data: Path, tmp_path: Path, column: str
) -> None:
    import_file("gent", records(tmp_path / "a.csv", column), zone="Europe/Brussels")
    grid = make_grid("gent", 500)["grid"]
    assert all(
        said.startswith(f"{name}, ") and said.endswith("its middle")
        for name, said in names(grid).items()
    )
    cube = load_cube(grid)
    known, cells = neighbourhoods(cube, cube.area(len(cube.times)), load_city("gent"))
    assert set(known[:-1]) == set(MIDDLES)
    assert known[-1] == ELSEWHERE
    assert (cells < 3).mean() > 0.9
    # The same file once more changes nothing, read again another way they stay where they are.
    import_file("gent", records(tmp_path / "a.csv", column))
    correct_city("gent", Correction(zone="Europe/Lisbon"))
    again = names(make_grid("gent", 500)["grid"])
    assert all(
        said.startswith(f"{name}, ") and said.endswith("its middle") for name, said in again.items()
    )


def test_names_that_do_not_lie_together_are_no_quarters(data: Path, tmp_path: Path) -> None:
    import_file("gent", records(tmp_path / "a.csv", mixed=True), zone="Europe/Brussels")
    assert not (data_root() / "cities" / "gent" / "quarters.parquet").exists()
    assert all(said.startswith("Row ") for said in names(make_grid("gent", 500)["grid"]).values())


def test_a_cell_far_from_all_records_is_called_after_none(data: Path, tmp_path: Path) -> None:
    import_file("gent", records(tmp_path / "a.csv"), zone="Europe/Brussels")
    city = load_city("gent")
    from crimecast.cities.quarters import quarter_of

    x, y = city.to_metres.transform(*MIDDLES["Ledeberg"])
    assert quarter_of(city, x, y, 500) == "Ledeberg"
    assert quarter_of(city, x, y - 20_000, 500) is None


@pytest.mark.parametrize(
    ("column", "form"),
    [("Calle", "C/ {}"), ("block_address", "{}00 block of {}"), ("Adresse", "{1}, {0}")],
)
def test_cells_are_called_after_the_street_that_most_records_name(
    data: Path, tmp_path: Path, column: str, form: str
) -> None:
    rng = np.random.default_rng(5)
    streets = {
        "Veldstraat": (3.720, 51.050),
        "Kortrijksesteenweg": (3.712, 51.040),
        "Sint-Pieters": (3.730, 51.045),
    }
    lines = [f"nr;datum;feit;lengte;breedte;{column}"]
    for number in range(600):
        name, at = (
            list(streets)[number % 3],
            np.datetime64("2023-01-01") + np.timedelta64(number * 131, "m"),
        )
        lon, lat = rng.normal(streets[name], (0.0006, 0.0005))
        house = int(rng.integers(1, 90))
        said = form.format(house, name) if form.count("{") > 1 else form.format(name)
        lines.append(f"{number};{at};Diefstal;{lon:.5f};{lat:.5f};{said}")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    import_file("gent", path, zone="Europe/Brussels")
    city, cube = load_city("gent"), load_cube(make_grid("gent", 500)["grid"])
    for name, place in streets.items():
        x, y = city.to_metres.transform(*place)
        row, col = (int(np.abs(axis - at).argmin()) for axis, at in ((cube.y, y), (cube.x, x)))
        assert f"{name}, row " in place_name(city, cube, row, col)  # no quarter is known


def test_the_address_of_a_person_is_no_street(data: Path, tmp_path: Path) -> None:
    path = records(tmp_path / "a.csv", "victim_address")
    result = import_file("gent", path, zone="Europe/Brussels")
    kept = originals.folder(load_city("gent")) / f"{result['kept']}.parquet"
    assert "victim_address" not in pl.read_parquet(kept).columns
