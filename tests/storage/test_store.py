"""Where the data folder is, and that nothing is ever half there."""

from pathlib import Path

import pytest

from crimecast.storage import store


def test_a_clone_keeps_its_data_beside_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRIMECAST_DATA", raising=False)
    assert Path(__file__).resolve().parents[2] == store.TOP
    assert store.data_root() == store.TOP / "data"


def test_where_it_was_installed_data_go_to_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CRIMECAST_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setattr(store, "INSTALLED", True)
    root = store.data_root()
    assert root.is_dir()
    assert root.is_relative_to(tmp_path)
    assert root.name == "crimecast"


@pytest.mark.parametrize("installed", [True, False])
def test_who_says_otherwise_is_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: bool
) -> None:
    monkeypatch.setattr(store, "INSTALLED", installed)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRIMECAST_DATA", "here")
    assert store.data_root() == tmp_path / "here"


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store.write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), store.replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert store.read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
    with store.replacing(path) as temporary:
        temporary.write_text("[]")
    assert store.read_json(path) == []
