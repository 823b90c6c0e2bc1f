"""What the columns that are left out seem to say, where that changes what a record means."""

import re

import numpy as np
import polars as pl

from crimecast.reading import meaning
from crimecast.reading.columns import plain
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows
from crimecast.reading.place_columns import spread

COUNTED = re.compile(
    r"^(n|count|counts|cnt|total|totals|freq|frequency|qty|quantity|anzahl|antal|aantal|cantidad|quantidade|nombre|numero_de_\w+|"
    r"num_\w+|number_of_\w+|no_of_\w+|total_\w+|\w+_count|incidents|crimes|offences|offenses|events|casos|delitos|件数|数量)$"
)
PERSONS = re.compile(r"victim|suspect|offender|arrest|officer|injur|kill|person|age|weapon|vehicle")
HALF = re.compile(r"^[ap]\.?\s?m?\.?$")
SIDES = ({"n", "s", "north", "south"}, {"e", "w", "o", "east", "west"})
CLOCK = re.compile(f"{meaning.CLOCK.pattern}|時刻|время")
LATER = re.compile(r"report|updat|creat|modif|load|enter|clos|clear|publish|edit|receiv|zone|stamp")


def unused(table: Rows, found: dict[str, list[str]], by_day: bool) -> list[Notice]:
    """Notices on columns that no field takes: a number of events a row, AM and PM, north and south, a time of
    day (only where times are known `by_day`), and a name of universal time on one that is taken."""
    taken = {column for parts in found.values() for column in parts}
    notices = []
    for name in found["time"]:
        if re.search(r"(^|_)(utc|gmt|zulu)(_|$)", plain(name)):
            notices.append(
                Notice(
                    "named_utc",
                    f"'{name}' is named after universal time, but its times are taken as local ones: if they are not, every event is at a wrong hour.",
                    table.height,
                )
            )
    for name in table.columns:
        if name not in taken:
            values = spread(table, [name])[name]
            if len(values) and (said := _said(name, values, by_day)):
                notices.append(Notice(*said, table.height))
    return notices


def _said(name: str, values: pl.Series, by_day: bool) -> tuple[str, str] | None:
    word = plain(name)
    number = values.cast(pl.Float64, strict=False).drop_nulls()
    if COUNTED.search(word) and not PERSONS.search(word) and len(number) > 0.9 * len(values):
        whole = number.to_numpy()
        small = (whole >= 0) & (whole == np.floor(whole)) & (whole < 10_000)
        # A number that runs on is a number of the row; one that is always one says nothing.
        if small.all() and len(np.unique(whole)) > 1 and not (np.diff(whole) > 0).all():
            return (
                "counted_rows",
                f"'{name}' looks like a number of events in each row ({', '.join(f'{v:g}' for v in whole[:3])}, …), and isn't used: "
                "each row is taken for one event. Write a row for each event, or bring the counts in as counts.",
            )
    if values.dtype != pl.String:
        return None
    texts = {text.strip().lower() for text in values.unique().to_list()}
    if texts and all(HALF.match(text) for text in texts):
        return (
            "half_of_day",
            f"'{name}' holds AM and PM, and isn't used: afternoons may be taken for mornings. Write it behind the time.",
        )
    if (
        texts
        and any(texts <= side for side in SIDES)
        and re.search(r"lat|lon|dir|hem|ns|ew|side", word)
    ):
        return (
            "side_of_earth",
            f"'{name}' holds sides of the earth ({', '.join(sorted(texts))}), and isn't used: a sign may be lost. Write it behind the degrees.",
        )
    if (
        by_day
        and CLOCK.search(word)
        and not LATER.search(word)
        and _share(values.str.contains(r"\d")) > 0.5
    ):
        return (
            "clock_unread",
            f"'{name}' looks like a time of day in a form that isn't known, such as {values[0]!r:.40}: only days are known. Write it as 17:30.",
        )
    return None


def _share(true: pl.Series) -> float:
    return int(true.sum()) / max(1, len(true))


def half_clocks(times: Parts[pl.Series]) -> Notice | None:
    """Says that all hours run from 1 to 12, as where AM and PM were lost."""
    hours = np.zeros(24, dtype=np.int64)
    for part in times:
        hours += np.bincount(part.drop_nulls().dt.hour().to_numpy(), minlength=24)
    total = int(hours.sum())
    if total < 100 or hours[13:].any() or hours[0] or not (hours[1:13] > 0.02 * total).all():
        return None
    return Notice(
        "half_of_day",
        "All hours run from 1 to 12, and none is later or earlier: AM and PM seem to be lost, so that afternoons are taken for mornings.",
        total,
    )


def first_days(times: Parts[pl.Series]) -> Notice | None:
    """Says that all days are the first of a month, which stands for the month alone."""
    months: set[object] = set()
    total = 0
    for part in times:
        there = part.drop_nulls()
        if len(there) and bool((there.dt.day() != 1).any()):
            return None
        months |= set(there.dt.truncate("1mo").unique().to_list())
        total += len(there)
    if total < 12 or len(months) < 3:
        return None
    return Notice(
        "first_of_month",
        "Every date is the first of its month: only months seem to be known. Use steps of a month; in shorter ones these days look like peaks.",
        total,
    )
