"""What was planted in a right forecast's errors is found, in its place and time; in a right one nothing is."""

import numpy as np
import pytest

from crimecast.judging.astray import Astray, astray, worth

DAYS, SIDE = 364, 14
TIMES = np.datetime64("2023-01-02") + np.arange(DAYS)
AREA = np.ones((SIDE, SIDE), dtype=bool)
AREA[:3, :3] = False


def forecast(seed: int, types: int = 1) -> np.ndarray:
    """(T, C, H, W) rates of a city with busy and quiet places and a week."""
    rng = np.random.default_rng(seed)
    place = rng.lognormal(-2.5, 0.8, (types, SIDE, SIDE))
    week = 1 + 0.2 * np.sin(2 * np.pi * np.arange(DAYS) / 7)
    return place[None] * week[:, None, None, None] * AREA


def found(truth: np.ndarray, said: np.ndarray, seed: int) -> list[Astray]:
    counts = np.random.default_rng(seed + 1000).poisson(truth)
    types = tuple("abc"[: truth.shape[1]])
    return astray(counts, said, AREA, TIMES, 1.0, types)


@pytest.mark.long
def test_a_right_forecast_has_next_to_nothing() -> None:
    """The level is judged at one in a hundred, weekdays, clusters and cells together at a few."""
    with_any = sum(bool(found(forecast(s, 1 + s % 2), forecast(s, 1 + s % 2), s)) for s in range(40))  # fmt: skip
    assert with_any <= 5


@pytest.mark.parametrize(
    ("span", "word"),
    [((0, DAYS), "persistent"), ((280, DAYS), "emerging"), ((0, 112), "fading"), ((84, 196), "passing")],
)  # fmt: skip
def test_a_cluster_is_found_where_and_when_it_is(span: tuple[int, int], word: str) -> None:
    said = forecast(3)
    truth = said.copy()
    truth[span[0] : span[1], :, 7:10, 7:10] *= 2.0
    top = next(one for one in found(truth, said, 3) if one.kind == "cluster")
    assert top.more
    assert top.word == word
    inside = (top.cells >= 6).all(axis=1) & (top.cells <= 10).all(axis=1)
    assert inside.mean() > 0.8
    assert len(top.cells) >= 5
    assert abs(top.first - span[0]) <= 56
    assert abs(top.last - span[1]) <= 56


def test_too_much_is_told_from_too_little() -> None:
    said = forecast(4)
    truth = said.copy()
    truth[:, :, 7:11, 2:6] *= 0.4
    top = found(truth, said, 4)[0]
    assert top.kind == "cluster"
    assert not top.more
    assert top.observed < 0.6 * top.expected


def test_a_change_of_the_whole_city_has_its_date() -> None:
    said = forecast(5)
    truth = said.copy()
    truth[200:] *= 1.25
    change = next(one for one in found(truth, said, 5) if one.kind == "change")
    assert abs(change.first - 200) <= 14
    assert change.last == DAYS
    assert change.observed / change.expected == pytest.approx(1.25, abs=0.06)


def test_a_cell_that_changes_is_found_alone() -> None:
    said = forecast(6)
    said[:, :, 12, 12] = 0.4
    truth = said.copy()
    truth[224:, :, 12, 12] *= 3
    cells = [one for one in found(truth, said, 6) if len(one.cells)]
    assert [12, 12] in cells[0].cells.tolist()
    assert len(cells[0].cells) <= 4
    assert abs(cells[0].first - 224) <= 28


def test_a_weekday_and_a_type_are_named() -> None:
    said = forecast(7, types=3)
    truth = said.copy()
    truth[5::7] *= 1.4
    assert [o.word for o in found(truth, said, 7) if o.kind == "weekday" and o.more] == ["Saturdays"]  # fmt: skip
    truth = said.copy()
    truth[:, 1] *= 1.3
    assert "b" in [one.word for one in found(truth, said, 8) if one.kind == "type" and one.more]


def test_the_worth_is_what_scaling_gains() -> None:
    n, lam = np.array([3.0, 0, 5]), np.array([1.0, 2, 1])
    scaled = lam * n.sum() / lam.sum()
    gain = (n * np.log(scaled / lam) - (scaled - lam)).sum()
    assert worth(n.sum(), lam.sum()) == pytest.approx(gain)
