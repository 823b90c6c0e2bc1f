"""How training went: gradients that vanish or explode, a loss that is unsteady, too little learnt, or
too much."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from crimecast.diagnose.finding import Case, Finding, computes
from crimecast.scoring import compare

VANISHED = 1e-4  # of the largest layer's gradient (rms of a weight) reaches a layer
EXPLODED = 50.0  # gradient norm before it is clipped
SPIKE = 0.05  # relative rise of an epoch's training loss over the one before
GAP = 0.02  # relative distance of the validation loss from its best, while training falls


def vanishing_gradients(case: Case) -> Iterator[Finding]:
    """Layers that are reached by next to none of the gradient."""
    # Gates and conditioning start at nothing and may stay near it: only what computes is judged.
    own = {
        n: g
        for n, g in case.gradients.items()
        if computes(case.kind(n)) or n == case.nodes[-1].name
    }
    top = max(own.values(), default=0.0)
    if len(own) < 3 or top <= 0:
        return
    weak = [n for n, g in own.items() if g < VANISHED * top]
    if weak and list(own)[-1] not in weak:
        yield Finding(
            "vanishing_gradients", weak[0], "high",
            {"gradient": own[weak[0]], "largest": top, "layers": weak},
            f"{weak[0]} gets {own[weak[0]] / top:.0e} of the largest gradient: add skip connections or normalisation, or use gelu in place of bounded activations.",
            _gelu(case),
        )  # fmt: skip


def exploding_gradients(case: Case) -> Iterator[Finding]:
    """Gradient norms that are far above what they are clipped to."""
    norms = [
        point[2] for e in case.history for point in e.get("curve", []) if np.isfinite(point[2])
    ]
    if norms and float(np.median(norms)) > EXPLODED:
        layer = max(case.gradients, key=lambda n: case.gradients[n], default=None)
        yield Finding(
            "exploding_gradients", layer, "high",
            {"median_norm": float(np.median(norms)), "clip": case.design.training.clip},
            "Gradients are many times what they are clipped to: lower the learning rate, normalise, or start with smaller weights.",
            {"training.learning_rate": case.design.training.learning_rate / 10},
        )  # fmt: skip


def unstable_loss(case: Case) -> Iterator[Finding]:
    """A training loss that jumps up between epochs, or within them."""
    losses = [e["training_loss"] for e in case.history]
    size = abs(losses[0] - min(losses)) + 0.02 * abs(min(losses)) + 1e-9 if losses else 1.0
    rises = [b - a for a, b in pairwise(losses)]
    jump = max(rises, default=0.0) / size
    points = np.array([p[1] for e in case.history for p in e.get("curve", [])])
    spikes = 0
    if len(points) > 10:
        middle = np.median(points[len(points) // 5 :])
        spread = np.median(np.abs(points[len(points) // 5 :] - middle)) + 1e-9
        spikes = int((points[len(points) // 5 :] > middle + 12 * spread).sum())
    if jump > 0.2 or spikes >= 2:
        yield Finding(
            "unstable_loss", None, "high" if jump > 0.5 or spikes >= 4 else "medium",
            {"largest_rise": float(max(rises, default=0.0)), "spikes": spikes, "learning_rate": case.design.training.learning_rate},
            "The loss jumps up while training: lower the learning rate to a tenth, or take larger batches.",
            {"training.learning_rate": case.design.training.learning_rate / 10},
        )  # fmt: skip


def overfit(case: Case) -> Iterator[Finding]:
    """Validation loss rises while training loss falls."""
    losses = [
        (e["training_loss"], e["validation_loss"]) for e in case.history if e["validation_loss"]
    ]
    if len(losses) < 3:
        return
    validation = [v for _, v in losses]
    best = int(np.argmin(validation))
    worse = (validation[-1] - validation[best]) / abs(validation[best])
    learnt = (losses[best][0] - losses[-1][0]) / abs(losses[best][0])
    if worse > GAP and learnt > GAP / 2 and best < len(losses) - 1:
        yield Finding(
            "overfit", None, "high" if worse > 3 * GAP else "medium",
            {"best_epoch": best + 1, "epochs": len(losses), "validation_worse": round(worse, 4), "training_better": round(learnt, 4)},
            f"From epoch {best + 1} on it learns the training period by heart: more data, a smaller network, dropout or more weight decay.",
            {"training.weight_decay": max(0.1, 10 * case.design.training.weight_decay)},
        )  # fmt: skip


def underfit(case: Case) -> Iterator[Finding]:
    """Stopped while it was still learning, or unable to: no activation bends what it computes."""
    losses = [e["validation_loss"] for e in case.history if e["validation_loss"]]
    behind = compare(case.sums(case.rates), case.sums(case.baseline))
    if case.is_spec and not _bends(case):
        convs = [n.name for n in case.nodes if n.kind in ("conv", "separable")]
        if len(convs) > 1:
            yield Finding(
                "underfit", convs[0], "high", {"activations": 0, "convolutions": len(convs)},
                "No layer has an activation, so the whole network is one linear map: give its convolutions gelu.",
                {f"layer.{name}.activation": "gelu" for name in convs},
            )  # fmt: skip
            return
    if len(losses) < 2 or behind["interval"][1] >= 0:
        return
    last = (losses[-2] - losses[-1]) / abs(losses[-1])
    if int(np.argmin(losses)) == len(losses) - 1 and last > 0.002:
        yield Finding(
            "underfit", None, "high" if last > 0.01 else "medium",
            {"last_epoch_gained": round(last, 5), "epochs": len(losses), "below_baseline": behind["difference"]},
            f"It was still improving when it stopped after {len(losses)} epochs: train longer, or faster.",
            {"training.epochs": 2 * case.design.training.epochs, "training.learning_rate": min(5e-3, 3 * case.design.training.learning_rate)},
        )  # fmt: skip


def _bends(case: Case) -> bool:
    for node in case.nodes:
        if case.options(node.name).get("activation", "none") != "none":
            return True
        if node.kind in ("convlstm", "convgru", "lag_attention", "squeeze", "norm"):
            return True
    return False


def _gelu(case: Case) -> dict[str, object]:
    return {
        f"layer.{n.name}.activation": "gelu"
        for n in case.nodes
        if case.options(n.name).get("activation") in ("sigmoid", "tanh")
    }
