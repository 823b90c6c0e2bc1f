"""The record of runs in SQLite: one table, write-ahead log, so that several processes may use it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from crimecast.storage.store import data_root

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
    summary text not null default '{}',
    priority integer not null default 0,
    slot text,
    token text,
    attempts integer not null default 0
);
"""
# Columns that older data folders lack.
ADDED = {
    "priority": "integer not null default 0",
    "slot": "text",
    "token": "text",
    "attempts": "integer not null default 0",
}


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
        known = {row["name"] for row in connection.execute("pragma table_info(runs)")}
        for column in ADDED.keys() - known:
            connection.execute(f"alter table runs add column {column} {ADDED[column]}")
        yield connection
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    finally:
        connection.close()
