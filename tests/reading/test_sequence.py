"""What the order of rows betrays, and months whose hours are unlike the others'."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from crimecast.reading.parts import Parts
from crimecast.reading.plausibility import plausibility
from crimecast.reading.rhythm import USUAL
from crimecast.reading.sequence import out_of_order
from crimecast.reading.stretches import stretches

RNG = np.random.default_rng(5)
DAYS = np.datetime64("2022-01-01") + np.sort(RNG.integers(0, 730, 3000))
HOURS = RNG.choice(24, 3000, p=USUAL / USUAL.sum())
TRUE = DAYS.astype("datetime64[us]") + (HOURS * 60 + RNG.integers(1, 60, 3000)) * np.timedelta64(
    60_000_000, "us"
)
TRUE = np.sort(TRUE)  # fmt: skip
SERIES = pl.Series("time", TRUE)


def turned(series: pl.Series) -> pl.Series:
    return pl.Series([t.replace(month=t.day, day=t.month) if t.day <= 12 else t for t in series])


def codes(series: pl.Series) -> list[str]:
    return [notice.says for notice in out_of_order(Parts.one(series.alias("time")))]


@pytest.mark.parametrize("way", ["up", "down"])
def test_dates_that_would_lie_in_order_otherwise(way: str) -> None:
    last = pl.concat([SERIES[:2800], turned(SERIES[2800:])])
    january = pl.Series([t.replace(year=2022) if (t.year, t.month) == (2023, 1) else t for t in SERIES])  # fmt: skip
    for made, said in (
        (turned(SERIES), "day and month"), (last, "day and month"), (january, "another year"),
    ):  # fmt: skip
        found = codes(made if way == "up" else made.reverse())
        assert len(found) == 1
        assert said in found[0]


def test_what_is_in_order_or_in_none_is_not_spoken_of() -> None:
    late = pl.Series([t + timedelta(days=int(d)) for t, d in zip(SERIES, RNG.integers(0, 9, 3000), strict=True)])  # fmt: skip
    for made in (SERIES, SERIES.reverse(), SERIES.sample(fraction=1, shuffle=True, seed=1), late, pl.concat([SERIES, SERIES])):  # fmt: skip
        assert codes(made) == []


def said(times: pl.Series) -> list[str]:
    return [notice.code for notice in stretches(Parts.one(times.alias("time").to_frame()))]


def test_months_with_other_hours() -> None:
    month = SERIES.dt.truncate("1mo")
    august, later = month == pl.datetime(2022, 8, 1), pl.datetime(2023, 1, 1) <= SERIES

    def moved(where: pl.Expr, hours: int) -> pl.Series:
        return pl.select(pl.when(where).then(SERIES + pl.duration(hours=hours)).otherwise(SERIES)).to_series()  # fmt: skip

    assert said(SERIES) == []
    assert said(moved(later, 6)) == ["rhythm_part"]
    assert said(moved(august, 12)) == ["rhythm_part"]
    half = pl.select(
        pl.when(august).then(SERIES.dt.truncate("1d") + pl.duration(hours=(SERIES.dt.hour() + 11) % 12 + 1, minutes=SERIES.dt.minute())).otherwise(SERIES)
    ).to_series()  # fmt: skip
    assert said(half) == ["half_of_day"]


def test_a_coordinate_that_stuck() -> None:
    places = pl.DataFrame({"time": SERIES, "type": ["theft"] * 3000, "longitude": RNG.uniform(-87.7, -87.6, 3000), "latitude": RNG.uniform(41.8, 41.9, 3000)})  # fmt: skip
    stuck = places.with_columns(
        pl.when(pl.int_range(3000).is_between(300, 340)).then(41.85).otherwise("latitude").alias("latitude")
    )  # fmt: skip
    for table, there in ((places, False), (stuck, True), (stuck.sort("latitude"), True)):
        found = [notice.code for notice in plausibility(Parts.one(table), "minute")]
        assert ("stuck" in found) == there
    coarse = places.with_columns(pl.col("latitude").round(2)).sort("latitude")
    assert "stuck" not in [n.code for n in plausibility(Parts.one(coarse), "minute")]
