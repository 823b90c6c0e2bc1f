"""What a file is by its first bytes, and what is in it: compressed tables are unpacked within bounds."""

import bz2
import gzip
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from crimecast import UserError
from crimecast.reading.asides import asides
from crimecast.reading.notice import Notice
from crimecast.reading.police_uk import crimes_alone
from crimecast.storage.store import scratch

MOST_BYTES = 8 * 2**30  # of what a compressed file unpacks to
TOLD = 100_000  # bytes of a text beside the tables that are looked at
MOST_SHEET_BYTES = 2**30  # of a spreadsheet, which has to be held in memory
SMALL, RATIO = 2**28, 40  # bytes that any file may unpack to; beyond, times its own size
BLOCK = 2**20
TABLES = {".csv", ".tsv", ".txt", ".parquet", ".json", ".ndjson", ".jsonl", ".geojson", ".geojsonl", ".geojsonseq", ".xlsx", ".xls", ".xlsb", ".ods"}  # fmt: skip
PACKED: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
MAGIC = {
    b"\x1f\x8b": ".gz",
    b"BZh": ".bz2",
    b"\xfd7zXZ\x00": ".xz",
    b"PAR1": ".parquet",
    b"\xd0\xcf\x11\xe0": ".xls",
}


def kind_of(path: Path) -> str:
    """A suffix that says what the file is, by its content where that tells, else by its name."""
    with path.open("rb") as file:
        head = file.read(8)
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    return path.suffix.lower()


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UserError(f"{path.name} can't be unpacked: {error}.") from None
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return ".xlsx"
    return ".ods" if "content.xml" in names and "mimetype" in names else ".zip"


@contextmanager
def unpacked(path: Path, depth: int = 0) -> Iterator[tuple[list[Path], list[Notice]]]:
    """The tables in a file: itself, or what it unpacks to in a folder that lasts as long as the block; and
    what there is to say of those that were left out.

    Raises UserError if it holds none, can't be unpacked, or unpacks to more than MOST_BYTES.
    """
    kind = kind_of(path)
    if kind not in PACKED and kind != ".zip":
        yield [path], []
        return
    if depth:
        raise UserError(
            f"{path.name} is packed more than once; unpack it and import what is in it."
        )
    with scratch() as name:
        folder = Path(name)
        try:
            if kind == ".zip":
                members, notices = _unzip(path, folder)
            else:
                members, notices = [_unpack(path, folder, kind)], []
        except (
            OSError,
            EOFError,
            lzma.LZMAError,
            zlib.error,
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise UserError(f"{path.name} can't be unpacked: {str(error)[:120]}.") from None
        if depth == 0:
            for member in members:
                if kind_of(member) in PACKED or kind_of(member) == ".zip":
                    raise UserError(
                        f"{path.name} is packed more than once; unpack it and import what is in it."
                    )
        yield members, notices


# What lies beside data and describes them.
DOCUMENT = re.compile(
    r"read_?me|datapackage|dictionar|metadata|codebook|(?<![a-z])notes?(?![a-z])|licen[cs]e|changelog|schema",
    re.IGNORECASE,
)


def _unpack(path: Path, folder: Path, kind: str) -> Path:
    stem = path.name[: -len(kind)] if path.name.lower().endswith(kind) else path.name
    if Path(stem).suffix.lower() not in TABLES:
        stem = f"{Path(stem).name}.csv"
    target = folder / Path(stem).name
    with PACKED[kind](path, "rb") as packed:
        _copy(packed, target, path.name, _most(path))
    with target.open("rb") as file:
        if file.read(262)[257:] == b"ustar":
            raise UserError(
                f"{path.name} holds an archive of files (tar): unpack it and import the table in it."
            )
    return target


def _unzip(path: Path, folder: Path) -> tuple[list[Path], list[Notice]]:
    with zipfile.ZipFile(path) as archive:
        entries = [
            entry
            for entry in archive.infolist()
            if Path(entry.filename).suffix.lower() in TABLES and not entry.is_dir()
            and not Path(entry.filename).name.startswith((".", "_")) and "__MACOSX" not in entry.filename
        ]  # fmt: skip
        tells = [entry for entry in entries if DOCUMENT.search(Path(entry.filename).stem)]
        if len(tells) < len(entries):
            entries = [entry for entry in entries if entry not in tells]
        if not entries:
            raise UserError(f"{path.name} holds no table (CSV, Parquet, JSON or Excel).")
        wanted, left_out = crimes_alone([entry.filename for entry in entries])
        if not wanted:
            raise UserError(
                f"{path.name} holds outcomes or stops and searches, no crimes: the files that end with street.csv do."
            )
        entries = [entry for entry in entries if entry.filename in wanted]
        left = _most(path)
        members = []
        for number, entry in enumerate(entries):
            target = folder / f"{number:04d}-{Path(entry.filename).name}"
            with archive.open(entry) as packed:
                left -= _copy(packed, target, path.name, left)
            members.append(target)
        lines = [line for entry in archive.infolist() for line in _told(archive, entry)]
    notices = asides(lines, "What lies beside the tables")
    return members, [left_out, *notices] if left_out else notices


def _told(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> list[str]:
    """The lines of a text in an archive that describes the data, the first of them."""
    name = Path(entry.filename)
    text = name.suffix.lower() in (".md", ".rst") or (name.suffix.lower() == ".txt" and DOCUMENT.search(name.stem))  # fmt: skip
    if not text or "__MACOSX" in entry.filename or entry.flag_bits & 1:
        return []
    with archive.open(entry) as packed:
        return packed.read(TOLD).decode("utf-8", errors="replace").splitlines()


def _most(path: Path) -> int:
    """Bytes that a packed file may unpack to: records that differ from one another pack to a tenth or a
    thirtieth of their size, never to a thousandth."""
    return min(MOST_BYTES, max(SMALL, RATIO * path.stat().st_size))


def _copy(packed: IO[bytes], target: Path, name: str, most: int) -> int:
    """Copy at most `most` bytes; returns how many there were. Raises UserError beyond, or on a full disk."""
    size = 0
    free = shutil.disk_usage(target.parent).free // 2
    with target.open("wb") as file:
        while block := packed.read(BLOCK):
            size += len(block)
            if size > min(most, free):
                raise UserError(
                    f"{name} unpacks to more than {min(most, free) / 2**30:,.1f} GB, more than is read at once: split it "
                    "into parts and import them one after the other."
                )
            file.write(block)
    return size


def is_sheet(path: Path) -> bool:
    """Whether a file's first bytes are those of a spreadsheet, old or new."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def check_sheets(path: Path) -> None:
    """A spreadsheet is a zip of XML: refuse one that unpacks to more than memory should hold."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = 0
            for entry in archive.infolist():
                with archive.open(entry) as packed:
                    while block := packed.read(BLOCK):  # what it says of its size isn't relied on
                        size += len(block)
                        if size > MOST_SHEET_BYTES:
                            raise UserError(
                                f"{path.name} unpacks to more than {MOST_SHEET_BYTES / 2**30:g} GB: save it as CSV and import that."
                            )
    except (
        zipfile.BadZipFile,
        OSError,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ) as error:
        raise UserError(f"{path.name} can't be unpacked: {str(error)[:120]}.") from None
