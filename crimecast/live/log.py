"""A log to which entries are only ever appended, each with the hash of the one before it.

An entry that is changed, taken out, put in or moved breaks the chain from there on, so nothing can be
made, improved or dated back unseen by anyone who kept a later hash. Beside the log stands its head (how
many entries, and the last hash), by which entries cut off at the end are missed. Arrays lie in files
of their own, whose hashes are part of their entries.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from crimecast import UserError
from crimecast.calendar import clock
from crimecast.storage.store import read_json, replacing, write_json

START = "0" * 64


class Log:
    """The log in a folder; one process at a time may append."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path, self.head = folder / "log.jsonl", folder / "head.json"

    def entries(self) -> list[dict[str, Any]]:
        """All entries, the oldest first; one that was cut off while it was written is none."""
        if not self.path.exists():
            return []
        whole = self.path.read_bytes().rpartition(b"\n")[0]
        try:
            return [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            raise UserError("The sealed log was changed: an entry can't be read.") from None

    def append(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Write an entry, for good, and return it."""
        known = self.entries()
        if self.path.exists():  # what a kill has left of an entry goes
            size = self.path.read_bytes().rfind(b"\n") + 1
            with self.path.open("rb+") as file:
                file.truncate(size)
        now = clock.now().isoformat(timespec="seconds")
        entry = {
            "number": len(known), "made": max(now, known[-1]["made"]) if known else now, "kind": kind,
            "body": body, "previous": known[-1]["hash"] if known else START,
        }  # fmt: skip
        if entry["made"] != now:
            entry["clock"] = now  # it was set back: said, and the order of entries stays
        entry["hash"] = digest(entry)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(json.dumps(entry, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        write_json(self.head, {"entries": len(known) + 1, "hash": entry["hash"]})
        return entry

    def keep(self, name: str, content: bytes) -> str:
        """Write a file of arrays that an entry will name; returns its hash."""
        with replacing(self.folder / name) as temporary:
            temporary.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def verify(self) -> int:
        """How many entries there are, all as they were written. Raises UserError that names the first
        thing that isn't."""
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else [b""]
        previous, made = START, ""
        for number, line in enumerate(lines[:-1]):
            try:
                entry = json.loads(line)
                own = entry.pop("hash")
                whole = own == digest(entry) and entry["previous"] == previous
                whole = whole and entry["number"] == number and entry["made"] >= made
                # As it was written, byte for byte.
                whole = (
                    whole and json.dumps({**entry, "hash": own}, sort_keys=True).encode() == line
                )
                made = entry["made"]
            except (ValueError, KeyError, TypeError, AttributeError):
                whole = False
            if not whole:
                raise UserError(f"The sealed log was changed at entry {number}.")
            previous = own
            file = entry["body"].get("file")
            if file and not self._same(file, entry["body"]["sha256"]):
                raise UserError(
                    f"The forecast of entry {number}, {file}, is missing or was changed."
                )
        count = len(lines) - 1
        head = self._head()
        # The head is written after its entry: a kill may leave it one behind, never ahead.
        if head["entries"] > count or head["entries"] < count - 1:
            raise UserError(
                f"The sealed log has {count} entries where its head counts {head['entries']}."
            )
        if head["entries"] == count and head["hash"] != previous:
            raise UserError("The sealed log ends otherwise than its head says.")
        return count

    def _head(self) -> dict[str, Any]:
        if not self.head.exists():
            return {"entries": 0, "hash": START}
        try:
            head = read_json(self.head)
            return {"entries": int(head["entries"]), "hash": str(head["hash"])}
        except (ValueError, KeyError, TypeError):
            raise UserError("The head of the sealed log was changed.") from None

    def _same(self, name: str, digest: str) -> bool:
        path = self.folder / name
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def digest(entry: dict[str, Any]) -> str:
    """The hash of an entry, without its own."""
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
