"""What a network has to keep to be trained: shapes, rates, gradients, samples apart, the same twice."""

import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from crimecast import UserError
from crimecast.designs.build import line_of
from crimecast.training.optimising import mixed_precision
from crimecast.training.samples import Batch, log_rate, loss_of

# What gives nothing below zero, as the last thing that a network does.
RATES = {
    "exp": "an exponential", "softplus": "a softplus", "relu": "a ReLU", "sigmoid": "a sigmoid",
    "abs": "an absolute value", "square": "a square", "_softmax": "a softmax", "exp2": "an exponential",
}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What was seen of a module that keeps to the contract: what to point out about it, and whether its
    products can be in half precision."""

    warnings: tuple[str, ...] = ()
    half: bool = True


def check(
    network: nn.Module, batch: Batch, mask: Tensor, module: str, device: str = "cpu",
    deterministic: bool = False,
) -> Kept:  # fmt: skip
    """Try a network on a batch. `module` is `FILE.py:Class`, whose lines are named.

    Raises UserError in one sentence where it breaks the contract.
    """
    trial = _Trial(network.to(device), batch, mask.to(device), module, device)
    if not any(p.requires_grad for p in network.parameters()):
        frozen = any(True for _ in network.parameters())
        why = ": none of them asks for a gradient (requires_grad)" if frozen else ""
        raise UserError(f"{trial.name} has no weights to learn{why}.")
    random = trial.repeats()
    if not random:
        trial.apart()
    half = trial.learns(deterministic)
    warnings = []
    if random:
        warnings.append(
            f"{trial.name} draws random numbers when it forecasts (dropout that stays on?), so its forecasts don't repeat."
        )
    if rate := _ends_in(network, batch, device):
        warnings.append(
            f"{trial.name} ends in {rate}, which gives nothing below zero: return the logarithm of the rate, not the rate."
        )
    elif trial.never_below_zero():
        warnings.append(
            f"{trial.name} gave nothing below zero on its first batch, where logarithms of rates are asked for: if it ends in a rate, return its logarithm."
        )
    return Kept(tuple(warnings), half)


class _Trial:
    def __init__(
        self, network: nn.Module, batch: Batch, mask: Tensor, module: str, device: str
    ) -> None:
        self.network, self.mask, self.device = network, mask, device
        self.file, _, self.name = module.rpartition(":")
        self.batch = Batch(**{key: value.to(device) for key, value in vars(batch).items()})

    def forecast(self, batch: Batch) -> Tensor:
        """What it returns, checked. Raises UserError for anything but a log rate."""
        lines: list[int] = []
        given = {"history": batch.history, "calendar": batch.calendar, "static": batch.static}
        own = {name: x.clone() for name, x in given.items()}
        with torch.no_grad(), _returning(self.network, lines):
            out = self._told(lambda: self.network(*own.values()))
        for name, x in given.items():
            if not torch.equal(own[name].nan_to_num(), x.nan_to_num()):
                raise UserError(
                    f"{self.name} changes its input `{name}` in place (an operation such as `add_` or `x[…] = …`): change a copy (`{name}.clone()`)."
                )
        where = self._line(lines[-1]) if lines else ""
        asked = tuple(batch.target.shape)
        if not isinstance(out, Tensor):
            what = f"{_article(type(out).__name__)}"
            raise UserError(
                f"{self.name} returned {what}{where}, where a tensor {asked} is asked for."
            )
        if tuple(out.shape) != asked:
            raise UserError(
                f"{self.name} returned {tuple(out.shape)}{where}, where the log rate {asked} is asked for."
            )
        if not out.is_floating_point():
            raise UserError(
                f"{self.name} returned numbers of type {str(out.dtype).removeprefix('torch.')}{where}, where real numbers are asked for."
            )
        if not bool(out.isfinite().all()):
            share = float((~out.isfinite()).float().mean())
            raise UserError(
                f"{self.name} returned values that are no finite numbers ({100 * share:.0f} %){where}."
            )
        return out.float()

    def repeats(self) -> bool:
        """Whether forecasts differ by the random numbers that are drawn. Raises UserError where they
        differ though these are the same."""
        self.network.eval()
        made = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            made.append(self.forecast(self.batch))
        if not _alike(made[0], made[1]):
            raise UserError(
                f"{self.name} doesn't repeat itself: two passes over the same batch gave forecasts up to {_apart(made[0], made[1]):.2g} apart."
            )
        return not _alike(made[0], made[2])

    def apart(self) -> None:
        """Raise UserError where a sample's forecast depends on the others of its batch."""
        whole = self.forecast(self.batch)
        alone = self.forecast(self.batch.first(1))
        order = torch.arange(len(whole)).flip(0).to(self.device)
        turned = self.forecast(
            Batch(**{key: value[order] for key, value in vars(self.batch).items()})
        )
        for other, own in ((alone, whole[:1]), (turned, whole[order])):
            if not _alike(other, own):
                raise UserError(
                    f"{self.name} mixes the samples of a batch: the same sample's forecast is up to {_apart(other, own):.2g} apart in another batch."
                )

    def never_below_zero(self) -> bool:
        """Whether all that it returns is zero or more, and not always the same."""
        self.network.eval()
        made = self.forecast(self.batch)
        return float(made.min()) >= 0 and float(made.max()) > float(made.min())

    def learns(self, deterministic: bool) -> bool:
        """Whether half precision works. Raises UserError where no gradient reaches its weights."""
        try:
            with mixed_precision(torch.device(self.device), deterministic):
                self._gradients()
            return True
        except UserError:
            self._gradients()  # some operations have no half precision
            return False

    def _gradients(self) -> None:
        self.network.train()
        self.network.zero_grad(set_to_none=True)
        rate = self._told(lambda: log_rate(self.network, self.batch))
        loss = loss_of(self.network, rate, self.batch, self.mask)
        if not bool(loss.isfinite()):
            raise UserError(f"The loss of {self.name} is no finite number on its first batch.")
        if not loss.requires_grad:
            raise UserError(
                f"No gradient reaches the weights of {self.name}: what it returns doesn't depend on them, or was detached."
            )
        self._told(loss.backward)
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if not gradients:
            raise UserError(f"No gradient reaches the weights of {self.name}.")
        if not any(bool(g.any()) for g in gradients):
            raise UserError(
                f"The gradient of {self.name} is zero for every weight: something between them and what it returns is shut, such as a ReLU that nothing passes or a factor of 0."
            )
        if not all(bool(g.isfinite().all()) for g in gradients):
            raise UserError(f"The gradient of {self.name} is no finite number on its first batch.")
        self.network.zero_grad(set_to_none=True)

    def _told(self, call: Callable[[], Any]) -> Any:
        """What a call gives; whatever a user's code raises is told in a line."""
        try:
            return call()
        except (UserError, MemoryError):
            raise
        except Exception as error:
            traceback.print_exc()
            first = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else ""
            number = line_of(error, self.file)
            where = self._line(number) if number else ""
            raise UserError(
                f"{self.name} can't be run{where}: {type(error).__name__}{': ' if first else ''}{first}."
            ) from None

    def _line(self, number: int) -> str:
        lines = Path(self.file).read_text(encoding="utf-8", errors="replace").splitlines()
        text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        return f" in line {number} (`{text}`)" if text else f" in line {number}"


class _returning:
    """Notes the line at which a network's forward returns."""

    def __init__(self, network: nn.Module, lines: list[int]) -> None:
        forward = inspect.unwrap(type(network).forward)
        self.code, self.lines = getattr(forward, "__code__", None), lines
        self.before: Any = None

    def __enter__(self) -> None:
        self.before = sys.gettrace()
        if self.before is None and self.code is not None:
            sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _called(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        return self._inside if frame.f_code is self.code else None

    def _inside(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "return":
            self.lines.append(frame.f_lineno)
        return self._inside


def _article(name: str) -> str:
    if name == "NoneType":
        return "nothing"
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def _alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=1e-3 * (1e-3 + float(other.abs().max())))


def _ends_in(network: nn.Module, batch: Batch, device: str) -> str | None:
    """What a network ends in, if that gives rates: the last operation that made what it returned."""
    from crimecast.networks.tape import record

    one = batch.first(1)
    inputs = {"history": one.history, "calendar": one.calendar, "static": one.static}
    try:
        made = record(network, {}, {key: value.to(device) for key, value in inputs.items()})
    except (RuntimeError, TypeError, ValueError):
        return None  # what can't be followed isn't warned of
    wanted = made.output
    for op in reversed(made.ops):
        if wanted is None or not any(ref.storage == wanted.storage for ref in op.outputs):
            continue
        name = op.name.rstrip("_")
        if name in ("clone", "_to_copy", "copy", "clamp", "clamp_min", "nan_to_num"):
            wanted = next(iter(op.inputs), None)
            continue
        if name == "pow" and op.args[1:2] == (2,):
            name = "square"
        return RATES.get(name)
    return None
