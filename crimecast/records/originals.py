"""The files that a city's records were read from, kept so that they can be read again another way.

Of a file only columns are kept that say when, where or what: those that were used, and those that could
have been by their names or values. None about persons is.
"""

import hashlib
import os
import re
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from crimecast import UserError
from crimecast.cities import City
from crimecast.reading import days
from crimecast.reading.columns import plain
from crimecast.reading.files import File
from crimecast.reading.parts import Rows, head
from crimecast.reading.place_columns import place_names
from crimecast.reading.several import day_of
from crimecast.reading.words import CLOCK, DATED, KIND, OFFENCE
from crimecast.records.snapshot import archive_folder, snapshot
from crimecast.storage.store import read_json, replacing, scratch, write_json

PERSON = re.compile(
    r"vict|suspect|offender|perp|arrest|person|citizen|juvenile|name|sex|gender|race|ethni|(^|_)age(_|$)|birth|dob|nation|"
    r"relig|phone|mail|ssn|licen|plate|officer|badge|remark|narrat|opfer|tater|taeter|geschlecht|alter(_|$)|sexo|edad|"
    r"apellid|nombre|genero|被害|嫌疑|性別|年齢|年龄"
)

SAMPLE, FEW = 10_000, 20  # rows that are looked at, and types that any column may have


@dataclass(frozen=True)
class Original:
    """A file as it was read: its name (`origin`), the user's `mapping`, CRS, zone and order of dates."""

    origin: str
    mapping: dict[str, str] = field(default_factory=dict)
    crs: str | None = None
    zone: str | None = None
    order: str | None = None
    file_crs: str | None = None

    def over(self, before: "Original") -> "Original":
        """The same, with what was said `before` where nothing is."""
        said = {key: value or getattr(before, key) for key, value in vars(self).items()}
        return Original(**said)


def keep(city: City, file: File, about: Original, used: dict[str, list[str]]) -> str:
    """Keep a file's rows beside the city's events; returns under which name. The same rows are kept once."""
    columns = [
        name
        for name in file.rows.columns
        if any(name in parts for parts in used.values()) or _could_be(file.rows, name)
    ]
    # A name with a zero in it is none to Arrow.
    names: dict[str, str] = {}
    for one in columns:
        names.setdefault(one.replace("\0", ""), one)
    with scratch() as place:
        path = Path(place) / "rows.parquet"
        writer: parquet.ParquetWriter | None = None
        said = hashlib.blake2b(repr(columns).encode(), digest_size=8)
        for part in file.rows.select(columns):
            said.update(part.hash_rows().to_numpy().tobytes())
            plain_names = [part[old].alias(new) for new, old in names.items()]
            table: pa.Table = pl.DataFrame(plain_names).to_arrow()
            writer = writer or parquet.ParquetWriter(
                path, table.schema, compression="zstd", compression_level=1, write_statistics=False
            )
            writer.write_table(table)
        assert writer is not None  # of a file without rows nothing is read
        writer.close()
        name = said.hexdigest()
        target = folder(city) / f"{name}.parquet"
        if not target.exists():
            with replacing(target) as temporary:
                os.replace(path, temporary)
    beside = target.with_suffix(".json")
    if beside.exists():  # what isn't said now was said before
        about = about.over(read_json(beside, Original))
    mapping = {field: parts.replace("\0", "") for field, parts in about.mapping.items()}
    write_json(beside, asdict(replace(about, mapping=mapping)))
    return name


def originals(city: City) -> list[tuple[Path, Original]]:
    """The files that all of the city's records were read from, in order. Raises UserError where one isn't
    kept: it came from a portal, or was read by a version that kept none."""
    found = []
    for entry in snapshot(city).imports:
        path = folder(city) / f"{Path(str(entry.get('kept'))).name}.parquet"
        if not path.exists():
            raise UserError(
                f"Records of {city.title} came from {entry['origin']}, of which nothing is kept to be read again: bring them in "
                "as a new city."
            )
        found.append((path, read_json(path.with_suffix(".json"), Original)))
    # A file that was brought in again is read once, as it was read last.
    return list(dict(found).items())


def forget(city: City) -> None:
    """Keep none of them."""
    shutil.rmtree(folder(city), ignore_errors=True)


def folder(city: City) -> Path:
    """Where they lie."""
    return archive_folder(city).with_name("files")


def _could_be(rows: Rows, name: str) -> bool:
    """Whether a column could tell when, where or what, and tells of nobody. One of types has few of them: what
    somebody wrote down of each record may name persons."""
    word = plain(name)
    if PERSON.search(word):
        return False
    if DATED.search(word) or CLOCK.search(word):
        return True
    if any(name in place_names(rows, axis) for axis in ("longitude", "latitude")):
        return True
    values = head(rows.column(name), SAMPLE)
    if values.dtype.is_temporal():
        return True
    texts = values.cast(pl.String, strict=False).drop_nulls()
    dates = sum(bool(day_of(text) or days.lex(text)) for text in texts.head(100))
    if dates > 0.8 * min(100, len(texts)):
        return True
    few = texts.n_unique() <= max(FEW, 0.05 * len(texts))
    return few and bool(KIND.search(word) or OFFENCE.search(word))
