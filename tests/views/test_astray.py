"""What was found is told with its place, its time and a way there, and drawn."""

from dataclasses import replace

import numpy as np
import pytest

from crimecast.forecasting.forecasts import rates, run_rates
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.judging.astray import WEEKDAYS, Astray, astray
from crimecast.runs.run import load_run
from crimecast.views import astray as view


def test_a_poor_forecast_has_something_to_tell(sample: str) -> None:
    first, last = unseen_period(load_run("stack-1"))
    cube = load_cube(sample)
    those = view.found("mean", sample, first, last)
    assert those
    worths = [one.worth for one, _ in those]
    assert worths == sorted(worths, reverse=True)
    for one, told in those:
        assert first + one.first <= told.step < first + one.last
        assert told.when.startswith(cube.label(first + one.first))
        assert ("more" if one.more else "fewer") in told.off


@pytest.mark.parametrize("kind", ["cluster", "cell", "change", "level", "weekday"])
def test_every_kind_is_told_and_drawn(sample: str, kind: str) -> None:
    first, last = unseen_period(load_run("stack-1"))
    cube = load_cube(sample)
    cells = np.argwhere(cube.area(first))[:4] if kind in ("cluster", "cell") else np.zeros((0, 2), int)  # fmt: skip
    word = {"cluster": "emerging", "weekday": WEEKDAYS[4]}.get(kind, kind)
    one = Astray(kind, word, 10, 40, 50.0, 30.0, 5.0, cells)
    told = view.spot(rates("mean", cube, first, last), cube, first, one)
    assert told.off == "67% more: 50, not 30.0"
    assert (told.cell is not None) == bool(len(cells))
    figure = view.figure("mean", cube, first, last, one, dark=False)
    assert len(figure.data) >= 1
    if len(cells):
        assert list(told.cell or ()) in cells.tolist()
        x, y = (np.array(part, dtype=float) for part in (figure.data[-1].x, figure.data[-1].y))
        for values, own in ((x, cells[:, 1]), (y, cells[:, 0])):
            assert (np.nanmin(values), np.nanmax(values)) == (own.min() - 0.5, own.max() + 0.5)


def test_a_right_forecast_of_the_simulated_city_has_little(sample: str) -> None:
    first, last = unseen_period(load_run("stack-1"))
    cube = load_cube(sample)
    truth = rates("truth", cube, first, last)
    found = astray(cube.counts[first:last], truth, cube.area(first), cube.times[first:last], 1.0)
    assert len(found) <= 1


@pytest.mark.parametrize("at", [20, 75, 120])
def test_when_it_began_is_found(at: int) -> None:
    rng = np.random.default_rng(at)
    expected = np.full(150, 2.0)
    counts = rng.poisson(np.where(np.arange(150) < at, 2.0, 0.6))
    assert abs(view.onset(counts, expected) - at) <= 3


def test_what_began_before_the_unseen_days_is_dated(sample: str) -> None:
    run, cube = load_run("stack-1"), load_cube(sample)
    first, last = unseen_period(run)
    earlier, made = view.before("stack-1", sample, first), rates("stack-1", cube, first, last)
    assert len(earlier) == first - run.settings.train
    assert np.allclose(
        earlier, run_rates(run, cube, run.settings.train, first), rtol=1e-4, atol=1e-7
    )
    assert not len(view.before("mean", sample, first))
    cells = np.argwhere(cube.area(first))[60:66]
    begun = first - 30
    counts = cube.counts.copy()
    counts[begun:, :, *cells.T] *= 6
    changed = replace(cube, counts=counts)
    one = Astray("cluster", "persistent", 0, last - first, 300.0, 50.0, 5.0, cells)
    told = view.spot(made, changed, first, one)
    dated = view.began(changed, first, one, told, earlier, made)
    assert dated.when.startswith(f"{told.when}, since about ")
    when = np.datetime64(dated.when.split()[-1])
    assert abs(when - cube.times[begun]) <= np.timedelta64(6, "D")
    fading = replace(one, word="fading")
    assert view.began(changed, first, fading, told, earlier, made) == told
