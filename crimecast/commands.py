"""What each command does: the same functions as the pages call; each returns (result, text).

Imports that take long (torch, polars) are made by the commands that need them.
"""

import argparse
import subprocess
import sys
from typing import Any

from crimecast.errors import UserError


def _ready() -> None:
    from crimecast.sources.sample import ensure_sample

    ensure_sample()


def cities(_: argparse.Namespace) -> tuple[Any, str]:
    """Every city with what is known of it."""
    from crimecast.archive import manifest
    from crimecast.cities import list_cities

    _ready()
    rows = []
    for city in list_cities():
        months = manifest(city)["months"]
        rows.append(
            {
                "name": city.name,
                "title": city.title,
                "time_zone": city.time_zone,
                "crs": city.crs,
                "simulated": city.simulated,
                "events": sum(entry["rows"] for entry in months.values()),
                "from": min(months, default=None),
                "to": max(months, default=None),
                "datasets": [source.dataset for source in city.sources],
                "groups": list(city.groups),
            }
        )
    lines = [
        f"{row['name']:<20} {row['title']:<28} {row['events']:>11,} events"
        + (f"  {row['from']} to {row['to']}" if row["from"] else "")
        for row in rows
    ]
    return rows, "\n".join(lines)


def crawl(options: argparse.Namespace) -> tuple[Any, str]:
    """Crawl with a progress line on standard error."""
    from crimecast import archive
    from crimecast.cities import load_city
    from crimecast.crawling import crawl_city

    def show(progress: dict[str, Any]) -> None:
        if sys.stderr.isatty():
            left = progress.get("seconds_left")
            print(
                f"\r{progress['rows']:,} rows, {progress['rate']:,.0f} a second"
                + (f", {left:,.0f} s left   " if left is not None else "   "),
                end="", file=sys.stderr,
            )  # fmt: skip

    result = crawl_city(
        options.city,
        options.since,
        options.until,
        url=options.url,
        page_size=options.page_size,
        report=show,
    )
    result["report"] = archive.report(load_city(options.city))
    return result, (
        f"{result['read']:,} rows read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known; not used: {_reasons(result['dropped'])}."
    )


def _reasons(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "none"


def covariate(options: argparse.Namespace) -> tuple[Any, str]:
    """Store other maps of a city: weather by day, population by place."""
    from crimecast.covariates import import_covariate

    made = import_covariate(options.city, options.file, options.name, _mapping(options.map))
    return made, (
        f"{made['covariate']}: {made['rows']:,} values by {' and '.join(made['by'])}, {made['not_used']:,} rows "
        f'not used. Name it in a spec: static = ["{made["covariate"]}"].'
    )


def _mapping(pairs: list[str]) -> dict[str, str]:
    """--map FIELD=COLUMN … as a dictionary."""
    mapping = {}
    for pair in pairs:
        field, sign, column = pair.partition("=")
        if not sign or not field or not column:
            raise UserError(f"--map '{pair}' is not of the form FIELD=COLUMN.")
        mapping[field] = column
    return mapping


def import_(options: argparse.Namespace) -> tuple[Any, str]:
    """Import a file."""
    from crimecast.archive import report
    from crimecast.cities import load_city
    from crimecast.importing import import_file

    result = import_file(options.city, options.file, _mapping(options.map), options.crs, options.tz)
    result["report"] = report(load_city(options.city))
    return result, (
        f"{result['read']:,} records read: {result['added']:,} new, {result['corrected']:,} corrected, "
        f"{result['known']:,} known already; not used: {_reasons(result['dropped'])}."
    )


def grid(options: argparse.Namespace) -> tuple[Any, str]:
    """Make a grid, or find the one that the same request made before."""
    from crimecast.grid import make_grid

    _ready()
    made = make_grid(
        options.city, options.cell, options.step, options.types, options.since, options.until
    )
    if options.heatmaps is not None:
        from crimecast.heatmaps import write_heatmaps

        made = {**made, "heatmaps": write_heatmaps(options.city, options.heatmaps)}
    steps, kinds, height, width = made["shape"]
    return made, (
        f"{made['grid']}: {steps:,} steps × {kinds} × {height} × {width}, {made['cells']:,} cells in the study "
        f"area, {made['events']:,} events; not counted: {_reasons(made['dropped_by_reason'])}."
    )


def train(options: argparse.Namespace) -> tuple[Any, str]:
    """Queue a run; with --wait, stay until it has ended."""
    from crimecast.designs.spec import load_design
    from crimecast.runs import load_run
    from crimecast.training import queue

    _ready()
    source = options.fork or options.start_from
    if options.design is None and source is None:
        raise UserError("Name a --design (such as stack), or a run to --fork or --start-from.")
    parent = load_run(source) if source else None
    design = load_design(options.design) if options.design else parent.design  # type: ignore[union-attr]
    run = queue.submit(
        design, options.grid, options.train_until, options.validate_until, options.epochs,
        options.seed, options.device, options.fork, options.refit, options.start_from, options.leave_out,
    )  # fmt: skip
    if options.wait:
        run = queue.wait(run.id)
        if run.state == "failed":
            raise UserError(f"{run.id} failed: {run.message}")
    summary = {"run": run.id, "state": run.state, **run.summary}
    return summary, f"{run.id} is {run.state}."


def runs(options: argparse.Namespace) -> tuple[Any, str]:
    """List, show, stop, resume, try again, put first or delete."""
    from crimecast.runs import delete_run, list_runs, load_run
    from crimecast.training import queue

    _ready()
    if options.run is None:
        rows = [_run_row(run) for run in list_runs()]
        lines = [f"{r['run']:<24} {r['state']:<12} {r['grid']:<36} {r['message']}" for r in rows]
        return rows, "\n".join(lines) or "There are no runs yet."
    if options.action == "delete":
        delete_run(options.run)
        return {"run": options.run, "state": "deleted"}, f"{options.run} is deleted."
    if options.action == "stop":
        queue.stop(options.run)
    if options.action == "resume":
        queue.resume(options.run)
    if options.action == "retry":
        queue.retry(options.run)
    if options.action == "first":
        queue.put_first(options.run)
    run = load_run(options.run)
    row = {**_run_row(run), "progress": run.progress(), "history": run.history(), "spec": run.spec}
    text = f"{run.id} is {run.state}. {run.message}".strip()
    if run.request == "stop":
        text = f"{run.id} was asked to stop."
    return row, text


def _run_row(run: Any) -> dict[str, Any]:
    return {
        "run": run.id, "state": run.state, "grid": run.grid, "design": run.name, "parent": run.parent,
        "seed": run.seed, "message": run.message, **run.settings, **run.summary,
    }  # fmt: skip


def forecast(options: argparse.Namespace) -> tuple[Any, str]:
    """Forecast a period and, if asked, write it."""
    from crimecast import forecasts

    _ready()
    if options.out is not None and not options.out.parent.is_dir():
        raise UserError(f"There is no folder {options.out.parent}.")
    cube, first, last, made = forecasts.forecast(
        options.name, options.grid, options.since, options.until
    )
    if options.out is not None:
        forecasts.save_forecast(options.out, options.name, cube, first, last, made)
    area = cube.area(first)
    result = {
        "name": options.name,
        "grid": options.grid,
        "shape": list(made.shape),
        "first": str(cube.times[first])[:16],
        "last": str(cube.times[last - 1])[:16],
        "forecast_events": float(made[..., area].sum()),
        "observed_events": float(cube.counts[first:last][..., area].sum()),
        "out": str(options.out) if options.out else None,
    }
    return result, (
        f"{options.name}, {result['first']} to {result['last']}: {result['forecast_events']:,.1f} events forecast, "
        f"{result['observed_events']:,.0f} observed"
        + (f"; written to {options.out}." if options.out else ".")
    )


def score(options: argparse.Namespace) -> tuple[Any, str]:
    """One row a forecast, each compared with the first."""
    from crimecast.forecasts import score_sums
    from crimecast.scoring import table
    from crimecast.windows import load_cube

    _ready()
    cube = load_cube(options.grid)
    first, last = cube.period(options.since, options.until)
    rows = table(options.names, [score_sums(name, cube, first, last) for name in options.names])
    width = max(len(row["name"]) for row in rows)
    lines = [
        f"{'':<{width}}  log-likelihood an event [95 %]      hits@1 %  hits@5 %   against {rows[0]['name']}"
    ]
    for row in rows:
        low, high = row["intervals"]["log_likelihood_per_event"]
        versus = row.get("versus")
        lines.append(
            f"{row['name']:<{width}}  {row['log_likelihood_per_event']:9.4f} [{low:.4f}, {high:.4f}]"
            f"  {100 * row['hit_rate@1']:8.1f}  {100 * row['hit_rate@5']:8.1f}"
            + (
                f"   {versus['difference']:+.4f} [{versus['interval'][0]:+.4f}, {versus['interval'][1]:+.4f}] "
                f"{versus['verdict']}"
                if versus
                else ""
            )
        )
    return rows, "\n".join(lines)


def inspect(options: argparse.Namespace) -> tuple[Any, str]:
    """Save activations as NPZ, one array (channels, height, width) a layer."""
    import numpy as np

    from crimecast.inspect.activations import activations
    from crimecast.runs import load_run
    from crimecast.store import replacing
    from crimecast.windows import load_cube

    _ready()
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


def app(options: argparse.Namespace) -> tuple[Any, str]:
    """Start Streamlit on this computer only."""
    from crimecast.store import PACKAGE_DATA

    top = PACKAGE_DATA.parent
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(top / "app.py"),
        "--server.port",
        str(options.port),
    ]
    status = subprocess.call(command, cwd=top)
    return {"status": status}, ""
