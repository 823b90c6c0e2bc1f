"""Counting events into a Zarr cube: each month of records read once, a chunk of time written once.

Memory is that of a few months and of the chunks of time they touch, however long the history.
Chunks whose months are unchanged since another grid of the same layout are taken from there.
"""

import hashlib
import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import xarray as xr
import zarr
from numcodecs import Blosc

import crimecast.storage.ending  # noqa: F401 (zarr's thread is waited for at the end)
from crimecast.calendar.steps import Step
from crimecast.grids.scatter import scatter
from crimecast.machine.cluster import capacity, map_over
from crimecast.records.snapshot import Snapshot
from crimecast.storage.store import read_json

# Of one chunk of the cube: small enough to stay in the processor's cache while it is filled.
CHUNK_BYTES = 8e6
CODEC = Blosc("lz4", clevel=5, shuffle=Blosc.NOSHUFFLE)
ROWS = 800_000  # events read at a time
DTYPES = (np.uint8, np.uint16, np.uint32)
KEYS = ("in period", "of other types", "outside the grid", "events", "outside area", "filled")


@dataclass(frozen=True)
class Layout:
    """What two grids must share for their chunks to mean the same."""

    city: str
    cell: float
    step: str
    channels: str
    step0: int
    row0: int
    column0: int
    height: int
    width: int


@dataclass(frozen=True)
class Job:
    """Count `records` into `cube`, written to the Zarr store `path`.

    `channels` says which types each channel sums; `previous` is the folder of a grid of the same
    layout, made from other records. All of it is handed to whoever works on it, so that every part
    counts the same records.
    """

    path: Path
    cube: xr.Dataset
    records: Snapshot
    channels: dict[str, list[str] | None]
    layout: Layout
    previous: Path | None


def count(job: Job, cluster: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Write the job's cube with a new variable `counts` (time, type, y, x).

    The smallest unsigned type that holds every count is used. `cluster` is the address of a Ray
    cluster that shares the work, "" for none. Returns the totals, and what each chunk was made from.
    """
    for dtype in DTYPES:
        try:
            return _Count(job, dtype).run(cluster)
        except OverflowError:
            continue
    raise OverflowError("more than four billion events in one cell and step")


class _Count:
    """One attempt with one type of integer. Raises OverflowError if a count doesn't fit it."""

    def __init__(self, job: Job, dtype: type[np.unsignedinteger]) -> None:
        self.job, self.dtype, self.path, self.layout = job, dtype, job.path, job.layout
        cube, layout, records = job.cube, job.layout, job.records
        self.unit = unit = Step.parse(layout.step)
        self.steps, self.kinds = cube.sizes["time"], cube.sizes["type"]
        self.layer = self.kinds * layout.height * layout.width
        fits = int(CHUNK_BYTES // (np.dtype(dtype).itemsize * self.layer))
        # Never cut to the number of steps, or chunks would move as the history grows.
        self.chunk = int(np.clip(1 << (self.steps - 1).bit_length(), 1, max(1, fits)))
        self.members = {
            member: index
            for index, members in enumerate(job.channels.values())
            for member in members or ()
        }
        self.area = cube["area"].values.ravel()
        self.files = list(records.files.values())
        months = np.array([path.name[:7] for path in self.files], dtype="datetime64[M]")
        self.begins, self.ends = (m.astype("datetime64[ns]") for m in (months, months + 1))
        self.rows = records.rows
        self.names = pl.Enum(sorted(self.members))
        # The channel of each code; the last, of a type that isn't counted, is −1.
        self.kind_of = np.array(
            [*(self.members[name] for name in sorted(self.members)), -1 if self.members else 0]
        )
        starts = unit.start(layout.step0 + np.arange(self.steps + 1))
        self.starts = starts.astype("datetime64[us]").astype(np.int64)
        self.sums = {i: dict.fromkeys(KEYS, 0) for i in range(-(-self.steps // self.chunk))}
        self.open: dict[int, np.ndarray] = {}
        self.struck = np.zeros(self.area.size, dtype=bool)
        self.spare: list[np.ndarray] = []
        self.writes: list[Future] = []
        self.written: set[int] = set()

    def run(self, cluster: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Count, write, and account for every event; on a cluster, by tasks that share the job."""
        self.job.cube.to_zarr(self.path, mode="w", zarr_format=2, consolidated=False)
        self.counts = zarr.open_group(self.path, mode="a").create_array(
            "counts",
            shape=(self.steps, self.kinds, self.layout.height, self.layout.width),
            chunks=(self.chunk, self.kinds, self.layout.height, self.layout.width),
            dtype=self.dtype,
            fill_value=None,  # else xarray takes 0 for missing and makes floats of the counts
            compressors=CODEC,
            attributes={"_ARRAY_DIMENSIONS": ["time", "type", "y", "x"]},
        )
        sources = {i: self._source(i) for i in self.sums}
        known = self._reuse(sources)
        wanted = sorted(set(self.sums) - known)
        if not cluster:
            self.fill(wanted)
        elif wanted:
            parts = np.array_split(wanted, min(len(wanted), 2 * capacity(cluster)))
            shares = [(self.job, self.dtype, part.tolist()) for part in parts]
            for sums, struck in map_over(cluster, _fill_apart, shares):
                self.sums |= sums
                self.struck |= struck
        zarr.consolidate_metadata(self.path, zarr_format=2)
        totals: dict[str, Any] = {
            key: sum(entry[key] for entry in self.sums.values()) for key in KEYS
        }
        totals["outside the period"] = sum(self.rows.values()) - totals["in period"]
        totals["cells"] = int(self.struck.sum())
        chunks = {
            "size": self.chunk,
            "dtype": np.dtype(self.dtype).name,
            "sources": sources,
            "sums": self.sums,
        }
        return totals, chunks

    def fill(self, wanted: list[int]) -> tuple[dict[int, dict[str, int]], np.ndarray]:
        """Count and write some chunks; returns their sums and the cells (H·W,) that had events."""
        known = set(self.sums) - set(wanted)
        # What one thread has read the next counts, and what that has filled the last compresses.
        with ThreadPoolExecutor(1) as counter, ThreadPoolExecutor(1) as self.writer:
            tasks: list[Future] = []
            for batch, after in self._batches(self._months(set(wanted))):
                tasks.append(counter.submit(self._take, self._places(batch), known, after))
                if len(tasks) > 2:
                    tasks.pop(0).result()
            for task in [*tasks, *self.writes]:
                task.result()
        if empty := sorted(set(wanted) - self.written):
            nothing = CODEC.encode(np.zeros(self.chunk * self.layer, self.dtype))
            for i in empty:
                self._file(i).write_bytes(nothing)
        return {i: self.sums[i] for i in wanted}, self.struck

    def _span(self, i: int) -> tuple[int, int]:
        return i * self.chunk, min((i + 1) * self.chunk, self.steps)

    def _reaching(self, i: int) -> np.ndarray:
        """Which month files reach into a chunk, (months,) bool."""
        begin, end = self.unit.start(self.layout.step0 + np.array(self._span(i)))
        return (self.begins < end) & (self.ends > begin)

    def _source(self, i: int) -> str:
        """A hash of the steps of a chunk and of the month files that reach into them."""
        names = [self.files[k].name for k in np.flatnonzero(self._reaching(i))]
        return hashlib.blake2b(repr((*self._span(i), names)).encode(), digest_size=8).hexdigest()

    def _reuse(self, sources: dict[int, str]) -> set[int]:
        """Take over the chunks of the previous grid that were made from the same months."""
        previous = self.job.previous
        if previous is None:
            return set()
        old = read_json(previous / "chunks.json")
        if (old["size"], old["dtype"]) != (self.chunk, np.dtype(self.dtype).name):
            return set()
        same = {i for i, source in sources.items() if old["sources"].get(str(i)) == source}
        for i in same:
            name = f"counts/{i}.0.0.0"
            try:
                os.link(previous / "cube.zarr" / name, self.path / name)
            except OSError:
                shutil.copy2(previous / "cube.zarr" / name, self.path / name)
            self.sums[i] = old["sums"][str(i)]
            first, last = self._span(i)
            self.struck |= np.asarray(self.counts[first:last]).any(axis=(0, 1)).ravel()
        return same

    def _months(self, wanted: set[int]) -> list[Path]:
        """The month files that reach into the wanted chunks, in order."""
        needed = np.zeros(len(self.files), dtype=bool)
        for i in wanted:
            needed |= self._reaching(i)
        return [self.files[k] for k in np.flatnonzero(needed)]

    def _batches(self, months: list[Path]) -> list[tuple[list[Path], int | None]]:
        """Months read together, and the first step of what comes after them (None at the end)."""
        batches: list[list[Path]] = []
        size = ROWS
        for path in months:
            if size + self.rows[path.name] > ROWS:
                batches.append([])
                size = 0
            batches[-1].append(path)
            size += self.rows[path.name]
        result: list[tuple[list[Path], int | None]] = []
        for batch, following in pairwise([*batches, []]):
            after = None
            if following:
                day = np.array([np.datetime64(following[0].name[:7], "M")]).astype("datetime64[us]")
                after = int(self.unit.number(day)[0]) - self.layout.step0
            result.append((batch, after))
        return result

    def _take(self, frame: pl.DataFrame, known: set[int], after: int | None) -> None:
        """Add the events of some months to their chunks, but to none that is known; write the
        chunks that end before step `after`, where the next months begin (None: all of them).

        Files are in order and each is sorted by time, so the events of a chunk are one slice.
        """
        time = frame["time"].to_physical().to_numpy()
        x, y, code = (frame[name].to_numpy() for name in ("x", "y", "code"))
        cuts = np.searchsorted(time, [*self.starts[:-1][:: self.chunk], self.starts[-1]])
        for i, (at, end) in enumerate(pairwise(cuts.tolist())):
            if end > at and i not in known:
                part = slice(at, end)
                self._add(i, time[part], x[part], y[part], code[part])
            last = min((i + 1) * self.chunk, self.steps)
            over = after is None or last <= after or (len(time) and self.starts[last] <= time[-1])
            if over and i in self.open:
                if len(self.writes) > 2:
                    self.writes.pop(0).result()
                self.writes.append(self.writer.submit(self._write, i, self.open.pop(i)))

    def _places(self, paths: list[Path]) -> pl.DataFrame:
        """time, x, y and the code of the type (see `kind_of`) of the events in some files."""
        code = pl.lit(0, pl.UInt32)
        if self.members:
            other = len(self.members)
            code = (
                pl.col("type")
                .cast(self.names, strict=False)
                .to_physical()
                .cast(pl.UInt32)
                .fill_null(other)
            )
        return pl.scan_parquet(paths).select("time", "x", "y", code.alias("code")).collect()

    def _add(
        self, i: int, time: np.ndarray, x: np.ndarray, y: np.ndarray, code: np.ndarray
    ) -> None:
        """Add events to an open chunk."""
        if i not in self.open:
            self.open[i] = (
                self.spare.pop() if self.spare else np.zeros(self.chunk * self.layer, self.dtype)
            )
        sums = np.zeros(len(KEYS), dtype=np.int64)
        layout = self.layout
        fits = scatter(
            time, x, y, code, self.starts[i * self.chunk :], self.kind_of, layout.cell, layout.row0, layout.column0,
            self.kinds, layout.height, layout.width, self.area, np.iinfo(self.dtype).max, self.open[i], self.struck, sums,
        )  # fmt: skip
        if not fits:
            raise OverflowError
        for key, value in zip(KEYS, sums.tolist(), strict=True):
            self.sums[i][key] += value

    def _file(self, i: int) -> Path:
        return self.path / "counts" / f"{i}.0.0.0"

    def _write(self, i: int, slab: np.ndarray) -> None:
        # A chunk's file is its compressed bytes; written here, it is not copied on its way.
        self._file(i).write_bytes(CODEC.encode(slab))
        self.written.add(i)
        slab.fill(0)
        self.spare.append(slab)


def _fill_apart(
    share: tuple[Job, type[np.unsignedinteger], list[int]],
) -> tuple[dict[int, dict[str, int]], np.ndarray]:
    """Some chunks of a job, in another process that sees the same data folder."""
    job, dtype, wanted = share
    return _Count(job, dtype).fill(wanted)
