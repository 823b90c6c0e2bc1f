"""What looks wrong in a city's records though each of them could be read: as notices with numbers.

The thresholds lie between what eight real files of Chicago, Los Angeles, San Francisco and Vancouver
hold where nothing is wrong and where something is known to be: a place of 1.6 % of all records is San
Francisco's hall of justice, 5 % at exactly midnight are Vancouver's unknown hours.
"""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from crimecast.calendar.seasonal import comes_back
from crimecast.reading.notice import Notice
from crimecast.reading.odd_values import (
    odd_minutes,
    odd_places,
    odd_rows_in_order,
    odd_types,
    odd_years,
)
from crimecast.reading.parts import Parts, counts, every
from crimecast.reading.rhythm import shifted

FEW = 40  # records from which on places that are rounded to a kilometre are said
ENOUGH = 500  # records below which shares tell nothing
PLACE, PLACE_TENTH = 0.01, 4.0  # share of the first place; and how many times the tenth's that is
MIDNIGHT, NOON = 0.04, 0.04  # at exactly that minute; 1 % and 2.5 % are usual
FIRSTS, NEW_YEARS = (
    1.45,
    2.5,
)  # times what days alike would have: 1.05 to 1.25 and 1.3 to 1.6 are usual
SURE = 4.0  # deviations by which a count is beyond chance
WHOLE_HOURS = 0.11  # at one hour, where only hours are given
JUMP = 1.8  # times the level of the four weeks before: 1.5 is the season's most
ROUNDED = 0.5
STUCK = 20  # rows in a row of one latitude, or longitude
PAIRS = 3  # of types, beyond which they are told of together
NO_TYPE = 0.05
SAMPLE = 100_000


AT_ONCE, ON_A_DAY, LEAST_AT_ONCE = (
    0.02,
    0.05,
    15,
)  # shares and number of rows of one minute or day from which on it is said
OTHERS = 8.0  # times what the other half of the fuller minutes or days have


def plausibility(events: Parts[pl.DataFrame], precision: str) -> list[Notice]:
    """Notices about kept events (`time`, `type`, `longitude`, `latitude`); `precision` is that of their times."""
    height = sum(part.height for part in events)
    if height == 0:
        return []
    sample = every(events, max(1, height // SAMPLE), height)
    scale = height / sample.height
    minutes = _minutes(sample) if precision == "minute" else np.empty(0, dtype=int)
    rhythm = shifted(minutes[(minutes != 0) & (minutes != 720)], scale)
    types = _by_type(events)
    if height < ENOUGH:
        few = [] if rhythm is None else [rhythm]
        if height < FEW:
            return few
        return [
            *_rounded(sample, scale, 2),
            *_stuck(events),
            *_place(sample, scale),
            *_hours(minutes, scale),
            *_at_once(sample, precision, scale),
            *odd_places(sample, scale),
            *odd_rows_in_order(events),
            *odd_types(types),
            *few,
        ]
    days = counts(events.map(lambda part: part["time"].dt.date())).rename(
        {"value": "time", "rows": "count"}
    )
    found = [
        *_stuck(events),
        *_place(sample, scale),
        *_rounded(sample, scale),
        *_types(types),
        *odd_places(sample, scale),
        *odd_rows_in_order(events),
        *odd_types(types),
        *odd_years(days),
    ]
    found += _at_once(sample, precision, scale)
    if precision == "minute":
        found += [
            *_hours(minutes, scale),
            *odd_minutes(minutes, scale),
            *([rhythm] if rhythm else []),
        ]
    if precision != "month":
        found += [*_firsts(days), *_gaps(days)]
    return found


def _at_once(sample: pl.DataFrame, precision: str, scale: float) -> list[Notice]:
    """Says that many rows are of the very same minute, or day where no more is known, as those are that stand for no
    time."""
    if precision not in ("minute", "day"):
        return []
    unit, words = ("1m", "%Y-%m-%d %H:%M") if precision == "minute" else ("1d", "%Y-%m-%d")
    share = AT_ONCE if precision == "minute" else ON_A_DAY
    moments = sample["time"].dt.truncate(unit).value_counts().sort("count", "time", descending=True)
    time, rows = moments.row(0)
    others = moments["count"][1 : 1 + len(moments) // 2].median() or 1
    if rows < LEAST_AT_ONCE or rows < share * sample.height or rows < OTHERS * float(others):  # type: ignore[arg-type]
        return []
    says = (
        f"{scale * rows:,.0f} rows are of the same {precision}, {time:{words}}: it may stand for a time that isn't known. A forecast would take it for an "
        "outbreak. Empty it in the file, if it does."
    )
    return [Notice("many_at_once", says, round(scale * rows))]


def _by_type(events: Parts[pl.DataFrame]) -> pl.DataFrame:
    """How often each type occurs, first and last, the most frequent first."""
    own = pl.len().cast(pl.Int64).alias("rows")
    bounds = pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    parts = pl.concat([part.group_by("type").agg(own, *bounds) for part in events])
    types = parts.group_by("type").agg(
        pl.col("rows").sum(), pl.col("first").min(), pl.col("last").max()
    )
    return types.sort("rows", "type", descending=[True, False])


def _stuck(events: Parts[pl.DataFrame]) -> list[Notice]:
    """Says that one coordinate stays the same for many rows in a row while the other goes on."""
    for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
        runs = []
        for part in events:
            values = part[name].to_numpy()
            ends = np.flatnonzero(np.diff(values) != 0) + 1
            begins = np.concatenate([[0], ends])
            lengths = np.diff(np.concatenate([begins, [len(values)]]))
            runs += [
                (int(length), float(values[at])) for at, length in zip(begins, lengths, strict=True)
                if length >= STUCK and part[other][int(at) : int(at + length)].n_unique() > length / 2
            ]  # fmt: skip
        some = sum(length for length, _ in runs) < 0.5 * sum(part.height for part in events)
        if 0 < len(runs) <= 3 and some:  # many are an order by place
            rows, value = max(runs)
            says = f"The {name} is {value:g} in {rows:,} rows one after the other, while the {other} goes on: it seems to have stuck. Leave those rows out."
            return [Notice("stuck", says, sum(length for length, _ in runs))]
    return []


def _beyond(share: float, rows: int) -> float:
    """So many of the rows are more than a share of them, and more than chance makes of few."""
    return share * rows + SURE * float(np.sqrt(share * rows))


def _place(sample: pl.DataFrame, scale: float) -> list[Notice]:
    places = sample.group_by("longitude", "latitude").len()
    places = places.sort("len", "longitude", "latitude", descending=True)
    if places.height < 50:
        return []
    east, north, rows = places.row(0)
    share = rows / sample.height
    if rows < _beyond(PLACE, sample.height) or rows < PLACE_TENTH * places["len"][9]:
        return []
    return [
        Notice(
            "one_place",
            f"{share:.1%} of the records are at one place ({north:.5f}, {east:.5f}), far more than at any ordinary one: it may stand for unknown places, such as a police station. Its cell will be forecast high; leave it out of what is judged if so.",
            round(rows * scale),
        )
    ]


def _rounded(sample: pl.DataFrame, scale: float, most: int = 3) -> list[Notice]:
    for digits, metres in ((1, 11_000), (2, 1_100), (3, 110))[:most]:
        both = pl.lit(True)
        for name in ("longitude", "latitude"):
            value = pl.col(name) * 10**digits
            both = both & ((value - value.round()).abs() < 1e-6)
        rows = sample.filter(both).height
        if rows > ROUNDED * sample.height:
            return [
                Notice(
                    "rounded_places",
                    f"{rows / sample.height:.0%} of the places are rounded to {digits} decimals, about {metres:,} m: cells smaller than that show the rounding, not the city.",
                    round(rows * scale),
                )
            ]
    return []


def _minutes(sample: pl.DataFrame) -> np.ndarray:
    times = sample["time"]
    return (times.dt.hour().cast(pl.Int32) * 60 + times.dt.minute()).to_numpy()


def _hours(minutes: np.ndarray, scale: float) -> list[Notice]:
    found = []
    for name, minute, most in (("midnight", 0, MIDNIGHT), ("noon", 720, NOON)):
        rows = int((minutes == minute).sum())
        most = WHOLE_HOURS if (minutes % 60 == 0).all() else most
        if rows > _beyond(most, len(minutes)):
            found.append(
                Notice(
                    f"many_at_{name}",
                    f"{rows / len(minutes):.1%} of the times are exactly {name}: many stand for an unknown hour. Steps of a day aren't hurt; in steps of hours that one is forecast too high.",
                    round(rows * scale),
                )
            )
    return found


def _firsts(days: pl.DataFrame) -> list[Notice]:
    """Days that stand for a month or a year."""
    first, last = days["time"][0], days["time"][-1]
    span = (last - first).days + 1
    if span < 59:
        return []
    total = int(days["count"].sum())
    found = []
    for name, code, mask, most in (
        ("the first of a month", "first_of_month", days["time"].dt.day() == 1, FIRSTS),
        (
            "1 January",
            "first_of_year",
            (days["time"].dt.day() == 1) & (days["time"].dt.month() == 1),
            NEW_YEARS,
        ),
    ):
        there, rows = int(mask.sum()), int(days.filter(mask)["count"].sum())
        if (
            there
            and rows - total * there / span > 0.005 * total
            and rows > most * total * there / span
            and rows > total * there / span + SURE * np.sqrt(total * there / span)
        ):
            found.append(
                Notice(
                    code,
                    f"{rows / total:.1%} of the records are of {name}, {rows / (total * there / span):.1f} times what other days have: that day stands for an unknown one. It looks like a peak that returns; use steps of a month, or leave these days out.",
                    rows,
                )
            )
    return found


def _gaps(days: pl.DataFrame) -> list[Notice]:
    first: date = days["time"][0]
    number = (days["time"].to_numpy().astype("datetime64[D]") - np.datetime64(first, "D")).astype(
        int
    )
    counts = np.zeros(number[-1] + 1)
    counts[number] = days["count"].to_numpy()
    found = []
    month = np.ones(29)
    around = np.convolve(counts, month)[14:-14] / np.convolve(np.ones(len(counts)), month)[14:-14]
    empty = counts == 0
    # In the middle of a long gap nothing is usual any more: it is as long as it is seen at its ends.
    run = np.cumsum(~empty)
    holes = np.flatnonzero(empty & np.isin(run, run[empty & (around >= 10)]))
    if holes.size:
        some = ", ".join(str(np.datetime64(first, "D") + int(day)) for day in holes[:5])
        found.append(
            Notice(
                "days_without",
                f"{holes.size} days have no record where dozens are usual ({some}{' …' if holes.size > 5 else ''}): they were not published. A network learns them as quiet days; leave that time out.",
                int(holes.size),
            )
        )
    if len(counts) >= 112 and counts.mean() >= 10:
        level = np.convolve(counts, np.ones(28) / 28, "valid")
        before, after = level[:-28], level[28:]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where((before > 0) & (after > 0), after / before, 1.0)
        change = np.log(ratio)
        large = np.flatnonzero((change > np.log(JUMP)) | (change < -np.log(JUMP)))
        breaks = [i for i in large if not comes_back(change, int(i), 1.0)]
        at = int(max(breaks, key=lambda i: abs(change[i]), default=np.abs(change).argmin()))
        if not 1 / JUMP < ratio[at] < JUMP and max(before[at], after[at]) >= 10:
            day = np.datetime64(first, "D") + at + 28
            found.append(
                Notice(
                    "jump",
                    f"Around {day} the number of records a day goes from {before[at]:,.0f} to {after[at]:,.0f}: a new reporting system, a part that is missing, or records still to come. Train and judge on one side of it.",
                    round(28 * after[at]),
                )
            )
    return found


def _types(types: pl.DataFrame) -> list[Notice]:
    total = int(types["rows"].sum())
    found = []
    empty = types.filter(pl.col("type") == "(none given)")["rows"].sum()
    if empty > NO_TYPE * total:
        found.append(
            Notice(
                "type_missing",
                f"{empty / total:.0%} of the records have no type: series of single types miss them. Use all types together, or times in which they are given.",
                int(empty),
            )
        )
    begin, end = types["first"].min(), types["last"].max()
    large = types.filter(pl.col("rows") >= max(50, 0.005 * total))
    margin = pl.duration(days=60)
    gone = large.filter(pl.col("last") < pl.lit(end) - margin)
    come = large.filter(pl.col("first") > pl.lit(begin) + margin)
    renamed: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for old in gone.iter_rows(named=True):
        for new in come.iter_rows(named=True):
            apart = abs((new["first"] - old["last"]).days)
            rates = [
                kind["rows"] / max(1, (kind["last"] - kind["first"]).days) for kind in (old, new)
            ]
            if apart <= 31 and 0.5 < rates[0] / rates[1] < 2:
                renamed.append((old, new))
    if len(renamed) > PAIRS:
        olds, news = ({one["type"]: one for one in pair} for pair in zip(*renamed, strict=True))
        when = sorted(one["last"] for one in olds.values())[len(olds) // 2]
        rows = sum(one["rows"] for one in (*olds.values(), *news.values()))
        says = (
            f"Around {when:%Y-%m-%d} {len(olds)} types end, such as {', '.join(map(repr, list(olds)[:3]))}, and {len(news)} begin, such as "
            f"{', '.join(map(repr, list(news)[:3]))}: they look like the same under other names or codes. Write them alike, else each looks like a change of crime."
        )
        return [*found, Notice("type_renamed", says, rows)]
    for old, new in renamed:
        found.append(
            Notice(
                "type_renamed",
                f"'{old['type']}' ends on {old['last']:%Y-%m-%d} and '{new['type']}' begins on {new['first']:%Y-%m-%d}, about as often: it looks like one type under two names. Put both into one group, else each looks like a change of crime.",
                old["rows"] + new["rows"],
            )
        )
    return found
