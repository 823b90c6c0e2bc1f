"""Columns that nothing is read from and that say something together: marks, further times, hours across, further types."""

import re

import polars as pl

from crimecast.reading.asides import asides
from crimecast.reading.columns import plain
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows
from crimecast.reading.place_columns import spread
from crimecast.reading.zones import same_clock

UTC = re.compile(r"^(utc|gmt|z|zulu|etc/utc|[+]?0+:?0*)$")
HOUR_OF_DAY = re.compile(r"(?:h|hr|hour|hora|std)?_?(\d{1,2})(?:_?00)?_?(?:h|hr|hrs|uhr)?(?:_?00)?")
ZONED = re.compile(r"(^|_)utm_?zone(_|$)|^(huso|fuso|zona_utm|zone_utm|grid_?zone)$")
FEW_REMARKS = 40
MARKS = {"x", "1", "1.0", "yes", "y", "true", "si", "sí", "oui", "ja", "sim", "✓", "•", "✔"}
UNMARKED = {"", "0", "0.0", "no", "n", "false", "non", "nein", "não", "-", "–"}
ONE_MARKED = 0.98  # of the rows
PIVOTED = 2  # columns of small counts from which on they look like one for each type


def marked(table: Rows, taken: set[str]) -> list[str]:
    """Columns of which exactly one is marked in each row, in any of the ways of MARKS."""
    some = spread(
        table, [next(iter(taken)), *(name for name in table.columns if name not in taken)]
    )
    said = some.with_columns(
        pl.all().cast(pl.String).str.strip_chars().str.to_lowercase().fill_null("")
    )
    marks = []
    for name in said.columns:
        values = set(said[name].unique())
        if (
            name not in taken
            and values <= MARKS | UNMARKED
            and values & MARKS
            and values & UNMARKED
        ):
            marks.append(name)
    if len(marks) <= PIVOTED:
        return []
    each = said.select(
        pl.sum_horizontal(pl.col(name).is_in(list(MARKS)) for name in marks)
    ).to_series()
    return marks if (each == 1).mean() > ONE_MARKED else []  # type: ignore[operator]


def further_times(table: Rows, found: dict[str, list[str]]) -> list[Notice]:
    """Says that a row holds several times in columns that are numbered: visit1, visit2, …"""
    name, *others = found["time"]
    stem = re.fullmatch(r"(.*?[^\d_])_?1", plain(name))
    if stem is None or others:
        return []
    alike = re.compile(re.escape(stem[1]) + r"_?[2-9]\d?")
    further = [
        one for one in table.columns if alike.fullmatch(plain(one)) and len(spread(table, [one]))
    ]
    if not further:
        return []
    says = f"{', '.join(map(repr, further[:4]))} hold times of the same row, and aren't used: each row is taken for one event, of '{name}'. Write a row for each event."
    return [Notice("several_times", says, table.height)]


def remarks(table: Rows, taken: set[str]) -> list[Notice]:
    """What a column says in a few rows alone that may change what all of them mean."""
    notices = []
    for name in table.columns:
        if name not in taken and table.schema[name] == pl.String:
            values = spread(table, [name])[name]
            if 0 < len(values) < min(FEW_REMARKS, 0.1 * table.height):
                notices += asides(
                    values.unique(maintain_order=True).to_list(), f"'{name}', in a few rows,"
                )
    return notices


def hours_across(table: Rows, taken: set[str]) -> list[Notice]:
    """Says that there is a column for every hour of the day."""
    hours = {
        int(match[1]): name
        for name in table.columns
        if name not in taken
        and (match := HOUR_OF_DAY.fullmatch(plain(name)))
        and int(match[1]) <= 24
    }
    if len(hours) < 24 or max(hours) < 23:
        return []
    some = ", ".join(map(repr, list(hours.values())[:3]))
    says = f"{some}, … are a column for each hour of the day, and aren't used: each row is taken for one event without an hour. Write a row for each event, or bring the counts in as counts."
    return [Notice("pivoted", says, table.height)]


def of_trackers(table: Rows, found: dict[str, list[str]], zone: str) -> list[Notice]:
    """Says that times are those of UTC where a table has the columns of Movebank, whose definition says so."""
    names = {plain(name) for name in table.columns}
    if not {"location_long", "location_lat", "timestamp"} <= names or same_clock("UTC", zone):
        return []
    if [plain(name) for name in found["time"]] != ["timestamp"]:
        return []
    says = f"The columns are those of Movebank, where a timestamp is UTC: it is taken as {zone}, so that every event may be at a wrong hour. Write the offset behind the times, such as +00:00."
    return [Notice("named_utc", says, table.height)]


def several_zones(table: Rows, found: dict[str, list[str]]) -> list[Notice]:
    """Says that metres are those of several zones of a grid, by a column that names them."""
    named = [name for name in table.columns if ZONED.search(plain(name))]
    east = spread(table, [found["longitude"][0]])[found["longitude"][0]]
    metres = east.cast(pl.Float64, strict=False).abs().median()
    if not named or not isinstance(metres, float) or metres <= 360:
        return []
    zones = spread(table, [named[0]])[named[0]].cast(pl.String).unique().sort().to_list()
    if len(zones) < 2:
        return []
    says = f"'{named[0]}' says that the coordinates are of several zones ({', '.join(zones[:4])}), and isn't used: all are read in one coordinate system, and those of the others are hundreds of kilometres away. Bring in each zone by itself."
    return [Notice("several_zones", says, table.height)]


def further_types(table: Rows, found: dict[str, list[str]]) -> list[Notice]:
    """Says that a row may tell of several offences: in further columns, or in one text."""
    if "type" not in found:
        return []
    name = found["type"][0]
    taken = {column for parts in found.values() for column in parts}
    base = re.fullmatch(r"(.+?)_?1", plain(name))
    further = [
        other for other in table.columns
        if base and other not in taken and re.fullmatch(re.escape(base[1]) + r"_?[2-9]", plain(other)) and len(spread(table, [other]))
    ]  # fmt: skip
    if further:
        says = f"{', '.join(map(repr, further))} hold further types of some rows, and aren't used: each row is taken for one event of the type in '{name}'."
        return [Notice("several_types", says, table.height)]
    values = spread(table, [name])[name]
    if values.dtype != pl.String:
        return []
    whole = {text.strip().lower() for text in values.unique().to_list()}
    parts = [[part.strip() for part in re.split(r"[;|]", text)] for text in whole]
    several = [part for part in parts if len(part) > 1 and any(one in whole for one in part)]
    if several or any(text.startswith(("[{", '["', '{"')) for text in whole):
        says = f"Some texts of '{name}' hold several types at once, such as {min(whole, key=lambda t: -len(t))[:60]!r}: each is taken for one type of its own. Write a row for each."
        return [Notice("several_types", says, table.height)]
    return []
