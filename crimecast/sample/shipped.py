"""How the sample city as it ships gets into a data folder (`crimecast.commands.sample` makes it anew)."""

import shutil
from typing import Any

from filelock import FileLock

from crimecast.grids.grid import make_grid
from crimecast.sample import SAMPLE, sample_is_ready, sample_marker
from crimecast.storage.access import by_itself
from crimecast.storage.database import writing
from crimecast.storage.store import data_root, read_json, replacing


def ensure_sample() -> None:
    """Put the sample city, its daily grid and its run into the data folder, unless they are there."""
    if sample_is_ready():
        return
    with FileLock(data_root() / ".sample.lock"), by_itself():
        if sample_is_ready():
            return
        events = sample_marker().with_name("events")
        if not (events / "manifest.json").exists():
            with replacing(events) as temporary:
                shutil.copytree(SAMPLE / "events", temporary)
        make_grid("sample")
        record = SAMPLE / "run.json"
        if record.exists():
            add_run(read_json(record))
        sample_marker().touch()


def add_run(row: dict[str, Any]) -> None:
    """Put the trained network that is shipped into the data folder and the record; row: the record's own."""
    folder = data_root() / "runs" / row["id"]
    if not folder.exists():
        with replacing(folder) as temporary:
            shutil.copytree(SAMPLE / "run", temporary)
    with writing() as db:
        fields = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        db.execute(f"insert or ignore into runs ({fields}) values ({marks})", tuple(row.values()))
