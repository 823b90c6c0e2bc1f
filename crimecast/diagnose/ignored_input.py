"""Inputs that change nothing when they are blanked: the history, single lags, input maps, the calendar.

Counts below a tenth of a per cent of the rate (root mean square over cells and probe steps); a lag
must also have less than 2 % of the effect of the lag that matters most, since a network that corrects
little does so for every lag. High for all maps (unless the offset is the only one), for the history where no memory stands in for it, and
for half of the lags.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.designs.inputs import map_inputs
from crimecast.designs.shapes import FRAMES, HISTORY
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.judging.likelihood import log_likelihood

MASKED = 1e-9  # below it nothing arrives at all: masked_input says so
FAINT = 0.02
HELPS = 0.001  # log-likelihood an event, below which nothing is lost without the calendar
IGNORED = 1e-3


def judge(case: Case) -> Iterator[Finding]:
    """Inputs to take out, or to reach."""
    effect = case.effect
    if case.rates[:, :, case.subject.area].std() < 1e-12:
        return
    # Without memories the lagged frames are all that a design knows of the past.
    alone = not any(one.memory for one in map_inputs(case.design))
    # The offset's own map tells the network nothing that the forecast lacks without it.
    more = any(one.kind != "offset" for one in map_inputs(case.design))
    for name in ("history", "maps", "calendar"):
        if name == "calendar" and not _calendar_helps(case):
            continue
        if name in effect and effect[name] < IGNORED:
            if name == "maps" and not more:
                continue
            if name == "history" and not _given_frames(case):
                continue
            severe = "high" if name == "maps" or (name == "history" and alone) else "low"
            yield Finding(
                "ignored_input", None, severe, {"input": name, "change": effect[name]},
                f"The network doesn't use its {name}: it answers the same without.",
            )  # fmt: skip
    lags = {n: e for n, e in effect.items() if n.startswith("lag ")}
    # Beside the lag that matters most: a network that corrects little does so for every lag.
    silent = [n for n, e in lags.items() if MASKED <= e < min(IGNORED, FAINT * max(lags.values()))]
    if alone and silent and len(silent) < len(lags) and effect["history"] >= IGNORED:
        kept = [lag for lag in case.design.lags if f"lag {lag}" not in silent]
        share = len(silent) / len(lags)
        # One that is nearer than others that are used is shut off rather than of no use.
        between = next(iter(lags)) in silent
        little = case.design.offset != "none"  # most of what is known of the past comes another way
        most = share >= 0.5 and not little
        yield Finding(
            "ignored_input", None, "high" if most else "medium" if share > 0.25 or (between and not little) else "low",
            {"input": silent, "largest_change": max(effect[n] for n in silent)},
            f"The network doesn't use {', '.join(silent)}: take them out, or let a layer reach them.",
            {"lags": kept} if case.is_spec and not any(n.kind == "select" for n in case.nodes) else {},
        )  # fmt: skip


def _given_frames(case: Case) -> bool:
    """Whether lagged frames reach any layer of a design: one that reads its past as memories alone has none to ignore."""
    layers = case.design.layers
    named = {name for layer in layers for name in layer.inputs}
    return not case.is_spec or not layers[0].inputs or not named.isdisjoint((FRAMES, HISTORY))


def _calendar_helps(case: Case) -> bool:
    """Whether the forecast is off by hour or weekday in the same way at the end of the training period and
    after it."""
    cube, area = case.subject.cube, case.subject.area
    first, last = case.end_of_training
    if cube.step.days > 1 or last - first < 28:
        return False
    per_day = max(1, round(1 / cube.step.days))

    def kinds(times: np.ndarray) -> np.ndarray:
        hours = times.astype("datetime64[h]").astype(int)
        return (hours // 24 + 3) % 7 if per_day == 1 else hours % 24

    known, told = cube.counts[first:last][..., area], case.forecast(first, last)[..., area]
    then, now = kinds(cube.times[first:last]), kinds(cube.times[slice(*case.period)])
    counts, rates = case.counts[..., area].astype(np.float64), case.rates[..., area]
    whole = known.sum() / max(told.sum(), 1e-9)
    factor = np.ones(len(now))
    for kind in np.unique(now):
        own = then == kind
        if own.any():
            factor[now == kind] = max(known[own].sum(), 1.0) / max(told[own].sum(), 1e-9) / whole
    better = rates * factor[:, None, None]
    better = better * rates.sum() / better.sum()
    gained = log_likelihood(counts, better) - log_likelihood(counts, rates)
    return bool(gained.sum() / max(counts.sum(), 1.0) > HELPS)
