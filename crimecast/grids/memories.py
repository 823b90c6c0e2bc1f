"""Memories: what each cell's own past says, forgotten at several speeds. From the past only.

A memory is a decayed sum of a cell's past and the mass of steps behind it; sum over mass is a
rate. Notation: M memories, C types, N cells of the study area.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from crimecast.calendar.dates import month_day
from crimecast.calendar.steps import Step

# How many steps' worth of the city's average a cell starts from: a cell that was never struck is
# improbable, not impossible.
PRIOR_STEPS = 1.0
KINDS = ("all", "weekday", "hour", "first", "season")
CHUNK = 64  # steps whose frames are blurred together


def tells_apart(step: Step, of: str) -> bool:
    """Whether a memory of the same `hour` or `weekday` differs from one of all steps so long."""
    return step.days < 1 if of == "hour" else step.days <= 1


@dataclass(frozen=True)
class Memory:
    """One way to remember: `half_life` in days, `blur` in cells, and which past steps count.

    of: `all`; `weekday`, those at the same time of the week; `hour`, those at the same time of the
    day; `first`, those on the first of a month; `season`, those within `half_life` days of the same
    date in earlier years, none forgotten.
    """

    half_life: float
    blur: float = 0.0
    of: str = "all"

    @property
    def pooled(self) -> float:
        """How many cells' worth of events stands behind a blurred sum: 4πσ², at least one."""
        return max(1.0, 4 * math.pi * self.blur**2)


def recall(
    values: np.ndarray,
    memories: Sequence[Memory],
    times: np.ndarray,
    step: Step,
    area: np.ndarray,
    lead: int = 1,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The memories of each step from `start` to `stop`: (sums (M, C, N) float32, mass (M,)).

    values: (T, C, H, W); times: (T,); area: (H, W) bool; lead: how many steps lie between the last
    step used and the one the memory is for. The memories of step t are computed from values[: t − lead + 1]. One pass over the cube:

        S_t = Σ_{s ≤ t−lead} w^(age of s) (K_blur n_s),   mass_t = Σ_{s ≤ t−lead} w^(age of s)

    over the steps that the memory counts, aged in steps of their own kind.
    """
    stop = len(times) if stop is None else stop
    moving = Recall(memories, times, step, area, values.shape[1])
    frames = moving.frames(values[:0])
    begins = 0
    for t in range(stop):
        last = t - lead
        if last >= 0:
            if last >= begins + len(frames):
                begins = last
                frames = moving.frames(values[last : min(last + CHUNK, stop)])
            moving.add(last, frames[last - begins])
        if t >= start:
            yield moving.read(t)


class Recall:
    """Memories that are moved on step by step; `kinds` C types, of the N cells of `area`.

    times: (T,) the steps that may come.
    """

    def __init__(
        self,
        memories: Sequence[Memory],
        times: np.ndarray,
        step: Step,
        area: np.ndarray,
        kinds: int,
    ) -> None:
        blurs = sorted({memory.blur for memory in memories})
        present = [kind for kind in KINDS if any(memory.of == kind for memory in memories)]
        self.groups = [_group(kind, memories, blurs, step) for kind in present]
        self.memories, self.kinds, self.cells = len(memories), kinds, int(area.sum())
        for group in self.groups:
            group.begin(kinds, self.cells, times)
        self.blurred, self.blurs = _Blur(area, blurs), len(blurs)

    def frames(self, values: np.ndarray) -> np.ndarray:
        """(T, C, H, W) → (T, B, C, N) float32, what `add` takes of each step."""
        if not len(values) or not self.blurs:
            return np.zeros((len(values), self.blurs, self.kinds, self.cells), dtype=np.float32)
        return self.blurred(values)

    def add(self, step: int, frames: np.ndarray) -> None:
        """Remember a step, (B, C, N) of `frames`; each once, in their order."""
        for group in self.groups:
            group.add(step, frames)

    def read(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """(sums (M, C, N) float32, mass (M,)) for step t."""
        sums = np.empty((self.memories, self.kinds, self.cells), dtype=np.float32)
        mass = np.empty(self.memories)
        for group in self.groups:
            sums[group.place], mass[group.place] = group.read(t)
        return sums, mass

    def fan(self, paths: int) -> None:
        """Go on from here on several paths at once: the types of the first, of the second, …"""
        self.kinds *= paths
        for group in self.groups:
            group.fan(paths)


class _Blur:
    """Gaussian blurs that keep within the area what is there."""

    def __init__(self, area: np.ndarray, blurs: list[float]) -> None:
        self.area, self.blurs = area, blurs
        inside = area.astype(np.float32)
        self.share = {
            b: np.maximum(gaussian_filter(inside, b, mode="constant"), 1e-6) for b in blurs if b
        }

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """(T, C, H, W) → (T, B, C, N) float32."""
        made = []
        for blur in self.blurs:
            if not blur:
                made.append(frames[..., self.area].astype(np.float32))
                continue
            spread = np.where(self.area, frames / self.share[blur], 0.0).astype(np.float32)
            smooth = gaussian_filter(spread, (0, 0, blur, blur), mode="constant")
            made.append(smooth[..., self.area])
        return np.stack(made, axis=1)


class _Group:
    """Memories of one kind, kept in slots: one for all steps, or one for each time of the cycle."""

    def __init__(self, kind: str, place: list[int], blur: list[int], chosen: list[Memory]) -> None:
        self.kind, self.place, self.blur, self.chosen = kind, place, blur, chosen
        self.slots, self.weight = 1, np.ones(len(place), dtype=np.float32)

    def begin(self, kinds: int, cells: int, times: np.ndarray) -> None:
        shape = (self.slots, len(self.place), kinds, cells)
        self.sums = np.zeros(shape, dtype=np.float32)
        self.mass = np.zeros((self.slots, len(self.place)))
        self.counted = np.ones(len(times), dtype=bool)
        if self.kind == "first":
            self.counted = month_day(times) == 1

    def add(self, s: int, frames: np.ndarray) -> None:
        if not self.counted[s]:
            return
        slot = s % self.slots
        self.sums[slot] *= self.weight[:, None, None]
        self.sums[slot] += frames[self.blur]
        self.mass[slot] = self.mass[slot] * self.weight + 1.0

    def read(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        return self.sums[t % self.slots], self.mass[t % self.slots]

    def fan(self, paths: int) -> None:
        self.sums = np.tile(self.sums, (1, 1, paths, 1))


class _Season(_Group):
    """Sums over windows around the same date of every earlier year, moved on step by step."""

    def __init__(self, place: list[int], blur: list[int], chosen: list[Memory], step: Step) -> None:
        super().__init__("season", place, blur, chosen)
        self.year = 365.25 / step.days
        # Never so wide that the window round last year's date reaches the present.
        widest = max(0, int(self.year / 2) - 1)
        self.half = [min(round(memory.half_life / step.days), widest) for memory in chosen]

    def begin(self, kinds: int, cells: int, times: np.ndarray) -> None:
        super().begin(kinds, cells, times)
        self.paths = 1
        self.used = sorted(set(self.blur))
        self.past = np.zeros((len(times), len(self.used), kinds, cells), dtype=np.float32)
        self.now = 0

    def add(self, s: int, frames: np.ndarray) -> None:
        if self.paths == 1:  # what comes after a fan is never a year old
            self.past[s] = frames[self.used]

    def read(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        # From the state of step `now` to that of step t, one date at a time.
        while self.now < t:
            self.now += 1
            for k, half in enumerate(self.half):
                blur = self.used.index(self.blur[k])
                for years in range(1, int(self.now / self.year) + 2):
                    back = round(years * self.year)
                    enters, leaves = self.now - back + half, self.now - 1 - back - half
                    if 0 <= enters < t:
                        self.sums[0, k] += self.past[enters, blur]
                        self.mass[0, k] += 1.0
                    if leaves >= 0:
                        self.sums[0, k] -= self.past[leaves, blur]
                        self.mass[0, k] -= 1.0
        return np.tile(self.sums[0], (1, self.paths, 1)), np.maximum(self.mass[0], 0.0)

    def fan(self, paths: int) -> None:
        self.paths = paths


def _group(kind: str, memories: Sequence[Memory], blurs: list[float], step: Step) -> _Group:
    place = [i for i, memory in enumerate(memories) if memory.of == kind]
    chosen = [memories[i] for i in place]
    blur = [blurs.index(memory.blur) for memory in chosen]
    if kind == "season":
        return _Season(place, blur, chosen, step)
    group = _Group(kind, place, blur, chosen)
    every = {"weekday": 7.0, "hour": 1.0, "first": 30.4}.get(kind, step.days)
    if kind in ("weekday", "hour"):
        group.slots = round(every / step.days)
        if abs(group.slots * step.days - every) > 1e-6:  # steps that don't divide the cycle
            group.slots, every = 1, step.days
    group.weight = np.array([2.0 ** (-every / m.half_life) for m in chosen], dtype=np.float32)
    return group


def shrunk(sums: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(M, C, N) the rates of memories, each cell started from PRIOR_STEPS of the area's average."""
    mass = mass[:, None, None]
    average = sums.mean(axis=2, keepdims=True) / np.maximum(mass, 1e-9)
    return (sums + PRIOR_STEPS * average) / (mass + PRIOR_STEPS)


def evidence(sums: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """log((remembered + 1) / (expected + 1)): how far a memory's events differ from what was
    expected of the same steps, pulled towards no difference by one event on either side.

    >>> evidence(np.array([0.0, 3.0]), np.array([1.0, 1.0])).round(3).tolist()
    [-0.693, 0.693]
    """
    return np.log((sums + 1.0) / (expected + 1.0))


def decayed_means(
    counts: np.ndarray, half_lives: list[float], area: np.ndarray, lead: int = 1
) -> np.ndarray:
    """Exponentially decayed mean rate of each cell before each step, one map a half-life.

    counts: (T, C, H, W); half_lives: in steps; area: (H, W) bool; lead as in `recall`. Returns
    (T, M, C, H, W) float32, where [t] is computed from counts[: t - lead + 1] alone:

        m_t = (Σ_s w^(t−lead−s) n_s + κ r_t) / (Σ_s w^(t−lead−s) + κ),   w = 2^(−1/half-life),

    with r_t the same mean over the whole area and κ = PRIOR_STEPS. Before the first step it is 0.

    An event in one cell of four, remembered with a half-life of a step:

    >>> counts = np.zeros((4, 1, 2, 2))
    >>> counts[1, 0, 0, 0] = 1
    >>> made = decayed_means(counts, [1.0], np.ones((2, 2), dtype=bool))[:, 0, 0]
    >>> bool(made[1].sum() == 0 and made[2, 0, 0] > made[3, 0, 0] > made[2, 1, 1] > 0)
    True
    """
    steps = counts.shape[0]
    weight = np.exp2(-1.0 / np.asarray(half_lives, dtype=np.float64))
    column = weight[:, None, None, None].astype(np.float32)
    total = np.zeros((len(half_lives), *counts.shape[1:]), dtype=np.float32)
    mass = np.zeros(len(half_lives))
    result = np.zeros((steps, *total.shape), dtype=np.float32)
    cells = max(1, int(area.sum()))
    for step in range(lead, steps):
        total *= column
        total += counts[step - lead]
        mass = mass * weight + 1.0
        share = np.where(area, total, 0.0).sum(axis=(2, 3)) / cells / mass[:, None]
        prior = (PRIOR_STEPS * share)[:, :, None, None]
        result[step] = (total + prior) / (mass + PRIOR_STEPS)[:, None, None, None]
    return result
