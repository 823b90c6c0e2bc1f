"""What must hold of a network as a whole: it repeats itself, keeps the samples of a batch apart, doesn't remember,
trains as it forecasts, and has the gradient of its forecast."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.parametrize import ParametrizationList

from crimecast.inspect.replaying import Check, alike
from crimecast.inspect.trial import Trial, copy_of


def whole_network(trial: Trial) -> list[Check]:
    """What must hold of the whole of it."""
    tries: list[tuple[str, Callable[[Trial], str]]] = [
        ("repeats", _repeats), ("batch", _batch), ("order", _order),
        ("modes", _modes), ("gradient", _gradient),
    ]  # fmt: skip
    checks = []
    for name, attempt in tries:
        try:
            why = attempt(trial)
        except Exception as error:
            why = f"it couldn't be tried ({type(error).__name__})"
        checks.append(Check(name, None, not why, why))
    return checks


def _steady(trial: Trial) -> bool:
    """Whether two passes over one sample agree, with none of another between them."""
    if trial.again:
        return True
    one = trial.draw(1)
    return alike(trial.run(*one), trial.run(*one), trial.close)


def _begins_alike(trial: Trial) -> bool:
    """Whether a network that was never run forecasts a sample as one that was given another first."""
    first = trial.fresh and copy_of(trial.fresh)
    if first is None or trial.fresh is None:
        return True
    one, other = ([x.float() for x in trial.draw(number)] for number in (1, 2))
    with torch.no_grad():
        first.eval()(*other)
        return alike(first(*one).clone(), trial.fresh.eval()(*one), 1e-4)


def _repeats(trial: Trial) -> str:
    return "" if _steady(trial) else "two passes over the same inputs differ"


def _batch(trial: Trial) -> str:
    return "" if trial.of_batch else "a sample's forecast depends on the others of its batch"


def _order(trial: Trial) -> str:
    if trial.again and not trial.heavy and not _begins_alike(trial):
        return "what it forecasts depends on what it was given first"
    return "" if trial.again else "what it forecasts depends on what it forecast before"


def _modes(trial: Trial) -> str:
    one, before = trial.draw(1), trial.alone[0]
    try:
        trial.network.train()
        for module in trial.network.modules():
            if isinstance(
                module,
                # Attention drops weights by itself.
                _BatchNorm | _DropoutNd | nn.RReLU | ParametrizationList | nn.MultiheadAttention,
            ):
                module.eval()
                for part in module.modules():
                    part.training = False
        after = trial.run(*one)
    finally:
        trial.network.eval()
    same = alike(after, before, trial.close)
    return "" if same else "while it trains it gives something else, beyond dropout and norms"


def _gradient(trial: Trial) -> str:
    made = torch.Generator().manual_seed(5)
    history, calendar, static = trial.draw(1)
    ways = [torch.randn(x.shape, generator=made, dtype=trial.type) for x in (history, static)]
    inputs, out = trial.differentiable
    weigh = torch.randn(out.shape, generator=made, dtype=trial.type)
    with torch.enable_grad():
        slopes = torch.autograd.grad((out * weigh).sum(), inputs, allow_unused=True)
    del trial.differentiable  # and all that it holds
    told = sum(float((s * w).sum()) for s, w in zip(slopes, ways, strict=True) if s is not None)
    size = sum(
        float(s.norm() * w.norm()) for s, w in zip(slopes, ways, strict=True) if s is not None
    )
    found = 0.0

    def change(step: float) -> float:
        ends = [
            float((trial.run(history + t * ways[0], calendar, static + t * ways[1]) * weigh).sum())
            for t in (step, -step)
        ]
        return (ends[0] - ends[1]) / (2 * step)

    # The smallest step is the best, unless single precision is written into the network.
    steps = ((1e-6, 1e-3), (1e-4, 2e-2), (1e-3, 5e-2), (1e-2, 5e-2))
    for step, room in steps[2:] if trial.type == torch.float32 else steps:
        found = change(step)
        allowed = room * (abs(found) + 0.01 * size) + 1e-9
        if abs(told - found) <= allowed:
            return ""
        # Half the step says the same: it is no want of precision.
        if abs(change(step / 2) - found) <= allowed / 10:
            break
    return f"the gradient says {told:.4g} where the forecast changes by {found:.4g}"
