"""Too little learnt: it stopped while it still improved, or no activation bends what it computes (medium: one linear
map knows most of what there is to know).

Improving counts from 0.2 % of the validation loss in the last epoch, high from 1 %, and only if the
forecast is below the mixture of memories; and at any pace, high, if the forecast is still no better than
one rate for all cells and steps after three epochs or fewer. Whether a user's module bends is asked of the network: with
the output of its first convolution halfway between two, is the log rate halfway too?
"""

from collections.abc import Iterator

import numpy as np
import torch

from crimecast.diagnose.case import Case, computes
from crimecast.diagnose.finding import Finding
from crimecast.inspect.intervention import changed
from crimecast.judging.scoring import compare

GAINED, MUCH = 0.002, 0.01
SHORT = 3
BENDING = ("convlstm", "convgru", "lag_attention", "squeeze", "norm")


def judge(case: Case) -> Iterator[Finding]:
    """One linear map, or a training that ended early."""
    convolutions = [n.name for n in case.nodes if computes(n.kind)]
    if len(convolutions) > 2 - case.is_spec and not _bends(case, convolutions[0]):
        names = [n for n in convolutions if "activation" in case.options(n)]
        yield Finding(
            "underfit", convolutions[0], "medium", {"activations": 0, "convolutions": len(convolutions)},
            "No layer has an activation, so the whole network is one linear map: give its convolutions gelu.",
            {f"layer.{name}.activation": "gelu" for name in names},
        )  # fmt: skip
        return
    losses = [e["validation_loss"] for e in case.history if e["validation_loss"]]
    behind = compare(case.sums(case.rates), case.sums(case.baseline))
    if len(losses) < 2 or behind["interval"][1] >= 0:
        return
    last = (losses[-2] - losses[-1]) / abs(losses[-1])
    hardly = len(losses) <= SHORT and case.skill < 0.1 and last > 0
    if int(np.argmin(losses)) == len(losses) - 1 and (last > GAINED or hardly):
        yield Finding(
            "underfit", None, "high" if last > MUCH or hardly else "medium",
            {"last_epoch_gained": round(last, 5), "epochs": len(losses), "below_baseline": behind["difference"]},
            f"It was still improving when it stopped after {len(losses)} epochs: train longer, or faster.",
            {"training.epochs": case.longer, "training.learning_rate": min(5e-3, 3 * case.design.training.learning_rate)},
        )  # fmt: skip


def _bends(case: Case, first: str) -> bool:
    if case.is_spec:
        return any(
            case.options(n.name).get("activation", "none") != "none" or n.kind in BENDING
            for n in case.nodes
        )
    one, other = (case.subject.batch([step]) for step in case.subject.probes(2)[:2])
    ends = [case.outputs_of(batch, [first])[first] for batch in (one, other)]
    inputs = (one.history, one.calendar, one.static)
    rates = []
    for value in (ends[0], ends[1], (ends[0] + ends[1]) / 2):
        with torch.no_grad(), changed(case.subject, first, None, value):
            rates.append(case.subject.network(*inputs)[..., case.mask])
    low, high, middle = rates
    bend = (middle - (low + high) / 2).abs().max()
    return bool(bend > 1e-4 * (high - low).abs().max())
