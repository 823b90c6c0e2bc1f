"""What is asked of an operation and what it was made from: masks on its outputs and its inputs."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from crimecast.networks.taped import Constant, Op, Ref

Asked = list[Tensor | None]
Given = list[tuple[Ref, Tensor]]


@dataclass(frozen=True)
class Made:
    """The elements that have a part, how the operation mixes them (`unknown`: no rule says so, so all
    of them), and whether the statistics of a normalisation were left out."""

    parts: Given
    mixing: bool = False
    unknown: bool = False
    statistics: bool = False


def everything(op: Op, unknown: bool) -> Made:
    """All of every input."""
    return Made([(ref, full(ref)) for ref in op.inputs], True, unknown)


def full(ref: Ref) -> Tensor:
    """A mask of all of a tensor."""
    return torch.ones(ref.shape, dtype=torch.bool)


def together(asked: Asked) -> Tensor:
    """The outputs asked for together, where they have one shape."""
    there = [mask for mask in asked if mask is not None]
    return torch.stack(there).any(0) if len({m.shape for m in there}) == 1 else there[0]


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a tensor, () for what is none."""
    return value.shape if isinstance(value, Ref | Constant) else ()


def narrowed(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A mask of what was broadcast, on what it was broadcast from."""
    if mask.dim() > len(shape):
        mask = mask.flatten(0, mask.dim() - len(shape) - 1).any(0) if shape else mask.any()
        if not shape:
            return mask
    for axis, size in enumerate(shape):
        if size == 1 and mask.shape[axis] > 1:
            mask = mask.any(axis, keepdim=True)
    return mask


def support_of(value: Any) -> Tensor | None:
    """Where a constant isn't zero, as far as that is known."""
    return value.support if isinstance(value, Constant) else None
