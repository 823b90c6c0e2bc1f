"""Holes and the reporting tail are found where they are, and not where they are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast.views.coverage import by_month, coverage


def days(count: int) -> np.ndarray:
    return np.datetime64("2020-01-01") + np.arange(count)


def steady(count: int, mean: float = 60, seed: int = 0) -> np.ndarray:
    weekly = 1 + 0.15 * np.cos(2 * np.pi * np.arange(count) / 7)
    return np.random.default_rng(seed).poisson(mean * weekly)


@pytest.mark.parametrize("seed", range(20))
def test_a_complete_series_has_neither(seed: int) -> None:
    known = coverage(days(500), steady(500, seed=seed))
    assert known.tail is None
    assert not len(known.holes)


@given(st.lists(st.integers(20, 470), min_size=1, max_size=6, unique=True))
def test_holes_are_found(places: list[int]) -> None:
    counts = steady(500)
    counts[places] = 0
    assert set(coverage(days(500), counts).holes) == set(days(500)[places])


def test_empty_days_of_a_quiet_town_are_not_holes() -> None:
    assert not len(coverage(days(500), steady(500, mean=1.0)).holes)


@pytest.mark.parametrize("length", [4, 10, 25, 60])
def test_a_tail_is_found_within_a_few_days(length: int) -> None:
    counts = steady(500)
    counts[-length:] = counts[-length:] * np.linspace(0.6, 0.05, length)
    tail = coverage(days(500), counts).tail
    assert tail is not None
    assert abs((tail - days(500)[-length]).astype(int)) <= 4


def test_the_table_by_month_holds_every_day() -> None:
    known = coverage(days(400), steady(400))
    names, table = by_month(known)
    assert names[0] == "2020-01"
    assert np.nansum(table) == known.counts.sum()
    assert np.isnan(table[30, 1])  # there is no 31 February
    assert np.isnan(table[29, 1])


def test_a_holiday_is_not_a_tail() -> None:
    counts = steady(500)
    counts[-8:] = counts[-8:] * 0.7
    assert coverage(days(500), counts).tail is None
