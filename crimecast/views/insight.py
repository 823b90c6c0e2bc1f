"""What the Layers page shows beside activations: computed once for a network, kept for a while."""

from functools import lru_cache

import numpy as np
import torch

from crimecast.cities import City
from crimecast.designs.inputs import past_count
from crimecast.designs.shapes import FRAMES, MAPS, PAST
from crimecast.grids.cube import load_cube
from crimecast.inspect.attribution import Attribution, attribute
from crimecast.inspect.graph import Node
from crimecast.inspect.health import histograms
from crimecast.inspect.intervention import (
    Ablation,
    ablations,
    forecast_after_edit,
    forecast_with,
    loss_over_period,
)
from crimecast.inspect.parameters import Weights, weights
from crimecast.inspect.receptive import (
    Field,
    effective_field,
    radius_holding,
    theoretical_field,
)
from crimecast.inspect.similarity import cka_table, features, probe, width
from crimecast.inspect.subject import Subject, subject
from crimecast.judging.likelihood import log_likelihood
from crimecast.judging.near_repeat import NearRepeat, near_repeat
from crimecast.plots.diagram import Item
from crimecast.plots.rasters import Panel, Scene, message
from crimecast.runs.run import Run, load_run
from crimecast.views.ground import ground
from crimecast.views.words import input_title

Cell = tuple[int, int]
TAKEN = 20  # inputs of a channel that are shown


def maps_message(
    run: Run,
    city: City,
    maps: list[tuple[Panel, np.ndarray]],
    identity: str,
    cell: Cell | None = None,
) -> bytes:
    """Maps (H, W) of the run's grid side by side, for the maps component."""
    cube = load_cube(run.grid)
    scene = Scene(
        identity=identity, ground=ground(city, cube),
        panels=[panel for panel, _ in maps], about=f"{city.title} · {run.id}", alt="; ".join(panel.title for panel, _ in maps), scale="linear",
    )  # fmt: skip
    values: list[np.ndarray | None] = [array for _, array in maps]
    return message(scene, run.area(cube), {0: values}, 0, first=0, cell_picked=cell)


def signed(title: str, values: np.ndarray, unit: str, group: str = "") -> Panel:
    """A panel that diverges around zero."""
    top = float(np.quantile(np.abs(values), 0.999)) + 1e-9
    return Panel(title, "diverging", unit, low=-top, high=top, size=2, group=group)


def rising(title: str, values: np.ndarray, unit: str, group: str = "", share: float = 1.0) -> Panel:
    """A panel that rises from zero to what a share of the cells stays below."""
    top = float(np.quantile(values, share)) + 1e-12
    return Panel(title, "sequential", unit, high=top, size=2, group=group)


def busiest(run: Run) -> Cell:
    """The cell of the study area with most events: where one looks first."""
    cube = load_cube(run.grid)
    total = np.where(run.area(cube), cube.counts.sum(axis=(0, 1)), -1)
    row, column = np.unravel_index(total.argmax(), total.shape)
    return int(row), int(column)


def items(made: list[Node], measure: dict[str, float]) -> list[Item]:
    """The layers to draw, each as dark as its measure is high."""
    top = max(measure.values(), default=0.0) or 1.0
    return [
        Item(
            node.name,
            (node.name, f"{node.kind} · {'×'.join(map(str, node.shape))}", f"{node.parameters:,} weights"),
            node.takes,
            max(0.0, measure.get(node.name, 0.0)) / top,
        )
        for node in made
    ]  # fmt: skip


def input_titles(one: Subject) -> tuple[list[str], list[str]]:
    """What the lagged frames and the input maps are called on pages, one a channel."""
    lags, maps = one.input_names()
    cell = one.cube.cell
    return [input_title(n, cell) for n in lags], [input_title(n, cell) for n in maps]


@lru_cache(maxsize=16)
def attribution(
    name: str, _stamp: int, step: int, cell: Cell, kind: int, method: str
) -> tuple[Attribution, list[tuple[str, float]]]:
    """An attribution, and what each lag and each input map added, the largest first."""
    one = subject(load_run(name))
    made = attribute(one, step, cell, kind, method)
    lags, maps = input_titles(one)
    parts = [(n, float(v.sum())) for n, v in zip(lags, made.history, strict=True)]
    parts += [(n, float(v.sum())) for n, v in zip(maps, made.static, strict=True)]
    return made, sorted(parts, key=lambda part: -abs(part[1]))


@lru_cache(maxsize=16)
def sight(name: str, _stamp: int, cell: Cell) -> tuple[Field, float, np.ndarray]:
    """What a cell's forecast can see; the radius, in cells, that holds nine tenths of what moves it;
    and (H, W) the square root of what does, which shows the faint edge too."""
    one = subject(load_run(name))
    moves = effective_field(one, cell, one.probes(3))
    return theoretical_field(one, cell), radius_holding(moves, cell, 0.9), np.sqrt(moves)


@lru_cache(maxsize=4)
def excitation(grid: str, until: int) -> NearRepeat:
    """How far crimes excite one another in the training period."""
    cube = load_cube(grid)
    return near_repeat(cube.counts[:until].sum(axis=1), cube.area(until))


@lru_cache(maxsize=16)
def channel_ablations(name: str, _stamp: int, layer: str | None) -> list[Ablation]:
    """What the score loses without each layer, or each channel of one."""
    return ablations(subject(load_run(name)), layer, probes=8)


@lru_cache(maxsize=32)
def what_if(
    name: str,
    _stamp: int,
    step: int,
    layer: str,
    channels: tuple[int, ...],
    way: str,
    other: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) the forecast as it is, and with channels changed; summed over types."""
    one = subject(load_run(name))
    with torch.no_grad():
        plain = torch.exp(one.log_rate(one.batch([step])))[0].numpy()
    return plain.sum(axis=0), forecast_with(one, step, layer, list(channels), way, other).sum(
        axis=0
    )


@lru_cache(maxsize=64)
def loss_of_period(name: str, _stamp: int, layer: str, channel: int, way: str) -> float:
    """What the score of the validation period loses with a channel changed in all of its steps."""
    return loss_over_period(subject(load_run(name)), layer, [channel], way)


def step_score(run: Run, step: int, rates: np.ndarray) -> float:
    """Log-likelihood per event of rates (H, W), summed over types, against what happened in a step."""
    cube = load_cube(run.grid)
    area = run.area(cube)
    n = cube.counts[step].sum(axis=0)[area]
    return float(log_likelihood(n, rates[area]).sum() / max(n.sum(), 1.0))


@lru_cache(maxsize=8)
def edited_past(
    name: str, _stamp: int, step: int, cell: Cell, radius: int, days: int, add: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) the forecast as it is, and had the past been another; summed over types."""
    one = subject(load_run(name))
    with torch.no_grad():
        plain = torch.exp(one.log_rate(one.batch([step])))[0].numpy()
    return plain.sum(axis=0), forecast_after_edit(one, step, cell, radius, days, add).sum(axis=0)


@lru_cache(maxsize=8)
def likeness(
    name: str, _stamp: int, other: str, _other_stamp: int
) -> tuple[list[str], list[str], np.ndarray]:
    """CKA of every layer with every layer, of one network or of two on one grid."""
    one = features(subject(load_run(name)), 12)
    two = one if other == name else features(subject(load_run(other)), 12)
    return cka_table(one, two)


@lru_cache(maxsize=8)
def knowledge(name: str, _stamp: int) -> list[dict[str, object]]:
    """For each layer how wide it is, how much of that it uses, and what can be read off it."""
    one = subject(load_run(name))
    made = features(one, 24)
    rows = []
    for layer, x in made.values.items():
        own = width(x)
        rows.append(
            {
                "layer": layer,
                "channels": own.channels,
                "used": own.used,
                "participation": own.participation,
            }
            | probe(made, one.cube.times, layer)
        )
    return rows


@lru_cache(maxsize=32)
def layer_weights(name: str, _stamp: int, layer: str) -> list[Weights]:
    """The weights of a layer."""
    return weights(subject(load_run(name)), layer)


@lru_cache(maxsize=32)
def inputs_of_layer(name: str, _stamp: int, layer: str) -> list[str]:
    """What each channel that a layer of a spec takes is called; nothing for a module of one's own."""
    one = subject(load_run(name))
    laid = next((one for one in getattr(one.network, "laid", ()) if one.layer.name == layer), None)
    if laid is None:
        return []
    lags, maps = input_titles(one)
    count = len(maps) - past_count(one.run.design, len(one.cube.types))
    known = {FRAMES: [*lags, *maps[:count]], MAPS: maps[:count], PAST: maps[count:]}
    return [
        title
        for source, shape in zip(laid.inputs, laid.takes, strict=True)
        for title in known.get(source, [f"{source}, channel {k}" for k in range(shape[-3])])
    ]


def taken_by(
    name: str, stamp: int, layer: str, sizes: np.ndarray
) -> tuple[list[str], np.ndarray, int]:
    """What a channel takes most of: names of the inputs, and (K, taps) their `sizes` (of all: (in, taps)), the largest
    first; and how many inputs there are."""
    names = inputs_of_layer(name, stamp, layer)
    if len(names) != len(sizes):
        names = [f"channel {i}" for i in range(len(sizes))]
    largest = np.argsort(-sizes.max(axis=1), kind="stable")[:TAKEN]
    return [names[i] for i in largest], sizes[largest], len(names)


@lru_cache(maxsize=16)
def spread_over_training(
    name: str, _stamp: int, layer: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Histograms of a layer's values at the checkpoints that were kept."""
    return histograms(load_run(name), layer)
