"""Which column, or columns, of a file tell when something happened."""

import re
from dataclasses import replace
from datetime import datetime

import polars as pl

from crimecast import Doubt, UserError
from crimecast.reading.clock_columns import clocks_of, minute_of, within
from crimecast.reading.columns import plain
from crimecast.reading.halves import half_of
from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows, head, nulls
from crimecast.reading.place_columns import spread
from crimecast.reading.words import (
    DATED,
    DAY_NUMBER,
    FISCAL,
    HAPPENED,
    IDENTITY,
    LATER,
    PART,
    PERSON,
)

NEARLY = 0.95  # of the rows
# What begins before anything happens: shifts, sunrise, licences.
BEGINS_BEFORE = re.compile(r"shift|duty|sun|licen|regist|built|issue|utc|gmt|(^|_)local(_|$)")
NO_DAY = datetime(1902, 1, 1)
FEW_DAYS, MANY_DAYS = 3, 10  # of an export; and times so many, those of what happened
YEAR = 366 * 86_400  # seconds
NIGHT = re.compile(
    r"(^|_)(night|shift|duty|watch|nacht|nuit|noche|noite|notte|schicht)(_|$)|business_?d|operational_?d|betriebstag"
)


def time_columns(
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
        share, precision, _ = reads(table, option, asked)
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
    if len(chosen) == 1 and (first := _earlier(table, chosen[0], taken, asked)):
        notices.append(
            Notice(
                "time_column",
                f"'{first}' is before '{chosen[0]}' in nearly every row: if that is when it happened, choose it for the time.",
                table.height,
            )
        )
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
    timed = len(chosen) > 1 or precision == "minute"
    if timed and (half := half_of(table, chosen, taken)):
        chosen = [*chosen, half]
    if len(chosen) > 1 and NIGHT.search(plain(chosen[0])):
        says = f"'{chosen[0]}' is named for a night or a shift, and its day is taken for that of every hour: where a night is named by the day on which it begins, what came after midnight was a day later."
        notices.append(Notice("night", says, table.height))
    return chosen


def reads(table: Rows, columns: list[str], asked: Asked) -> tuple[float, str, str]:
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


def _earlier(table: Rows, name: str, taken: set[str], asked: Asked) -> str | None:
    """Another column of times that is before this one in nearly every row, by minutes to months: its values tell of
    what came first, whatever both are called."""
    for other in table.columns:
        word = plain(other)
        if other == name or other in taken or PERSON.search(word) or BEGINS_BEFORE.search(word):
            continue
        few, kind = head(table.column(other), MANY_DAYS), table.schema[other]
        clocked = kind == pl.String and few.str.contains(r"\d.*\d[:.h]\d\d").any()
        if not (clocked or isinstance(kind, pl.Datetime)):
            continue
        sample = spread(table, [name, other]).drop_nulls()
        if sample.height < 2 * MANY_DAYS or reads(table, [other], asked)[1] != "minute":
            continue
        try:
            gaps = _seconds_before(sample, other, name, asked)
        except UserError:  # said where the time is read
            continue
        if len(gaps) < 2 * MANY_DAYS:
            continue
        between = int(((gaps > 0) & (gaps < YEAR / 2)).sum())
        if between > NEARLY * len(gaps):
            return other
    return None


def _seconds_before(sample: pl.DataFrame, early: str, late: str, asked: Asked) -> pl.Series:
    """By how much the times of one column are before those of another, in the rows that have both."""
    first, then = (
        read_moments(sample, [one], replace(asked, hint="mdy")).values for one in (early, late)
    )
    return (then - first).drop_nulls().dt.total_seconds()


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
        gap = _seconds_before(sample, other, before, replace(asked, order=None))
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
            share, precision, _ = reads(table, [parts[0], name], asked)
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
    """Whether all moments of a column lie on one day, or a few, that stand for none, as those of an export do, beside a column
    that has many."""
    times = _sampled(table, [name], asked)
    if (
        times is None
        or len(times) < 10
        or (days := times.dt.date().n_unique()) > FEW_DAYS
        or times.dt.time().n_unique() < 5
    ):
        return False
    others = (_sampled(table, [other], asked) for other in table.columns if other != name)
    return any(
        other is not None and other.dt.date().n_unique() > (1 if days == 1 else MANY_DAYS * days)
        for other in others
    )


def _sampled(table: Rows, columns: list[str], asked: Asked) -> pl.Series | None:
    """Times of a sample, None where hardly any can be read."""
    sample = spread(table, columns)
    if sample.is_empty():
        return None
    try:
        found = read_moments(sample, columns, replace(asked, hint="mdy", zone="UTC"))
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
        share, precision, says = reads(table, [name], asked)
        if share < 0.8 or _filled(table, name) < 0.5 or _is_clock_with_a_day(table, name, asked):
            continue
        number = table.schema[name].is_numeric() or _as_numbers(table, name)
        if not hinted and says == "in doubt" and number:
            continue  # one post code in every row, of which each pair of digits could be anything
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


def _as_numbers(table: Rows, name: str) -> bool:
    """Whether a column's texts are numbers."""
    sample = spread(table, [name])[name]
    if sample.dtype.is_temporal():
        return False
    return sample.cast(pl.Float64, strict=False).null_count() == 0


def _in_minutes(table: Rows, name: str) -> bool:
    """Whether numbers of days are whole minutes, which no other numbers are."""
    days = spread(table, [name])[name].cast(pl.Float64, strict=False).drop_nulls()
    minutes = days % 1 * 1440
    return len(days) > 0 and float(((minutes - minutes.round()).abs() < 0.02).mean()) > 0.9  # type: ignore[arg-type]


def _filled(table: Rows, name: str) -> float:
    null, size = nulls(table.column(name))
    return 1.0 - null / max(1, size)
