"""Operations along axes: sums, the highest, sorting, running sums, Fourier's transform."""

import torch

from crimecast.networks.rules.masks import Asked, Given, together
from crimecast.networks.taped import Op


def _axes(op: Op, dims: int) -> list[int]:
    dim = op.argument("dim", op.argument("axis"))
    several = isinstance(dim, tuple | list)
    if dim is None or (several and not dim) or isinstance(dim, str):
        return list(range(dims))
    return [d % max(dims, 1) for d in (dim if several else (dim,))]


def along(op: Op, asked: Asked) -> Given:
    """Each output element from all elements along some axes, which may be gone from the output."""
    (ref,) = op.inputs[:1]
    axes = [0] if op.name == "msort" else _axes(op, len(ref.shape))
    found = torch.zeros(ref.shape, dtype=torch.bool)
    shut = op.shut.get(0)
    for mask in asked:
        if mask is None:
            continue
        if shut is not None:
            mask = mask & ~shut
        if mask.dim() == len(ref.shape):
            mask = mask.any(axes, keepdim=True) if axes else mask
        else:
            for axis in sorted(axes):
                mask = mask.unsqueeze(axis)
        wide = mask.expand(ref.shape)
        found = found | (wide & ~shut if shut is not None else wide)
    return [(ref, found)]


def running(op: Op, asked: Asked) -> Given:
    """Each from itself and those before it."""
    (ref,) = op.inputs[:1]
    if not ref.shape:
        return [(ref, together(asked))]
    axis = op.argument("dim") % len(ref.shape)
    return [(ref, together(asked).flip(axis).cumsum(axis).flip(axis) > 0)]


def fourier(op: Op, asked: Asked) -> Given:
    """Fourier's transform: all along its axes."""
    (ref,), mask = op.inputs, together(asked)
    axes = [d % len(ref.shape) for d in op.argument("dim")]
    return [(ref, mask.any(axes, keepdim=True).expand(ref.shape))]
