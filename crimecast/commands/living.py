"""What the command of the daily round does."""

import argparse
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from crimecast.commands.arguments import Add
from crimecast.commands.ready import ready

if TYPE_CHECKING:
    from crimecast.live.plan import Plan


def live(options: argparse.Namespace) -> tuple[Any, str]:
    """A round of a city, or rounds until interrupted; or look whether the sealed log is as it was written."""
    from crimecast.cities import load_city, write_city
    from crimecast.live.keeper import ensure
    from crimecast.live.log import Log
    from crimecast.live.plan import go_live, live_folder, put_first
    from crimecast.live.round import go_round, summary_text
    from crimecast.live.standing import said, standing

    ready()
    log = Log(live_folder(options.city))
    if options.verify:
        count = log.verify()
        return {"entries": count, "whole": True}, f"{count} entries, all as they were written."
    rules = {
        "every": options.every, "retrain": options.retrain, "at_drift": options.at_drift,
        "switch": options.switch, "on": {"on": True, "off": False}.get(options.by_itself),
    }  # fmt: skip
    rules = {name: value for name, value in rules.items() if value is not None}
    if options.first:
        put_first(options.city, options.first)
    if options.settles is not None:
        write_city(replace(load_city(options.city), settles=options.settles))
    if rules or options.first or options.settles is not None:
        plan = go_live(options.city, options.grid, tuple(options.run), rules)
        if not options.once:
            ensure()
            return asdict(plan), _said(options.city, plan)
    while True:
        result = go_round(options.city, options.grid, tuple(options.run), options.url)
        rows = standing(log)
        result |= {"standing": rows}
        text = "\n".join([summary_text(result), *said(rows)])
        if options.once:
            return result, text
        print(
            f"{text}\nThe next round follows in {result['every']:g} hours; Ctrl-C ends this.",
            flush=True,
        )
        time.sleep(result["every"] * 3600)


def _said(city: str, plan: "Plan") -> str:
    rules = plan.rules
    lines = [
        f"{city}: forecast by {', '.join(plan.names)} on {plan.grid}; rounds "
        + (
            f"by themselves every {rules.every:g} hours."
            if rules.on
            else "only when they are asked for."
        )
    ]
    if rules.retrain or rules.at_drift:
        when = [f"every {rules.retrain} days"] if rules.retrain else []
        when += ["when it drifts"] if rules.at_drift else []
        switch = "once it has done better" if rules.switch == "better" else "at your word"
        lines.append(
            f"The first run is trained anew {' and '.join(when)}; the new one takes its place {switch}."
        )
    return "\n".join(lines)


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
    p.add_argument(
        "--once", action="store_true",
        help="one round, as a scheduler calls it; without, round after round until it is ended",
    )  # fmt: skip
    p.add_argument("--verify", action="store_true", help="only check the sealed log")
    p.add_argument("--url", help="another base address, with the portal's own paths")
    p.add_argument(
        "--by-itself", choices=["on", "off"],
        help="let rounds be done in the background from now on, or no longer",
    )  # fmt: skip
    p.add_argument("--every", type=float, metavar="HOURS", help="hours between rounds (6)")
    p.add_argument(
        "--retrain",
        type=int,
        metavar="DAYS",
        help="train the first run anew after so many days; 0: never",
    )
    p.add_argument(
        "--at-drift", action=argparse.BooleanOptionalAction, default=None,
        help="train it anew when it drifts or falls behind",
    )  # fmt: skip
    p.add_argument(
        "--switch", choices=["click", "better"],
        help="when a run that was trained anew takes the old one's place: at --first or a click, or once it has done better",
    )  # fmt: skip
    p.add_argument("--first", metavar="RUN", help="what is the city's forecast from now on")
    p.add_argument(
        "--settles", type=int, metavar="DAYS",
        help="how many days records are known to go on arriving, until repeated crawls tell",
    )  # fmt: skip
