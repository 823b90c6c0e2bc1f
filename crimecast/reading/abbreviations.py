"""Zones as abbreviations, which several countries share: what the clocks of the city itself mean by them."""

import re
from collections import Counter
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

from crimecast.reading.clocks import NAMED
from crimecast.reading.columns import plain
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, head, nulls
from crimecast.reading.zone_names import zone_called
from crimecast.reading.zones import same_clock

YEARS = range(1990, 2060)
ABSOLUTE = ("GMT", "UTC")
OFFSET = r"\d([-+]\d\d:?\d\d)$"
ENDS = r"(?i)^(.*\d.*?)\s*\b({names})\b(.*)$"


def in_own_zone(column: Column, zone: str) -> tuple[Column, list[Notice]]:
    """Texts whose abbreviation is one that `zone` itself uses, with its offset from UTC instead: IST is
    +05:30 in Delhi and +02:00 in Jerusalem. Where it has meant several, it is left out: the time is local.
    A notice where they name one that is another place's."""
    means = _means(zone)
    if column.first.dtype != pl.String:
        return column, []
    begin = head(column, 200)
    others = [name.upper() for name in NAMED if name.upper() not in means]
    foreign = begin.str.extract(ENDS.format(names="|".join(others)), 2).drop_nulls()
    notices = []
    if len(foreign):
        name = foreign.str.to_uppercase()[0]
        says = (
            f"Times are marked {name}, which the clocks of {zone} never are: they are taken as {NAMED[name.lower()]:+d} hours from UTC and "
            "converted. If another zone of that name is meant, write the offset."
        )
        notices = [Notice("foreign_zone", says, nulls(column)[1])]
    seen = ENDS.format(names="|".join([*means, *ABSOLUTE]))  # a year may begin with those
    if not means or not begin.str.contains(seen).any():
        return column, notices
    pattern = ENDS.format(names="|".join(means))
    return column.map(lambda part: _replaced(part, pattern, means)), notices


def of_others(text: str, zone: str) -> bool:
    """Whether an abbreviation of a zone is one that the clocks of `zone` never are called by."""
    return text.lower() in NAMED and text.upper() not in _means(zone)


def zone_in_name(name: str, zone: str, rows: int) -> list[Notice]:
    """Says that a column of times is named after another zone: Occurred (US/Eastern), Time (EST)."""
    named = [
        text
        for text in re.findall(r"[A-Z][A-Za-z]+(?:/[A-Za-z_]+)+", name)
        if text in available_timezones() and not same_clock(text, zone)
    ]
    named += [text for text in re.findall(r"\(([A-Z]{2,5})\)", name) if of_others(text, zone)]
    if not named and (called := zone_called(name)) and not same_clock(called, zone):
        named = [called]
    if not named:
        return []
    says = f"'{name}' is named after the time of {named[0]}, and is taken as {zone}: if its times are those, every event is at a wrong hour. Write the offset behind the times."
    return [Notice("named_zone", says, rows)]


def standard_in_name(name: str, zone: str, local: Column, says: str = "") -> list[Notice]:
    """Says that a column is named after standard time, or another `says` it of all rows, which the city's clocks
    don't show in summer."""
    names, _ = _names(zone)
    words = set(plain(says or name).upper().split("_"))
    standard = {names.get(False, ""), *(["MEZ"] if names.get(False) == "CET" else [])} - {"GMT"}
    if len(names) != 2 or not words & standard or (rows := _in_summer(local, zone)) < 20:
        return []
    says = (
        f"'{name}' {'says' if says else 'is named after'} {names[False]}, and times are taken as the clocks of {zone}, which show {names[True]} in summer: if it is standard time all year, "
        "every event in summer is an hour early. Write the offset behind the times."
    )
    return [Notice("standard_alone", says, rows)]


def _names(zone: str) -> tuple[dict[bool, str], dict[str, str]]:
    """What a zone's clocks are called while they are set forward and while they aren't; and by their offset."""
    clocks = ZoneInfo(zone)
    days = [datetime(2021, month, 1, tzinfo=clocks) for month in (1, 7)]
    offsets = {f"{day:%z}": day.tzname() or "" for day in days}
    offsets.pop("+0000", None)  # of UTC
    return {bool(day.dst()): day.tzname() or "" for day in days}, offsets


def _in_summer(local: Column, zone: str) -> int:
    """How many times lie where clocks are set forward."""
    rows = 0
    for time in local:
        at = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        rows += int((at.dt.dst_offset().dt.total_seconds() > 0).sum())
    return rows


def standard_alone(column: Column, zone: str, local: Column) -> list[Notice]:
    """Says that times bear the mark of standard time in summer too, by its name or its offset from UTC, and
    none that of summer time: databases write it so behind clocks that were set forward. `local`: the times."""
    names, offsets = _names(zone)
    if column.first.dtype != pl.String or len(names) != 2:
        return []
    aliases = {"MEZ": "CET", "MESZ": "CEST"}
    means = {**{name: name for name in names.values()}, **aliases, **offsets}
    words = ENDS.format(names="|".join(map(re.escape, [*names.values(), *aliases])))
    begin = head(column, 200)
    if not (begin.str.contains(words) | begin.str.contains(OFFSET)).any():
        return []
    shown = Counter[str]()
    for part in column:
        text = part.str.extract(words, 2).str.to_uppercase()
        text = text.fill_null(part.str.extract(OFFSET).str.replace(":", ""))
        shown.update(text.drop_nulls().to_list())
    summer = _in_summer(local, zone)
    marks = {means.get(text, text) for text in shown}
    if marks != {names[False]} or summer < 50:
        return []
    says = (
        f"Times are marked {max(shown, key=lambda one: shown[one])} throughout, in summer too, where the clocks of {zone} show {names[True]}. They are taken by the "
        "mark; if they are what clocks showed, every event in summer is an hour late: leave the mark out."
    )
    return [Notice("standard_alone", says, summer)]


def _replaced(texts: pl.Series, pattern: str, means: dict[str, str]) -> pl.Series:
    parts = texts.str.extract_groups(pattern).struct.unnest()
    before, name, after = (parts[column] for column in parts.columns)
    offset = name.str.to_uppercase().replace_strict(means, default=None, return_dtype=pl.String)
    # Between the clock and the year, as C's programs write it, the offset stands apart too.
    joined = pl.select(pl.concat_str(before, offset, after)).to_series()
    return joined.zip_with(joined.is_not_null(), texts)


@lru_cache
def _means(zone: str) -> dict[str, str]:
    """The abbreviations of a zone's clocks and what to write for them."""
    clocks = ZoneInfo(zone)
    offsets: dict[str, set[str]] = {}
    for year in YEARS:
        for month in (1, 4, 7, 10):
            moment = datetime(year, month, 1, tzinfo=clocks)
            name = moment.tzname() or ""
            if re.fullmatch("[A-Z]{2,5}", name):
                offsets.setdefault(name, set()).add(f" {moment:%z}")
    means = {name: found.pop() if len(found) == 1 else "" for name, found in offsets.items()}
    # German for CET and CEST.
    means |= {new: means[old] for new, old in (("MEZ", "CET"), ("MESZ", "CEST")) if old in means}
    # CT is the time in Chicago, whether CST or CDT.
    spoken = {name[0] + "T": "" for name in means if re.fullmatch("[A-Z]DT", name)}
    return {**spoken, **{name: text for name, text in means.items() if name not in ABSOLUTE}}
