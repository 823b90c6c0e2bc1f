"""Which column of a file is the time, the place, the type and the id: the values decide, names break ties."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl

from crimecast import Doubt, UserError
from crimecast.cities import City
from crimecast.reading.clock_columns import clocks_of, minute_of, within
from crimecast.reading.columns import FIELDS, GUESSES, REQUIRED, SYNONYMS, find, plain
from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows, distinct, nulls, rows_of
from crimecast.reading.place_columns import doubts, numeric, place_columns, place_names, spread
from crimecast.reading.words import (
    CORNER,
    COUNTER,
    DATED,
    DAY_NUMBER,
    FISCAL,
    HAPPENED,
    IDENTITY,
    KIND,
    LATER,
    NO_KIND,
    NOT_KIND,
    OFFENCE,
    OTHER,
    PART,
    PERSON,
)  # fmt: skip

NO_DAY = datetime(1902, 1, 1)
POINT = ("point", "location", "place", "geometry", "coordinates")
ANY_KIND = {"type", "category", "kind", "class", "tipo", "categoria", "art", "typ"}
YEAR = 366 * 86_400  # seconds


def resolve_values(
    table: pl.DataFrame | Rows, mapping: dict[str, str], city: City, asked: Asked
) -> tuple[dict[str, list[str]], list[Notice]]:
    """The columns of each field: those of `mapping` (`a+b` joins several), the rest found by their values.

    Raises UserError for a field or a column that doesn't exist, Doubt for a field that nothing holds.
    """
    found, notices = found_columns(table, mapping, city, asked)
    for field in REQUIRED:
        if field not in found:
            raise Doubt(
                f"No column was found for the {field}; say which it is. {_nearest(table, field, asked)}The columns are {', '.join(table.columns)}.",
                f"--map {field}=COLUMN",
                tuple(table.columns),
            )
    return found, notices


def _nearest(given: pl.DataFrame | Rows, field: str, asked: Asked) -> str:
    """A sentence on the column that comes nearest to a field, if one does at all."""
    table = rows_of(given)
    if field == "time":
        shares = [(_reads(table, [name], asked)[0], name) for name in table.columns]
    else:
        shares = [(numeric(table, name), name) for name in place_names(table, field)]
    share, name = max(shares, default=(0.0, ""))
    return f"'{name}' comes nearest: {share:.0%} of it can be read so. " if share > 0.01 else ""


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
        time = _time(table, options["time"], asked, notices, _taken(found), ours)
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
        kind = _kind(table, options["type"], found, notices)
        if kind:
            found["type"] = [kind]
        else:
            notices.append(
                Notice(
                    "no_type",
                    "No column says the type: all records are of one, 'event'.",
                    table.height,
                )
            )
    if "source_id" not in found:
        own = _identity(table, options["source_id"], found, city)
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


def _reads(table: Rows, columns: list[str], asked: Asked) -> tuple[float, str, str]:
    """Share of a sample that is read as times, the precision, and how."""
    sample = spread(table, columns)
    if sample.is_empty():
        return 0.0, "", ""
    try:
        found = read_moments(sample, columns, replace(asked, order=None, hint="mdy"))
    except Doubt:
        return 1.0, "day", "in doubt"
    except UserError:
        return 0.0, "", ""
    # Clocks as spreadsheets keep them are moments of a day long ago.
    read = int((found.values > NO_DAY).sum())
    return read / sample.height, found.precision, found.says


def _time(
    table: Rows,
    options: list[list[str]],
    asked: Asked,
    notices: list[Notice],
    taken: set[str],
    ours: int,
) -> list[str] | None:
    """The columns of the time; the first `ours` of the options are the city's own, which are known."""
    known = False
    chosen: list[str] | None = None
    precision = ""
    for number, option in enumerate(options):
        share, precision, _ = _reads(table, option, asked)
        if share >= 0.5 and not (
            len(option) == 1 and _is_clock_with_a_day(table, option[0], asked)
        ):
            chosen, known = option, number < ours
            break
    parts = [] if chosen else _in_parts(table, taken)
    apart = _year_apart(table, taken, parts, asked)
    if apart:
        chosen, known, precision = apart, True, "day"
    if chosen is None and len(parts) > 1:
        chosen, known, precision = parts, True, "minute" if len(parts) > 3 else "day"
        if len(parts) == 4 and (minute := minute_of(table, parts[3], {*taken, *parts})):
            chosen = [*parts, minute]
    if chosen is None or not known:
        ranked = _dated(table, asked, taken)
        # A name that says when something happened goes before one that is only known.
        better = ranked and (chosen is None or ranked[0][0] >= _worth(chosen[0]) + 2)
        if better:
            chosen, precision = [ranked[0][1]], ranked[0][2]
        if chosen is None:
            return None
        if len(chosen) == 1 and (before := _stage_before(table, chosen[0], ranked, asked)):
            chosen, better = [before], True
            ranked = sorted(ranked, key=lambda entry: entry[1] != before)
            precision = ranked[0][2]
        own = _worth(chosen[0]) if not better else ranked[0][0]
        rivals = [
            name
            for score, name, _ in ranked
            if score >= own and name not in chosen and not re.search(r"(^|_)(utc|gmt)(_|$)", plain(name))
            and spread(table, [name])[name].n_unique() > 1
        ]  # fmt: skip
        if rivals and (better or own < 3):
            notices.append(
                Notice(
                    "time_column",
                    f"The time is taken from '{chosen[0]}'; {', '.join(rivals)} could be it as well.",
                    table.height,
                )
            )
        elif LATER.search(plain(chosen[0])):
            says = f"The time is taken from '{chosen[0]}', which seems to say when something was reported or entered, not when it happened."
            notices.append(Notice("time_column", says, table.height))
    if len(chosen) == 1 and precision == "month" and (days := _days_of_months(table, taken)):
        clocks, said = clocks_of(table, days, {*taken, chosen[0], days})
        chosen, notices[len(notices) :] = [chosen[0], days, *clocks], said
    if (
        len(chosen) == 2
        and chosen != apart
        and (minute := minute_of(table, chosen[1], {*taken, *chosen}))
    ):
        chosen = [*chosen, minute]
    in_parts = chosen == apart or (len(chosen) == 3 and precision == "day")
    if (len(chosen) == 1 or in_parts) and precision != "month":
        times = _sampled(table, chosen, asked)
        if not _only_months(times) and (precision == "day" or _one_clock(times)):
            clocks, said = clocks_of(table, chosen[-1], {*taken, *chosen})
            chosen, notices[len(notices) :] = [*chosen, *clocks], said
    return chosen


def _stage_before(
    table: Rows, name: str, ranked: list[tuple[float, str, str]], asked: Asked
) -> str | None:
    """Another column of times that is nearly always before this one, by less than a year: what happened came
    before it was sent on, seen to or closed. None for one whose name says that it tells of what happened."""
    if HAPPENED.search(plain(name)):
        return None
    before = name
    for _, other, precision in ranked:
        if other == before or precision != "minute" or PERSON.search(plain(other)):
            continue
        sample = spread(table, [before, other])
        late, early = (
            read_moments(sample, [one], replace(asked, order=None, hint="mdy")).values
            for one in (before, other)
        )
        gap = (late - early).drop_nulls().dt.total_seconds()
        near = len(gap) > 0.5 * sample.height and 0 < float(gap.median() or 0) < YEAR  # type: ignore[arg-type]
        if near and float((gap >= 0).mean()) > 0.98:  # type: ignore[arg-type]
            before = other
    return before if before != name else None


def _days_of_months(table: Rows, taken: set[str]) -> str | None:
    """A column of the days within the months that stand in another."""
    for name in table.columns:
        if name not in taken and PART["day"].search(plain(name)) and within(table, name, 31):
            return name
    return None


def _worth(name: str) -> float:
    """How far a column's name says that it tells when something happened."""
    word = plain(name)
    return (
        3.0 * bool(HAPPENED.search(word))
        + 2.0 * bool(DATED.search(word))
        - 4.0 * bool(LATER.search(word))
    )


def _in_parts(table: Rows, taken: set[str]) -> list[str]:
    """Columns of years, months, days and hours, as far as there are all before; of several sets that are named
    alike that of what happened. None where years aren't ours."""
    sets = []
    for year in table.columns:
        word = plain(year)
        if year in taken or not PART["year"].search(word) or FISCAL.search(word):
            continue
        if not _of_years(table, year):
            continue
        found, rest = [year], _rest(year, "year")
        for part in list(PART)[1:]:
            free = [name for name in table.columns if name not in [*taken, *found]]
            names = [name for name in free if PART[part].search(plain(name))]
            if not names:
                break
            found.append(min(names, key=lambda name: _rest(name, part) != rest))
        sets.append(found)
    return max(sets, key=lambda one: (min(len(one), 3), _worth(one[0]), len(one)), default=[])


def _rest(name: str, part: str) -> str:
    """What a column's name says beside the part of a time that it holds."""
    return PART[part].sub("", plain(name))


def _of_years(table: Rows, name: str) -> bool:
    number = spread(table, [name])[name].cast(pl.Float64, strict=False)
    return bool(number.is_between(1900, 2100).fill_null(False).mean())


def _year_apart(table: Rows, taken: set[str], parts: list[str], asked: Asked) -> list[str]:
    """A column of years, the first of the `parts` of times, and one of the days in them, 01/31 or the number in
    the year; none where the parts of days are all there."""
    if not parts or len(parts) > 2:
        return []
    for name in table.columns:
        dated = DATED.search(plain(name)) or DAY_NUMBER.search(plain(name))
        if dated and name not in [*parts, *taken]:
            share, precision, _ = _reads(table, [parts[0], name], asked)
            if share > 0.9 and precision != "month":
                return [parts[0], name]
    return []


def _only_months(times: pl.Series | None) -> bool:
    """Whether all days of a column are the first of their months: those stand for the month alone."""
    return (
        times is not None
        and len(times) > 12
        and bool((times.dt.day() == 1).all())
        and times.dt.month().n_unique() > 1
    )


def _one_clock(times: pl.Series | None) -> bool:
    """Whether all moments of a column are at one time of day, or two an hour apart: its days are meant."""
    if times is None or len(times) < 10:
        return False
    hours = times.dt.hour().unique().sort().to_list()
    return times.dt.minute().n_unique() == 1 and (
        len(hours) == 1 or hours[-1] - hours[0] == len(hours) - 1 == 1
    )


def _is_clock_with_a_day(table: Rows, name: str, asked: Asked) -> bool:
    """Whether all moments of a column lie on one day that stands for none, beside a column that has days."""
    times = _sampled(table, [name], asked)
    if (
        times is None
        or len(times) < 10
        or times.dt.date().n_unique() > 1
        or times.dt.time().n_unique() < 5
    ):
        return False
    others = (_sampled(table, [other], asked) for other in table.columns if other != name)
    return any(other is not None and other.dt.date().n_unique() > 1 for other in others)


def _sampled(table: Rows, columns: list[str], asked: Asked) -> pl.Series | None:
    """Times of a sample, None where hardly any can be read."""
    sample = spread(table, columns)
    if sample.is_empty():
        return None
    try:
        found = read_moments(
            sample, columns, replace(asked, order=asked.order or "mdy", zone="UTC")
        )
    except UserError:
        return None
    times = found.values.drop_nulls()
    return times if len(times) >= 0.8 * sample.height else None


def _dated(table: Rows, asked: Asked, taken: set[str]) -> list[tuple[float, str, str]]:
    """Columns that hold times, best first: (score, column, precision)."""
    found = []
    for name in table.columns:
        if name in taken:
            continue
        word = plain(name)
        if PART["year"].search(word):
            continue  # with a month and a day beside it, or nothing
        hinted = bool(DATED.search(word))
        share, precision, says = _reads(table, [name], asked)
        if share < 0.8 or _filled(table, name) < 0.5 or _is_clock_with_a_day(table, name, asked):
            continue
        if (
            not hinted
            and (
                "days" in says
                or "since" in says
                or says in ("mdy", "dmy", "months alone")
                or "two digits" in says
                or "and day" in says
                or "Republic" in says
            )
            and (IDENTITY.search(word) or "since" not in says)
            and not (HAPPENED.search(word) and precision == "minute" and _in_minutes(table, name))
        ):
            continue  # post codes and case numbers are numbers of days too
        score = _worth(name)
        score += 0.5 * (precision == "minute") + (0.0 if "since" in says or "days" in says else 0.2)
        found.append((score, name, precision))
    return sorted(found, key=lambda entry: -entry[0])


def _in_minutes(table: Rows, name: str) -> bool:
    """Whether numbers of days are whole minutes, which no other numbers are."""
    days = spread(table, [name])[name].cast(pl.Float64, strict=False).drop_nulls()
    minutes = days % 1 * 1440
    return len(days) > 0 and float(((minutes - minutes.round()).abs() < 0.02).mean()) > 0.9  # type: ignore[arg-type]


def _filled(table: Rows, name: str) -> float:
    null, size = nulls(table.column(name))
    return 1.0 - null / max(1, size)


def _kinds(table: Rows, name: str) -> int:
    """How many different texts a sample of a column holds."""
    return spread(table, [name])[name].cast(pl.String).n_unique()


def _tells_no_type(table: Rows, name: str) -> bool:
    """Whether the texts of a column are nothing but states of a case, sexes, priorities or yes and no."""
    texts = spread(table, [name])[name].cast(pl.String).str.strip_chars().str.to_lowercase()
    return len(texts) > 0 and all(NO_KIND.fullmatch(text) for text in texts.unique().to_list())


def _no_offence(table: Rows, name: str) -> Notice:
    says = f"The type is taken from '{name}', whose values say how a case stands, who or how urgent, not what happened."
    return Notice("type_column", says, table.height)


def _kind(
    table: Rows, options: list[list[str]], found: dict[str, list[str]], notices: list[Notice]
) -> str | None:
    taken = _taken(found)
    named = [option[0] for option in options if option[0] not in taken]
    likely = []
    for place, name in enumerate(table.columns):
        word = plain(name)
        if name in taken or table.schema[name] != pl.String or not KIND.search(word):
            continue
        given, different = distinct(table.column(name))
        sample = spread(table, [name])[name]
        coded = len(sample) and sample.cast(pl.Float64, strict=False).null_count() < 0.5 * len(
            sample
        )
        if not given or different > max(20, 0.3 * given) or coded:
            continue
        score = (
            -6 * _tells_no_type(table, name)
            + 3 * bool(OFFENCE.search(word))
            - 4 * bool(NOT_KIND.search(word))
            - bool(re.search(r"(^|_)id$", word))
        )
        likely.append((-score, place, name))
    if named:
        own, none = _kinds(table, named[0]), _tells_no_type(table, named[0])
        # A flag or a class, or the same in every row, where another column tells which offence it was.
        finer = [
            n
            for score, _, n in sorted(likely)
            if n != named[0] and score <= 0 and _kinds(table, n) > 2
        ]
        # Where a column is called after the offence, one of any name may be of what it was done with or where.
        offence = [n for n in finer if OFFENCE.search(plain(n)) and plain(named[0]) in ANY_KIND]
        if offence and not none:
            says = f"The type is taken from '{offence[0]}'; '{named[0]}' could be it as well."
            notices.append(Notice("type_column", says, table.height))
            return offence[0]
        if not none:
            finer = [n for n in finer if _kinds(table, n) > max(2, own)]
        if finer and (own <= 2 or none):
            why = (
                "says how a case stands, who or how urgent"
                if none
                else f"has {own} value{'s' * (own > 1)} alone"
            )
            says = f"The type is taken from '{finer[0]}': '{named[0]}' {why}."
            notices.append(Notice("type_column", says, table.height))
            return finer[0]
        if none:
            notices.append(_no_offence(table, named[0]))
        return named[0]
    likely = [one for one in likely if one[0] <= 0 or not OTHER.search(plain(one[2]))]
    if not likely:
        return None
    chosen = min(likely)[2]
    if _tells_no_type(table, chosen):
        notices.append(_no_offence(table, chosen))
    return chosen


def _identity(
    table: Rows, options: list[list[str]], found: dict[str, list[str]], city: City
) -> str | None:
    """A column that names each record; a number that only counts the rows of this file is none."""
    taken = _taken(found)
    for option in options:
        name = option[0]
        if name in taken or COUNTER.match(plain(name)):
            continue
        if plain(name) in {plain(source.columns.get("source_id", "")) for source in city.sources}:
            return name  # the registry knows this portal's
        column = table.column(name)
        null, _ = nulls(column)
        given, different = distinct(column)
        if null <= 0.5 * table.height and different >= 0.5 * given:
            return name
    return None


def joined(columns: dict[str, list[str]]) -> dict[str, Any]:
    """Columns as a mapping is written: several joined by +."""
    return {field: "+".join(parts) for field, parts in columns.items()}
