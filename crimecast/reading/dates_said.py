"""Columns of years, months and weekdays beside the times: where they say otherwise, the times are misread or of
something else."""

import re
from collections.abc import Callable
from functools import partial

import polars as pl

from crimecast.reading.columns import plain
from crimecast.reading.days import month_number
from crimecast.reading.parts import Parts, Rows
from crimecast.reading.place_columns import spread
from crimecast.reading.words import FISCAL, LATER, PART, PERSON

# As they begin, from Monday on.
WEEKDAYS = {
    "English": "mon tue wed thu fri sat sun", "German": "mo di mi do fr sa so", "French": "lun mar mer jeu ven sam dim",
    "Spanish": "lun mar mi jue vie s dom", "Portuguese": "seg ter qua qui sex s dom", "Italian": "lun mar mer gio ven sab dom",
    "Dutch": "ma di wo do vr za zo", "Polish": "pon wt śr czw pi sob nie", "Russian": "п вт с ч пя су во",
    "Russian, short": "пн вт ср чт пт сб вс", "Swedish": "mån tis ons tor fre lör sön", "Danish": "man tir ons tor fre lør søn",
    "Japanese": "月 火 水 木 金 土 日", "Chinese": "星期一 星期二 星期三 星期四 星期五 星期六 星期日", "Korean": "월 화 수 목 금 토 일",
}  # fmt: skip
OF_SOMETHING = re.compile(r"model|built|build|vehicle|construct|school|season|survey|census")
ENOUGH = 20


def other_dates(table: Rows, name: str, times: Parts[pl.Series]) -> tuple[str, str] | None:
    """What a column that isn't used says of years, months or weekdays, if mostly another than that of the
    times (in the city's time)."""
    word = plain(name)
    if any(of.search(word) for of in (LATER, PERSON, FISCAL, OF_SOMETHING)):
        return None
    sample = spread(table, [name])[name]
    if len(sample) < ENOUGH or sample.dtype.is_temporal():
        return None
    texts = {str(value).strip().lower() for value in sample.unique().to_list()}
    if PART["year"].search(word):
        what, said = "years", _numbered(texts, 1900, 2100)
    elif PART["month"].search(word):
        what, said = "months", _numbered(texts, 1, 12) or _all(texts, month_number)
    else:
        what, said = "weekdays", _weekdays(texts)
    if not said:
        return None
    differ = given = 0
    for column, time in table.column(name).beside(times):
        told = (
            column.cast(pl.String).str.strip_chars().str.to_lowercase()
            .replace_strict(said, default=None, return_dtype=pl.Int64)
        )  # fmt: skip
        own = {"years": time.dt.year, "months": time.dt.month, "weekdays": time.dt.weekday}[what]()
        both = told.is_not_null() & time.is_not_null()
        given += int(both.sum())
        differ += int(((told != own) & both).sum())
    if given < ENOUGH or differ <= 0.5 * given:
        return None
    return (
        "dates_contradict",
        f"'{name}' says other {what} than the times in {differ:,} of {given:,} rows: the times may be counted from another day than was taken, be of another zone, or "
        "of something else than this column.",
    )


def _numbered(texts: set[str], low: int, high: int) -> dict[str, int]:
    """What texts say that are whole numbers from `low` to `high`; nothing if any is none."""
    found = {}
    for text in texts:
        number = re.fullmatch(r"(\d{1,4})(?:\.0+)?", text)
        if number is None or not low <= int(number[1]) <= high:
            return {}
        found[text] = int(number[1])
    return found


def _all(texts: set[str], named: Callable[[str], int | None]) -> dict[str, int]:
    """What all the texts are named for; nothing if any is named for none."""
    found = {text: number for text in texts if (number := named(text)) is not None}
    return found if len(found) == len(texts) else {}


def _weekdays(texts: set[str]) -> dict[str, int]:
    """Text → 1 (Monday) to 7, in the language in which each begins as a day's name does and no two as the
    same; nothing where there is no such language, or too few days to tell."""
    if not 5 <= len(texts) <= 7:
        return {}
    for begins in WEEKDAYS.values():
        known = sorted(enumerate(begins.split(), 1), key=lambda one: -len(one[1]))
        found = _all(texts, partial(_day_named, known))
        if found and len(set(found.values())) == len(texts):
            return found
    return {}


def _day_named(known: list[tuple[int, str]], text: str) -> int | None:
    return next((number for number, begin in known if text.startswith(begin)), None)
