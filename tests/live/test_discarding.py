"""What is deleted goes to the bin as it was, and comes back as it was, whatever is cut off on the way."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.cli import main
from crimecast.designs.spec import load_design
from crimecast.grids.grid import list_grids, make_grid
from crimecast.live.discarding import delete_city, delete_grid, discard_run, what_goes
from crimecast.live.plan import Plan, keep_plan
from crimecast.records.snapshot import snapshot
from crimecast.runs.run import create_run, delete_run, list_runs, load_run, update_run
from crimecast.runs.settings import Settings
from crimecast.storage import bin as bin_
from crimecast.storage.bin import DAYS, empty, take_back, thrown
from crimecast.storage.store import data_root, write_json


def stored() -> dict[str, str]:
    """All files but those that come and go, with what is in them; and the runs' rows."""
    found = {
        str(path.relative_to(data_root())): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data_root().rglob("*")
        if path.is_file()
        and "sqlite" not in path.name
        and path.name not in ("audit.jsonl", ".swept")
    }
    return {k: v for k, v in found.items() if not k.endswith(".lock")} | {
        run.id: repr(run) for run in list_runs()
    }


@pytest.fixture
def made(town: str) -> tuple[str, list[str]]:
    """A grid of the town, with two runs that ended."""
    grid = make_grid(town, 1000.0, "1d", "each")["grid"]
    runs = []
    for _ in range(2):
        run = create_run(
            load_design("stack_plain"),
            grid,
            0,
            "cpu",
            Settings(20, 40, "2020-02-01", "2020-02-20", 1),
            None,
        )
        update_run(run.id, state="stopped")
        runs.append(run.id)
    return grid, runs


def test_all_of_a_city_comes_back(made: tuple[str, list[str]]) -> None:
    grid, runs = made
    before = stored()
    assert what_goes("town") == (1, 2)
    entry = delete_city("town")
    assert list_runs() == list_grids() == []
    with pytest.raises(UserError, match="no city"):
        load_city("town")
    assert [one.name for one in thrown()] == ["town"]
    take_back(entry.id)
    assert stored() == before
    assert snapshot(load_city("town")).scan().collect().height > 0
    assert thrown() == []
    assert {run.id for run in list_runs(grid)} == set(runs)


def test_a_run_and_a_grid_come_back_and_no_number_is_used_twice(
    made: tuple[str, list[str]],
) -> None:
    grid, runs = made
    delete_run(runs[1])
    other = create_run(load_design("stack_plain"), grid, 0, "cpu", Settings(20, 40, "2020-02-01", "2020-02-20", 1), None)  # fmt: skip
    assert other.id not in runs
    update_run(other.id, state="stopped")
    whole = delete_grid(grid)
    assert list_grids() == []
    with pytest.raises(UserError, match="no grid"):
        delete_grid(grid)
    take_back(whole.id)
    take_back(thrown()[0].id)
    assert {run.id for run in list_runs(grid)} == {*runs, other.id}


def test_what_is_used_stays(made: tuple[str, list[str]]) -> None:
    grid, runs = made
    update_run(runs[0], state="queued")
    for delete, name in ((delete_grid, grid), (delete_city, "town")):
        with pytest.raises(UserError, match="trains or waits"):
            delete(name)
    assert load_run(runs[0]).grid == grid
    with pytest.raises(UserError, match="comes with the app"):
        delete_city("sample")
    with pytest.raises(UserError, match="Nothing is stored"):
        delete_city("chicago")


def test_nothing_is_put_over_what_is_there(made: tuple[str, list[str]], tmp_path: Path) -> None:
    grid, _ = made
    entry = delete_grid(grid)
    make_grid("town", 1000.0, "1d", "each")
    with pytest.raises(UserError, match="is there again"):
        take_back(entry.id)
    with pytest.raises(UserError, match="nothing called"):
        take_back("../runs")
    assert [one.id for one in thrown()] == [entry.id]


@pytest.mark.parametrize("moves", range(5))
def test_cut_off_it_can_be_taken_back(
    made: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    before = stored()
    real: Callable[..., Any] = os.replace
    left = [moves + 1]  # the entry is the first thing to be put in its place

    def replace(*arguments: Any) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        real(*arguments)

    monkeypatch.setattr(bin_.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        delete_city("town")
    monkeypatch.setattr(bin_.os, "replace", real)
    take_back(thrown()[0].id)
    assert stored() == before


def test_after_a_month_it_is_gone(made: tuple[str, list[str]]) -> None:
    entry = delete_grid(made[0])
    empty()
    assert thrown() == [entry]
    path = data_root() / "bin" / entry.id / "entry.json"
    write_json(path, vars(entry) | {"at": time.time() - (DAYS + 1) * 86_400})
    empty()
    assert thrown() == []
    assert not path.exists()


def test_from_the_command_line(
    made: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["delete", made[0]]) == 0
    assert main(["bin"]) == 0
    assert made[0] in capsys.readouterr().out
    assert main(["bin", thrown()[0].id]) == 0
    assert list_grids("town")[0]["grid"] == made[0]
    assert main(["delete", "no such thing"]) == 2


def test_what_a_run_hangs_on_comes_back_with_it(made: tuple[str, list[str]]) -> None:
    grid, runs = made
    delete_run(runs[0])
    delete_grid(grid)
    run = thrown()[1]
    take_back(run.id)
    assert {one.id for one in list_runs(grid)} == set(runs)
    assert not thrown()


def test_what_hangs_on_something_that_is_gone_for_good_stays(made: tuple[str, list[str]]) -> None:
    grid, runs = made
    delete_run(runs[0])
    delete_grid(grid)
    whole, run = thrown()
    shutil.rmtree(data_root() / "bin" / whole.id)
    with pytest.raises(UserError, match="hangs on town"):
        take_back(run.id)
    assert [one.id for one in thrown()] == [run.id]


def test_a_run_that_is_live_stays(made: tuple[str, list[str]]) -> None:
    grid, runs = made
    keep_plan("town", Plan(grid, (f"{runs[0]}@1", "mean")))
    with pytest.raises(UserError, match="is live in town"):
        discard_run(runs[0])
    with pytest.raises(UserError, match="is live in town"):
        delete_grid(grid)
    assert discard_run(runs[1]).name == runs[1]
