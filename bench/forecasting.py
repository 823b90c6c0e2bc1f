"""Every baseline and every design on one case, with intervals, seeds and seconds: the honest table.

    python bench/forecasting.py CASE --data FOLDER [--designs stack,recurrent] [--seeds 3] [--json]

Cases: `chicago` (all crimes), `assaults`, `burglary`, `vehicle_theft`, `robbery`, `six_hours`,
`san_francisco`, which read records from FOLDER, and `sample`, the simulated city, whose true rates
are a row of the table. Designs train on all but the last year before the test, stop on
that year, and train once more on both (`--refit`). Writes results/forecasting_CASE.json and .md;
forecasts and runs are kept in `--root`, so a table that was interrupted goes on where it stopped.
Rows of an earlier table that this call does not make again stay as they were.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
sys.path.insert(0, str(RESULTS.parent.parent))
CRIMES = ("chicago_crimes_2014_2015.parquet", "chicago_crimes_2016_2017.parquet")
ASSAULTS = ("chicago_aggravated_assaults_2010_2017.parquet",)
CUTS = ("2016-01-01", "2017-01-01", "2018-01-01")  # train until, validate until, test until


@dataclass(frozen=True)
class Case:
    """What is counted, how, and where the periods are cut."""

    city: str
    files: tuple[str, ...] = ()
    types: str = "all"
    step: str = "1d"
    cuts: tuple[str, str, str] = CUTS


CASES = {
    "chicago": Case("chicago", CRIMES),
    "assaults": Case("chicago", ASSAULTS),
    "burglary": Case("chicago", CRIMES, "BURGLARY"),
    "vehicle_theft": Case("chicago", CRIMES, "MOTOR VEHICLE THEFT"),
    "robbery": Case("chicago", CRIMES, "ROBBERY"),
    "six_hours": Case("chicago", CRIMES, step="6h"),
    "san_francisco": Case(
        "san_francisco",
        ("san_francisco_incidents_2009_2013.parquet",),
        cuts=("2012-01-01", "2013-01-01", "2014-01-01"),
    ),
    "sample": Case("sample", cuts=("2024-03-01", "2024-07-01", "2025-01-01")),
}


def main() -> None:
    """Fill the table row by row, writing it after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=list(CASES))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--root", type=Path, default=Path.home() / ".cache" / "crimecast-bench")
    parser.add_argument("--designs")
    parser.add_argument("--baselines")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    case = CASES[options.case]
    group = "assaults" if case.files == ASSAULTS else "crimes"
    os.environ["CRIMECAST_DATA"] = str(options.root.resolve() / group)
    table = Table(options.case, case, make_grid(case, options.data))
    from crimecast.baselines import BASELINES
    from crimecast.designs.spec import list_designs, load_design

    baselines = options.baselines.split(",") if options.baselines else list(BASELINES)
    designs = options.designs.split(",") if options.designs else list_designs()[::-1]
    for name in (["truth"] if case.city == "sample" else []) + baselines:
        table.add(name, name, "baseline")
    for design in designs:
        runs = []
        for seed in range(options.seeds):
            run = finished(started(load_design(design), table.cube, case, seed))
            runs.append(run.id)
            table.add(f"{design}, seed {seed}", run.id, "run", run.summary)
        if len(runs) > 1:
            table.add(f"{design}, {len(runs)} seeds averaged", "+".join(runs), "ensemble")
            both = "+".join([*runs, *["boosting"] * len(runs)])
            table.add(f"{design}, averaged with boosting", both, "ensemble")
    if options.json:
        print(json.dumps(table.document()))
    else:
        print(table.markdown())


def make_grid(case: Case, folder: Path) -> str:
    """Import what isn't there yet and grid it; the grid's name."""
    from crimecast.grids.grid import make_grid as grid
    from crimecast.records.importing import import_file
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    names = {"time": "date"} if case.files == ASSAULTS else None
    for file in case.files:
        import_file(case.city, folder / file, names)
    return str(grid(case.city, step=case.step, types=case.types)["grid"])


def started(design: Any, cube: Any, case: Case, seed: int = 0) -> Any:
    """The run of a design and seed on a case, queued now if there is none."""
    from crimecast.designs.inputs import for_step
    from crimecast.runs import queue
    from crimecast.runs.run import list_runs

    spec = for_step(design, cube.step)
    for run in list_runs(cube.grid):
        if (
            (run.active or run.state == "done")
            and run.seed == seed
            and run.settings.refit
            and run.design == spec
        ):
            return run
    return queue.submit(
        queue.Request(spec, cube.grid, case.cuts[0], case.cuts[1], seed=seed, refit=True)
    )


def finished(run: Any) -> Any:
    """The run once it is done."""
    from crimecast.runs import queue

    run = queue.wait(run.id)
    if run.state != "done":
        raise RuntimeError(f"{run.id} is {run.state}: {run.message}")
    return run


class Table:
    """Rows of forecasts scored on the test period, each compared with the mean and the best baseline."""

    def __init__(self, name: str, case: Case, grid: str) -> None:
        from crimecast.grids.cube import load_cube

        self.name, self.case, self.grid = name, case, grid
        self.cube = load_cube(grid)
        self.first, self.last = self.cube.period(case.cuts[1], case.cuts[2])
        before = RESULTS / f"forecasting_{name}.json"
        self.rows: list[dict[str, Any]] = (
            json.loads(before.read_text("utf-8"))["rows"] if before.exists() else []
        )
        self.seconds = {row["name"]: row["seconds"] for row in self.rows}
        self.sums: dict[str, Any] = {}

    def add(self, label: str, name: str, kind: str, trained: dict[str, Any] | None = None) -> None:
        """Forecast, score, and write the table with the new row; a run's summary is what it took."""
        from crimecast.forecasting.forecasts import score_sums
        from crimecast.judging.scoring import intervals, scores

        trained = trained or {}
        seconds = trained.get("seconds")
        if self.was_stored(name):
            seconds = seconds or self.seconds.get(label)
        began = time.perf_counter()
        self.sums[label] = sums = score_sums(name, self.cube, self.first, self.last)
        taken = time.perf_counter() - began if seconds is None else seconds
        row = {
            "name": label, "forecast": name, "kind": kind, **scores(sums),
            "interval": intervals(sums)["log_likelihood_per_event"],
            "seconds": round(taken, 1), "parameters": trained.get("parameters", 0),
            "device": trained.get("device_name", ""),
        }  # fmt: skip
        place = [earlier["name"] for earlier in self.rows]
        if label in place:
            self.rows[place.index(label)] = row
        else:
            self.rows.append(row)
        for suffix, text in (
            ("json", json.dumps(self.document(), indent=1)),
            ("md", self.markdown()),
        ):
            (RESULTS / f"forecasting_{self.name}.{suffix}").write_text(
                text + "\n", encoding="utf-8"
            )

    def was_stored(self, name: str) -> bool:
        """Whether the forecast was made by an earlier call, whose seconds count."""
        from crimecast.forecasting.forecasts import is_stored

        return (
            "+" not in name
            and name != "truth"
            and is_stored(name, self.cube, self.first, self.last)
        )

    def document(self) -> dict[str, Any]:
        """The case, and every row with its paired comparisons."""
        from crimecast.judging.scoring import compare

        baselines = [r for r in self.rows if r["kind"] == "baseline" and r["name"] != "truth"]
        best = (
            max(baselines, key=lambda r: r["log_likelihood_per_event"])["name"]
            if baselines
            else None
        )
        for row in self.rows:
            if row["name"] not in self.sums:
                continue
            for key, other in (("above_mean", "mean"), ("above_best_baseline", best)):
                row.pop(key, None)
                if other in self.sums and row["name"] != other:
                    row[key] = compare(self.sums[row["name"]], self.sums[other])
        steps, kinds = self.cube.counts.shape[:2]
        return {
            "case": self.name, "grid": self.grid, "steps": steps, "types": kinds,
            "cells": int(self.cube.area(self.first).sum()), "cuts": list(self.case.cuts),
            "events": int(self.cube.counts[self.first : self.last].sum()),
            "best_baseline": best, "rows": self.rows,
        }  # fmt: skip

    def markdown(self) -> str:
        """The table for people."""
        document = self.document()
        lines = [
            f"# {self.name}: {document['cuts'][1]} to {document['cuts'][2]}, {document['cells']:,} cells, "
            f"{document['events']:,} events",
            "",
            "Log-likelihood per event (higher is better) with its 95 % interval over weeks; the gain on the "
            f"long-run mean and on the best baseline ({document['best_baseline']}), paired on the same weeks; "
            "the share of events in the 1 % and 5 % of cells with the highest rates.",
            "",
            "| | log-likelihood | above the mean | above the best baseline | hits 1 % | hits 5 % | seconds |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            cells = [
                row["name"],
                f"{row['log_likelihood_per_event']:.4f}",
                *(gain(row.get(key)) for key in ("above_mean", "above_best_baseline")),
                f"{100 * row['hit_rate@1']:.1f}",
                f"{100 * row['hit_rate@5']:.1f}",
                _cost(row),
            ]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def _cost(row: dict[str, Any]) -> str:
    """Seconds of forecasting or of training, and the GPU if they were spent there."""
    if row["kind"] == "ensemble":
        return ""
    return f"{row['seconds']:,.0f}" + (f" on {row['device']}" if row.get("device") else "")


def gain(pair: dict[str, Any] | None) -> str:
    """A paired comparison in a cell of a table: the difference and its interval."""
    if pair is None:
        return ""
    low, high = pair["interval"]
    return f"{pair['difference']:+.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    main()
