"""A copy of a network that is run on changed inputs: which rows and columns of them reach what, and whether it
holds what a forecast promises as a whole."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from crimecast.designs.build import named_layers
from crimecast.inspect.receptive import Cell
from crimecast.inspect.replaying import alike
from crimecast.networks.axes import Axes
from crimecast.networks.calls import ROOT, Counter, first_tensor, watched
from crimecast.networks.looked import Looked

ROOM = 1  # cells by which the operations may reach further than any change was seen to
DRAWS = 3  # inputs that are changed row by row and column by column
SECONDS = 12.0  # that the changes may take, before fewer are made
TOGETHER = 16  # samples in a pass
HEAVY = 0.2  # seconds a pass above which it is tried in single precision, and with fewer passes
FAINT = 1e-12  # change, relative to a layer's size, that counts; of single precision 1e-5
FORECAST = "forecast"
TOO_LARGE = "it is too large to be run on changed inputs in the time"


def others(size: Cell) -> list[Cell]:
    """Further cells of a map where it is tried that it lies where it is shown: of rows and columns even and odd."""
    height, width = size
    return [
        (height // 4, width // 4), (min(height // 4 + 1, height - 1), 3 * width // 4), (3 * height // 4, max(width // 4 - 1, 0)),
        (0, 0), (height - 1, width - 1),
    ]  # fmt: skip


def elsewhere(label: str, number: int) -> str:
    return f"{label} elsewhere {number}"


def cell_of_forecast(cell: Cell) -> str:
    return f"{FORECAST} {cell}"


def copy_of(network: nn.Module) -> nn.Module | None:
    """The network as it is before it is run, None if it can't be copied."""
    try:
        return copy.deepcopy(network)
    except Exception:  # whatever a user's module holds
        return None


@dataclass
class Seen:
    """The rows and the columns whose change reached a layer's cell."""

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)


class Trial:
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
        """Whether a pass for each row and each column would take longer than it may."""
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
                for number, (row, column) in enumerate(others((height, width))):
                    found[elsewhere(label, number)] = maps[..., row, column].clone(), size

        with watched({ROOT: self.network, **self.layers}, enter, leave):
            out = self.network(*inputs)
        if len(out) == batch:  # else it breaks the contract, and nothing is known of single samples
            for cell in self.cells:
                found[cell_of_forecast(cell)] = out[..., cell[0], cell[1]], _size(out)
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
                together = 1 if self.apart or not self.of_batch else TOGETHER
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
        inputs, out = self.differentiable
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
        return {cell_of_forecast(self.cells[0]): Seen(rows, columns)}

    @cached_property
    def differentiable(self) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """History and static of a sample, and what they give, to be differentiated."""
        history, calendar, static = (x.clone() for x in self.draw(1))
        history.requires_grad_()
        static.requires_grad_()
        with torch.enable_grad():
            return (history, static), self.network(history, calendar, static)

    def run(self, *inputs: Tensor) -> Tensor:
        with torch.no_grad():
            out: Tensor = self.network(*inputs)
        return out.clone()

    @property
    def close(self) -> float:
        return 1e-6 if self.type == torch.float64 else 1e-4

    @cached_property
    def alone(self) -> list[Tensor]:
        """The forecasts of one sample and of another; of what is heavy the first alone, as it was differentiated."""
        if self.heavy:
            return [self.differentiable[1].detach().clone()]
        return [self.run(*self.draw(number)) for number in (1, 2)]

    @cached_property
    def together(self) -> Tensor:
        """Those of both in one batch, after them."""
        draws = [self.draw(number) for number in (1, 2)]
        return self.run(*(torch.cat(parts) for parts in zip(*draws, strict=True)))

    @cached_property
    def again(self) -> bool:
        """Whether the first sample has the same forecast after another."""
        if self.heavy and self.of_batch:
            return True
        return alike(self.alone[0], self.run(*self.draw(1)), self.close)

    @cached_property
    def of_batch(self) -> bool:
        """Whether the samples have the same forecasts together as alone."""
        return all(
            alike(alone[0], own, self.close)
            for alone, own in zip(self.alone, self.together, strict=False)
        )


def _size(x: Tensor) -> float:
    made = torch.nan_to_num(x.abs()).max() if x.numel() else torch.zeros(())
    return float(made) + 1e-30


def double(x: Tensor) -> Tensor:
    """In double precision, whole numbers as they are."""
    if x.is_complex():
        return x.to(torch.complex128)
    return x.double() if x.is_floating_point() else x
