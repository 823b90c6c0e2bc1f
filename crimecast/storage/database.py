"""The record of runs in SQLite: one table, write-ahead log, so that several processes may use it.

Readers take no lock and never wait. The form of the record has a number, SQLite's `user_version`:
an older one is brought up to date once, by whoever opens it first; a newer one is refused.
"""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crimecast import UserError
from crimecast.storage.forms import Damaged
from crimecast.storage.store import data_root

SCHEMA = """
create table runs (
    id text primary key,
    number integer not null,
    name text not null,
    grid text not null,
    parent text,
    seed integer not null,
    device text not null,
    spec text not null,
    settings text not null,
    state text not null,
    request text,
    requested real,
    message text not null default '',
    created real not null,
    started real,
    ended real,
    pid integer,
    pid_started real,
    summary text not null default '{}',
    priority integer not null default 0,
    slot text,
    token text,
    deaths integer not null default 0,
    epochs_at_death integer not null default 0,
    pruned integer not null default 0,
    note text not null default '',
    pinned integer not null default 0,
    archived integer not null default 0
)
"""


def _first(db: sqlite3.Connection) -> None:
    """From the unnumbered form, whose oldest lack columns, to 1: what people say of a run, and how
    often its process died, become columns of their own."""
    known = _columns(db)
    for column, kind in (
        ("requested", "real"),
        ("priority", "integer not null default 0"),
        ("slot", "text"),
        ("token", "text"),
        ("attempts", "integer not null default 0"),
        ("deaths", "integer not null default 0"),
        ("epochs_at_death", "integer not null default 0"),
        ("pruned", "integer not null default 0"),
        ("note", "text not null default ''"),
        ("pinned", "integer not null default 0"),
        ("archived", "integer not null default 0"),
    ):
        if column not in known:
            db.execute(f"alter table runs add column {column} {kind}")
    db.execute("update runs set deaths = attempts % 100, epochs_at_death = attempts / 100")
    db.execute("alter table runs drop column attempts")
    said = ("note", "pinned", "archived", "pruned")
    for key in said:
        db.execute(
            f"update runs set {key} = json_extract(settings, '$.{key}')"
            f" where json_extract(settings, '$.{key}') is not null"
        )
    paths = ", ".join(f"'$.{key}'" for key in said)
    db.execute(f"update runs set settings = json_remove(settings, {paths})")


MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = [_first]
VERSION = len(MIGRATIONS)


@contextmanager
def reading() -> Iterator[sqlite3.Connection]:
    """A connection that can only read, and waits for nobody."""
    with _open() as connection:
        connection.execute("pragma query_only = on")
        yield connection


@contextmanager
def writing() -> Iterator[sqlite3.Connection]:
    """A connection whose changes are committed together when the block ends well."""
    with _open() as connection, _together(connection):
        yield connection


# What SQLite says of the disk, and what a disk says of itself.
DISK = {
    "SQLITE_FULL": errno.ENOSPC, "SQLITE_READONLY": errno.EROFS, "SQLITE_IOERR": errno.EIO,
    "SQLITE_CANTOPEN": errno.EROFS, "SQLITE_PERM": errno.EROFS,
}  # fmt: skip


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """SQLite's own errors as the disk's or, of a file that is no record any more, as a sentence."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged name of a column is no text
        name = getattr(error, "sqlite_errorname", "")
        for known, number in DISK.items():
            if name.startswith(known):
                raise OSError(number, os.strerror(number), str(path)) from error
        if name in ("SQLITE_BUSY", "SQLITE_LOCKED"):
            raise UserError("The record of runs is busy; try again in a moment.") from None
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise Damaged(
            f"The record of runs, {path.name} in the data folder, is damaged ({error}): put a copy of it in its "
            "place, or take it away to begin a new one."
        ) from None


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    """Raises UserError for a record that a newer version of the program made."""
    path = data_root() / "crimecast.sqlite"
    with _said(path):
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        with _said(path):
            connection.row_factory = sqlite3.Row
            # A damaged text is shown as one, and keeps nobody from the others.
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            connection.execute("pragma synchronous = normal")
            version = _version(connection)
            if version > VERSION:
                raise UserError(
                    f"The data folder {path.parent} was written by a newer CrimeCast (record {version}, "
                    f"this one knows up to {VERSION}): update this one, or use another folder."
                )
            if version < VERSION:
                _migrate(connection, path)
            yield connection
    finally:
        connection.close()


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Make the record, or bring an older one up to date: all of it or nothing."""
    connection.execute("pragma journal_mode = wal")
    with _together(connection):
        version = _version(connection)  # another process may have been first
        if version == 0 and not _columns(connection):
            connection.execute(SCHEMA)
        else:
            for change in MIGRATIONS[version:]:
                change(connection)
        connection.execute(f"pragma user_version = {VERSION}")


@contextmanager
def _together(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row["name"] for row in connection.execute("pragma table_info(runs)")}
