"""How alike layers are, how much of their width they use, and what they know.

Rows are cells of the study area at probe steps, columns are channels.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from crimecast.inspect.activations import capture
from crimecast.inspect.specimen import Specimen

ROWS = 4000  # rows of a layer's features that are kept
BATCH_ROWS = 1000  # rows over which HSIC is estimated before it is averaged


@dataclass(frozen=True)
class Features:
    """`values[layer]` (rows, channels) at the same cells and steps for every layer; `step` (rows,)."""

    values: dict[str, np.ndarray]
    step: np.ndarray
    rate: np.ndarray
    count: np.ndarray


@torch.no_grad()
def features(subject: Specimen, probes: int = 24, seed: int = 0) -> Features:
    """Every layer's channels at the same sampled cells and probe steps.

    A coarser layer is spread to the grid's cells, a sequence gives its latest step.
    """
    steps = subject.probes(probes)
    rng = np.random.default_rng(seed)
    inside = np.flatnonzero(subject.area)
    each = min(len(inside), max(1, ROWS // len(steps)))
    parts: dict[str, list[np.ndarray]] = {}
    rates, counts, where = [], [], []
    for step in steps:
        batch = subject.batch([step])
        chosen = torch.from_numpy(rng.choice(inside, each, replace=False))
        with capture(subject.network, list(subject.layers)) as caught:
            rate = subject.log_rate(batch)
        for name, output in caught.items():
            if not subject.axes(name, output.shape).is_map:
                continue
            x = subject.maps(name, output)
            if x.shape[1] == 0:
                continue
            if x.shape[2:] != subject.area.shape:
                x = functional.interpolate(x.float(), size=subject.area.shape, mode="nearest")
            parts.setdefault(name, []).append(x[0].float().flatten(1)[:, chosen].T.numpy())
        rates.append(rate[0].sum(dim=0).flatten()[chosen].numpy())
        counts.append(batch.target[0].sum(dim=0).flatten()[chosen].numpy())
        where.append(np.full(each, step))
    return Features(
        {name: np.concatenate(rows) for name, rows in parts.items()},
        np.concatenate(where), np.concatenate(rates), np.concatenate(counts),
    )  # fmt: skip


def cka(x: np.ndarray, y: np.ndarray, batch: int = BATCH_ROWS) -> float:
    """Linear centred kernel alignment of features (rows, p) and (rows, q), 0 unlike to 1 alike.

    Kornblith et al. (2019, ICML), with the unbiased HSIC of Song et al. (2012, JMLR), averaged over
    minibatches before the ratio (Nguyen, Raghu & Kornblith 2021, ICLR). nan if a side is constant.

    >>> x = np.random.default_rng(0).normal(size=(500, 4))
    >>> turned = x @ np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    >>> round(cka(x, 3 * turned), 6)
    1.0
    """
    sums = np.zeros(3)
    order = np.random.default_rng(0).permutation(len(x))
    parts = np.array_split(order, max(1, len(x) // batch))
    for rows in parts:
        if len(rows) < 4:
            continue
        one, other = (_centred(side[rows].astype(np.float64)) for side in (x, y))
        sums += [_hsic(one, other), _hsic(one, one), _hsic(other, other)]
    floor = 1e-12 * (1 + abs(sums[1]) + abs(sums[2]))
    if sums[1] <= floor or sums[2] <= floor:
        return float("nan")
    return float(sums[0] / np.sqrt(sums[1] * sums[2]))


def _centred(x: np.ndarray) -> np.ndarray:
    return x - x.mean(axis=0)


def _hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased estimate of Song et al. (2012) for the linear kernels K = xxᵀ and M = yyᵀ, both with a zero
    diagonal, of centred features (n, p) and (n, q), without making the n × n kernels: tr KM = ‖xᵀy‖² less
    what the diagonals bring, and a row of K sums to what its diagonal took."""
    n = len(x)
    k, m = (-np.einsum("ij,ij->i", side, side) for side in (x, y))  # sums of the rows of K and M
    trace = np.square(x.T @ y).sum() - k @ m
    sums = k.sum() * m.sum() / ((n - 1) * (n - 2))
    mixed = 2 * float(k @ m) / (n - 2)
    return float((trace + sums - mixed) / (n * (n - 3)))


def cka_table(one: Features, other: Features) -> tuple[list[str], list[str], np.ndarray]:
    """CKA of every layer of one network with every layer of another, at the same cells and steps."""
    rows, columns = list(one.values), list(other.values)
    table = [[cka(one.values[a], other.values[b]) for b in columns] for a in rows]
    return rows, columns, np.array(table)


@dataclass(frozen=True)
class Width:
    """`channels` a layer has, `used` how many principal components hold 99 % of its variance,
    `participation` (Σλ)² / Σλ², a smooth count of them."""

    channels: int
    used: int
    participation: float

    @property
    def saturation(self) -> float:
        """Share of its width that a layer uses (Shenk et al. 2019: delve)."""
        return self.used / self.channels


def width(x: np.ndarray, share: float = 0.99) -> Width:
    """How many directions features (rows, channels) vary in: those that hold `share` of the variance, and
    the participation ratio (Gao et al. 2017, bioRxiv 214262).

    >>> x = np.random.default_rng(0).normal(size=(1000, 2))
    >>> width(np.hstack([x, x])).used
    2
    """
    values = np.linalg.eigvalsh(np.cov(x.astype(np.float64), rowvar=False).reshape(x.shape[1], -1))
    values = np.clip(values[::-1], 0.0, None)
    total = values.sum()
    if total <= 1e-12:
        return Width(x.shape[1], 0, 0.0)
    used = int(np.searchsorted(np.cumsum(values), share * total * (1 - 1e-12)) + 1)
    return Width(x.shape[1], min(used, x.shape[1]), float(total**2 / np.sum(values**2)))


KNOWN = ("weekday", "season", "forecast", "count")


def probe(made: Features, times: np.ndarray, layer: str) -> dict[str, float]:
    """How well a ridge regression reads things off a layer, as R² on steps it wasn't fitted to:
    1 is all, 0 nothing. `weekday` and `season` are mean R² over their indicators, `forecast` is the
    network's own log rate, `count` the events that came (noise holds it low whatever is known).
    Linear probes: Alain & Bengio 2017 (ICLR workshop). Raises KeyError for a layer that isn't there."""
    x = made.values[layer].astype(np.float64)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    dates = pd.DatetimeIndex(times[made.step])
    targets = {
        "weekday": np.eye(7)[dates.dayofweek],
        "season": np.eye(4)[dates.month % 12 // 3],
        "forecast": made.rate[:, None],
        "count": made.count[:, None],
    }
    steps = np.unique(made.step)
    fitted = np.isin(made.step, steps[::2])
    return {name: _r2(x, y.astype(np.float64), fitted) for name, y in targets.items()}


def _r2(x: np.ndarray, y: np.ndarray, fitted: np.ndarray) -> float:
    """Mean R² over targets that vary in both halves, of ridge regression with penalty 1e-2 of rows."""
    design = np.hstack([x, np.ones((len(x), 1))])
    a, b = design[fitted], y[fitted]
    penalty = 1e-2 * len(a) * np.eye(design.shape[1])
    penalty[-1, -1] = 0.0
    weights = np.linalg.solve(a.T @ a + penalty, a.T @ b)
    rest, seen = design[~fitted] @ weights, y[~fitted]
    spread = ((seen - b.mean(axis=0)) ** 2).sum(axis=0)
    known = spread > 1e-9
    if not known.any():
        return float("nan")
    return float(np.mean(1 - ((seen - rest) ** 2).sum(axis=0)[known] / spread[known]))
