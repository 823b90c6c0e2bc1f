"""A column of its own that says in which half of the day the clock beside it is: AM or PM."""

import re

import polars as pl

from crimecast.reading.columns import plain
from crimecast.reading.parts import Column, Rows
from crimecast.reading.place_columns import spread
from crimecast.reading.several import up_to
from crimecast.reading.words import LATER

HALF = r"^\s*[aApP]\.?\s?[mM]?\.?\s*$"
NAMED = re.compile(r"am_?pm|half|merid|period|time|hour|clock|^ap$")
SAID = r"(?i)\d\s?[ap]\.?\s?m\.?"


def half_of(table: Rows, chosen: list[str], taken: set[str]) -> str | None:
    """The column of halves of the day for the clocks of the `chosen` ones, None where they say it themselves."""
    clock = spread(table, chosen[-1:])[chosen[-1]]
    if clock.dtype == pl.String and clock.str.contains(SAID).any():
        return None
    for name in table.columns:
        if name in taken or name in chosen or LATER.search(plain(name)):
            continue
        if tells_halves(spread(table, [name])[name], plain(name)):
            return name
    return None


def tells_halves(values: pl.Series, word: str) -> bool:
    """Whether a column is nothing but AM and PM, or A and P in one that is named so."""
    if values.dtype != pl.String or values.is_empty():
        return False
    texts = values.str.strip_chars().str.to_lowercase().drop_nulls().unique().to_list()
    if not all(re.match(HALF, text) for text in texts):
        return False
    both = {text[0] for text in texts} == {"a", "p"}
    return both and (any("m" in text for text in texts) or bool(NAMED.search(word)))


def with_halves(parts: list[Column]) -> list[Column]:
    """The columns of a time, the halves of the last of them told by the clock before it."""
    if len(parts) < 2 or not _is_half(parts[-1]):
        return parts
    *before, half = parts
    minutes_apart = len(before) > 2 and up_to(before[-1], 59) and up_to(before[-2], 24)
    place = -2 if minutes_apart and not up_to(before[-1], 12) else -1
    if up_to(before[place], 12):
        before[place] = before[place].beside(half).map(_hour)
    elif up_to(before[place], 24):
        pass  # of 24 hours, and the half says nothing new
    elif up_to(before[place], 1259):
        before[place] = before[place].beside(half).map(_hour_and_minute)
    elif up_to(before[place], 2400):
        pass
    elif before[place].first.dtype == pl.String:
        before[place] = before[place].beside(half).map(_text)
    return before


def _is_half(column: Column) -> bool:
    if column.first.dtype != pl.String:
        return False
    return all(bool(part.drop_nulls().str.contains(HALF).all()) for part in column)


def _numbers(part: pl.Series) -> pl.Series:
    return part.cast(pl.Float64, strict=False)


def _noon(half: pl.Series) -> pl.Series:
    """12 where it is after noon."""
    return half.str.strip_chars().str.to_lowercase().str.starts_with("p").cast(pl.Int64) * 12


def _hour(both: tuple[pl.Series, ...]) -> pl.Series:
    number = _numbers(both[0])
    return number.set(~number.is_between(0, 12), None) % 12 + _noon(both[1])


def _hour_and_minute(both: tuple[pl.Series, ...]) -> pl.Series:
    number = _numbers(both[0])
    clock = ((number // 100) % 12 + _noon(both[1])) * 100 + number % 100
    return clock.cast(pl.Int64).cast(pl.String).str.zfill(4)


def _text(both: tuple[pl.Series, ...]) -> pl.Series:
    half = both[1].str.strip_chars().str.to_lowercase().str.slice(0, 1)
    return pl.select(
        pl.when(half.is_null()).then(both[0]).otherwise(both[0] + " " + half + "m")
    ).to_series()
