"""Receptive fields: what a cell's forecast can see (exact, from the network), and what it does see.

The theoretical field follows the tape of a forward pass backwards from one cell of the output,
operation by operation (Araujo, Norris & Sim 2019, Distill: "Computing receptive fields of
convolutional neural networks"), so borders, strides and a user's own code are taken as they are.
The effective one is the mean absolute gradient of the cell's log rate by the inputs
(Luo et al. 2016, NeurIPS).
"""

from dataclasses import dataclass

import numpy as np
import torch

from crimecast.designs.build import Network, build
from crimecast.designs.inputs import map_count
from crimecast.designs.spec import Design
from crimecast.inspect.specimen import Specimen
from crimecast.inspect.tape import Tape, record

INPUTS = 3  # the first records of a tape: history, calendar, static


@dataclass(frozen=True)
class Field:
    """The cells that one cell's forecast can see, bounds included; `whole` names what mixes the map."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    whole: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that are seen."""
        return self.rows[1] - self.rows[0] + 1, self.columns[1] - self.columns[0] + 1

    def reach(self, cell: tuple[int, int]) -> int:
        """Cells seen beyond the cell itself, in the direction where it sees furthest."""
        return max(
            cell[0] - self.rows[0], self.rows[1] - cell[0],
            cell[1] - self.columns[0], self.columns[1] - cell[1],
        )  # fmt: skip


def theoretical_field(subject: Specimen, cell: tuple[int, int]) -> Field:
    """What the forecast of a cell (row, column) can see of the inputs."""
    batch = subject.batch(subject.probes(1))
    tape = record(subject.network, subject.layers, batch.history, batch.calendar, batch.static)
    return field_on_tape(tape, len(tape.records) - 1, cell)


def fields_of_design(
    design: Design, types: int, height: int, width: int, calendar: int
) -> dict[str, Field]:
    """Layer → what the middle of its map can see, of a design that isn't trained yet.

    Layers that put out no map are left out. Raises UserError for a spec whose shapes clash.
    """
    network = build(design, types, height, width, calendar)
    assert isinstance(network, Network)  # a user's own module isn't built to be drawn
    maps = map_count(design, types)
    tape = record(
        network, dict(network.blocks.items()), torch.zeros(1, len(design.lags), types, height, width),
        torch.zeros(1, calendar), torch.zeros(1, maps, height, width),
    )  # fmt: skip
    made = {}
    for placed in network.placed:
        name = placed.layer.name
        last = tape.outputs[name][-1]
        if tape.records[last].places is not None:
            rows, columns = tape.records[last].sizes
            made[name] = field_on_tape(tape, last, (rows // 2, columns // 2))
    return made


def field_on_tape(tape: Tape, target: int, cell: tuple[int, int]) -> Field:
    """Follow one cell of a record back to the inputs."""
    # Which rows and which columns of each record have a part in the cell.
    seen: dict[int, list[np.ndarray]] = {target: [np.array([cell[0]]), np.array([cell[1]])]}
    found: list[list[np.ndarray]] = []
    whole: dict[str, None] = {}
    for number in range(target, -1, -1):
        if number not in seen:
            continue
        made = tape.records[number]
        if number < INPUTS and made.places is not None:
            found.append(seen[number])
        for source, *taps in zip(made.inputs, made.rows, made.columns, strict=True):
            before = tape.records[source]
            if before.places is None and not _leads_to_map(tape, source):
                continue
            sizes = before.sizes
            parts = []
            for own, tap, size in zip(seen[number], taps, sizes, strict=True):
                chosen = np.unique(tap[np.minimum(own, len(tap) - 1)])
                parts.append(chosen[(chosen >= 0) & (chosen < size)])
            if not len(parts[0]) or not len(parts[1]):
                continue  # all of it padding
            every = tuple(map(len, parts)) == sizes
            if before.places and every and made.name in _WHOLE and min(sizes) > 1:
                whole[made.layer or made.name] = None
            known = seen.get(source)
            seen[source] = (
                [np.union1d(*pair) for pair in zip(known, parts, strict=True)] if known else parts
            )
    if not found:
        return Field((cell[0], cell[0]), (cell[1], cell[1]), tuple(whole))
    rows, columns = (np.concatenate([f[axis] for f in found]) for axis in (0, 1))
    return Field(
        (int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max())), tuple(whole)
    )


_WHOLE = {
    "mean", "sum", "amax", "amin", "max", "min", "std", "var", "matmul", "bmm", "linear", "softmax",
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "scaled_dot_product_attention", "einsum",
}  # fmt: skip


def _leads_to_map(tape: Tape, number: int) -> bool:
    """Whether a record without places was made from one that has them (a mean over the map, say)."""
    seen, ahead = set(), [number]
    while ahead:
        at = ahead.pop()
        if at in seen:
            continue
        seen.add(at)
        if tape.records[at].places is not None:
            return True
        ahead += tape.records[at].inputs
    return False


def effective_field(subject: Specimen, cell: tuple[int, int], steps: list[int]) -> np.ndarray:
    """(H, W) mean over steps of Σ |∂ log λ(cell) / ∂ input| over lagged frames and input maps."""
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
