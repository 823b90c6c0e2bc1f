"""Read a table of records from a file: CSV and its kin, Parquet, JSON, GeoJSON, Excel, packed or not."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from crimecast import UserError
from crimecast.reading.columns import SHEET
from crimecast.reading.containers import PACKED, TABLES, is_sheet, kind_of, unpacked
from crimecast.reading.delimited import AT_ONCE, read_delimited
from crimecast.reading.documents import read_document
from crimecast.reading.header_again import refuse_other_order
from crimecast.reading.mending import mended
from crimecast.reading.notice import Notice
from crimecast.reading.parquets import read_parquet
from crimecast.reading.parts import Rows, below, rows_of
from crimecast.storage.faults import SAID
from crimecast.storage.store import PACKAGE, scratch

SUFFIXES = {*TABLES, *PACKED, ".zip"}
SHEETS = {".xlsx", ".xls", ".xlsb", ".ods"}
MOST_COLUMNS = 1_000


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
            rows = below(_called([file.rows for file in files], members), folder)
            several = Notice(
                "several_tables",
                f"{len(files)} tables of {path.name} are read as one.",
                rows.height,
            )
            notices = [*said, *(n for file in files for n in file.notices), several]
            read = File(rows, notices, files[0].crs)
        else:
            read = replace(files[0], notices=[*said, *files[0].notices])
        refuse_other_order(read.rows, path.name)
        rows, put_right = mended(read.rows)
        yield replace(read, rows=rows, notices=[*read.notices, *put_right])


def _called(tables: list[Rows], members: list[Path]) -> list[Rows]:
    """Tables with a column of their files' names, where those may say something, such as a type: they are no numbers of
    parts. Only of tables in memory."""
    names = [member.stem.partition("-")[2] for member in members]
    held = [table.select(table.columns) for table in tables]
    numbered = any(re.search(r"\d", name) for name in names) or len(set(names)) < len(names)
    if numbered or SHEET in tables[0].columns or any(parts.folder is not None for parts in held):
        return tables
    return [
        rows_of(parts.first.with_columns(pl.lit(name).alias(SHEET)))
        for parts, name in zip(held, names, strict=True)
    ]


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
    if suffix in SHEETS and not is_sheet(path) and path.open("rb").read(200).lstrip()[:1] == b"<":
        raise UserError(
            f"{name} holds a page of the web under the name of a spreadsheet: open it in one and save it as .xlsx or CSV."
        )
    if suffix not in TABLES or (suffix in SHEETS and not is_sheet(path)):
        raise UserError(
            f"{name} is not a kind of file that can be read: use CSV, Excel, Parquet or JSON."
        )
    try:
        if suffix == ".parquet":
            table, crs = read_parquet(path)
            found = File(rows_of(table), crs=crs)
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
