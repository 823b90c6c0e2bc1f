"""Which columns hold the time of day that belongs to a column of days: by names, else by all their values."""

import re
from itertools import takewhile

import numpy as np
import polars as pl

from crimecast.reading.columns import plain
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows
from crimecast.reading.place_columns import spread
from crimecast.reading.several import day_of, is_clock
from crimecast.reading.words import CLOCK, COUNTER, ENDING, LATER, LENGTH, PART, PERSON

SECONDS = re.compile(r"(^|_)(sec(ond)?s?|sekunden?|secondes?|segundos?|secondi|seconden)(_|$)")
EARLIEST = (r"call|receiv|report", r"alarm", r"dispatch", r"en_?rou", r"arriv|on_?scene")
ENDS = re.compile(
    r"clear|clos|end|updat|modif|creat|load|publish|shift|birth|durat|respon|sunset|sunrise"
)
DAY = re.compile(r"(^|_)(date|dt|day|datum|fecha|data|tag|dia|jour)(_|$)")
ENOUGH = 40  # rows from which on values tell clocks from other numbers


def clocks_of(table: Rows, day: str, taken: set[str]) -> tuple[list[str], list[Notice]]:
    """The columns of clocks that belong to a column of days: one, or an hour and its minute; with a notice
    where only the values say that they are clocks."""
    clock = _clock(table, day, taken)
    if clock is None or (PART["minute"].search(plain(clock)) and within(table, clock, 59)):
        found = _by_values(table, taken)
        if found:
            return found, [_said(table, found)]
        later = _of_later(table, day, taken)
        return ([later], [_said_later(table, later)]) if later else ([], [])
    minute = minute_of(table, clock, taken)
    return [clock, *([minute] if minute else [])], []


def minute_of(table: Rows, hour: str, taken: set[str]) -> str | None:
    """The column of the minutes of a column of hours: by its name, or because it stands behind it and holds
    all of 0 to 59 and nothing else. None where the hours aren't whole numbers up to 24."""
    if not within(table, hour, 24):
        return None
    free = [name for name in table.columns if name != hour and name not in taken]
    named = [name for name in free if PART["minute"].search(plain(name)) and within(table, name, 59)]  # fmt: skip
    if named:
        return named[0]
    place = table.columns.index(hour) + 1
    beside = [name for name in table.columns[place : place + 1] if name in free]
    return next((name for name in beside if _is_minute(table, name)), None)


def hours_alone(table: Rows, name: str) -> bool:
    """Whether a column holds all hours of the day, 0 to 23, and nothing else."""
    numbers = _whole(table, name)
    return numbers is not None and set(numbers) == set(range(24))


def _by_values(table: Rows, taken: set[str]) -> list[str]:
    """A column of clocks as one number, or one of hours with its minutes behind it."""
    names = [name for name in table.columns if name not in taken and _is_free(name)]
    for name in names:
        if _is_hhmm(table, name) or _is_seconds(table, name):
            return [name]
    for name in names:
        numbers = _whole(table, name)
        if numbers is None or numbers.max() > 23 or len(set(numbers)) < 16:
            continue
        minute = minute_of(table, name, taken)
        if minute is not None:
            return [name, minute]
    return []


def _said(table: Rows, found: list[str]) -> Notice:
    names = " and ".join(f"'{name}'" for name in found)
    how = "as seconds of the day" if _is_seconds(table, found[0]) else "as hour and minute" if len(found) == 1 else "as hours and minutes"  # fmt: skip
    first = spread(table, found).row(0)
    shown = " and ".join(str(value) for value in first)
    says = f"The time of day is taken from {names}, {how}, such as {shown:.40}: no other column is named so, but all values fit."
    return Notice("clock_column", says, table.height)


def _of_later(table: Rows, day: str, taken: set[str]) -> str | None:
    """Where nothing says when it happened, a column of clocks of when it was reported, or what came after that:
    of several the one that is mostly first."""
    if LATER.search(plain(day)):
        return None
    found: list[tuple[int, str]] = []
    for name in table.columns:
        word = plain(name)
        if not (LATER.search(word) or any(re.search(of, word) for of in EARLIEST)):
            continue
        if name == day or name in taken or ENDS.search(word):
            continue
        sample = spread(table, [name])[name]
        if sample.is_empty() or sample.dtype not in (pl.String, pl.Time):
            continue
        clocks = sample.dtype == pl.Time or sum(map(is_clock, sample.to_list())) > 0.8 * len(sample)
        if clocks and not bool(sample.cast(pl.String).str.contains(r"^\d+$").all()):
            rank = next((k for k, of in enumerate(EARLIEST) if re.search(of, word)), len(EARLIEST))
            found.append((rank, name))
    return min(found, key=lambda one: one[0])[1] if found else None


def _said_later(table: Rows, name: str) -> Notice:
    says = f"The time of day is taken from '{name}', by its name that of a report or of what came after it: no other column holds one."
    return Notice("clock_column", says, table.height)


def _is_free(name: str) -> bool:
    word = plain(name)
    return not (
        LENGTH.search(word) or LATER.search(word) or PERSON.search(word) or COUNTER.match(word)
    )


def _is_hhmm(table: Rows, name: str) -> bool:
    """Numbers up to 2359 that never end on 60 to 99, at nearly all hours and with minutes of all sorts: none
    of beats, wards or codes."""
    numbers = _whole(table, name)
    if numbers is None or numbers.max() > 2359:
        return False
    hour, minute = numbers // 100, numbers % 100
    low, high = float((minute < 10).mean()), float((minute >= 45).mean())
    return bool(
        (minute < 60).all()
        and len(set(hour)) > 14
        and len(set(minute)) >= min(30, 0.3 * len(numbers))
        and low > 0.05
        and high > 0.1
        and numbers.max() >= 2100
    )


def _is_seconds(table: Rows, name: str) -> bool:
    """Numbers below 86,400, up to late in the evening, in a column that is named for seconds."""
    numbers = _whole(table, name) if SECONDS.search(plain(name)) else None
    return numbers is not None and 75_600 < numbers.max() < 86_400 and len(set(numbers)) > 30


def _is_minute(table: Rows, name: str) -> bool:
    """Numbers of 0 to 59, nearly all of them there."""
    numbers = _whole(table, name)
    if numbers is None or not _is_free(name):
        return False
    expected = 60 * (1 - np.exp(-len(numbers) / 60))  # of minutes drawn at random
    return bool(numbers.max() in range(55, 60) and len(set(numbers)) > 0.75 * expected)


def _whole(table: Rows, name: str) -> np.ndarray | None:
    """A sample of a column, if it is nothing but whole numbers from 0 on, enough of them."""
    sample = spread(table, [name])[name]
    if len(sample) < ENOUGH or sample.dtype.is_temporal():
        return None
    number = sample.cast(pl.Float64, strict=False)
    if number.has_nulls() or not bool(((number >= 0) & (number % 1 == 0)).all()):
        return None
    return number.cast(pl.Int64, strict=False).fill_null(1 << 40).to_numpy()


def within(table: Rows, name: str, most: int) -> bool:
    """Whether a column holds nothing but whole numbers from 0 to `most`."""
    number = spread(table, [name])[name].cast(pl.Float64, strict=False)
    return not number.has_nulls() and bool(
        ((number >= 0) & (number <= most) & (number % 1 == 0)).all()
    )


def _of_another(table: Rows, clock: str, day: str) -> bool:
    """Whether a column of clocks is named as that of another day is: rep_time after rep_date, beside occ_date."""
    word = plain(clock)
    for other in table.columns:
        begun = "".join(
            a
            for a, _ in takewhile(
                lambda both: both[0] == both[1], zip(word, plain(other), strict=False)
            )
        )
        if (
            len(begun.rstrip("_")) >= 3
            and other not in (clock, day)
            and CLOCK.search(word[len(begun) :])
            and DAY.search(plain(other)[len(begun) :])
            and not plain(day).startswith(begun)
        ):
            return True
    return False


def _clock(table: Rows, day: str, taken: set[str]) -> str | None:
    """A column of clocks that belongs to a column of days: of a like name, or the only one."""
    words = set(plain(day).split("_"))
    found = []
    for name in table.columns:
        word = plain(name)
        if name == day or name in taken or LENGTH.search(word) or _of_another(table, name, day):
            continue
        sample = spread(table, [name])[name]
        if sample.is_empty() or sample.dtype == pl.Date or isinstance(sample.dtype, pl.Datetime):
            continue
        named = bool(CLOCK.search(word))
        if sample.dtype == pl.Time:
            share = 1.0
        elif sample.dtype == pl.String and sample.cast(
            pl.Float64, strict=False
        ).null_count() > 0.5 * len(sample):
            texts = sample.to_list()
            share = sum(is_clock(text) for text in texts) / len(texts)
            if (
                share < 0.8 and 1 <= len(set(map(day_of, texts)) - {None}) <= 3
            ):  # all on a day, or a few, that stand for none
                share = sum(day_of(text) is not None for text in texts) / len(texts)
        elif named:
            value = sample.cast(pl.Float64, strict=False).drop_nulls()
            share = int(value.is_between(0, 240_000).sum()) / len(sample)
        else:
            continue
        ends = LATER.search(word) and not ENDING.search(word)  # an hour may be named by its end
        if share < 0.8 or (ends and not LATER.search(plain(day))):
            continue
        if LATER.search(plain(day)) and not LATER.search(word):
            continue
        found.append((len(words & set(word.split("_"))) + 0.5 * named, name))
    return max(found, key=lambda entry: entry[0])[1] if found else None
