"""What is known of a step before it begins: weekday, season, day of the month, hour, holidays."""

from collections.abc import Sequence

import numpy as np

from crimecast import UserError
from crimecast.calendar.steps import Step

HOLIDAYS = 7
CALENDAR = ("dow", "doy", "dom", "hour", "holidays")

SEASON_DAYS = 365  # of records from which on the season is judged: no part of it is only guessed


def knows_season(steps: int, step: Step) -> bool:
    """Whether that many steps have seen the whole year."""
    return steps * step.days >= SEASON_DAYS


def calendar(times: np.ndarray, step: Step, names: Sequence[str]) -> np.ndarray:
    """(T, F) float32 numbers that say which step of the week, month, year and day each is.

    `dow`: seven indicators of the weekday. `doy`: sine and cosine of the day of the year, once and
    twice a year. `dom`: whether it is the first, the fifteenth, or the thirtieth or later of a
    month. `hour`: one indicator for each step of the day (steps shorter than a day). `holidays`:
    one indicator each. Raises UserError for another name.

    >>> calendar(np.array(["2024-01-01"], "datetime64[D]"), Step(1, "d"), ["dow", "dom"]).tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]]
    """
    parts = [np.zeros((len(times), 0), dtype=np.float32)]
    for name in names:
        if name == "dow":
            parts.append(np.eye(7, dtype=np.float32)[weekday(times)])
        elif name == "doy":
            parts.append(season(times, 2).astype(np.float32))
        elif name == "dom":
            day = month_day(times)
            parts.append(np.stack([day == 1, day == 15, day >= 30], axis=1).astype(np.float32))
        elif name == "hour":
            if step.unit == "h":
                parts.append(np.eye(24 // step.count, dtype=np.float32)[slot(times, step)])
        elif name == "holidays":
            parts.append(holidays(times).astype(np.float32))
        else:
            raise UserError(f"'{name}' is not a calendar input: use {', '.join(CALENDAR)}.")
    return np.concatenate(parts, axis=1)


def weekday(times: np.ndarray) -> np.ndarray:
    """0 on Mondays to 6 on Sundays.

    >>> weekday(np.array(["2024-01-01", "2024-01-07"], dtype="datetime64[D]")).tolist()
    [0, 6]
    """
    return (times.astype("datetime64[D]").astype(np.int64) + 3) % 7


def season(times: np.ndarray, waves: int) -> np.ndarray:
    """(T, 2 · waves) sine and cosine of the day of the year, once, twice, … a year."""
    days = times.astype("datetime64[D]")
    angle = 2 * np.pi * (days - days.astype("datetime64[Y]")).astype(float) / 365.25
    return np.stack([f(k * angle) for k in range(1, waves + 1) for f in (np.sin, np.cos)], axis=1)


def month_day(times: np.ndarray) -> np.ndarray:
    """1 on the first of a month."""
    days = times.astype("datetime64[D]")
    return (days - days.astype("datetime64[M]")).astype(int) + 1


def slot(times: np.ndarray, step: Step) -> np.ndarray:
    """Which step of its day each is, for steps of hours."""
    return hour(times) // step.count


def hour(times: np.ndarray) -> np.ndarray:
    """0 to 23."""
    return (times - times.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)


def month(times: np.ndarray) -> np.ndarray:
    """1 in January to 12 in December."""
    return times.astype("datetime64[M]").astype(int) % 12 + 1


def holidays(times: np.ndarray) -> np.ndarray:
    """(T, HOLIDAYS) bool: New Year, 4 July, 24, 25 and 31 December, Memorial and Labor Day, Thanksgiving.

    Those of the United States; elsewhere a regression finds that most of them mean nothing.

    >>> holidays(np.array(["2024-11-28"], dtype="datetime64[D]")).argmax(axis=1).tolist()
    [6]
    """
    day, of_year, of_week = month_day(times), month(times), weekday(times)
    parts = [(of_year == m) & (day == d) for m, d in ((1, 1), (7, 4), (12, 24), (12, 25), (12, 31))]
    last_of_may, first_of_september = (of_year == 5) & (day >= 25), (of_year == 9) & (day <= 7)
    parts.append((of_week == 0) & (last_of_may | first_of_september))
    parts.append((of_year == 11) & (of_week == 3) & (day >= 22) & (day <= 28))
    return np.stack(parts, axis=1)
