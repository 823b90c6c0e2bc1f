"""Read a table of records from a file: CSV and its kin, Parquet, JSON, GeoJSON, Excel, packed or not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import available_timezones

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from crimecast import UserError
from crimecast.reading.containers import PACKED, TABLES, is_sheet, kind_of, unpacked
from crimecast.reading.delimited import AT_ONCE, read_delimited
from crimecast.reading.documents import read_document
from crimecast.reading.mending import mended
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Rows, below, rows_of
from crimecast.storage.faults import SAID
from crimecast.storage.store import PACKAGE, scratch

SUFFIXES = {*TABLES, *PACKED, ".zip"}
SHEETS = {".xlsx", ".xls", ".xlsb", ".ods"}
MOST_VALUES, MOST_BYTES = 10**9, 8 * 2**30  # of one Parquet file, unpacked
REPEATED = 2**28  # bytes of text that a small file may unpack to
MOST_COLUMNS = 1_000
DENSE, FEW = (
    2,
    1_000_000,
)  # rows a byte: records that differ at all take more room; of small files never mind


@dataclass(frozen=True)
class File:
    """The rows of a file, text left as text; what there is to say of them; the CRS that it names."""

    rows: Rows
    notices: list[Notice] = field(default_factory=list)
    crs: str | None = None


def read_table(path: Path, encoding: str | None = None) -> pl.DataFrame:
    """The file's rows as they stand, text left as text. Raises UserError if it can't be read, or holds more
    than is read at once."""
    with opened(path, encoding) as file:
        parts = file.rows.select(file.rows.columns)
        if parts.folder is not None:
            raise UserError(
                f"{path.name} holds more than is read at once: leave columns or rows out."
            )
        return parts.first


@contextmanager
def opened(path: Path, encoding: str | None = None, delimiter: str | None = None) -> Iterator[File]:
    """The file's rows with what was found on the way; `encoding` and `delimiter` where a user names them.

    They last as long as the block: those of a large text lie on disk. Several tables of a zip are put
    one below the other if they have the same columns. Raises UserError if the file can't be read, or
    unpacks to more than is read at once.
    """
    try:
        there = path.is_file()
    except (OSError, ValueError):  # a name longer than any file's
        there = False
    if not there:
        raise UserError(f"There is no file {path}.")
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(
            f"{path.name} is not a kind of file that can be read: use CSV, Excel, Parquet or JSON."
        )
    with scratch() as name:
        folder = Path(name)
        with unpacked(path) as (members, said):
            large = sum(member.stat().st_size for member in members) > AT_ONCE
            files = [
                _read(member, path.name, _own(folder, number), encoding, delimiter, large)
                for number, member in enumerate(members)
            ]
        if len(files) > 1:
            if any(set(file.rows.columns) != set(files[0].rows.columns) for file in files):
                names = ", ".join(member.name.partition("-")[2] for member in members[:6])
                raise UserError(
                    f"{path.name} holds several tables with other columns ({names}): unpack it and import each that is meant."
                )
            rows = below([file.rows for file in files], folder)
            several = Notice(
                "several_tables",
                f"{len(files)} tables of {path.name} are read as one.",
                rows.height,
            )
            notices = [*said, *(n for file in files for n in file.notices), several]
            read = File(rows, notices, files[0].crs)
        else:
            read = replace(files[0], notices=[*said, *files[0].notices])
        rows, put_right = mended(read.rows)
        yield replace(read, rows=rows, notices=[*read.notices, *put_right])


def _own(folder: Path, number: int) -> Path:
    own = folder / str(number)
    own.mkdir()
    return own


def _read(
    path: Path,
    name: str,
    folder: Path,
    encoding: str | None,
    delimiter: str | None,
    large: bool,
) -> File:
    kind = kind_of(path)
    suffix = kind if kind in TABLES else path.suffix.lower()
    if suffix in SHEETS and not is_sheet(path) and _is_text(path):
        suffix = ".csv"  # whatever its name says
    if suffix not in TABLES or (suffix in SHEETS and not is_sheet(path)):
        raise UserError(
            f"{name} is not a kind of file that can be read: use CSV, Excel, Parquet or JSON."
        )
    try:
        if suffix == ".parquet":
            _bounded(path)
            table = _parquet(path)
            _no_more_than_it_seems(path, table)
            found = File(rows_of(_flat(table)))
        elif suffix in SHEETS:
            found = _sheet(path)
        elif suffix in {".csv", ".tsv", ".txt"} and not (delimiter is None and _is_json(path)):
            found = File(*read_delimited(path, folder, encoding, delimiter, large))
        else:
            table, notices, crs = read_document(path)
            found = File(rows_of(table), notices, crs)
    except RecursionError:
        raise UserError(f"{name} is nested too deeply for a list of records.") from None
    except UserError as error:
        error.args = (str(error).replace(path.name, name), *error.args[1:])
        raise
    except (MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except (
        BaseException
    ) as error:  # readers throw what they like; a library's panic is no Exception
        if isinstance(error, OSError) and error.errno in SAID:
            raise
        reason = str(error).strip().split("\n")[0][:160]
        raise UserError(f"{name} can't be read as {suffix[1:].upper()}: {reason}.") from None
    width = len(found.rows.columns)
    if width == 0 or found.rows.height == 0:
        raise UserError(f"{name} holds no rows.")
    if width > MOST_COLUMNS:
        raise UserError(
            f"{name} has {width:,} columns; a table of records may have {MOST_COLUMNS:,}: leave out "
            "those that say nothing of time, place and type."
        )
    return found


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4096)
    return bool(head) and b"\0" not in head and b"<" not in head[:64] and head.count(b"\n") > 1


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return (
        head[:1] == b"{"
        or head[:2] in (b"[{", b"[[")
        or (head[:1] == b"[" and head[1:].lstrip()[:1] == b"{")
    )


def _bounded(path: Path) -> None:
    """A small file may unpack to more than a machine holds; its own account says how much it would."""
    account = parquet.read_metadata(path)
    size = sum(account.row_group(i).total_byte_size for i in range(account.num_row_groups))
    packed = account.num_rows > DENSE * path.stat().st_size and account.num_rows > FEW
    if packed or account.num_rows * account.num_columns > MOST_VALUES or size > MOST_BYTES:
        raise UserError(
            f"{path.name} unpacks to {account.num_rows:,} rows of {account.num_columns} columns, more than is read at "
            "once: split it into parts and import them one after the other."
        )


def _parquet(path: Path) -> pl.DataFrame:
    """The table of a Parquet file, by Arrow's reader: a damaged one makes that of Polars print its panic,
    and in one of some ten thousand ends the whole process. Polars panics at times whose zone is an
    offset (`+05:30`, as pandas writes it) too: they are moments all the same, and read as UTC."""
    table = parquet.read_table(path)
    table.validate(full=True)
    # What a library notes of its own columns beside them is damaged as easily, and not needed.
    columns = [_known(column) for column in table.columns]
    plain = [
        pa.field(name, one.type) for name, one in zip(table.schema.names, columns, strict=True)
    ]
    table = pa.Table.from_arrays(columns, schema=pa.schema(plain))
    for column in [column for column in table.schema if _has_offset(column.type)]:
        if pa.types.is_nested(column.type):
            table = table.drop_columns([column.name])
            continue
        index = table.schema.get_field_index(column.name)
        moments = table.column(index).cast(pa.timestamp(column.type.unit, "UTC"))
        table = table.set_column(index, column.name, moments)
    made = pl.from_arrow(table)
    assert isinstance(made, pl.DataFrame)
    return made


def _known(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of types that Polars knows: it panics at decimals of more than 38 digits."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    if pa.types.is_decimal256(column.type):
        return column.cast(pa.float64())
    if pa.types.is_nested(column.type) and "decimal256" in str(column.type):
        texts = [None if v is None else json.dumps(v, default=str) for v in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column


def _has_offset(kind: pa.DataType) -> bool:
    if pa.types.is_nested(kind):
        return any(_has_offset(kind.field(i).type) for i in range(kind.num_fields))
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    return zone is not None and zone not in available_timezones()


def _no_more_than_it_seems(path: Path, table: pl.DataFrame) -> None:
    """A long text that is repeated is stored once, and as often as it stands there once it is used."""
    size = 0
    for column in table.select(pl.col(pl.String, pl.Categorical, pl.Enum, pl.Binary)):
        counted = column.value_counts(name="times")
        texts = counted[column.name]
        long = (
            texts.bin.size() if texts.dtype == pl.Binary else texts.cast(pl.String).str.len_bytes()
        )
        size += int((long.cast(pl.Int64) * counted["times"].cast(pl.Int64)).sum())
    if size > REPEATED and size > 200 * path.stat().st_size:
        raise UserError(
            f"{path.name} unpacks to {size / 2**30:,.1f} GB of text, more than is read at once: leave the column of "
            "long texts out."
        )


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Columns of plain values: a record or a list within a record as text, categories and decimals as what
    they stand for."""
    return table.with_columns([_plain(table[name]).alias(name) for name in table.columns])


def _plain(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Null):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if dtype.is_temporal() and dtype != pl.Duration:
        return _within(column)
    if isinstance(dtype, pl.Binary):
        return column.bin.encode("hex")
    if isinstance(dtype, pl.List | pl.Array) and not dtype.inner.is_nested():
        inner = dtype.inner
        if inner not in (pl.Binary, pl.Duration, pl.Object):
            texts = column.cast(pl.List(pl.String)).list.join(", ")
            return pl.select(pl.format("[{}]", texts)).to_series()
    if dtype.is_nested() or dtype in (pl.Object, pl.Duration):
        values = [None if v is None else json.dumps(v, default=str) for v in column.to_list()]
        return pl.Series(values, dtype=pl.String)
    return column


def _within(column: pl.Series) -> pl.Series:
    """Times and dates that a calendar has; what lies outside is none, and Polars panics at it."""
    second = {"ms": 10**3, "us": 10**6, "ns": 10**9}.get(
        getattr(column.dtype, "time_unit", None) or "", 1
    )
    low, high = -62_135_596_800 * second, 253_402_300_800 * second - 1
    if column.dtype == pl.Date:
        low, high = -719_162, 2_932_896
    elif column.dtype == pl.Time:
        low, high = 0, 86_400 * 10**9 - 1
    number = column.to_physical().cast(pl.Int128)
    return column.set(~number.is_between(low, high).fill_null(True), None)


def _sheet(path: Path) -> File:
    """The largest sheet, read in a process of its own: what reads it may take all memory and then ends."""
    with scratch() as name:
        folder = Path(name)
        command = [
            sys.executable,
            "-m",
            "crimecast.reading.sheets",
            str(path.resolve()),
            str(folder),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *sys.path]),
        }
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
        if done.returncode not in (0, 2):
            raise UserError(
                f"{path.name} needs more memory than a spreadsheet may: save it as CSV and import that."
            )
        said = json.loads(done.stdout)
        if done.returncode == 2:
            raise UserError(said)
        rows = pl.read_parquet(folder / "rows.parquet", memory_map=False)
    return File(rows_of(rows), [Notice("sheets", text) for text in said])
