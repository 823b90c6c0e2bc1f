"""What each part of the default design brings: the same network without it, or made otherwise.

    python bench/tried.py --data FOLDER [--root FOLDER] [--only NAME,NAME] [--json]

All Chicago crimes by day as in `forecasting.py chicago`: trained on 2014 and 2015, stopped on 2016,
trained once more on all three, judged on 2017; one seed. Every row is compared with the design as
shipped, on the same weeks; between seeds that one itself differs by 0.0005. Writes
results/tried.json and .md after every row; runs are kept in `--root`, so that it goes on where it
was interrupted. `CRIMECAST_CPU_SLOTS` says how many train side by side.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.forecasting import CASES, finished, gain, make_grid, started

if TYPE_CHECKING:
    from crimecast.designs.spec import Design

RESULTS = Path(__file__).resolve().parent / "results"
CASE = CASES["chicago"]
SHIPPED = "as shipped"
UNSURPRISED = {
    "surprises": (), "surprise_blurs": (0.0,), "weekday_surprises": (), "season_surprises": (),
    "first_surprises": (),
}  # fmt: skip


def convolutions(design: "Design", **options: Any) -> "Design":
    """With other options in every convolution."""
    return replace(
        design,
        layers=tuple(
            replace(layer, options=layer.options | options) if layer.kind == "conv" else layer
            for layer in design.layers
        ),
    )


def own_cells(design: "Design") -> "Design":
    """With a bias for each cell and channel before the head."""
    from crimecast.designs.spec import Layer

    return replace(
        design, layers=(*design.layers[:-1], Layer("cells", "cell_bias"), design.layers[-1])
    )


def training(design: "Design", **values: Any) -> "Design":
    """Trained otherwise."""
    return replace(design, training=replace(design.training, **values))


TRIED: dict[str, Callable[["Design"], "Design"]] = {
    SHIPPED: lambda d: d,
    "no surprises": lambda d: replace(d, **UNSURPRISED),  # type: ignore[arg-type]
    "nothing of the same weekday": lambda d: replace(d, weekday_memories=(), weekday_surprises=()),
    "no blurs": lambda d: replace(d, blurs=(0.0,), surprise_blurs=(0.0,)),
    "no place": lambda d: replace(d, position=0),
    "the weekday alone of the calendar": lambda d: replace(d, calendar=("dow",)),
    "a decayed mean as offset": lambda d: replace(d, offset="decayed_mean"),
    "neither offset nor surprises": lambda d: replace(d, offset="none", **UNSURPRISED),  # type: ignore[arg-type]
    "negative binomial": lambda d: replace(d, likelihood="negative_binomial"),
    "a bias for each cell": own_cells,
    "averaged weights": lambda d: training(d, average=0.99),
    "twice the epochs": lambda d: training(d, epochs=2 * d.training.epochs),
    "64 channels": lambda d: convolutions(d, channels=64),
    "kernels of 3 × 3 cells": lambda d: convolutions(d, kernel=3),
}


def main() -> None:
    """Queue all that isn't trained yet, then score one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--root", type=Path, default=Path.home() / ".cache" / "crimecast-bench")
    parser.add_argument("--only")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["CRIMECAST_DATA"] = str(options.root.resolve() / "crimes")
    grid = make_grid(CASE, options.data)
    from crimecast.designs.spec import load_design
    from crimecast.forecasting.forecasts import score_sums
    from crimecast.grids.cube import load_cube
    from crimecast.judging.scoring import compare, scores

    cube = load_cube(grid)
    period = cube.period(CASE.cuts[1], CASE.cuts[2])
    names = options.only.split(",") if options.only else list(TRIED)
    runs = {
        name: started(TRIED[name](load_design("stack")), cube, CASE)
        for name in dict.fromkeys([SHIPPED, *names])
    }
    sums: dict[str, Any] = {}
    rows: list[dict[str, Any]] = []
    for name, run in runs.items():
        weights = finished(run).summary["parameters"]
        sums[name] = score_sums(run.id, cube, *period)
        row = {
            "name": name,
            "log_likelihood_per_event": scores(sums[name])["log_likelihood_per_event"],
            "against_shipped": compare(sums[name], sums[SHIPPED]) if name != SHIPPED else None,
            "parameters": weights,
        }
        rows.append(row)
        document = {"case": "chicago", "cuts": CASE.cuts, "rows": rows}
        for suffix, text in (("json", json.dumps(document, indent=1)), ("md", markdown(document))):
            (RESULTS / f"tried.{suffix}").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(document) if options.json else markdown(document))


def markdown(document: dict[str, Any]) -> str:
    """The table for people."""
    lines = [
        "# What each part of the default `stack` brings: all Chicago crimes by day, 2017, one seed",
        "",
        "Log-likelihood per event (higher is better), and the gain on the design as shipped with its 95 % "
        "interval, paired on the same weeks: negative is worse.",
        "",
        "| | log-likelihood | against the design as shipped | weights |",
        "|---|---|---|---|",
    ]
    for made in document["rows"]:
        lines.append(
            f"| {made['name']} | {made['log_likelihood_per_event']:.5f} | "
            f"{gain(made['against_shipped'])} | {made['parameters']:,} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
