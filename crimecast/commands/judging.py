"""What the commands about forecasts and scores do."""

import argparse
from pathlib import Path
from typing import Any

from crimecast import UserError
from crimecast.commands.arguments import Add
from crimecast.commands.ready import ready


def forecast(options: argparse.Namespace) -> tuple[Any, str]:
    """Forecast a period, or steps that haven't come, and, if asked, write it."""
    from crimecast.forecasting import files, forecasts, to_come

    ready()
    if options.out is not None and not options.out.parent.is_dir():
        raise UserError(f"There is no folder {options.out.parent}.")
    known = to_come.SUFFIXES if options.next is not None else (*files.SUFFIXES, *to_come.SUFFIXES)
    if options.out is not None and options.out.suffix.lower() not in known:
        raise UserError(
            f"A forecast can be written as {', '.join(dict.fromkeys(known))}, not as '{options.out.suffix[:20]}'."
        )
    if options.next is not None:
        if options.until is not None:
            raise UserError("Give either --next or --until.")
        coming = to_come.to_come(options.name, options.grid, options.next, options.since)
        return _to_come(options, coming)
    if options.since is None or options.until is None:
        raise UserError("Say which steps: --since and --until, or --next for those to come.")
    beyond = to_come.period(options.name, options.grid, options.since, options.until)
    if beyond is not None:
        return _to_come(options, beyond)
    cube, first, last, made = forecasts.forecast(
        options.name, options.grid, options.since, options.until
    )
    if options.out is not None:
        files.save_forecast(options.out, options.name, cube, first, last, made)
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


def _to_come(options: argparse.Namespace, made: Any) -> tuple[Any, str]:
    from crimecast.forecasting.to_come import save, summary

    if options.out is not None:
        save(options.out, made)
    result = {**summary(made), "out": str(options.out) if options.out else None}
    lines = [*made.notices, f"{options.name}, known until {result['known_until']}:"]
    lines += [
        f"{one['step']}  {one['expected']:,.1f} expected, {one['low']:,} to {one['high']:,} (95 %)"
        for one in result["steps"]
    ]
    return result, "\n".join(lines + ([f"Written to {options.out}."] if options.out else []))


def score(options: argparse.Namespace) -> tuple[Any, str]:
    """One row a forecast, each compared with the first."""
    from crimecast.forecasting.forecasts import score_sums, there
    from crimecast.grids.cube import load_cube
    from crimecast.judging.scoring import table

    ready()
    cube = load_cube(options.grid)
    first, last = cube.period(options.since, options.until)
    there(*options.names)
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


def paper(options: argparse.Namespace) -> tuple[Any, str]:
    """A published table made again: trivial rules, and forecasts of ours on its tensors."""
    from crimecast.reporting.papers import cells, heads, table

    ready()
    # argparse gives what follows an option's value to it, or to nobody.
    folder, *more = options.data
    made, cube, rows = table(options.name, Path(folder), [*options.names, *more])
    lines = [heads(rows[0]), *(cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    first = len(cube.times) - made.days[2]
    told = {
        "paper": options.name, "grid": cube.grid, "validation": cube.label(first - made.days[1]), "test": cube.label(first),
        "rows": rows, "notes": list(made.notes),
    }  # fmt: skip
    notes = ["Notes:", *made.notes]
    return told, "\n".join([f"{made.title}; grid {cube.grid}", *text, *notes])


def register(add: Add) -> None:
    """The commands about forecasts and scores."""
    p = add("forecast", forecast, "Forecast a period with a run or a baseline.")
    p.add_argument("name", metavar="RUN|BASELINE")
    _period(p, required=False)
    p.add_argument(
        "--next", type=int, metavar="N",
        help="the steps after the last complete one, 60 at most; with --since, as if made on that date",
    )  # fmt: skip
    p.add_argument(
        "--out", type=Path, metavar="FILE.nc|.parquet|.geojson|.tif",
        help="steps to come also as .csv or .json, and not as .tif",
    )  # fmt: skip

    p = add("score", score, "Score runs and baselines over a period.")
    p.add_argument("names", nargs="+", metavar="RUN|BASELINE")
    _period(p)

    p = add("paper", paper, "A published table, under its own protocol and ours.")
    p.add_argument("name", metavar="NAME", help="sthsl_chicago or crimeforecaster_chicago")
    p.add_argument(
        "--data", nargs="+", required=True, metavar=("FOLDER", "RUN|BASELINE"),
        help="where its tensors lie; then runs on the grid that it makes, and baselines",
    )  # fmt: skip
    p.add_argument("names", nargs="*", metavar="RUN|BASELINE", help="the same")


def _period(parser: argparse.ArgumentParser, required: bool = True) -> None:
    parser.add_argument("--grid", required=True)
    parser.add_argument("--since", required=required, metavar="DATE")
    parser.add_argument("--until", required=required, metavar="DATE")
