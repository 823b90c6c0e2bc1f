"""What a design is given beside the frames of history: its input maps, scaled, and the offset, with
what is measured for them on the training period."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from crimecast.baselines.level import fit_levels, levels, smooth_totals
from crimecast.baselines.means import mean, tune_half_life
from crimecast.baselines.mixture import Mixture, fit_mixture, mixture_rates
from crimecast.calendar.dates import knows_season
from crimecast.designs.inputs import PAST, channel_inputs
from crimecast.designs.spec import Design
from crimecast.grids.cube import Cube
from crimecast.grids.memories import decayed_means
from crimecast.storage.arrays import roomy
from crimecast.training import maps_cache
from crimecast.training.maps import FLOOR, input_maps
from crimecast.training.maps_cache import Made


@dataclass(frozen=True)
class Study:
    """A design on a cube of T steps: area (H, W), the study area of N cells; learnt (H, W), what of it
    the loss sees; steps first to train_end are the training period."""

    cube: Cube
    design: Design
    area: np.ndarray
    learnt: np.ndarray
    first: int
    train_end: int


def inputs(study: Study, scaling: dict[str, Any] | None, at_home: bool, left_out: float) -> Made:
    """The input maps, scaled, and the offset: as they were kept, or made.

    scaling: what was measured where the network was trained, None to measure it now; at_home: whether
    this is that city; left_out: the share of it that `study.learnt` lacks.
    """
    name = maps_cache.name_of(
        study.cube, study.design, train_end=study.train_end, at_home=at_home, left_out=left_out
    )
    made = maps_cache.load(name)
    if scaling and (made is None or made.scaling != scaling):  # not those it was trained with
        name = maps_cache.scaled_as(name, scaling)
        made = maps_cache.load(name)
    if made is None:
        began = time.perf_counter()
        made = make(study, scaling, at_home)
        if time.perf_counter() - began > maps_cache.WORTH:
            maps_cache.keep(name, made)
    return made


def make(study: Study, scaling: dict[str, Any] | None, at_home: bool) -> Made:
    """The same as `inputs`, made whatever is kept."""
    cube, design = study.cube, study.design
    fitted = scaling or _fitted(study)
    channels, total = channel_inputs(design, cube.counts.shape[1]), len(cube.times)
    shape = (len(design.horizons) * total, len(channels), int(study.area.sum()))
    maps = roomy(shape, np.float16, f"The input maps of {design.name} on this grid")
    rates = [
        _ahead(study, lead, fitted, maps[k * total :][:total])
        for k, lead in enumerate(design.horizons)
    ]
    scaling = scaling or {**fitted, **_measured(study, maps)}
    center, spread = (
        np.asarray(scaling[key], dtype=np.float32)[:, None] for key in ("center", "spread")
    )
    for step in range(len(maps)):  # a step at a time: in half precision it would lose digits
        maps[step] = np.nan_to_num((maps[step].astype(np.float32) - center) / spread)
    if not at_home:
        maps[:, [one.kind in ("row", "column") for one in channels]] = 0.0
    inside = rates[0] if len(rates) == 1 else np.concatenate(rates)
    if design.offset == "none":  # one for all steps
        inside = np.broadcast_to(np.reshape(scaling["base"], (1, -1, 1)), inside[:1].shape)
    offset = np.log(np.maximum(inside, FLOOR), dtype=np.float32, order="C")
    return Made(maps, offset, scaling)


def _ahead(study: Study, lead: int, fitted: dict[str, Any], maps: np.ndarray) -> np.ndarray:
    """Fill `maps` (T, S, N), `lead` steps ahead of what is known; returns the offset's rates
    (T, C, N)."""
    cube, design = study.cube, study.design
    rates = _offset(study, lead, fitted)
    smoothed = smooth_totals(cube, study.area, len(cube.times))
    level = np.ones_like(smoothed)
    if design.level:
        level = levels(cube, study.area, smoothed, np.asarray(fitted["city"]), 0, lead)
    input_maps(cube, design, study.area, rates, level, lead, maps)
    return rates[..., study.area]


def _measured(study: Study, maps: np.ndarray) -> dict[str, Any]:
    """Mean and spread of the input maps over the training period and, where there is no
    offset, the constant to start from: the city's mean, or 1 for a user's module, which returns
    the whole log rate itself."""
    steps = len(study.cube.times)
    center, spread = _standard(
        maps[t]
        for k in range(len(study.design.horizons))
        for t in range(k * steps + study.first, k * steps + study.train_end)
    )
    past = [one.kind in PAST for one in channel_inputs(study.design, study.cube.counts.shape[1])]
    center = [0.0 if own else value for own, value in zip(past, center, strict=True)]
    spread = [1.0 if own else value for own, value in zip(past, spread, strict=True)]
    measured = {"center": center, "spread": spread}
    if study.design.offset == "none":
        known = study.cube.counts[: study.train_end][..., study.area]
        average = known.mean(axis=(0, 2), dtype=np.float64) + FLOOR
        measured["base"] = (average**0 if study.design.module else average).tolist()
    return measured


def _fitted(study: Study) -> dict[str, Any]:
    """What the offset and the city's level are fitted to, on the training period."""
    cube = study.cube
    fitted: dict[str, Any] = {"season": knows_season(study.train_end, cube.step)}
    if study.design.offset == "decayed_mean":
        fitted["half_life"] = tune_half_life(cube, study.train_end)
    if study.design.offset == "memory_mixture":
        mixture = fit_mixture(cube, study.learnt, study.train_end)
        fitted |= {"weights": mixture.weights.tolist(), "level": mixture.level.tolist()}
    if study.design.level:
        smoothed = smooth_totals(cube, study.area, len(cube.times))
        fitted["city"] = fit_levels(cube, study.area, smoothed, study.train_end).tolist()
    return fitted


def _offset(study: Study, lead: int, fitted: dict[str, Any]) -> np.ndarray:
    """(T, C, H, W) the rate that the network corrects; zero for offset "none"."""
    cube, steps, offset = study.cube, len(study.cube.times), study.design.offset
    rates = np.zeros_like(cube.counts)
    if offset == "decayed_mean":
        half_life = fitted["half_life"] / cube.step.days
        rates[:] = decayed_means(cube.counts, [half_life], study.area, lead)[:, 0]
    elif offset == "memory_mixture":
        mixture = Mixture(np.array(fitted["weights"]), np.array(fitted["level"]))
        rates[1:] = mixture_rates(cube, study.area, mixture, 1, steps, lead)
    elif offset == "mean":
        rates[lead:] = mean(cube, lead, steps, lead)
    return rates


def _standard(maps: Iterable[np.ndarray]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each map (S, N) over steps and cells with a value."""
    count = total = square = np.zeros(1)
    for step in maps:
        exact = step.astype(np.float64)
        known = ~np.isnan(exact)
        exact = np.where(known, exact, 0.0)
        count = count + known.sum(axis=1)
        total = total + exact.sum(axis=1)
        square = square + (exact**2).sum(axis=1)
    center = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square / np.maximum(count, 1) - center**2, 0.0))
    return center.tolist(), np.maximum(spread, 1e-3).tolist()
