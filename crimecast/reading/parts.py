"""A column or a table in parts: one in memory, or as many on disk as a large file has.

What is judged over all of a column's values is gathered part by part, so that a file of any size is
read as a small one is, by the same lines. In memory a step is done once; on disk it is done anew
whenever the parts are gone through, unless they are `kept`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Generic, TypeVar

import numpy as np
import polars as pl

T = TypeVar("T")
U = TypeVar("U")
BUCKETS = 32  # in which the keys of a large file are compared, one after the other
BLOCK = 2**20  # keys that are looked at together
DISTINCT = 4_000_000  # values of which it is counted how many differ; of more, a share of them


class Parts(Generic[T]):
    """Parts in the order of the file's rows; `folder` is where they may be kept, None in memory."""

    def __init__(self, through: Callable[[], Iterator[T]], folder: Path | None = None) -> None:
        self._through, self.folder = through, folder

    @staticmethod
    def one(value: T) -> "Parts[T]":
        """A single part, in memory."""
        return Parts(lambda: iter((value,)))

    def __iter__(self) -> Iterator[T]:
        return self._through()

    @property
    def first(self) -> T:
        """The first part; the whole where it is in memory."""
        return next(iter(self))

    def map(self, make: Callable[[T], U]) -> "Parts[U]":
        """What `make` gives of each part."""
        if self.folder is None:
            return Parts.one(make(self.first))
        return Parts(lambda: map(make, self), self.folder)

    def beside(self, *others: "Parts[Any]") -> "Parts[tuple[Any, ...]]":
        """The parts with those of others that have the same rows."""
        if self.folder is None:
            return Parts.one((self.first, *(other.first for other in others)))
        return Parts(lambda: zip(self, *others, strict=True), self.folder)

    def kept(self) -> "Parts[T]":
        """The same, made once: written to disk where they aren't in memory."""
        return self if self.folder is None else keep(self, self.folder)


def keep(values: Iterable[T], folder: Path) -> Parts[T]:
    """Parts written to files in a folder of their own within `folder`: arrays, series, tables, or tuples
    of them."""
    own = Path(mkdtemp(dir=folder))
    kept = [_write(value, own / str(number)) for number, value in enumerate(values)]
    return Parts(lambda: (read() for read in kept), folder)


def _write(value: Any, path: Path) -> Callable[[], Any]:
    """Write a value to files whose names begin with `path`; returns what reads it."""
    if isinstance(value, tuple):
        several = [_write(one, Path(f"{path}.{number}")) for number, one in enumerate(value)]
        return lambda: tuple(read() for read in several)
    if isinstance(value, pl.Series):
        read_table = _write(value.to_frame(), path)
        return lambda: read_table().to_series()
    if isinstance(value, pl.DataFrame):
        value.write_ipc(path)
        return lambda: pl.read_ipc(path)
    file = path.with_name(f"{path.name}.npy")
    np.save(file, value, allow_pickle=False)
    return lambda: np.load(file, allow_pickle=False)


Column = Parts[pl.Series]


@dataclass(frozen=True)
class Rows:
    """A file's table, of which columns are read as they are needed."""

    select: Callable[[list[str]], Parts[pl.DataFrame]]
    schema: dict[str, pl.DataType]
    height: int

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema)

    def column(self, name: str) -> Column:
        """One column."""
        return self.select([name]).map(lambda part: part[name])

    def head(self, rows: int) -> pl.DataFrame:
        """The first rows."""
        return self.select(self.columns).first.head(rows)


def rows_of(table: pl.DataFrame | Rows) -> Rows:
    """A table in memory as one part."""
    if isinstance(table, Rows):
        return table
    return Rows(lambda names: Parts.one(table.select(names)), dict(table.schema), table.height)


def below(tables: list[Rows], folder: Path) -> Rows:
    """Tables of the same columns, one below the other; on disk, in `folder`, if one of them is."""
    columns = tables[0].columns
    parts = [table.select(columns) for table in tables]
    if all(part.folder is None for part in parts):
        return rows_of(pl.concat([part.first for part in parts], how="vertical_relaxed"))
    schema = pl.concat([part.first.clear() for part in parts], how="vertical_relaxed").schema

    def select(names: list[str]) -> Parts[pl.DataFrame]:
        alike = [pl.col(name).cast(schema[name]) for name in names]
        return Parts(
            lambda: (part.select(alike) for table in tables for part in table.select(names)), folder
        )

    return Rows(select, dict(schema), sum(table.height for table in tables))


def nulls(column: Column) -> tuple[int, int]:
    """How many values are null, and how many there are."""
    counted = [(part.null_count(), len(part)) for part in column]
    return sum(null for null, _ in counted), sum(size for _, size in counted)


def head(column: Column, most: int) -> pl.Series:
    """The first values that aren't null."""
    found: list[pl.Series] = []
    for part in column:
        found.append(part.drop_nulls().head(most - sum(map(len, found))))
        if sum(map(len, found)) == most:
            break
    return pl.concat(found)


def every(parts: Iterable[pl.DataFrame], step: int, most: int) -> pl.DataFrame:
    """Every `step`-th row, from the first on, up to `most` of them."""
    return pl.concat(islice(_every(parts, step), None)).head(most)


def _every(parts: Iterable[pl.DataFrame], step: int) -> Iterator[pl.DataFrame]:
    before = 0
    for part in parts:
        offset = -before % step
        yield part.gather_every(step, offset) if offset < part.height else part.clear()
        before += part.height


def spread(column: Column, most: int, room: int) -> pl.Series:
    """About `most` values from all over the column, none of them null, and no more than `room`."""
    there = column.map(lambda part: part.drop_nulls().to_frame())
    step = max(1, sum(part.height for part in there) // most)
    return every(there, step, room).to_series()


def distinct(column: Column) -> tuple[int, int]:
    """How many values there are, and how many that differ; of a large column, of a share chosen by the
    values themselves."""
    null, size = nulls(column)
    share = max(1, (size - null) // DISTINCT)
    total, seen = 0, pl.Series(dtype=pl.UInt64)
    for part in column:
        hashed = part.drop_nulls().hash()
        chosen = hashed if share == 1 else hashed.filter(hashed % share == 0)
        total += len(chosen)
        seen = pl.concat([seen, chosen]).unique()
    return total, len(seen)


def counts(column: Column) -> pl.DataFrame:
    """Each value (`value`) with how often it occurs (`rows`), the smallest first."""
    found: pl.DataFrame | None = None
    for part in column:
        own = part.rename("value").drop_nulls().value_counts(sort=False, name="rows")
        own = own.with_columns(pl.col("rows").cast(pl.Int64))
        whole = own if found is None else pl.concat([found, own])
        found = whole if found is None else whole.group_by("value").agg(pl.col("rows").sum())
    assert found is not None
    return found.sort("value")


def earlier(keys: Column) -> Column:
    """(N,) how many rows before have the same key."""
    if keys.folder is None:
        name = keys.first.name
        return keys.map(
            lambda part: part.to_frame().select(pl.int_range(pl.len()).over(name)).to_series()
        )
    path = Path(mkdtemp(dir=keys.folder)) / "hashes"
    sizes = []
    with path.open("wb") as file:
        for part in keys:
            part.hash().to_numpy().tofile(file)
            sizes.append(len(part))
    rows, numbers = _repeated(path)
    path.unlink()

    def through() -> Iterator[pl.Series]:
        begin = 0
        for size in sizes:
            first, last = np.searchsorted(rows, [begin, begin + size])
            found = np.zeros(size, dtype=np.int64)
            found[rows[first:last] - begin] = numbers[first:last]
            yield pl.Series(found)
            begin += size

    return Parts(through, keys.folder)


def repeats(keys: Column) -> Column:
    """(N,) bool: whether a row before has the same key."""
    if keys.folder is None:
        return keys.map(lambda part: ~part.is_first_distinct())
    return earlier(keys).map(lambda part: part > 0)


def _repeated(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose hash an earlier row has, in order, and how many such there are; a bucket of hashes at a
    time, so that a hundred million of them are never held."""
    rows, numbers = [], []
    for bucket in range(BUCKETS):
        hashes, places = [], []
        with path.open("rb") as file:
            begin = 0
            while len(block := np.fromfile(file, dtype=np.uint64, count=BLOCK)):
                own = np.flatnonzero(block % BUCKETS == bucket)
                hashes.append(block[own])
                places.append(own + begin)
                begin += len(block)
        table = pl.DataFrame(
            {
                "hash": np.concatenate(hashes or [np.zeros(0, np.uint64)]),
                "row": np.concatenate(places or [np.zeros(0, np.int64)]),
            }
        )
        again = table.filter(pl.col("hash").is_duplicated()).with_columns(
            pl.int_range(pl.len()).over("hash").alias("number")
        )
        again = again.filter(pl.col("number") > 0)
        rows.append(again["row"].to_numpy())
        numbers.append(again["number"].to_numpy())
    whole = np.concatenate(rows)
    order = np.argsort(whole, kind="stable")
    return whole[order], np.concatenate(numbers)[order]
