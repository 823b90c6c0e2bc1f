"""Which axes of what a layer gives are places, which are steps, and which are its channels.

They are found by what moves with the inputs (`moved.py`), and by what is done to maps on the way
(`carried.py`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Axes:
    """Axes of a tensor, counted from the front. `rows` and `columns` are one axis where it lists `places`
    (rows, columns), row by row or column `by_column`, after `before` entries of another sort; either may be
    the batch's own axis, where places are members of it; None where the layer gives no map. `mirrored`: which
    of rows (0) and columns (1) run the other way than the city's. `channels` may be several axes, or none.
    `batch`: the axis of samples. `folded`: so many steps, places or others lie in it; 0 where it isn't known.
    `apart`: those are no steps, such as the phases of a map. `proven`: by what moved; else by the shape alone.
    """

    rows: int | None
    columns: int | None
    channels: tuple[int, ...]
    steps: int | None = None
    places: tuple[int, int] | None = None
    before: int = 0
    folded: int = 1
    proven: bool = False
    by_column: bool = False
    mirrored: tuple[int, ...] = ()
    batch: int = 0
    apart: bool = False

    @property
    def is_map(self) -> bool:
        """Whether the layer gives maps."""
        return self.rows is not None

    def size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Rows and columns of the map."""
        assert self.rows is not None
        assert self.columns is not None
        return self.places or (shape[self.rows], shape[self.columns])

    def count(self, shape: tuple[int, ...]) -> int:
        """How many channels there are."""
        return math.prod(shape[axis] for axis in self.channels)

    def at(self, shape: tuple[int, ...], cell: tuple[int, int] | None) -> Tensor:
        """Which elements belong to a cell of the map, all channels and steps (of what is `apart` those of
        the last alone); all without a map."""
        mask = torch.zeros(shape, dtype=torch.bool)
        index: list[slice | int] = [slice(None)] * len(shape)
        if self.rows is not None and self.columns is not None and cell is not None:
            size = self.size(shape)
            row, column = (
                length - 1 - at if axis in self.mirrored else at
                for axis, (at, length) in enumerate(zip(cell, size, strict=True))
            )
            if self.apart:
                index[self.batch] = -1
            if self.places:
                place = column * size[0] + row if self.by_column else row * size[1] + column
                index[self.rows] = self.before + place
            else:
                index[self.rows], index[self.columns] = row, column
        mask[tuple(index)] = True
        return mask

    def parts(self, shape: tuple[int, ...]) -> int:
        """How many maps of each channel a layer gives for a sample, of which the last is shown."""
        if not self.is_map:
            return 1
        if self.steps is not None:
            return shape[self.steps]
        return 1 if 0 in (self.rows, self.columns) else max(1, self.folded)

    def maps(self, x: Tensor) -> Tensor:
        """(B, C, H, W) of what a layer gave, north and east as the inputs': of steps the last. What is no map,
        as it is."""
        if not self.folded:
            return x[None]
        if not self.is_map:
            x = x.movedim(self.batch, 0)
            return x.unflatten(0, (-1, self.folded)) if self.folded > 1 else x
        return self.sequence(x)[:, -1]

    def sequence(self, x: Tensor) -> Tensor:
        """(B, T, C, H, W) of what a layer gave, one step where it has none."""
        if self.batch:
            order = [self.batch, *(axis for axis in range(x.dim()) if axis != self.batch)]
            return self._renamed(order.index).sequence(x.permute(order))
        assert self.rows is not None
        assert self.columns is not None
        if 0 in (self.rows, self.columns):  # places are members of the batch
            own = self._renamed(lambda axis: axis + 1)
            return replace(own, batch=0, folded=1).sequence(x.unflatten(0, (-1, self.folded)))
        if self.places:
            x = x.narrow(self.rows, self.before, math.prod(self.places)).movedim(self.rows, -1)
            x = (
                x.unflatten(-1, self.places[::-1]).mT
                if self.by_column
                else x.unflatten(-1, self.places)
            )
            taken = [self.rows]
        else:
            x = x.movedim((self.rows, self.columns), (-2, -1))
            taken = [self.rows, self.columns]
        x = x.flip([axis - 2 for axis in self.mirrored])
        # The other axes keep their order: find where they are now.
        rest = [a for a in range(x.dim() - 2 + len(taken)) if a not in taken]
        place = {axis: number for number, axis in enumerate(rest)}
        if self.steps is not None:
            x = x.movedim(place[self.steps], 1)
        elif self.folded > 1:
            x = x.unflatten(0, (-1, self.folded))
        else:
            x = x.unsqueeze(1)
        return x.flatten(2, -3) if x.dim() > 4 else x.unsqueeze(2)

    def _renamed(self, name: Callable[[int], int]) -> "Axes":
        """The same axes under other numbers."""
        rows, columns, steps = (
            None if axis is None else name(axis) for axis in (self.rows, self.columns, self.steps)
        )
        channels = tuple(name(axis) for axis in self.channels)
        return replace(
            self, rows=rows, columns=columns, steps=steps, channels=channels, batch=name(self.batch)
        )

    def put(self, x: Tensor, channels: list[int], value: Tensor | float) -> Tensor:
        """A copy of what a layer gave with some channels replaced, by a number or by what has the
        layout of `x` (an axis of size one is broadcast)."""
        if not self.channels:
            return torch.zeros_like(x) + value
        ends = tuple(range(len(self.channels)))

        def forward(t: Tensor) -> Tensor:
            return t.movedim(self.channels, ends)

        moved = forward(x)
        flat = moved.reshape(-1, *moved.shape[len(ends) :]).clone()
        if isinstance(value, Tensor):
            new = forward(value.to(x.dtype))
            new = new.reshape(-1, *new.shape[len(ends) :])
            flat[channels] = new[channels].expand(flat[channels].shape)
        else:
            flat[channels] = value
        return flat.reshape(moved.shape).movedim(ends, self.channels)

    def mean(self, x: Tensor) -> Tensor:
        """Each channel's mean over everything else, with axes of size one for the rest."""
        rest = [axis for axis in range(x.dim()) if axis not in self.channels]
        return x.mean(dim=rest, keepdim=True)


def by_shape(shape: tuple[int, ...], grid: tuple[int, int] | None = None) -> Axes:
    """What a shape alone says: (B, C, H, W), (B, T, C, H, W) or (B, C). With the grid's size, maps are
    looked for in other places too, and what fits nowhere is no map."""
    dims = len(shape)
    if grid is not None:
        pairs = [(dims - 2, dims - 1), (1, 2), (2, 3)]
        for rows, columns in pairs:
            if 1 <= rows < columns < dims and _coarser((shape[rows], shape[columns]), grid):
                rest = tuple(a for a in range(1, dims) if a not in (rows, columns))
                steps = rest[0] if len(rest) == 2 else None
                return Axes(rows, columns, rest[-1:] if steps else rest, steps)
        return Axes(None, None, (1,) if dims > 1 else ())
    if dims >= 4:
        return Axes(dims - 2, dims - 1, (dims - 3,), steps=1 if dims == 5 else None, proven=True)
    return Axes(None, None, (1,) if dims > 1 else ())


def _coarser(size: tuple[int, int], grid: tuple[int, int]) -> bool:
    return any(
        all(s in (g // by, -(-g // by)) for s, g in zip(size, grid, strict=True))
        for by in range(1, max(2, min(grid) // 2 + 1))
    )
