"""Parts of a score sum to the whole, and each value lies in the group its name says."""

import numpy as np
import pytest

from crimecast.baselines import baseline_rates
from crimecast.cities import load_city
from crimecast.grids.cube import load_cube
from crimecast.judging.breakdown import (
    ELSEWHERE,
    Judged,
    concentration,
    groups,
    neighbourhoods,
    table,
)
from crimecast.judging.scoring import compare, step_sums

BY = ("type", "weekday", "season", "neighbourhood", "count", "hour")


@pytest.fixture(scope="module")
def judged(sample: str) -> Judged:
    cube = load_cube(sample)
    one, other = (baseline_rates(name, cube, 600, 730) for name in ("memory_mixture", "mean"))
    return Judged.of(cube, 600, 730, one, other)


@pytest.mark.parametrize("by", BY)
def test_parts_sum_to_the_whole(judged: Judged, by: str) -> None:
    frame = table(judged, by, load_city("sample"))
    assert frame["events"].sum() == judged.counts.sum()
    assert frame["expected"].sum() == pytest.approx(judged.one.sum(), rel=1e-3)
    cube, span = judged.cube, slice(judged.first, judged.last)

    def sums(rates: np.ndarray) -> object:
        whole = np.zeros((*rates.shape[:2], *judged.area.shape))
        whole[..., judged.area] = rates
        return step_sums(cube.counts[span], whole, judged.area, cube.times[span])

    gain = compare(sums(judged.one), sums(judged.other))["difference"]  # type: ignore[arg-type]
    assert frame["gain_per_event"].sum() == pytest.approx(gain, abs=2e-4)


def test_groups_are_what_they_are_called(judged: Judged) -> None:
    names, weekday = groups(judged, "weekday", load_city("sample"))
    names_of_season, season = groups(judged, "season", load_city("sample"))
    for i in (0, 50, 129):
        moment = judged.cube.times[judged.first + i].astype("datetime64[s]").item()
        assert names[weekday[i, 0, 0]] == moment.strftime("%A")
        month = {12: "winter", 9: "autumn", 10: "autumn", 11: "autumn", 8: "summer"}
        assert names_of_season[season[i, 0, 0]] == month[moment.month]
    _, count = groups(judged, "count", load_city("sample"))
    assert (count[judged.counts == 2] == 2).all()


def test_cells_lie_in_their_neighbourhood(judged: Judged) -> None:
    city = load_city("sample")
    names, cells = neighbourhoods(judged.cube, judged.area, city)
    shapes = {name: city.project(s) for kind, name, s in city.features if kind == "neighbourhood"}
    from shapely import Point

    row, column = np.nonzero(judged.area)
    for i in range(0, len(cells), 37):
        name = names[cells[i]]
        place = Point(judged.cube.x[column[i]], judged.cube.y[row[i]])
        if name != ELSEWHERE:
            assert shapes[name].intersects(place)
        else:
            assert not any(shape.contains(place) for shape in shapes.values())


def test_attention_is_one_where_flags_follow_the_record(judged: Judged) -> None:
    names, cells = neighbourhoods(judged.cube, judged.area, load_city("sample"))
    frame = concentration(judged, names, cells)
    assert frame["share of events"].sum() == pytest.approx(1)
    assert frame["share of flagged cells"].sum() == pytest.approx(1)
    weighted = (frame["attention"] * frame["share of events"]).sum()
    assert weighted == pytest.approx(frame["share of flagged cells"].sum())
