"""Earlier frames that arrive in another order than the network was trained with.

Their order is turned round, and moved by one and two; counts when that gains 0.0015 an event with the whole interval over weeks
above zero; high from 0.01. Level and slope are fitted to both, so that the order alone is compared.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.judging.scoring import compare

GAINS, MUCH = 0.0015, 0.01
SILENT = 1e-6  # change of the log rate without a frame


def judge(case: Case) -> Iterator[Finding]:
    """The order in which it forecasts better."""
    lags = len(case.design.lags)
    # Frames that are shut off would be moved to where they matter less.
    if lags < 3 or min(case.effect[f"lag {lag}"] for lag in case.design.lags) < SILENT:
        return
    plain = case.sums(case.calibrated(case.rates))
    best = (GAINS, "", [0.0, 0.0])
    for name in orders(lags):
        versus = compare(case.sums(case.calibrated(_ordered(case, name))), plain)
        if versus["interval"][0] > 0 and versus["difference"] > best[0]:
            best = versus["difference"], name, versus["interval"]
    if best[1]:
        yield Finding(
            "wrong_lag_order", None, "high" if best[0] > MUCH else "medium",
            {"order": best[1], "gain": best[0], "interval": best[2]},
            f"With its earlier frames {best[1]} it forecasts better: they reach the network in another order than it learnt. Frame 0 is that of the first lag.",
        )  # fmt: skip


def mended(case: Case, finding: Finding) -> np.ndarray:
    """(T, C, H, W) the forecast with the frames in that order."""
    return _ordered(case, finding.evidence["order"])


def orders(lags: int) -> dict[str, torch.Tensor]:
    """Other orders of frames, by what they are called."""
    return {
        "turned round": torch.arange(lags - 1, -1, -1),
        **{f"moved by {by}": torch.arange(lags).roll(by) for by in (1, -1, 2, -2)},
    }


def _ordered(case: Case, name: str) -> np.ndarray:
    order = orders(len(case.design.lags))[name]
    return case.forecast_with(lambda batch: replace(batch, history=batch.history[:, order]))
