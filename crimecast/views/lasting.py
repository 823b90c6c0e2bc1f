"""What a forecast of tomorrow is to be read with: errors at places that have lasted until now, and how old its records are."""

import time
from dataclasses import replace

from crimecast.cities import City
from crimecast.forecasting.ahead import Ahead
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import Cube
from crimecast.judging.astray import Astray
from crimecast.runs.run import list_runs
from crimecast.views.astray import found

AGED = 14  # days from which on records are called old
CLOSE = 30  # cells of a cluster up to which its error is told of each of them


def lasting(made: Ahead) -> list[Astray]:
    """Those of the days that a run never saw, up to the last that has come, what matters most first; in steps of the
    grid. Nothing is known of a simple forecast's."""
    known = {run.id: run for run in list_runs(made.cube.grid) if run.state == "done"}
    if made.name not in known or made.cube.areas is not None:
        return []
    first, last = unseen_period(known[made.name])
    if last != made.origin:
        return []
    return [
        replace(one, first=first + one.first, last=first + one.last)
        for one, _ in found(made.name, made.cube.grid, first, last)
        if first + one.last >= last and 0 < len(one.cells) <= CLOSE
    ]


def in_words(one: Astray, cube: Cube) -> str:
    """It as half a sentence."""
    there = "there" if len(one.cells) == 1 else f"in the {len(one.cells)} cells round there"
    return (
        f"it has been too {'low' if one.more else 'high'} {there}: {one.observed:,.0f} came, {one.expected:,.0f} were "
        f"expected ({cube.said(one.first)} to {cube.said(one.last - 1)})"
    )


def long_ago(city: City, made: Ahead, now: float | None = None) -> str:
    """That a forecast's days lie long past, in a sentence; nothing of days near `now` (seconds since 1970), nor of a
    simulated city's."""
    begin = made.times[0].astype("datetime64[s]").astype(int)
    days = ((time.time() if now is None else now) - begin) / 86_400
    if city.simulated or days < max(AGED, 2 * made.cube.step.days):
        return ""
    ago = f"{days:,.0f} days" if days < 100 else f"{days / 30.44:,.0f} months" if days < 1000 else f"{days / 365.25:,.0f} years"  # fmt: skip
    return f"The records ended {ago} ago: the days to come here are those that followed them, from {made.label(0).replace('T', ' ')} on."
