"""Local times of a table's columns, whatever their form: for whoever needs no more than that."""

import polars as pl

from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments


def parse_time(table: pl.DataFrame, columns: list[str], zone: str) -> pl.Series:
    """Local civil time in `zone`, without offset, microseconds; null where it can't be read.

    `columns` is one of moments, a day and a clock, or year, month, day, hour, minute. Raises Doubt
    where day and month can't be told apart.
    """
    return read_moments(table, columns, Asked(zone)).values
