"""Scores that pages show, computed once for each network and period."""

from typing import Any

import streamlit as st

from crimecast.forecasting.forecasts import is_stored, rates, rivals, score_sums
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.scoring import said, table
from crimecast.runs.run import Run
from crimecast.views.words import FIT, forecast_title
from pages.parts.text import text


def score_rows(run: Run, others: tuple[str, ...]) -> list[dict[str, Any]]:
    """The score table of a run and others over its unseen period."""
    stamp = run.stamp
    _make(load_cube(run.grid), unseen_period(run), (run.id, *others))
    return _score_rows(run.id, run.grid, unseen_period(run), others, stamp)


def strongest(run: Run, ahead: int | None = None) -> tuple[str, dict[str, Any]]:
    """The best simple forecast of those that are at hand, and how it compares with the run."""
    rows = score_rows(run, tuple(rivals(run, *unseen_period(run), ahead)))
    best = max(
        (row for row in rows if row["name"] != run.id),
        key=lambda row: row["log_likelihood_per_event"],
    )
    return best["name"], best["versus"]


def loses(run: Run) -> bool:
    """Whether the best simple forecast is better than the run, and not by chance."""
    return said(strongest(run)[1], swapped=True)[0] == "worse than"


def _make(cube: Cube, period: tuple[int, int], names: tuple[str, ...]) -> None:
    """Make the forecasts that aren't there yet, one by one, with a word on which."""
    missing = [name for name in names if not is_stored(name, cube, *period)]
    if not missing:
        return
    bar = st.progress(0.0)
    for number, name in enumerate(missing):
        said_so = f"Forecasting the unseen steps by {forecast_title(name)}: {number + 1} of {len(missing)}"
        bar.progress(number / len(missing), text=text(said_so))
        rates(name, cube, *period)
    bar.empty()


def stands(run: Run, name: str) -> str | None:
    """How a forecast did on a run's unseen steps, in words, the run's own or a simple one; None of one that wasn't scored."""
    rows = score_rows(run, tuple(rivals(run, *unseen_period(run))))
    own = next((row for row in rows if row["name"] == name), None)
    if own is None:
        return None
    cube = load_cube(run.grid)
    first, last = unseen_period(run)
    long = cube.step.words
    words = f"{long}s" if long.isalpha() else f"steps of {long}"
    when = f"On the {last - first:,} {words} from {cube.label(first)} on, which no network here was shown,"
    held = (
        f"{own['hit_rate@5']:.0%} of the events lay in the 5 % of the area where it expected most"
    )
    best, versus = strongest(run)
    if name == run.id:
        word, much = said(versus, swapped=True, unit=FIT.plain)
        return f"{when} it was {word} the best simple forecast, {forecast_title(best)}: {much}. {held}."
    if name == best:
        word, much = said(versus, unit=FIT.plain)
        return f"{when} it was the best simple forecast, and {word} {run.id}: {much}. {held}."
    return f"{when} {forecast_title(best)} was the best simple forecast. Of this one {held}."


@st.cache_data(show_spinner="Scoring …", max_entries=50)
def _score_rows(
    name: str, grid: str, period: tuple[int, int], others: tuple[str, ...], stamp: int
) -> list[dict[str, Any]]:
    cube = load_cube(grid)
    names = [name, *others]
    return table(names, [score_sums(one, cube, *period) for one in names])
