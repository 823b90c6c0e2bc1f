"""The Attention view of the Layers page: the weights of a softmax as maps of the run's grid."""

from functools import lru_cache

import numpy as np
import torch

from crimecast.grids.cube import load_cube
from crimecast.inspect.attention import Attention, attentions
from crimecast.inspect.subject import subject
from crimecast.plots.rasters import Panel
from crimecast.runs.run import Run, load_run
from crimecast.views.insight import Cell, rising
from crimecast.views.words import input_title

SHOWN = 12  # keys that are shown as maps


@lru_cache(maxsize=8)
def softmaxes(name: str, _stamp: int, step: int) -> list[Attention]:
    """All softmaxes of a run's network in the forecast of a step."""
    return attentions(subject(load_run(name)), step)


def pictures(run: Run, one: Attention, cell: Cell) -> list[tuple[Panel, np.ndarray]]:
    """What is drawn of a softmax: of places what the cell attends to and what all do, else the weight of each
    key in each cell; nothing where it isn't proven to be of places."""
    shape = load_cube(run.grid).counts.shape[2:]
    whole = one.by_key()
    if whole is None:
        return []
    if one.of_places:
        mean = torch.from_numpy(whole.mean(axis=(1, 2))[None])
        own, all_ = one.from_cell(cell, shape), one.keys.maps(mean)[0, 0].numpy()
        assert own is not None
        maps = {"What this cell attends to": own, "What all cells attend to": all_}
        group = ""
    else:
        maps = dict(zip(keys_of(run, one), whole[:SHOWN], strict=False))
        group = "weight"
    top = max(float(values.max()) for values in maps.values())
    made = []
    for title, values in maps.items():
        panel = rising(title, np.array([top]) if group else values, "weight", group)
        made.append((panel, on_cells(values, shape)))
    return made


def keys_of(run: Run, one: Attention) -> list[str]:
    """What each key is called: a lag where the layer attends to the past as it is given, else its number."""
    layers = {layer.name: layer for layer in run.design.layers} if run.spec else {}
    layer, count = layers.get(one.name), one.weights.shape[-1]
    lags = sorted(run.design.lags, reverse=True)
    if layer is not None and layer.inputs == ("history",) and len(lags) == count:
        return [input_title(f"lag {lag}") for lag in lags]
    return [f"key {number + 1}" for number in range(count)]


def on_cells(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A coarser map (h, w) on the grid's cells."""
    height, width = values.shape
    rows = np.arange(shape[0]) * height // shape[0]
    columns = np.arange(shape[1]) * width // shape[1]
    return values[np.ix_(rows, columns)]
