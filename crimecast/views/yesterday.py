"""The last step that has come, beside what was forecast of it."""

from dataclasses import dataclass

import numpy as np

from crimecast.cities import load_city
from crimecast.forecasting.to_come import come, kept
from crimecast.grids.cube import Cube, load_cube
from crimecast.live.log import Log
from crimecast.live.plan import live_folder
from crimecast.plots.rasters import Panel, Scene, message
from crimecast.plots.scale import top_of
from crimecast.views.ground import ground


@dataclass(frozen=True)
class Before:
    """The last step that has come beside what was forecast of it; `sealed` says when, None if it was made
    only afterwards, of what had come before."""

    label: str
    sealed: str | None
    cube: Cube
    area: np.ndarray
    rate: np.ndarray
    counts: np.ndarray
    expected: float
    low: int
    high: int

    def message(self) -> bytes:
        """Its maps, for the browser."""
        cube, city = self.cube, load_city(self.cube.city)
        unit, peak = (
            cube.unit,
            max(float(self.rate.max()), 1e-6),
        )
        top = top_of(self.rate[self.area], least=0.05)
        scene = Scene(
            identity=f"before-{cube.grid}-{self.label}-{self.sealed}",
            ground=ground(city, cube),
            panels=[
                Panel("Forecast", unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
                Panel("What came", unit=unit, high=255.0, top=top, group="rate"),
            ],
            labels=[self.label],
            about=f"{city.title} · forecast beside what came",
            alt=f"Forecast of {self.label} beside what came",
            hint="Wheel to zoom, drag to move.",
        )
        return message(scene, self.area, {0: [self.rate, self.counts]}, 0, first=0)


def before(name: str, grid: str) -> Before | None:
    """The last step that has come; None where nothing lies before it."""
    cube = load_cube(grid)
    whole = come(cube)
    log = Log(live_folder(cube.city))
    entries = log.entries()
    steps = {cube.label(step): step for step in range(max(0, whole - 400), whole)}
    for entry in reversed(entries):
        body = entry["body"]
        if entry["kind"] != "score" or (body["name"], body["ahead"]) != (name, 1):
            continue
        if body["step"] not in steps:
            continue
        of = entries[body["of"]]
        with np.load(log.folder / of["body"]["file"], allow_pickle=False) as file:
            rate, area = file["rate"][0], file["area"]
        if area.shape != cube.counts.shape[2:]:
            continue
        said = of["body"]["steps"][0]
        return Before(
            body["step"], of["made"], cube, area, rate[-1],
            cube.counts[steps[body["step"]]].sum(axis=0), said["expected"], said["low"], said["high"],
        )  # fmt: skip
    if whole < 3:
        return None
    made = kept(name, cube, whole - 1, 1)
    return Before(
        made.label(0), None, cube, made.area, made.rate[0, -1], cube.counts[made.origin].sum(axis=0),
        *made.total(0),
    )  # fmt: skip
