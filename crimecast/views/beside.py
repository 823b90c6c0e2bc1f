"""Two channels beside each other, of any steps, layers, epochs and runs of a grid, and one's peaks."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from crimecast.cities import City
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.inspect.graph import Node
from crimecast.inspect.peaks import Peak, peaks
from crimecast.inspect.subject import subject
from crimecast.plots.rasters import Panel
from crimecast.runs.run import Run, load_run
from crimecast.views.activations import layer_maps
from crimecast.views.insight import maps_message, signed
from crimecast.views.layers import layer_area, span
from crimecast.views.measures import nodes

BINS = 48  # of a histogram
SEARCHED = 120  # steps of the unseen period that are looked through for peaks


@dataclass(frozen=True)
class Shown:
    """A channel of a layer for one step, of a network as it was after an epoch (None: trained)."""

    run: Run
    layer: str
    channel: int
    step: int
    epoch: int | None = None

    @property
    def title(self) -> str:
        """What it is, in a line."""
        when = load_cube(self.run.grid).label(self.step)
        epoch = f", epoch {self.epoch}" if self.epoch else ""
        return f"{self.run.id} · {self.layer} {self.channel} · {when}{epoch}"

    def map(self) -> np.ndarray:
        """(H, W) its values on the grid; each of a coarser layer's cells covers several."""
        own = layer_maps(self.run, self.layer, self.step, self.epoch)
        return on_grid(own[min(self.channel, len(own) - 1)], self.run)


def on_grid(values: np.ndarray, run: Run) -> np.ndarray:
    """A layer's map (h, w) → (H, W) of the run's grid."""
    height, width = load_cube(run.grid).counts.shape[2:]
    if values.shape == (height, width):
        return values
    factor = -(-height // values.shape[0])
    large = np.kron(values, np.ones((factor, factor), dtype=values.dtype))
    padded = np.pad(
        large, ((0, max(0, height - len(large))), (0, max(0, width - large.shape[1]))), "edge"
    )
    return padded[:height, :width]


@dataclass(frozen=True)
class Beside:
    """Both maps (H, W), their difference, and how alike they are over the area: r, and the mean
    size of the difference relative to the spread of the first."""

    one: np.ndarray
    two: np.ndarray
    correlation: float
    difference: float


def beside(one: Shown, two: Shown) -> Beside:
    """Compare two channels on the study area of the first one's grid."""
    a, b = one.map(), two.map()
    area = one.run.area(load_cube(one.run.grid))
    x, y = a[area].astype(np.float64), b[area].astype(np.float64)
    steady = x.std() == 0 or y.std() == 0
    correlation = float("nan") if steady else float(np.corrcoef(x, y)[0, 1])
    return Beside(a, b, correlation, float(np.abs(x - y).mean() / (x.std() + 1e-12)))


def beside_message(one: Shown, two: Shown, made: Beside, city: City) -> bytes:
    """Both on one scale, and two minus one."""
    both = np.concatenate([made.one.ravel(), made.two.ravel()])
    top = float(np.quantile(np.abs(both), 0.999)) + 1e-9
    low = -top if both.min() < 0 else 0.0
    kind = "diverging" if low < 0 else "sequential"
    panels = [
        (Panel(shown.title, kind, "activation", low=low, high=top, size=2, group="both"), values)
        for shown, values in ((one, made.one), (two, made.two))
    ]
    difference = made.two - made.one
    panels.append((signed("second minus first", difference, "activation"), difference))
    return maps_message(one.run, city, panels, f"beside-{one.title}-{two.title}")


def spreads(one: Shown, two: Shown) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (BINS + 1,), and the share of the values of either's whole layer over the city that lies
    between them; the few beyond the outermost edges count as within."""
    layers = [
        layer_maps(of.run, of.layer, of.step, of.epoch)[:, layer_area(of.run, of.layer)].ravel()
        for of in (one, two)
    ]
    low, high = np.quantile(np.concatenate(layers), [0.001, 0.999])
    edges = np.linspace(low, max(high, low + 1e-9), BINS + 1)
    first, second = (
        np.histogram(np.clip(values, low, edges[-1]), edges)[0] / len(values) for values in layers
    )
    return edges, first, second


def network_changes(one: Run, two: Run) -> list[dict[str, str]]:
    """What differs between two networks' graphs, a row a layer: what it is in either, empty where it is
    not there."""
    graphs = [{node.name: node for node in nodes(run.id, run.stamp)} for run in (one, two)]
    rows = []
    for name in dict.fromkeys([*graphs[0], *graphs[1]]):
        said = [_said(graph[name]) if name in graph else "" for graph in graphs]
        if said[0] != said[1]:
            rows.append({"layer": name, one.id: said[0], two.id: said[1]})
    return rows


def _said(node: Node) -> str:
    shape = "×".join(map(str, node.shape))
    return f"{node.kind} of {', '.join(node.takes)}: {shape}, {node.parameters:,} weights"


@lru_cache(maxsize=16)
def channel_peaks(name: str, _stamp: int, layer: str, channel: int) -> list[Peak]:
    """Where and when a channel is excited most in the unseen period."""
    run = load_run(name)
    first, last = unseen_period(run)
    first = max(first, span(run)[0])
    steps = np.unique(
        np.linspace(first, last - 1, min(SEARCHED, last - first)).astype(int)
    ).tolist()
    return peaks(subject(run), layer, channel, steps, layer_area(run, layer))


def peaks_message(run: Run, city: City, layer: str, channel: int, made: list[Peak]) -> bytes:
    """The peaks as small maps on one scale, each with its step."""
    everything = np.stack([peak.map for peak in made])
    top = float(np.abs(everything).max()) + 1e-9
    low = -top if everything.min() < 0 else 0.0
    kind = "diverging" if low < 0 else "sequential"
    cube = load_cube(run.grid)
    panels = []
    for peak in made:
        note = f"{peak.value:.3g} at {peak.cell[0]}, {peak.cell[1]}"
        panel = Panel(
            cube.label(peak.step),
            kind,
            "activation",
            low=low,
            high=top,
            size=2,
            group="peaks",
            note=note,
        )
        panels.append((panel, on_grid(peak.map, run)))
    return maps_message(run, city, panels, f"peaks-{run.id}-{run.stamp}-{layer}-{channel}")
