"""Times are read back from every form in which they are written."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast import UserError
from crimecast.errors import Doubt
from crimecast.reading import days
from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments
from tests.few import few


def parse_time(table: pl.DataFrame, columns: list[str], zone: str) -> pl.Series:
    """The times alone of what is read."""
    return read_moments(table, columns, Asked(zone)).values


FORMATS = [
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M",
    "%d/%m/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d/%m/%y %H:%M", "%d-%b-%Y %H:%M", "%d-%b-%y %I.%M.%S %p",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y%m%d%H%M", "%Y%m%dT%H%M%S",
    "%B %d, %Y %I:%M %p", "%A, %d %B %Y at %H:%M", "%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S", "%H:%M %d/%m/%Y",
    "%Y年%m月%d日 %H時%M分", "%Y年%m月%d日%H时%M分%S秒", "%Y년 %m월 %d일 %H시 %M분", "%Y-%m-%d %H点%M分",
]  # fmt: skip
DAYS = ["%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%b %d, %Y", "%G-W%V-%u", "%Y-%j", "%m-%d-%y"]  # fmt: skip
# Days that can be read in one way alone, so that the few of a test don't leave the order open.
SETTLING = [datetime(2020, 5, 31), datetime(2019, 7, 30)]

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)).map(
    lambda t: t.replace(second=0, microsecond=0)
)


@pytest.mark.parametrize("form", few(FORMATS, 12))
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_a_column_in_one_form_is_read_back(form: str, moments: list[datetime]) -> None:
    moments = [*moments, *SETTLING]
    text = [m.strftime(form) for m in moments]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == moments


HALVES = {
    "上午/下午": "{0:%Y/%m/%d} {half} {0:%I:%M}", "오전/오후": "{0:%Y-%m-%d} {half} {0:%I:%M:%S}",
    "午前/午後": "{0:%Y年%m月%d日} {half}{0:%I:%M}", "πμ/μμ": "{0:%d/%m/%Y} {0:%I:%M} {half}", "FM/EM": "{0:%Y-%m-%d} {0:%I:%M} {half}",
    "ÖÖ/ÖS": "{0:%d.%m.%Y} {0:%I:%M} {half}", "SA/CH": "{0:%d/%m/%Y} {0:%I:%M} {half}", "de./du.": "{0:%Y.%m.%d.} {half} {0:%I:%M}",
    "ap./ip.": "{0:%d.%m.%Y} {0:%I:%M} {half}", "a. m./p. m.": "{0:%d/%m/%Y} {0:%I:%M} {half}", "ص/م": "{0:%Y-%m-%d} {0:%I:%M} {half}",
}  # fmt: skip


@pytest.mark.parametrize("words", few(HALVES, 3))
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_halves_of_the_day_in_other_languages(words: str, moments: list[datetime]) -> None:
    moments = [*moments, *SETTLING]
    halves = words.split("/")
    text = [HALVES[words].format(m, half=halves[m.hour >= 12]) for m in moments]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == moments
    table = pl.DataFrame(
        {
            "d": [f"{m:%Y-%m-%d}" for m in moments],
            "h": [f"{m:%I:%M} {halves[m.hour >= 12]}" for m in moments],
        }
    )
    assert parse_time(table, ["d", "h"], "UTC").to_list() == moments


@pytest.mark.parametrize("form", ["{}-%m-%d %H:%M", "%d/%m/{} %H:%M", "%d %b {} %H:%M"])
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20))
def test_years_of_the_buddhist_calendar_are_read_with_a_word(
    form: str, moments: list[datetime]
) -> None:
    moments = [*moments, *SETTLING, datetime(2020, 2, 29)]
    text = [m.strftime(form.format(m.year + 543)) for m in moments]
    found = read_moments(pl.DataFrame({"t": text}), ["t"], Asked("Asia/Bangkok"))
    assert found.values.to_list() == moments
    assert [notice.code for notice in found.notices] == ["buddhist_years"]


MONTHS = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "el": "ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
    "hu": "január február március április május június július augusztus szeptember október november december",
    "tr": "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "ro": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "fi": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
}  # fmt: skip


@pytest.mark.parametrize("language", MONTHS)
def test_months_by_their_names(language: str) -> None:
    names = MONTHS[language].split()
    wanted = [datetime(2020, month, 3 + month, 10, 40) for month in range(1, 13)]
    text = [f"{t.day} {names[t.month - 1]} {t.year} {t:%H:%M}" for t in wanted]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == wanted


@pytest.mark.parametrize("form", ["{0.day}. {0.month:02d}. {0.year} {0:%H:%M}", "{0.year}. {0.month:02d}. {0.day:02d}. {0:%H:%M}"])  # fmt: skip
def test_days_with_spaces_between(form: str) -> None:
    wanted = [datetime(2023, 1, 5 + i, 10, 40) for i in range(20)]
    text = [form.format(t) for t in wanted]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == wanted


def test_persian_years_are_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="Persian calendar"):
        parse_time(pl.DataFrame({"t": ["1399/02/31 10:00", "1400/01/05 11:00"]}), ["t"], "UTC")


def test_the_order_that_fits_all_rows_is_taken_however_late_it_shows() -> None:
    text = [f"{day:02d}/03/2021" for day in range(1, 32) for _ in range(200)]
    assert {t.month for t in parse_time(pl.DataFrame({"t": text}), ["t"], "UTC")} == {3}


def test_dates_that_can_be_read_in_two_ways_are_refused_until_somebody_says() -> None:
    table = pl.DataFrame({"t": ["01/02/2020", "03/04/2020"]})
    with pytest.raises(Doubt, match="month first or day first") as doubt:
        parse_time(table, ["t"], "UTC")
    assert set(doubt.value.choices) == {"mdy", "dmy"}
    said = read_moments(table, ["t"], Asked("UTC", order="dmy"))
    assert said.values.to_list() == [datetime(2020, 2, 1), datetime(2020, 4, 3)]
    before = read_moments(table, ["t"], Asked("UTC", hint="mdy"))
    assert before.values[0] == datetime(2020, 1, 2)
    assert [notice.code for notice in before.notices] == ["date_order"]


def test_rows_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(Doubt, match="written in two ways"):
        parse_time(pl.DataFrame({"t": ["13/04/2020", "04/13/2020", "01/02/2020"]}), ["t"], "UTC")


@pytest.mark.parametrize("form", DAYS)
def test_days_without_a_time(form: str) -> None:
    days = [datetime(2020, 2, 29), datetime(2021, 12, 31)]
    text = [d.strftime(form) for d in days]
    assert parse_time(pl.DataFrame({"t": text}), ["t"], "UTC").to_list() == days


@given(st.integers(0, 23), st.integers(0, 59))
def test_hhmm_without_leading_zeros(hour: int, minute: int) -> None:
    table = pl.DataFrame({"day": ["01/18/2020 12:00:00 AM"], "clock": [hour * 100 + minute]})
    assert parse_time(table, ["day", "clock"], "UTC")[0] == datetime(2020, 1, 18, hour, minute)


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


@given(st.integers(400_000_000, 1_750_000_000))
def test_seconds_and_milliseconds_since_1970(seconds: int) -> None:
    expected = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    assert parse_time(pl.DataFrame({"t": [seconds]}), ["t"], "UTC")[0] == expected
    for scale in (1000, 1_000_000):
        assert parse_time(pl.DataFrame({"t": [seconds * scale]}), ["t"], "UTC")[0] == expected
        assert parse_time(pl.DataFrame({"t": [str(seconds * scale)]}), ["t"], "UTC")[0] == expected


def test_nonsense_is_no_time() -> None:
    assert parse_time(pl.DataFrame({"t": ["soon", "", None]}), ["t"], "UTC").null_count() == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019/01/01 05:00:00+00", datetime(2018, 12, 31, 23)),
        ("2019-01-01 05:00:00 UTC", datetime(2018, 12, 31, 23)),
        ("2019-01-01 05:00:00+0000", datetime(2018, 12, 31, 23)),
        ("2019-07-01T05:00:00-05:00[America/Chicago]", datetime(2019, 7, 1, 5)),
        ("Tue Jan 01 2019 05:00:00 GMT-0600 (Central Standard Time)", datetime(2019, 1, 1, 5)),
        ("Tue Jan  1 05:00:00 CST 2019", datetime(2019, 1, 1, 5)),
        ("/Date(1577865600000)/", datetime(2020, 1, 1, 2)),
        ("1.5778656E12", datetime(2020, 1, 1, 2)),
        ("43831.5", datetime(2020, 1, 1, 12)),
        ("20190101", datetime(2019, 1, 1)),
        ("1 janvier 2020", datetime(2020, 1, 1)),
        ("1/25/15 13:00", datetime(2015, 1, 25, 13)),
    ],
)  # fmt: skip
def test_forms_with_offsets_names_and_numbers(text: str, expected: datetime) -> None:
    assert parse_time(pl.DataFrame({"t": [text]}), ["t"], "America/Chicago")[0] == expected


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        (["11:45 PM", "12:15 AM", "12:00 PM"], ["23:45", "00:15", "12:00"]),
        (["2345", "330", "15"], ["23:45", "03:30", "00:15"]),
        (["154500", "001500", "235959"], ["15:45", "00:15", "23:59"]),
        (["23", "0", "7"], ["23:00", "00:00", "07:00"]),
        (["0.5", "0.25", "0.989583333"], ["12:00", "06:00", "23:45"]),
        (["1899-12-30 23:45:00", "1899-12-30 01:00:00"], ["23:45", "01:00"]),
    ],
)  # fmt: skip
def test_clocks_in_a_column_of_their_own(clocks: list[str], expected: list[str]) -> None:
    table = pl.DataFrame({"day": ["2020-01-22"] * len(clocks), "clock": clocks})
    found = parse_time(table, ["day", "clock"], "UTC")
    assert [f"{t:%H:%M}" for t in found] == expected


def test_twenty_four_oclock_is_the_next_midnight() -> None:
    table = pl.DataFrame({"day": ["2020-01-31"] * 2, "clock": ["24:00", "12:30"]})
    assert parse_time(table, ["day", "clock"], "UTC")[0] == datetime(2020, 2, 1)


def test_midnights_in_utc_are_dates() -> None:
    table = pl.DataFrame({"t": ["2017-05-25T00:00:00Z", "2017-05-26T00:00:00.000Z"]})
    found = read_moments(table, ["t"], Asked("America/Chicago"))
    assert found.values.to_list() == [datetime(2017, 5, 25), datetime(2017, 5, 26)]
    assert (found.precision, found.notices[0].code) == ("day", "utc_dates")


def test_months_alone_are_said_to_be_months() -> None:
    for text in (["2019-01", "2019-02"], ["Jan 2019", "Feb 2019"], ["201901", "201902"]):
        found = read_moments(pl.DataFrame({"t": text}), ["t"], Asked("UTC"))
        assert found.precision == "month"
        assert found.values.to_list() == [datetime(2019, 1, 1), datetime(2019, 2, 1)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("martes, 4 de enero de 2022", (2022, 1, 4)), ("miércoles 19 de enero de 2022", (2022, 1, 19)),
        ("szerda, 9 feb 2022", (2022, 2, 9)), ("kolmapäev, 5. mai 2021", (2021, 5, 5)), ("mar 4 2022", (2022, 3, 4)),
    ],
)  # fmt: skip
def test_weekdays_of_any_language_stand_before_the_day(
    text: str, day: tuple[int, int, int]
) -> None:
    found = days.lex(text)
    assert found is not None
    assert found.ymd == day
