"""Rows that seem to be no event, or one that is told several times: said, since nothing of the row itself is wrong."""

import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, Parts, repeats

TOTALS = {
    "total", "totals", "all", "sum", "grand total", "gesamt", "summe", "insgesamt", "total general", "totaal", "celkem", "razem", "итого",
    "всего", "合計", "总计", "합계", "toplam", "totale",
}  # fmt: skip
FEW = 20  # rows below which shares tell nothing
ALIKE, UNTYPED, SAME = 0.2, 0.05, 0.1
PLACED, SMALL = 0.9, 5_000  # of more rows the places are looked at with all else (`plausibility`)


def odd_rows(events: Parts[pl.DataFrame], columns: dict[str, list[str]]) -> list[Notice]:
    """Notices on kept events (`time`, `type`, `longitude`, `latitude`, `source_id`, `content`, `reason`)."""
    totals = kept = alike = untyped = 0
    places: dict[tuple[float, float], int] = {}
    for part in events:
        used = pl.col("reason").is_null()
        # Ids made of what a row says have a number from the second of its rows on.
        again = pl.col("content") & pl.col("source_id").str.contains(r"~\d+$")
        marks = (pl.col("type").is_in(list(TOTALS)), pl.col("type") == "(none given)", again)
        own, *counts = part.select(
            used.sum(), *((used & mark).sum().alias(f"{i}") for i, mark in enumerate(marks))
        ).row(0)
        kept, totals, untyped, alike = (
            kept + own,
            totals + counts[0],
            untyped + counts[1],
            alike + counts[2],
        )
        if own > SMALL:
            continue
        counted = (
            part.filter(used)
            .group_by("longitude", "latitude")
            .len()
            .sort("len", descending=True)
            .head(50)
        )
        for east, north, rows in counted.rows():
            places[east, north] = places.get((east, north), 0) + rows
    notices = []
    if 0 < totals < 0.2 * kept:
        notices.append(
            Notice(
                "totals",
                f"{totals:,} rows have a type such as 'total': they seem to be sums of others, and are counted as events.",
                totals,
            )
        )
    if kept < FEW:
        return notices
    if alike > ALIKE * kept:
        says = f"{alike:,} rows say the same time, place and type as another: each is taken for an event. If they are units, persons or articles of one, leave all but one out."
        notices.append(Notice("alike", says, alike))
    if "source_id" in columns:
        notices += _ids_alike(events)
    if all(one.code not in ("alike", "ids_alike") for one in notices):
        notices += _alike(events, alike, kept)
    if (
        "type" in columns and untyped > UNTYPED * kept and kept < 500
    ):  # of more it is said with the shares of all
        says = f"{untyped / kept:.0%} of the records have no type: if it is written once for several rows, write it in each."
        notices.append(Notice("type_missing", says, untyped))
    (east, north), most = max(places.items(), key=lambda entry: entry[1], default=((0.0, 0.0), 0))
    if most > PLACED * kept:
        says = f"{most:,} of {kept:,} records are at one place ({north:.5f}, {east:.5f}): other columns may hold where they happened."
        notices.append(Notice("one_place", says, most))
    return notices


def _ids_alike(events: Parts[pl.DataFrame]) -> list[Notice]:
    """Rows whose id is another's but for capitals and signs."""
    if not any(part["source_id"].str.contains(r"[^0-9]").any() for part in events):
        return []
    ids = events.map(
        lambda part: part["source_id"].str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    )
    rows = _again(ids) - _duplicates(events)
    if rows <= FEW:
        return []
    says = f"{rows:,} rows have the id of another written otherwise, in capitals or with other signs: they may be there twice."
    return [Notice("ids_alike", says, rows)]


def _alike(events: Parts[pl.DataFrame], exact: int, kept: int) -> list[Notice]:
    """Rows of the minute, place and type of another, beyond those that are `exact`ly alike and have no id."""
    told = events.map(
        lambda part: part.select(
            pl.struct(pl.col("time").dt.truncate("1m"), "x", "y", "type").hash()
        ).to_series()
    )
    rows = _again(told) - _duplicates(events) - exact
    if rows <= SAME * kept:
        return []
    says = f"{rows:,} rows say the same minute, place and type as another: they may be there twice, as where a record is written again when its case moves on, or by two systems."
    return [Notice("alike", says, rows)]


def _duplicates(events: Parts[pl.DataFrame]) -> int:
    return sum(int((part["reason"] == "duplicate").sum()) for part in events)


def _again(keys: Column) -> int:
    return sum(int(part.sum()) for part in repeats(keys))
