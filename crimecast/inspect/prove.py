"""What is shown of a network, proven: by running it again, part by part, on inputs that are changed.

Fields are found twice: from the operations that the tape wrote down, and by changing each row and each
column of the inputs, in double precision, and seeing which layers' middle cells change. Where the two
differ by more than a cell, or an operation isn't known, what is shown isn't proven, and says so.
"""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.parametrize import ParametrizationList

from crimecast.designs.build import named_layers
from crimecast.inspect.graph import kind_of
from crimecast.inspect.receptive import Cell, Field, field_of_forecast, field_of_layer
from crimecast.inspect.replaying import Check, alike, replays, several
from crimecast.inspect.subject import subject
from crimecast.networks.axes import Axes
from crimecast.networks.calls import ROOT, Counter, first_tensor, watched
from crimecast.networks.looked import Looked
from crimecast.networks.tape import Record
from crimecast.runs.run import Run
from crimecast.storage.kept import code_of
from crimecast.storage.store import read_json, write_json

DRAWS = 3  # inputs that are changed row by row and column by column
ROOM = 1  # cells by which the operations may reach further than any change was seen to
SECONDS = 12.0  # that the changes may take, before fewer are made
TOGETHER = 16  # samples in a pass
HEAVY = 0.2  # seconds a pass above which it is tried in single precision, and with fewer passes
FAINT = 1e-12  # change, relative to a layer's size, that counts; of single precision 1e-5
FORECAST = "forecast"
TOO_LARGE = "it is too large to be run on changed inputs in the time"


@dataclass(frozen=True)
class Layer:
    """A call of a layer: its channels, and the cells of the input that the middle of its map sees
    above, below, left and right of itself; None where that isn't proven."""

    layer: str
    kind: str
    channels: int | None
    field: tuple[int, int, int, int] | None


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
    return [run.stamp, code_of("inspect", "networks").hex()]


def prove(one: Looked) -> Proof:
    """Try everything that is shown of a network."""
    inputs = one.example()
    fresh = _copy_of(one.network)
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
    trial = _Trial(one, inputs, fresh)
    checks = [*replays(one, inputs), *_axes(one, made), *several(one, inputs)]
    layers, found = _fields(one, made, trial)
    checks += [*found, *trial.whole_network()]
    return Proof(checks, layers)


def _copy_of(network: nn.Module) -> nn.Module | None:
    """The network as it is before it is run, None if it can't be copied."""
    try:
        return copy.deepcopy(network)
    except Exception:  # whatever a user's module holds
        return None


# Which axes are places, and which channels


def _axes(one: Looked, made: Record) -> list[Check]:
    checks = []
    for label, call in made.calls.items():
        shape = call.shapes[0] if call.shapes else ()
        axes = one.axes(label, shape)
        if not axes.is_map and axes.folded == 1 and sum(size > 1 for size in shape[1:]) < 2:
            continue  # a vector: nothing to mistake
        why = "" if axes.proven else "no axis was seen to move with the places of the inputs"
        why = why if axes.folded else "which axis is the batch's isn't known"
        checks.append(Check("axes", label, axes.proven, why))
    return checks


# What is seen


def _fields(one: Looked, made: Record, trial: "_Trial") -> tuple[list[Layer], list[Check]]:
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
        _cell_of_forecast(cell): field_of_forecast(made, cell, statistics=True)
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
        layers.append(Layer(label, kind_of(one, label), count, around))
    layers.append(_of_forecast(made, trial, fields, seen, checks))
    return layers, checks


def _cell_of_forecast(cell: Cell) -> str:
    return f"{FORECAST} {cell}"


def _of_forecast(
    made: Record, trial: "_Trial", fields: dict[str, Field], seen: "dict[str, Seen]", checks: list[Check]
) -> Layer:  # fmt: skip
    """The forecast itself: the field of the middle cell, and those of others tried too."""
    doubts = []
    for cell in trial.cells:
        label = _cell_of_forecast(cell)
        if why := _compared(fields[label], seen.get(label), trial):
            doubts.append(f"in cell {cell[0]}, {cell[1]}: {why}")
    checks.append(Check("field", FORECAST, not doubts, doubts[0] if doubts else ""))
    middle = trial.cells[0]
    around = None if doubts else fields[_cell_of_forecast(middle)].around(middle)
    count = made.output.shape[1] if made.output and len(made.output.shape) > 1 else None
    return Layer(FORECAST, "output", count, around)


def _others(size: Cell) -> list[Cell]:
    """Further cells of a map where it is tried that it lies where it is shown: of rows and columns even and odd."""
    height, width = size
    return [
        (height // 4, width // 4), (min(height // 4 + 1, height - 1), 3 * width // 4), (3 * height // 4, max(width // 4 - 1, 0)),
        (0, 0), (height - 1, width - 1),
    ]  # fmt: skip


def _elsewhere(label: str, number: int) -> str:
    return f"{label} elsewhere {number}"


def _misplaced(label: str, size: Cell, seen: "dict[str, Seen]", grid: Cell) -> str:
    """Why a map, or a part of it, isn't where it is shown; "" if it is."""
    middle = (size[0] // 2, size[1] // 2)
    tried = [(label, middle)]
    tried += [(_elsewhere(label, number), cell) for number, cell in enumerate(_others(size))]
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


def _rolled(label: str, size: Cell, seen: "dict[str, Seen]", grid: Cell) -> str:
    """Why a map is moved round by a few cells: in the middle it sees more on one side than on the other, and
    cells of a corner see what lies at the opposite edge."""
    there = seen.get(label)
    corners = [seen.get(_elsewhere(label, number)) for number in (3, 4)]
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


def _away(seen: "Seen", here: Cell, room: Cell) -> str:
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


@dataclass
class Seen:
    """The rows and the columns whose change reached a layer's cell."""

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)


def _compared(said: Field, seen: Seen | None, trial: "_Trial") -> str:
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


class _Trial:
    """A copy of a network, in double precision where it can be, with inputs to change."""

    def __init__(self, one: Looked, inputs: dict[str, Tensor], fresh: nn.Module | None) -> None:
        self.one, self.inputs, self.fresh = one, inputs, fresh
        self.grid: Cell = inputs["history"].shape[-2], inputs["history"].shape[-1]
        self.why, self.faint, self.apart = "", FAINT, False
        height, width = self.grid
        middle = height // 2, width // 2
        made = torch.Generator().manual_seed(1)
        others = [
            (int(torch.randint(height, (), generator=made)), int(torch.randint(width, (), generator=made)))
            for _ in range(3)
        ]  # fmt: skip
        self.cells: list[Cell] = list(
            dict.fromkeys([middle, (0, 0), (height - 1, width - 1), *others])
        )
        self.network, self.type = self._copy()

    def _copy(self) -> tuple[nn.Module, torch.dtype]:
        self.heavy = self.one.first_pass[0] > HEAVY
        try:
            if self.heavy:
                raise TypeError("single precision has to do")
            exact = copy.deepcopy(self.one.network)._apply(double)
            exact.eval()
            with torch.no_grad():
                exact(*(x.double() for x in self.inputs.values()))
                # A copy may hold on to the original, by a closure: it must answer to other inputs as that does.
                changed = [(x.expand(2, *x.shape[1:]) + 1.0) for x in self.inputs.values()]
                own, other = (
                    self.one.network.eval()(*changed),
                    exact(*(x.double() for x in changed)),
                )
                if not alike(other.float(), own.float(), 1e-2):
                    raise ValueError("the copy gives something else")
            return exact, torch.float64
        except Exception:  # what has single precision written into it
            self.faint = 1e-5
            return self.one.network.eval(), torch.float32

    @property
    def too_large(self) -> bool:
        """Whether changing each row and each column would take longer than it may."""
        return self.one.first_pass[0] * sum(self.grid) > SECONDS / 2

    @property
    def draws(self) -> int:
        """How many inputs are changed: one where that takes the time that there is."""
        return 1 if self.one.first_pass[0] * sum(self.grid) > SECONDS / 4 else DRAWS

    @property
    def layers(self) -> dict[str, nn.Module]:
        """The copy's layers."""
        return named_layers(self.network)

    def draw(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """One sample's inputs: a step's own, then invented ones of several sizes."""
        made = torch.Generator().manual_seed(number)
        history, calendar, static = (x.to(self.type) for x in self.inputs.values())

        def noise(like: Tensor) -> Tensor:
            return torch.randn(like.shape, generator=made, dtype=self.type)

        if number == 0:
            return history, calendar, static
        return (3.0 if number % 2 else 1.0) * noise(history).abs(), calendar, noise(static)

    @torch.no_grad()
    def middles(self, places: dict[str, Axes], *inputs: Tensor) -> dict[str, tuple[Tensor, float]]:
        """(batch, values) of the middle of every layer's map and of the forecast's cells, and how large
        the layer's values are."""
        counter = Counter()
        found: dict[str, tuple[Tensor, float]] = {}
        running: list[int] = []
        batch = len(inputs[0])

        def enter(name: str, _args: object, _kwargs: object) -> None:
            running.append(counter.begin(name))

        def leave(name: str, output: object) -> None:
            label = f"{name}:{running.pop()}"
            label = label if label in places else label.removesuffix(":1")
            axes, tensor = places.get(label), first_tensor(output)
            if name == ROOT or axes is None or not axes.is_map or tensor is None:
                return
            try:
                maps = axes.sequence(tensor)
                maps = maps[:, -1:] if axes.apart else maps
            except (RuntimeError, IndexError):
                return
            if len(maps) == batch:
                size = _size(tensor) if batch == 1 else 0.0
                height, width = maps.shape[-2:]
                found[label] = maps[..., height // 2, width // 2].clone(), size
                for number, (row, column) in enumerate(_others((height, width))):
                    found[_elsewhere(label, number)] = maps[..., row, column].clone(), size

        with watched({ROOT: self.network, **self.layers}, enter, leave):
            out = self.network(*inputs)
        if len(out) == batch:  # else it breaks the contract, and nothing is known of single samples
            for cell in self.cells:
                found[_cell_of_forecast(cell)] = out[..., cell[0], cell[1]], _size(out)
        return found

    @torch.no_grad()
    def changes(
        self, places: dict[str, Axes], enough: Callable[["dict[str, Seen]"], bool]
    ) -> dict[str, Seen]:
        """Which rows and columns of the inputs reach the middle of every layer's map, and the cells
        of the forecast that are looked at; inputs are drawn until that is `enough`."""
        found: dict[str, Seen] = {}
        height, width = self.grid
        lines = [(0, i) for i in range(height)] + [(1, i) for i in range(width)]
        if self.too_large:
            self.why = TOO_LARGE
            return self._by_gradient()
        for number in range(self.draws):
            base = self.draw(number)
            try:
                plain = self.middles(places, *base)
            except Exception as error:
                self.why = f"it can't be run on changed inputs ({type(error).__name__})"
                return {}
            try:
                together = 1 if self.apart or not self._of_batch else TOGETHER
                for first in range(0, len(lines), together):
                    part = lines[first : first + together]
                    batch = self._changed(base, part, number * 1000 + first)
                    self._note(found, plain, self.middles(places, *batch), part)
            except Exception as error:
                self.why = f"it can't be run on several samples ({type(error).__name__})"
                return {}
            if enough(found):
                break
        return found

    def _changed(
        self, base: tuple[Tensor, Tensor, Tensor], lines: list[tuple[int, int]], seed: int
    ) -> tuple[Tensor, ...]:
        """A batch: in each sample one row or one column of all inputs is another."""
        made = torch.Generator().manual_seed(seed)
        history, calendar, static = (x.expand(len(lines), *x.shape[1:]).clone() for x in base)
        for sample, (axis, index) in enumerate(lines):
            for x in (history, static):
                own = x[sample].select(axis - 2, index)
                own += torch.randn(own.shape, generator=made, dtype=self.type)
        # What counts can't be is no input, unless it is given.
        counts = bool((base[0] >= 0).all())
        return history.abs() if counts else history, calendar, static

    def _note(
        self,
        found: dict[str, Seen],
        plain: dict[str, tuple[Tensor, float]],
        changed: dict[str, tuple[Tensor, float]],
        lines: list[tuple[int, int]],
    ) -> None:
        for label, (values, _) in changed.items():
            if label not in plain or plain[label][0].shape[1:] != values.shape[1:]:
                continue
            before, size = plain[label]
            apart = (values - before).abs().flatten(1).amax(dim=1)
            seen = found.setdefault(label, Seen())
            for (axis, index), moved in zip(lines, apart > self.faint * size, strict=True):
                if moved or not bool(apart.isfinite().all()):
                    (seen.columns if axis else seen.rows).add(index)

    def _by_gradient(self) -> dict[str, Seen]:
        """The same of the forecast alone, by the gradient of one cell."""
        self.cells = self.cells[:1]
        row, column = self.cells[0]
        inputs, out = self._differentiable
        if not out.requires_grad:
            return {}
        with torch.enable_grad():
            value = out[0, :, row, column].sum()
            slopes = torch.autograd.grad(value, inputs, retain_graph=True, allow_unused=True)
        moves = torch.zeros(self.grid, dtype=self.type)
        for slope in slopes:
            if slope is not None and slope.numel():
                moves += slope.abs().flatten(0, -3).sum(0)
        there = moves > 0
        rows = set(torch.nonzero(there.any(1)).flatten().tolist())
        columns = set(torch.nonzero(there.any(0)).flatten().tolist())
        return {_cell_of_forecast(self.cells[0]): Seen(rows, columns)}

    @cached_property
    def _differentiable(self) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """History and static of a sample, and what they give, to be differentiated."""
        history, calendar, static = (x.clone() for x in self.draw(1))
        history.requires_grad_()
        static.requires_grad_()
        with torch.enable_grad():
            return (history, static), self.network(history, calendar, static)

    # The network as a whole

    def whole_network(self) -> list[Check]:
        """What must hold of the whole of it."""
        tries: list[tuple[str, Callable[[], str]]] = [
            ("repeats", self._repeats), ("batch", self._batch), ("order", self._order),
            ("modes", self._modes), ("gradient", self._gradient),
        ]  # fmt: skip
        checks = []
        for name, attempt in tries:
            try:
                why = attempt()
            except Exception as error:
                why = f"it couldn't be tried ({type(error).__name__})"
            checks.append(Check(name, None, not why, why))
        return checks

    def _run(self, *inputs: Tensor) -> Tensor:
        with torch.no_grad():
            out: Tensor = self.network(*inputs)
        return out.clone()

    @property
    def _close(self) -> float:
        return 1e-6 if self.type == torch.float64 else 1e-4

    @cached_property
    def _alone(self) -> list[Tensor]:
        """The forecasts of one sample and of another; of what is heavy the first alone, as it was differentiated."""
        if self.heavy:
            return [self._differentiable[1].detach().clone()]
        return [self._run(*self.draw(number)) for number in (1, 2)]

    @cached_property
    def _together(self) -> Tensor:
        """Those of both in one batch, after them."""
        draws = [self.draw(number) for number in (1, 2)]
        return self._run(*(torch.cat(parts) for parts in zip(*draws, strict=True)))

    @cached_property
    def _again(self) -> bool:
        """Whether the first sample has the same forecast after another."""
        if self.heavy and self._of_batch:
            return True
        return alike(self._alone[0], self._run(*self.draw(1)), self._close)

    @cached_property
    def _of_batch(self) -> bool:
        """Whether the samples have the same forecasts together as alone."""
        return all(
            alike(alone[0], own, self._close)
            for alone, own in zip(self._alone, self._together, strict=False)
        )

    @cached_property
    def _steady(self) -> bool:
        """Whether two passes over one sample agree, with none of another between them."""
        if self._again:
            return True
        one = self.draw(1)
        return alike(self._run(*one), self._run(*one), self._close)

    def _beginsalike(self) -> bool:
        """Whether a network that was never run forecasts a sample as one that was given another first."""
        first = self.fresh and _copy_of(self.fresh)
        if first is None or self.fresh is None:
            return True
        one, other = ([x.float() for x in self.draw(number)] for number in (1, 2))
        with torch.no_grad():
            first.eval()(*other)
            return alike(first(*one).clone(), self.fresh.eval()(*one), 1e-4)

    def _repeats(self) -> str:
        return "" if self._steady else "two passes over the same inputs differ"

    def _batch(self) -> str:
        return "" if self._of_batch else "a sample's forecast depends on the others of its batch"

    def _order(self) -> str:
        if self._again and not self.heavy and not self._beginsalike():
            return "what it forecasts depends on what it was given first"
        return "" if self._again else "what it forecasts depends on what it forecast before"

    def _modes(self) -> str:
        one, before = self.draw(1), self._alone[0]
        try:
            self.network.train()
            for module in self.network.modules():
                if isinstance(
                    module,
                    # Attention drops weights by itself.
                    _BatchNorm
                    | _DropoutNd
                    | nn.RReLU
                    | ParametrizationList
                    | nn.MultiheadAttention,
                ):
                    module.eval()
                    for part in module.modules():
                        part.training = False
            after = self._run(*one)
        finally:
            self.network.eval()
        same = alike(after, before, self._close)
        return "" if same else "while it trains it gives something else, beyond dropout and norms"

    def _gradient(self) -> str:
        made = torch.Generator().manual_seed(5)
        history, calendar, static = self.draw(1)
        ways = [torch.randn(x.shape, generator=made, dtype=self.type) for x in (history, static)]
        inputs, out = self._differentiable
        weigh = torch.randn(out.shape, generator=made, dtype=self.type)
        with torch.enable_grad():
            slopes = torch.autograd.grad((out * weigh).sum(), inputs, allow_unused=True)
        del self._differentiable  # and all that it holds
        told = sum(float((s * w).sum()) for s, w in zip(slopes, ways, strict=True) if s is not None)
        size = sum(
            float(s.norm() * w.norm()) for s, w in zip(slopes, ways, strict=True) if s is not None
        )
        found = 0.0

        def change(step: float) -> float:
            ends = [
                float(
                    (self._run(history + t * ways[0], calendar, static + t * ways[1]) * weigh).sum()
                )
                for t in (step, -step)
            ]
            return (ends[0] - ends[1]) / (2 * step)

        # The smallest step is the best, unless single precision is written into the network.
        steps = ((1e-6, 1e-3), (1e-4, 2e-2), (1e-3, 5e-2), (1e-2, 5e-2))
        for step, room in steps[2:] if self.type == torch.float32 else steps:
            found = change(step)
            allowed = room * (abs(found) + 0.01 * size) + 1e-9
            if abs(told - found) <= allowed:
                return ""
            # Half the step says the same: it is no want of precision.
            if abs(change(step / 2) - found) <= allowed / 10:
                break
        return f"the gradient says {told:.4g} where the forecast changes by {found:.4g}"


def _size(x: Tensor) -> float:
    made = torch.nan_to_num(x.abs()).max() if x.numel() else torch.zeros(())
    return float(made) + 1e-30


def double(x: Tensor) -> Tensor:
    """In double precision, whole numbers as they are."""
    if x.is_complex():
        return x.to(torch.complex128)
    return x.double() if x.is_floating_point() else x
