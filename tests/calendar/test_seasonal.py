"""A dip that comes back every August is a season; a level that changes once is a break."""

import numpy as np
import polars as pl

from crimecast.reading.parts import Parts
from crimecast.reading.plausibility import plausibility


def events(level: np.ndarray, seed: int = 0) -> pl.DataFrame:
    """Events at the given level a day, from 2021 on."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(level)
    day = np.repeat(np.datetime64("2021-01-01") + np.arange(len(level)), counts)
    minute = rng.integers(0, 1440, len(day)).astype("timedelta64[m]")
    time = day.astype("datetime64[us]") + minute
    return pl.DataFrame(
        {"time": time, "type": ["theft"] * len(day), "longitude": rng.normal(11.3, 0.02, len(day)), "latitude": rng.normal(44.5, 0.02, len(day))}
    ).sort("time")  # fmt: skip


def codes(level: np.ndarray) -> set[str]:
    return {notice.code for notice in plausibility(Parts.one(events(level)), "minute")}


def test_a_holiday_dip_of_every_year_is_no_break() -> None:
    days = np.datetime64("2021-01-01") + np.arange(1004)
    august = days.astype("datetime64[M]").astype(int) % 12 == 7
    assert "jump" not in codes(np.where(august, 18.0, 36.0))


def test_a_level_that_changes_once_is_one() -> None:
    assert "jump" in codes(np.where(np.arange(1004) < 500, 18.0, 40.0))


def test_within_one_year_nobody_can_tell() -> None:
    assert "jump" in codes(np.where(np.arange(300) < 150, 18.0, 40.0))
