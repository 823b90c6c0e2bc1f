"""Cells are called after the quarters that the records themselves name."""

from pathlib import Path

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.grids.correcting import correct_city
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import make_grid
from crimecast.judging.breakdown import ELSEWHERE, neighbourhoods
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
    assert all(said.startswith(f"{name}, row ") for name, said in names(grid).items())
    cube = load_cube(grid)
    known, cells = neighbourhoods(cube, cube.area(len(cube.times)), load_city("gent"))
    assert set(known[:-1]) == set(MIDDLES)
    assert known[-1] == ELSEWHERE
    assert (cells < 3).mean() > 0.9
    # The same file once more changes nothing, read again another way they stay where they are.
    import_file("gent", records(tmp_path / "a.csv", column))
    correct_city("gent", Correction(zone="Europe/Lisbon"))
    again = names(make_grid("gent", 500)["grid"])
    assert all(said.startswith(f"{name}, row ") for name, said in again.items())


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
