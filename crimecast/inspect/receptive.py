"""Receptive fields: what a cell's forecast can see (exact, from the network), and what it does see.

The theoretical field follows the tape of a forward pass backwards from one cell of the output,
operation by operation and element by element (after Araujo, Norris & Sim 2019, Distill: "Computing
receptive fields of convolutional neural networks"), so borders, strides, any order of the axes and a
user's own code are taken as they are.
The effective one is the mean absolute gradient of the cell's log rate by the inputs
(Luo et al. 2016, NeurIPS).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from crimecast import UserError
from crimecast.designs.build import Network, build
from crimecast.designs.inputs import map_count
from crimecast.designs.spec import Design
from crimecast.inspect.cells import check_cell
from crimecast.inspect.specimen import Specimen
from crimecast.networks.axes import Axes, by_shape
from crimecast.networks.flow import made_from
from crimecast.networks.looked import Looked
from crimecast.networks.tape import record
from crimecast.networks.taped import Record, Ref, said

Cell = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """The cells that one cell's forecast can see, bounds included.

    `whole` names what mixes the map; `statistics` the normalisations whose statistics see all of it,
    which by convention doesn't count as seeing; `unproven` what isn't known to mix so: operations
    that no rule knows, which count as seeing everything, and values that left torch. Not `of_maps` is what
    nothing of the inputs' maps is in, such as what comes of the calendar: it sees its own cell by convention.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    whole: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    of_maps: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that are seen."""
        return self.rows[1] - self.rows[0] + 1, self.columns[1] - self.columns[0] + 1

    def reach(self, cell: Cell) -> int:
        """Cells seen beyond the cell itself, in the direction where it sees furthest."""
        return max(self.around(cell))

    def around(self, cell: Cell) -> tuple[int, int, int, int]:
        """Cells seen above the cell, below it, to its left and to its right."""
        return (
            cell[0] - self.rows[0], self.rows[1] - cell[0],
            cell[1] - self.columns[0], self.columns[1] - cell[1],
        )  # fmt: skip


def theoretical_field(subject: Looked, cell: Cell) -> Field:
    """What the forecast of a cell (row, column) can see of the inputs."""
    return field_of_forecast(subject.record(), cell)


def fields_of_design(
    design: Design, types: int, height: int, width: int, calendar: int
) -> dict[str, Field]:
    """Layer → what the middle of its map can see, of a design that isn't trained yet.

    Layers that put out no map are left out. Raises UserError for a spec whose shapes clash.
    """
    network = build(design, types, height, width, calendar)
    assert isinstance(network, Network)  # a user's own module isn't built to be drawn
    inputs = {
        "history": torch.zeros(1, len(design.lags), types, height, width),
        "calendar": torch.zeros(1, calendar),
        "static": torch.zeros(1, map_count(design, types), height, width),
    }
    made = record(network, dict(network.blocks.items()), inputs, zeros=False)
    fields = {}
    for laid in network.laid:
        name = laid.layer.name
        shape = made.calls[name].shapes[0]
        if len(shape) >= 4:
            fields[name] = field_of_layer(
                made, name, by_shape(shape), (shape[-2] // 2, shape[-1] // 2)
            )
    return fields


def field_of_forecast(made: Record, cell: Cell, statistics: bool = False) -> Field:
    """What a cell (row, column) of what `forward` returned was made from. Raises UserError for a cell that
    there isn't, or where that is no map."""
    if made.output is None or len(made.output.shape) < 2:
        raise UserError("What the module returns is no map: no cell of it can be asked about.")
    check_cell(cell, *made.output.shape[-2:])
    asked = torch.zeros(made.output.shape, dtype=torch.bool)
    asked[..., cell[0], cell[1]] = True
    return follow(made, made.output, asked, made.end, cell, statistics)


def field_of_layer(
    made: Record, label: str, axes: Axes, cell: Cell, statistics: bool = False
) -> Field:
    """What a cell (row, column of its own map) of a layer's output was made from. Raises UserError for a
    cell that its map doesn't have."""
    call = made.calls[label]
    ref = call.outputs[0]
    if axes.is_map:
        check_cell(cell, *axes.size(call.shapes[0]))
    assert ref is not None
    return follow(made, ref, axes.at(call.shapes[0], cell), call.end, cell, statistics)


def follow(
    made: Record, target: Ref, asked: Tensor, end: int, cell: Cell, statistics: bool = False
) -> Field:
    """Follow elements of a tensor, as it was when `end` operations had run, back to the inputs."""
    memory = Memory(made)
    memory.ask(target, asked)
    whole: dict[str, None] = {}
    normed: dict[str, None] = {}
    unproven: dict[str, None] = {}
    for number in range(end - 1, -1, -1):
        op = made.ops[number]
        masks = [memory.asked_of(ref) for ref in op.outputs]
        if all(mask is None for mask in masks):
            continue
        for ref in op.outputs:
            memory.overwritten(ref)
        found = made_from(op, masks, statistics)
        for ref, mask in found.parts:
            memory.ask(ref, mask)
        wide = any(bool(mask.all()) and mask.dim() > 1 for _, mask in found.parts)
        if found.unknown:
            unproven[said(op.name.strip("_"), op.layer)] = None
        elif found.mixing and wide and not all(m is not None and bool(m.all()) for m in masks):
            whole[op.layer.removesuffix(":1") or op.name.strip("_")] = None
        if found.statistics:
            normed[op.layer.removesuffix(":1") or op.name.strip("_")] = None
    unproven |= {text: None for place, text in made.left if place <= end}
    rows, columns = _seen(made, memory)
    if any(place <= end for place, _ in made.left):  # whatever came of those values
        height, width = made.inputs["history"].shape[-2:]
        rows, columns = [0, height - 1], [0, width - 1]
    of_maps = bool(len(rows))
    if not of_maps:
        rows, columns = [cell[0]], [cell[1]]
    return Field(
        (int(min(rows)), int(max(rows))), (int(min(columns)), int(max(columns))),
        tuple(whole), tuple(normed), tuple(unproven), of_maps,
    )  # fmt: skip


def _seen(made: Record, memory: "Memory") -> tuple[Sequence[int], Sequence[int]]:
    """Rows and columns of the inputs' maps that are asked for."""
    rows: set[int] = set()
    columns: set[int] = set()
    for ref in made.inputs.values():
        mask = memory.asked_of(ref) if len(ref.shape) >= 4 else None
        if mask is None:
            continue
        flat = mask.reshape(-1, *mask.shape[-2:]).any(0)
        rows |= set(torch.nonzero(flat.any(1)).flatten().tolist())
        columns |= set(torch.nonzero(flat.any(0)).flatten().tolist())
    return sorted(rows), sorted(columns)


def weights_that_reach(made: Record) -> set[str]:
    """The modules of whose own weights something reaches the forecast, be their `forward` called or
    not."""
    reached: set[int] = set()
    if made.output is None:
        return set()
    wanted = {made.output.storage}
    reached |= wanted & set(made.weights)
    for op in reversed(made.ops):
        if any(ref.storage in wanted for ref in op.outputs):
            wanted |= {ref.storage for ref in op.inputs}
            reached |= op.weights
    return set().union(*(made.weights[number] for number in reached)) if reached else set()


class Memory:
    """Which elements of every storage are asked for."""

    def __init__(self, made: Record) -> None:
        self.items, self.bytes = made.items, made.bytes
        self.masks: dict[int, Tensor] = {}

    def _window(self, ref: Ref) -> Tensor:
        """The elements of a tensor in its storage; with an axis more where it has smaller elements
        under another name, as a complex number has its two parts."""
        unit = self.items[ref.storage]
        mask = self.masks[ref.storage]
        parts = ref.item // unit
        shape, strides = list(ref.shape), [s * parts for s in ref.strides]
        return mask.as_strided([*shape, parts], [*strides, 1], ref.offset * parts)

    def ask(self, ref: Ref, mask: Tensor) -> None:
        """Ask for elements of a tensor."""
        if ref.storage not in self.masks:
            size = self.bytes[ref.storage] // self.items[ref.storage]
            self.masks[ref.storage] = torch.zeros(size, dtype=torch.bool)
        chosen = mask.expand(ref.shape)
        window = self._window(ref)
        if 0 in ref.strides:  # broadcast: several elements are one
            for axis, stride in enumerate(ref.strides):
                if stride == 0 and ref.shape[axis] > 1:
                    chosen = chosen.any(axis, keepdim=True)
                    window = window.narrow(axis, 0, 1)
        window |= chosen[..., None]

    def asked_of(self, ref: Ref) -> Tensor | None:
        """The elements of a tensor that are asked for, None if there is none."""
        if ref.storage not in self.masks:
            return None
        mask = self._window(ref).any(-1)
        return mask if bool(mask.any()) else None

    def overwritten(self, ref: Ref) -> None:
        """What was there before isn't asked for any more."""
        if ref.storage in self.masks:
            self._window(ref).zero_()


def effective_field(subject: Specimen, cell: tuple[int, int], steps: list[int]) -> np.ndarray:
    """(H, W) mean over steps of Σ |∂ log λ(cell) / ∂ input| over lagged frames and input maps. Raises
    UserError for a cell or a step that there isn't."""
    check_cell(cell, *subject.area.shape)
    total = torch.zeros(subject.area.shape)
    for step in steps:
        batch = subject.batch([step])
        history, static = batch.history.requires_grad_(), batch.static.requires_grad_()
        with torch.enable_grad():
            rate = subject.network(history, batch.calendar, static)
            value = rate[0, :, cell[0], cell[1]].float().sum()
            inputs = [x for x in (history, static) if x.numel()]
            gradients = torch.autograd.grad(value, inputs, allow_unused=True)
        for gradient in gradients:
            if gradient is not None:
                total += gradient[0].abs().flatten(0, -3).sum(dim=0)
    return (total / len(steps)).numpy()


def radius_holding(field: np.ndarray, cell: tuple[int, int], share: float) -> float:
    """Distance in cells within which a share of an effective field (H, W) lies; 0 for an empty one.

    >>> field = np.zeros((5, 5))
    >>> field[2, 2], field[2, 4] = 3.0, 1.0
    >>> radius_holding(field, (2, 2), 0.5), radius_holding(field, (2, 2), 0.9)
    (0.0, 2.0)
    """
    rows, columns = np.indices(field.shape)
    distance = np.hypot(rows - cell[0], columns - cell[1]).ravel()
    order = np.argsort(distance, kind="stable")
    held = np.cumsum(field.ravel()[order])
    if held[-1] <= 0:
        return 0.0
    return float(distance[order][np.searchsorted(held, share * held[-1] - 1e-12)])
