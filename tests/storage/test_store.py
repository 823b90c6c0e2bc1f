"""What is written is there whole or not at all."""

from pathlib import Path

import pytest

from crimecast.storage.store import read_json, replacing, write_json


def test_a_file_is_replaced_when_all_of_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.json"
    write_json(path, {"n": 1})
    write_json(path, {"n": 2})
    assert read_json(path) == {"n": 2}
    assert [one.name for one in path.parent.iterdir()] == ["a.json"]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, 1)

    def fails() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert read_json(path) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    for name in ("old", "new"):
        with replacing(path) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert [one.name for one in path.iterdir()] == ["new"]
