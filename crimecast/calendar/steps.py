"""Steps of time: their names, their starts, and which step a moment lies in. All in civil time."""

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from crimecast import UserError

# Weeks begin on Mondays; numpy's epoch, 1970-01-01, was a Thursday.
MONDAY = np.datetime64("1970-01-05", "h")
FORM = re.compile(r"([0-9]{1,9})(h|d|w|mo)")
LONGEST = 3660.0  # days of a step
YEARS = 1700, 2200  # that dates may lie in: numpy's nanoseconds hold little more


@dataclass(frozen=True)
class Step:
    """A unit of time such as `6h`, `1d`, `1w` or `1mo`.

    Civil time in the city's zone: the day on which clocks change is one day, and the hour that is
    lived twice in autumn is one step with the events of both.

    >>> week = Step.parse("1w")
    >>> number = week.number(np.array(["2024-05-15T13:00"], dtype="datetime64[m]"))
    >>> week.start(number).astype("datetime64[D]").tolist()  # the Monday before
    [datetime.date(2024, 5, 13)]
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Step":
        """From `1h`, `6h`, `8h`, `1d`, `1w`, `1mo`. Raises UserError for anything else.

        >>> Step.parse("6h").days
        0.25
        """
        match = FORM.fullmatch(text.strip().lower())
        step = cls(int(match[1]), match[2]) if match else None
        if step is None or step.count < 1 or (step.unit == "h" and 24 % step.count):
            raise UserError(
                f"'{text[:40]}' is not a step: use 1h, 6h, 8h, 1d, 1w or 1mo (hours must divide the day)."
            )
        if step.days > LONGEST:
            raise UserError(f"A step of {step.words} is too long: it may have ten years.")
        return step

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def words(self) -> str:
        """As people say it: day, 6 hours, week."""
        noun = {"h": "hour", "d": "day", "w": "week", "mo": "month"}[self.unit]
        return noun if self.count == 1 else f"{self.count} {noun}s"

    @property
    def days(self) -> float:
        """Length in days (a month counts as 365.25 / 12)."""
        return self.count * {"h": 1 / 24, "d": 1.0, "w": 7.0, "mo": 365.25 / 12}[self.unit]

    def number(self, times: np.ndarray) -> np.ndarray:
        """datetime64 → int64 number of the step that holds each, counted from a fixed origin."""
        if self.unit == "mo":
            return times.astype("datetime64[M]").astype(np.int64) // self.count
        hours = times.astype("datetime64[h]")
        if self.unit == "w":
            return (hours - MONDAY).astype(np.int64) // (168 * self.count)
        return hours.astype(np.int64) // (self.count * (24 if self.unit == "d" else 1))

    def start(self, number: np.ndarray) -> np.ndarray:
        """int64 step numbers → datetime64[ns] of their beginnings."""
        number = np.asarray(number, dtype=np.int64)
        if self.unit == "mo":
            return (number * self.count).astype("datetime64[M]").astype("datetime64[ns]")
        if self.unit == "w":
            return (MONDAY + number * 168 * self.count).astype("datetime64[ns]")
        hours = number * self.count * (24 if self.unit == "d" else 1)
        return hours.astype("datetime64[h]").astype("datetime64[ns]")


def parse_date(text: str, option: str) -> np.datetime64:
    """An ISO date or date-time given by a user, as datetime64[us].

    Raises UserError, which names the `option`, for what is none or lies outside of YEARS.

    >>> str(parse_date("2017-01-31", "--since"))
    '2017-01-31T00:00:00.000000'
    """
    try:
        moment = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise UserError(f"{option} '{text[:40]}' is not a date: write it as 2017-01-31.") from None
    if not YEARS[0] <= moment.year < YEARS[1]:
        raise UserError(f"{option} '{text[:40]}' lies outside the years {YEARS[0]} to {YEARS[1]}.")
    return np.datetime64(moment, "us")
