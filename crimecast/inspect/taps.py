"""Which rows and columns of its inputs each row and column of an operation's output is made from.

Operations that only move values are found out by sending the indices of rows and columns through
them, so that a user's own slicing, rolling or cutting into patches and windows is followed as it is.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crimecast.inspect.geometry import argument, taps_along

# (outputs, taps): the indices of the input that each index of the output is made from; those outside
# the input (padding, or none at all) don't count.
Taps = np.ndarray

# Operations whose output has other axes than their input: which, is found by sending indices through.
MOVING = {
    "permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "view", "reshape", "flatten",
    "unflatten", "expand", "expand_as", "squeeze", "unsqueeze", "chunk", "split", "unbind", "select",
    "narrow", "__getitem__", "cat", "concat", "concatenate", "stack", "flip", "roll", "repeat",
    "repeat_interleave", "index_select", "contiguous", "clone", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "tile", "T", "mT", "view_as", "reshape_as", "broadcast_to", "tensor_split",
}  # fmt: skip
REDUCING = {
    "mean", "sum", "amax", "amin", "max", "min", "std", "var", "norm", "prod", "logsumexp", "any",
    "all", "median", "linalg_vector_norm",
}  # fmt: skip
# Mix their last two axes, and leave those before them apart.
PRODUCTS = {"matmul", "__matmul__", "bmm", "scaled_dot_product_attention", "linear"}
MIXING = PRODUCTS | {
    "mm", "einsum", "multi_head_attention_forward", "rnn", "lstm", "gru", "fft2", "rfft2", "ifft2",
    "irfft2", "fftn", "unfold", "fold", "grid_sample", "tensordot", "baddbmm", "addmm",
    "_native_multi_head_attention", "_transformer_encoder_layer_fwd",
}  # fmt: skip
MAPWISE = ("conv", "adaptive", "avg_pool", "max_pool", "lp_pool", "interpolate", "upsample", "pad")


@dataclass(frozen=True)
class Places:
    """Where the rows and columns of the city lie in a tensor: the axis of each, and which row or
    column every index along it is. Both may lie along one axis, as they do in a list of patches."""

    axes: tuple[int, int]
    of: tuple[np.ndarray, np.ndarray]

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = (int(of.max()) + 1 if len(of) else 0 for of in self.of)
        return rows, columns


@dataclass(frozen=True)
class Record:
    """An operation: its name, the layer it ran in, its inputs' numbers with the taps of rows and
    columns, the output's shape and where in it the places lie (None: no map left)."""

    name: str
    layer: str
    inputs: tuple[int, ...]
    rows: tuple[Taps, ...]
    columns: tuple[Taps, ...]
    shape: tuple[int, ...]
    places: Places | None

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows and columns; one of each where there is no map."""
        return self.places.sizes if self.places else (1, 1)


Found = tuple[Places | None, list[Taps], list[Taps]]


def last_two(shape: tuple[int, ...]) -> Places:
    """Places along the last two axes, as in every map."""
    return Places((len(shape) - 2, len(shape) - 1), (np.arange(shape[-2]), np.arange(shape[-1])))


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors of nested arguments."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []


def taps_of(
    name: str, func: Any, args: Any, kwargs: Any, taken: list[Tensor], before: list[Record], out: Tensor
) -> Found:  # fmt: skip
    """The output's places, and for each input the taps along rows and along columns."""
    placed = [b for b in before if b.places is not None]
    if not placed:  # nothing with places came in, so nothing is mixed
        none = [_everything(1, 1) for _ in before]
        return None, none, none
    if name in MOVING or name in REDUCING or (name == "pad" and not _constant_pad(args, kwargs)):
        if name in REDUCING:
            place = 2 if name.endswith("norm") else 1
            dim = argument(args, kwargs, place, "dim", None)
            keep = argument(args, kwargs, place + 1, "keepdim", False)
            if isinstance(dim, Tensor):  # the larger or smaller of two
                return _pointwise(before, out)
            args, kwargs = args[:1], {"dim": dim, "keepdim": keep}
        found = _sent_through(name, func, args, kwargs, taken, before, out)
        return found or _whole(before, out)
    places = placed[0].places
    assert places is not None
    axes, dims = places.axes, len(placed[0].shape)
    if name in ("softmax", "log_softmax", "cumsum"):
        dim = argument(args, kwargs, 1, "dim", None)
        return _whole(before, out) if dim is None or dim % dims in axes else _pointwise(before, out)
    mapwise = name.startswith(MAPWISE)
    if mapwise or name in MIXING:
        batch = 1 if name == "multi_head_attention_forward" else 0
        apart = max(axes) < dims - 2 and name in PRODUCTS
        if name == "linear":
            apart = max(axes) < dims - 1
        if apart or set(axes) == {batch}:
            return _pointwise(before, out)
        if not mapwise or axes != (dims - 2, dims - 1):
            return _whole(before, out)
        return _over_map(name, args, kwargs, before, out)
    return _pointwise(before, out)


def _over_map(name: str, args: Any, kwargs: Any, before: list[Record], out: Tensor) -> Found:
    """Convolutions, pooling and the like over the last two axes."""
    made = [
        taps_along(name, args, kwargs, along, before[0].shape[-2 + along], out.shape[-2 + along])
        for along in (0, 1)
    ]
    spans = [
        [made[along], *(_everything(b.sizes[along], out.shape[-2 + along]) for b in before[1:])]
        for along in (0, 1)
    ]
    return last_two(tuple(out.shape)), spans[0], spans[1]


def _pointwise(before: list[Record], out: Tensor) -> Found:
    """Place by place, inputs of size one broadcast."""
    wide = max((b for b in before if b.places is not None), key=lambda b: len(b.shape))
    assert wide.places is not None
    from_end = [axis - len(wide.shape) for axis in wide.places.axes]
    if out.dim() < max(-f for f in from_end):
        return _whole(before, out)
    axes = (out.dim() + from_end[0], out.dim() + from_end[1])
    spans: list[list[Taps]] = [[], []]
    labels: list[np.ndarray] = []
    for along in (0, 1):
        size, of = out.shape[axes[along]], wide.places.of[along]
        labels.append(of if len(of) == size else np.arange(size))
        for b in before:
            count = int(labels[along].max()) + 1 if size else 0
            same = (
                b.places is not None
                and b.places.axes[along] - len(b.shape) == from_end[along]
                and np.array_equal(b.places.of[along], labels[along])
            )
            spans[along].append(
                np.arange(count)[:, None] if same else _everything(b.sizes[along], count)
            )
    return Places(axes, (labels[0], labels[1])), spans[0], spans[1]


def _whole(before: list[Record], out: Tensor) -> Found:
    """Every place of the output is made from every place of the inputs."""
    places = last_two(tuple(out.shape)) if out.dim() >= 3 else None
    rows, columns = places.sizes if places else (1, 1)
    return (
        places,
        [_everything(b.sizes[0], rows) for b in before],
        [_everything(b.sizes[1], columns) for b in before],
    )


def _everything(size: int, outputs: int) -> Taps:
    return np.broadcast_to(np.arange(size), (outputs, size))


def _sent_through(
    name: str, func: Any, args: Any, kwargs: Any, taken: list[Tensor], before: list[Record], out: Tensor
) -> Found | None:  # fmt: skip
    """Send the indices of rows, then of columns, through the operation, and see where they come out.

    Where an axis is cut in two, its places are from then on the coarser part: a patch is a place.
    None if the output mixes what has no single place.
    """
    axes: list[int | None] = [None, None]
    spans: list[list[Taps | None]] = [[], []]
    for own in before:
        for along in (0, 1):
            if own.places is None or 0 in own.shape:
                spans[along].append(None)
                continue
            axis, of = own.places.axes[along], own.places.of[along]
            made = []
            for missing, reduced in ((math.inf, torch.amin), (-math.inf, torch.amax)):
                swap = {}
                for tensor, other in zip(taken, before, strict=True):
                    swap[id(tensor)] = torch.full(tensor.shape, missing)
                    if other is own:
                        shape = [1] * tensor.dim()
                        shape[axis] = -1
                        index = torch.tensor(of, dtype=torch.float32).view(shape)
                        swap[id(tensor)] = index.expand(tensor.shape).contiguous()
                call = partial(_reduced, reduced) if name in REDUCING else func
                try:
                    got = call(*_swapped(args, swap, missing), **_swapped(kwargs, swap, missing))
                except (RuntimeError, TypeError, ValueError, IndexError):
                    return None
                made += [t.float() for t in tensors_in(got) if t.shape == out.shape][:1]
            if len(made) < 2:
                return None
            low, high = made
            if axes[along] is None:
                axes[along] = _axis(low, high, axis - len(own.shape), name not in REDUCING)
            if (chosen := axes[along]) is None:
                return None
            spans[along].append(_sets(low, high, chosen))
    rows, columns = axes
    if rows is None or columns is None:
        return None
    taps = [
        [_nothing(out.shape[axis]) if one is None else one for one in spans[along]]
        for along, axis in enumerate((rows, columns))
    ]
    labels = [np.arange(out.shape[rows]), np.arange(out.shape[columns])]
    if rows == columns:  # a list of places: those made from the same rows are one row
        for along in (0, 1):
            _, first, labels[along] = np.unique(
                np.hstack(taps[along]), axis=0, return_index=True, return_inverse=True
            )
            labels[along] = labels[along].ravel()
            taps[along] = [one[first] for one in taps[along]]
    return Places((rows, columns), (labels[0], labels[1])), taps[0], taps[1]


def _nothing(outputs: int) -> Taps:
    """No index of the input has a part in any of the output."""
    return np.full((outputs, 1), -1)


def _axis(low: Tensor, high: Tensor, from_end: int, moved: bool) -> int | None:
    """The axis of an output that decides the index sent through, or, of what was only moved, bounds
    it most closely; low and high hold the bounds of every element's index."""
    extents = {}
    for axis in range(low.dim()):
        rest = [d for d in range(low.dim()) if d != axis]
        bottom, top = low.amin(dim=rest), high.amax(dim=rest)
        there = bottom.isfinite() & top.isfinite()
        if not bool(there.any()):
            return None
        extents[axis] = float((top - bottom)[there].mean())
        if not extents[axis] and len(bottom[there].unique()) > 1:
            return axis
    there = low.isfinite()
    extent = float(high[there].max() - low[there].min())
    # A single row or column is left, of one place or of all: its axis is where it was, if it is there.
    at = low.dim() + from_end
    if at >= 0 and low.shape[at] == 1 and (not moved or not extent):
        return at
    closest = min(extents, key=lambda axis: extents[axis])
    return closest if moved and extents[closest] < extent else None


def _sets(low: Tensor, high: Tensor, axis: int) -> Taps:
    """For each index along an axis, the indices between the bounds of its elements, as they occur."""
    lows, highs = (x.movedim(axis, 0).flatten(1).numpy() for x in (low, high))
    found = []
    for bottom, top in zip(lows, highs, strict=True):
        there = np.isfinite(bottom) & np.isfinite(top)
        bottom, top = bottom[there], top[there]
        if len(bottom) and (bottom != top).any():
            found.append(np.arange(bottom.min(), top.max() + 1))
        else:
            found.append(np.unique(bottom))
    taps = np.full((len(found), max(1, *map(len, found))), -1)
    for number, indices in enumerate(found):
        taps[number, : len(indices)] = np.round(indices)
    return taps


def _reduced(reduce: Any, x: Tensor, dim: Any, keepdim: bool) -> Tensor:
    return reduce(x, dim=tuple(range(x.dim())) if dim is None else dim, keepdim=keepdim)


def _swapped(value: Any, swap: dict[int, Tensor], missing: float) -> Any:
    if isinstance(value, Tensor):
        if id(value) in swap:
            return swap[id(value)]
        return torch.full_like(value, missing) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _swapped(part, swap, missing) for key, part in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(_swapped(part, swap, missing) for part in value)
    return value


def _constant_pad(args: Any, kwargs: Any) -> bool:
    return argument(args, kwargs, 2, "mode", "constant") == "constant"
