"""The sample city: a simulated island whose true conditional rates are known.

A discrete-time self-exciting point process on cells and days. With N(s, c, k) the count of type k
in cell c on day s, the true rate of a day given all days before it is

    λ(t, c, k) = b_k · risk_k(c) · level_k(t) + Σ_{s<t} Σ_{c'} θ_k · g(t − s) · K(c − c') · N(s, c', k)

with a static risk surface, a level with weekday and season, g geometric with a mean of 1/(1 − ρ)
days and K a Gaussian of `SPREAD` cells (near repeats: Mohler et al. 2011, J. Am. Stat. Assoc. 106).
Because time is discrete, λ is exactly the mean of the Poisson draw: no forecast can do better.

Remade, with the small run that ships with it, by `python -m crimecast.commands.sample`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import shapely
from scipy.ndimage import gaussian_filter

CELL = 500.0
SIZE = 24
ORIGIN = (494_000.0, 16_000.0)  # metres, UTM zone 31 north: open sea in the Gulf of Guinea
FIRST_DAY = datetime(2023, 1, 1)
DAYS = 730
DECAY = 0.75
SPREAD = 1.0
# Per type: events a day, share of them excited by others, hot spots, weekday swing, season swing.
TYPES = {
    "theft": (34.0, 0.35, 9, 0.25, 0.20),
    "burglary": (13.0, 0.55, 6, 0.15, 0.25),
    "assault": (15.0, 0.30, 5, 0.45, 0.30),
}


@dataclass(frozen=True)
class SampleCity:
    """`events` (canonical columns), `rates` (DAYS, types, y, x) and the `outline` in metres."""

    events: pl.DataFrame
    rates: np.ndarray
    outline: shapely.Polygon


def outline(rng: np.random.Generator) -> shapely.Polygon:
    """An island with bays that fills most of the square."""
    angle = np.linspace(0, 2 * np.pi, 241)[:-1]
    radius = np.ones_like(angle)
    for wave in range(2, 9):
        radius += rng.normal(0, 0.16 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    radius *= 0.985 / np.abs(radius).max()
    half = SIZE * CELL / 2
    x = ORIGIN[0] + half * (1 + radius * np.cos(angle))
    y = ORIGIN[1] + half * (1 + radius * np.sin(angle))
    return shapely.Polygon(np.column_stack([x, y]))


def risk_surface(rng: np.random.Generator, mask: np.ndarray, spots: int) -> np.ndarray:
    """(y, x) summing to one on the island: a broad centre and a few sharp hot spots."""
    inside = np.argwhere(mask)
    surface = np.full(mask.shape, 0.25) + rng.gamma(0.6, 0.5, mask.shape)
    for place in inside[rng.choice(len(inside), spots, replace=False)]:
        spot = np.zeros(mask.shape)
        spot[tuple(place)] = 1.0
        surface += rng.uniform(20, 70) * gaussian_filter(
            spot, rng.uniform(0.6, 1.8), mode="constant"
        )
    surface = np.where(mask, surface, 0.0)
    return surface / surface.sum()


def simulate(
    seed: int = 2018, spread: float = SPREAD, decay: float = DECAY, excited: float | None = None
) -> SampleCity:
    """Draw the city. The same seed gives the same events and rates. `spread` is that of near repeats in
    cells, `decay` what is left of them from day to day, `excited` the share of events that they are."""
    rng = np.random.default_rng(seed)
    island = outline(rng)
    left = ORIGIN[0] + CELL * np.arange(SIZE)
    low = ORIGIN[1] + CELL * np.arange(SIZE)
    x0, y0 = np.meshgrid(left, low)
    overlap = shapely.area(shapely.intersection(island, shapely.box(x0, y0, x0 + CELL, y0 + CELL)))
    mask = overlap > 0.2 * CELL**2
    days = np.arange(DAYS)
    weekday = (FIRST_DAY.weekday() + days) % 7
    counts = np.zeros((DAYS, len(TYPES), SIZE, SIZE), dtype=np.int64)
    rates = np.zeros(counts.shape)
    for index, (mean, usual, spots, week, season) in enumerate(TYPES.values()):
        risk = risk_surface(rng, mask, spots)
        level = (1 + week * np.isin(weekday, (4, 5)) - week / 3 * np.isin(weekday, (0, 1))) * (
            1 + season * np.cos(2 * np.pi * (days - 200) / 365.25)
        )
        level /= level.mean()
        share = usual if excited is None else excited
        memory = np.zeros((SIZE, SIZE))  # Σ g(t − s) · N(s), geometric with weights that sum to one
        for day in days:
            near = gaussian_filter(memory, spread, mode="constant")
            rate = mean * (1 - share) * risk * level[day] + share * np.where(mask, near, 0.0)
            rates[day, index] = rate
            counts[day, index] = rng.poisson(rate)
            memory = decay * memory + (1 - decay) * counts[day, index]
    return SampleCity(_events(rng, counts, island), rates, island)


def _events(rng: np.random.Generator, counts: np.ndarray, island: shapely.Polygon) -> pl.DataFrame:
    """Scatter the counts: within their cell and the island, over the day with its evening peak."""
    day, kind, row, column = np.nonzero(counts)
    repeat = counts[day, kind, row, column]
    day, kind, row, column = (np.repeat(v, repeat) for v in (day, kind, row, column))
    x = ORIGIN[0] + CELL * (column + rng.random(day.size))
    y = ORIGIN[1] + CELL * (row + rng.random(day.size))
    shapely.prepare(island)
    for _ in range(60):
        sea = ~shapely.contains_xy(island, x, y)
        x[sea] = ORIGIN[0] + CELL * (column[sea] + rng.random(sea.sum()))
        y[sea] = ORIGIN[1] + CELL * (row[sea] + rng.random(sea.sum()))
    minute = (rng.normal(20 * 60, 4.5 * 60, day.size).astype(np.int64)) % 1440
    time = [
        FIRST_DAY + timedelta(days=int(d), minutes=int(m)) for d, m in zip(day, minute, strict=True)
    ]
    names = np.array(list(TYPES))[kind]
    frame = pl.DataFrame({"time": time, "type": names, "x": x.round(1), "y": y.round(1)}).sort(
        "time"
    )
    return frame.with_columns(pl.format("s{}", pl.int_range(pl.len())).alias("source_id"))
