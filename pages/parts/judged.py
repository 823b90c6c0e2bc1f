"""Scores that pages show, computed once for each network and period."""

from typing import Any

import streamlit as st

from crimecast.forecasting.forecasts import rivals, score_sums
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import said, table
from crimecast.runs.run import Run


def score_rows(run: Run, others: tuple[str, ...]) -> list[dict[str, Any]]:
    """The score table of a run and others over its unseen period."""
    stamp = run.stamp
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


@st.cache_data(show_spinner="Scoring …", max_entries=50)
def _score_rows(
    name: str, grid: str, period: tuple[int, int], others: tuple[str, ...], stamp: int
) -> list[dict[str, Any]]:
    cube = load_cube(grid)
    names = [name, *others]
    return table(names, [score_sums(one, cube, *period) for one in names])
