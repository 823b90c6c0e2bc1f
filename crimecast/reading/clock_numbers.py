"""Clocks that are written as numbers."""

from collections.abc import Callable

import numpy as np
import polars as pl

from crimecast.reading.numbers import DAY, mostly, quantile
from crimecast.reading.parts import Column, Parts, counts

LIKELY = 0.7  # of a column's clocks read so: of minutes of the day 60 % could be HHMM by chance
ENOUGH = 20  # clocks from which on it is told that they count minutes or seconds
SLOTS = {48: "numbers of half hours", 96: "numbers of quarters of an hour"}
MINUTE = 60_000_000  # microseconds
NOON = 720  # minutes: of a day's, some are later


def clock_numbers(values: Parts[np.ndarray]) -> tuple[Column, str] | None:
    """Read numbers as times of day: (N,) microseconds since midnight, null where none, and the form.

    Hours alone, HHMM (330 is 03:30), HHMMSS, a part of the day as Excel keeps it, minutes or seconds.
    """
    counted = counts(
        values.map(lambda part: pl.Series(part[np.isfinite(part) & (part >= 0)], dtype=pl.Float64))
    )
    given, rows = counted["value"].to_numpy(), counted["rows"].to_numpy()
    if given.size == 0:
        return None
    form = _clock_form(given, rows)
    if form is None:
        return None

    def clocks(part: np.ndarray) -> pl.Series:
        there = np.isfinite(part) & (part >= 0)
        micros, sane = CLOCK_FORMS[form](np.where(there, part, 0))
        if form in ("HHMM", "hours"):  # beside them parts of a day, as a spreadsheet has them
            inside = there & (part > 0) & (part < 1)
            micros, sane = (
                np.where(inside, np.round(part * DAY / MINUTE) * MINUTE, micros),
                sane | inside,
            )
        return pl.Series(np.where(sane, micros, 0)).set(pl.Series(~(sane & there)), None)

    return values.map(clocks), form


def _clock_form(given: np.ndarray, rows: np.ndarray) -> str | None:
    """How clocks are written, by all values, in order, and how often each occurs."""
    whole = np.floor(given).astype(np.int64)
    integral = bool((given == whole).all())
    top, size = quantile(given, rows, 0.995), int(rows.sum())
    if not integral and (top < 1.0 or bool((given <= 1).all())):
        return "parts of a day"
    if not integral and top > 100_000:
        return None
    early = given < 25
    if not integral and rows[early].sum() >= LIKELY * size:
        return _parted(given[early])
    # A code for an unknown hour (99, 2500, 9999) in a part of the rows says nothing of the others.
    if (rows[whole <= 24].sum() >= LIKELY * size and len(np.unique(whole[whole <= 24])) > 1) or set(
        np.unique(whole)
    ) <= {0}:
        return "hours"
    if integral and size >= ENOUGH and 24 < given.max() <= 96:
        return _slots(given)  # all in the first hour and a half, were they clocks or minutes
    if rows[(whole <= 2400) & (whole % 100 < 60)].sum() >= LIKELY * size:
        return "HHMM"
    if NOON < top < 1440 and size >= ENOUGH:
        return "minutes of the day"
    hour, minute, second = whole // 10_000, whole // 100 % 100, whole % 100
    if mostly((hour <= 24) & (minute < 60) & (second < 60), rows) or size < ENOUGH:
        return "HHMMSS"
    return "seconds of the day" if top < 86_400 and size >= ENOUGH else None


def _slots(given: np.ndarray) -> str:
    """Numbers of the halves or quarters of the hours of a day, from 0 or from 1."""
    slots = 48 if given.max() <= 48 else 96
    return f"{SLOTS[slots]}, from {int(given.max() == slots)}"


def _parted(given: np.ndarray) -> str:
    """Numbers such as 17.54: minutes after the point where none is beyond 59, else parts of the hour."""
    hundredths = (given - np.floor(given)) * 100
    written = np.abs(hundredths - np.round(hundredths)) < 1e-6
    minutes = written.all() and hundredths.max() < 59.5
    # Halves alone, 9.5, are half hours: minutes would be written 9.50.
    return "hours.minutes" if minutes and set(np.round(hundredths)) - {0, 50} else "decimal hours"


def _parts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.round(values * 86_400).astype(np.int64) * 1_000_000, values <= 1


def _hhmm(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = np.floor(values).astype(np.int64)
    micros = (whole // 100 * 60 + whole % 100) * 60_000_000
    return micros, (whole % 100 < 60) & (micros <= DAY)


def _hhmmss(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = np.floor(values).astype(np.int64)
    hour, minute, second = whole // 10_000, whole // 100 % 100, whole % 100
    micros = ((hour * 60 + minute) * 60 + second) * 1_000_000
    return micros, (hour <= 24) & (minute < 60) & (second < 60) & (micros <= DAY)


def _units(unit: int, most: int) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    def read(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        whole = np.floor(values).astype(np.int64)
        return whole * unit, whole <= most

    return read


def _pointed(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hour = np.floor(values).astype(np.int64)
    minute = np.round((values - hour) * 100).astype(np.int64)
    micros = (hour * 60 + minute) * 60_000_000
    return micros, (minute < 60) & (micros <= DAY)


def _decimal(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    micros = np.round(values * 3600).astype(np.int64) * 1_000_000
    return micros, micros <= DAY


def _slot(minutes: int, first: int) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Reader of the numbers of stretches of so many minutes of a day."""

    def read(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = values.astype(np.int64) - first
        return place * minutes * 60_000_000, (place >= 0) & (place * minutes < 1440)

    return read


CLOCK_FORMS = {
    "hours.minutes": _pointed,
    "decimal hours": _decimal,
    "parts of a day": _parts,
    "hours": _units(3_600_000_000, 24),
    "HHMM": _hhmm,
    "minutes of the day": _units(60_000_000, 1439),
    "HHMMSS": _hhmmss,
    "seconds of the day": _units(1_000_000, 86_399),
    **{
        f"{name}, from {first}": _slot(1440 // slots, first)
        for slots, name in SLOTS.items()
        for first in (0, 1)
    },
}
