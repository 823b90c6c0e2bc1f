"""Counts that scatter less around the forecast than chance allows: it must know them already.

Events that are independent given an honest forecast scatter with a dispersion of 1 or more; counts
below 0.8. So does a covariate that is correlated by 0.5 with what the baseline did not explain.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

TOO_GOOD = 0.8
ALIKE = 0.5


def judge(case: Case) -> Iterator[Finding]:
    """An input that holds what it is to forecast."""
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
    if dispersion < TOO_GOOD or like > ALIKE:
        yield Finding(
            "leakage", layer if like > ALIKE else None, "high", {"dispersion": dispersion, "correlation": like},
            "The forecast is better than chance allows: an input holds what it is to forecast. "
            + (f"Look at the map {layer}." if layer else "Look at inputs that come from outside."),
            {"static": [s for s in case.design.static if s != layer]} if layer and case.is_spec else {},
        )  # fmt: skip
