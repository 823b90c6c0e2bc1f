"""Input maps kept on disk, so that a network is opened, forked or scored again without making them.

Made maps depend on the counts, on the design's inputs (not its layers), on the periods and on the
code that makes them: the name of an entry is a hash of all of these, so a stale one is never read.
"""

import hashlib
import json
import shutil
from typing import Any, NamedTuple

import numpy as np

from crimecast.designs.spec import Design
from crimecast.grids.covariates import covariate_path
from crimecast.grids.cube import Cube
from crimecast.storage.arrays import in_memory
from crimecast.storage.kept import code_of, forget, used
from crimecast.storage.store import folder, read_json, replacing, write_json

BOUND = 4e9  # bytes of all entries; those that were used least recently go first
SHARE = 0.2  # of the free disk that an entry may take
WORTH = 0.5  # seconds of making below which maps aren't kept
MAKERS = (
    "grids/memories.py", "grids/covariates.py", "calendar/dates.py", "baselines/level.py", "baselines/means.py",
    "baselines/mixture.py", "designs/inputs.py", "judging/likelihood.py", "training/inputs.py", "training/maps.py",
)  # fmt: skip
NOT_INPUTS = {"name", "lags", "calendar", "likelihood", "training", "layers"}


class Made(NamedTuple):
    """maps (K·T, S, N) float16, scaled; offset (K·T, C, N) float32, the logarithm, or (1, C, N) where it
    is the same for all; the scaling, as JSON."""

    maps: np.ndarray
    offset: np.ndarray
    scaling: dict[str, Any]


def name_of(cube: Cube, design: Design, **rest: Any) -> str:
    """The name of the maps of a design on a cube; `rest` is all else that they depend on."""
    inputs = {k: v for k, v in vars(design).items() if k not in NOT_INPUTS}
    inputs |= {"first": max(design.lags), "module": design.module is not None}
    kept = hashlib.blake2b(code_of(*MAKERS), digest_size=16)
    kept.update(json.dumps([inputs, rest, str(cube.step), cube.cell, cube.city]).encode())
    for array in (cube.counts, cube.times, cube.x, cube.y, cube.outline_area):
        if array is not None:
            kept.update(str(array.shape).encode())
            kept.update(np.ascontiguousarray(array).view(np.uint8).data)
    for one in design.static:
        path = covariate_path(cube.city, one)
        kept.update(path.read_bytes() if path.exists() else b"")
    return kept.hexdigest()


def scaled_as(name: str, scaling: dict[str, Any]) -> str:
    """The name of those maps with a scaling that was measured elsewhere, or earlier."""
    return f"{name}-{hashlib.blake2b(json.dumps(scaling).encode(), digest_size=8).hexdigest()}"


def load(name: str) -> Made | None:
    """What is kept under a name, None if nothing whole is."""
    place = folder("cache", "inputs") / name
    try:
        maps, offset = (in_memory(place / f"{part}.npy") for part in ("maps", "offset"))
        scaling = read_json(place / "scaling.json")
        used(place)
    except (OSError, ValueError):
        return None
    return Made(maps, offset, scaling)


def keep(name: str, made: Made) -> None:
    """Keep maps under a name, if there is room for them."""
    size = made.maps.nbytes + made.offset.nbytes
    home = folder("cache", "inputs")
    if size > min(BOUND / 2, SHARE * shutil.disk_usage(home).free):
        return
    try:
        with replacing(home / name) as temporary:
            temporary.mkdir()
            np.save(temporary / "maps.npy", made.maps)
            np.save(temporary / "offset.npy", made.offset)
            write_json(temporary / "scaling.json", made.scaling)
    except OSError:  # another process was quicker, or the disk is full: they are made again
        return
    forget(home.iterdir(), BOUND)
