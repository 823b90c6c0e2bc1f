"""What a file that replaces stored records does to them, where that is doubtful."""

from datetime import datetime
from typing import Any

import polars as pl

from crimecast.reading.notice import Notice
from crimecast.records.snapshot import Snapshot


def told_of(incoming: pl.DataFrame, both: pl.DataFrame | None = None) -> pl.DataFrame:
    """One row on a part of a file: its `last` time; of the stored rows that it replaces (`both`, theirs beside
    the file's own, which end with _now) how many become `coarser`, are `lost` or `renamed`, and how many `moved`
    `by` the same minutes, the most that did."""
    last = incoming.filter(pl.col("reason").is_null()).select(last=pl.col("time").max())
    if both is None:
        none = {key: [0] for key in ("coarser", "lost", "renamed", "moved", "by")}
        return pl.concat([last, pl.DataFrame(none)], how="horizontal")
    was, now = pl.col("time"), pl.col("time_now")
    counted = both.filter(pl.col("reason").is_null()).select(
        coarser=((was.dt.date() == now.dt.date()) & (now != was) & (now == now.dt.truncate("1h")) & (was != was.dt.truncate("1h"))).sum(),
        lost=pl.col("reason_now").is_not_null().sum(),
        renamed=((pl.col("type") != pl.col("type_now")) & (was == now)).sum(),
    )  # fmt: skip
    minutes = both.select((now - was).dt.total_minutes().alias("by")).filter(pl.col("by") != 0)
    most = minutes.group_by("by").len("moved").sort("moved", "by").tail(1)
    counted = counted.with_columns(
        moved=pl.lit(most["moved"][0] if len(most) else 0),
        by=pl.lit(most["by"][0] if len(most) else 0),
    )
    return pl.concat([last, counted.cast(pl.Int64)], how="horizontal")


def replacing_notices(
    held: Snapshot, told: pl.DataFrame, replaced: int, same: int
) -> list[dict[str, Any]]:
    """Notices on a file that replaces records: it ends before what was here, and may be an older state; it
    knows less of their times; or it has no time or place for them."""
    notices = []
    last, newest = told["last"].max(), None
    if held.files:
        newest = pl.read_parquet(held.files[max(held.files)], columns=["time"])["time"].max()
    if isinstance(last, datetime) and isinstance(newest, datetime) and last < newest:
        says = (
            f"{replaced:,} records that were here are now as this file has them, though it ends on {last:%Y-%m-%d %H:%M}, before "
            f"what was here ({newest:%Y-%m-%d %H:%M}). If it is an older state of them, read the newer file once more."
        )
        notices.append(Notice("older_file", says, replaced))
    coarser, lost = int(told["coarser"].sum()), int(told["lost"].sum())
    if coarser >= max(5, 0.05 * replaced):
        says = (
            f"{coarser:,} records whose minute was known are now at a full hour or midnight of the same day, as this file has them. "
            "If it only knows less, read the finer file once more."
        )
        notices.append(Notice("coarser_file", says, coarser))
    moved = told.filter(pl.col("moved") > 0)
    by = moved.sort("moved")["by"].to_list()[-1] if moved.height else 0
    rows = int(moved.filter(pl.col("by") == by)["moved"].sum())
    if rows >= max(20, 0.5 * (replaced + same)) and abs(by) <= 14 * 60:
        says = f"{rows:,} records that were here are now {abs(by):,} minutes {'later' if by > 0 else 'earlier'}, all by the same: one of the two files was read in a wrong time zone."
        notices.append(Notice("clock_moved", says, rows))
    renamed = int(told["renamed"].sum())
    if renamed >= max(20, 0.5 * (replaced + same)):
        says = f"{renamed:,} records that were here bear another type now, as this file calls it: if it only writes types another way, those of other records don't match them any more."
        notices.append(Notice("types_renamed", says, renamed))
    if lost:
        says = f"{lost:,} records that were here are left out now: this file gives them no time or place that can be used. Read the earlier file once more to have them back."
        notices.append(Notice("lost", says, lost))
    return [notice.plain() for notice in notices]
