"""Kept maps are those that would be made, and never those of something else."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crimecast.designs.spec import load_design, parse_design
from crimecast.grids.cube import Cube, load_cube
from crimecast.storage.store import folder
from crimecast.training import inputs, maps_cache
from crimecast.training.samples import Samples
from tests.training.test_training import SMALL


@pytest.fixture
def cube(sample: str, monkeypatch: pytest.MonkeyPatch) -> Cube:
    monkeypatch.setattr(maps_cache, "WORTH", 0.0)
    whole = load_cube(sample)
    return replace(whole, counts=whole.counts[:120], times=whole.times[:120])


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows each time that maps are made."""
    made, make = [], inputs.make

    def counted(study: inputs.Study, *rest: object) -> maps_cache.Made:
        made.append(study.train_end)
        return make(study, *rest)

    monkeypatch.setattr(inputs, "make", counted)
    return made


def same(one: Samples, two: Samples) -> bool:
    return bool(
        one.maps.equal(two.maps) and one.offset.equal(two.offset) and one.scaling == two.scaling
    )


def test_they_are_made_once(cube: Cube, making: list[int]) -> None:
    design = load_design("stack")
    first = Samples(cube, design, 90)
    again = Samples(cube, replace(design, layers=design.layers[:1], name="fork"), 90)
    opened = Samples(cube, design, 90, scaling=json.loads(json.dumps(first.scaling)))
    assert making == [90]
    assert same(first, again)
    assert same(first, opened)


def test_whatever_they_depend_on_makes_them_anew(cube: Cube, making: list[int]) -> None:
    design = parse_design(SMALL)
    first = Samples(cube, design, 90)
    counts = cube.counts.copy()
    counts[60, 0, 3, 3] += 1
    Samples(replace(cube, counts=counts), design, 90)
    Samples(cube, replace(design, memories=(3.0,)), 90)
    Samples(cube, design, 91)
    Samples(cube, design, 90, scaling={**first.scaling, "base": [0.5]})
    assert making == [90, 90, 90, 91, 90]


def test_a_damaged_entry_is_made_again(cube: Cube, making: list[int]) -> None:
    design = replace(parse_design(SMALL), memories=(5.0,))
    first = Samples(cube, design, 90)
    entry = max((folder("cache", "inputs")).iterdir(), key=lambda path: path.stat().st_mtime)
    whole = (entry / "maps.npy").read_bytes()
    (entry / "maps.npy").write_bytes(whole[: len(whole) // 2])
    assert same(first, Samples(cube, design, 90))
    (entry / "scaling.json").unlink()
    assert same(first, Samples(cube, design, 90))
    assert len(making) == 3


def test_no_more_is_kept_than_the_bound(cube: Cube, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folder("cache", "inputs")
    made = maps_cache.Made(np.zeros((4, 2, 10), np.float16), np.zeros((4, 1, 10), np.float32), {})
    maps_cache.keep("one", made)
    size = sum(file.stat().st_size for file in (home / "one").iterdir())
    monkeypatch.setattr(maps_cache, "BOUND", 2.5 * size)
    for name in ("two", "three"):
        assert maps_cache.load("one") is not None  # used since
        maps_cache.keep(name, made)
    assert {path.name for path in home.iterdir()} == {"one", "three"}
