"""The sample city is there as a whole or not yet."""

from pathlib import Path

import pytest

from crimecast.runs.run import list_runs
from crimecast.sample import sample_is_ready
from crimecast.sample import shipped as sample
from crimecast.storage import access


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path))
    return tmp_path


def test_what_was_broken_off_is_finished(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(city: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sample, "make_grid", killed)
        with pytest.raises(KeyboardInterrupt):
            sample.ensure_sample()
    assert not sample_is_ready()
    sample.ensure_sample()
    assert sample_is_ready()
    assert [run.name for run in list_runs()] == ["stack"]


def test_nobody_takes_it_for_ready_while_it_is_made(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, make, add = [], sample.make_grid, sample.add_run

    def looking(work: object) -> object:
        def wrapped(*given: object) -> object:
            seen.append(sample_is_ready())
            return work(*given)  # type: ignore[operator]

        return wrapped

    monkeypatch.setattr(sample, "make_grid", looking(make))
    monkeypatch.setattr(sample, "add_run", looking(add))
    sample.ensure_sample()
    assert seen == [False, False]
    sample.ensure_sample()
    assert seen == [False, False]


def test_what_was_added_to_it_stays(empty: Path) -> None:
    sample.ensure_sample()
    manifest = empty / "cities" / "sample" / "events" / "manifest.json"
    kept = manifest.read_text() + " "
    manifest.write_text(kept)
    (empty / "cities" / "sample" / "ready").unlink()  # as in a folder of an earlier version
    sample.ensure_sample()
    assert manifest.read_text() == kept
    assert len(list_runs()) == 1


def test_a_viewer_who_comes_first_finds_it(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_who", lambda: access.Actor("eve@elsewhere.example", False))
    sample.ensure_sample()
    assert sample_is_ready()
    assert access.actor().name == "eve@elsewhere.example"
    assert [line["who"] for line in access.audit()] == [access.local_user().name]
