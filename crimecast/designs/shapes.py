"""Shapes of every layer of a spec, worked out before anything is built.

The inputs every spec can name: `frames`, all lagged counts and input maps as channels; `history`,
the lagged counts as a sequence from the oldest to the latest; `maps`, the input maps alone; `past`,
what layers of the kind `memory` make theirs of.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crimecast import UserError
from crimecast.designs.given import Given, Shape
from crimecast.designs.inputs import map_count, past_count
from crimecast.designs.kinds import KINDS
from crimecast.designs.spec import Design, Layer

FRAMES, HISTORY, MAPS, PAST = "frames", "history", "maps", "past"


@dataclass(frozen=True)
class Laid:
    """A layer with what it takes and gives, its options with defaults, and what it learns."""

    layer: Layer
    inputs: tuple[str, ...]
    takes: tuple[Shape, ...]
    shape: Shape
    options: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0


def lay_out(design: Design, types: int, height: int, width: int, calendar: int) -> list[Laid]:
    """Every layer of a spec with its shapes and parameters, in order; `calendar` numbers a step.

    Raises UserError with the layer's name and the shapes that clash.
    """
    laid = list(_laid(design, types, height, width, calendar))
    last = laid[-1]
    if last.layer.kind != "head":
        raise UserError(
            f"The last layer must be a head; '{last.layer.name}' is a {last.layer.kind}."
        )
    if last.shape[1:] != (height, width):
        raise UserError(
            f"Layer '{last.layer.name}' gives maps of {last.shape[1]}×{last.shape[2]}, but the grid is "
            f"{height}×{width}: upsample before it."
        )
    return laid


def as_far_as_it_goes(
    design: Design, types: int, height: int, width: int, calendar: int
) -> tuple[list[Laid], Layer | None]:
    """The layers of a spec up to the first whose shapes clash, and that one; None if each fits."""
    laid: list[Laid] = []
    try:
        laid.extend(_laid(design, types, height, width, calendar))
    except UserError:
        return laid, design.layers[len(laid)]
    return laid, None


def _laid(design: Design, types: int, height: int, width: int, calendar: int) -> Iterator[Laid]:
    """One layer after the other. Raises UserError at the first that can't be placed."""
    past = past_count(design, types)
    maps = map_count(design, types) - past
    known: dict[str, Shape] = {
        FRAMES: (types * len(design.lags) + maps, height, width),
        HISTORY: (len(design.lags), types, height, width),
    }
    if maps:
        known[MAPS] = (maps, height, width)
    if past:
        known[PAST] = (past, height, width)
    before, past_rows = FRAMES, (len(design.past), len(design.weekday_past))
    for layer in design.layers:
        if layer.name in known or layer.name == MAPS:
            raise UserError(f"Layer '{layer.name}' is named twice.")
        if layer.kind not in KINDS:
            raise UserError(
                f"Layer '{layer.name}': kind '{layer.kind}' is unknown; use one of {', '.join(KINDS)}."
            )
        inputs = layer.inputs or (before,)
        for name in inputs:
            if name not in known:
                raise UserError(
                    f"Layer '{layer.name}' takes '{name}', which is not a layer before it."
                )
        kind = KINDS[layer.kind]
        for key in layer.options:
            if key not in kind.options:
                has = f"it has {', '.join(kind.options)}" if kind.options else "it has none"
                raise UserError(
                    f"Layer '{layer.name}': a {layer.kind} has no option '{key}'; {has}."
                )
        options = kind.options | layer.options
        takes = tuple(known[name] for name in inputs)
        given = Given(layer.name, options, takes, known, types, design.lags, calendar, past_rows)
        shape = kind.shape(given)
        yield Laid(layer, inputs, takes, shape, options, kind.weights(given, shape))
        known[layer.name] = shape
        before = layer.name
