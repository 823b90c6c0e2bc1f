"""The input that is made to excite a channel most, for the Peaks view of the Layers page."""

from functools import lru_cache

import numpy as np

from crimecast.grids.cube import load_cube
from crimecast.inspect.exciting import Exciting, excite
from crimecast.inspect.subject import subject
from crimecast.plots.rasters import Ground, Panel, Scene, message
from crimecast.runs.run import Run, load_run
from crimecast.views.beside import channel_peaks
from crimecast.views.insight import input_titles

STEPS = 40  # of the unseen period, of which the statistics are taken
SHOWN = 6  # inputs that are drawn: those that were changed most


@lru_cache(maxsize=8)
def channel_exciting(name: str, stamp: int, layer: str, channel: int) -> Exciting:
    """What excites a channel most at the cell of its highest peak. Raises UserError for what is no map."""
    one = subject(load_run(name))
    peak = channel_peaks(name, stamp, layer, channel)[0]
    return excite(one, layer, channel, peak.cell, sorted({peak.step, *one.probes(STEPS)}))


def inputs_of(run: Run, made: Exciting) -> list[tuple[str, np.ndarray]]:
    """Each input's name and its change (h, w) in standard deviations, the one that was changed most first."""
    names = [name for part in input_titles(subject(run)) for name in part]
    moved = (made.made - made.mean) / np.maximum(made.spread, 1e-9)[:, None, None]
    order = np.argsort(-np.abs(moved).max(axis=(1, 2)), kind="stable")
    return [(names[k], moved[k]) for k in order if np.abs(moved[k]).max() > 0]


def exciting_message(run: Run, made: Exciting, inputs: list[tuple[str, np.ndarray]]) -> bytes:
    """The inputs that were changed most as small maps on one scale."""
    shown = inputs[:SHOWN]
    top = max(float(np.abs(values).max()) for _, values in shown)
    panels = [
        Panel(
            name, "diverging", "standard deviations", low=-top, high=top, size=2, group="exciting"
        )
        for name, _ in shown
    ]
    shape = made.made.shape[1:]
    scene = Scene(
        identity=f"exciting-{run.id}-{run.stamp}-{made.corner}-{made.value}-{[name for name, _ in shown]}",
        ground=Ground(shape, load_cube(run.grid).cell, [], []), panels=panels,
        about=run.id, alt="; ".join(name for name, _ in shown), scale="linear",
    )  # fmt: skip
    values: list[np.ndarray | None] = [values for _, values in shown]
    return message(scene, np.ones(shape, dtype=bool), {0: values}, 0, first=0)
