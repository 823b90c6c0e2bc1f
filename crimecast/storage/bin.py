"""What was deleted: kept for thirty days as it was, and taken back by one call.

An entry is a folder `bin/ID` with `entry.json` and, under `files/`, what was moved there. Moves are made one
by one, and taking back moves what is there: whichever of the two is cut off, the other mends it.
"""

import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crimecast import UserError
from crimecast.storage.access import accounted, act
from crimecast.storage.database import reading, writing
from crimecast.storage.store import data_root, read_json, write_json

DAYS = 30
ROOMS = ("cities", "covariates", "forecasts", "grids", "live", "runs")
ID = re.compile(r"\d{8}T\d{6}-[a-z]{3,4}-[\w.+-]{1,120}-[0-9a-f]{4}")


@dataclass(frozen=True)
class Thrown:
    """An entry: what was deleted (`kind`: run, grid or city), when (seconds since 1970), and the rows of the
    runs that went with it."""

    id: str
    kind: str
    name: str
    at: float
    runs: tuple[dict[str, Any], ...] = ()

    @property
    def days_left(self) -> int:
        """Whole days until it is gone for good."""
        return max(0, DAYS - int((time.time() - self.at) // 86_400))


def throw(kind: str, name: str, paths: list[Path], runs: list[str]) -> Thrown:
    """Move files and folders of the data folder, and the record of some runs, to the bin. Whoever calls it
    asks for the right to, and makes sure that nobody works with them."""
    empty()
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    made_id = f"{stamp}-{kind}-{name[:80]}-{uuid.uuid4().hex[:4]}"
    with reading() as db:
        rows = [
            dict(db.execute("select * from runs where id = ?", (one,)).fetchone()) for one in runs
        ]
    made = Thrown(made_id, kind, name, time.time(), tuple(rows))
    folder = data_root() / "bin" / made_id
    write_json(folder / "entry.json", asdict(made))
    for path in paths:
        if path.exists():
            target = folder / "files" / path.relative_to(data_root())
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
    with writing() as db:
        db.executemany("delete from runs where id = ?", [(one,) for one in runs])
    return made


def thrown() -> list[Thrown]:
    """What is in the bin, the latest first."""
    found = []
    for path in (data_root() / "bin").glob("*/entry.json"):
        with suppress(UserError, OSError):  # a damaged entry keeps nobody from the others
            entry = read_json(path, Thrown)
            if entry.id == path.parent.name and ID.fullmatch(entry.id):
                found.append(entry)
    return sorted(found, key=lambda entry: entry.at, reverse=True)


@accounted
def take_back(entry_id: str) -> Thrown:
    """Put an entry of the bin where it was. Raises UserError if there is none of that name, or something
    else has taken its place. What a run hangs on comes back with it."""
    entry = next((one for one in thrown() if one.id == entry_id), None)
    if entry is None:
        raise UserError(f"There is nothing called '{entry_id[:120]}' in the bin.")
    act("take back", entry.name)
    folder = data_root() / "bin" / entry.id
    moves = [
        (path, data_root() / room / path.name)
        for room in ROOMS
        for path in sorted((folder / "files" / room).glob("*"))
    ]
    with reading() as db:
        taken = [row["id"] for row in entry.runs if _known(db, row)]
    taken += [to.name for _, to in moves if to.exists()]
    if taken:
        raise UserError(
            f"{', '.join(taken[:3])} is there again: what is in the bin under that name can't be taken back beside it."
        )
    own = {to for _, to in moves}
    for row in entry.runs:
        for kind, name in (("grids", row.get("grid")), ("runs", row.get("parent"))):
            if name and (there := data_root() / kind / str(name)) not in own and not there.exists():
                _with_it(f"{row.get('id')} hangs on {name}", kind, str(name))
    for path, to in moves:
        to.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, to)
    with writing() as db:
        columns = {row["name"] for row in db.execute("pragma table_info(runs)")}
        for row in entry.runs:
            names = [name for name in row if name in columns]
            marks = ", ".join("?" for _ in names)
            values = [row[name] for name in names]
            db.execute(f"insert or ignore into runs ({', '.join(names)}) values ({marks})", values)
    shutil.rmtree(folder, ignore_errors=True)
    return entry


def _with_it(why: str, kind: str, name: str) -> None:
    """Take back what something else hangs on."""
    for one in thrown():
        if (data_root() / "bin" / one.id / "files" / kind / Path(name).name).exists():
            take_back(one.id)
            return
    raise UserError(f"{why}, which isn't there any more.")


def _known(db: Any, row: dict[str, Any]) -> bool:
    """Whether another run has the id of one in the bin."""
    found = db.execute("select created from runs where id = ?", (row.get("id"),)).fetchone()
    return found is not None and found["created"] != row.get("created")


def discarded() -> dict[str, int]:
    """The names and numbers of the runs in the bin: those that come get others."""
    rows = [row for entry in thrown() for row in entry.runs]
    return {str(row["id"]): row["number"] for row in rows if isinstance(row.get("number"), int)}


def empty() -> None:
    """Take away for good what has been in the bin for longer than DAYS."""
    for entry in thrown():
        if time.time() - entry.at > DAYS * 86_400:
            shutil.rmtree(data_root() / "bin" / entry.id, ignore_errors=True)
