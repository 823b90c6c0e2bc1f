"""Ids that begin with a year, as numbers of cases do, held against the years of the times."""

from collections import Counter

import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts

YEAR = r"^[A-Za-z]{0,4}[-/ ]?((?:19|20)\d\d)(?:[-/ ]|\d{3,}|[A-Za-z])"
FEW = 50  # records with such an id, below which nothing is said
MOST = 0.9  # of the records: those with such an id, and of them those that are as many years off
SOME, SHARE = (
    10,
    0.005,
)  # records whose id begins with another year, where those of the others don't
PAST = 2  # years: a case may be given a number in the year after


def id_years(events: Parts[pl.DataFrame]) -> Notice | None:
    """Says that the times are years away from those that the ids of nearly all records begin with."""
    off: Counter[int] = Counter()
    rows = 0
    example = ""
    for part in events:
        used = part.filter(pl.col("reason").is_null() & ~pl.col("content"))
        rows += used.height
        year = used.select(
            (pl.col("time").dt.year() - pl.col("source_id").str.extract(YEAR).cast(pl.Int32)).alias("off")
        )["off"]  # fmt: skip
        off.update(dict(year.drop_nulls().value_counts().rows()))
        example = example or (str(used["source_id"][0]) if used.height else "")
    known = off.total()
    if known < max(FEW, MOST * rows):
        return None
    years, count = off.most_common(1)[0]
    others = sum(rows_off for apart, rows_off in off.items() if abs(apart) >= PAST)
    if years == 0 and others >= max(SOME, SHARE * known):
        says = f"{others:,} of {rows:,} times are years away from the year with which their id begins, such as {example:.20}; the others aren't: their year may be wrong."
        return Notice("id_years", says, others)
    if abs(years) < PAST or count < MOST * known:
        return None
    says = (
        f"The ids begin with a year, such as {example:.20}, and {count:,} of {rows:,} times are {abs(years)} years {'before' if years < 0 else 'after'} it: "
        "days may be counted from another one, as 1904 in Excel for Macintosh."
    )
    return Notice("id_years", says, count)
