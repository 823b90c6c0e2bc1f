"""Which column of a file is the time, the place, the type and the id: the values decide, names break ties."""

import re
from typing import Any

import polars as pl

from crimecast import Doubt, UserError
from crimecast.cities import City
from crimecast.reading.columns import FIELDS, GUESSES, REQUIRED, SHEET, SYNONYMS, find, plain
from crimecast.reading.id_columns import id_column
from crimecast.reading.kind_columns import kind_column
from crimecast.reading.moment import Asked
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows, rows_of
from crimecast.reading.place_columns import doubts, numeric, place_columns, place_names, spread
from crimecast.reading.time_columns import reads, time_columns
from crimecast.reading.words import CORNER, DATED, HAPPENED

PLACED = re.compile(
    r"point|(^|_)loc|geo|coord|koord|place|shape|wkt|utm|mgrs|grid_?ref|plus_?code|h3"
)
NAMED = 30  # columns that a sentence names
POINT = ("point", "location", "place", "geometry", "coordinates")


def resolve_values(
    table: pl.DataFrame | Rows, mapping: dict[str, str], city: City, asked: Asked
) -> tuple[dict[str, list[str]], list[Notice]]:
    """The columns of each field: those of `mapping` (`a+b` joins several), the rest found by their values.

    Raises UserError for a field or a column that doesn't exist, Doubt for a field that nothing holds.
    """
    found, notices = found_columns(table, mapping, city, asked)
    for field in REQUIRED:
        if field not in found:
            if aside := _on_its_side(table):
                raise UserError(aside)
            some = ", ".join(table.columns[:NAMED]) + (" …" if len(table.columns) > NAMED else "")
            raise Doubt(
                f"No column was found for the {field}; say which it is. {_nearest(table, field, asked)}The columns are {some}.",
                f"--map {field}=COLUMN",
                tuple(table.columns),
            )
    return found, notices


def _on_its_side(given: pl.DataFrame | Rows) -> str | None:
    """A sentence where the names of a table stand below one another, each before its own values."""
    table = rows_of(given)
    if len(table.columns) < max(20, 2 * table.height):
        return None
    first = table.columns[0]
    names = [first, *(str(name) for name in spread(table, [first])[first])]
    if not any(DATED.search(plain(name)) or HAPPENED.search(plain(name)) for name in names):
        return None
    return (
        f"The table lies on its side: its names ({', '.join(names[:6])}) stand below one another, and each record is a column. Turn it, so that each "
        "record is a row."
    )


def _nearest(given: pl.DataFrame | Rows, field: str, asked: Asked) -> str:
    """A sentence on the column that comes nearest to a field, if one does at all."""
    table = rows_of(given)
    if field == "time":
        shares = [(reads(table, [name], asked)[0], name) for name in table.columns]
    else:
        shares = [(numeric(table, name), name) for name in place_names(table, field)]
    share, name = max(shares, default=(0.0, ""))
    if share > 0.9:
        return f"'{name}' could be it by its values, though not by its name. "
    if share > 0.01:
        return f"'{name}' comes nearest: {share:.0%} of it can be read so. "
    if field != "time":
        return _unplaced(table)
    named = [name for name in table.columns if DATED.search(plain(name))]
    if not named or not (values := spread(table, named[:1])[named[0]]).len():
        return ""
    return (
        f"'{named[0]}' is named so, but what it holds, such as {str(values[0])!r:.60}, is in no form of a time that is known: write it as "
        "2024-01-31 09:30, or the day and the clock in columns of their own. "
    )


def _unplaced(table: Rows) -> str:
    """What a column holds that is named for places, and in which none can be read."""
    for name in table.columns:
        if table.schema[name] == pl.String and PLACED.search(plain(name)):
            values = spread(table, [name])[name]
            if len(values) and values.str.contains(r"\d").mean() > 0.5:  # type: ignore[operator]
                return (
                    f"'{name}' is named for places, but what it holds, such as {str(values[0])!r:.60}, is in no form of one that is known: write "
                    "longitude and latitude, each in a column of its own. "
                )
    return ""


def _twins(table: Rows, found: dict[str, list[str]]) -> list[Notice]:
    """Says where a column that is used has another of the same name, which holds something else."""
    notices = []
    for name in dict.fromkeys(column for parts in found.values() for column in parts):
        other = f"{name} (2)"
        if other in table.columns and (both := spread(table, [name, other])).height:
            differ = int(both[name].cast(pl.String).ne_missing(both[other].cast(pl.String)).sum())
            if differ:
                says = f"Two columns are called '{name}' and don't say the same: the first is used. The other can be chosen as '{other}'."
                notices.append(Notice("two_columns", says, table.height))
    return notices


def found_columns(
    given: pl.DataFrame | Rows, mapping: dict[str, str], city: City, asked: Asked
) -> tuple[dict[str, list[str]], list[Notice]]:
    """The same, whether or not every field that is needed was found."""
    table = rows_of(given)
    found = mapped(table.columns, mapping)
    notices: list[Notice] = []
    options = _options(table.columns, city)
    if "time" not in found:
        ours = sum(1 for m in [city.columns, *(one.columns for one in city.sources)] if "time" in m)
        time = time_columns(table, options["time"], asked, notices, _taken(found), ours)
        if time:
            found["time"] = time
    if "longitude" not in found or "latitude" not in found:
        place = place_columns(table, options, found, city)
        for field, column in place.items():
            found.setdefault(field, column)
        notices += doubts(table, place)
        if corners := [c for part in place.values() for c in part if CORNER.search(plain(c))]:
            says = f"{' and '.join(dict.fromkeys(corners))} seem to be one end of what a row covers: its middle would be the place."
            notices.append(Notice("corner", says, table.height))
    if "type" not in found:
        kind = kind_column(table, options["type"], found, notices)
        if kind:
            found["type"] = [kind]
        else:
            says = "No column says the type: all records are of one, 'event'."
            if SHEET in table.columns:
                says += (
                    f" If the names of the sheets or files say it, choose '{SHEET}' for the type."
                )
            notices.append(Notice("no_type", says, table.height))
    if "source_id" not in found:
        own = id_column(table, options["source_id"], _taken(found), city)
        if own:
            found["source_id"] = [own]
    notices += _twins(table, found)
    return {field: found[field] for field in FIELDS if field in found}, notices


def mapped(columns: list[str], mapping: dict[str, str]) -> dict[str, list[str]]:
    """A user's mapping as columns of fields. Raises UserError for a field or a column that doesn't exist."""
    found: dict[str, list[str]] = {}
    for key, value in mapping.items():
        fields = ("longitude", "latitude") if key in POINT else (SYNONYMS.get(key, key),)
        if fields[0] not in FIELDS:
            raise UserError(
                f"'{key}' can't be mapped: the fields are {', '.join(FIELDS)}, or point for both of a place."
            )
        parts = named(value, columns)
        for part in parts:
            if part not in columns:
                raise UserError(
                    f"There is no column '{part}'; the columns are {', '.join(columns)}."
                )
        for field in fields:
            found[field] = parts
    return found


def named(value: str, columns: list[str]) -> list[str]:
    """The columns that a mapping names: several are joined by +, unless one is called so."""
    return [value] if value in columns else value.split("+")


def _taken(found: dict[str, list[str]]) -> set[str]:
    return {column for parts in found.values() for column in parts}


def _options(columns: list[str], city: City) -> dict[str, list[list[str]]]:
    """Columns that names propose for each field, the city's own mapping first."""
    names: dict[str, str] = {}
    for column in columns:
        names.setdefault(plain(column), column)
    known = [city.columns, *(source.columns for source in city.sources)]
    return {
        field: [
            match
            for option in [m[field] for m in known if field in m] + GUESSES[field]
            if (match := find(option, names))
        ]
        for field in FIELDS
    }


def joined(columns: dict[str, list[str]]) -> dict[str, Any]:
    """Columns as a mapping is written: several joined by +."""
    return {field: "+".join(parts) for field, parts in columns.items()}
