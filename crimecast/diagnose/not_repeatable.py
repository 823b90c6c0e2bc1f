"""A forecast that isn't the same twice: something draws anew at every pass, as dropout that stays on.

Low when two passes over the same inputs differ by more than a thousandth of the log rate (root mean square over cells
and probe steps), medium from a hundredth, high from a twentieth.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn.modules.dropout import _DropoutNd

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

DIFFERS, SOME, MUCH = 1e-3, 1e-2, 5e-2
PASSES = 8


def judge(case: Case) -> Iterator[Finding]:
    """Where what is drawn anew comes in, and by how much the forecast differs for it."""
    batch = case.subject.batch(case.subject.probes(4))
    names = [node.name for node in case.nodes]
    with torch.no_grad():
        one, other = (case.outputs_of(batch, names) for _ in range(2))
        rates = [case.subject.log_rate(batch)[..., case.mask] for _ in range(2)]
    differs = float((rates[0] - rates[1]).pow(2).mean().sqrt())
    if differs < DIFFERS:
        return
    first = next((n for n in names if n in one and not torch.equal(one[n], other[n])), None)
    on = [
        n
        for n, m in case.subject.network.named_modules()
        if isinstance(m, _DropoutNd) and m.training
    ]
    why = (
        f"{on[0]} stays on while it forecasts"
        if on
        else "something draws anew at every pass, such as a dropout that is always on"
    )
    yield Finding(
        "not_repeatable", first, "high" if differs > MUCH else "medium" if differs > SOME else "low", {"differs": differs},
        f"Two forecasts of the same step differ: {why}. Give functional.dropout `training=self.training`, or seed what is drawn.",
    )  # fmt: skip


def mended(case: Case, finding: Finding) -> np.ndarray:
    """(T, C, H, W) the mean of several forecasts."""
    return np.mean([case.forecast(*case.period) for _ in range(PASSES)], axis=0)
