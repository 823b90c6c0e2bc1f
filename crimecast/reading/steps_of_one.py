"""Rows that are steps of one event, or its units or persons: a column that names the event repeats, and with it the
place, within a short time."""

import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows

MOST = 200_000  # rows that are looked at
GROUPS = 20  # names that come again, from which on they tell
SHARE = 0.5  # of the rows, those whose name comes again
SAME = 0.95  # of the names that come again, those with one place
HOURS = 48
NEAR = 0.9  # of the names that come again, those within so many hours


def steps_of_one(table: Rows, found: dict[str, list[str]], times: Parts[pl.Series]) -> list[Notice]:
    """Says which column, that no field takes, names what several rows tell of."""
    taken = {column for parts in found.values() for column in parts}
    free = [name for name in table.columns if name not in taken]
    place = list(dict.fromkeys([*found["longitude"], *found["latitude"]]))
    if not free:
        return []
    part, time = next(iter(table.select([*free, *place]).beside(times)))
    rows = part.head(MOST).with_columns(
        time.head(MOST).alias("when of the row"),
        pl.concat_str(pl.col(place).cast(pl.String), separator=" ").alias("place of the row"),
    )
    for name in free:
        names = rows[name].n_unique()
        if not 0.02 * rows.height < names < 0.75 * rows.height:
            continue
        again = (
            rows.filter(pl.col(name).is_not_null())
            .group_by(name)
            .agg(
                pl.len().alias("rows"),
                pl.col("place of the row").n_unique().alias("places"),
                pl.col("place of the row").first().alias("one"),
                (pl.col("when of the row").max() - pl.col("when of the row").min()).alias("span"),
            )
            .filter(pl.col("rows") > 1)
        )
        if again.height < GROUPS or again["rows"].sum() < SHARE * rows.height:
            continue
        near = again["span"].dt.total_hours() <= HOURS
        one_place = float((again["places"] == 1).mean() or 0)
        if (
            one_place < SAME
            or float(near.mean() or 0) < NEAR
            or again["one"].n_unique() < 0.5 * again.height
        ):
            continue
        says = (
            f"'{name}' says the same, such as {str(again[name][0])!r:.40}, in rows of one place within two days, and isn't used: {again['rows'].sum():,} rows tell of "
            f"{again.height:,} events, as where each step, unit or person has a row. Every row is taken for an event: leave one of each."
        )
        return [Notice("steps_of_one", says, int(again["rows"].sum()))]
    return []
