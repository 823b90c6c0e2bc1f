"""Columns of numbers that are times: days written as 20190101, seconds since 1970, Excel's days, clocks.

Each form is tried on the whole column; one that reads all of it is taken, and if there are several
they have to give the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from crimecast import Doubt
from crimecast.reading.eras import REPUBLIC
from crimecast.reading.parts import Column, Parts

DAY = 86_400_000_000  # microseconds
EXCEL = 25_569  # its number of 1970-01-01
EXCEL_FROM = 18_264  # 1950: below it are clocks such as 2345, not days
COUNTED_FROM = 10 * 365 * DAY  # before 1980 nobody stamped records so; 20190101 s would be in 1970
MISFITS = 0.005  # of a column's numbers may be dirt


@dataclass(frozen=True)
class Numbers:
    """(N,) microseconds since 1970, null where there is none; in UTC where `absolute`."""

    micros: Column
    form: str
    absolute: bool = False
    whole: bool = True  # False where only months are given


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds of civil days, and which of them exist."""
    sane = (year > 0) & (year < 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    start = (np.where(sane, year, 1970) - 1970).astype("datetime64[Y]").astype("datetime64[M]")
    start = start + (np.where(sane, month, 1) - 1)
    found = start.astype("datetime64[D]") + (np.where(sane, day, 1) - 1)
    sane &= found.astype("datetime64[M]") == start
    return found.astype("datetime64[us]").astype(np.int64), sane


def _written(places: tuple[int, int, int]) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Reader of numbers that are a date's digits: where year (4 digits), month and day stand."""

    def read(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = values.astype(np.int64)
        year, month, day = places
        powers = [10**power for power in (year, month, day)]
        micros, sane = _days(
            whole // powers[0] % 10_000, whole // powers[1] % 100, whole // powers[2] % 100
        )
        sane &= (values == whole) & (whole >= 10**6) & (whole < 10**8)
        if year == 4:
            sane &= whole >= 10**7
        return micros, sane

    return read


def _stamp(digits: int) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Reader of yyyymmddHH, …HHMM, …HHMMSS."""

    def read(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = values.astype(np.int64)
        day, clock = whole // 10 ** (digits - 8), whole % 10 ** (digits - 8)
        micros, sane = _days(day // 10_000, day // 100 % 100, day % 100)
        clock = clock * 10 ** (14 - digits)
        hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
        sane &= (values == whole) & (hour < 24) & (minute < 60) & (second < 60)
        return micros + ((hour * 60 + minute) * 60 + second) * 1_000_000, sane

    return read


def _since(scale: float) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    def read(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        micros = values * scale
        sane = np.abs(micros) < 4e15 * 60
        return np.round(np.where(sane, micros, 0)).astype(np.int64), sane

    return read


def _excel(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # As files have them, with five decimals or more: to the nearest second.
    sane = (values > EXCEL_FROM) & (values < 80_000)
    seconds = np.round((np.where(sane, values, 0) - EXCEL) * 86_400).astype(np.int64)
    return seconds * 1_000_000, sane


def _months(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = values.astype(np.int64)
    micros, sane = _days(whole // 100, whole % 100, np.ones_like(whole))
    return micros, sane & (values == whole) & (whole < 10**6)


def _short(order: str) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Reader of six digits, the year in two."""

    def read(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = values.astype(np.int64)
        parts = dict(zip(order, (whole // 10_000, whole // 100 % 100, whole % 100), strict=True))
        micros, sane = _days(2000 + parts["y"], parts["m"], parts["d"])
        return micros, sane & (values == whole) & (whole < 10**6)

    return read


def _republic(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seven digits, the year of Taiwan's republic in three: 1120304."""
    whole = values.astype(np.int64)
    micros, sane = _days(whole // 10_000 + REPUBLIC, whole // 100 % 100, whole % 100)
    return micros, sane & (values == whole) & (whole >= 10**6) & (whole < 1_500_000)


def _ordinal(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = values.astype(np.int64)
    year, number = whole // 1000, whole % 1000
    micros, sane = _days(year, np.ones_like(year), np.ones_like(year))
    return micros + (number - 1) * DAY, sane & (values == whole) & (number >= 1) & (number <= 366)


Form = tuple[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], bool]
FORMS: tuple[Form, ...] = (
    ("ymd", _written((4, 2, 0)), False),
    ("mdy", _written((0, 6, 4)), False),
    ("dmy", _written((0, 4, 6)), False),
    ("year, month, day, hour", _stamp(10), False),
    ("year to minute", _stamp(12), False),
    ("year to second", _stamp(14), False),
    ("months", _months, False),
    ("two digits each, year first", _short("ymd"), False),
    ("two digits each, month first", _short("mdy"), False),
    ("two digits each, day first", _short("dmy"), False),
    ("year and day of the year", _ordinal, False),
    ("years of the Republic of China", _republic, False),
    ("Excel's days", _excel, False),
    ("seconds since 1970", _since(1e6), True),
    ("milliseconds since 1970", _since(1e3), True),
    ("microseconds since 1970", _since(1.0), True),
    ("nanoseconds since 1970", _since(1e-3), True),
)  # fmt: skip


def moment_numbers(
    values: Parts[np.ndarray], earliest: int, latest: int, wanted: str | None = None
) -> Numbers | None:
    """Read a column of float64 numbers (NaN where there is none) as moments between two bounds (µs).

    None if no form reads it. Raises Doubt where forms that read all of it disagree.
    """
    given, sane = 0, np.zeros(len(FORMS), dtype=int)
    for part in values:
        there = part[np.isfinite(part)]
        given += there.size
        sane += [int(_read(form, there, earliest, latest)[1].sum()) for form in FORMS]
    if not given:
        return None
    shares = [
        (count / given, form)
        for count, form in zip(sane, FORMS, strict=True)
        if count >= 0.5 * given
    ]
    if wanted is not None:
        shares = [entry for entry in shares if entry[1][0] == wanted] or shares
    if not shares:
        return None
    most = max(share for share, _ in shares)
    good = [form for share, form in shares if share >= most - MISFITS / 2 and share > 0.9]
    if not good:
        return None
    if any(not _agree(good, part[np.isfinite(part)], earliest, latest) for part in values):
        names = [name for name, _, _ in good]
        raise Doubt(
            f"The numbers of the dates can be read as {' or as '.join(names)}; write them as "
            "year-month-day, such as 2020-01-31.",
            "--date-format " + " or ".join(name for name in names if len(name) == 3),
            tuple(names),
        )
    chosen = good[0]
    name, _, absolute = chosen
    if name == "Excel's days":
        counted = [_read(chosen, part[np.isfinite(part)], earliest, latest)[0] for part in values]
        if np.median(np.concatenate(counted)) < COUNTED_FROM:
            shown = next(float(v) for part in values for v in part[np.isfinite(part)])
            raise Doubt(
                f"The numbers of the dates, such as {shown:g}, would be days before 1980 as Excel counts them: they may be counted from another day, as Stata and SAS do from 1960 and R from 1970. "
                "Write them as year-month-day, such as 2020-01-31."
            )

    def moments(part: np.ndarray) -> pl.Series:
        there = np.isfinite(part)
        micros, known = _read(chosen, np.where(there, part, 0), earliest, latest)
        return pl.Series(micros).set(pl.Series(~(known & there)), None)

    return Numbers(values.map(moments), name, absolute, name != "months")


def _read(
    form: Form, values: np.ndarray, earliest: int, latest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds, 0 where a number is none in this form, and which are."""
    _, read, absolute = form
    with np.errstate(all="ignore"):
        micros, sane = read(values)
    sane &= (micros >= (COUNTED_FROM if absolute else earliest)) & (micros <= latest)
    return np.where(sane, micros, 0), sane


def _agree(forms: list[Form], values: np.ndarray, earliest: int, latest: int) -> bool:
    read = [_read(form, values, earliest, latest)[0] for form in forms]
    return all(np.array_equal(other, read[0]) for other in read[1:])


def quantile(values: np.ndarray, rows: np.ndarray, share: float) -> float:
    """A quantile of values that occur several times each, as numpy's of all of them."""
    last = np.cumsum(rows) - 1
    place = share * last[-1]
    low, high = values[np.searchsorted(last, [np.floor(place), np.ceil(place)])]
    return float(low + (high - low) * (place - np.floor(place)))


def mostly(fits: np.ndarray, rows: np.ndarray) -> bool:
    return bool(rows[fits].sum() >= 0.98 * rows.sum())
