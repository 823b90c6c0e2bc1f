"""Scores that pages show, computed once for each network and period."""

from typing import Any

import streamlit as st

from crimecast.forecasts import score_sums
from crimecast.runs import Run
from crimecast.scoring import table
from crimecast.unseen import unseen_period
from crimecast.windows import load_cube


def score_rows(run: Run, others: tuple[str, ...]) -> list[dict[str, Any]]:
    """The score table of a run and others over its unseen period."""
    stamp = run.stamp
    return _score_rows(run.id, run.grid, unseen_period(run), others, stamp)


@st.cache_data(show_spinner="Scoring …", max_entries=50)
def _score_rows(
    name: str, grid: str, period: tuple[int, int], others: tuple[str, ...], stamp: int
) -> list[dict[str, Any]]:
    cube = load_cube(grid)
    names = [name, *others]
    return table(names, [score_sums(one, cube, *period) for one in names])
