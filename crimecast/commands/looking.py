"""What the commands that look into a run do."""

import argparse
from pathlib import Path
from typing import Any

from crimecast import UserError
from crimecast.commands.arguments import Add
from crimecast.commands.ready import ready


def inspect(options: argparse.Namespace) -> tuple[Any, str]:
    """Save activations as NPZ, one array (channels, height, width) a layer; or say what is proven."""
    if options.prove:
        return _proof(options.run)
    if options.at is None or options.out is None:
        raise UserError(
            "Say which step to look at and where to write it (--at and --out), or --prove."
        )
    import numpy as np

    from crimecast.grids.cube import load_cube
    from crimecast.inspect.activations import activations
    from crimecast.runs.run import load_run
    from crimecast.storage.store import replacing

    ready()
    run = load_run(options.run)
    cube = load_cube(run.grid)
    step = cube.index(options.at, "--at")
    if options.out.suffix != ".npz":
        raise UserError(f"Activations are written as .npz, not as '{options.out.suffix}'.")
    if not options.out.resolve().parent.is_dir():
        raise UserError(f"There is no folder {options.out.parent}.")
    caught = activations(run, step, [options.layer] if options.layer else None)
    with replacing(options.out.resolve()) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **caught)  # type: ignore[arg-type]
    shapes = {name: list(array.shape) for name, array in caught.items()}
    result = {
        "run": run.id,
        "at": str(cube.times[step])[:16],
        "layers": shapes,
        "out": str(options.out),
    }
    return result, "\n".join(
        f"{name:<16} {'×'.join(map(str, shape))}" for name, shape in shapes.items()
    )


def _proof(name: str) -> tuple[Any, str]:
    from crimecast.inspect.prove import proof_of
    from crimecast.runs.run import load_run

    ready()
    made = proof_of(load_run(name))
    lines = [
        f"{one.layer:<24} {one.kind:<20} {one.channels or '–':>6}  "
        + (
            "not proven"
            if one.field is None
            else "sees {} up, {} down, {} left, {} right".format(*one.field)
        )
        + (f"; {one.shown}" if one.shown else "")
        for one in made.layers
    ]
    lines += [f"not proven: {c.check} of {c.layer or 'the network'}: {c.why}" for c in made.doubts]
    lines.append(f"{sum(c.ok for c in made.checks)} of {len(made.checks)} checks passed.")
    return made.row(), "\n".join(lines)


def diagnose(options: argparse.Namespace) -> tuple[Any, str]:
    """Every finding about a run, the most severe first."""
    from crimecast import diagnose as diagnosing
    from crimecast.diagnose.own_file import line_of_run
    from crimecast.runs.run import load_run

    ready()
    run = load_run(options.run)
    found = diagnosing.diagnose(run)
    lines_of = [line_of_run(run, f) for f in found]
    lines = [
        f"{f.severity:<7} {f.code:<26} {f.layer or '–':<16} {f.advice}"
        + (f"  patch: {f.patch}" if f.patch else "")
        + (
            f"  which is why: {', '.join(one.code for one in f.whole()[1:])}"
            if f.consequences
            else ""
        )
        + (f"\n        line {line.number} of your file: {line.text}" if line else "")
        + (f"\n{line.diff}" if line and line.diff else "")
        for f, line in zip(found, lines_of, strict=True)
    ]
    rows = [
        f.row() | ({"line": vars(line)} if line else {})
        for f, line in zip(found, lines_of, strict=True)
    ]
    return rows, "\n".join(lines) or "Nothing was found."


def steer(options: argparse.Namespace) -> tuple[Any, str]:
    """Apply advised patches to forks, train them, and keep what helps."""
    import sys

    from crimecast.lineage.steer import steer as steering
    from crimecast.runs.run import load_run

    ready()
    made = steering(load_run(options.run), options.rounds, lambda t: print(t, file=sys.stderr))
    lines = [
        f"{r['round']}: {r['finding']:<26} {r.get('run', 'refused'):<20} "
        + (
            f"{r['before']:.5f} → {r['after']:.5f} {'kept' if r['kept'] else 'not kept'}"
            if r.get("after")
            else ""
        )
        for r in made
    ]
    return made, "\n".join(lines) or "There was nothing to change."


def report(options: argparse.Namespace) -> tuple[Any, str]:
    """Write a run, or its comparison with other forecasts, as one self-contained HTML file."""
    from crimecast.reporting.comparison import compared, comparison_report
    from crimecast.reporting.report import report as reporting
    from crimecast.runs.run import load_run
    from crimecast.storage.store import replacing

    ready()
    out = options.out.resolve()
    if out.suffix not in (".html", ".htm"):
        raise UserError(f"A report is written as .html, not as '{out.suffix}'.")
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {options.out.parent}.")
    run = load_run(options.run)
    others = options.against
    text = comparison_report(compared(run, others)) if others else reporting(run)
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return {"run": run.id, "out": str(options.out), "bytes": len(text.encode())}, (
        f"{run.id} written to {options.out}."
    )


def register(add: Add) -> None:
    """The commands that look into a run."""
    p = add("inspect", inspect, "Save what the layers of a run put out for one step.")
    p.add_argument("run")
    p.add_argument("--at", metavar="DATE")
    p.add_argument("--layer", metavar="NAME")
    p.add_argument("--out", type=Path, metavar="FILE.npz")
    p.add_argument(
        "--prove", action="store_true", help="say what is proven of the network, and what isn't"
    )

    p = add("diagnose", diagnose, "Say what is wrong with a trained run, and what to do.")
    p.add_argument("run")

    p = add("steer", steer, "Fork a run by what its diagnosis advises, several times over.")
    p.add_argument("run")
    p.add_argument("--rounds", type=int, default=5, metavar="N")

    p = add("report", report, "Write a run as one self-contained HTML file.")
    p.add_argument("run")
    p.add_argument("--out", required=True, type=Path, metavar="FILE.html")
    p.add_argument(
        "--against", nargs="+", default=[], metavar="NAME",
        help="Compare it with these runs and baselines instead, the first of them being the measure.",
    )  # fmt: skip
