"""Totals that are off, or counts that scatter more widely than the likelihood allows.

A total counts from 10 % off and four standard errors, high from 20 %; scatter from 1.3 times a
Poisson's variance (the best forecasts of all Chicago crimes have 1.05); a Bernoulli head when more
than a tenth of the cells with events have several.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

OFF = 0.1
WIDE = 1.3
FEW, MOST = 0.01, 0.6  # of the cells; of their excess


def judge(case: Case) -> Iterator[Finding]:
    """Rates that are not what happens, on average or in their scatter."""
    area = case.subject.area
    n, rate = case.counts[..., area].astype(np.float64), case.rates[..., area].astype(np.float64)
    ratio = rate.sum() / max(n.sum(), 1.0)
    weekly = np.abs(ratio - 1) * np.sqrt(n.sum())
    if abs(ratio - 1) > OFF and weekly > 4:
        yield Finding(
            "miscalibrated", None, "high" if abs(ratio - 1) > 2 * OFF else "medium",
            {"forecast_over_observed": float(ratio)},
            f"It forecasts {100 * (ratio - 1):+.0f} % of what happens: correct an offset that knows the city's level, such as memory_mixture{_or_a_rate(case, ratio)}.",
            {"offset": "memory_mixture"} if case.is_spec and case.design.offset != "memory_mixture" else {},
        )  # fmt: skip
    dispersion = float(((n - rate) ** 2).sum() / rate.sum())
    if case.design.likelihood == "poisson" and dispersion > WIDE and abs(ratio - 1) < OFF:
        few, first, last = gathered(((n - rate) ** 2 - rate).sum(axis=1))
        beyond = np.delete((n - rate) ** 2, few, axis=2).sum() / np.delete(rate, few, axis=2).sum()
        if beyond < WIDE:  # elsewhere counts scatter as they should
            cube, begin = case.subject.cube, case.period[0]
            where = f"{len(few)} of {area.sum()} {cube.place}s"
            yield Finding(
                "miscalibrated", None, "low", {"dispersion": dispersion, "dispersion_elsewhere": float(beyond), "cells": len(few)},
                f"Counts scatter {dispersion:.2f} times as widely as a Poisson's, but without {where} {beyond:.2f} times: most of what is "
                f"too much came there, from {cube.label(begin + first)} to {cube.label(begin + last)}. That is an event rather than scatter; see it on Forecast.",
                {},
            )  # fmt: skip
            return
        yield Finding(
            "miscalibrated", None, "medium", {"dispersion": dispersion},
            f"Counts scatter {dispersion:.2f} times as widely as a Poisson's: use the negative binomial.",
            {"likelihood": "negative_binomial"} if case.is_spec else {},
        )  # fmt: skip
    if (
        case.design.likelihood == "bernoulli"
        and n.max() > 1
        and (n > 1).sum() > 0.1 * (n > 0).sum()
    ):
        yield Finding(
            "miscalibrated", None, "high", {"cells_with_more_than_one": float((n > 1).sum() / (n > 0).sum())},
            "Many cells have more than one event in a step, which a Bernoulli head can't tell: use Poisson.",
            {"likelihood": "poisson"} if case.is_spec else {},
        )  # fmt: skip


def gathered(excess: np.ndarray) -> tuple[np.ndarray, int, int]:
    """The hundredth of the cells, and at least one, that hold most of a scatter's excess (T, N) over what is allowed, and
    the first and last of the steps that together hold most of theirs."""
    count = max(1, round(FEW * excess.shape[1]))
    cells = np.argsort(-excess.sum(axis=0), kind="stable")[:count]
    own = excess[:, cells].sum(axis=1)
    order = np.argsort(-own, kind="stable")
    enough = int(np.searchsorted(np.cumsum(own[order]), MOST * own.sum())) + 1
    return cells, int(order[:enough].min()), int(order[:enough].max())


def _or_a_rate(case: Case, ratio: float) -> str:
    """What can't be told from a total that is too high, where there is an offset to correct."""
    never_lower = bool(case.said[..., case.subject.area].min() >= -1e-6)
    if ratio < 1 or not never_lower or case.design.offset == "none":
        return ""
    return "; or, since it never lowers its offset, take a softplus or an exponential at the end away, which returns a rate where its logarithm is asked for"


def mended(case: Case, finding: Finding) -> np.ndarray | None:
    """(T, C, H, W) the forecast with the total that was seen."""
    ratio = finding.evidence.get("forecast_over_observed")
    return None if ratio is None else case.rates / ratio
