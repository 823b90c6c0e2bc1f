"""What looks wrong in records is said with its number, and nothing is where nothing is wrong."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from crimecast.reading.parts import Parts
from crimecast.reading.plausibility import plausibility


def sound(count: int = 20_000, days: int = 365) -> pl.DataFrame:
    """Records of a city in which nothing is wrong: least happens around five o'clock."""
    rng = np.random.default_rng(0)
    weight = 1.3 - np.cos((np.arange(24) - 5) / 24 * 2 * np.pi)
    minutes = rng.choice(24, count, p=weight / weight.sum()) * 60 + rng.integers(0, 60, count)
    moments = np.datetime64("2019-01-01", "us") + rng.integers(0, days, count).astype("timedelta64[D]") + minutes.astype("timedelta64[m]")  # fmt: skip
    return pl.DataFrame(
        {
            "time": pl.Series(moments).sort(),
            "type": rng.choice(["theft", "battery", "robbery"], count),
            "longitude": np.round(rng.normal(-87.65, 0.03, count), 5),
            "latitude": np.round(rng.normal(41.85, 0.03, count), 5),
        }
    )


def share(table: pl.DataFrame, part: float) -> pl.Expr:
    return pl.int_range(pl.len()) % round(1 / part) == 0


T = pl.col("time")
WRONG = {
    "one_place": lambda e: e.with_columns(pl.when(share(e, 0.02)).then(-87.61).otherwise(pl.col("longitude")).alias("longitude"), pl.when(share(e, 0.02)).then(41.81).otherwise(pl.col("latitude")).alias("latitude")),
    "many_at_midnight": lambda e: e.with_columns(pl.when(share(e, 0.1)).then(T.dt.truncate("1d")).otherwise(T).alias("time")),
    "many_at_noon": lambda e: e.with_columns(pl.when(share(e, 0.1)).then(T.dt.truncate("1d") + timedelta(hours=12)).otherwise(T).alias("time")),
    "first_of_month": lambda e: e.with_columns(pl.when(share(e, 0.1)).then(T.dt.truncate("1mo") + timedelta(hours=15)).otherwise(T).alias("time")),
    "first_of_year": lambda e: e.with_columns(pl.when(share(e, 0.1)).then(T.dt.truncate("1y") + timedelta(hours=15)).otherwise(T).alias("time")),
    "rhythm": lambda e: e.with_columns(T + timedelta(hours=6)),
    "days_without": lambda e: e.filter(T.dt.date() != datetime(2019, 6, 9).date()),
    "jump": lambda e: e.filter((datetime(2019, 7, 1) > T) | (pl.int_range(pl.len()) % 3 == 0)),
    "rounded_places": lambda e: e.with_columns(pl.col("longitude", "latitude").round(3)),
    "type_renamed": lambda e: e.with_columns(pl.when((pl.col("type") == "theft") & (datetime(2019, 7, 1) < T)).then(pl.lit("larceny")).otherwise(pl.col("type")).alias("type")),
    "type_missing": lambda e: e.with_columns(pl.when(share(e, 0.1)).then(pl.lit("(none given)")).otherwise(pl.col("type")).alias("type")),
}  # fmt: skip


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert plausibility(Parts.one(sound()), "minute") == []


@pytest.mark.parametrize("code", WRONG)
def test_each_is_said_with_its_number(code: str) -> None:
    found = {
        notice.code: notice for notice in plausibility(Parts.one(WRONG[code](sound())), "minute")
    }
    assert code in found
    assert found[code].rows > 0
    if not code.startswith("first_of"):  # a day on which much is put is seen in more than one way
        assert set(found) == {code}


def test_dates_alone_have_no_hours_to_judge() -> None:
    days = sound().with_columns(T.dt.truncate("1d"))
    assert plausibility(Parts.one(days), "day") == []


def test_a_file_of_a_few_days() -> None:
    assert plausibility(Parts.one(sound(2_000, 9)), "minute") == []


@pytest.mark.parametrize("days", [1, 5, 26, 60])
def test_a_gap_is_said_as_long_as_it_is(days: int) -> None:
    begin = datetime(2019, 5, 3)
    left_out = sound().filter(~T.is_between(begin, begin + timedelta(days=days), closed="left"))
    (found,) = (n for n in plausibility(Parts.one(left_out), "minute") if n.code == "days_without")
    assert found.rows == days
