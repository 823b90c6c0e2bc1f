"""The true rates of the sample city, kept beside it."""

import json

import numpy as np

from crimecast.grids.cube import Cube
from crimecast.grids.grid import open_grid
from crimecast.sample import SAMPLE
from crimecast.sample.simulate import CELL, DAYS, FIRST_DAY, ORIGIN, SIZE, TYPES

TRUTH = "truth"


def true_rates(cube: Cube) -> np.ndarray:
    """(T, C, H, W) true conditional rate of each step given all before it.

    Raises LookupError unless the cube is the sample city in days and its own cells: a conditional
    rate is known for no other grid.
    """
    attributes = open_grid(cube.grid).attrs
    if not attributes["simulated"]:
        raise LookupError("The true rates are known for the sample city only.")
    if cube.cell != CELL or str(cube.step) != "1d":
        raise LookupError("The true rates are known for cells of 500 m and steps of a day.")
    with np.load(SAMPLE / "truth.npz", allow_pickle=False) as file:
        stored = file["rates"].astype(np.float64)
    names = list(TYPES)
    channels = [
        stored[:, [names.index(member) for member in members or names]].sum(axis=1)
        for members in json.loads(attributes["types"]).values()
    ]
    rates = np.zeros(cube.counts.shape)
    day = (cube.times.astype("datetime64[D]") - np.datetime64(FIRST_DAY, "D")).astype(int)
    row = np.round((cube.y - CELL / 2 - ORIGIN[1]) / CELL).astype(int)
    column = np.round((cube.x - CELL / 2 - ORIGIN[0]) / CELL).astype(int)
    known_day, known_row, known_column = (
        np.flatnonzero((v >= 0) & (v < n)) for v, n in ((day, DAYS), (row, SIZE), (column, SIZE))
    )
    every = np.arange(len(channels))
    source = np.stack(channels, axis=1)[
        np.ix_(day[known_day], every, row[known_row], column[known_column])
    ]
    rates[np.ix_(known_day, every, known_row, known_column)] = source
    return rates
