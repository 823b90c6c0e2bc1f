"""Operations over the map: convolutions, pools, sampling, recurrent layers."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from crimecast.networks.rules.masks import Asked, Given, full, shape_of, support_of, together
from crimecast.networks.rules.moving import moved
from crimecast.networks.taped import Op, Ref


def convolved(op: Op, asked: Asked) -> Given:
    """A convolution, transposed or not, in groups."""
    source, weight, bias, stride, pad, dilation, transposed, extra, groups = op.args[:9]
    mask = together(asked)
    found: Given = []
    if isinstance(source, Ref):
        dims = len(source.shape) - 2
        batch, channels = source.shape[:2]
        shared = mask.unflatten(1, (groups, -1)).any(2).flatten(0, 1)[:, None].float()
        kernel = torch.ones(1, 1, *shape_of(weight)[2:])
        own = support_of(weight)
        if own is not None:
            kernel = own.flatten(0, 1).any(0).float()[None, None]
        part = _gradient(
            lambda x: torch.ops.aten.convolution(
                x, kernel, None, list(stride), list(pad), list(dilation), transposed, list(extra), 1
            ),
            (batch * groups, 1, *source.shape[2:]),
            shared,
        )
        part = part.unflatten(0, (batch, groups))
        wide = part.expand(batch, groups, channels // groups, *([-1] * dims))
        found.append((source, wide.reshape(source.shape)))
    for other in (weight, bias):
        if isinstance(other, Ref):
            found.append((other, mask.any().expand(other.shape)))
    return found


def _gradient(func: Callable[[Tensor], Tensor], shape: tuple[int, ...], mask: Tensor) -> Tensor:
    with torch.enable_grad():
        x = torch.zeros(shape, requires_grad=True)
        (gradient,) = torch.autograd.grad(func(x), x, mask)
    return gradient > 0


def highest(op: Op, asked: Asked) -> Given:
    """The highest of each window: any of it."""
    (ref,), mask = op.inputs, together(asked)
    dims = len(op.argument("kernel_size"))
    kernel = op.argument("kernel_size")
    stride = op.argument("stride") or kernel
    pad, dilation = op.argument("padding"), op.argument("dilation")

    def of(values: Any, axis: int) -> int:
        return int(values[axis] if len(values) > 1 else values[0])

    steps = [of(stride, a) for a in range(dims)]
    spans = [of(dilation, a) * (of(kernel, a) - 1) + 1 for a in range(dims)]
    sizes, outs = ref.shape[-dims:], mask.shape[-dims:]
    # Enough room at the end for windows that are only partly filled.
    ends = [
        max(0, (o - 1) * s + k - n - of(pad, a))
        for a, (o, s, k, n) in enumerate(zip(outs, steps, spans, sizes, strict=True))
    ]
    room = [p for a in reversed(range(dims)) for p in (of(pad, a), ends[a])]
    window = torch.ones(1, 1, *(of(kernel, a) for a in range(dims)))
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[dims - 1]

    def over(x: Tensor) -> Tensor:
        made = convolve(
            functional.pad(x, room), window, stride=steps,
            dilation=[of(dilation, a) for a in range(dims)],
        )  # fmt: skip
        for axis, out in enumerate(outs):
            made = made.narrow(axis - dims, 0, out)
        return made

    count = math.prod(ref.shape[:-dims])
    part = _gradient(over, (count, 1, *sizes), mask.reshape(count, 1, *outs).float())
    return [(ref, part.reshape(ref.shape))]


def adaptive(op: Op, asked: Asked) -> Given:
    """Pools of a given output size."""
    (ref,), mask = op.inputs, together(asked)
    size = list(op.argument("output_size"))
    pool: Any = {2: functional.adaptive_avg_pool2d, 3: functional.adaptive_avg_pool3d}[len(size)]
    return [(ref, _gradient(lambda x: pool(x, size), ref.shape, mask.float()))]


def sampled(op: Op, asked: Asked) -> Given | None:
    """Sampled at places: known if the places are."""
    return None if isinstance(op.argument("grid"), Ref) else moved(op, asked)


def recurrent(op: Op, asked: Asked) -> Given:
    """(T, N, C): each of N by itself, each step from those before it (or after it)."""
    source = op.args[0]
    asks = torch.zeros(source.shape[:2], dtype=torch.bool)
    if asked[0] is not None:
        asks |= asked[0].any(-1)
    last = 0 if op.argument("reverse") else -1
    for mask in asked[1:]:  # final states (N, H) or (1, N, H), each of its own sequence's last step
        if mask is not None and mask.dim() > 1 and mask.shape[-2] == asks.shape[1]:
            asks[last] |= mask.any(-1).reshape(-1, asks.shape[1]).any(0)
        elif mask is not None and mask.any():
            asks |= True
    order = (lambda x: x) if op.argument("reverse") else (lambda x: x.flip(0))
    seen = order(order(asks).cumsum(0) > 0)
    found = [(source, seen[..., None].expand(source.shape))]
    found += [(ref, full(ref)) for ref in op.inputs if ref is not source]
    return found
