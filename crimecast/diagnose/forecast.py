"""What the forecast is like: beaten by a baseline, flat, wrongly sized, patterned, or too good."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import distance_transform_edt

from crimecast.diagnose.finding import Case, Finding
from crimecast.scoring import compare

FLAT = 0.2  # of the baseline's spread over cells
OFF = 0.1  # relative error of the total
WIDE = 1.3  # variance of counts over what the likelihood allows
TOO_GOOD = 0.8  # dispersion of counts around an honest forecast is 1 or more
BORDER = 0.15  # relative error at the border beyond that inside
PATTERN = 4.0  # times the power of the frequencies beside it


def worse_than_baseline(case: Case) -> Iterator[Finding]:
    """Log-likelihood an event below the mixture of memories, on the same weeks."""
    versus = compare(case.sums(case.rates), case.sums(case.baseline))
    if versus["interval"][1] < 0:
        yield Finding(
            "worse_than_baseline", None, "high" if versus["difference"] < -0.02 else "medium",
            {"difference": versus["difference"], "interval": versus["interval"], "baseline": "memory_mixture"},
            "A mixture of memories forecasts better: give the network those memories, and correct the mixture in place of starting from nothing.",
            {} if case.design.offset == "memory_mixture" or not case.is_spec else {"offset": "memory_mixture"},
        )  # fmt: skip


def collapsed_to_mean(case: Case) -> Iterator[Finding]:
    """The forecast hardly differs between cells, or not at all between steps."""
    area = case.subject.area
    own, other = np.log(case.rates[..., area] + 1e-9), np.log(case.baseline[..., area] + 1e-3)
    over_cells = own.mean(axis=0).std() / max(other.mean(axis=0).std(), 1e-9)
    over_steps = own.std(axis=0).mean()
    if over_cells < FLAT or over_steps < 1e-4:
        yield Finding(
            "collapsed_to_mean", None, "high" if over_cells < FLAT / 2 or over_steps < 1e-5 else "medium",
            {"spread_over_cells": float(over_cells), "spread_over_steps": float(over_steps)},
            "The forecast is nearly the same everywhere or always: the loss found no way to use the inputs; lower the learning rate and look for layers that are silent.",
            {"training.learning_rate": case.design.training.learning_rate / 3},
        )  # fmt: skip


def miscalibrated(case: Case) -> Iterator[Finding]:
    """Totals that are off, or counts that scatter more widely than the likelihood allows."""
    area = case.subject.area
    n, rate = case.counts[..., area].astype(np.float64), case.rates[..., area].astype(np.float64)
    ratio = rate.sum() / max(n.sum(), 1.0)
    weekly = np.abs(ratio - 1) * np.sqrt(n.sum())
    if abs(ratio - 1) > OFF and weekly > 4:
        yield Finding(
            "miscalibrated", None, "high" if abs(ratio - 1) > 2 * OFF else "medium",
            {"forecast_over_observed": float(ratio)},
            f"It forecasts {100 * (ratio - 1):+.0f} % of what happens: correct an offset that knows the city's level, such as memory_mixture.",
            {"offset": "memory_mixture"} if case.is_spec and case.design.offset != "memory_mixture" else {},
        )  # fmt: skip
    dispersion = float(((n - rate) ** 2).sum() / rate.sum())
    if case.design.likelihood == "poisson" and dispersion > WIDE and abs(ratio - 1) < OFF:
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


def leakage(case: Case) -> Iterator[Finding]:
    """Counts scatter less around the forecast than chance allows: it must know them already."""
    area = case.subject.area
    n, rate = case.counts[..., area].astype(np.float64), case.rates[..., area].astype(np.float64)
    level = n.sum() / max(rate.sum(), 1e-9)  # a wrong total is another finding
    dispersion = float(((n - level * rate) ** 2).sum() / (level * rate).sum())
    layer, like = None, 0.0
    first = case.subject.samples
    if case.design.static:
        names = case.subject.input_names()[1]
        maps = first.maps[slice(*case.period)].float().numpy()
        rest = (n - case.baseline[..., area]).sum(axis=1).ravel()
        for name in case.design.static:
            own = maps[:, names.index(name)].ravel()
            if own.std() > 0 and (found := abs(float(np.corrcoef(own, rest)[0, 1]))) > like:
                layer, like = name, found
    if dispersion < TOO_GOOD or like > 0.5:
        yield Finding(
            "leakage", layer if like > 0.5 else None, "high", {"dispersion": dispersion, "correlation": like},
            "The forecast is better than chance allows: an input holds what it is to forecast. "
            + (f"Look at the map {layer}." if layer else "Look at inputs that come from outside."),
            {"static": [s for s in case.design.static if s != layer]} if layer and case.is_spec else {},
        )  # fmt: skip


def border_artifact(case: Case) -> Iterator[Finding]:
    """Forecasts that are off at the edge of the map or of the city, and right inside."""
    area = case.subject.area
    depth = distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
    edge, inside = area & (depth <= 2), area & (depth > 3)
    if edge.sum() < 10 or inside.sum() < 10:
        return
    own = [
        float(case.rates[..., m].sum() / max(case.counts[..., m].sum(), 1.0))
        for m in (edge, inside)
    ]
    base = [
        float(case.baseline[..., m].sum() / max(case.counts[..., m].sum(), 1.0))
        for m in (edge, inside)
    ]
    off = np.log(own[0] / own[1]) - np.log(base[0] / base[1])
    error = 1 / np.sqrt(max(case.counts[..., edge].sum(), 1.0))
    if abs(off) > BORDER and abs(off) > 4 * error:
        yield Finding(
            "border_artifact", None, "medium", {"edge": own[0], "inside": own[1], "baseline_edge": base[0]},
            f"At the edge of the city it forecasts {100 * np.expm1(off):+.0f} % more than inside, beside what happened: zero padding reaches into it; use smaller kernels, or give it a position.",
            {"position": 2} if case.is_spec and case.design.position == 0 else {},
        )  # fmt: skip


def checkerboard(case: Case) -> Iterator[Finding]:
    """Power at a period of two cells, above that of the frequencies beside it, in what was added."""
    strides = [n for n in case.nodes if n.kind.startswith("ConvTranspose")]
    for node in strides:
        module = case.subject.layers[node.name]
        kernel, stride = module.kernel_size[-1], module.stride[-1]  # type: ignore[index]
        outputs = case.outputs([node.name])[node.name]
        ratio = _period_two(outputs)
        if kernel % stride and ratio > PATTERN:
            yield Finding(
                "checkerboard", node.name, "medium", {"kernel": kernel, "stride": stride, "power_ratio": ratio},
                f"{node.name} has a kernel of {kernel} and a stride of {stride}, which don't divide evenly, and its maps show the pattern: upsample, then convolve.",
            )  # fmt: skip
    if not strides and any(n.kind in ("upsample", "pool", "Upsample") for n in case.nodes):
        last = case.nodes[-1].name
        if (ratio := _period_two(case.outputs([last])[last])) > 2 * PATTERN:
            yield Finding(
                "checkerboard", last, "low", {"power_ratio": ratio},
                "The forecast has a pattern of two cells that pooling left: smooth after upsampling.",
            )  # fmt: skip


def _period_two(maps: np.ndarray) -> float:
    """Power of maps (…, H, W) at a period of two cells along rows or columns, over that beside it."""
    flat = maps.reshape(-1, *maps.shape[-2:]).astype(np.float64)
    flat = flat[:, : flat.shape[1] // 2 * 2, : flat.shape[2] // 2 * 2]
    flat = flat - flat.mean(axis=(1, 2), keepdims=True)
    ratios = []
    for axis in (1, 2):
        power = (np.abs(np.fft.rfft(flat, axis=axis)) ** 2).mean(axis=(0, 3 - axis))
        near = np.median(power[len(power) * 3 // 4 : -1]) + 1e-12
        ratios.append(power[-1] / near)
    return float(max(ratios))
