"""What the command of the daily round does."""

import argparse
import time
from typing import Any

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
