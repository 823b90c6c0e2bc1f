"""Operations that move elements, or sum them with fixed positive weights: views, joins, indices."""

import math
from typing import Any

import torch
from torch import Tensor

from crimecast.networks.rules.masks import Asked, Given, narrowed, shape_of, together
from crimecast.networks.taped import Constant, Op, Ref


def moved(op: Op, asked: Asked) -> Given | None:
    """By the gradient of the operation itself, which is linear in what it moves. None where what it
    reads says what is moved."""
    refs: list[Ref] = []
    stands: list[Tensor] = []

    def stand_in(value: Any) -> Any:
        if isinstance(value, Ref):
            refs.append(value)
            stands.append(torch.zeros(value.shape, requires_grad=True))
            return stands[-1]
        if isinstance(value, Constant):
            return torch.zeros(value.shape) if value.values is None else value.values
        if isinstance(value, tuple):
            return [stand_in(part) for part in value]
        return value

    func = _out_of_place(op)
    try:
        with torch.enable_grad():
            kwargs = {k: stand_in(v) for k, v in op.kwargs.items() if k not in _FACTORY}
            made = func(*[stand_in(value) for value in op.args], **kwargs)
            made = [made] if isinstance(made, Tensor) else list(made)
            total = torch.zeros(())
            for out, mask in zip(made, asked, strict=False):
                if mask is not None and out.requires_grad:
                    # Weights at random: what is added with both signs doesn't cancel.
                    total = total + (out * mask * (0.5 + torch.rand(out.shape))).sum()
            if not total.requires_grad:
                return []
            gradients = torch.autograd.grad(total, stands, allow_unused=True)
    except (RuntimeError, IndexError, TypeError):
        return None
    return [(r, g != 0) for r, g in zip(refs, gradients, strict=True) if g is not None]


_FACTORY = {"dtype", "layout", "device", "pin_memory", "memory_format", "out"}


def _out_of_place(op: Op) -> Any:
    if not op.func._schema.is_mutable:
        return op.func
    packet = getattr(torch.ops.aten, op.name.rstrip("_"))
    overload = op.func._overloadname
    return getattr(packet, overload if overload in packet.overloads() else "default")


def joined(op: Op, asked: Asked) -> Given:
    """Each part of what was joined along an axis."""
    mask, parts = together(asked), op.args[0]
    axis = op.argument("dim", 0)
    shapes = [shape_of(part) for part in parts]
    if any(shape == (0,) for shape in shapes) and mask.dim() > 1:  # torch takes these for nothing
        parts = [part for part in parts if shape_of(part) != (0,)]
    found: Given = []
    first = 0
    for part in parts:
        size = shape_of(part)[axis]
        if isinstance(part, Ref):
            found.append((part, mask.narrow(axis, first, size)))
        first += size
    return found


def indexed(op: Op, asked: Asked) -> Given | None:
    """By an index that is known; else anything may have been chosen."""
    indices = op.argument("indices", op.argument("index"))
    if any(isinstance(i, Ref) for i in (indices if isinstance(indices, tuple) else (indices,))):
        return _where(op, indices, asked) if "put" in op.name else None
    return moved(op, asked)


def _where(op: Op, indices: Any, asked: Asked) -> Given | None:
    """`x[x > 0] = value` for a mask of the places of x and one value: each element by what stands in its place."""
    chosen, source, values = indices[0], op.argument("self"), op.argument("values")
    own = shape_of(source)
    if len(indices) > 1 or not isinstance(chosen, Ref) or chosen.item != 1:
        return None
    if chosen.shape != own[: len(chosen.shape)] or math.prod(shape_of(values)) != 1:
        return None
    mask = together(asked)
    found: Given = [(source, mask)] if isinstance(source, Ref) else []
    found.append(
        (chosen, mask.flatten(len(chosen.shape)).any(-1) if len(chosen.shape) < len(own) else mask)
    )
    if isinstance(values, Ref):
        found.append((values, mask.any().expand(values.shape)))
    return found


def gathered(op: Op, asked: Asked) -> Given | None:
    """`gather`: what an index asks for along its axis."""
    index, source = op.argument("index"), op.argument("self")
    if not isinstance(index, Ref):
        return moved(op, asked)
    mask, axis = together(asked), op.argument("dim") % max(1, len(index.shape))
    found = [(index, mask)]
    if isinstance(source, Ref):
        wide = torch.zeros(source.shape, dtype=torch.bool)
        chosen = tuple(
            slice(None) if a == axis else slice(0, size) for a, size in enumerate(index.shape)
        )
        wide[chosen] = mask.any(axis, keepdim=True)
        found.append((source, wide))
    return found


def scattered(op: Op, asked: Asked) -> Given | None:
    """`scatter`: what stays, and what is put there by an index."""
    index = op.argument("index")
    if not isinstance(index, Ref):
        return moved(op, asked)
    mask, axis = together(asked), op.argument("dim") % max(1, len(index.shape))
    # The index may be longer than what it is put into, along its axis alone, and shorter everywhere.
    other = mask.any(axis, keepdim=True)[
        tuple(slice(None) if a == axis else slice(0, size) for a, size in enumerate(index.shape))
    ]
    spread = other.expand(index.shape)
    found = [(index, spread)]
    for name in ("self", "src"):
        own = op.argument(name)
        if isinstance(own, Ref) and name == "self":
            found.append((own, mask))
        elif isinstance(own, Ref):
            wide = torch.zeros(own.shape, dtype=torch.bool)
            wide[tuple(slice(0, size) for size in index.shape)] = spread
            found.append((own, wide))
    return found


def copied(op: Op, asked: Asked) -> Given:
    """What is copied over something leaves nothing of it."""
    source = op.argument("src", op.argument("source"))
    return [(source, narrowed(together(asked), source.shape))] if isinstance(source, Ref) else []


def nothing(_op: Op, _asked: Asked) -> Given:
    """What is made anew is made of nothing."""
    return []


def embedded(op: Op, asked: Asked) -> Given | None:
    """A row of a table by its number: the number."""
    indices = op.argument("indices")
    if not isinstance(indices, Ref) or isinstance(op.argument("weight"), Ref):
        return None
    return [(indices, together(asked).any(-1))]


def gated(op: Op, asked: Asked) -> Given:
    """`glu`: one half times the other, gated."""
    (ref,), mask = op.inputs, together(asked)
    return [(ref, torch.cat([mask, mask], op.argument("dim", -1)))]
