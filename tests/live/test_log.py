"""The sealed log: whatever is done to it but append is found."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crimecast.calendar import clock
from crimecast.errors import UserError
from crimecast.live.log import Log, digest


@pytest.fixture
def log(tmp_path: Path) -> Log:
    made = Log(tmp_path / "live")
    for number in range(4):
        name = f"forecast-{number}.npz"
        body = {"file": name, "sha256": made.keep(name, bytes([number] * 50)), "value": number / 3}
        made.append("forecast", body)
    return made


def test_entries_are_what_was_appended(log: Log) -> None:
    assert log.verify() == 4
    assert [entry["body"]["value"] for entry in log.entries()] == [n / 3 for n in range(4)]
    assert log.entries()[2]["previous"] == log.entries()[1]["hash"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_found(log: Log, data: st.DataObject) -> None:
    files = sorted(log.folder.iterdir())
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda b: b != content[at]))
    path.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
    try:
        if path.name == "head.json" and same_head(content, path):
            return  # a space between its numbers says nothing
        with pytest.raises(UserError, match=r"sealed log|forecast of entry"):
            log.verify()
    finally:
        path.write_bytes(content)


def same_head(before: bytes, path: Path) -> bool:
    try:
        return json.loads(before) == json.loads(path.read_bytes())
    except ValueError:
        return False


@pytest.mark.parametrize("change", ["cut", "drop", "swap", "empty"])
def test_entries_that_are_cut_off_taken_out_or_moved_are_missed(log: Log, change: str) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    changed = {
        "cut": lines[:2],
        "drop": [*lines[:1], *lines[2:]],
        "swap": [lines[0], lines[2], lines[1], lines[3]],
        "empty": [],
    }[change]
    log.path.write_bytes(b"".join(changed))
    with pytest.raises(UserError):
        log.verify()


def test_an_entry_cut_off_by_a_kill_is_none_and_the_next_takes_its_place(log: Log) -> None:
    with log.path.open("ab") as file:
        file.write(b'{"number": 4, "ma')
    assert log.verify() == 4
    assert len(log.entries()) == 4
    log.append("score", {"of": 1})
    assert log.verify() == 5


def test_an_entry_dated_before_the_one_before_it_is_found(log: Log) -> None:
    """By somebody who can make hashes."""
    last = log.entries()[-1]
    made = {"number": 4, "made": "2001-01-01T00:00:00+00:00", "kind": "forecast", "body": {"value": 1}, "previous": last["hash"]}  # fmt: skip
    made["hash"] = digest(made)
    with log.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(made, sort_keys=True) + "\n")
    log.head.write_text(json.dumps({"entries": 5, "hash": made["hash"]}))
    with pytest.raises(UserError, match="entry 4"):
        log.verify()


def test_a_clock_that_is_set_back_breaks_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path / "live")
    days = [datetime(2024, 5, 2, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 3, tzinfo=UTC)]  # fmt: skip
    for day in days:
        monkeypatch.setattr(clock, "now", lambda day=day: day)
        log.append("note", {})
    assert log.verify() == 3
    made = log.entries()
    assert [entry["made"][:10] for entry in made] == ["2024-05-02", "2024-05-02", "2024-05-03"]
    # What the clock showed then is said.
    assert [entry.get("clock", "")[:10] for entry in made] == ["", "2024-05-01", ""]
