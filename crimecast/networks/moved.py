"""Which axes of what a layer gives are places, which are steps, and which are its channels.

Found by what moves: the inputs are shifted by some rows, by some columns, and by a lag, and the axis
along which the output shifts with them is the axis of rows, of columns, of steps. What is left are the
channels. Where rows and columns shift along one axis, that axis is a list of places, row by row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from crimecast.networks.axes import Axes, by_shape
from crimecast.networks.calls import ROOT, Counter, Outputs, first_tensor, watched
from crimecast.networks.clocked import clocked

DRAWS = 2  # pairs of inputs whose difference is shifted
ENOUGH = 32  # of many channels
HEAVY = 0.2  # seconds a sample takes above which one pair has to do
STRIDES = 3  # other strides than those of a power of two that are tried
SURE = 0.8  # the error of the best axes must be below this share of every other's
BEFORE = (
    0,
    1,
    2,
    4,
    5,
    8,
    9,
)  # class tokens and registers that may stand before places, or after them
FEWEST, FEWEST_AFTER = (
    9,
    16,
)  # places that a list may be of, and those after entries of another sort
MIRRORED = 0.5  # and this share of that the right way round, where an axis runs the other way
CLOSE = 0.8  # and below this; values that have nothing to do with one another have 1
CONVOLUTIONS = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip
ALONE = 0.4  # and below this, for steps of a single channel


@torch.no_grad()
def axes_of(
    network: nn.Module,
    modules: dict[str, nn.Module],
    inputs: dict[str, Tensor],
    seed: int = 0,
    outputs: "Outs | None" = None,
) -> dict[str, Axes]:
    """The axes of every call's output, by label; `inputs` are one step's, and are only taken for their
    shapes and the calendar. `outputs` gives other tensors of a pass than what its calls put out."""
    outputs = outputs or _outputs
    history, calendar, static = inputs.values()
    height, width = history.shape[-2:]
    made = torch.Generator().manual_seed(seed)
    network.eval()
    past, maps = (
        torch.randn(2 * DRAWS, *x.shape[1:], generator=made, dtype=torch.float32)
        for x in (history, static)
    )
    past = 3 * past.abs()

    def run(h: Tensor, s: Tensor) -> dict[str, Tensor]:
        return outputs(network, modules, h, calendar.expand(len(h), -1), s)

    took, single = clocked(lambda: run(past[:1], maps[:1]))
    batch = 2 if took > HEAVY else 2 * DRAWS
    past, maps = past[:batch], maps[:batch]
    plain, lagged = run(past, maps), run(past.roll(1, 1), maps)
    found: dict[str, Axes] = {}
    # Half the map is a step of even the coarsest one, but little of a map is left to compare.
    tries = [(_shift(height), _shift(width)), (height // 2, width // 2)]
    for number in range(2 + STRIDES):
        left = [label for label in plain if label not in found or not found[label].proven]
        if number == 2 and batch > 2:
            shapes = [tuple(plain[label].shape[1:]) for label in left]
            tries += [(by, by) for by in _strides(shapes, (height, width)) if tries[0][0] % by]
        if not left or number >= len(tries) or not all(tries[number]):
            break
        shifts = tries[number]
        rows = run(past.roll(shifts[0], -2), maps.roll(shifts[0], -2))
        columns = run(past.roll(shifts[1], -1), maps.roll(shifts[1], -1))
        for label in left:
            parts = [x for way in (rows, columns, lagged) if (x := way.get(label)) is not None]
            if len(parts) == 3 and all(x.shape == plain[label].shape for x in parts):
                alone = single.get(label)
                of = 0 if alone is None else _batch_axis(alone, plain[label], batch)
                if of is None:
                    found[label] = Axes(None, None, (), folded=0)
                    continue
                given = [x.movedim(of, 0) for x in (plain[label], *parts)]
                declared = _declared(modules.get(label.partition(":")[0]), plain[label], of)
                own = _axes(given, batch, (height, width), shifts, history.shape[1], declared)
                order = [of, *(axis for axis in range(plain[label].dim()) if axis != of)]
                found[label] = own._renamed(order.__getitem__) if of else own
    if set(single) != set(plain):  # it runs its layers once for each sample: those of one are shown
        return {
            label: found.get(label) or by_shape(tuple(x.shape), (height, width))
            for label, x in single.items()
        }
    return {label: found[label] for label in plain if label in found}


def _strides(shapes: list[tuple[int, ...]], grid: tuple[int, int]) -> list[int]:
    """By how much coarser maps may be that have these shapes, as patches of 7 × 7 cells are."""
    found = []
    for by in range(3, min(grid) // 2 + 1):
        sizes = [{g // by, -(-g // by)} for g in grid]
        pairs = any(a in sizes[0] and b in sizes[1] for shape in shapes for a, b in pairwise(shape))
        lists = any(
            size - a * b in BEFORE and a * b >= FEWEST
            for shape in shapes for size in shape for a in sizes[0] for b in sizes[1]
        )  # fmt: skip
        if pairs or lists:
            found.append(by)
    return found


def _batch_axis(alone: Tensor, several: Tensor, batch: int) -> int | None:
    """The axis that holds the samples, one after the other: it is the one that grows with them. None where
    they take turns in it, as where steps stand before samples (T·B, …)."""
    grown = [
        axis
        for axis, (one, all_) in enumerate(zip(alone.shape, several.shape, strict=False))
        if one != all_
    ]
    if alone.dim() != several.dim() or len(grown) != 1:
        return None
    axis = grown[0]
    folded = alone.shape[axis]
    if several.shape[axis] != batch * folded:
        return None
    if folded == 1:
        return axis
    both = several.movedim(axis, 0), alone.movedim(axis, 0)
    in_order, in_turn = (
        float((part - both[1]).abs().nan_to_num().sum())
        for part in (both[0][:folded], both[0][::batch])
    )
    return axis if in_order <= in_turn else None


Outs = Callable[..., dict[str, Tensor]]


def _outputs(
    network: nn.Module, modules: dict[str, nn.Module], *inputs: Tensor
) -> dict[str, Tensor]:
    counter, kept = Counter(), Outputs()
    stack: list[tuple[str, int]] = []

    def enter(name: str, _args: object, _kwargs: object) -> None:
        stack.append((name, counter.begin(name)))

    def leave(name: str, output: object) -> None:
        _, number = stack.pop()
        tensor = first_tensor(output)
        if name != ROOT and tensor is not None and tensor.layout == torch.strided:
            kept.put(name, number, tensor.detach().clone())

    network.eval()
    with watched({ROOT: network, **modules}, enter, leave):
        network(*inputs)
    return kept


def _shift(size: int) -> int:
    """Cells to shift by: a multiple of every usual stride, and less than half, which is the same both ways."""
    return 8 if size > 16 else 4 if size > 8 else max(1, size // 3)


def _declared(module: nn.Module | None, made: Tensor, of: int) -> tuple[int, bool] | None:
    """The axis that a module's kind says are its features, the samples' being the first, and whether they
    can be no places: a linear layer may mix those, a convolution none."""
    axis = None
    if isinstance(module, nn.Linear):
        axis = made.dim() - 1
    elif isinstance(module, CONVOLUTIONS):
        axis = made.dim() - 1 - len(module.kernel_size)
    if axis is None or axis == of or made.shape[axis] != width_of(module):
        return None
    return (axis + 1 if axis < of else axis), isinstance(module, CONVOLUTIONS)


def width_of(module: nn.Module | None) -> int:
    """How many features a convolution or a linear layer gives; 0 of others."""
    return int(getattr(module, "out_channels", getattr(module, "out_features", 0)))


def _axes(
    outputs: list[Tensor],
    batch: int,
    grid: tuple[int, int],
    shifts: tuple[int, int],
    lags: int,
    declared: tuple[int, bool] | None = None,
) -> Axes:
    shape = tuple(outputs[0].shape)
    if not shape or shape[0] % batch:
        return Axes(None, None, (), folded=0)
    folded = shape[0] // batch
    for axis, size in enumerate(shape[1:], 1):  # too long to be a place: some of it tells as much
        if size > max(*grid, ENOUGH) + 2 and not _lists(size, grid):
            outputs = [x.narrow(axis, 0, ENOUGH) for x in outputs]
    # Differences of two inputs: what is added at a place whatever comes in falls out.
    plain, rows, columns, lagged = (_differences(x, batch, folded) for x in outputs)
    ways = _ways(plain, rows, columns, grid, shifts)
    apart = folded > 1 and _by_lag(plain, lagged, 1, lags) >= CLOSE
    if apart and ways and 0 not in min(ways, key=lambda way: ways[way]).where:
        # Not steps: each may lie another way, and the last is shown.
        plain, rows, columns, lagged = (x[:, -1:] for x in (plain, rows, columns, lagged))
        ways = _ways(plain, rows, columns, grid, shifts)
    if declared and declared[1]:
        ways = {way: error for way, error in ways.items() if declared[0] not in way.where}
    rest = tuple(range(1, len(shape)))
    guess = by_shape(shape, grid) if folded == 1 else Axes(None, None, rest[:1], folded=folded)
    if not ways:
        return guess
    (best, error), *others = sorted(ways.items(), key=lambda way: way[1])
    rivals = [other for _, other in others]
    rivals += [_error(plain, moved, 0, 0) for moved in (rows, columns)]  # nothing moves at all
    if error >= CLOSE or any(error >= SURE * other for other in rivals):
        return guess
    where = best.where
    left = [axis for axis in rest if axis not in where]
    steps = None
    if (folded == 1 or 0 in where) and len(left) > 1:
        by_lag = {axis: _by_lag(plain, lagged, axis + 1, lags) for axis in left}
        steps = min(left, key=lambda axis: by_lag[axis])
        # A few features of all steps may look like them by chance.
        single = all(shape[axis] == 1 for axis in left if axis != steps)
        surely = by_lag[steps] < (ALONE if single else CLOSE)
        steps = steps if surely and not (declared and declared[0] == steps) else None
    channels = tuple(axis for axis in left if axis != steps)
    if sum(shape[axis] > 1 for axis in channels) > 1:
        return guess  # one of them may be the places within a window
    return Axes(
        *where, channels, steps, best.places, best.before, folded, proven=True,
        by_column=best.by_column, mirrored=best.mirrored, apart=apart and 0 not in where,
    )  # fmt: skip


@dataclass(frozen=True)
class _Way:
    """How places may lie in a tensor: as in `Axes`."""

    where: tuple[int, int]
    before: int = 0
    places: tuple[int, int] | None = None
    by_column: bool = False
    mirrored: tuple[int, ...] = ()


def _ways(
    plain: Tensor, rows: Tensor, columns: Tensor, grid: tuple[int, int], shifts: tuple[int, int]
) -> "dict[_Way, float]":
    """How places may lie, each with its error."""
    given = plain, rows, columns, grid, shifts
    return _apart(*given) | _listed(*given)


def _apart(
    plain: Tensor, rows: Tensor, columns: Tensor, grid: tuple[int, int], shifts: tuple[int, int]
) -> dict[_Way, float]:
    """The error of every two axes as those of rows and columns."""
    errors: list[dict[int, tuple[float, bool]]] = [{}, {}]
    for along, moved in enumerate((rows, columns)):
        for axis in range(1, plain.dim()):  # after the draws; the first is what the batch folds
            size = plain.shape[axis]
            step = round(shifts[along] * size / grid[along])
            if 1 < size <= grid[along] + 2 and 0 < step < size:
                errors[along][axis] = _either_way(plain, moved, axis, step)
    return {
        _Way((a - 1, b - 1), mirrored=_which(one[1], other[1])): max(one[0], other[0])
        for a, one in errors[0].items()
        for b, other in errors[1].items()
        if a != b
    }


def _either_way(plain: Tensor, moved: Tensor, axis: int, step: int) -> tuple[float, bool]:
    """The error along an axis, and whether it runs the other way; 1 where that can't be told well. Half of it
    is the same both ways."""
    along, against = _error(plain, moved, axis, step), _error(moved, plain, axis, step)
    if against >= SURE * along:
        return along, False
    return (against, True) if against < MIRRORED * along else (1.0, False)


def _which(rows: bool, columns: bool) -> tuple[int, ...]:
    return tuple(axis for axis, turned in enumerate((rows, columns)) if turned)


def _listed(
    plain: Tensor, rows: Tensor, columns: Tensor, grid: tuple[int, int], shifts: tuple[int, int]
) -> dict[_Way, float]:
    """The error of every axis as a list of places."""
    found: dict[_Way, float] = {}
    for axis in range(1, plain.dim()):
        for before, high, wide in _lists(plain.shape[axis], grid):
            steps = round(shifts[0] * high / grid[0]), round(shifts[1] * wide / grid[1])
            if not (0 < steps[0] < high and 0 < steps[1] < wide):
                continue
            for by_column in (False, True):
                shape = (wide, high) if by_column else (high, wide)
                one, down, across = (
                    x.narrow(axis, before, high * wide).unflatten(axis, shape)
                    for x in (plain, rows, columns)
                )
                first = _either_way(one, down, axis + by_column, steps[0])
                second = _either_way(one, across, axis + (not by_column), steps[1])
                mirrored = _which(first[1], second[1])
                way = _Way((axis - 1, axis - 1), before, (high, wide), by_column, mirrored)
                found[way] = max(first[0], second[0])
    return found


def _differences(x: Tensor, batch: int, folded: int) -> Tensor:
    x = x.reshape(batch, folded, *x.shape[1:])
    x = torch.view_as_real(x) if x.is_complex() else x
    x = x.double()
    made = x[::2] - x[1::2]
    return torch.where(made.isfinite(), made, 0.0)


def _lists(size: int, grid: tuple[int, int]) -> list[tuple[int, int, int]]:
    """How a list of that length may hold a map: entries before it, rows, columns."""
    found = []
    for by in range(1, max(2, max(grid) // 2 + 1)):
        for high, wide in {
            (grid[0] // by, grid[1] // by), (-(-grid[0] // by), -(-grid[1] // by)),
        }:  # fmt: skip
            extra = size - high * wide
            # A handful of entries, windows or lags, fits some small map by chance.
            enough = high * wide >= (FEWEST_AFTER if extra else FEWEST)
            if min(high, wide) > 1 and extra in BEFORE and enough:
                found += [(before, high, wide) for before in range(extra + 1)]
    return list(dict.fromkeys(found))


def _error(plain: Tensor, shifted: Tensor, axis: int, step: int) -> float:
    """How far the shifted is from the plain, shifted: 0 alike, 1 unrelated."""
    size = plain.shape[axis] - step
    one, other = plain.narrow(axis, 0, size), shifted.narrow(axis, step, size)
    total = float((one.pow(2).sum() + other.pow(2).sum()).sqrt())
    return float((one - other).norm()) / total if total > 1e-12 else 1.0


def _by_lag(plain: Tensor, lagged: Tensor, axis: int, lags: int) -> float:
    size = plain.shape[axis]
    if size < 2 or size > lags:
        return 1.0
    return min(_error(plain, lagged, axis, 1), _error(lagged, plain, axis, 1))


# Operations that leave the axes of a map (B, C, H, W) where they are, beside those of each value and those
# that reduce axes to one and keep them.
