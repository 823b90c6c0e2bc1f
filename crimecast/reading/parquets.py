"""A Parquet file → a table of plain values, and the coordinate system that it names for its places."""

import json
from pathlib import Path
from zoneinfo import available_timezones

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from crimecast import UserError

MOST_VALUES, MOST_BYTES = 10**9, 8 * 2**30  # of one file, unpacked
REPEATED = 2**28  # bytes of text that a small file may unpack to
DENSE, FEW = (
    2,
    1_000_000,
)  # rows a byte: records that differ at all take more room; of small files never mind


def read_parquet(path: Path) -> tuple[pl.DataFrame, str | None]:
    """Its rows, and its coordinate system if it names one that isn't WGS 84. Raises UserError where it unpacks to more
    than is read at once."""
    _bounded(path)
    table = _parquet(path)
    _no_more_than_it_seems(path, table)
    return _flat(table), _of_geoparquet(path)


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


def _of_geoparquet(path: Path) -> str | None:
    """The coordinate system that a GeoParquet file names for its places, as GeoParquet 1.1 defines; None without."""
    try:
        geo = json.loads((parquet.read_schema(path).metadata or {})[b"geo"])
        own = geo["columns"][geo["primary_column"]]["crs"]["id"]
        return None if str(own["code"]) in ("4326", "CRS84") else f"EPSG:{int(own['code'])}"
    except (KeyError, TypeError, ValueError):
        return None


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
        if inner in (pl.String, pl.Categorical, pl.Enum):
            texts = column.cast(pl.List(pl.String))
            if bool((texts.list.len().drop_nulls() <= 1).all()):
                return texts.list.first()
            values = [None if v is None else json.dumps(v.to_list()) for v in texts]
            return pl.Series(values, dtype=pl.String)
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
