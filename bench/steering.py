"""Does steering work? From bad designs, five rounds of advice against five rounds of chance.

    python bench/steering.py [--rounds 5] [--json]

Ten bad designs are trained on the sample city. From each, `steer` applies the first advised change to a
fork, trains it and keeps it if its validation loss is lower, up to --rounds times; and beside it as many
changes are drawn at random from those that are legal, each kept by the same rule. All ends are scored on
the months after validation, which nothing was chosen by. `closed` is the share of the gap in
log-likelihood per event between the bad design and the best known one (the shipped `stack`) that was
closed (1: all of it). Writes results/steering.json and .md.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.planting.specs import ALONE, conv, deep, spec, three

RESULTS = Path(__file__).resolve().parent / "results"
CUTS = ("2024-01-01", "2024-07-01")
BAD = {
    "linear": spec(three(activation="none"), head=ALONE, epochs=6),
    "one channel in the middle": spec(three({}, {"channels": 1}, activation="relu"), head=ALONE, epochs=6),
    "tanh in large steps": spec(three(activation="tanh"), head=ALONE, epochs=6, rate=0.1),
    "ten sigmoids": spec(deep(10, "sigmoid"), head=ALONE, epochs=6),
    "learning rate of 1": spec(three(), head=ALONE, epochs=6, rate=1.0),
    "hardly trained": spec(three(), head=ALONE, epochs=2, rate=1e-4),
    "sees one cell": spec(three(kernel=1), head=ALONE, epochs=6),
    "any or none": spec(three(), head=f'{ALONE}\nlikelihood = "bernoulli"', epochs=6),
    "a rate for every cell": spec(
        [
            {"name": "own", "kind": "embedding", "channels": 32, "weight_decay": 0.0},
            {"name": "both", "kind": "concat", "inputs": ["frames", "own"]}, conv("one", 64), conv("two", 64),
        ],
        head=ALONE, epochs=15, rate=5e-3, decay=0.0,
    ),
    "four weeks ago": spec(three(channels=8), lags="[28]", head=ALONE, epochs=6),
}  # fmt: skip


def main() -> None:
    """Steer every bad design by advice and by chance, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["CRIMECAST_DATA"] = tempfile.mkdtemp()
    os.environ.setdefault("CRIMECAST_CPU_SLOTS", "1")
    from crimecast.designs.spec import load_design, parse_design
    from crimecast.grids.grid import list_grids
    from crimecast.lineage.steer import steer
    from crimecast.runs.run import load_run
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    grid = list_grids("sample")[-1]["grid"]
    best = _score(_trained(load_design("stack"), grid))
    rows: list[dict[str, Any]] = []
    for name, text in BAD.items():
        start = _trained(parse_design(text), grid)
        before = _score(start)
        advised = steer(start, options.rounds)
        kept = [step["run"] for step in advised if step.get("kept")]
        after = _score(load_run(kept[-1])) if kept else before
        chance = _score(_by_chance(start, options.rounds, random.Random(name)))
        gap = best - before
        rows.append(
            {
                "design": name, "before": before, "advised": after, "chance": chance, "best": best,
                "closed": round((after - before) / gap, 3),
                "closed_by_chance": round((chance - before) / gap, 3),
                "steps": [
                    f"{s['finding']}: {s['patch']}{'' if s.get('kept') else ' (not kept)'}" for s in advised
                ],
            }
        )  # fmt: skip
        if not options.json:
            print(json.dumps(rows[-1]), flush=True)
    document = {
        "rounds": options.rounds,
        "median_closed": statistics.median(r["closed"] for r in rows),
        "median_closed_by_chance": statistics.median(r["closed_by_chance"] for r in rows),
        "rows": rows,
    }
    for suffix, content in (("json", json.dumps(document, indent=1)), ("md", _markdown(document))):
        (RESULTS / f"steering.{suffix}").write_text(content + "\n", encoding="utf-8")
    print(
        json.dumps(document) if options.json else {k: v for k, v in document.items() if k != "rows"}
    )


def _trained(design: Any, grid: str) -> Any:
    from crimecast.runs import queue

    run = queue.wait(queue.submit(queue.Request(design, grid, *CUTS, seed=0, device="cpu")).id)
    if run.state != "done":
        raise RuntimeError(f"{run.id} is {run.state}: {run.message}")
    return run


def _score(run: Any) -> float:
    """Log-likelihood per event of the months that nothing was chosen by."""
    from crimecast.forecasting.forecasts import score_sums
    from crimecast.grids.cube import load_cube
    from crimecast.judging.scoring import scores

    cube = load_cube(run.grid)
    sums = score_sums(run.id, cube, cube.index(CUTS[1], "--since"), len(cube.times))
    return round(float(scores(sums)["log_likelihood_per_event"]), 4)


def _by_chance(start: Any, rounds: int, rng: random.Random) -> Any:
    """As `steer`, with changes drawn at random from the legal ones."""
    from crimecast import UserError
    from crimecast.lineage.steer import fork
    from crimecast.runs import queue

    best, made = start, 0
    while made < rounds:
        try:
            child = queue.wait(fork(best, _change(best.design, rng)).id)
        except UserError:
            continue  # it can't be built: drawn again
        made += 1
        loss = child.summary.get("validation_loss")
        if child.state == "done" and loss is not None and loss < best.summary["validation_loss"]:
            best = child
    return best


def _change(design: Any, rng: random.Random) -> dict[str, Any]:
    """One field to another value, each field as likely as the next."""
    from crimecast.designs.spec import LIKELIHOODS, OFFSETS

    training = design.training
    choices: list[tuple[str, list[Any]]] = [
        ("training.learning_rate", [training.learning_rate * f for f in (0.1, 0.3, 3) if training.learning_rate * f < 9]),
        ("training.epochs", [max(1, training.epochs // 2), 2 * training.epochs]),
        ("training.weight_decay", [0.0, 0.01, 0.1]),
        ("offset", [o for o in OFFSETS if o != design.offset]),
        ("likelihood", [x for x in LIKELIHOODS if x != design.likelihood]),
        ("lags", [[1, 2, 3], [1, 2, 3, 7, 14], [1, 2, 3, 7, 14, 21, 28]]),
        ("position", [0, 2]),
        ("memories", [[], [14], [7, 30, 120]]),
    ]  # fmt: skip
    for layer in design.layers:
        if layer.kind == "conv":
            own = f"layer.{layer.name}"
            channels = layer.options["channels"]
            choices += [
                (f"{own}.channels", [max(1, channels // 2), 2 * channels]),
                (f"{own}.kernel", [1, 3, 5]),
                (f"{own}.activation", ["none", "relu", "gelu", "tanh", "sigmoid"]),
                (f"{own}.norm", ["none", "group"]),
            ]
    field, values = rng.choice(choices)
    return {field: rng.choice(values)}


def _markdown(document: dict[str, Any]) -> str:
    lines = [
        "# Steering: ten bad designs, by advice and by chance",
        "",
        f"{document['rounds']} rounds each, on the sample city; log-likelihood per event of the half year after "
        "validation (higher is better). The median closes "
        f"{100 * document['median_closed']:.0f} % of the gap to the best known design by advice, "
        f"{100 * document['median_closed_by_chance']:.0f} % by chance.",
        "",
        "| design | before | by advice | by chance | best known | closed by advice | by chance | steps |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in document["rows"]:
        lines.append(
            f"| {r['design']} | {r['before']} | {r['advised']} | {r['chance']} | {r['best']} | "
            f"{100 * r['closed']:.0f} % | {100 * r['closed_by_chance']:.0f} % | {'; '.join(r['steps'])} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
