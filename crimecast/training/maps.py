"""The input maps of a design, computed for every step in one pass over the cube: the past only."""

import numpy as np
import psutil

from crimecast.covariates import covariate_maps
from crimecast.designs.inputs import MapInput, map_count, map_inputs
from crimecast.designs.spec import Design
from crimecast.errors import UserError
from crimecast.memories import evidence, recall
from crimecast.windows import Cube

FLOOR = 1e-5


def input_maps(
    cube: Cube, design: Design, area: np.ndarray, expected: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """(T, S, N) float16, the maps of `map_inputs` on the N cells of the area.

    NaN where a covariate has no value. expected: (T, C, H, W) the offset's rates, zero where there is none; level: (T, C) the city's.
    Raises UserError if they would not fit into memory.

    A memory is the evidence of its sum S against what the offset's present rate, or without an
    offset the city's average, would have brought in the same steps; a surprise the evidence of S
    against what the offset had forecast for them.
    """
    inputs = map_inputs(design)
    steps, kinds = cube.counts.shape[:2]
    cells = int(area.sum())
    size = steps * map_count(design, kinds) * cells * 2
    if size > 0.7 * psutil.virtual_memory().available:
        raise UserError(
            f"The input maps of {design.name} on this grid need {size / 1e9:.0f} GB, more than is free: "
            "use larger cells, fewer types, a shorter period or fewer memories."
        )
    made = np.zeros((steps, map_count(design, kinds), cells), dtype=np.float16)
    place = 0
    for one in inputs:
        width = kinds if one.by_type else 1
        if one.memory is None:
            part = made[:, place : place + width]
            if one.kind == "static":
                part[:, 0] = covariate_maps(cube, area, one.name, design.horizon)
            else:
                part[:] = _other(one, area, expected, level)
        place += width
    _remember(made, inputs, "memory", cube, area, expected, design.horizon)
    _remember(made, inputs, "surprise", cube, area, expected, design.horizon)
    return made


def _places(inputs: list[MapInput], kind: str, kinds: int) -> tuple[list[MapInput], np.ndarray]:
    """The inputs of a kind and, for each, the channels (M, C) they fill."""
    chosen, channels, place = [], [], 0
    for one in inputs:
        if one.kind == kind:
            chosen.append(one)
            channels.append(np.arange(place, place + kinds))
        place += kinds if one.by_type else 1
    return chosen, np.array(channels, dtype=int)


def _remember(
    made: np.ndarray, inputs: list[MapInput], kind: str, cube: Cube, area: np.ndarray,
    expected: np.ndarray, lead: int,
) -> None:  # fmt: skip
    """Fill the channels of all memories, or of all surprises."""
    chosen, channels = _places(inputs, kind, cube.counts.shape[1])
    memories = [one.memory for one in chosen if one.memory]
    if not memories:
        return
    pooled = np.array([m.pooled for m in memories], dtype=np.float32)[:, None, None]
    stream = recall(cube.counts, memories, cube.times, cube.step, area, lead)
    told = recall(expected, memories, cube.times, cube.step, area, lead)
    for t, (sums, mass) in enumerate(stream):
        if kind == "surprise":
            against = next(told)[0] * pooled
        else:
            rate = expected[t][:, area]
            if not rate.any():
                average = sums.mean(axis=2, keepdims=True)
                against = average * pooled
            else:
                against = rate * mass.astype(np.float32)[:, None, None] * pooled
        made[t, channels] = evidence(sums * pooled, against)


def _other(one: MapInput, area: np.ndarray, expected: np.ndarray, level: np.ndarray) -> np.ndarray:
    """(T, C or 1, N) or what broadcasts to it."""
    if one.kind == "offset":
        return np.log(np.maximum(expected[..., area], FLOOR))
    if one.kind == "level":
        return np.log(level)[:, :, None]
    row, column = np.nonzero(area)
    where, size = (row, area.shape[0]) if one.kind == "row" else (column, area.shape[1])
    _, turn, wave = one.name.split("_")
    angle = np.pi * int(wave) * where / max(1, size - 1)
    return (np.sin(angle) if turn == "sin" else np.cos(angle))[None, None]
