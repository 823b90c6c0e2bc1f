"""Crawl one data set: every month on its own, several at once, kept on disk page by page.

A crawl that is killed goes on where it was, and ends with the same records. When all months are
there, what changed meanwhile is fetched by `:updated_at`; months whose counts then still differ
from the portal's have lost or gained rows unseen, and are fetched again.
"""

import shutil
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crimecast import Doubt
from crimecast.cities import City
from crimecast.cities.city import check_zone
from crimecast.crawling.brought import Brought
from crimecast.crawling.counter import Counter
from crimecast.reading.days import order_of
from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments
from crimecast.reading.notice import Notice
from crimecast.records.archive import merge, remove
from crimecast.records.events import read_events
from crimecast.sources.arcgis import FeatureLayer
from crimecast.sources.carto import SqlTable
from crimecast.sources.ckan import Resource
from crimecast.sources.police_uk import Archive
from crimecast.sources.socrata import Dataset
from crimecast.storage.store import read_json, replacing, write_json

Table = Archive | Dataset | FeatureLayer | Resource | SqlTable
BATCH = 50_000  # rows merged into the archive at a time
LONGEST = 12 * 200  # months between the first and last row of a portal that may be believed
ROUNDS = 6  # of updates, at most, before a crawl ends although the portal keeps changing


@dataclass
class Crawl:
    """The crawl of one data set.

    `said` is the order of day and month as the user or the registry gave it; without it, that of
    dates which are texts is judged from all of them, and kept in the crawl's state. `notices` tells
    what was decided in doubt on the way.
    """

    city: City
    dataset: Table
    window: tuple[str | None, str | None]
    folder: Path
    counter: Counter
    connections: int
    said: str | None = None
    sums: dict[str, Any] = field(default_factory=dict)
    round: int = 1
    order: str | None = None
    notices: dict[str, Notice] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Full pass (or none, if this period was crawled before), then updates, then deletions."""
        self.sums = {"read": 0, "added": 0, "corrected": 0, "known": 0, "removed": 0, "dropped": {}}
        self.dataset.probe()
        state = self._state()
        said = self.said or self.dataset.source.date_format
        self.order = order_of(said) if said else state.get("order")
        # A portal that doesn't say what changed is read whole each time.
        again = state.get("complete") and not self.dataset.system_fields
        reading = [self.order, self.dataset.clock]
        # What was read with another order or clock is wrong, and corrected.
        again = again or (state.get("complete") and state.get("reading", reading) != reading)
        if state.get("window") != list(self.window) or again:
            shutil.rmtree(self._staging(), ignore_errors=True)
            state = {
                "window": list(self.window),
                "watermark": self.dataset.latest(),
                "round": state.get("round", 0) + 1,
                "order": self.order,
            }
            write_json(self._state_path(), state)
        self.round = state["round"]
        if not state.get("complete"):
            self._full()
            if not self.dataset.system_fields:
                self._forget_unseen()
            reading = [self.order, self.dataset.clock]
            state |= {"complete": True, "order": self.order, "reading": reading}
            write_json(self._state_path(), state)
            shutil.rmtree(self._staging(), ignore_errors=True)
        self._updates(state)
        self._reconcile()
        return self.sums

    @property
    def brought(self) -> Brought:
        """The ids of all records that this data set's crawls have brought."""
        return Brought(self.folder / f"{self._slug}.ids")

    @property
    def _slug(self) -> str:
        """The data set's name as a file name; a layer's is a path on its server."""
        return self.dataset.source.dataset.strip("/").replace("/", "_")

    def _state_path(self) -> Path:
        return self.folder / f"{self._slug}.json"

    def _state(self) -> dict[str, Any]:
        return read_json(self._state_path()) if self._state_path().exists() else {}

    def _staging(self) -> Path:
        return self.folder / self._slug

    def _partitions(self) -> tuple[list[str], int]:
        """Conditions that share the rows out: some months each, and the rows without a day.

        One for all of them if the portal can't count, or has few rows. With how many rows it counts, 0 if
        it can't.
        """
        everything = self.dataset.between(*self.window)
        size = self.dataset.size(everything)
        if size is None:
            return [everything], 0
        count, first_month, last_month = size
        self.counter.expected += count
        try:
            first, last = np.datetime64(first_month, "M"), np.datetime64(last_month, "M")
        except ValueError:
            return [everything], count
        months = int((last - first).astype(int)) + 1
        if not self.dataset.ordered or months > LONGEST:
            return [everything], count
        if count <= 2 * self.dataset.page_size or months < 2:
            return [everything], count
        # Enough months a part to fill a page, few enough to keep every connection busy.
        each = max(1, round(months * self.dataset.page_size / count))
        cuts = [
            str(first + np.timedelta64(i, "M")) + "-01T00:00:00" for i in range(each, months, each)
        ]
        parts = [
            self.dataset.between(a, b) for a, b in pairwise([self.window[0], *cuts, self.window[1]])
        ]
        if self.window == (None, None):
            parts.append(self.dataset.without_day())
        return parts, count

    def _full(self) -> None:
        staging = self._staging()
        plan = staging / "plan.json"
        if not plan.exists():
            parts, count = self._partitions()
            write_json(plan, {"parts": parts, "count": count, "expected": self.counter.expected})
        planned = read_json(plan)
        self.counter.expected = planned["expected"]
        todo = [
            part
            for part in enumerate(planned["parts"])
            if not (staging / f"{part[0]:04d}.merged").exists()
        ]
        with ThreadPoolExecutor(1) as self.saver, ThreadPoolExecutor(self.connections) as pool:
            running = {pool.submit(self._part, number, where): number for number, where in todo}
            ready: list[int] = []
            rows: list[int] = []
            try:
                while running:
                    finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
                    for task in list(finished):
                        ready.append(running.pop(task))
                        rows.append(task.result())
                    while ready and (sum(rows) > BATCH or not running):
                        # No more at a time than a batch, however far the downloads are ahead.
                        some = max(1, int(np.searchsorted(np.cumsum(rows), BATCH, "right")))
                        self._merge_parts(ready[:some])
                        ready, rows = ready[some:], rows[some:]
            except BaseException:
                for task in running:
                    task.cancel()
                raise

    def _part(self, number: int, where: str) -> int:
        """Fetch one partition, a file a page; goes on after the pages that are there.

        Returns how many rows it has.
        """
        folder = self._staging() / f"{number:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        pages = sorted(folder.glob("*.parquet"))
        after, done = None, 0
        if pages:
            done = pl.scan_parquet(pages).select(pl.len()).collect().item()
        if (folder / "complete").exists():
            return done
        if pages:
            after = pl.read_parquet(pages[-1], columns=[self.dataset.key])[self.dataset.key][-1]
            self.counter.add(done)
        count, rows = len(pages), done
        writes = []
        for page, _ in self.dataset.pages(where, after, done):
            # Written beside the next request; one thread writes, so no page is there before the one
            # it follows.
            writes.append(self.saver.submit(self._save, page, folder / f"{count:06d}.parquet"))
            count += 1
            rows += page.height
        for write in writes:
            write.result()
        (folder / "complete").touch()
        return rows

    def _save(self, page: pl.DataFrame, path: Path) -> None:
        with replacing(path) as temporary:
            page.write_parquet(temporary, compression="lz4")
        self.counter.add(page.height)

    def _merge_parts(self, numbers: list[int]) -> None:
        pages = [
            p for n in numbers for p in sorted((self._staging() / f"{n:04d}").glob("*.parquet"))
        ]
        tables = [pl.read_parquet(page) for page in pages]
        if pages:
            if self.order is None and not self.dataset.ordered:
                self.order = self._judged(pages)
            # A page without numbers where others have them is text, as then all are.
            self._add(pl.concat(tables, how="vertical_relaxed"))
        came = dict.fromkeys(numbers, 0)
        for page, table in zip(pages, tables, strict=True):
            came[int(page.parent.name)] += table.height
        for number in numbers:
            (self._staging() / f"{number:04d}.merged").write_text(str(came[number]))
            shutil.rmtree(self._staging() / f"{number:04d}", ignore_errors=True)

    def _judged(self, pages: list[Path]) -> str | None:
        """The order of day and month in texts, by all rows. Raises Doubt where no row tells.

        Where the portal can't compare days there is but one part, so `pages` are all of them.
        """
        columns = self.dataset.fields()["time"]
        some = [pl.read_parquet(page, columns=columns) for page in pages]
        times = pl.concat(some, how="vertical_relaxed")
        try:
            return read_moments(self.dataset.as_shown(times), columns, self._asked()).order
        except Doubt as doubt:
            raise Doubt(f"{doubt} What was fetched is kept.", doubt.flag, doubt.choices) from None

    def _asked(self) -> Asked:
        now = datetime.now(check_zone(self.dataset.clock)).replace(tzinfo=None)
        return Asked(self.dataset.clock, order=self.order, latest=now + timedelta(days=1))

    def _forget(self, lost: pl.DataFrame) -> None:
        """Remove records that the portal no longer has, here and from the archive."""
        if lost.height:
            self.sums["removed"] += remove(self.city, lost["source_id"].to_list())
            self.brought.forget(lost["source_id"])

    def _add(self, table: pl.DataFrame, again: bool = False) -> int:
        """Put fetched rows into the archive; returns how many were new or corrected.

        `again` says that rows are looked at a second time, so that only what changed is accounted.
        """
        # Within one crawl a row may have been met twice, before and after a change: the last counts.
        table = table.unique(self.dataset.key, keep="last", maintain_order=True)
        city = replace(self.city, file_crs=None)
        table = self.dataset.as_shown(table)
        read = read_events(table, city, self.dataset.fields(), self._asked())
        self._note(read.notices)
        events = read.events
        if not self.dataset.compares(self.window):
            mine = self._mine(events)
            table, events = table.filter(mine), events.filter(mine)
        event = self.dataset.source.columns.get("event_id")
        seen = events.select(
            "source_id",
            (table[event] if event else pl.lit(None, pl.String)).alias("event"),
            pl.col("time").dt.strftime("%Y-%m").alias("month"),
        )
        if event:
            counted = self.brought.counted(seen["event"])
            events = _once_an_event(events, seen, counted)
        seen = seen.with_columns(
            (events["reason"].fill_null("") != "duplicate").alias("counted"),
            pl.lit(self.round, pl.Int64).alias("round"),
        )
        about = {"precision": "month"} if read.precision == "month" else {}
        entry = merge(self.city, events, self.dataset.source.dataset, about)
        self.brought.remember(seen)
        changed = entry["added"] + entry["corrected"]
        self.sums["added"] += entry["added"]
        self.sums["corrected"] += entry["corrected"]
        self.sums["read"] += changed if again else entry["read"]
        if not again:
            self.sums["known"] += entry["known"]
            for reason, count in entry["dropped"].items():
                self.sums["dropped"][reason] = self.sums["dropped"].get(reason, 0) + count
        return changed

    def _mine(self, events: pl.DataFrame) -> pl.Series:
        """Which rows lie in the period that was asked for, where the portal can't choose them."""
        first, last = (
            None if bound is None else datetime.fromisoformat(bound) for bound in self.window
        )
        time = pl.col("time")
        inside = pl.lit(True) if first is None else time >= first
        return events.select(
            (inside if last is None else inside & (time < last)).fill_null(False)
        ).to_series()

    def _note(self, notices: list[Notice]) -> None:
        """Keep what was decided over a batch; of one kind, what concerns the most rows is told."""
        for notice in notices:
            known = self.notices.get(notice.code)
            self.notices[notice.code] = max(known or notice, notice, key=lambda one: one.rows)

    def _updates(self, state: dict[str, Any]) -> None:
        """Fetch what changed since the watermark, until a round brings nothing new.

        Rows of other periods are passed over, unless they are known: their day may have changed.
        """
        for _ in range(ROUNDS):
            mark = state.get("watermark")
            if mark is None or not self.dataset.system_fields:
                return
            fresh, latest = 0, mark
            ids = None
            for page, _ in self.dataset.pages(self.dataset.changed_since(mark), None, 0):
                day = pl.col(self.dataset.time_column)
                inside = self._inside_window() | day.is_null()
                ids = self.brought.all()["source_id"] if ids is None else ids
                known = pl.col(self.dataset.id_column).is_in(ids.implode())
                wanted = page.filter(inside | known)
                if wanted.height:
                    fresh += self._add(wanted, again=True)
                self.counter.add(page.height)
                latest = max(latest, str(page[self.dataset.stamp].max() or latest))
            state["watermark"] = latest
            write_json(self._state_path(), state)
            if not fresh:
                return

    def _reconcile(self) -> None:
        """Months in which the portal has other numbers of rows than were fetched: fetch them again."""
        theirs = self.dataset.month_counts(self.dataset.between(*self.window))
        if theirs is None:
            return
        first, last = (
            (bound or otherwise)[:7]
            for bound, otherwise in zip(self.window, ("0000-00", "9999-99"), strict=True)
        )
        counts = {m: n for m, n in self.brought.month_counts(theirs).items() if first <= m <= last}
        if counts and not theirs:  # a portal that is being filled anew, or its answer is wrong
            self._doubt(sum(counts.values()), 0)
            return
        for month in sorted(counts.keys() | theirs.keys()):
            if counts.get(month, 0) == theirs.get(month, 0):
                continue
            after = str(np.datetime64(month, "M") + 1)
            there: list[str] = []
            for page, _ in self.dataset.pages(
                self.dataset.between(f"{month}-01T00:00:00", f"{after}-01T00:00:00"), None, 0
            ):
                inside = page.filter(self._inside_window())
                if inside.height:
                    self._add(inside, again=True)
                there += page[self.dataset.id_column].to_list()
            if len(there) < theirs.get(month, 0):
                self._doubt(theirs[month], len(there))
                continue
            now = self.brought.all()
            lost = now.filter((pl.col("month") == month) & ~pl.col("source_id").is_in(there))
            self._forget(lost)

    def _forget_unseen(self) -> None:
        """After a portal was read whole again: what it no longer has is removed.

        Only of months wholly inside the period that was asked for, since the rest was not looked at; and
        only if as many rows came as the portal counts, so that an answer cut short takes nothing away.
        """
        lost = self.brought.all().filter(pl.col("round") < self.round)
        first, last = self.window
        if first:
            lost = lost.filter(pl.col("month") > first[:7])
        if last:
            lost = lost.filter(pl.col("month") < last[:7])
        if not lost.height:
            return
        came = sum(int(path.read_text() or 0) for path in self._staging().glob("*.merged"))
        now = self.dataset.size(self.dataset.between(*self.window))
        count = max(read_json(self._staging() / "plan.json").get("count", 0), now[0] if now else 0)
        # Where it doesn't count them: a few may have gone, not most of them.
        if came < (count or lost.height + 1):
            self._doubt(count or lost.height, came)
        else:
            self._forget(lost)

    def _doubt(self, expected: int, came: int) -> None:
        """Tell that fewer rows came than there should be, so that none is taken for removed."""
        self._note([
            Notice(
                "cut_short",
                f"The portal gave {came:,} rows of {self.dataset.source.dataset} where {expected:,} should be: "
                "nothing was taken for removed. Crawl again later.",
                max(1, expected - came),
            )
        ])  # fmt: skip

    def _inside_window(self) -> pl.Expr:
        if not self.dataset.ordered:
            return pl.lit(True)  # told when they are read
        day = pl.col(self.dataset.time_column)
        return (day >= (self.window[0] or "")) & (day < (self.window[1] or "9999"))


def _once_an_event(events: pl.DataFrame, seen: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Count one row of each event: the one counted before, else the one with the smallest id."""
    ids = events.with_columns(seen["event"])
    own = seen.select("source_id", "event").sort("source_id")
    chosen = pl.concat([counted, own])
    first = (
        chosen.drop_nulls("event")
        .unique("event", keep="first", maintain_order=True)
        .select("event", pl.col("source_id").alias("counted"))
    )
    joined = ids.join(first, on="event", how="left", maintain_order="left")
    other = pl.col("reason").is_null() & (pl.col("source_id") != pl.col("counted"))
    return joined.with_columns(
        pl.when(other).then(pl.lit("duplicate")).otherwise(pl.col("reason")).alias("reason")
    ).drop("event", "counted")
