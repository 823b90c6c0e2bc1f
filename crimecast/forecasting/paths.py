"""Counts that have come and, past them, counts drawn on many paths; and what is kept of both as they
are moved on a step at a time: memories, smoothed totals, the city's level.

Notation: E steps have come, P paths, C types, N cells of the study area, M memories.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from crimecast.baselines.level import RECENT, level_features
from crimecast.grids.cube import Cube
from crimecast.grids.memories import Memory, Recall


class Paths:
    """The steps of `cube`, all of which have come, and `steps` further ones whose counts are drawn.

    There is one path until `fan`: what was known is then shared by all.
    """

    def __init__(self, cube: Cube, steps: int) -> None:
        self.cube, self.come, self.count = cube, len(cube.times), 1
        self.area = cube.area(self.come)
        first = int(cube.step.number(cube.times[:1])[0])
        self.times = cube.step.start(first + np.arange(self.come + steps))
        self.kinds, self.cells = cube.counts.shape[1], int(self.area.sum())
        self.source = np.where(
            self.area, np.cumsum(self.area).reshape(self.area.shape) - 1, self.cells
        ).ravel()
        self.drawn: list[np.ndarray] = []

    def frame(self, step: int) -> np.ndarray:
        """(P, C, N) float32 the counts of a step."""
        if step >= self.come:
            return self.drawn[step - self.come]
        known = self.cube.counts[step][:, self.area]
        return np.broadcast_to(known, (self.count, *known.shape))

    def extended(self) -> Cube:
        """The cube with the times of the further steps too, and no counts of them."""
        return replace(self.cube, times=self.times)

    def on_map(self, values: np.ndarray) -> np.ndarray:
        """(…, N) → (…, H, W) float32, zero outside the area."""
        outside = np.zeros((*values.shape[:-1], 1), dtype=np.float32)
        made = np.concatenate([values, outside], axis=-1, dtype=np.float32)[..., self.source]
        return made.reshape(*values.shape[:-1], *self.area.shape)


class Trace:
    """Memories of what `values` says of each step, (P, C, N), up to `lead` steps before the one asked
    for; by default of the counts."""

    def __init__(
        self, paths: Paths, memories: Sequence[Memory], lead: int = 1,
        values: Callable[[int], np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        self.paths, self.lead, self.next = paths, lead, 0
        self.values = values or paths.frame
        self.memories = tuple(memories)
        self.recall = Recall(memories, paths.times, paths.cube.step, paths.area, paths.kinds)

    def at(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """(sums (M, P·C, N), mass (M,)) for step t; t rises from call to call."""
        while self.next <= t - self.lead:
            values = self.values(self.next)
            maps = self.paths.on_map(values.reshape(-1, values.shape[-1]))
            self.recall.add(self.next, self.recall.frames(maps[None])[0])
            self.next += 1
        return self.recall.read(t)

    def fan(self, paths: int) -> None:
        """Go on from here on so many paths."""
        self.recall.fan(paths)


class Smooth:
    """The decayed mean of the city's total, as `level.smooth_totals` has it."""

    def __init__(self, half_life: float = 60.0) -> None:
        self.weight, self.seen, self.mass = 2.0 ** (-1.0 / half_life), np.zeros(1), 0.0

    def step(self, total: np.ndarray) -> np.ndarray:
        """What was expected of a step before its total (P, C) was known, which is then taken in."""
        told = self.seen / self.mass if self.mass else np.maximum(total, 1.0)
        self.seen, self.mass = self.weight * self.seen + total, self.weight * self.mass + 1.0
        return told


class Level:
    """The city's level beside what a map expects of it, as `level.level_features` has it.

    expected: (E, C) what the map expected of each step that has come, further steps by `tell`; None
    for the smoothed totals themselves.
    """

    def __init__(
        self, paths: Paths, expected: np.ndarray | None, lead: int = 1, seasonal: bool = True
    ) -> None:
        self.paths, self.lead, self.next = paths, lead, 0
        step, nothing = paths.cube.step, np.zeros(len(paths.times))
        self.calendar = level_features(paths.times, step, nothing, nothing, seasonal=seasonal)
        half_lives = np.array(RECENT)[:, None, None] / step.days
        self.weight = 2.0 ** (-1.0 / half_lives)
        self.smooth = Smooth() if expected is None else None
        self.expected = [] if expected is None else [row[None] for row in expected]
        first = paths.frame(0).sum(axis=-1, dtype=np.float64)
        told = np.maximum(first if expected is None else expected[:1], 1.0)
        self.seen = self.told = half_lives * told

    def tell(self, expected: np.ndarray) -> None:
        """What the map expects of the next step, (P, C)."""
        self.expected.append(expected)

    def features(self, t: int) -> np.ndarray:
        """(P, C, F) for step t; t rises from call to call."""
        while self.next <= t - self.lead:
            total = self.paths.frame(self.next).sum(axis=-1, dtype=np.float64)
            told = self.smooth.step(total) if self.smooth else self.expected[self.next]
            self.seen = self.weight * self.seen + total
            self.told = self.weight * self.told + told
            self.next += 1
        recent = np.log(np.maximum(self.seen, 1e-9) / np.maximum(self.told, 1e-9))
        made = np.empty((*self.seen.shape[1:], self.calendar.shape[1]))
        made[:] = self.calendar[t]
        made[..., -len(RECENT) :] = np.moveaxis(np.clip(recent, -1.0, 1.0), 0, -1)
        return made

    def factor(self, t: int, beta: np.ndarray) -> np.ndarray:
        """(P, C) the level of step t by the coefficients (C, F)."""
        return np.exp(np.einsum("pcf,cf->pc", self.features(t), beta))
