"""What is shown of a network, proven: by running it again, part by part, on inputs that are changed.

Fields are found twice: from the operations that the tape wrote down, and by changing each row and each
column of the inputs, in double precision, and seeing which layers' middle cells change. Where the two
differ by more than a cell, or an operation isn't known, what is shown isn't proven, and says so.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from crimecast.inspect.graph import kind_of
from crimecast.inspect.receptive import Cell, Field, field_of_forecast, field_of_layer
from crimecast.inspect.replaying import Check, parts_read, replays, several
from crimecast.inspect.subject import subject
from crimecast.inspect.trial import (
    FORECAST,
    ROOM,
    TOO_LARGE,
    Seen,
    Trial,
    cell_of_forecast,
    copy_of,
    elsewhere,
    others,
)
from crimecast.inspect.whole import whole_network
from crimecast.networks.axes import Axes
from crimecast.networks.looked import Looked
from crimecast.networks.moved import width_of
from crimecast.networks.taped import Record
from crimecast.runs.run import Run
from crimecast.storage.kept import code_of
from crimecast.storage.store import read_json, write_json


@dataclass(frozen=True)
class Layer:
    """A call of a layer: its channels, and the cells of the input that the middle of its map sees
    above, below, left and right of itself; each None where that isn't proven. `shown`: what of its output is
    shown, and how, where that isn't simply all of it as it stands."""

    layer: str
    kind: str
    channels: int | None
    field: tuple[int, int, int, int] | None
    shown: str = ""


@dataclass(frozen=True)
class Proof:
    """What is proven of a network. The last of the layers is the forecast itself."""

    checks: list[Check] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether all of it is."""
        return all(check.ok for check in self.checks)

    def row(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "proven": self.proven,
            "checks": [asdict(check) for check in self.checks],
            "layers": [asdict(layer) for layer in self.layers],
        }

    @property
    def doubts(self) -> list[Check]:
        """What isn't proven."""
        return [check for check in self.checks if not check.ok]


def proof_of(run: Run) -> Proof:
    """The proof of a run's network, made at the first asking and kept beside it."""
    known = known_proof(run)
    if known is None:
        known = prove(subject(run))
        write_json(run.folder / "proof.json", {"stamp": _stamp(run), **known.row()})
    return known


def known_proof(run: Run) -> Proof | None:
    """The proof, if one was made of this network by this code."""
    path = run.folder / "proof.json"
    if not path.exists():
        return None
    kept = read_json(path)
    if kept["stamp"] != _stamp(run):
        return None
    layers = [
        Layer(**{**one, "field": tuple(one["field"]) if one["field"] else None})
        for one in kept["layers"]
    ]
    return Proof([Check(**one) for one in kept["checks"]], layers)


def _stamp(run: Run) -> list[object]:
    return [run.stamp, code_of("inspect", "networks", "designs").hex()]


def prove(one: Looked) -> Proof:
    """Try everything that is shown of a network."""
    inputs = one.example()
    fresh = copy_of(one.network)
    _, returned = one.first_pass
    if not issubclass(returned, Tensor):
        kind = returned.__name__
        why = f"the module returns a {kind}, where a forecast is one tensor"
        return Proof([Check("shape", None, False, why)])
    made = one.recorded()
    grid = tuple(inputs["history"].shape[-2:])
    shape = None if made.output is None else made.output.shape
    if shape is None or len(shape) != 4 or tuple(shape[-2:]) != grid:
        why = f"the module returns {shape}, where a forecast is (1, types, {grid[0]}, {grid[1]})"
        return Proof([Check("shape", None, False, why)])
    trial = Trial(one, inputs, fresh)
    checks = [
        *replays(one, inputs),
        *_axes(one, made),
        *several(one, inputs),
        *parts_read(one, made, inputs),
    ]
    layers, found = _fields(one, made, trial)
    checks += [*found, *whole_network(trial)]
    return Proof(checks, layers)


# Which axes are places, and which channels


def _is_vector(one: Looked, label: str, axes: Axes, shape: tuple[int, ...]) -> bool:
    """Whether a layer gives a vector for each sample, in which there is nothing to mistake: a list of places with
    one feature each is none."""
    several = sum(size > 1 for size in shape[1:])
    width = width_of(one.layers.get(label.partition(":")[0]))
    own = width in (0, axes.count(shape)) or several == 0
    return not axes.is_map and axes.folded == 1 and several < 2 and own


def _axes(one: Looked, made: Record) -> list[Check]:
    checks = []
    for label, call in made.calls.items():
        shape = call.shapes[0] if call.shapes else ()
        axes = one.axes(label, shape)
        if _is_vector(one, label, axes, shape):
            continue
        why = "" if axes.proven else "no axis was seen to move with the places of the inputs"
        why = why if axes.folded else "which axis is the batch's isn't known"
        checks.append(Check("axes", label, axes.proven, why))
    return checks


# What is seen


def _fields(one: Looked, made: Record, trial: Trial) -> tuple[list[Layer], list[Check]]:
    places = {
        label: one.axes(label, call.shapes[0])
        for label, call in made.calls.items()
        if call.shapes and call.outputs[0] is not None
    }
    middles = {
        label: (axes.size(made.calls[label].shapes[0])[0] // 2, axes.size(made.calls[label].shapes[0])[1] // 2)
        for label, axes in places.items()
        if axes.is_map
    }  # fmt: skip
    fields = {
        label: field_of_layer(made, label, places[label], cell, statistics=True)
        for label, cell in middles.items()
        if not trial.too_large
    }
    fields |= {
        cell_of_forecast(cell): field_of_forecast(made, cell, statistics=True)
        for cell in trial.cells
    }
    # What nobody knows may look at the whole batch, so that one sample's change moves the others.
    trial.apart = any(one.unproven for one in fields.values())
    seen = trial.changes(
        places,
        lambda seen: all(_compared(f, seen.get(k), trial) == "" for k, f in fields.items()),
    )
    layers, checks = [], []
    for label, axes in places.items():
        shape = made.calls[label].shapes[0]
        count = axes.count(shape) if axes.channels else 1
        around = None
        if axes.is_map:
            why = _compared(fields[label], seen.get(label), trial) if label in fields else TOO_LARGE
            check = Check("field", label, not why, why)
            if not axes.proven and check.ok:
                check = Check("field", label, False, "which axes are places isn't proven")
            here = _of_input(middles[label], axes.size(shape), trial.grid)
            if check.ok and (away := _misplaced(label, axes.size(shape), seen, trial.grid)):
                check = Check("field", label, False, away)
            checks.append(check)
            if check.ok:
                around = fields[label].around(here)
        known = count if axes.proven or _is_vector(one, label, axes, shape) else None
        layers.append(Layer(label, kind_of(one, label), known, around, _shown(axes, shape)))
    layers.append(_of_forecast(made, trial, fields, seen, checks))
    return layers, checks


def _shown(axes: Axes, shape: tuple[int, ...]) -> str:
    """What is said of how a layer's maps are shown."""
    said = []
    if (parts := axes.parts(shape)) > 1:
        what = "parts that lie in the batch" if axes.apart else "steps"
        said.append(f"of its {parts} {what} the last is shown")
    if axes.mirrored:
        ways = " and ".join(("north–south", "west–east")[axis] for axis in axes.mirrored)
        said.append(f"its maps run the other way {ways} and are shown as the city lies")
    return "; ".join(said)


def _of_forecast(
    made: Record, trial: Trial, fields: dict[str, Field], seen: dict[str, Seen], checks: list[Check]
) -> Layer:  # fmt: skip
    """The forecast itself: the field of the middle cell, and those of others tried too."""
    doubts = []
    for cell in trial.cells:
        label = cell_of_forecast(cell)
        if why := _compared(fields[label], seen.get(label), trial):
            doubts.append(f"in cell {cell[0]}, {cell[1]}: {why}")
    checks.append(Check("field", FORECAST, not doubts, doubts[0] if doubts else ""))
    middle = trial.cells[0]
    around = None if doubts else fields[cell_of_forecast(middle)].around(middle)
    count = made.output.shape[1] if made.output and len(made.output.shape) > 1 else None
    return Layer(FORECAST, "output", count, around)


def _misplaced(label: str, size: Cell, seen: dict[str, Seen], grid: Cell) -> str:
    """Why a map, or a part of it, isn't where it is shown; "" if it is."""
    middle = (size[0] // 2, size[1] // 2)
    tried = [(label, middle)]
    tried += [(elsewhere(label, number), cell) for number, cell in enumerate(others(size))]
    for name, cell in tried:
        there = seen.get(name)
        if there is None or not there.rows or not there.columns:
            continue
        # What lies at the border may well be masked: there only the opposite one is elsewhere.
        corner = cell in ((0, 0), (size[0] - 1, size[1] - 1))
        room = (grid[0] // 2, grid[1] // 2) if corner else _stride(size, grid)
        if why := _away(there, _of_input(cell, size, grid), room):
            return why
    return _rolled(label, size, seen, grid)


def _rolled(label: str, size: Cell, seen: dict[str, Seen], grid: Cell) -> str:
    """Why a map is moved round by a few cells: in the middle it sees more on one side than on the other, and
    cells of a corner see what lies at the opposite edge."""
    there = seen.get(label)
    corners = [seen.get(elsewhere(label, number)) for number in (3, 4)]
    if there is None or not all(corners):
        return ""
    own = _of_input((size[0] // 2, size[1] // 2), size, grid)
    for axis, (name, middle) in enumerate((("rows", there.rows), ("columns", there.columns))):
        if not middle:
            continue
        before, after = own[axis] - min(middle), max(middle) - own[axis]
        wide, stride = max(middle) - min(middle) + 1, _stride(size, grid)[axis]
        lines = [(c.rows, c.columns)[axis] for c in corners if c]
        far = any(one and max(one) - min(one) + 1 > wide for one in lines)
        if abs(before - after) > stride and wide < grid[axis] // 2 and far:
            return f"its map is moved round: a cell of it sees {before} {name} before its own and {after} after, at the border those of the other edge"
    return ""


def _stride(size: Cell, grid: Cell) -> Cell:
    """Cells of the inputs that one of a coarser map covers."""
    return -(-grid[0] // size[0]), -(-grid[1] // size[1])


def _away(seen: Seen, here: Cell, room: Cell) -> str:
    """Why a cell isn't where it is shown, as on a map that was rolled: it sees nothing of what lies there."""
    for name, own, lines, most in zip(
        ("rows", "columns"), here, (seen.rows, seen.columns), room, strict=True
    ):
        gap = min(abs(line - own) for line in lines)
        if gap > most:
            return f"its map lies elsewhere than the city's: what a cell of it sees begins {gap} {name} away"
    return ""


def _of_input(cell: Cell, size: Cell, grid: Cell) -> Cell:
    """The cell of the inputs in the middle of what a cell of a coarser map covers."""
    row, column = (int((c + 0.5) * g / s) for c, s, g in zip(cell, size, grid, strict=True))
    return row, column


def _compared(said: Field, seen: Seen | None, trial: Trial) -> str:
    """Why a field isn't proven, "" if it is."""
    if seen is None:
        return trial.why or "it couldn't be run on changed inputs"
    if not said.of_maps and (seen.rows or seen.columns):
        return "a change of the maps reached it, its operations say that none can"
    if not seen.rows or not seen.columns:
        return "no change of the inputs reached it" if said.of_maps else ""
    for name, own, there, last in (
        ("rows", said.rows, seen.rows, trial.grid[0] - 1),
        ("columns", said.columns, seen.columns, trial.grid[1] - 1),
    ):
        low, high = min(there), max(there)
        if low < own[0] or high > own[1]:
            return f"a change of {name} {low} to {high} reached it, its operations say {own[0]} to {own[1]}"
        if said.unproven and (low > 0 or high < last):
            return f"no rule says what is seen through {', '.join(said.unproven)}"
        if low - own[0] > ROOM or own[1] - high > ROOM:
            return f"its operations reach {name} {own[0]} to {own[1]}, but only changes of {low} to {high} did"
    return ""
