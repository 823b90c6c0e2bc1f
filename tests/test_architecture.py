"""Data go one way: no import runs upwards, there is no circle, and the page that says so is true."""

import graphlib

import pytest

from docs import architecture


@pytest.fixture(scope="module")
def pairs() -> dict[tuple[str, str], list[str]]:
    return architecture.imports()


def test_every_room_has_its_place(pairs: dict[tuple[str, str], list[str]]) -> None:
    rooms = {architecture.room_of(path) for path in architecture.files()} - {None}
    assert rooms == set(architecture.ORDER)
    assert len(architecture.ORDER) == len(rooms)


def test_no_import_runs_upwards(pairs: dict[tuple[str, str], list[str]]) -> None:
    order = architecture.ORDER
    upwards = {p: where for p, where in pairs.items() if order.index(p[0]) < order.index(p[1])}
    assert upwards == {}


def test_no_file_is_in_a_circle() -> None:
    graph = {path: architecture.imported(path) for path in architecture.files()}
    graphlib.TopologicalSorter(graph).prepare()


def test_rooms_hang_together_by_few_imports(pairs: dict[tuple[str, str], list[str]]) -> None:
    assert len(pairs) < 170
    assert len(list((architecture.TOP / "crimecast").glob("*.py"))) <= 8


@pytest.mark.long
def test_an_import_upwards_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architecture, "ORDER", architecture.ORDER[::-1])
    with pytest.raises(AssertionError):
        test_no_import_runs_upwards(architecture.imports())


def test_the_page_is_as_the_code() -> None:
    assert architecture.PAGE.read_text() == architecture.page(), "python docs/architecture.py"


def test_arrows_that_follow_from_others_are_left_out() -> None:
    pairs = {("grids", "cities"), ("cities", "storage"), ("grids", "storage")}
    assert architecture.arrows(pairs) == [("cities", "storage"), ("grids", "cities")]
