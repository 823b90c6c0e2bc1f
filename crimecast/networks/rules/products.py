"""Products of matrices, attention and what is like them."""

from typing import Any

import torch
from torch import Tensor

from crimecast.networks.rules.masks import Asked, Given, narrowed, shape_of, support_of, together
from crimecast.networks.taped import Constant, Op, Ref


def _product(left: Any, right: Any, mask: Tensor, shut: dict[int, Tensor]) -> Given:
    """left (…, i, j) times right (…, j, k), of which mask (…, i, k) is asked."""
    open_left = ~shut[0] if 0 in shut else support_of(left)
    open_right = ~shut[1] if 1 in shut else support_of(right)
    found = []
    if isinstance(left, Ref):
        if open_right is None:
            part = mask.any(-1, keepdim=True).expand(left.shape)
        else:
            part = mask.float() @ open_right.float().transpose(-1, -2) > 0
        found.append((left, part if 0 not in shut else part & ~shut[0]))
    if isinstance(right, Ref):
        if open_left is None:
            part = mask.any(-2, keepdim=True).expand(right.shape)
        else:
            part = open_left.float().transpose(-1, -2) @ mask.float() > 0
        found.append((right, part if 1 not in shut else part & ~shut[1]))
    return found


def matrices(op: Op, asked: Asked) -> Given:
    """A matrix times a matrix, with what is added."""
    added = op.args[0] if op.name.startswith(("addmm", "baddbmm")) else None
    left, right = op.args[1:3] if added is not None else op.args[:2]
    mask = together(asked)
    found = _product(left, right, mask, op.shut)
    if isinstance(added, Ref):
        found.append((added, narrowed(mask, added.shape)))
    return found


def matrix_vector(op: Op, asked: Asked) -> Given:
    """A matrix times a vector, with what is added."""
    added = op.args[0] if op.name.startswith("addmv") else None
    matrix, vector = op.args[1:3] if added is not None else op.args[:2]
    mask = together(asked)
    found: Given = []
    if isinstance(matrix, Ref):
        found.append((matrix, mask[:, None].expand(matrix.shape)))
    if isinstance(vector, Ref):
        found.append((vector, mask.any().expand(vector.shape)))
    if isinstance(added, Ref):
        found.append((added, narrowed(mask, added.shape)))
    return found


def linear(op: Op, asked: Asked) -> Given:
    """A linear map of the last axis."""
    source, weight, bias = op.argument("input"), op.argument("weight"), op.argument("bias")
    mask = together(asked)
    found: Given = []
    if isinstance(source, Ref):
        found.append((source, mask.any(-1, keepdim=True).expand(source.shape)))
    for other in (weight, bias):
        if isinstance(other, Ref):
            found.append((other, mask.any().expand(other.shape)))
    return found


SHUT = -1e4


def attention(op: Op, asked: Asked) -> Given:
    """softmax(q kᵀ) v: (…, L, S) of it where nothing masks."""
    query, key, value = op.args[:3]
    mask, bias = asked[0], op.argument("attn_mask", op.argument("attn_bias"))
    if mask is None:
        return []
    asks = mask.any(-1)  # (…, L)
    length, sources = shape_of(query)[-2], shape_of(key)[-2]
    open_ = torch.ones(length, sources, dtype=torch.bool)
    if op.argument("is_causal", False):
        open_ = open_.tril()
    if isinstance(bias, Constant) and bias.values is not None:
        shut = bias.values.dtype != torch.bool  # added to the scores: so low that nothing is left
        open_ = open_ & (bias.values > SHUT if shut else bias.values)
    looks = (asks[..., None] & open_).any(-2)  # (…, S)
    found: Given = []
    for own, seen in ((query, asks), (key, looks), (value, looks)):
        if isinstance(own, Ref):
            wide = seen[..., None].expand(*seen.shape, own.shape[-1])
            found.append((own, narrowed(wide, own.shape)))
    if isinstance(bias, Ref):
        found.append((bias, narrowed(asks[..., None].expand(*asks.shape, sources), bias.shape)))
    return found


def trilinear(op: Op, asked: Asked) -> Given | None:
    """Features of two tensors (N, p) and (N, q) against a weight, as nn.Bilinear asks for it."""
    if [list(part) for part in op.args[3:7]] != [[1, 3], [0], [1, 2], [2, 3]]:
        return None
    some = together(asked).any(-1, keepdim=True)
    return [
        (own, some.expand(own.shape)) for own in (op.args[0], op.args[2]) if isinstance(own, Ref)
    ]


def distances(op: Op, asked: Asked) -> Given:
    """Distances between each row of one and each of the other."""
    mask = together(asked)
    found: Given = []
    for own, axis in zip(op.args[:2], (-1, -2), strict=True):
        if isinstance(own, Ref):
            seen = mask.any(axis)[..., None]
            found.append((own, narrowed(seen.expand(*seen.shape[:-1], own.shape[-1]), own.shape)))
    return found
