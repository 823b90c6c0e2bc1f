"""Columns of numbers that are times: days written as 20190101, seconds since 1970, Excel's days, clocks.

Each form is tried on the whole column; one that reads all of it is taken, and if there are several
they have to give the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crimecast import Doubt

DAY = 86_400_000_000  # microseconds
EXCEL = 25_569  # its number of 1970-01-01
EXCEL_FROM = 18_264  # 1950: below it are clocks such as 2345, not days
COUNTED_FROM = 10 * 365 * DAY  # before 1980 nobody stamped records so; 20190101 s would be in 1970
ENOUGH = 20  # clocks from which on it is told that they count minutes or seconds
MISFITS = 0.005  # of a column's numbers may be dirt


@dataclass(frozen=True)
class Numbers:
    """(N,) int64 microseconds since 1970 with `known` (N,) bool; in UTC where `absolute`."""

    micros: np.ndarray
    known: np.ndarray
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
    # Days as fractions of two to the minus something: to the nearest millisecond.
    sane = (values > EXCEL_FROM) & (values < 80_000)
    milli = np.round((np.where(sane, values, 0) - EXCEL) * 86_400_000).astype(np.int64)
    return milli * 1000, sane


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


def _ordinal(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = values.astype(np.int64)
    year, number = whole // 1000, whole % 1000
    micros, sane = _days(year, np.ones_like(year), np.ones_like(year))
    return micros + (number - 1) * DAY, sane & (values == whole) & (number >= 1) & (number <= 366)


FORMS: tuple[tuple[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], bool], ...] = (
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
    ("Excel's days", _excel, False),
    ("seconds since 1970", _since(1e6), True),
    ("milliseconds since 1970", _since(1e3), True),
    ("microseconds since 1970", _since(1.0), True),
    ("nanoseconds since 1970", _since(1e-3), True),
)  # fmt: skip


def moment_numbers(
    values: np.ndarray, earliest: int, latest: int, wanted: str | None = None
) -> Numbers | None:
    """Read a column of float64 numbers (NaN where there is none) as moments between two bounds (µs).

    None if no form reads it. Raises Doubt where forms that read all of it disagree.
    """
    there = np.isfinite(values)
    given = values[there]
    if given.size == 0:
        return None
    readings: list[tuple[float, Numbers]] = []
    for form, read, absolute in FORMS:
        with np.errstate(all="ignore"):
            micros, sane = read(given)
        sane &= (micros >= (COUNTED_FROM if absolute else earliest)) & (micros <= latest)
        if sane.mean() < 0.5:
            continue
        full, known = np.zeros(values.size, dtype=np.int64), np.zeros(values.size, dtype=bool)
        full[there], known[there] = np.where(sane, micros, 0), sane
        readings.append(
            (float(sane.mean()), Numbers(full, known, form, absolute, form != "months"))
        )
    if wanted is not None:
        readings = [entry for entry in readings if entry[1].form == wanted] or readings
    if not readings:
        return None
    most = max(share for share, _ in readings)
    good = [numbers for share, numbers in readings if share >= most - MISFITS / 2 and share > 0.9]
    if not good:
        return None
    chosen = good[0]
    for other in good[1:]:
        if not np.array_equal(other.micros, chosen.micros):
            raise Doubt(
                f"The numbers of the dates can be read as {' or as '.join(n.form for n in good)}; write them as "
                "year-month-day, such as 2020-01-31.",
                "--date-format " + " or ".join(n.form for n in good if len(n.form) == 3),
                tuple(n.form for n in good),
            )
    return chosen


def clock_numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Read numbers as times of day: (N,) microseconds since midnight, (N,) bool which are, and the form.

    Hours alone, HHMM (330 is 03:30), HHMMSS, a part of the day as Excel keeps it, minutes or seconds.
    """
    there = np.isfinite(values) & (values >= 0)
    given = values[there]
    if given.size == 0:
        return None
    whole = np.floor(given).astype(np.int64)
    integral = bool((given == whole).all())
    top = float(np.quantile(given, 0.995))
    if (not integral and top < 1.0) or (bool((given <= 1).all()) and not integral):
        micros, form = np.round(given * 86_400).astype(np.int64) * 1_000_000, "parts of a day"
        sane = given <= 1
    elif not integral and top > 100_000:
        return None
    else:
        pairs = (whole // 100, whole % 100)
        if (top <= 24 and len(np.unique(whole)) > 1) or set(np.unique(whole)) <= {0}:
            micros, sane, form = whole * 3_600_000_000, whole <= 24, "hours"
        elif top <= 2400 and _mostly(pairs[1] < 60):
            micros = (pairs[0] * 60 + pairs[1]) * 60_000_000
            sane, form = (pairs[1] < 60) & (micros <= DAY), "HHMM"
        elif top < 1440 and given.size >= ENOUGH:
            micros, sane, form = whole * 60_000_000, whole < 1440, "minutes of the day"
        else:
            hour, minute, second = whole // 10_000, whole // 100 % 100, whole % 100
            fits = (hour <= 24) & (minute < 60) & (second < 60)
            if _mostly(fits) or given.size < ENOUGH:
                micros = ((hour * 60 + minute) * 60 + second) * 1_000_000
                sane, form = fits & (micros <= DAY), "HHMMSS"
            elif top < 86_400 and given.size >= ENOUGH:
                micros, sane, form = whole * 1_000_000, whole < 86_400, "seconds of the day"
            else:
                return None
    full, known = np.zeros(values.size, dtype=np.int64), np.zeros(values.size, dtype=bool)
    full[there], known[there] = np.where(sane, micros, 0), sane
    return full, known, form


def _mostly(fits: np.ndarray) -> bool:
    return bool(fits.mean() >= 0.98)
