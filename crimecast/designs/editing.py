"""Changes to a spec, one at a time, as the design page's cards make them.

Each takes a design and returns another that parses; whether its shapes fit is for `shapes.place` to say,
so that a change may pass through a state that doesn't fit yet. All raise UserError for a layer that
isn't there or a value that no design may have.
"""

from dataclasses import replace
from typing import Any

from crimecast import UserError
from crimecast.designs.kinds import KINDS
from crimecast.designs.spec import Design, Layer, parse_design, to_toml

# Layers that are often added together: each takes the one before, the sum also what the first took.
BLOCKS: dict[str, tuple[Layer, ...]] = {
    "residual block": (
        Layer("wide", "conv", (), {"kernel": 3, "activation": "gelu"}),
        Layer("narrow", "conv", (), {"kernel": 3, "activation": "none"}),
        Layer("sum", "add", ("", "narrow")),
    ),
    "calendar, then convolution": (
        Layer("season", "film", (), {"norm": "group", "activation": "gelu"}),
        Layer("out", "conv", (), {"kernel": 3, "activation": "gelu"}),
    ),
}


def set_field(design: Design, field: str, value: Any) -> Design:
    """A field of the design, or `training.FIELD`, to another value."""
    if field.startswith("training."):
        changed = replace(design, training=replace(design.training, **{field[9:]: value}))
    else:
        own: dict[str, Any] = {field: tuple(value) if isinstance(value, list) else value}
        changed = replace(design, **own)
    return _checked(changed)


def set_option(design: Design, layer: str, option: str, value: Any) -> Design:
    """An option of a layer; written only if it differs from what its kind does by itself."""
    at = _at(design, layer)
    old = design.layers[at]
    if old.kind not in KINDS:
        raise UserError(f"kind '{old.kind}' is unknown; use one of {', '.join(KINDS)}.")
    options = old.options | {option: value}  # in its place, if it was there
    if KINDS[old.kind].options.get(option) == value:
        del options[option]
    return _with(design, at, replace(old, options=options))


def set_inputs(design: Design, layer: str, inputs: list[str]) -> Design:
    """What a layer takes; none is the layer before it."""
    at = _at(design, layer)
    before = _before(design, at)
    kept = () if inputs == [before] else tuple(inputs)
    return _with(design, at, replace(design.layers[at], inputs=kept))


def set_kind(design: Design, layer: str, kind: str) -> Design:
    """Another kind of layer under the same name, with the options that both have."""
    if kind not in KINDS:
        raise UserError(f"kind '{kind}' is unknown; use one of {', '.join(KINDS)}.")
    at = _at(design, layer)
    old = design.layers[at]
    options = {k: v for k, v in old.options.items() if k in KINDS[kind].options}
    return _with(design, at, replace(old, kind=kind, options=options))


def rename(design: Design, layer: str, name: str) -> Design:
    """Another name for a layer, wherever it is named."""
    at = _at(design, layer)
    if name != layer and name in {other.name for other in design.layers}:
        raise UserError(f"There is a layer '{name}' already.")
    layers = [
        replace(
            other,
            name=name if number == at else other.name,
            inputs=tuple(name if i == layer else i for i in other.inputs),
            options={
                k: name if k == "like" and v == layer else v for k, v in other.options.items()
            },
        )
        for number, other in enumerate(design.layers)
    ]
    return _checked(replace(design, layers=tuple(layers)))


def add(design: Design, kind: str, after: str) -> Design:
    """A layer of a kind, or the layers of one of BLOCKS, after a layer; what took that layer's output as
    the one before it now takes the new one's."""
    at = _at(design, after)
    block = BLOCKS.get(kind, (Layer(kind, kind),))
    taken = {layer.name for layer in design.layers}
    names: dict[str, str] = {"": after}
    for layer in block:
        names[layer.name] = _free_name(layer.name, taken)
        taken.add(names[layer.name])
    width = _width(design, at)
    made = [
        replace(
            layer,
            name=names[layer.name],
            inputs=tuple(names[i] for i in layer.inputs),
            # As wide as the layer that it follows, so that sums fit.
            options=layer.options
            | ({"channels": width} if width and "channels" in KINDS[layer.kind].options else {}),
        )
        for layer in block
    ]
    layers = [*design.layers[: at + 1], *made, *design.layers[at + 1 :]]
    return _checked(replace(design, layers=tuple(layers)))


def duplicate(design: Design, layer: str) -> Design:
    """The same layer once more, after itself."""
    at = _at(design, layer)
    old = design.layers[at]
    twin = replace(old, name=_free_name(layer, {x.name for x in design.layers}), inputs=())
    layers = [*design.layers[: at + 1], twin, *design.layers[at + 1 :]]
    return _checked(replace(design, layers=tuple(layers)))


def remove(design: Design, layer: str) -> Design:
    """Take a layer out; what took its output takes what it took."""
    at = _at(design, layer)
    if len(design.layers) == 1:
        raise UserError("A design needs at least one layer.")
    before = _before(design, at)
    instead = design.layers[at].inputs or (before,)
    layers = []
    for number, other in enumerate(design.layers):
        if number == at:
            continue
        inputs = other.inputs
        if number == at + 1 and not inputs and design.layers[at].inputs:
            inputs = instead  # it took the layer as the one before it
        if layer in inputs:
            inputs = tuple(
                dict.fromkeys(n for i in inputs for n in (instead if i == layer else (i,)))
            )
        layers.append(replace(other, inputs=inputs))
    return _checked(replace(design, layers=tuple(layers)))


def move(design: Design, layer: str, by: int) -> Design:
    """A layer earlier (by −1) or later (by 1) in the list."""
    at = _at(design, layer)
    to = min(max(at + by, 0), len(design.layers) - 1)
    layers = list(design.layers)
    layers.insert(to, layers.pop(at))
    return _checked(replace(design, layers=tuple(layers)))


def _at(design: Design, layer: str) -> int:
    for number, one in enumerate(design.layers):
        if one.name == layer:
            return number
    raise UserError(f"There is no layer '{layer}' in {design.name}.")


def _before(design: Design, at: int) -> str:
    """What a layer takes that names nothing."""
    return design.layers[at - 1].name if at else "frames"


def _with(design: Design, at: int, layer: Layer) -> Design:
    layers = [*design.layers[:at], layer, *design.layers[at + 1 :]]
    return _checked(replace(design, layers=tuple(layers)))


def _checked(design: Design) -> Design:
    return parse_design(to_toml(design))


def _width(design: Design, at: int) -> int | None:
    """Channels that a layer gives: its own, or those of the layer that it passes on; None if unknown."""
    layer = design.layers[at]
    own = KINDS[layer.kind].options if layer.kind in KINDS else {}
    if "channels" in own:
        return int(layer.options.get("channels", own["channels"]))
    if layer.kind in ("concat", "head", "external", "flatten"):
        return None
    names = [x.name for x in design.layers[:at]]
    before = layer.inputs[0] if layer.inputs else _before(design, at)
    return _width(design, names.index(before)) if before in names else None


def _free_name(wanted: str, taken: set[str]) -> str:
    base = wanted.rstrip("0123456789").rstrip("_") or wanted
    if wanted not in taken:
        return wanted
    number = 2
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"
