"""The input maps of a design, computed for every step in one pass over the cube: the past only."""

import numpy as np

from crimecast.calendar.steps import Step
from crimecast.designs.inputs import MapInput, channel_inputs, map_inputs
from crimecast.designs.spec import Design
from crimecast.grids.covariates import covariate_maps
from crimecast.grids.cube import Cube
from crimecast.grids.memories import evidence, recall

FLOOR = 1e-5


def input_maps(
    cube: Cube,
    design: Design,
    area: np.ndarray,
    expected: np.ndarray,
    level: np.ndarray,
    lead: int,
    made: np.ndarray,
) -> None:
    """Fill `made` (T, S, N) float16, zeros, with the maps of `map_inputs` on the N cells of the area.

    NaN where a covariate has no value. expected: (T, C, H, W) the offset's rates, zero where there
    is none; level: (T, C) the city's; lead: how many steps ahead.

    A memory is the evidence of its sum S against what the offset's present rate, or without an
    offset the city's average, would have brought in the same steps; a surprise the evidence of S
    against what the offset had forecast for them; what is past the mean S by its mass.
    """
    kinds = cube.counts.shape[1]
    channels = channel_inputs(design, kinds)
    place = 0
    for one in map_inputs(design):
        width = kinds if one.by_type else 1
        part = made[:, place : place + width]
        place += width
        if one.kind == "static":
            part[:, 0] = covariate_maps(cube, area, one.name, lead)
        elif one.memory is None:
            part[:] = own_map(one, area, expected[..., area], level, lead, cube.step)
    for kind in ("memory", "surprise", "past"):
        _remember(made, channels, kind, cube, area, expected, design, lead)


def _remember(
    made: np.ndarray, channels: list[MapInput], kind: str, cube: Cube, area: np.ndarray,
    expected: np.ndarray, design: Design, lead: int,
) -> None:  # fmt: skip
    """Fill the channels of all memories, or of all surprises."""
    place = np.flatnonzero([one.kind == kind for one in channels]).reshape(-1, cube.counts.shape[1])
    memories = [memory for i in place[:, 0] if (memory := channels[i].memory)]
    if not memories:
        return
    pooled = np.array([m.pooled for m in memories], dtype=np.float32)[:, None, None]
    if kind == "surprise":
        told = recall(expected, memories, cube.times, cube.step, area, lead)
    for t, (sums, mass) in enumerate(
        recall(cube.counts, memories, cube.times, cube.step, area, lead)
    ):
        if kind == "past":
            made[t, place] = sums / np.maximum(mass, 1.0).astype(np.float32)[:, None, None]
            continue
        if kind == "surprise":
            against = next(told)[0]
        elif design.offset == "none":
            against = sums.mean(axis=2, keepdims=True)
        else:
            against = expected[t][:, area] * mass.astype(np.float32)[:, None, None]
        made[t, place] = evidence(sums * pooled, against * pooled)


def age(steps: np.ndarray, lead: int, step: Step) -> np.ndarray:
    """(T,) the logarithm of one and the days that are known before each of these steps."""
    return np.log1p(np.maximum(0, steps - lead + 1) * step.days)


def own_map(
    one: MapInput, area: np.ndarray, expected: np.ndarray, level: np.ndarray, lead: int, step: Step,
) -> np.ndarray:  # fmt: skip
    """(T, C or 1, N), or what broadcasts to it, of an input that is no memory; expected (T, C, N),
    level (T, C)."""
    if one.kind == "offset":
        return np.log(np.maximum(expected, FLOOR))
    if one.kind == "horizon":
        return np.log([[[lead]]])
    if one.kind == "age":
        return age(np.arange(len(expected)), lead, step)[:, None, None]
    if one.kind == "level":
        return np.log(level)[:, :, None]
    row, column = np.nonzero(area)
    where, size = (row, area.shape[0]) if one.kind == "row" else (column, area.shape[1])
    _, turn, wave = one.name.split("_")
    angle = np.pi * int(wave) * where / max(1, size - 1)
    return (np.sin(angle) if turn == "sin" else np.cos(angle))[None, None]
