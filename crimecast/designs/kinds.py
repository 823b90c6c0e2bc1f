"""The kinds of layers: their options, the shapes they take and give, and how much they learn.

Maps have the shape (channels, height, width); a sequence has (steps, channels, height, width).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from crimecast.designs.given import ACTIVATIONS, NORMS, Given, Shape
from crimecast.designs.spec import shown


def _conv(given: Given) -> Shape:
    channels, height, width = given.maps()
    given.odd("kernel")
    stride = given.whole("stride")
    given.whole("dilation")
    groups, out = given.whole("groups"), given.whole("channels")
    _finish(given)
    if channels % groups or out % groups:
        raise given.refuse(f"{groups} groups divide neither {channels} nor {out} channels evenly")
    return out, -(-height // stride), -(-width // stride)


def _conv_weights(given: Given, shape: Shape) -> int:
    each = given.takes[0][0] // given.options["groups"] * given.options["kernel"] ** 2
    return shape[0] * (each + 1) + given.norm_weights(shape[0])


def _separable(given: Given) -> Shape:
    _, height, width = given.maps()
    given.odd("kernel")
    given.whole("dilation")
    _finish(given)
    return given.whole("channels"), height, width


def _separable_weights(given: Given, shape: Shape) -> int:
    channels = given.takes[0][0]
    each = channels * given.options["kernel"] ** 2 + channels * shape[0] + shape[0]
    return each + given.norm_weights(shape[0])


def _conv3d(given: Given) -> Shape:
    steps, _, height, width = given.sequence()
    given.odd("kernel")
    given.odd("steps")
    given.choice("activation", ACTIVATIONS)
    return steps, given.whole("channels"), height, width


def _recurrent(given: Given) -> Shape:
    steps, _, height, width = given.sequence()
    given.odd("kernel")
    if not isinstance(given.options["sequence"], bool):
        raise given.refuse("sequence must be true or false")
    maps = given.whole("channels"), height, width
    return (steps, *maps) if given.options["sequence"] else maps


def _recurrent_weights(gates: int) -> Callable[[Given, Shape], int]:
    def weights(given: Given, _: Shape) -> int:
        hidden = given.options["channels"]
        return gates * hidden * ((given.takes[0][1] + hidden) * given.options["kernel"] ** 2 + 1)

    return weights


def _attention(given: Given) -> Shape:
    _, _, height, width = given.sequence()
    given.whole("keys")
    return given.whole("channels"), height, width


def _attention_weights(given: Given, shape: Shape) -> int:
    steps, channels = given.takes[0][:2]
    keys = given.options["keys"]
    query = keys * (given.calendar + 1)
    return (channels + 1) * (keys + shape[0]) + query + steps


def _flatten(given: Given) -> Shape:
    steps, channels, height, width = given.sequence()
    return steps * channels, height, width


def _select(given: Given) -> Shape:
    _, channels, height, width = given.sequence()
    if given.takes[0] != given.known["history"]:
        raise given.refuse('selects lags of the history: give it inputs = ["history"]')
    lags = given.options["lags"]
    if not isinstance(lags, list) or not lags or not all(lag in given.lags for lag in lags):
        raise given.refuse(
            f"lags must be some of the design's lags, {shown(list(given.lags))}, not {shown(lags)}"
        )
    return len(lags) * channels, height, width


def memories_of(given: Given) -> int:
    """How many memories a layer has, those of the whole city left out."""
    weekdays = given.whole("weekdays", 0) if given.past[1] else 0
    return 2 * given.whole("count", 2) + weekdays


def _memory(given: Given) -> Shape:
    _, height, width = given.maps()
    if "past" not in given.known or given.takes[0] != given.known["past"] or not given.past[0]:
        raise given.refuse('remembers what is past: give the design half-lives as past, and it inputs = ["past"]')  # fmt: skip
    return (memories_of(given) + given.options["count"]) * given.types, height, width


def _contrast(given: Given) -> Shape:
    channels, height, width = given.maps()
    maps = channels // given.types
    if channels % given.types:
        raise given.refuse(f"its input has {channels} channels, which are no maps of {given.types} types")  # fmt: skip
    of, against = given.whole("of", 2), given.whole("against", 0)
    if of > maps or against >= of:
        raise given.refuse(f"of {maps} maps a type it can't set {of} beside the one numbered {against}: it has to be one of them, counted from 0")  # fmt: skip
    return channels, height, width


def _mixture(given: Given) -> Shape:
    if len(given.takes) != 2 or any(len(shape) != 3 for shape in given.takes):
        raise given.refuse("takes two inputs, features and what a memory layer gives")
    (_, *size), (memories, *other) = given.takes
    if size != other or memories % given.types:
        raise given.refuse(f"its second input has {memories} channels of {other[0]}×{other[1]}, which are no memories of {given.types} types on {size[0]}×{size[1]}")  # fmt: skip
    return given.types, size[0], size[1]


def _mixture_weights(given: Given, _: Shape) -> int:
    features, memories = given.takes[0][0], given.takes[1][0]
    return memories * (features + 1 + given.calendar + 1 + 1) + given.types * given.calendar


def _pool(given: Given) -> Shape:
    channels, height, width = given.maps()
    size = given.whole("size", 2)
    given.choice("method", ("mean", "max"))
    if size > min(height, width):
        raise given.refuse(f"a pool of {size} is larger than the map of {height}×{width}")
    return channels, -(-height // size), -(-width // size)


def _upsample(given: Given) -> Shape:
    channels = given.maps()[0]
    like = given.options["like"]
    if not isinstance(like, str) or like not in given.known:
        raise given.refuse(f"like names {shown(like)}, which is not a layer before it")
    return channels, *given.known[like][-2:]


def _add(given: Given) -> Shape:
    if len(given.takes) < 2:
        raise given.refuse("needs at least two inputs")
    if len(set(given.takes)) > 1:
        raise given.refuse(
            f"can't add shapes {' and '.join('×'.join(map(str, s)) for s in given.takes)}"
        )
    return given.takes[0]


def _concat(given: Given) -> Shape:
    if len(given.takes) < 2:
        raise given.refuse("needs at least two inputs")
    if len({shape[-2:] for shape in given.takes}) > 1 or {len(s) for s in given.takes} != {3}:
        raise given.refuse(
            f"can't join shapes {' and '.join('×'.join(map(str, s)) for s in given.takes)}"
        )
    return sum(shape[0] for shape in given.takes), *given.takes[0][1:]


def _finish(given: Given) -> None:
    given.choice("norm", NORMS)
    given.choice("activation", ACTIVATIONS)


def _norm(given: Given) -> Shape:
    _finish(given)
    return given.maps()


def _film(given: Given) -> Shape:
    if not given.calendar:
        raise given.refuse("needs calendar inputs, and the design names none")
    return _norm(given)


def _dropout(given: Given) -> Shape:
    given.number("rate", 0, 1)
    return given.maps()


def _squeeze(given: Given) -> Shape:
    shape = given.maps()
    if given.whole("reduction") > shape[0]:
        raise given.refuse(f"a reduction by more than its {shape[0]} channels leaves none")
    return shape


def _squeeze_weights(given: Given, shape: Shape) -> int:
    middle = shape[0] // given.options["reduction"]
    return middle * (shape[0] + 1) + shape[0] * (middle + 1)


def _cell_bias(given: Given) -> Shape:
    given.number("weight_decay", 0, 1e6)
    return given.maps()


def _embedding(given: Given) -> Shape:
    given.number("weight_decay", 0, 1e6)
    return given.whole("channels"), *given.maps()[1:]


def _external(given: Given) -> Shape:
    given.whole("hidden")
    if not given.calendar:
        raise given.refuse("needs calendar inputs, and the design names none")
    return given.types, *given.maps()[1:]


def _external_weights(given: Given, shape: Shape) -> int:
    hidden = given.options["hidden"]
    return hidden * (given.calendar + 1) + prod(shape) * (hidden + 1)


def _head(given: Given) -> Shape:
    given.odd("kernel")
    first, *added = given.takes
    shape = given.types, *replace(given, takes=(first,)).maps()[1:]
    if added not in ([], [shape]):
        raise given.refuse(f"adds its second input to what it says, which has to be {'×'.join(map(str, shape))}")  # fmt: skip
    return shape


def _none(_case: Given, _shape: Shape) -> int:
    return 0


@dataclass(frozen=True)
class Kind:
    """A kind of layer: its options with their defaults, its rule of shapes, what it learns."""

    options: dict[str, Any]
    shape: Callable[[Given], Shape]
    weights: Callable[[Given, Shape], int] = _none


_FINISH = {"norm": "none", "activation": "relu"}
_KERNEL = {"channels": 24, "kernel": 3}
KINDS: dict[str, Kind] = {
    "conv": Kind({**_KERNEL, "stride": 1, "dilation": 1, "groups": 1, **_FINISH}, _conv, _conv_weights),
    "separable": Kind({**_KERNEL, "dilation": 1, **_FINISH}, _separable, _separable_weights),
    "conv3d": Kind(
        {**_KERNEL, "steps": 3, "activation": "relu"}, _conv3d,
        lambda given, shape: shape[1]
        * (given.takes[0][1] * given.options["kernel"] ** 2 * given.options["steps"] + 1),
    ),
    "convlstm": Kind({**_KERNEL, "sequence": False}, _recurrent, _recurrent_weights(4)),
    "convgru": Kind({**_KERNEL, "sequence": False}, _recurrent, _recurrent_weights(3)),
    "lag_attention": Kind({"channels": 24, "keys": 8}, _attention, _attention_weights),
    "flatten": Kind({}, _flatten),
    "memory": Kind(
        {"count": 10, "weekdays": 3}, _memory, lambda given, _: 3 * memories_of(given) - given.options["count"]
    ),
    "contrast": Kind({"against": 0, "of": 2}, _contrast),
    "mixture": Kind({}, _mixture, _mixture_weights),
    "select": Kind({"lags": []}, _select),
    "pool": Kind({"size": 2, "method": "mean"}, _pool),
    "upsample": Kind({"like": "frames"}, _upsample),
    "add": Kind({}, _add),
    "concat": Kind({}, _concat),
    "fuse": Kind({}, _add, lambda given, shape: len(given.takes) * prod(shape)),
    "norm": Kind(
        {"norm": "group", "activation": "none"}, _norm,
        lambda given, shape: given.norm_weights(shape[0]),
    ),
    "film": Kind(
        {"norm": "none", "activation": "none"}, _film,
        lambda given, shape: 2 * shape[0] * (given.calendar + 1) + given.norm_weights(shape[0]),
    ),
    "squeeze": Kind({"reduction": 4}, _squeeze, _squeeze_weights),
    "dropout": Kind({"rate": 0.1}, _dropout),
    "cell_bias": Kind({"weight_decay": 1.0}, _cell_bias, lambda given, shape: prod(shape)),
    "embedding": Kind(
        {"channels": 4, "weight_decay": 1.0}, _embedding, lambda given, shape: prod(shape)
    ),
    "external": Kind({"hidden": 10}, _external, _external_weights),
    "head": Kind(
        {"kernel": 1}, _head,
        lambda given, shape: shape[0] * (given.takes[0][0] * given.options["kernel"] ** 2 + 1),
    ),
}  # fmt: skip
