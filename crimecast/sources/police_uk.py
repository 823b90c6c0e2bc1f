"""The monthly archives of data.police.uk: of each force the files of its crimes, read out of a ZIP on the portal.

GET /data/archive/latest.zip holds three years of all forces, a folder a month, of each force
YYYY-MM-FORCE-street.csv beside outcomes and stops; YYYY-MM.zip are the archives before. A file of
gigabytes isn't fetched whole: its list is read from its end, then the parts where what is wanted
lies. `source.dataset` names the forces, joined by +. Only months are given; no row says when it changed.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from crimecast import UserError
from crimecast.reading.police_uk import NAME
from crimecast.sources.http import ATTEMPTS, LARGEST, Client, Refused
from crimecast.sources.table import PortalTable

FOLDER = "/data/archive"
KEY = "row"
AHEAD = 2**20  # bytes that are asked for together
A_ROW = 200  # bytes, about: how many rows there are is told from it


@dataclass
class Archive(PortalTable):
    """The archives and the files in them that hold the forces' crimes, by month and force."""

    system_fields: bool = False
    stamp: str = ""
    key: str = KEY
    files: dict[tuple[str, str], tuple[str, zipfile.ZipInfo]] = field(default_factory=dict)

    def probe(self) -> None:
        """Read what the archives hold. Raises UserError if that isn't all that the registry names."""
        forces = self.source.dataset.split("+")
        others: set[str] = set()
        name = "latest"
        while months := self._list(f"{FOLDER}/{name}.zip", forces, others):
            name = str(np.datetime64(min(months), "M") - 1)
        for force in forces:
            if not any(own == force for _, own in self.files):
                raise UserError(
                    f"The archive at {self.client.base} holds no crimes of '{force}'; its forces are "
                    f"{', '.join(sorted(others)) or 'none'}."
                )

    def _list(self, path: str, forces: list[str], others: set[str]) -> set[str]:
        """Take in the files of an archive; returns the months that none before had, empty without one."""
        try:
            entries = self._open(path).infolist()
        except Refused as error:
            if error.status in (403, 404) and self.files:
                return set()  # as far back as they go
            raise
        fresh: set[str] = set()
        for entry in entries:
            found = NAME.fullmatch(entry.filename.rpartition("/")[2])
            if found is None or found["what"] != "street":
                continue
            place = (found["month"], found["force"])
            others.add(found["force"])
            if found["force"] in forces and place not in self.files:
                self.files[place] = (path, entry)
                fresh.add(found["month"])
        return fresh

    def _open(self, path: str) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(io.BufferedReader(Remote(self.client, path), AHEAD))
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise UserError(f"The archive at {self.client.base}{path} is none: {error}.") from None

    def pages(
        self, where: str, after: str | None, done: int
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """A page a file, in the order of months and forces, from after row `after` on."""
        first, last = where.split("..")
        for month, force in sorted(self.files, key=lambda place: f"{place[0]}/{place[1]}/"):
            begin = f"{month}-01T00:00:00"
            if (first and begin < first) or (last and begin >= last):
                continue
            if after is not None and f"{month}/{force}/" <= after:
                continue
            page = self._read(month, force)
            if page.height:
                yield page, str(page[KEY][-1])

    def _read(self, month: str, force: str) -> pl.DataFrame:
        path, entry = self.files[month, force]
        if entry.file_size > LARGEST:
            raise UserError(
                f"{entry.filename} in the archive at {self.client.base} is larger than {LARGEST >> 20} MB; "
                "it isn't read."
            )
        try:
            with self._open(path) as archive:
                table = pl.read_csv(archive.read(entry), infer_schema=False)
        except (zipfile.BadZipFile, zlib.error, pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).strip().split("\n")[0][:120]
            raise UserError(
                f"{entry.filename} in the archive at {self.client.base} can't be read: {reason}."
            ) from None
        for name in self.columns:
            if name not in table.columns:
                raise self.gone(name)
        number = pl.int_range(pl.len()).cast(pl.String).str.zfill(7)
        return table.select(
            pl.format("{}/{}/{}", pl.lit(month), pl.lit(force), number).alias(KEY), *self.columns
        )

    def between(self, first: str | None, last: str | None) -> str:
        """The months that begin in [first, last)."""
        return f"{first or ''}..{last or ''}"

    def without_day(self) -> str:
        """No month: each row stands in that of its file."""
        return "9999.."

    def size(self, where: str) -> tuple[int, str, str] | None:
        """About how many rows there are, and the first and last month."""
        first, last = where.split("..")
        wanted = {
            month: 0
            for month, _ in self.files
            if (not first or f"{month}-01T00:00:00" >= first)
            and (not last or f"{month}-01T00:00:00" < last)
        }
        if not wanted:
            return 0, "", ""
        sizes = [
            entry.file_size for (month, _), (_, entry) in self.files.items() if month in wanted
        ]
        return sum(sizes) // A_ROW, min(wanted), max(wanted)


class Remote(io.RawIOBase):
    """A file on the portal, of which parts are asked for."""

    def __init__(self, client: Client, path: str, attempts: int = ATTEMPTS) -> None:
        self.client, self.path, self.attempts = client, path, attempts
        self.place = 0
        self.size = self._part(0, 1)[1]

    def _part(self, begin: int, end: int) -> tuple[bytes, int]:
        return self.client.part(self.path, begin, end, self.attempts)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """From any place."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        self.place = max(0, start + offset)
        return self.place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, as far as there is something."""
        end = min(self.size, self.place + len(buffer))
        if end <= self.place:
            return 0
        content, _ = self._part(self.place, end)
        buffer[: len(content)] = content
        self.place += len(content)
        return len(content)
