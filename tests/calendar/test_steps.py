"""Every moment lies in exactly one step, in civil time."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast.calendar.steps import Step, parse_date
from crimecast.errors import UserError

STEPS = ["1h", "6h", "8h", "1d", "1w", "2w", "1mo", "3mo"]
MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1))


@pytest.mark.parametrize("text", STEPS)
@given(moment=MOMENTS)
def test_a_moment_lies_between_its_steps_start_and_the_next(text: str, moment: datetime) -> None:
    step = Step.parse(text)
    number = step.number(np.array([moment], dtype="datetime64[us]"))
    begin, end = step.start(np.array([number[0], number[0] + 1]))
    assert begin <= np.datetime64(moment) < end
    assert step.number(np.array([begin]))[0] == number[0]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    friday = np.array(["2017-03-17T13:00"], dtype="datetime64[us]")
    week, month = Step.parse("1w"), Step.parse("1mo")
    assert str(week.start(week.number(friday))[0])[:10] == "2017-03-13"
    assert str(month.start(month.number(friday))[0])[:10] == "2017-03-01"


def test_a_day_with_a_clock_change_is_one_day() -> None:
    # In Chicago clocks went back on 2017-11-05: the day has 25 hours, and one number.
    day = Step.parse("1d")
    hours = np.array([f"2017-11-05T{h:02d}:30" for h in range(24)], dtype="datetime64[us]")
    assert len(set(day.number(hours))) == 1


@pytest.mark.parametrize("text", ["", "5h", "0d", "1y", "d", "-1d", "1.5d"])
def test_other_steps_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a step"):
        Step.parse(text)


@pytest.mark.parametrize("text", ["999999999d", "3661d", "600w", "200mo"])
def test_steps_of_decades_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="too long"):
        Step.parse(text)


@pytest.mark.parametrize("text", ["1000000000d", "1" * 22 + "d", "١d", "1" * 5000 + "d"])
def test_steps_that_no_number_holds(text: str) -> None:
    with pytest.raises(UserError, match="is not a step") as refused:
        Step.parse(text)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("text", ["0001-01-01", "1015-03-02", "2263-01-01", "9999-12-31"])
def test_dates_that_numpy_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="outside the years"):
        parse_date(text, "--since")


def test_dates() -> None:
    assert parse_date("2017-01-31", "--since") == np.datetime64("2017-01-31", "us")
    with pytest.raises(UserError, match="--since 'soon' is not a date"):
        parse_date("soon", "--since")
