"""Times are read back from every form in which they are written."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast.calendar.times import DAYS, FORMATS, parse_time

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)).map(
    lambda t: t.replace(second=0, microsecond=0)
)


@pytest.mark.parametrize("form", [f for f in FORMATS if not f.startswith("%d/")])
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_a_column_in_one_form_is_read_back(form: str, moments: list[datetime]) -> None:
    text = [m.strftime(form.replace("%.f", "")) for m in moments]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == moments


@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_day_first_is_recognised_by_a_day_above_twelve(moments: list[datetime]) -> None:
    text = [
        m.strftime("%d/%m/%Y %H:%M")
        for m in [*moments, *[datetime(2020, 5, 31)] * (len(moments) + 1)]
    ]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list()[: len(moments)] == moments


@pytest.mark.parametrize("form", [f for f in DAYS if not f.startswith("%d/")])
def test_days_without_a_time(form: str) -> None:
    days = [datetime(2020, 2, 29), datetime(2021, 12, 31)]
    text = [d.strftime(form) for d in days]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == days


@given(st.integers(0, 23), st.integers(0, 59))
def test_hhmm_without_leading_zeros(hour: int, minute: int) -> None:
    table = pl.DataFrame({"day": ["01/08/2020 12:00:00 AM"], "clock": [hour * 100 + minute]})
    assert parse_time(table, ["day", "clock"], "UTC")[0] == datetime(2020, 1, 8, hour, minute)


def test_hours_that_do_not_exist_are_no_time() -> None:
    table = pl.DataFrame({"day": ["2020-01-08"] * 3, "clock": ["2460", "x", None]})
    assert parse_time(table, ["day", "clock"], "UTC").null_count() == 3


def test_year_month_day_hour_minute() -> None:
    table = pl.DataFrame(
        {"y": [2020, 2020, 99999], "m": [2, 13, 1], "d": [29, 1, 1], "h": [3, 0, 0], "n": [5, 0, 0]}
    )
    assert parse_time(table, list("ymdhn"), "UTC").to_list() == [
        datetime(2020, 2, 29, 3, 5),
        None,
        None,
    ]


def test_an_offset_is_converted_to_local_time_and_local_time_is_left_alone() -> None:
    table = pl.DataFrame(
        {"t": ["2020-01-01T00:00:00Z", "2020-07-01T12:00:00.000+02:00", "2020-07-01T12:00:00"]}
    )
    expected = [datetime(2019, 12, 31, 18), datetime(2020, 7, 1, 5), datetime(2020, 7, 1, 12)]
    assert parse_time(table, ["t"], "America/Chicago").to_list() == expected


@given(st.integers(0, 2_000_000_000))
def test_seconds_and_milliseconds_since_1970(seconds: int) -> None:
    expected = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    assert parse_time(pl.DataFrame({"t": [seconds]}), ["t"], "UTC")[0] == expected
    if seconds > 100_000_000:
        assert parse_time(pl.DataFrame({"t": [seconds * 1000]}), ["t"], "UTC")[0] == expected


def test_nonsense_is_no_time() -> None:
    assert parse_time(pl.DataFrame({"t": ["soon", "", None]}), ["t"], "UTC").null_count() == 3
