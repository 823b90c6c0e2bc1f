"""Axes of places that no movement shows, carried along by the operations between maps."""

from collections.abc import Callable

import torch

from crimecast.networks.axes import Axes
from crimecast.networks.flow import POINTWISE, REDUCING
from crimecast.networks.taped import Op, Record, Ref

KEEPING = {
    "convolution", "max_pool2d_with_indices", "avg_pool2d", "_adaptive_avg_pool2d", "adaptive_max_pool2d",
    "native_batch_norm", "native_group_norm", "constant_pad_nd", "reflection_pad2d", "replication_pad2d",
    "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d", "cat", "_softmax", "pixel_shuffle",
    "pixel_unshuffle",
}  # fmt: skip
Seat = tuple[int, tuple[int, ...], tuple[int, ...], int]


def by_operations(made: Record, found: dict[str, Axes]) -> dict[str, Axes]:
    """The same axes, those of small maps known where they couldn't be seen to move: an operation that
    leaves the axes of a map where they are was given one whose axes are proven, or the inputs."""
    maps: set[Seat] = set()
    # Storages that are nothing but maps of one size, one after the other, whatever is before the rows.
    wholes = {ref.storage: ref.shape[-2:] for ref in made.inputs.values() if len(ref.shape) >= 4}

    def is_map(ref: Ref) -> bool:
        return _seat(ref) in maps or _of_whole(ref, wholes.get(ref.storage))

    known = dict(found)
    grid = next((ref.shape[-2:] for ref in made.inputs.values() if len(ref.shape) >= 4), (1, 1))
    calls = sorted(made.calls.items(), key=lambda item: item[1].end)
    place = 0
    for label, call in calls:
        for op in made.ops[place : call.end]:
            keeps, pointwise = _keeps(op, is_map), _of_each_value(op)
            broad = [ref for ref in op.inputs if len(ref.shape) > 1]
            aligned = pointwise and bool(broad) and all(is_map(ref) for ref in broad)
            for ref in op.outputs:
                if keeps and len(ref.shape) == 4:
                    maps.add(_seat(ref))
                else:
                    maps.discard(_seat(ref))
                if (
                    aligned
                    and ref.shape[-2:] == broad[0].shape[-2:]
                    and _of_whole(ref, ref.shape[-2:])
                ):
                    wholes[ref.storage] = ref.shape[-2:]
                else:
                    wholes.pop(ref.storage, None)
        place = max(place, call.end)
        out = call.outputs[0] if call.outputs else None
        axes = known.get(label)
        if out is None or len(out.shape) != 4 or axes is None:
            continue
        if axes.proven and (axes.rows, axes.columns, axes.channels) == (2, 3, (1,)):
            maps.add(_seat(out))
        elif (
            not axes.proven
            and axes.folded == 1 == out.shape[0]
            and is_map(out)
            and _of_grid(out.shape[-2:], grid)
        ):
            known[label] = Axes(2, 3, (1,), proven=True)
    return known


def _of_each_value(op: Op) -> bool:
    return torch.Tag.pointwise in op.func.tags or op.name.rstrip("_") in POINTWISE


def _keeps(op: Op, is_map: Callable[[Ref], bool]) -> bool:
    """Whether an operation leaves the axes of the maps that it is given where they are."""
    given = [ref for ref in op.inputs if len(ref.shape) == 4]
    own = [ref for ref in given if is_map(ref)]
    if not _of_each_value(op):
        keeping = op.name.rstrip("_") in KEEPING or op.name in REDUCING
        return keeping and bool(own) and len(own) == len(given)
    # What is the same at all places, such as a gate of each channel, moves nothing.
    flat = all(ref in own or ref.shape[2:] == (1, 1) for ref in given)
    sizes = {ref.shape[2:] for ref in own}
    return flat and all(ref.shape[2:] in sizes for ref in op.outputs)


def _of_grid(size: tuple[int, ...], grid: tuple[int, ...]) -> bool:
    """Whether a map of that size covers the grid and little else: a canvas that was filled up to some
    multiple doesn't."""
    return all(
        any(abs(s * by - g) <= by + 1 for by in range(1, g + 1)) if s < g else s <= g + 2
        for s, g in zip(size, grid, strict=True)
    )


def _of_whole(ref: Ref, size: tuple[int, ...] | None) -> bool:
    """Whether a tensor's last two axes are the rows and columns of a storage that lists maps of that size."""
    if size is None or len(ref.shape) < 4 or ref.shape[-2:] != size:
        return False
    cells = size[0] * size[1]
    steps = all(step % cells == 0 for step in ref.strides[:-2])
    return ref.strides[-2:] == (size[1], 1) and steps and ref.offset % cells == 0


def _seat(ref: Ref) -> Seat:
    return ref.storage, ref.shape, ref.strides, ref.offset
