"""A normalisation that forecasts by other statistics than it was trained with.

Counts when the end of the training period is forecast better by 0.002 an event with the statistics of each
batch, as in training, than with those that were kept; high from 0.01. Both are given the level and the slope that fit
best, since the statistics of a batch scatter, which mends a total that is too low; or neither, where those of the batch put a total
right. The layer named is the one that gains most alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from crimecast.diagnose.case import Case, fitted
from crimecast.diagnose.finding import Finding
from crimecast.judging.likelihood import floored, log_likelihood

GAINS, MUCH = 0.002, 0.01
STEPS = 48


def judge(case: Case) -> Iterator[Finding]:
    """Which normalisation, and what its own statistics would gain."""
    norms = _norms(case)
    if not norms:
        return
    first, last = case.end_of_training
    steps = np.unique(np.linspace(first, last - 1, STEPS).astype(int)).tolist()
    kept, off = _gained(case, steps, [], True)
    made, left = _gained(case, steps, list(norms.values()), True)
    fit = made - kept > GAINS
    if not fit:
        plain, other = _gained(case, steps, [], False)[0], _gained(case, steps, list(norms.values()), False)[0]  # fmt: skip
        if other - plain < GAINS or left > off / 3:
            return
        kept, made = plain, other
    gains = made - kept
    alone = {name: _gained(case, steps, [norm], fit)[0] - kept for name, norm in norms.items()}
    worst = max(alone, key=lambda name: alone[name])
    yield Finding(
        "train_forecast_gap", worst, "high" if gains > MUCH else "medium",
        {"gain_with_batch_statistics": gains, "gain_of_this_layer": alone[worst]},
        f"With the statistics of each batch, as it was trained, it forecasts better: those that {worst} kept aren't those of the data. "
        "Normalise by group (GroupNorm), or let the running statistics follow faster (momentum).",
    )  # fmt: skip


def _norms(case: Case) -> dict[str, nn.Module]:
    """The normalisations that keep statistics, by name."""
    modules = case.subject.network.named_modules()
    return {n: m for n, m in modules if isinstance(m, _BatchNorm) and m.track_running_stats}


def _gained(
    case: Case, steps: list[int], norms: Sequence[nn.Module], fit: bool
) -> tuple[float, float]:
    """Log-likelihood an event of some steps, some normalisations by the statistics of the batch, at the best
    level and slope if it is to `fit`; and how much the total is off before that."""
    with torch.no_grad(), _by_batch(norms):
        parts = [
            torch.exp(case.subject.log_rate(case.subject.batch(steps[i : i + 16])))
            for i in range(0, len(steps), 16)
        ]
    area = case.subject.area
    counts = case.subject.cube.counts[steps][..., area].astype(np.float64)
    rates, total = floored(torch.cat(parts).numpy()[..., area]), max(1.0, counts.sum())
    off = abs(float(rates.sum()) / total - 1)
    if fit:
        level, slope = fitted(counts, np.log(rates))
        rates = np.exp(np.clip(level + slope * np.log(rates), -15, 15))
    return float(log_likelihood(counts, rates).sum() / total), off


@contextmanager
def _by_batch(norms: Sequence[nn.Module]) -> Iterator[None]:
    buffers = [{k: b.clone() for k, b in norm.named_buffers()} for norm in norms]
    for norm in norms:
        norm.train()
    try:
        yield
    finally:
        for norm, own in zip(norms, buffers, strict=True):
            norm.eval()
            for name, value in own.items():
                norm.get_buffer(name).copy_(value)


def mended(case: Case, finding: Finding) -> np.ndarray:
    """(T, C, H, W) the forecast with the statistics of each batch."""
    with _by_batch(list(_norms(case).values())):
        return case.forecast(*case.period)
