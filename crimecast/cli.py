"""The command line: what the pages do, without a browser. Bad input is one sentence and exit code 2."""

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from crimecast.commands import data, judging, living, looking, serving, training
from crimecast.errors import UserError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        result, text = options.command(options)
        if options.json:
            print(json.dumps(_plain(result), indent=1, default=str))
        elif text:
            print(text)
        sys.stdout.flush()  # here, where it is noticed that nobody reads on
    except UserError as error:
        print(str(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _plain(value: Any) -> Any:
    """JSON has no NaN: null stands for a score that can't be computed."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _parser() -> _Parser:
    parser = _Parser(
        prog="crimecast", description="Design networks that forecast events on city maps."
    )
    children = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def add(name: str, command: Callable[..., Any], text: str) -> argparse.ArgumentParser:
        child = children.add_parser(name, help=text, description=text)
        child.add_argument("--json", action="store_true", help="print one JSON document")
        child.set_defaults(command=command)
        return child

    add("cities", data.cities, "List the cities that are known.")

    p = add(
        "crawl",
        data.crawl,
        "Fetch a city's records from its portal; again, to fetch what is new.",
    )
    p.add_argument("city")
    p.add_argument("--since", metavar="DATE")
    p.add_argument("--until", metavar="DATE")
    p.add_argument("--url", help="another base address, with the portal's own paths")
    p.add_argument("--page-size", type=int, default=10_000, metavar="N")

    p = add("import", data.import_, "Add the records of a CSV, Parquet or JSON file to a city.")
    p.add_argument("city")
    p.add_argument("file", type=Path)
    p.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="time=date, longitude=lng, …",
    )
    p.add_argument(
        "--crs", metavar="EPSG:N", help="of the file's coordinates (default: longitude, latitude)"
    )
    p.add_argument("--tz", metavar="ZONE", help="of the file's times, such as America/Chicago")

    p = add(
        "covariate",
        data.covariate,
        "Add other maps to a city from a file: weather by day, population by place.",
    )
    p.add_argument("city")
    p.add_argument("file", type=Path)
    p.add_argument("--name", required=True, help="as a spec's static names it")
    p.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN",
        help="value=temperature, time=date, longitude=lng, latitude=lat",
    )  # fmt: skip

    p = add("grid", data.grid, "Count a city's events on cells and steps.")
    p.add_argument("city")
    p.add_argument("--cell", type=float, default=500.0, metavar="METRES")
    p.add_argument(
        "--heatmaps", type=Path, metavar="FOLDER",
        help="also write weekly 32×32 greyscale pictures of each large type, as the 2018 thesis did",
    )  # fmt: skip
    p.add_argument("--step", default="1d", help="1h, 6h, 8h, 1d, 1w or 1mo")
    p.add_argument("--types", default="all", help="all (as one), each (one channel a type), or a,b")
    p.add_argument("--since", metavar="DATE")
    p.add_argument("--until", metavar="DATE")

    _cluster(p)
    p = add("train", training.train, "Queue the training of a design on a grid.")
    p.add_argument("grid")
    p.add_argument("--design", metavar="NAME|FILE.toml|FILE.py:Class")
    p.add_argument("--train-until", metavar="DATE")
    p.add_argument("--validate-until", metavar="DATE")
    p.add_argument("--epochs", type=int, metavar="N")
    p.add_argument("--seed", type=int, default=0, metavar="N")
    p.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    p.add_argument("--fork", metavar="RUN", help="the run this one is a change of")
    p.add_argument(
        "--refit", action="store_true", help="train once more with the validation period"
    )
    p.add_argument(
        "--start-from", metavar="RUN", help="go on from its weights, in its city or another"
    )
    p.add_argument(
        "--leave-out", type=float, default=0.0, metavar="SHARE",
        help="hide that share of the city, in blocks, from training",
    )  # fmt: skip
    p.add_argument("--wait", action="store_true", help="return when the run has ended")
    _cluster(p)
    p.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that train it together"
    )

    p = add(
        "runs",
        training.runs,
        "List runs, show one, or stop, resume, retry, put first or delete it.",
    )
    p.add_argument("run", nargs="?")
    p.add_argument("action", nargs="?", choices=["stop", "resume", "retry", "first", "delete"])

    p = add(
        "search", training.search,
        "Search over a spec's marked fields, or, given only a search's name, show what it found.",
    )  # fmt: skip
    p.add_argument("grid", metavar="GRID|SEARCH")
    p.add_argument(
        "--design", metavar="FILE.toml", help="with fields such as { search = [16, 32] }"
    )
    p.add_argument("--trials", type=int, default=20, metavar="N")
    p.add_argument("--train-until", metavar="DATE")
    p.add_argument("--validate-until", metavar="DATE")
    p.add_argument("--epochs", type=int, metavar="N")
    p.add_argument("--seed", type=int, default=0, metavar="N", help="of the search")
    p.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    p.add_argument("--wait", action="store_true", help="return when the search is over")
    _cluster(p)

    p = add("export", training.export, "Write a run's record for TensorBoard, or its network.")
    p.add_argument("run")
    p.add_argument("--tensorboard", type=Path, metavar="FOLDER")
    p.add_argument("--network", type=Path, metavar="FILE.onnx|.pt2")

    p = add("forecast", judging.forecast, "Forecast a period with a run or a baseline.")
    p.add_argument("name", metavar="RUN|BASELINE")
    _period(p, required=False)
    p.add_argument(
        "--next", type=int, metavar="N",
        help="the steps after the last complete one; with --since, as if made on that date",
    )  # fmt: skip
    p.add_argument(
        "--out", type=Path, metavar="FILE.nc|.parquet|.geojson|.tif",
        help="steps to come also as .csv or .json, and not as .tif",
    )  # fmt: skip

    p = add("score", judging.score, "Score runs and baselines over a period.")
    p.add_argument("names", nargs="+", metavar="RUN|BASELINE")
    _period(p)

    p = add(
        "live", living.live,
        "The daily round: crawl, forecast the next steps, seal them, score what has come.",
    )  # fmt: skip
    p.add_argument("city")
    p.add_argument("--grid", help="what is forecast on (default: as before, or the newest)")
    p.add_argument(
        "--run", action="append", default=[], metavar="RUN|BASELINE",
        help="what forecasts (default: as before, or the best run and two baselines)",
    )  # fmt: skip
    p.add_argument("--once", action="store_true", help="one round, as a scheduler calls it")
    p.add_argument("--verify", action="store_true", help="only check the sealed log")
    p.add_argument("--url", help="another base address, with the portal's own paths")

    p = add("inspect", looking.inspect, "Save what the layers of a run put out for one step.")
    p.add_argument("run")
    p.add_argument("--at", required=True, metavar="DATE")
    p.add_argument("--layer", metavar="NAME")
    p.add_argument("--out", required=True, type=Path, metavar="FILE.npz")

    p = add("diagnose", looking.diagnose, "Say what is wrong with a trained run, and what to do.")
    p.add_argument("run")

    p = add("steer", looking.steer, "Fork a run by what its diagnosis advises, several times over.")
    p.add_argument("run")
    p.add_argument("--rounds", type=int, default=5, metavar="N")

    p = add("report", looking.report, "Write a run as one self-contained HTML file.")
    p.add_argument("run")
    p.add_argument("--out", required=True, type=Path, metavar="FILE.html")
    p.add_argument(
        "--against", nargs="+", default=[], metavar="NAME",
        help="Compare it with these runs and baselines instead, the first of them being the measure.",
    )  # fmt: skip

    p = add("app", serving.app, "Open the app.")
    p.add_argument("--port", type=int, default=8501, metavar="N")
    return parser


def _period(parser: argparse.ArgumentParser, required: bool = True) -> None:
    parser.add_argument("--grid", required=True)
    parser.add_argument("--since", required=required, metavar="DATE")
    parser.add_argument("--until", required=required, metavar="DATE")


def _cluster(parser: argparse.ArgumentParser) -> None:
    """Where the work is done: `--executor` and, of a Ray cluster, its `--address`."""
    parser.add_argument(
        "--executor", choices=["local", "ray"], help="this machine, or a Ray cluster"
    )
    parser.add_argument("--address", metavar="HOST:PORT", help="of the Ray cluster (default: auto)")
