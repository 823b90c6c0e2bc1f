"""The Layers page: every channel of a layer on the city's outline, and one of them enlarged."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from crimecast.cities import City
from crimecast.grids.cube import Cube, load_cube
from crimecast.inspect.activations import activations_of_steps
from crimecast.inspect.subject import subject
from crimecast.plots.rasters import Ground, Panel, Scene, key_of, message, missing
from crimecast.runs.run import Run, load_run
from crimecast.views.activations import affordable, layer_maps, maps_of_steps
from crimecast.views.ground import ground
from crimecast.views.insight import channel_ablations

TOGETHER = 64  # channels in one gallery
ORDERS = ("as built", "most varied first", "alike together", "most effect first")
HEAVY = 5e9  # weights times cells: a second or so a step on a laptop
USUAL = 0.8  # of the steps have no larger values than a scale reaches
LOUD = 4.0  # times what channels usually reach, beyond which one doesn't decide the others' scale
PROBES = 12  # steps, spread over the grid, on which a layer's scale is measured


@dataclass(frozen=True)
class LayerView:
    """One layer of a run at one step: `values` (channels, height, width), cells maybe pooled."""

    run: Run
    layer: str
    step: int
    values: np.ndarray
    area: np.ndarray
    factor: float
    order: np.ndarray
    epoch: int | None = None

    @property
    def channels(self) -> int:
        """How many channels the layer has."""
        return self.values.shape[0]

    def inside(self, channel: int) -> np.ndarray:
        """A channel's values on the study area."""
        return self.values[channel][self.area]


def layer_names(run: Run) -> list[str]:
    """The layers of a run's network that give maps; calls of one module told apart."""
    return list(_facts(run.id, run.stamp)[0])


def span(run: Run) -> tuple[int, int]:
    """Steps [first, last) that the run's network can forecast."""
    return _facts(run.id, run.stamp)[1]


@lru_cache(maxsize=32)
def _facts(name: str, _stamp: int) -> tuple[tuple[str, ...], tuple[int, int]]:
    one = subject(load_run(name))
    return tuple(one.shown), one.span


@lru_cache(maxsize=32)
def _scale(name: str, stamp: int, layer: str) -> tuple[float, np.ndarray, np.ndarray]:
    run = load_run(name)
    values = activations_of_steps(run, _probes(run), [layer])[layer]
    area = _area(run, values.shape[2:])
    inside = values[..., area]
    # Of most steps: the first of a grid, before which hardly anything is known, may be many times the others.
    top = np.quantile(np.quantile(np.abs(inside), 0.998, axis=2), USUAL, axis=0) + 1e-6
    return float(inside.min()), top, inside.std(axis=(0, 2))


def _probes(run: Run) -> list[int]:
    """Steps to measure on, spread over the grid; few where a forward pass is long."""
    first, last = span(run)
    work = run.summary.get("parameters", 0) * load_cube(run.grid).counts[0, 0].size
    count = PROBES if work < HEAVY else PROBES // 4
    return np.unique(np.linspace(first, last - 1, count).astype(int)).tolist()


def layer_scale(run: Run, layer: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Lowest value, and each channel's size (99.8 % of |values| in most steps) and spread, over a few steps.

    The same for every step, so that a colour means the same value while one slides through time.
    """
    return _scale(run.id, run.stamp, layer)


def layer_view(
    run: Run, layer: str, step: int, order: str = ORDERS[0], epoch: int | None = None
) -> LayerView:
    """A layer at a step, its channels in one of ORDERS."""
    cube = load_cube(run.grid)
    values = layer_maps(run, layer, step, epoch)
    area = _area(run, values.shape[1:])
    factor = _factor(cube.counts.shape[2], values.shape[1])
    places = _order(run.id, run.stamp, layer, order)
    return LayerView(run, layer, step, values, area, factor, places, epoch)


@lru_cache(maxsize=64)
def _order(name: str, stamp: int, layer: str, order: str) -> np.ndarray:
    """The channels of a layer in one of ORDERS, the same for every step."""
    run = load_run(name)
    spread = _scale(name, stamp, layer)[2]
    if order == "most varied first":
        return np.argsort(-spread, kind="stable")
    if order == "alike together":
        values = activations_of_steps(run, _probes(run), [layer])[layer]
        inside = values[..., _area(run, values.shape[2:])]
        return alike_together(np.moveaxis(inside, 1, 0).reshape(len(spread), -1))
    if order == "most effect first":
        return np.array([a.channel for a in channel_ablations(name, stamp, layer)])
    return np.arange(len(spread))


def alike_together(values: np.ndarray) -> np.ndarray:
    """Rows (channels, samples) so that those which go together, or against each other, are neighbours:
    the leaves of an average-linkage tree of 1 − |r|."""
    if len(values) < 3:
        return np.arange(len(values))
    steady = values.std(axis=1) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = 1 - np.abs(np.nan_to_num(np.corrcoef(values)))
    np.fill_diagonal(apart, 0.0)
    apart[np.ix_(steady, steady)] = 0.0
    close = squareform(np.clip((apart + apart.T) / 2, 0.0, 1.0), checks=False)
    tree = linkage(close, "average", optimal_ordering=len(values) <= 128)
    return leaves_list(tree)


def _factor(rows: int, coarse: int) -> float:
    """How many cells a coarser map's cell spans."""
    return float(-(-rows // coarse))


def layer_area(run: Run, layer: str) -> np.ndarray:
    """The study area on a layer's own cells."""
    return _area(run, layer_maps(run, layer, span(run)[0]).shape[1:])


def _area(run: Run, shape: tuple[int, ...]) -> np.ndarray:
    cube = load_cube(run.grid)
    area = run.area(cube)
    return pooled_area(area, shape, int(_factor(area.shape[0], shape[0])))


def pooled_area(area: np.ndarray, shape: tuple[int, ...], factor: int) -> np.ndarray:
    """The study area on coarser cells: those that hold any of it."""
    if area.shape == tuple(shape):
        return area
    rows, columns = np.nonzero(area)
    coarse = np.zeros(shape, dtype=bool)
    coarse[
        np.minimum(rows // factor, shape[0] - 1), np.minimum(columns // factor, shape[1] - 1)
    ] = True
    return coarse


def _panel(title: str, limit: float, low: float, unit: str = "") -> Panel:
    """Diverging around zero where a layer has both signs, else sequential from zero."""
    if low < 0:
        return Panel(title, "diverging", unit, low=-limit, high=limit)
    return Panel(title, "sequential", unit, low=0.0, high=limit)


def _scene(view: LayerView, city: City, panels: list[Panel], layout: str, identity: str) -> Scene:
    cube = load_cube(view.run.grid)
    first, last = span(view.run)
    size = 10 if cube.step.days >= 1 else 16
    return Scene(
        identity=identity,
        ground=_ground(view, city, cube, layout == "gallery"),
        panels=panels,
        labels=[str(t)[:size] for t in cube.times[first:last]] if layout == "gallery" else [],
        layout=layout,
        about=f"{city.title} · {view.run.id} · {view.layer}",
        alt=f"layer {view.layer} of {view.run.id}",
        scale="linear",
    )


def _ground(view: LayerView, city: City, cube: Cube, small: bool) -> Ground:
    """What a layer's maps are drawn on: the city's own, on coarser cells where the layer has such."""
    shape = view.values.shape[1], view.values.shape[2]
    whole = ground(city, cube, neighbourhoods=not small)
    if whole.tiles is not None:
        plain = Ground(shape, cube.cell * view.factor, [], [])
        return whole if shape == cube.counts.shape[2:] else plain
    outline, inner = (
        [[[x / view.factor, y / view.factor] for x, y in ring] for ring in rings]
        for rings in (whole.outline, whole.neighbourhoods)
    )
    return Ground(shape, cube.cell * view.factor, outline, inner)


def training_gallery(
    view: LayerView, city: City, shared: bool, channel: int, epochs: list[int], part: int = 0
) -> bytes:
    """As `gallery`, but its steps are the epochs that were kept and the finished network at the end,
    all for the step that is looked at: played, it shows how the layer came about."""
    shown = view.order[part * TOGETHER : (part + 1) * TOGETHER]
    low, top, _ = layer_scale(view.run, view.layer)
    if shared:
        top = np.full(len(top), min(top.max(), LOUD * np.median(top)))
    ends = [*epochs, None]
    maps: dict[int, list[np.ndarray | None]] = {
        i: list(layer_maps(view.run, view.layer, view.step, epoch)[shown])
        for i, epoch in enumerate(ends)
    }
    panels = [_panel(f"{c}", float(top[c]), low) for c in shown]
    identity = f"{view.run.id}-{view.run.stamp}-{view.layer}-training-{view.step}-{shared}-{shown.tolist()}"
    scene = replace(
        _scene(view, city, panels, "gallery", identity),
        labels=["trained" if epoch is None else f"epoch {epoch}" for epoch in ends],
    )
    at = len(ends) - 1 if view.epoch is None else epochs.index(view.epoch)
    chosen = shown.tolist().index(channel) if channel in shown else None
    return message(scene, view.area, maps, at, first=0, channel=chosen)


def gallery(
    view: LayerView,
    city: City,
    shared: bool,
    channel: int,
    have: tuple[str, int, int] | None = None,
    part: int = 0,
    new: bool = False,
) -> bytes:
    """All channels as small maps, on one scale or each on its own, with the steps next to this one;
    without those that the browser holds already: `have`, the key of its maps, first and last step.
    Of a layer with more than TOGETHER channels, the `part`th so many. `new` is a first look."""
    first, last = span(view.run)
    shown = view.order[part * TOGETHER : (part + 1) * TOGETHER]
    low, top, _ = layer_scale(view.run, view.layer)
    if shared:
        top = np.full(len(top), top.max())
    panels = [_panel(f"{c}", float(top[c]), low) for c in shown]
    identity = f"{view.run.id}-{view.run.stamp}-{view.layer}-{view.epoch}-{shared}-{shown.tolist()}"
    there = range(have[1], have[2] + 1) if have and have[0] == key_of(identity) else range(0)
    scene = _scene(view, city, panels, "gallery", identity)
    steps = missing(view.step, first, last, len(shown) * scene.ground.size, there, new)
    # The step that is looked at, and as many beside it as can be had without waiting.
    near = sorted(steps, key=lambda i: abs(i - view.step))[
        : 1 + affordable(view.run, view.layer, view.epoch)
    ]
    made = maps_of_steps(view.run, view.layer, sorted(near), view.epoch)
    maps: dict[int, list[np.ndarray | None]] = {i: list(made[i][shown]) for i in sorted(made)}
    chosen = shown.tolist().index(channel) if channel in shown else None
    return message(scene, view.area, maps, view.step, first=first, channel=chosen)


def enlarged(view: LayerView, city: City, channel: int) -> bytes:
    """One channel as a large map."""
    low, top, _ = layer_scale(view.run, view.layer)
    panel = _panel(f"{view.layer}, channel {channel}", float(top[channel]), low, "activation")
    identity = f"{view.run.id}-{view.layer}-{view.epoch}-{channel}"
    scene = _scene(view, city, [panel], "maps", identity)
    return message(
        scene, view.area, {view.step: [view.values[channel]]}, view.step, first=view.step
    )
