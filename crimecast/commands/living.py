"""What the command of the daily round does."""

import argparse
import time
from typing import Any

from crimecast.commands.arguments import Add
from crimecast.commands.ready import ready

EVERY = 6 * 3600  # seconds between rounds: a day is met soon after its records come


def live(options: argparse.Namespace) -> tuple[Any, str]:
    """A round of a city, or rounds until interrupted; or look whether the sealed log is as it was written."""
    from crimecast.live.log import Log
    from crimecast.live.round import go_round, live_folder, summary_text
    from crimecast.live.standing import said, standing

    ready()
    log = Log(live_folder(options.city))
    if options.verify:
        count = log.verify()
        return {"entries": count, "whole": True}, f"{count} entries, all as they were written."
    while True:
        result = go_round(options.city, options.grid, tuple(options.run), options.url)
        rows = standing(log)
        result |= {"standing": rows}
        text = "\n".join([summary_text(result), *said(rows)])
        if options.once:
            return result, text
        print(text, flush=True)
        time.sleep(EVERY)


def register(add: Add) -> None:
    """The command of the daily round."""
    p = add(
        "live", live,
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
