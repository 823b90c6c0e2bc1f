"""All planted networks: specs, and users' modules of modules.py."""

from collections.abc import Callable
from typing import Any

import tomli_w

from bench.planting.case import Case

TEXT = """
name = "{name}"
lags = {lags}
calendar = ["dow", "doy"]
{head}
{layers}
[training]
epochs = {epochs}
batch = 16
learning_rate = {rate}
weight_decay = {decay}
patience = {epochs}
"""
OFFSET = 'offset = "memory_mixture"'
REMEMBER = f"{OFFSET}\nmemories = [7, 30, 120]\nblurs = [0, 2]\nposition = 1"
ALONE = 'offset = "none"'


def conv(name: str, channels: int = 16, **options: Any) -> dict[str, Any]:
    """A convolutional layer as a spec has it."""
    base = {"name": name, "kind": "conv", "channels": channels, "kernel": 3, "activation": "gelu"}
    return base | options


def spec(
    layers: list[dict[str, Any]], name: str = "planted", lags: str = "[1, 2, 3, 7, 14]",
    head: str = OFFSET, epochs: int = 4, rate: float = 2e-3, decay: float = 1e-2,
) -> str:  # fmt: skip
    """A whole spec from its layers; the head is added."""
    made = tomli_w.dumps({"layer": [*layers, {"name": "log_rate", "kind": "head"}]})
    return TEXT.format(
        name=name, lags=lags, head=head, layers=made, epochs=epochs, rate=rate, decay=decay
    )


def three(*changes: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Three convolutions, with options for all and changes to each."""
    names = ("one", "two", "three")
    own = [*changes, {}, {}, {}][:3]
    return [conv(n, **(options | c)) for n, c in zip(names, own, strict=True)]


def deep(count: int, activation: str, **options: Any) -> list[dict[str, Any]]:
    """A chain without skips or norms."""
    return [conv(f"layer_{i}", 12, activation=activation, **options) for i in range(count)]


def residual(count: int, channels: int = 16) -> list[dict[str, Any]]:
    """A chain of residual blocks with norms."""
    made = [conv("stem", channels, activation="none")]
    last = "stem"
    for i in range(count):
        made += [
            conv(f"a_{i}", channels, norm="group", inputs=[last]),
            conv(f"b_{i}", channels, activation="none"),
            {"name": f"sum_{i}", "kind": "add", "inputs": [last, f"b_{i}"]},
        ]
        last = f"sum_{i}"
    return made


def pooled(size: int = 2) -> list[dict[str, Any]]:
    """Down, up, and beside what was not pooled."""
    return [
        conv("one"), {"name": "down", "kind": "pool", "size": size}, conv("two", 24),
        {"name": "up", "kind": "upsample", "like": "one"},
        {"name": "both", "kind": "concat", "inputs": ["one", "up"]}, conv("three"),
    ]  # fmt: skip


def shut(layer: str, share: float) -> Callable[[Any], None]:
    """Shut that share of a layer's channels for good."""

    def change(network: Any) -> None:
        own = network.blocks[layer].conv
        own.bias.data[: int(share * len(own.bias))] = -50.0

    return change


def scale(factor: float, *layers: str) -> Callable[[Any], None]:
    """Weights that many times as large."""

    def change(network: Any) -> None:
        for layer in layers:
            network.blocks[layer].conv.weight.data *= factor

    return change


def copy(layer: str, kept: int) -> Callable[[Any], None]:
    """All channels repeat the first few, up to scale."""

    def change(network: Any) -> None:
        own = network.blocks[layer].conv
        for i in range(kept, len(own.weight)):
            own.weight.data[i] = own.weight.data[i % kept] * (1 + 0.1 * i)
            own.bias.data[i] = own.bias.data[i % kept] * (1 + 0.1 * i)

    return change


def deafen(layer: str, channels: list[int]) -> Callable[[Any], None]:
    """Some of its inputs no longer reach a layer."""

    def change(network: Any) -> None:
        network.blocks[layer].conv.weight.data[:, channels] = 0.0

    return change


def shift(amount: float) -> Callable[[Any], None]:
    """All rates larger by a factor of e to that amount."""

    def change(network: Any) -> None:
        network.blocks["log_rate"].conv.bias.data += amount

    return change


def explode(factor: float) -> Callable[[Any], None]:
    """Weights far too large everywhere."""

    def change(network: Any) -> None:
        scale(factor**0.7, "one", "two", "three")(network)
        network.blocks["log_rate"].conv.weight.data += 0.05

    return change


def sick_specs() -> list[Case]:
    """Specs with a fault."""
    made = []
    for layer, share in (
        ("one", 0.5), ("two", 0.5), ("three", 0.5), ("one", 0.75), ("two", 0.75), ("three", 0.75), ("two", 1.0)
    ):  # fmt: skip
        made.append(
            Case(
                f"dead {layer} {share}", spec(three(activation="relu")), ("dead_units",), (layer,),
                shut(layer, share),
            )
        )  # fmt: skip
    for layer, kind in (("one", "sigmoid"), ("two", "sigmoid"), ("two", "tanh"), ("three", "tanh")):
        layers = [
            conv(n, activation=kind if n == layer else "gelu") for n in ("one", "two", "three")
        ]
        made.append(
            Case(
                f"saturated {kind} {layer}", spec(layers), ("saturated_units",), (layer,),
                scale(300.0, layer),
            )
        )  # fmt: skip
    for layer, kept in (("one", 2), ("two", 4), ("two", 2), ("three", 3)):
        made.append(
            Case(
                f"copies {layer} {kept}", spec(three(channels=24)), ("redundant_channels",), (layer,),
                None, copy(layer, kept),
            )
        )  # fmt: skip
    for layer, width in (("two", 1), ("three", 1), ("two", 2), ("three", 2)):
        layers = [conv(n, width if n == layer else 24) for n in ("one", "two", "three", "four")]
        made.append(Case(f"narrow {layer} {width}", spec(layers), ("too_narrow",), (layer,)))
    vanishing = ("vanishing_gradients", "dead_units", "collapsed_to_mean")
    for count in (8, 10):
        made.append(Case(f"vanishing sigmoid {count}", spec(deep(count, "sigmoid")), vanishing))
    made.append(
        Case(
            "vanishing tanh 12", spec(deep(12, "tanh")), vanishing, (),
            scale(0.2, *(f"layer_{i}" for i in range(12))),
        )
    )  # fmt: skip
    unstable = ("unstable_loss", "exploding_gradients", "dead_units", "worse_than_baseline")
    for rate in (1.0, 3.0):
        made.append(Case(f"rate {rate}", spec(three(), rate=rate), unstable))
    for factor in (40.0, 100.0):
        made.append(
            Case(
                f"exploding {factor:.0f}", spec(three(activation="relu")),
                ("exploding_gradients", "unstable_loss"), (), explode(factor),
            )
        )  # fmt: skip
    for count in (2, 3, 4):
        layers = [conv(f"l{i}", activation="none") for i in range(count)]
        made.append(Case(f"linear {count}", spec(layers), ("underfit",), ("l0",)))
    for lags in ([1, 2, 3], [0, 1, 2], [2, 3, 4]):
        made.append(
            Case(
                f"deaf to {lags}", spec(three()), ("ignored_input",), (), None,
                deafen("one", lags),
            )
        )  # fmt: skip
    made += [
        Case("too big ×1.4", spec(three()), ("miscalibrated",), (), None, shift(0.34)),
        Case("too small ×0.7", spec(three()), ("miscalibrated",), (), None, shift(-0.36)),
        Case("bernoulli", spec(three(), head=f'{OFFSET}\nlikelihood = "bernoulli"'), ("miscalibrated",)),
        Case("poisson on bursts", spec(three()), ("miscalibrated",), city="bursts"),
        Case(
            "by heart", spec(three(channels=96), head=ALONE, epochs=30, rate=5e-3, decay=0.0),
            ("overfit",),
        ),
        Case(
            "by heart, embedded",
            spec(
                [
                    {"name": "own", "kind": "embedding", "channels": 32, "weight_decay": 0.0},
                    {"name": "both", "kind": "concat", "inputs": ["frames", "own"]},
                    conv("one", 64), conv("two", 64),
                ],
                epochs=30, rate=5e-3, decay=0.0,
            ),
            ("overfit",),
        ),
        Case(
            "ten weeks", spec(three(channels=48), head=ALONE, epochs=40, rate=5e-3, decay=0.0),
            ("overfit",), cuts=("2023-03-12", "2023-07-01"),
        ),
        Case("one epoch", spec(three(), head=ALONE, epochs=2, rate=2e-4), ("underfit", "worse_than_baseline")),
        Case(
            "beside the road", spec([conv("one"), conv("lost", inputs=["one"]), conv("two", inputs=["one"])]),
            ("unused_layer",), ("lost",),
        ),
        Case(
            "lost at the end",
            spec([conv("one"), conv("two"), conv("lost", inputs=["two"]), conv("three", inputs=["two"])]),
            ("unused_layer",), ("lost",),
        ),
        Case(
            "four times too wide", spec(three({"channels": 128}, {"channels": 160}, {"channels": 128})),
            ("too_wide",),
        ),
        Case("one cell, far", spec(three(kernel=1), head='offset = "mean"'), ("receptive_field_too_small",), city="far"),
        Case(
            "three cells, far", spec(three({}, {"kernel": 1}, {"kernel": 1}), head='offset = "mean"'),
            ("receptive_field_too_small",), city="far",
        ),
        Case("a map of the future", spec(three(), head=f'{OFFSET}\nstatic = ["tomorrow"]'), ("leakage",), ("tomorrow",)),
    ]  # fmt: skip
    return made


def sick_modules() -> list[Case]:
    """Users' modules with a fault; the layers are the module's own names."""
    vanishing = ("vanishing_gradients", "dead_units", "collapsed_to_mean")
    unstable = ("unstable_loss", "exploding_gradients", "dead_units", "worse_than_baseline")
    planted: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("dead_first", ("dead_units",), ("body.0", "body.1")),
        ("dead_second", ("dead_units",), ("body.2", "body.3")),
        ("dead_by_hand", ("dead_units",), ("second",)),
        ("dead_by_weights", ("dead_units",), ("first",)),
        ("saturated_sigmoid", ("saturated_units",), ("body.0", "body.1")),
        ("saturated_tanh", ("saturated_units",), ("second",)),
        ("alike_from_the_start", ("redundant_channels",), ("second",)),
        ("copied", ("redundant_channels",), ("body.0",)),
        ("narrow_middle", ("too_narrow",), ("body.2",)),
        ("narrow_first", ("too_narrow",), ("body.0",)),
        ("narrow_two", ("too_narrow",), ("body.4",)),
        ("vanishing_sigmoid", vanishing, ()), ("vanishing_tanh", vanishing, ()),
        ("exploding_init", ("exploding_gradients", "unstable_loss"), ()),
        ("exploding_depth", ("exploding_gradients", "unstable_loss"), ()),
        ("linear_chain", ("underfit",), ("body.0",)), ("linear_by_hand", ("underfit",), ("first",)),
        ("deaf_to_all_but_two", ("ignored_input",), ()), ("deaf_to_the_last", ("ignored_input",), ()),
        ("deaf_to_history", ("ignored_input",), ()),
        ("chequered", ("checkerboard",), ("up",)), ("chequered_wide", ("checkerboard",), ("up",)),
        ("padded", ("border_artifact",), ()), ("padded_wide", ("border_artifact",), ()),
        ("lost_branch", ("unused_layer",), ("lost",)), ("never_run", ("unused_layer",), ("lost",)),
        ("detached", ("vanishing_gradients", "unused_layer"), ("first",)),
        ("wide_by_four", ("too_wide",), ("body.0", "body.2")),
        ("capped", ("miscalibrated",), ()), ("loud", unstable, ()),
        ("clamped", ("vanishing_gradients", "collapsed_to_mean"), ()), ("counted_twice", ("miscalibrated",), ()),
        ("averaged_away", ("collapsed_to_mean",), ()),
    ]  # fmt: skip
    made = [
        Case(f"module {name}", module=name, codes=codes, layers=layers)
        for name, codes, layers in planted
    ]
    cells = ("receptive_field_too_small",)
    made += [
        Case("module one_cell, far", module="one_cell", codes=cells, city="far"),
        Case("module three_cells, far", module="three_cells", codes=cells, city="far"),
        Case("module by_heart", module="by_heart", codes=("overfit",)),
        Case(
            "module ten weeks", module="by_heart", codes=("overfit",), cuts=("2023-03-12", "2023-07-01")
        ),
        Case(
            "module one epoch", module="healthy_chain", codes=("underfit", "worse_than_baseline"),
            training=(("epochs", 2), ("learning_rate", 2e-4)),
        ),
    ]  # fmt: skip
    return made


def healthy() -> list[Case]:
    """Networks in which nothing was planted."""
    specs = [
        ("plain", spec(three())), ("plain relu", spec(three(activation="relu")[:2])),
        ("memories", spec([conv("one", 24, kernel=1), conv("two", 24, kernel=1)], head=REMEMBER)),
        ("memories wide", spec([conv("one", 48, kernel=1), conv("two", 32, kernel=1)], head=REMEMBER)),
        ("residual 2", spec(residual(2))), ("residual 4", spec(residual(4))),
        ("residual memories", spec(residual(2), head=REMEMBER)),
        ("film", spec([conv("one"), {"name": "season", "kind": "film"}, conv("two")], head=REMEMBER)),
        ("dilated", spec(three({}, {"dilation": 2}))),
        ("separable", spec([conv("one"), conv("two", kind="separable")])),
        ("pooled", spec(pooled())),
        ("dropout", spec([conv("one"), {"name": "drop", "kind": "dropout", "rate": 0.1}, conv("two")])),
        ("squeezed", spec([conv("one"), {"name": "gate", "kind": "squeeze"}, conv("two")])),
        ("lstm", spec([{"name": "days", "kind": "convlstm", "inputs": ["history"], "channels": 12, "kernel": 3}, conv("out")])),
        ("tanh", spec(three(activation="tanh")[:2])),
        ("negative binomial", spec(three(), head=f'{OFFSET}\nlikelihood = "negative_binomial"')),
    ]  # fmt: skip
    made = [Case(f"healthy: {name}", text) for name, text in specs]
    modules = (
        "chain", "leaky", "tanh", "by_hand", "residual", "batch_norm", "unet", "dilated", "separable",
        "dropout", "seasons", "over_time", "attention", "memory", "recurrent",
    )  # fmt: skip
    made += [Case(f"healthy: module {name}", module=f"healthy_{name}") for name in modules]
    return made


CHICAGO = (
    "dead two 0.75", "saturated sigmoid two", "copies two 2", "narrow two 1", "vanishing sigmoid 8",
    "rate 3.0", "exploding 100", "linear 3", "deaf to [0, 1, 2]", "too big ×1.4", "beside the road",
    "healthy: plain", "healthy: memories", "healthy: residual 2", "healthy: film", "healthy: pooled",
    "healthy: tanh",
)  # fmt: skip


def cases() -> list[Case]:
    """All networks; some of the specs on Chicago too, whose grid has all types in one."""
    from dataclasses import replace

    made = [*sick_specs(), *sick_modules(), *healthy()]
    made += [
        replace(case, name=f"Chicago, {case.name}", city="chicago")
        for case in made
        if case.name in CHICAGO and not case.module
    ]
    return made
