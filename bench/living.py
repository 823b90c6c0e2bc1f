"""The daily round replayed: Chicago's own records, day by day from a local portal that reports late.

    python bench/living.py --data FOLDER --days 60 --kills 20 --json

Each morning the portal shows what it would have by then (each record after a delay of 0 to 9 days,
drawn with REPORTED) and one round is run in a process of its own, which is killed at random `kills`
times and run again. A `stack` trained on 2014 to 2016 forecasts, and two baselines. `sealed` must be `days` a forecast, `twice` and `missing` none; `round_s` is the
median time of a round that wasn't killed, `grid_s` that of extending the grid within it;
`prospective` and `retrospective` are the log-likelihood an event of the first name over the days that
were scored, sealed and made afterwards from whole records.
"""

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

RIVALS = ("memory_mixture", "decayed_mean")
BEFORE = 8  # mornings on which it is only crawled, so that the tail is known
EPOCHS = 2  # of the run that forecasts: here it need not be a good one
START = datetime(2017, 8, 1)
REPORTED = np.array([60, 15, 8, 5, 4, 3, 2, 1, 1, 1]) / 100
TOP = Path(__file__).resolve().parent.parent


def at(day: datetime) -> Any:
    """Inside it is nine in the morning of a day, in Chicago."""
    from crimecast.calendar import clock

    return patch.object(clock, "now", lambda: day.replace(hour=14, tzinfo=UTC))


def one_round(day: str, url: str) -> None:
    """In a process of its own: the round of a morning; prints what it did and how long the grid took."""
    from crimecast.live import round as rounds

    took = []
    extended = rounds._extended

    def timed(*arguments: object) -> object:
        began = time.perf_counter()
        made = extended(*arguments)  # type: ignore[arg-type]
        took.append(time.perf_counter() - began)
        return made

    with at(datetime.fromisoformat(day)), patch.object(rounds, "_extended", timed):
        result = rounds.go_round("chicago", url=url)
    print(json.dumps({**result, "grid_s": took[0]}))


def rows_of(folder: Path, days: int) -> list[dict[str, Any]]:
    """The portal's rows, each with the morning from which it is shown."""
    table = pl.read_parquet(folder / "chicago_crimes_2016_2017.parquet")
    when = pl.col("Date").str.to_datetime("%m/%d/%Y %I:%M:%S %p")
    first = START - timedelta(days=BEFORE)
    table = table.with_columns(when.alias("at")).filter(
        pl.col("at").is_between(first, START + timedelta(days=days), closed="left")
    )
    delay = np.random.default_rng(0).choice(len(REPORTED), len(table), p=REPORTED)
    made = []
    for row, late in zip(table.to_dicts(), delay, strict=True):
        shown = row["at"].replace(hour=0, minute=0, second=0) + timedelta(days=1 + int(late))
        one = {
            ":id": f"row-{row['ID']}",
            ":updated_at": f"{shown:%Y-%m-%d}T03:00:01.000Z",
            "id": row["ID"],
            "date": f"{row['at']:%Y-%m-%dT%H:%M:%S}.000",
            "primary_type": row["Primary Type"],
            "shown": shown,
        }
        if row["Latitude"]:
            one |= {"latitude": row["Latitude"], "longitude": row["Longitude"]}
        made.append(one)
    return made


def replay(folder: Path, days: int, kills: int) -> dict[str, Any]:
    """The whole of it, in a data folder of its own."""
    from crimecast.crawling import crawl_city
    from crimecast.designs.spec import load_design
    from crimecast.forecasting.forecasts import rates
    from crimecast.grids.cube import load_cube
    from crimecast.grids.grid import make_grid
    from crimecast.judging.likelihood import log_likelihood
    from crimecast.live.log import Log
    from crimecast.live.plan import go_live, live_folder, plan_of
    from crimecast.live.standing import scores_of
    from crimecast.records.importing import import_file
    from crimecast.runs import queue

    portal_of = importlib.import_module("tests.portal").Portal
    rng, seconds, grids, killed = random.Random(0), [], [], 0
    rows = rows_of(folder, days)
    for name in ("chicago_crimes_2014_2015", "chicago_crimes_2016_2017"):
        table = pl.read_parquet(folder / f"{name}.parquet")
        when = pl.col("Date").str.to_datetime("%m/%d/%Y %I:%M:%S %p")
        early = table.filter(when < START - timedelta(days=BEFORE))
        path = Path(os.environ["CRIMECAST_DATA"]) / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        early.write_parquet(path)
        import_file("chicago", path, {})
    with portal_of([]) as portal:

        def morning(day: datetime) -> None:
            portal.rows = {
                row[":id"]: {k: v for k, v in row.items() if k != "shown"}
                for row in rows
                if row["shown"] <= day
            }

        for number in range(BEFORE):
            day = START - timedelta(days=BEFORE - 1 - number)
            morning(day)
            with at(day):
                crawl_city("chicago", url=portal.url)
        grid = make_grid("chicago")["grid"]
        request = queue.Request(
            load_design("stack"), grid, "2016-07-01", "2017-01-01", epochs=EPOCHS, device="cpu"
        )
        run = queue.wait(queue.submit(request).id)
        assert run.state == "done", run.message
        names = (run.id, *RIVALS)
        go_live("chicago", grid, names)
        deadly = set(rng.sample(range(days), min(kills, days)))
        for number in range(days):
            day = START + timedelta(days=number)
            morning(day)
            while True:
                began = time.perf_counter()
                child = subprocess.Popen(
                    [sys.executable, __file__, "--round", day.isoformat(), portal.url],
                    stdout=subprocess.PIPE, text=True, cwd=TOP,
                )  # fmt: skip
                if number in deadly:
                    deadly.discard(number)
                    try:
                        child.wait(rng.uniform(2.0, 20.0))
                    except subprocess.TimeoutExpired:
                        child.kill()
                        child.communicate()
                        killed += 1
                        continue
                said = child.communicate()[0]
                if child.returncode:
                    raise RuntimeError(f"the round of {day:%Y-%m-%d} failed")
                seconds.append(time.perf_counter() - began)
                grids.append(json.loads(said)["grid_s"])
                print(f"{day:%Y-%m-%d} {seconds[-1]:.1f} s {said.strip()[:120]}", file=sys.stderr)
                break
        morning(START + timedelta(days=days + 30))
        crawl_city("chicago", url=portal.url)
    log = Log(live_folder("chicago"))
    entries = log.verify()
    sealed = [
        (e["body"]["name"], e["body"]["steps"][0]["step"]) for e in log.entries() if e["kind"] == "forecast"
    ]  # fmt: skip
    wanted = {
        (name, f"{START + timedelta(days=i):%Y-%m-%d}") for name in names for i in range(days)
    }
    plan = plan_of("chicago")
    assert plan is not None
    old = load_cube(plan.grid)
    cube = load_cube(make_grid("chicago")["grid"])
    by_step = scores_of(log)[names[0]]
    ahead_of, later, events = 0.0, 0.0, 0
    for label, one in by_step.items():
        step = cube.index(label)
        area = old.area(step)
        n = cube.counts[step][:, area]
        made = rates(names[0], cube, step, step + 1)[0][:, area].astype(np.float64)
        later += float(log_likelihood(n, made).sum())
        ahead_of += one["log_likelihood"]
        events += int(n.sum())
    return {
        "days": days, "killed": killed, "entries": entries, "sealed": len(sealed),
        "twice": len(sealed) - len(set(sealed)), "missing": len(wanted - set(sealed)),
        "round_s": float(np.median(seconds)), "longest_round_s": max(seconds),
        "grid_s": float(np.median(grids)), "longest_grid_s": max(grids),
        "scored": len(by_step), "events": events,
        "prospective": ahead_of / max(events, 1), "retrospective": later / max(events, 1),
    }  # fmt: skip


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="a data folder to leave behind")
    parser.add_argument("--round", nargs=2, metavar=("DAY", "URL"))
    options = parser.parse_args()
    if options.round:
        one_round(*options.round)
        return
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["CRIMECAST_DATA"] = str(options.keep or scratch)
        result = replay(options.data, options.days, options.kills)
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
