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

from crimecast.archive import manifest, month_files
from crimecast.cities import City
from crimecast.steps import Step
from crimecast.store import read_json

CHUNK_BYTES = (
    16e6  # of one chunk of the cube: small enough to hold several, large enough to be quick
)
CODEC = Blosc("lz4", clevel=5, shuffle=Blosc.NOSHUFFLE)
ROWS = 400_000  # events read at a time
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


def count(
    path: Path,
    cube: xr.Dataset,
    city: City,
    unit: Step,
    channels: dict[str, list[str] | None],
    layout: Layout,
    previous: Path | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write `cube` with a new variable `counts` (time, type, y, x) to the Zarr store `path`.

    The smallest unsigned type that holds every count is used. `previous` is the folder of a grid
    of the same layout. Returns the totals, and what each chunk was made from.
    """
    for dtype in DTYPES:
        try:
            return _Count(path, cube, city, unit, channels, layout, previous, dtype).run()
        except OverflowError:
            continue
    raise OverflowError("more than four billion events in one cell and step")


class _Count:
    """One attempt with one type of integer. Raises OverflowError if a count doesn't fit it."""

    def __init__(
        self,
        path: Path,
        cube: xr.Dataset,
        city: City,
        unit: Step,
        channels: dict[str, list[str] | None],
        layout: Layout,
        previous: Path | None,
        dtype: type[np.unsignedinteger],
    ) -> None:
        self.path, self.cube, self.city, self.unit, self.layout, self.dtype = (
            path,
            cube,
            city,
            unit,
            layout,
            dtype,
        )
        self.steps, self.kinds = cube.sizes["time"], cube.sizes["type"]
        self.layer = self.kinds * layout.height * layout.width
        fits = int(CHUNK_BYTES // (np.dtype(dtype).itemsize * self.layer))
        # Never cut to the number of steps, or chunks would move as the history grows.
        self.chunk = int(np.clip(1 << (self.steps - 1).bit_length(), 1, max(1, fits)))
        self.members = {
            member: index
            for index, members in enumerate(channels.values())
            for member in members or ()
        }
        self.area = cube["area"].values.ravel()
        self.files = month_files(city)
        self.sums = {i: dict.fromkeys(KEYS, 0) for i in range(-(-self.steps // self.chunk))}
        self.open: dict[int, np.ndarray] = {}
        self.struck = np.zeros(self.area.size, dtype=bool)
        self.previous = previous

    def run(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Count, write, and account for every event."""
        self.cube.to_zarr(self.path, mode="w", zarr_format=2, consolidated=False)
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
        with ThreadPoolExecutor(1) as writer:
            writes: list[Future] = []
            months = self._months(set(self.sums) - known)
            for batch, after in self._batches(months):
                self._read(batch, known)
                for i in sorted(self.open):
                    if after is None or (i + 1) * self.chunk <= after:
                        writes.append(writer.submit(self._write, i, self.open.pop(i)))
                while len(writes) > 2:
                    writes.pop(0).result()
            for write in writes:
                write.result()
            for i in sorted(set(self.sums) - known - self.written):
                self._write(i, self._slab())
        zarr.consolidate_metadata(self.path, zarr_format=2)
        totals: dict[str, Any] = {
            key: sum(entry[key] for entry in self.sums.values()) for key in KEYS
        }
        kept = sum(entry["rows"] for entry in manifest(self.city)["months"].values())
        totals["outside the period"] = kept - totals["in period"]
        totals["cells"] = int(self.struck.sum())
        totals["empty"] = 1 - totals["filled"] / max(
            1, self.steps * self.kinds * int(self.area.sum())
        )
        chunks = {
            "size": self.chunk,
            "dtype": np.dtype(self.dtype).name,
            "sources": sources,
            "sums": self.sums,
        }
        return totals, chunks

    def _span(self, i: int) -> tuple[int, int]:
        return i * self.chunk, min((i + 1) * self.chunk, self.steps)

    def _source(self, i: int) -> str:
        """A hash of the steps of a chunk and of the month files that reach into them."""
        first, last = self._span(i)
        begin, end = self.unit.start(self.layout.step0 + np.array([first, last]))
        names = [path.name for month, path in self.files.items() if _meets(month, begin, end)]
        return hashlib.blake2b(repr((first, last, names)).encode(), digest_size=8).hexdigest()

    def _reuse(self, sources: dict[int, str]) -> set[int]:
        """Take over the chunks of the previous grid that were made from the same months."""
        self.written: set[int] = set()
        if self.previous is None:
            return set()
        old = read_json(self.previous / "chunks.json")
        if (old["size"], old["dtype"]) != (self.chunk, np.dtype(self.dtype).name):
            return set()
        same = {i for i, source in sources.items() if old["sources"].get(str(i)) == source}
        for i in same:
            name = f"counts/{i}.0.0.0"
            try:
                os.link(self.previous / "cube.zarr" / name, self.path / name)
            except OSError:
                shutil.copy2(self.previous / "cube.zarr" / name, self.path / name)
            self.sums[i] = old["sums"][str(i)]
            first, last = self._span(i)
            self.struck |= np.asarray(self.counts[first:last]).any(axis=(0, 1)).ravel()
        return same

    def _months(self, wanted: set[int]) -> list[Path]:
        """The month files that reach into the wanted chunks, in order."""
        spans = [
            self.unit.start(self.layout.step0 + np.array(self._span(i))) for i in sorted(wanted)
        ]
        return [
            path
            for month, path in self.files.items()
            if any(_meets(month, begin, end) for begin, end in spans)
        ]

    def _batches(self, months: list[Path]) -> list[tuple[list[Path], int | None]]:
        """Months read together, and the first step of what comes after them (None at the end)."""
        rows = {entry["file"]: entry["rows"] for entry in manifest(self.city)["months"].values()}
        batches: list[list[Path]] = []
        size = ROWS
        for path in months:
            if size + rows[path.name] > ROWS:
                batches.append([])
                size = 0
            batches[-1].append(path)
            size += rows[path.name]
        result: list[tuple[list[Path], int | None]] = []
        for batch, following in pairwise([*batches, []]):
            after = None
            if following:
                day = np.array([np.datetime64(following[0].name[:7], "M")]).astype("datetime64[us]")
                after = int(self.unit.number(day)[0]) - self.layout.step0
            result.append((batch, after))
        return result

    def _read(self, paths: list[Path], known: set[int]) -> None:
        """Add the events of some months to the open chunks, but to none that is known."""
        frame = self._places(paths)
        step = self.unit.number(frame["time"].to_numpy()) - self.layout.step0
        inside = (step >= 0) & (step < self.steps)
        chunk = step // self.chunk
        height, width = self.layout.height, self.layout.width
        row, column, kind = (frame[name].to_numpy() for name in ("row", "column", "kind"))
        counted = (kind >= 0) & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        flat = (((step % self.chunk) * self.kinds + kind) * height + row) * width + column
        for i in np.unique(chunk[inside]).tolist():
            if i in known:
                continue
            here = inside & (chunk == i)
            sums = self.sums[i]
            sums["in period"] += int(here.sum())
            sums["of other types"] += int((kind[here] < 0).sum())
            sums["outside the grid"] += int((~counted[here] & (kind[here] >= 0)).sum())
            self._add(i, flat[here & counted])

    def _places(self, paths: list[Path]) -> pl.DataFrame:
        """time, row, column and kind (−1 for a type that isn't counted) of the events in some files."""
        cell = pl.lit(self.layout.cell)
        kind = pl.lit(0, pl.Int64)
        if self.members:
            kind = pl.col("type").replace_strict(self.members, default=-1, return_dtype=pl.Int64)
        return (
            pl.scan_parquet(paths)
            .select(
                "time",
                ((pl.col("y") / cell).floor().cast(pl.Int64) - self.layout.row0).alias("row"),
                ((pl.col("x") / cell).floor().cast(pl.Int64) - self.layout.column0).alias("column"),
                kind.alias("kind"),
            )
            .collect()
        )

    def _slab(self) -> np.ndarray:
        return np.zeros(self.chunk * self.layer, dtype=self.dtype)

    def _add(self, i: int, flat: np.ndarray) -> None:
        """Add events, given as places in the chunk, to an open chunk."""
        slab = self.open.setdefault(i, self._slab())
        place, number = np.unique(flat, return_counts=True)
        before = slab[place]
        after = before.astype(np.int64) + number
        if after.max(initial=0) > np.iinfo(self.dtype).max:
            raise OverflowError
        slab[place] = after.astype(self.dtype)
        cell = place % self.area.size
        self.struck[cell] = True
        sums, within = self.sums[i], self.area[cell]
        sums["events"] += int(number.sum())
        sums["outside area"] += int(number[~within].sum())
        sums["filled"] += int(((before == 0) & within).sum())

    def _write(self, i: int, slab: np.ndarray) -> None:
        # A chunk's file is its compressed bytes; written here, it is not copied on its way.
        (self.path / "counts" / f"{i}.0.0.0").write_bytes(CODEC.encode(slab))
        self.written.add(i)


def _meets(month: str, begin: np.datetime64, end: np.datetime64) -> bool:
    """Whether a month has a part in [begin, end)."""
    first = np.datetime64(month, "M")
    return bool(
        first.astype("datetime64[ns]") < end and (first + 1).astype("datetime64[ns]") > begin
    )
