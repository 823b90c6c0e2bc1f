"""The record of runs in SQLite: one table, write-ahead log, so that several processes may use it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from crimecast.store import data_root

SCHEMA = """
create table if not exists runs (
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
    message text not null default '',
    created real not null,
    started real,
    ended real,
    pid integer,
    pid_started real,
    summary text not null default '{}'
);
"""


@contextmanager
def connect() -> Iterator[sqlite3.Connection]:
    """A connection whose changes are committed together when the block ends well."""
    connection = sqlite3.connect(data_root() / "crimecast.sqlite", timeout=30, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.executescript(SCHEMA)
        connection.execute("begin immediate")
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    finally:
        connection.close()
