"""How weights move: groups with their decay, the rate's schedule, precision, and averaged weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

WARM_UP = 0.1  # share of all updates over which the learning rate rises


class AdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019, ICLR) with a step that also clips the gradients.

    For a small network PyTorch's own clipping and step spend ten times as long in Python as in
    arithmetic. This one hands all parameters to the same fused kernel at once, which divides the
    gradients by what clipping asks for on its way.
    """

    # Torch keeps its compiler away from these, and for that loads it, which takes two seconds: as they are
    # within, since nothing around them is compiled.
    add_param_group = torch.optim.Optimizer.add_param_group.__wrapped__  # type: ignore[attr-defined]
    zero_grad = torch.optim.Optimizer.zero_grad.__wrapped__  # type: ignore[attr-defined]
    state_dict = torch.optim.Optimizer.state_dict.__wrapped__  # type: ignore[attr-defined]
    load_state_dict = torch.optim.Optimizer.load_state_dict.__wrapped__  # type: ignore[attr-defined]

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float) -> None:
        groups = parameter_groups(network, weight_decay)
        super().__init__(groups, lr=learning_rate, fused=True)

    @torch.no_grad()
    def clipped_step(self, limit: float) -> Tensor:
        """Move the parameters by gradients of norm `limit` at most; returns the norm that they had."""
        moved = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
        # Of complex weights the two parts, as PyTorch's own step has it.
        slopes = [[_real(p.grad) for p in params] for params in moved]
        gradients = [slope for group in slopes for slope in group]
        if not gradients:
            return torch.zeros(())
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        too_long = ((norm + 1e-6) / limit).clamp_(min=1.0).float()
        for group, params, own in zip(self.param_groups, moved, slopes, strict=True):
            if not params:
                continue
            states = [self.state[p] or self._begun(p) for p in params]
            counters = [state["step"] for state in states]
            torch._foreach_add_(counters, 1)
            torch._fused_adamw_(
                [_real(p) for p in params],
                own,
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                counters,
                lr=group["lr"], beta1=group["betas"][0], beta2=group["betas"][1],
                weight_decay=group["weight_decay"], eps=group["eps"],
                amsgrad=False, maximize=False, grad_scale=too_long, found_inf=None,
            )  # fmt: skip
        return norm

    def _begun(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What PyTorch's step keeps of a parameter that it moves for the first time."""
        self.state[parameter] |= {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(_real(parameter)),
            "exp_avg_sq": torch.zeros_like(_real(parameter)),
        }
        return self.state[parameter]


def _real(values: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones, in the same memory; others as they are."""
    return torch.view_as_real(values) if values.is_complex() else values


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters by their weight decay: layers may have one of their own, a likelihood has none; and
    by their type, since a kernel takes one type at a time."""
    groups: dict[tuple[float, torch.dtype], list[nn.Parameter]] = {}
    known: set[nn.Parameter] = set()  # weights that two layers share are moved once
    for name, module in network.named_modules():
        decay = 0.0 if name == "likelihood" else getattr(module, "weight_decay", weight_decay)
        own = [p for p in module.parameters(recurse=False) if p not in known]
        known.update(own)
        for parameter in own:
            groups.setdefault((decay, parameter.dtype), []).append(parameter)
    return [{"params": p, "weight_decay": decay} for (decay, _), p in groups.items()]


def schedule(update: int, updates: int) -> float:
    """Factor of the learning rate: a linear rise (Goyal et al. 2017, arXiv 1706.02677), then half a cosine
    (Loshchilov & Hutter 2017, ICLR) down to one hundredth.

    >>> schedule(0, 100), schedule(10, 100), round(schedule(99, 100), 3)
    (0.1, 1.0, 0.01)
    """
    rise = max(1, int(WARM_UP * updates))
    if update < rise:
        return (update + 1) / rise
    return 0.01 + 0.99 * 0.5 * (
        1 + math.cos(math.pi * min(1.0, (update - rise) / max(1, updates - rise)))
    )


def mixed_precision(device: torch.device, deterministic: bool = False) -> torch.autocast:
    """bfloat16 for products where the device has it in hardware; weights and loss stay float32. A
    deterministic run does without, so that its arithmetic is the same on every processor."""
    if deterministic:
        fast = False
    elif device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        able = torch.cpu.get_capabilities()
        fast = bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


class Average:
    """A moving average of the weights, which is judged and kept in their stead (Polyak 1992).

    a ← d a + (1 − d) w after each step, with d = min(decay, (1 + t) / (10 + t)) so that the start is
    soon forgotten. With a decay of zero the weights themselves are judged.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.live = list(network.parameters())
        self.kept = [p.detach().clone() for p in self.live] if decay else []

    def update(self) -> None:
        """After a step of the optimiser."""
        if self.kept:
            decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
            torch._foreach_lerp_(self.kept, [p.detach() for p in self.live], 1 - decay)
            self.updates += 1

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Inside the block the network has the averaged weights."""
        own = [p.detach().clone() for p in self.live] if self.kept else []
        self._put(self.kept)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self.live, values, strict=False):
            parameter.copy_(value)

    def state(self) -> dict[str, Tensor]:
        """To be stored with a checkpoint."""
        made = {f"average.{i}": value for i, value in enumerate(self.kept)}
        return made | {"average.updates": torch.tensor(self.updates)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Put a stored state back."""
        for i, value in enumerate(self.kept):
            value.copy_(tensors[f"average.{i}"])
        self.updates = int(tensors.get("average.updates", torch.tensor(0)))
