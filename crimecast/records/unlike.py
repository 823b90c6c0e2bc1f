"""What a file's records are unlike in those that were read of the city before: hours, types, records that are gone."""

from datetime import timedelta

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts
from crimecast.reading.stretches import TOLD, turn
from crimecast.records.snapshot import snapshot

FEW = 50  # records from which on it is said
GONE = 0.3  # share of the known records of a time that may be withdrawn; beyond, the file holds a part of them
ALIKE = 0.05  # share of the records whose type was known before, below which types are others


def unlike_known(
    city: City, events: Parts[pl.DataFrame], precision: str, by_id: bool
) -> list[Notice]:
    """Notices on events (SCHEMA, those that aren't left out) beside those of the city's archive; `by_id`: their ids
    are the file's own."""
    held = snapshot(city)
    if not held.files or sum(part.height for part in events) < FEW:
        return []
    known = held.scan()
    found = [*_types(known, events), *(_gone(known, events) if by_id else [])]
    return [*_hours(known, events), *found] if precision == "minute" else found


def _hours(known: pl.LazyFrame, events: Parts[pl.DataFrame]) -> list[Notice]:
    before = _by_hour(known)
    own = sum((_by_hour(part.lazy()) for part in events), np.zeros(24))
    shift, _ = turn(own, before)
    if not shift:
        return []
    says = f"Hours lie about {abs(shift)} {'later' if shift > 0 else 'earlier'} than in what was read of the city before: one of the two may be of another time zone: correct it."
    return [Notice("rhythm_known", says, round(float(own.sum())))]


def _by_hour(frame: pl.LazyFrame) -> np.ndarray:
    """(24,) how many records each hour has, without exact midnights and noons."""
    some = frame.filter(TOLD).group_by(hour=pl.col("time").dt.hour()).len().collect()
    found = np.zeros(24)
    found[some["hour"].to_numpy()] = some["len"].to_numpy()
    return found


def _types(known: pl.LazyFrame, events: Parts[pl.DataFrame]) -> list[Notice]:
    before = known.group_by("type").len().collect().sort("len", descending=True)["type"]
    own = pl.concat([part.group_by("type").len() for part in events]).group_by("type").agg(pl.col("len").sum())  # fmt: skip
    rows = int(own["len"].sum())
    alike = int(own.filter(pl.col("type").is_in(before.to_list()))["len"].sum())
    if alike >= ALIKE * rows or len(before) < 2 or own.height < 2:
        return []
    new = own.sort("len", "type", descending=[True, False])["type"].head(2).to_list()
    says = (
        f"The types of this file ('{new[0]}', '{new[1]}') are none of those that were read of the city before ('{before[0]}', '{before[1]}'): if they are the "
        "same in other words or as codes, series of single types break here. Choose another column for the type, or put them into groups."
    )
    return [Notice("types_unlike", says, rows)]


def _gone(known: pl.LazyFrame, events: Parts[pl.DataFrame]) -> list[Notice]:
    """Records of the time that a file covers that it doesn't have any more."""
    times = [part["time"] for part in events if part.height]
    ids = pl.concat([part.select("source_id") for part in events])
    if ids.height < FEW:
        return []
    low, high = min(t.min() for t in times), max(t.max() for t in times)  # type: ignore[type-var]
    # Its first and last day may be parts of days.
    inside = pl.col("time").is_between(low + timedelta(days=1), high - timedelta(days=1))  # type: ignore[operator]
    there = known.filter(inside).select("source_id").collect()
    gone = there.join(ids, on="source_id", how="anti").height
    if there.height < FEW or not 0 < gone <= GONE * there.height:
        return []
    says = f"{gone:,} of {there.height:,} records of the same time that were here aren't in this file, and stay: if they were withdrawn, remove the earlier file and read this one."
    return [Notice("withdrawn", says, gone)]
