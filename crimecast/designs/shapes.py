"""Shapes of every layer of a spec, worked out before anything is built.

A map's shape is (channels, height, width). The inputs every spec can name: `frames`, all lagged
counts, memories and static maps as channels, and (where a layer takes it) the calendar.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crimecast.designs.spec import Design, Layer
from crimecast.errors import UserError

Shape = tuple[int, int, int]
ACTIVATIONS = ("none", "relu", "leaky_relu", "gelu", "silu", "elu", "tanh", "sigmoid")
NORMS = ("none", "group", "batch")
FRAMES = "frames"


@dataclass(frozen=True)
class Placed:
    """A layer with what it takes and gives: `takes` and `shape` are (channels, height, width)."""

    layer: Layer
    inputs: tuple[str, ...]
    takes: tuple[Shape, ...]
    shape: Shape
    options: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0


def place(design: Design, types: int, height: int, width: int, calendar: int = 0) -> list[Placed]:
    """Every layer of a spec with its shapes and parameters, in order; `calendar` numbers a step.

    Raises UserError with the layer's name and the shapes that clash.
    """
    channels = types * (len(design.lags) + len(design.memories)) + len(design.static)
    known: dict[str, Shape] = {FRAMES: (channels, height, width)}
    placed: list[Placed] = []
    before = FRAMES
    for layer in design.layers:
        if layer.name in known:
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
        defaults, rule = KINDS[layer.kind]
        for key in layer.options:
            if key not in defaults:
                has = f"it has {', '.join(defaults)}" if defaults else "it has none"
                raise UserError(
                    f"Layer '{layer.name}': a {layer.kind} has no option '{key}'; {has}."
                )
        options = defaults | layer.options
        takes = tuple(known[name] for name in inputs)
        shape = rule(_Case(layer.name, options, takes, known, types, len(design.calendar)))
        parameters = _parameters(layer.kind, takes[0], shape, options, calendar)
        placed.append(Placed(layer, inputs, takes, shape, options, parameters))
        known[layer.name] = shape
        before = layer.name
    last = placed[-1]
    if last.layer.kind != "head":
        raise UserError(
            f"The last layer must be a head; '{last.layer.name}' is a {last.layer.kind}."
        )
    if last.shape[1:] != (height, width):
        raise UserError(
            f"Layer '{last.layer.name}' gives maps of {last.shape[1]}×{last.shape[2]}, but the grid is "
            f"{height}×{width}: upsample before it."
        )
    return placed


def _parameters(
    kind: str, takes: Shape, shape: Shape, options: dict[str, Any], calendar: int
) -> int:
    """How many weights a layer learns."""
    if kind == "conv":
        weights = shape[0] * (takes[0] // options["groups"]) * options["kernel"] ** 2 + shape[0]
        return weights + (0 if options["norm"] == "none" else 2 * shape[0])
    if kind == "film":
        return 2 * shape[0] * (calendar + 1)
    return shape[0] * (takes[0] + 1) if kind == "head" else 0


@dataclass(frozen=True)
class _Case:
    """What a kind's rule is given."""

    name: str
    options: dict[str, Any]
    takes: tuple[Shape, ...]
    known: dict[str, Shape]
    types: int
    calendar: int

    def refuse(self, what: str) -> UserError:
        return UserError(f"Layer '{self.name}': {what}.")

    def one(self) -> Shape:
        if len(self.takes) != 1:
            raise self.refuse(f"takes one input, not {len(self.takes)}")
        return self.takes[0]

    def whole(self, key: str, least: int = 1) -> int:
        value = self.options[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.refuse(f"{key} must be a whole number of at least {least}, not {value!r}")
        return value

    def choice(self, key: str, values: tuple[str, ...]) -> str:
        value = self.options[key]
        if value not in values:
            raise self.refuse(f"{key} '{value}' is unknown; use one of {', '.join(values)}")
        return value


def _conv(case: _Case) -> Shape:
    channels, height, width = case.one()
    kernel, stride = case.whole("kernel"), case.whole("stride")
    case.whole("dilation")
    groups, out = case.whole("groups"), case.whole("channels")
    case.choice("norm", NORMS)
    case.choice("activation", ACTIVATIONS)
    if kernel % 2 == 0:
        raise case.refuse(f"kernel must be odd so that the map keeps its place, not {kernel}")
    if channels % groups or out % groups:
        raise case.refuse(f"{groups} groups divide neither {channels} nor {out} channels evenly")
    return out, -(-height // stride), -(-width // stride)


def _pool(case: _Case) -> Shape:
    channels, height, width = case.one()
    size = case.whole("size", 2)
    case.choice("method", ("mean", "max"))
    if size > min(height, width):
        raise case.refuse(f"a pool of {size} is larger than the map of {height}×{width}")
    return channels, -(-height // size), -(-width // size)


def _upsample(case: _Case) -> Shape:
    channels, _, _ = case.one()
    like = case.options["like"]
    if like not in case.known:
        raise case.refuse(f"like names '{like}', which is not a layer before it")
    return channels, *case.known[like][1:]


def _add(case: _Case) -> Shape:
    if len(case.takes) < 2:
        raise case.refuse("needs at least two inputs")
    if len(set(case.takes)) > 1:
        raise case.refuse(
            f"can't add shapes {' and '.join('×'.join(map(str, s)) for s in case.takes)}"
        )
    return case.takes[0]


def _concat(case: _Case) -> Shape:
    if len(case.takes) < 2:
        raise case.refuse("needs at least two inputs")
    if len({shape[1:] for shape in case.takes}) > 1:
        raise case.refuse(
            f"can't join shapes {' and '.join('×'.join(map(str, s)) for s in case.takes)}"
        )
    return sum(shape[0] for shape in case.takes), *case.takes[0][1:]


def _film(case: _Case) -> Shape:
    if not case.calendar:
        raise case.refuse("needs calendar inputs, and the design names none")
    return case.one()


def _dropout(case: _Case) -> Shape:
    rate = case.options["rate"]
    if not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise case.refuse(f"rate must lie between 0 and 1, not {rate!r}")
    return case.one()


def _head(case: _Case) -> Shape:
    _, height, width = case.one()
    return case.types, height, width


KINDS: dict[str, tuple[dict[str, Any], Callable[[_Case], Shape]]] = {
    "conv": (
        {
            "channels": 24,
            "kernel": 3,
            "stride": 1,
            "dilation": 1,
            "groups": 1,
            "norm": "none",
            "activation": "relu",
        },
        _conv,
    ),
    "pool": ({"size": 2, "method": "mean"}, _pool),
    "upsample": ({"like": FRAMES}, _upsample),
    "add": ({}, _add),
    "concat": ({}, _concat),
    "film": ({}, _film),
    "dropout": ({"rate": 0.1}, _dropout),
    "head": ({}, _head),
}
