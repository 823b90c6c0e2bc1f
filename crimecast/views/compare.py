"""The Compare page: several forecasts of one period, against one of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crimecast.cities import City, load_city
from crimecast.forecasting.forecasts import (
    TRUTH,
    rates,
    score_sums,
)
from crimecast.grids.cube import Cube, on_map
from crimecast.judging.breakdown import Judged, concentration, neighbourhoods
from crimecast.judging.breakdown import table as breakdown_table
from crimecast.judging.calibration import (
    Reliability,
    crps,
    pit_histogram,
    reliability,
    sharpness,
    truth_gap,
)
from crimecast.judging.feedback import Feedback, simulate_feedback
from crimecast.judging.scoring import (
    compare,
    hit_curve,
    resampled_weeks,
    row,
    week_numbers,
)
from crimecast.plots.rasters import Panel, Scene, message
from crimecast.plots.scale import top_of
from crimecast.views.ground import ground
from crimecast.views.words import forecast_title


@dataclass(frozen=True)
class Comparison:
    """Forecasts `names` of steps [first, last), each measured against `against`."""

    cube: Cube
    first: int
    last: int
    names: tuple[str, ...]
    against: str

    @property
    def period(self) -> str:
        """The period in words."""
        return (
            f"{str(self.cube.times[self.first])[:10]} to {str(self.cube.times[self.last - 1])[:10]}"
        )

    @property
    def not_counted(self) -> tuple[int, float]:
        """How many cells had no event before the period, of which nothing is forecast, and their events in it."""
        out = ~self.cube.area(self.first)
        seen = self._counts[..., out].sum(axis=(0, 1))
        return int((seen > 0).sum()), float(seen.sum())

    def _rates(self, name: str) -> np.ndarray:
        return rates(name, self.cube, self.first, self.last)

    def _inside(self, name: str) -> np.ndarray:
        return self._rates(name)[..., self.cube.area(self.first)]

    @property
    def _counts(self) -> np.ndarray:
        return self.cube.counts[self.first : self.last]

    def table(self) -> list[dict[str, Any]]:
        """A row a forecast, best first: scores, intervals, and `versus` the one compared with."""
        sums = {
            name: score_sums(name, self.cube, self.first, self.last)
            for name in dict.fromkeys((*self.names, self.against))
        }
        rows = [row(name, one) for name, one in sums.items()]
        for made in rows:
            if made["name"] != self.against:
                made["versus"] = compare(sums[made["name"]], sums[self.against])
        return sorted(rows, key=lambda row: -row["log_likelihood_per_event"])

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Name → share of the area flagged and hit rate; `best possible` last."""
        area = self.cube.area(self.first)
        made = {}
        best = None
        for name in self.names:
            share, hits, best = hit_curve(self._counts, self._rates(name), area)
            made[name] = (share, hits)
        if best is not None:
            made["best possible"] = (share, best)
        return made

    def calibration(self, name: str) -> tuple[Reliability, np.ndarray]:
        """Reliability by bins, and the PIT histogram."""
        counts = self._counts[..., self.cube.area(self.first)]
        made = self._inside(name).astype(np.float64)
        weight = resampled_weeks(week_numbers(self.cube.times[self.first : self.last]))
        return reliability(counts, made, weight), pit_histogram(counts, made)

    def distribution_scores(self) -> list[dict[str, Any]]:
        """CRPS, sharpness and totals of each forecast, and on a simulated city its gap to the truth."""
        counts = self._counts[..., self.cube.area(self.first)]
        truth = self._inside(TRUTH) if load_city(self.cube.city).simulated else None
        rows = []
        for name in self.names:
            made = self._inside(name).astype(np.float64)
            entry = {
                "forecast": name,
                "CRPS": float(crps(counts, made).mean()),
                "sharpness": sharpness(made),
                "observed / expected": float(counts.sum() / made.sum()),
            }
            if truth is not None:
                entry["gap to the truth"] = truth_gap(truth, made)
            rows.append(entry)
        return rows

    def judged(self, name: str) -> Judged:
        """A forecast and the one it is compared with, for taking apart."""
        return Judged.of(
            self.cube, self.first, self.last, self._rates(name), self._rates(self.against)
        )

    def groups(self, name: str, by: str, city: City) -> pd.DataFrame:
        """The score taken apart by weekday, season, neighbourhood, count, type or hour."""
        return breakdown_table(self.judged(name), by, city)

    def attention(self, name: str, city: City) -> pd.DataFrame:
        """By neighbourhood: over-forecast, and share of flagged cells against share of events."""
        judged = self.judged(name)
        names, cells = neighbourhoods(self.cube, judged.area, city)
        return concentration(judged, names, cells).sort_values("attention", ascending=False)

    def feedback(self, name: str, share: float, base: float, watched: float) -> Feedback:
        """What would happen if the forecast's mean rates were the truth and patrols followed records."""
        truth = self._inside(name).sum(axis=1).mean(axis=0)
        return simulate_feedback(truth, 365, share, base, watched)

    def maps(self, name: str, city: City, step: int) -> bytes:
        """Mean rates of two forecasts and where one gained, for the whole period and each month."""
        judged = self.judged(name)
        times = self.cube.times[self.first : self.last].astype("datetime64[M]")
        parts = [("whole period", np.ones(len(times), dtype=bool))]
        parts += [(str(month), times == month) for month in np.unique(times)]
        gain = judged.gain.sum(axis=1)
        one, other = judged.one.sum(axis=1), judged.other.sum(axis=1)
        area = judged.area

        layers: dict[int, list[np.ndarray | None]] = {
            i: [
                on_map(area, one[chosen].mean(axis=0)),
                on_map(area, other[chosen].mean(axis=0)),
                on_map(area, gain[chosen].mean(axis=0) * len(times)),
            ]
            for i, (_, chosen) in enumerate(parts)
        }
        peak = float(max(one.mean(axis=0).max(), other.mean(axis=0).max())) * 1.5
        reach = top_of(np.abs(gain.mean(axis=0)), 0.995) * len(times)
        top = top_of(np.stack([one.mean(axis=0), other.mean(axis=0)]))
        unit = self.cube.unit
        scene = Scene(
            identity=f"compare-{self.cube.grid}-{name}-{self.against}-{self.first}-{self.last}",
            ground=ground(city, self.cube),
            panels=[
                Panel(forecast_title(name), unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
                Panel(forecast_title(self.against), unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
                Panel(
                    "Gain", "diverging", f"fit a cell: orange is where {forecast_title(name)} was better",
                    low=-reach, high=reach,
                ),
            ],
            labels=[label for label, _ in parts],
            curve=[None, *(float(gain[chosen].sum() / judged.counts[chosen].sum()) for _, chosen in parts[1:])],
            curve_title="Gain per event by month: up is better. Click to go there.",
            about=f"{city.title} · {name} against {self.against}",
            alt=f"{city.title}: where {forecast_title(name)} gained on {forecast_title(self.against)}",
            hint="Wheel to zoom, drag to move; with a map in focus, ← and → change the month.",
        )  # fmt: skip
        return message(scene, area, layers, step, first=0)
