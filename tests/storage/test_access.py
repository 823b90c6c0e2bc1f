"""Viewers change nothing whatever they call; every action has a line that says who, what and when."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crimecast.cities import load_city
from crimecast.cities.city import write_city
from crimecast.crawling.worker import start_crawl, stop_crawl
from crimecast.designs.spec import load_design
from crimecast.errors import UserError
from crimecast.grids.covariates import import_covariate
from crimecast.grids.grid import make_grid
from crimecast.lineage.tree import annotate
from crimecast.records.importing import import_file
from crimecast.runs import queue, search
from crimecast.runs.run import delete_run, list_runs
from crimecast.storage.access import Actor, audit, identify, local_user, person


@pytest.fixture
def as_viewer() -> Iterator[None]:
    identify(lambda: Actor("eve@elsewhere.example", False))
    yield
    identify(None)


def actions(grid: str, file: Path) -> dict[str, Callable[[], object]]:
    """Everything that changes something."""
    marked = 'name = "s"\n[[layer]]\nname = "one"\nkind = "conv"\nchannels = { search = [4, 8] }\n[[layer]]\nname = "r"\nkind = "head"\n'
    return {
        "train": lambda: queue.submit(queue.Request(load_design("stack_plain"), grid)),
        "try again": lambda: queue.retry("stack-1"),
        "search": lambda: search.start(marked, grid, 2),
        "delete": lambda: delete_run("stack-1"),
        "annotate": lambda: annotate("stack-1", note="mine"),
        "grid": lambda: make_grid("sample", cell=750.0),
        "import": lambda: import_file("elsewhere", file, zone="UTC"),
        "covariate": lambda: import_covariate("sample", file, "weather", {}),
        "crawl": lambda: start_crawl("chicago"),
        "stop a crawl": lambda: stop_crawl("chicago"),
        "city": lambda: write_city(load_city("sample")),
    }


@pytest.mark.usefixtures("as_viewer")
def test_a_viewer_can_change_nothing(sample: str, tmp_path: Path) -> None:
    file = tmp_path / "records.csv"
    file.write_text("time,longitude,latitude,value\n2024-01-01,3.0,0.1,1\n", encoding="utf-8")
    runs = list_runs()
    for action in actions(sample, file).values():
        with pytest.raises(UserError, match=r"eve@elsewhere.example may look"):
            action()
    assert list_runs() == runs
    tried = [x for x in audit() if x["who"].startswith("eve")]
    assert len(tried) == len(actions(sample, file))
    assert {x["outcome"] for x in tried} == {"refused"}


@pytest.mark.usefixtures("as_viewer")
def test_a_viewer_has_nothing_read_or_fetched(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crimecast.crawling import discover
    from pages.parts.columns import stored

    def reached(*_: object, **__: object) -> None:
        raise AssertionError("rights come first")

    monkeypatch.setattr(discover, "Client", reached)
    with pytest.raises(UserError, match="may look"):
        discover.look_at("https://portal.example/d/abcd-1234")

    class File:
        name = "records.csv"
        getbuffer = reached

    with pytest.raises(UserError, match="may look"), stored(File()):
        pass
    assert [(x["action"], x["outcome"]) for x in audit()] == [
        ("read", "refused"),
        ("look at", "refused"),
    ]


def test_what_failed_is_told_from_what_was_done(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "records.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError):
        import_file("elsewhere", file, zone="UTC")
    last, first = audit()
    assert (first["action"], first["outcome"]) == ("import", "begun")
    assert (last["action"], last["outcome"]) == ("import", "failed")
    assert last["why"]


def test_an_action_has_a_line(sample: str) -> None:
    identify(lambda: Actor("ana\n@city.example", True))
    try:
        annotate("stack-1", note="seen")
        annotate("stack-1", note="")
    finally:
        identify(None)
    latest = audit()[0]
    assert (latest["who"], latest["action"], latest["what"]) == (
        "ana\n@city.example",
        "annotate",
        "stack-1",
    )
    assert latest["time"].endswith("+00:00")


def test_operators_are_named_by_address_or_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIMECAST_OPERATORS", "Ana@City.example, @police.example")
    assert person("ana@city.example").operator
    assert person("bo@police.example").operator
    assert not person("bo@city.example").operator
    assert not person("eve@notpolice.example").operator
    assert not person("police.example").operator
    assert not person("").operator
    monkeypatch.delenv("CRIMECAST_OPERATORS")
    assert not person("ana@city.example").operator
    assert not person("").operator
    assert local_user().operator
