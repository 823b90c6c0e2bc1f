"""Networks that are sick on purpose, and healthy ones: does the diagnosis name what was planted?

    python bench/planted.py [--only NAME] [--json]

Each network is trained on the sample city for a few epochs and then diagnosed. `first` is the share
of sick ones whose planted fault is named first, `layer` the share of those with a planted layer for
which it is named at that layer, `healthy` the share of healthy ones without a finding of high
severity. Writes results/planted.json and .md, which the thresholds of crimecast/diagnose rest on.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
sys.path.insert(0, str(RESULTS.parent.parent))
CUTS = ("2024-01-01", "2024-07-01")

WARM = """
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


def conv(name: str, channels: int = 16, **options: Any) -> dict[str, Any]:
    """A convolutional layer as a spec has it."""
    return {
        "name": name,
        "kind": "conv",
        "channels": channels,
        "kernel": 3,
        "activation": "gelu",
    } | options


def spec(
    layers: list[dict[str, Any]], name: str = "planted", lags: str = "[1, 2, 3, 7, 14]",
    head: str = 'offset = "memory_mixture"', epochs: int = 4, rate: float = 2e-3, decay: float = 1e-2,
) -> str:  # fmt: skip
    """A whole spec from its layers; the head is added."""
    import tomli_w

    made = tomli_w.dumps({"layer": [*layers, {"name": "log_rate", "kind": "head"}]})
    return WARM.format(
        name=name, lags=lags, head=head, layers=made, epochs=epochs, rate=rate, decay=decay
    )


PLAIN = [conv("one"), conv("two"), conv("three")]
REMEMBER = 'offset = "memory_mixture"\nmemories = [7, 30, 120]\nblurs = [0, 2]\nposition = 1'


@dataclass(frozen=True)
class Case:
    """A network: its spec, the fault's code (None: healthy) and layer, and what is done to the
    network before training (`before`) or after (`after`)."""

    name: str
    spec: str
    codes: tuple[str, ...] = ()
    layer: str | None = None
    before: Callable[[Any], None] | None = None
    after: Callable[[Any], None] | None = None


def _bias(layer: str, share: float) -> Callable[[Any], None]:
    """Shut that share of a layer's channels for good."""

    def change(network: Any) -> None:
        own = network.blocks[layer].conv
        count = int(share * len(own.bias))
        own.bias.data[:count] = -50.0

    return change


def _scale(layer: str, factor: float) -> Callable[[Any], None]:
    def change(network: Any) -> None:
        network.blocks[layer].conv.weight.data *= factor

    return change


def _copy(layer: str, kept: int) -> Callable[[Any], None]:
    """All channels repeat the first few."""

    def change(network: Any) -> None:
        own = network.blocks[layer].conv
        for i in range(kept, len(own.weight)):
            own.weight.data[i] = own.weight.data[i % kept] * (1 + 0.1 * i)
            own.bias.data[i] = own.bias.data[i % kept] * (1 + 0.1 * i)

    return change


def _deaf(layer: str, channels: list[int]) -> Callable[[Any], None]:
    def change(network: Any) -> None:
        network.blocks[layer].conv.weight.data[:, channels] = 0.0

    return change


def _shift(amount: float) -> Callable[[Any], None]:
    def change(network: Any) -> None:
        network.blocks["log_rate"].conv.bias.data += amount

    return change


def relu(name: str, channels: int = 16, **options: Any) -> dict[str, Any]:
    """A rectified convolution."""
    return conv(name, channels, activation="relu", **options)


def deep(count: int, activation: str) -> list[dict[str, Any]]:
    """A chain without skips or norms."""
    return [conv(f"layer_{i}", 12, activation=activation) for i in range(count)]


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


def cases() -> list[Case]:
    """All networks."""
    made = []
    for share in (0.5, 0.75, 1.0):
        for layer in ("one", "two", "three"):
            if share == 1.0 and layer != "two":
                continue
            layers = [relu("one"), relu("two"), relu("three")]
            made.append(
                Case(
                    f"dead {layer} {share}",
                    spec(layers),
                    ("dead_units",),
                    layer,
                    _bias(layer, share),
                )
            )
    for layer, kind in (("one", "sigmoid"), ("two", "sigmoid"), ("two", "tanh"), ("three", "tanh")):
        layers = [
            conv(n, activation=kind if n == layer else "gelu") for n in ("one", "two", "three")
        ]
        made.append(
            Case(
                f"saturated {kind} {layer}",
                spec(layers),
                ("saturated_units",),
                layer,
                _scale(layer, 300.0),
            )
        )
    for layer, kept in (("one", 2), ("two", 4), ("two", 2), ("three", 3)):
        made.append(
            Case(
                f"copies {layer} {kept}",
                spec([conv("one", 24), conv("two", 24), conv("three", 24)]),
                ("redundant_channels",),
                layer,
                None,
                _copy(layer, kept),
            )
        )
    for width in (1, 2):
        for layer in ("two", "three"):
            layers = [conv(n, width if n == layer else 24) for n in ("one", "two", "three", "four")]
            made.append(Case(f"narrow {layer} {width}", spec(layers), ("too_narrow",), layer))
    for kind, count in (("sigmoid", 8), ("sigmoid", 10), ("tanh", 12)):
        after = None
        if kind == "tanh":

            def after(network: Any) -> None:
                for i in range(12):
                    network.blocks[f"layer_{i}"].conv.weight.data *= 0.2

        made.append(
            Case(
                f"vanishing {kind} {count}",
                spec(deep(count, kind)),
                ("vanishing_gradients", "dead_units", "collapsed_to_mean"),
                None,
                after,
            )
        )
    for rate in (1.0, 3.0):
        made.append(
            Case(
                f"rate {rate}",
                spec(PLAIN, rate=rate),
                ("unstable_loss", "exploding_gradients", "dead_units", "worse_than_baseline"),
            )
        )
    for factor in (40.0, 100.0):

        def grow(network: Any, factor: float = factor) -> None:
            for n in ("one", "two", "three"):
                network.blocks[n].conv.weight.data *= factor**0.7
            network.blocks["log_rate"].conv.weight.data += 0.05

        made.append(
            Case(
                f"exploding {factor}",
                spec(
                    [
                        conv(n, activation="none" if n == "x" else "relu")
                        for n in ("one", "two", "three")
                    ]
                ),
                ("exploding_gradients", "unstable_loss"),
                None,
                grow,
            )
        )
    for count in (2, 3, 4):
        layers = [conv(f"l{i}", activation="none") for i in range(count)]
        made.append(Case(f"linear {count}", spec(layers), ("underfit",), "l0"))
    for lags in ([1, 2, 3], [0, 1, 2], [2, 3, 4]):
        made.append(
            Case(f"deaf to {lags}", spec(PLAIN), ("ignored_input",), None, None, _deaf("one", lags))
        )
    made.append(Case("too big ×1.4", spec(PLAIN), ("miscalibrated",), None, None, _shift(0.34)))
    made.append(Case("too small ×0.7", spec(PLAIN), ("miscalibrated",), None, None, _shift(-0.36)))
    made.append(
        Case(
            "bernoulli",
            spec(PLAIN, head='offset = "memory_mixture"\nlikelihood = "bernoulli"'),
            ("miscalibrated",),
        )
    )
    made.append(
        Case(
            "by heart",
            spec(
                [conv("one", 96), conv("two", 96)],
                head='offset = "none"',
                epochs=40,
                rate=5e-3,
                decay=0.0,
            ),
            ("overfit",),
        )
    )
    made.append(
        Case(
            "by heart, embedded",
            spec(
                [
                    {"name": "own", "kind": "embedding", "channels": 32, "weight_decay": 0.0},
                    {"name": "both", "kind": "concat", "inputs": ["frames", "own"]},
                    conv("one", 64),
                    conv("two", 64),
                ],
                epochs=30,
                rate=5e-3,
                decay=0.0,
            ),
            ("overfit",),
        )
    )
    made.append(
        Case(
            "one epoch",
            spec(PLAIN, head='offset = "none"', epochs=2, rate=2e-4),
            ("underfit", "worse_than_baseline"),
        )
    )
    made.append(
        Case(
            "beside the road",
            spec([conv("one"), conv("lost", inputs=["one"]), conv("two", inputs=["one"])]),
            ("unused_layer",),
            "lost",
        )
    )
    made.append(
        Case(
            "lost at the end",
            spec(
                [
                    conv("one"),
                    conv("two"),
                    conv("lost", inputs=["two"]),
                    conv("three", inputs=["two"]),
                ]
            ),
            ("unused_layer",),
            "lost",
        )
    )
    made.append(
        Case(
            "four times too wide",
            spec([conv("one", 128), conv("two", 160), conv("three", 128)]),
            ("too_wide",),
        )
    )
    healthy = [
        ("plain", spec(PLAIN)), ("plain relu", spec([relu("one"), relu("two")])),
        ("memories", spec([conv("one", 24, kernel=1), conv("two", 24, kernel=1)], head=REMEMBER)),
        ("memories wide", spec([conv("one", 48, kernel=1), conv("two", 32, kernel=1)], head=REMEMBER)),
        ("residual 2", spec(residual(2))), ("residual 4", spec(residual(4))),
        ("residual memories", spec(residual(2), head=REMEMBER)),
        ("film", spec([conv("one"), {"name": "season", "kind": "film"}, conv("two")], head=REMEMBER)),
        ("dilated", spec([conv("one"), conv("two", dilation=2), conv("three")])),
        ("separable", spec([conv("one"), {"name": "two", "kind": "separable", "channels": 16, "kernel": 3, "activation": "gelu"}])),
        ("pooled", spec([conv("one"), {"name": "down", "kind": "pool", "size": 2}, conv("two", 24), {"name": "up", "kind": "upsample", "like": "one"}, {"name": "sum", "kind": "concat", "inputs": ["one", "up"]}, conv("three")])),
        ("dropout", spec([conv("one"), {"name": "drop", "kind": "dropout", "rate": 0.1}, conv("two")])),
        ("squeezed", spec([conv("one"), {"name": "gate", "kind": "squeeze"}, conv("two")])),
        ("lstm", spec([{"name": "days", "kind": "convlstm", "inputs": ["history"], "channels": 12, "kernel": 3}, conv("out")])),
        ("tanh", spec([conv("one", activation="tanh"), conv("two", activation="tanh")])),
        ("negative binomial", spec(PLAIN, head='offset = "memory_mixture"\nlikelihood = "negative_binomial"')),
    ]  # fmt: skip
    made += [Case(f"healthy: {name}", text) for name, text in healthy]
    return made


def train(case: Case, grid: str) -> Any:
    """Train a case in this process; returns the run."""
    from crimecast.designs import build as building
    from crimecast.designs.spec import parse_design
    from crimecast.runs import create_run, load_run, update_run
    from crimecast.training import checkpoints
    from crimecast.training.worker import train_run
    from crimecast.windows import load_cube, split

    design = parse_design(case.spec)
    cube = load_cube(grid)
    cuts = split(cube, *CUTS)
    settings = {
        "train": cuts.train, "validate": cuts.validate, "train_until": CUTS[0],
        "validate_until": CUTS[1], "epochs": design.training.epochs, "refit": False,
    }  # fmt: skip
    run = create_run(design, grid, 0, "cpu", settings, None)
    original = building.build
    if case.before is not None:

        def made(*arguments: Any) -> Any:
            network = original(*arguments)
            case.before(network)  # type: ignore[misc]
            return network

        building.build = made  # type: ignore[assignment]
    try:
        summary = train_run(run, lambda: False)
    finally:
        building.build = original
    update_run(run.id, state="done", summary=summary, ended=time.time())
    if case.after is not None:
        network = original(design, *_shape(cube, design), 0)
        path = run.folder / "network.safetensors"
        tensors, note = checkpoints.load(path)
        checkpoints.load_network(network, tensors)
        case.after(network)
        checkpoints.save(path, checkpoints.network_state(network), note)
    return load_run(run.id)


def _shape(cube: Any, design: Any) -> tuple[int, ...]:
    from crimecast.dates import calendar

    numbers = calendar(cube.times[:1], cube.step, design.calendar).shape[1]
    return (*cube.counts.shape[1:], numbers)


def main() -> None:
    """Train and diagnose every case, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["CRIMECAST_DATA"] = tempfile.mkdtemp()
    from crimecast.diagnose import diagnose
    from crimecast.errors import UserError
    from crimecast.grid import list_grids
    from crimecast.sources.sample import ensure_sample

    ensure_sample()
    grid = list_grids("sample")[-1]["grid"]
    rows = []
    for case in cases():
        if options.only not in case.name:
            continue
        began = time.perf_counter()
        try:
            found = [f.row() for f in diagnose(train(case, grid))]
        except UserError as error:
            found = [
                {"code": "unstable_loss", "layer": None, "severity": "high", "evidence": str(error)}
            ]
        first = found[0] if found else {"code": "", "layer": None, "severity": ""}
        rows.append(
            {
                "case": case.name, "planted": list(case.codes), "at": case.layer,
                "named": first["code"], "named_at": first["layer"], "severity": first["severity"],
                "others": [f"{f['code']} {f['layer'] or ''} {f['severity']}".strip() for f in found[1:]],
                "right": (first["code"] in case.codes) if case.codes else first["severity"] != "high",
                "right_layer": case.layer is None or any(f["code"] in case.codes and f["layer"] == case.layer for f in found[:2]),
                "seconds": round(time.perf_counter() - began, 1),
            }
        )  # fmt: skip
        if not options.json:
            r = rows[-1]
            print(
                f"{'ok ' if r['right'] else 'NO '} {r['case']:<24} {r['named']} {r['named_at'] or ''} {r['severity']} | {r['others']}",
                flush=True,
            )
    document = summary(rows)
    if not options.only:
        (RESULTS / "planted.json").write_text(
            json.dumps(document, indent=1) + "\n", encoding="utf-8"
        )
        (RESULTS / "planted.md").write_text(markdown(document), encoding="utf-8")
    print(
        json.dumps(document) if options.json else {k: v for k, v in document.items() if k != "rows"}
    )


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The three shares, and the rows."""
    sick = [r for r in rows if r["planted"]]
    well = [r for r in rows if not r["planted"]]
    placed = [r for r in sick if r["at"]]
    return {
        "sick": len(sick), "healthy_count": len(well),
        "first": round(sum(r["right"] for r in sick) / max(1, len(sick)), 3),
        "layer": round(sum(r["right_layer"] for r in placed) / max(1, len(placed)), 3),
        "healthy": round(sum(r["right"] for r in well) / max(1, len(well)), 3),
        "rows": rows,
    }  # fmt: skip


def markdown(document: dict[str, Any]) -> str:
    """The table for people."""
    lines = [
        f"# Planted faults: {document['sick']} sick networks, {document['healthy_count']} healthy",
        "",
        f"The planted fault is named first in {100 * document['first']:.0f} %, at its layer in "
        f"{100 * document['layer']:.0f} % of those that have one; {100 * document['healthy']:.0f} % of the "
        "healthy have no finding of high severity.",
        "",
        "| network | planted | named first | at | severity | also |",
        "|---|---|---|---|---|---|",
    ]
    for r in document["rows"]:
        lines.append(
            f"| {r['case']} | {', '.join(r['planted'])} {r['at'] or ''} | {r['named']} | {r['named_at'] or ''} "
            f"| {r['severity']} | {'; '.join(r['others'])} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
