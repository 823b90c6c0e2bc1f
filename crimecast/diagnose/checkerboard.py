"""A pattern of two cells that strides leave: power at that period over that of the frequencies beside.

Counts from four times, after a transposed convolution whose kernel its stride does not divide
(Odena, Dumoulin & Olah 2016, Distill: "Deconvolution and checkerboard artifacts").
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

PATTERN = 4.0


def judge(case: Case) -> Iterator[Finding]:
    """Upsampling that shows in the maps."""
    strides = [n for n in case.nodes if n.kind.startswith("ConvTranspose")]
    for node in strides:
        module = case.subject.layers[node.name]
        kernel, stride = module.kernel_size[-1], module.stride[-1]  # type: ignore[index]
        outputs = case.outputs([node.name])[node.name]
        ratio = period_two(outputs)
        if kernel % stride and ratio > PATTERN:
            yield Finding(
                "checkerboard", node.name, "medium", {"kernel": kernel, "stride": stride, "power_ratio": ratio},
                f"{node.name} has a kernel of {kernel} and a stride of {stride}, which don't divide evenly, and its maps show the pattern: upsample, then convolve.",
            )  # fmt: skip
    if not strides and any(n.kind in ("upsample", "pool", "Upsample") for n in case.nodes):
        last = case.nodes[-1].name
        if (ratio := period_two(case.outputs([last])[last])) > 2 * PATTERN:
            yield Finding(
                "checkerboard", last, "low", {"power_ratio": ratio},
                "The forecast has a pattern of two cells that pooling left: smooth after upsampling.",
            )  # fmt: skip


def period_two(maps: np.ndarray) -> float:
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
