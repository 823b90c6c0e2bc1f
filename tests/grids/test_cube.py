"""The cube's periods, its split in time, and what is left out of it."""

import numpy as np
import pytest

from crimecast.errors import UserError
from crimecast.grids.cube import Split, left_out_blocks, load_cube, on_map, split


def test_a_period_begins_with_its_first_day_and_ends_before_its_last(sample: str) -> None:
    cube = load_cube(sample)
    first, last = cube.period("2023-02-01", "2023-03-01")
    assert last - first == 28
    assert cube.label(first) == "2023-02-01"
    assert cube.label(last) == "2023-03-01"


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        ("2023-03-01", "2023-02-01", "holds no step"),
        ("2030-01-01", "2030-02-01", "holds no step"),
        ("2000-01-01", "2023-02-01", "Nothing lies before"),
    ],
)
def test_periods_that_cannot_be_forecast(sample: str, since: str, until: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        load_cube(sample).period(since, until)


def test_the_split(sample: str) -> None:
    cube = load_cube(sample)
    steps = len(cube.times)
    assert split(cube, None, None).train == int(0.7 * steps)
    cuts = split(cube, "2024-01-01", "2024-07-01")
    assert [cube.label(cut) for cut in (cuts.train, cuts.validate)] == ["2024-01-01", "2024-07-01"]
    assert isinstance(cuts, Split)
    for train, validate in (("2020-01-01", None), ("2024-07-01", "2024-01-01")):
        with pytest.raises(UserError, match="is empty"):
            split(cube, train, validate)


def test_values_of_cells_stand_on_the_map() -> None:
    area = np.array([[True, False], [True, True]])
    made = on_map(area, np.array([[1.0, 2.0, 3.0]]))
    assert made.tolist() == [[[1.0, 0.0], [2.0, 3.0]]]


def test_places_left_out_are_as_many_as_asked_and_always_the_same() -> None:
    area = np.ones((40, 50), dtype=bool)
    out = left_out_blocks(area, 0.2)
    assert 0.2 <= out.sum() / area.sum() < 0.25
    assert np.array_equal(out, left_out_blocks(area, 0.2))
    for share in (0.0, 0.6):
        with pytest.raises(UserError, match="above 0"):
            left_out_blocks(area, share)
