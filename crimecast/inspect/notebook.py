"""Any module looked into from a notebook: arrays in, arrays out, no run and no city.

import crimecast.inspect
seen = crimecast.inspect.look(module, history)
seen.activations()["near"]          # (channels, height, width)
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from crimecast import UserError
from crimecast.inspect.activations import capture
from crimecast.inspect.cells import check_cell, check_kind, maps_of
from crimecast.inspect.differentiating import differentiating
from crimecast.inspect.graph import Node, graph
from crimecast.inspect.intervention import changed
from crimecast.inspect.prove import Proof, prove
from crimecast.inspect.receptive import Cell, Field, field_of_forecast, field_of_layer
from crimecast.networks.calls import split
from crimecast.networks.looked import Looked


@dataclass(frozen=True)
class Look(Looked):
    """A module with the inputs of one sample."""

    network: nn.Module
    history: Tensor
    calendar: Tensor
    static: Tensor

    def example(self) -> dict[str, Tensor]:
        """The inputs, a batch of one, for a pass that may change them."""
        own = {"history": self.history, "calendar": self.calendar, "static": self.static}
        return {name: tensor.clone() for name, tensor in own.items()}

    @torch.no_grad()
    def forecast(self) -> np.ndarray:
        """(C, H, W) what the module returns. Raises UserError if that is no forecast."""
        return maps_of(self.network(*self.example().values()))[0].float().numpy()

    @torch.no_grad()
    def activations(self, *layers: str) -> dict[str, np.ndarray]:
        """Layer → (channels, height, width), of all layers if none is named; of a layer on sequences
        its last step, and what is no map as it is. Raises UserError for an unknown layer."""
        with capture(self.network, list(layers or self.layers)) as caught:
            self.network(*self.example().values())
        for name in layers:
            if not any(name in (label, split(label)[0]) for label in caught):
                raise UserError(f"The forward pass doesn't use layer '{name}'.")
        made = {label: self.maps(label, x)[0] for label, x in caught.items()}
        return {k: (x.abs() if x.is_complex() else x).float().numpy() for k, x in made.items()}

    def field(self, cell: Cell, layer: str | None = None, statistics: bool = False) -> Field:
        """What a cell (row, column) of the forecast, or of a layer's map, is made from; with
        `statistics` through those of normalisations too. Raises UserError for an unknown layer."""
        made = self.record()
        if layer is None:
            return field_of_forecast(made, cell, statistics)
        if layer not in made.calls:
            raise UserError(f"There is no call '{layer}'; there are {', '.join(made.calls)}.")
        axes = self.axes(layer, made.calls[layer].shapes[0])
        found = field_of_layer(made, layer, axes, cell, statistics)
        if axes.is_map and axes.proven:
            return found
        return replace(found, unproven=(*found.unproven, f"which axes of `{layer}` are places"))

    def gradient(self, cell: Cell, kind: int = 0) -> dict[str, np.ndarray]:
        """∂ forecast of a cell and type / ∂ input: `history` (L, C, H, W) and `static` (S, H, W). Raises
        UserError for a cell or a type that isn't forecast, and where there is no gradient."""
        history, static = self.history.clone(), self.static.clone()
        history.requires_grad_()
        static.requires_grad_()
        with torch.enable_grad():
            # What is made from them, which a module may change in place, as it may not change what has a gradient.
            made = maps_of(self.network(history * 1.0, self.calendar.clone(), static * 1.0))
            check_cell(cell, *made.shape[-2:])
            check_kind(kind, made.shape[1])
            value = made[0, kind, cell[0], cell[1]]
            if not value.requires_grad:
                raise UserError(
                    "What the module returns has no gradient: something in it was detached."
                )
            with differentiating():
                slopes = torch.autograd.grad(value, (history, static), allow_unused=True)
        return {
            name: (torch.zeros_like(x) if slope is None else slope)[0].numpy()
            for name, x, slope in zip(("history", "static"), (history, static), slopes, strict=True)
        }

    @torch.no_grad()
    def without(
        self, layer: str, channels: list[int] | None = None, value: float = 0.0
    ) -> np.ndarray:
        """(C, H, W) the forecast with channels (None: all) of a layer held at a value. Raises
        UserError for an unknown layer or channel."""
        with changed(self, layer, channels, value):
            return self.forecast()

    def graph(self) -> list[Node]:
        """The layers with what they take, give and cost."""
        return graph(self)

    def prove(self) -> Proof:
        """What is proven of all that is shown."""
        return prove(self)


def look(
    module: nn.Module, history: ArrayLike, calendar: ArrayLike | None = None, static: ArrayLike | None = None
) -> Look:  # fmt: skip
    """Look into a module, which is set to forecast (`eval()`), with the inputs of one sample: `history` (L, C, H, W), or with a batch of one
    before; `calendar` (F,) and `static` (S, H, W), empty if left out.

    Raises UserError for what is no module, and for inputs of other shapes.
    """
    if not isinstance(module, nn.Module):
        raise UserError(f"A torch.nn.Module is looked into, not {type(module).__name__}.")
    past = _tensor(history, 4, "history (L, C, H, W)")
    maps = past.new_zeros(1, 0, *past.shape[-2:])
    size = np.shape(static)[-2:] if static is not None else tuple(past.shape[-2:])
    if tuple(size) != tuple(past.shape[-2:]):
        raise UserError(f"static is of {size} cells, history of {tuple(past.shape[-2:])}.")
    return Look(
        module.eval(), past,
        past.new_zeros(1, 0) if calendar is None else _tensor(calendar, 1, "calendar (F,)"),
        maps if static is None else _tensor(static, 3, "static (S, H, W)"),
    )  # fmt: skip


def _tensor(values: Any, dims: int, asked: str) -> Tensor:
    try:
        made = torch.as_tensor(np.asarray(values)).float()
    except (TypeError, ValueError):
        raise UserError(f"Numbers are asked for, one sample's {asked}.") from None
    if made.dim() == dims:
        made = made[None]
    if made.dim() != dims + 1 or len(made) != 1:
        raise UserError(f"The shape {tuple(made.shape)} isn't that of one sample's {asked}.")
    return made
