"""What a part of the records betrays is said, and nothing of sound ones."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from crimecast.reading.parts import Parts
from crimecast.reading.plausibility import plausibility

ROWS = 1000
SAID = {
    "far_places", "equal_axes", "whole_degrees", "one_value", "coarse_places", "many_at_a_minute", "filled_in", "sorted_alone",
    "types_are_dates", "years_apart",
}  # fmt: skip


def sound(seed: int = 0) -> pl.DataFrame:
    """A thousand records in the order of time, over two years."""
    rng = np.random.default_rng(seed)
    minute = np.sort(rng.integers(0, 730 * 1440, ROWS)).astype("timedelta64[m]")
    return pl.DataFrame(
        {
            "time": np.datetime64("2021-01-01", "us") + minute,
            "type": rng.choice(["theft", "robbery", "arson"], ROWS),
            "longitude": np.round(rng.normal(13.4, 0.04, ROWS), 6),
            "latitude": np.round(rng.normal(52.5, 0.03, ROWS), 6),
        }
    )


def put(
    name: str, value: pl.Expr | float, share: float = 0.06
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A value in a share of the rows, spread evenly."""
    some = pl.int_range(pl.len()) % round(1 / share) == 0
    return lambda table: table.with_columns(
        pl.when(some).then(value if isinstance(value, pl.Expr) else pl.lit(value)).otherwise(pl.col(name)).alias(name)
    )  # fmt: skip


LATE = pl.int_range(pl.len()) > ROWS // 2
WRONG: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "far_places town": put("latitude", pl.col("latitude") - 0.9),
    "far_places digits": lambda t: t.with_columns(pl.when(LATE).then(pl.col("latitude") / 10).otherwise("latitude").alias("latitude")),
    "equal_axes": put("longitude", pl.col("latitude")),
    "whole_degrees": put("latitude", 52.0),
    "one_value": put("longitude", 13.412345),
    "coarse_places part": lambda t: t.with_columns(
        pl.when(LATE).then(pl.col(name).round(2)).otherwise(name).alias(name) for name in ("longitude", "latitude")
    ),
    "coarse_places axis": lambda t: t.with_columns(pl.col("latitude").round(2)),
    "many_at_a_minute": put("time", pl.col("time").dt.truncate("1d") + pl.duration(hours=8)),
    "filled_in": lambda t: t.with_columns(
        pl.when(pl.int_range(pl.len()) < 100).then(pl.col("time").first() + pl.duration(days=pl.int_range(pl.len()))).otherwise("time").alias("time")
    ),
    "sorted_alone": lambda t: t.with_columns(pl.col("longitude").sort()),
    "types_are_dates": put("type", pl.lit("1-jan")),
    "years_apart": put("time", pl.col("time") - pl.duration(days=3000)),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_odd_is_said(kind: str) -> None:
    found = {notice.code for notice in plausibility(Parts.one(WRONG[kind](sound())), "minute")}
    assert kind.split()[0] in found


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_said_of_sound_records(seed: int) -> None:
    assert not SAID & {notice.code for notice in plausibility(Parts.one(sound(seed)), "minute")}


@pytest.mark.parametrize("digits", [3, 4])
def test_decimals_that_end_in_zero_by_chance_are_none(digits: int) -> None:
    rounded = sound().with_columns(pl.col("longitude", "latitude").round(digits))
    assert "coarse_places" not in {n.code for n in plausibility(Parts.one(rounded), "minute")}
