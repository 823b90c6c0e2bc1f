"""Where and when a forecast goes astray: the error, not the counts, searched for what it has in common.

Four things are looked for, in counts n and rates λ (T, C, H, W) inside a study area: dates at which the city's
error changes, dates at which one cell's does, clusters of error in space and time, and types or weekdays that
are off as a whole. Each is worth what scaling the forecast there to what came would have gained in
log-likelihood, N ln(N/Λ) − (N − Λ): that is what they are sorted by.

Changes: PELT (Killick, Fearnhead & Eckley 2012, JASA 107) by `ruptures`, on residuals of weeks, or of a cell's
spans, after Anscombe (1948): 2(√(n + 3/8) − √(λ + 3/8)), whose spread is 1 where the forecast is right. Clusters:
Gi* (Ord & Getis 1995, Geographical Analysis 27) by `esda` on the residuals (n − λ)/√λ of each window of time (spans,
runs of 2, 4, … spans, the whole), over queen neighbours, with false discoveries controlled over all cells and windows
(Benjamini & Hochberg 1995). Cells of which less than one event is expected in a window are left out of it: nothing
normal can be said of them.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage, stats

from crimecast.judging.scoring import week_numbers

SPANS = (28.0, 56.0, 112.0)  # days
RATE = 0.01  # of false discoveries
AROUND = 2.0  # of Gi*, next to a core that is beyond chance
LEAST = 1.0  # events expected of a cell in a span
WEEKS = 4  # between two changes of the city
FOLLOWED = (
    30.0  # events expected of a cell over the whole, from which on its own changes are looked for
)
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class Astray:
    """What the error has in common there. `kind`: `level`, `change`, `cell`, `cluster`, `weekday` or `type`; `word`:
    which (a cluster: `persistent`, `emerging`, `fading` or `passing`). Steps [first, last) of the period;
    `cells` (K, 2) rows and columns, none for the whole city; N, Λ and what mending it is worth."""

    kind: str
    word: str
    first: int
    last: int
    observed: float
    expected: float
    worth: float
    cells: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))

    @property
    def more(self) -> bool:
        """Whether more came than was expected."""
        return self.observed > self.expected


def worth(observed: float, expected: float) -> float:
    """What scaling a forecast to what came would gain in log-likelihood.

    >>> round(worth(150, 100), 1), worth(100, 100)
    (10.8, 0.0)
    """
    lam = max(expected, 1e-9)
    return float(observed * np.log(max(observed, 1e-300) / lam) - (observed - lam))


def astray(
    counts: np.ndarray, rates: np.ndarray, area: np.ndarray, times: np.ndarray, step_days: float,
    types: tuple[str, ...] = (),
) -> list[Astray]:  # fmt: skip
    """All that is found, what is worth most first; nothing, fourteen times in fifteen, of a forecast that is right
    but for chance.

    counts and rates (T, C, H, W), area (H, W), times (T,) of the steps' beginnings.
    """
    n, lam = counts[..., area].astype(np.float64), np.maximum(rates[..., area], 1e-9)
    found = [*_level(n, lam, times), *_weekdays(n, lam, times, step_days), *_types(n, lam, times, types)]  # fmt: skip
    total_n, total_lam = n.sum(axis=1), lam.sum(axis=1)
    found += _changes(total_n, total_lam, times)
    span = _span(total_lam, step_days)
    places = np.argwhere(area)
    clusters = [*_clusters(total_n, total_lam, area, places, span)]
    inside = {tuple(cell) for one in clusters for cell in one.cells.tolist()}
    found += clusters
    found += [
        one
        for one in _cells(total_n, total_lam, places, span)
        if tuple(one.cells[0].tolist()) not in inside
    ]
    return sorted(found, key=lambda one: -one.worth)


def _blocks(steps: int, size: int) -> np.ndarray:
    """(B + 1,) where blocks of `size` steps begin, the last one as long as the rest or longer; steps at the end."""
    starts = np.arange(0, max(1, steps // size)) * size
    return np.append(starts, steps)


def _sums(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, edges[:-1], axis=0)


def _anscombe(n: np.ndarray, lam: np.ndarray) -> np.ndarray:
    return 2 * (np.sqrt(n + 0.375) - np.sqrt(lam + 0.375))


def weekday(times: np.ndarray) -> np.ndarray:
    """(T,) day of the week, Monday 0.

    >>> weekday(np.array(["2024-01-01", "2024-01-07"], dtype="datetime64[D]")).tolist()
    [0, 6]
    """
    return (times.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _off(n: np.ndarray, lam: np.ndarray) -> float:
    """p of a mean error of weeks (W,) as far from zero, by the weeks' own spread."""
    kept = lam > 0
    z = (n[kept] - lam[kept]) / np.sqrt(lam[kept])
    return float(stats.ttest_1samp(z, 0.0).pvalue) if len(z) > 3 and np.ptp(z) > 0 else 1.0


def _level(n: np.ndarray, lam: np.ndarray, times: np.ndarray) -> Iterator[Astray]:
    weeks = week_numbers(times)
    a, b = n.sum(axis=(1, 2)), lam.sum(axis=(1, 2))
    if _off(np.bincount(weeks, a), np.bincount(weeks, b)) < RATE:
        yield Astray("level", "level", 0, len(n), a.sum(), b.sum(), worth(a.sum(), b.sum()))


def _apart(
    kind: str, parts: list[tuple[str, np.ndarray, np.ndarray]], weeks: np.ndarray
) -> Iterator[Astray]:
    """Parts (word, n (T,), λ (T,)) whose error differs from that of the whole, false discoveries controlled."""
    ratio = sum(n.sum() for _, n, _ in parts) / max(sum(lam.sum() for _, _, lam in parts), 1e-9)
    p = [_off(np.bincount(weeks, n), np.bincount(weeks, ratio * lam)) for _, n, lam in parts]
    held = stats.false_discovery_control(p) < RATE if p else []
    for (word, n, lam), holds in zip(parts, held, strict=True):
        if holds:
            gained = worth(n.sum(), ratio * lam.sum())
            yield Astray(kind, word, 0, len(n), n.sum(), ratio * lam.sum(), gained)


def _weekdays(
    n: np.ndarray, lam: np.ndarray, times: np.ndarray, step_days: float
) -> Iterator[Astray]:
    if step_days > 1:
        return
    day, a, b = weekday(times), n.sum(axis=(1, 2)), lam.sum(axis=(1, 2))
    parts = [(name, a * (day == k), b * (day == k)) for k, name in enumerate(WEEKDAYS)]
    yield from _apart("weekday", parts, week_numbers(times))


def _types(
    n: np.ndarray, lam: np.ndarray, times: np.ndarray, types: tuple[str, ...]
) -> Iterator[Astray]:
    if len(types) > 1:
        parts = [(name, n[:, k].sum(axis=1), lam[:, k].sum(axis=1)) for k, name in enumerate(types)]
        yield from _apart("type", parts, week_numbers(times))


def _changes(n: np.ndarray, lam: np.ndarray, times: np.ndarray) -> Iterator[Astray]:
    """Dates from which on the city's error is another."""
    weeks = week_numbers(times)
    first = np.append(np.unique(weeks, return_index=True)[1], len(n))
    a, b = _sums(n.sum(axis=1), first), _sums(lam.sum(axis=1), first)
    if len(a) < 3 * WEEKS:
        return
    z = _anscombe(a, b)
    # A city's weeks scatter more than Poisson's, by weather and holidays: by as much as neighbours differ.
    z = z / max(1.0, float(stats.median_abs_deviation(np.diff(z), scale="normal")) / np.sqrt(2))
    ends = [0, *_pelt(z, WEEKS, 3 * np.log(len(z)))]
    for before, at, after in zip(ends, ends[1:], ends[2:], strict=False):
        old = a[before:at].sum() / max(b[before:at].sum(), 1e-9)
        seen, due = a[at:after].sum(), old * b[at:after].sum()
        yield Astray(
            "change", "change", int(first[at]), int(first[after]), seen, due, worth(seen, due)
        )


def _pelt(z: np.ndarray, least: int, penalty: float) -> list[int]:
    """Where the mean of z (spread 1) changes, and its end."""
    import ruptures

    return list(ruptures.KernelCPD(kernel="linear", min_size=least).fit(z[:, None]).predict(pen=penalty))  # fmt: skip


def _span(lam: np.ndarray, step_days: float) -> int:
    """Steps a span: the shortest in which half of the events lie where at least one is expected."""
    for days in SPANS:
        size = max(1, round(days / step_days))
        mean = lam.mean(axis=0) * size
        if mean[mean >= LEAST].sum() >= 0.5 * mean.sum():
            return min(size, len(lam))
    return len(lam)


def _cells(n: np.ndarray, lam: np.ndarray, places: np.ndarray, span: int) -> Iterator[Astray]:
    """Cells of which the error changes once and for good."""
    edges = _blocks(len(n), span)
    a, b = _sums(n, edges), _sums(lam, edges)
    followed = np.nonzero(b.sum(axis=0) >= FOLLOWED)[0]
    if len(a) < 4 or not len(followed):
        return
    # So that a right forecast has one in any of its cells in one case of fifty.
    penalty = 2 * np.log(len(followed) * len(a)) + 4
    for cell in followed:
        ends = _pelt(_anscombe(a[:, cell], b[:, cell]), 1, penalty)
        if len(ends) < 2:
            continue
        at = ends[-2]
        old = a[:at, cell].sum() / max(b[:at, cell].sum(), 1e-9)
        seen, due = a[at:, cell].sum(), old * b[at:, cell].sum()
        yield Astray(
            "cell", "change", int(edges[at]), len(n), seen, due, worth(seen, due), places[[cell]]
        )


def _windows(count: int) -> list[tuple[int, int]]:
    """Windows on so many spans: each span, runs of 2, 4, … of them by half their length, and the whole."""
    made, size = [], 1
    while size < count:
        starts = {*range(0, count - size + 1, max(1, size // 2)), count - size}
        made += [(first, first + size) for first in sorted(starts)]
        size *= 2
    return [*made, (0, count)]


def _clusters(
    n: np.ndarray, lam: np.ndarray, area: np.ndarray, places: np.ndarray, span: int
) -> list[Astray]:
    """Neighbouring cells that are off in the same direction, in the window in which that is worth most."""
    edges = _blocks(len(n), span)
    a, b = _sums(n, edges), _sums(lam, edges)
    windows = _windows(len(a))
    sums = [(a[first:last].sum(axis=0), b[first:last].sum(axis=0)) for first, last in windows]
    z = np.stack([_hot(x, y, places, area.shape) for x, y in sums])
    tried, held = np.isfinite(z), np.zeros(z.shape, dtype=bool)
    if tried.any():
        p = 2 * stats.norm.sf(np.abs(z[tried]))
        held[tried] = stats.false_discovery_control(p) < RATE
    found = []
    for k in range(len(windows)):
        for sign in (1, -1):
            # Round a core that is beyond chance lies what is likely part of it.
            near = sign * np.nan_to_num(z[k]) > AROUND
            marked = np.zeros(area.shape, dtype=bool)
            marked[area] = near
            labels = ndimage.label(marked, np.ones((3, 3)))[0][area]
            for number in sorted({*labels[held[k] & near].tolist()}):
                own = np.nonzero(labels == number)[0]
                start, end = _best(a[:, own].sum(axis=1), b[:, own].sum(axis=1), sign)
                seen, due = float(a[start:end, own].sum()), float(b[start:end, own].sum())
                found.append(
                    Astray(
                        "cluster", _category(start, end, len(a)), int(edges[start]), int(edges[end]), seen, due,
                        worth(seen, due), places[own],
                    )
                )  # fmt: skip
    kept: list[Astray] = []
    for one in sorted(found, key=lambda one: -one.worth):  # the same seen through another window
        if not any(_overlap(one, other) for other in kept):
            kept.append(one)
    return kept


def _best(n: np.ndarray, lam: np.ndarray, sign: int) -> tuple[int, int]:
    """The spans [first, last) in which cells that are off in that direction (1: more came) are worth most."""
    a, b = np.append(0, np.cumsum(n)), np.append(0, np.cumsum(lam))
    pairs = [(i, j) for i in range(len(n)) for j in range(i + 1, len(n) + 1)]

    def value(pair: tuple[int, int]) -> float:
        seen, due = a[pair[1]] - a[pair[0]], b[pair[1]] - b[pair[0]]
        return worth(seen, due) if sign * (seen - due) > 0 else 0.0

    return max(pairs, key=value)


def _overlap(one: Astray, other: Astray) -> bool:
    """Whether two clusters have a cell and a step in common."""
    if one.first >= other.last or other.first >= one.last:
        return False
    cells = {*map(tuple, one.cells.tolist())}
    return not cells.isdisjoint(map(tuple, other.cells.tolist()))


def _hot(n: np.ndarray, lam: np.ndarray, places: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(N,) Gi* of the cells' residuals in a span; NaN where too little is expected."""
    from esda import G_Local
    from libpysal.weights import W

    made = np.full(len(n), np.nan)
    kept = np.nonzero(lam >= LEAST)[0]
    number = np.full(shape, -1)
    number[tuple(places[kept].T)] = np.arange(len(kept))
    padded = np.pad(number, 1, constant_values=-1)
    near: dict[int, list[int]] = {}
    for k, (row, column) in enumerate(places[kept]):
        around = padded[row : row + 3, column : column + 3].ravel()
        near[k] = [int(i) for i in around if i >= 0 and i != k]
    if len(kept) < 20 or not any(near.values()):
        return made
    weights = W(near, silence_warnings=True)
    z = (n[kept] - lam[kept]) / np.sqrt(lam[kept])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a city may lie in several parts
        made[kept] = G_Local(z - z.min() + 1, weights, "B", permutations=0, star=True).Zs
    return made


def _category(first: int, last: int, count: int) -> str:
    """What became of a cluster of spans [first, last) of `count`."""
    if last - first >= 0.9 * count:
        return "persistent"
    if last == count and first > 0:
        return "emerging"
    return "fading" if first == 0 else "passing"
