"""The city's level by the calendar: a holiday seen once is no rule, one seen again and again is."""

from dataclasses import replace

import numpy as np

from crimecast.baselines.level import fit_levels, levels
from crimecast.grids.cube import Cube
from tests.baselines.test_baselines import small_cube

AREA = np.ones((5, 6), dtype=bool)


def factor_at_the_end(cube: Cube, end: int) -> float:
    """The level of step `end` over that of the days around it, had the map been right all along."""
    expected = np.full((end + 1, 1), 45.0)
    beta = fit_levels(cube, AREA, expected, end)
    factor = levels(cube, AREA, expected, beta, 0)[:, 0]
    return factor[end] / factor[end - 6 : end].mean()


def city(days: int, quiet: list[int]) -> Cube:
    """45 events a day from 1 January 2020 on, 30 on the quiet days."""
    counts = np.zeros((days, 1, 5, 6), dtype=np.float32)
    counts[:, 0] = 1.5
    counts[quiet] = 1.0
    return replace(small_cube(days), counts=counts)


def test_one_quiet_31_december_is_hardly_a_rule_three_are_more_of_one() -> None:
    one = factor_at_the_end(city(731, [365]), 730)
    three = factor_at_the_end(city(365 * 3 + 367, [365, 730, 1095]), 365 * 3 + 365)
    assert 30 / 45 < three < one < 1
    assert one > 0.75
    assert three < 0.78


def test_in_a_large_city_one_holiday_says_enough() -> None:
    cube = city(731, [365])
    large = replace(cube, counts=cube.counts * 20)
    assert factor_at_the_end(large, 730) < 0.7
