"""The record: readers wait for nobody, and an older form is brought up to date once."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from crimecast.errors import UserError
from crimecast.runs.run import list_runs, load_run
from crimecast.runs.settings import Trial
from crimecast.storage import database
from crimecast.storage.database import reading, writing

# The form before its number: as the last version without one made it.
OLD = """
create table runs (id text primary key, number integer not null, name text not null, grid text not null,
parent text, seed integer not null, device text not null, spec text not null, settings text not null,
state text not null, request text, message text not null default '', created real not null, started real,
ended real, pid integer, pid_started real, summary text not null default '{}'%s)
"""
LATER = (
    ", priority integer not null default 0, slot text, token text,"
    " attempts integer not null default 0"
)


ROW = (
    "insert into runs (id, number, name, grid, seed, device, spec, settings, state, created)"
    " values ('b', 1, '', '', 0, '', '', '{}', 'done', 0)"
)


def test_a_text_that_is_damaged_keeps_nobody_from_the_others(data: Path) -> None:
    with writing() as db:
        db.execute(ROW)
        db.execute("update runs set message = cast(x'fffe41' as text)")
    with reading() as db:
        (row,) = db.execute("select * from runs").fetchall()
    assert (row["id"], row["message"]) == ("b", "\ufffd\ufffdA")


def test_a_column_whose_name_is_damaged_is_said(data: Path) -> None:
    with writing() as db:
        db.execute(ROW)
    path = data / "crimecast.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("pragma wal_checkpoint(truncate)")
        db.execute("pragma journal_mode = delete")
    db.close()
    whole = path.read_bytes()
    assert b"message" in whole
    path.write_bytes(whole.replace(b"message text", b"\xff\xfessage text"))
    with pytest.raises(UserError, match=r"The record of runs, .* is damaged"):
        list_runs()


def old_record(data: Path, later: str = LATER) -> Path:
    data.mkdir(parents=True)
    path = data / "crimecast.sqlite"
    settings = {
        "train": 10, "validate": 20, "train_until": "2020-01-11T00:00", "validate_until": "the end",
        "epochs": 3, "refit": True, "note": "it's “wider”", "pinned": True, "pruned": True,
        "search": "s-1", "trial": 4, "values": {"layer.stem.channels": 8},
    }  # fmt: skip
    db = sqlite3.connect(path)
    db.execute(OLD % later)
    row = ("a-1", 1, "a", "g", 0, "cpu", "", json.dumps(settings), "done", 1.0)
    db.execute(
        "insert into runs (id, number, name, grid, seed, device, spec, settings, state, created)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    if later:
        db.execute("update runs set attempts = 307")
    db.commit()
    db.close()
    return path


def test_an_older_record_is_brought_up_to_date(data: Path) -> None:
    old_record(data)
    run = load_run("a-1")
    assert (run.note, run.pinned, run.archived, run.pruned) == ("it's “wider”", True, False, True)
    assert (run.epochs_at_death, run.deaths) == (3, 7)
    assert run.settings.trial == Trial("s-1", 4, {"layer.stem.channels": 8})
    assert run.settings.refit
    assert run.settings.learnt_until == 20
    with reading() as db:
        assert db.execute("pragma user_version").fetchone()[0] == database.VERSION
        assert "note" not in json.loads(db.execute("select settings from runs").fetchone()[0])


def test_the_oldest_record_too(data: Path) -> None:
    old_record(data, "")
    assert (load_run("a-1").deaths, load_run("a-1").priority) == (0, 0)


def test_a_new_record_has_the_form_of_one_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms = []
    for folder, make in (("old", old_record), ("new", lambda data: None)):
        monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path / folder))
        make(tmp_path / folder)
        with reading() as db:
            columns = db.execute("pragma table_info(runs)").fetchall()
        forms.append(sorted((c["name"], c["type"], c["notnull"], c["dflt_value"]) for c in columns))
    assert forms[0] == forms[1]


def test_a_newer_record_is_refused_in_one_sentence(data: Path) -> None:
    with writing() as db:
        pass
    db = sqlite3.connect(data / "crimecast.sqlite")
    db.execute(f"pragma user_version = {database.VERSION + 1}")
    db.close()
    for way in (reading, writing):
        with pytest.raises(UserError, match="newer CrimeCast") as refused, way():
            pass
        assert "\n" not in str(refused.value)


def test_a_migration_that_fails_leaves_the_old_record(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_record(data)

    def fails(db: sqlite3.Connection) -> None:
        database.MIGRATIONS[0](db)
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(database, "MIGRATIONS", [fails])
        with pytest.raises(RuntimeError):
            load_run("a-1")
    db = sqlite3.connect(path)
    assert db.execute("select attempts from runs").fetchone()[0] == 307
    db.close()
    assert load_run("a-1").deaths == 7


def test_two_processes_bring_it_up_to_date_once(data: Path) -> None:
    old_record(data)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(load_run("a-1").deaths)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 8


def test_a_reader_waits_for_no_writer_and_changes_nothing(data: Path) -> None:
    with writing():
        pass
    with writing() as one:
        one.execute(ROW)
        with reading() as other:  # while the writer holds its lock
            other.execute("pragma busy_timeout = 0")
            assert other.execute("select count(*) from runs").fetchone()[0] == 0
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                other.execute("delete from runs")
    with reading() as other:
        assert other.execute("select count(*) from runs").fetchone()[0] == 1


def test_what_fails_is_not_written(data: Path) -> None:
    def fails() -> None:
        with writing() as db:
            db.execute(ROW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with reading() as db:
        assert db.execute("select count(*) from runs").fetchone()[0] == 0
