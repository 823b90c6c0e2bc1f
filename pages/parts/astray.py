"""Where and when a forecast goes astray: five lines, the chosen one drawn, with ways on from there."""

from collections.abc import Callable

import streamlit as st

from crimecast.forecasting.forecasts import at_horizon
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.runs.run import Run, list_runs
from crimecast.views.astray import Spot, figure, found
from pages.parts.asked import chosen_row
from pages.parts.charts import chart
from pages.parts.reader import designer
from pages.parts.text import text


def in_common(run: Run, before: str = "") -> bool:
    """Those lines drawn, each behind `before`, with the way to all of them; whether there are any."""
    with st.spinner("Looking for what its errors have in common …"):
        those = worst_of(run)
    if those:
        st.markdown("\n".join(f"- {text(before + one)}." for one in those))
        st.page_link(
            "pages/forecast.py", label="Where and when it goes wrong", icon=":material/map:",
            query_params=dict(st.query_params),
        )  # fmt: skip
    return bool(those)


def worst_of(run: Run, count: int = 2) -> list[str]:
    """What a run's errors on unseen steps have in common, in a line each, what matters most first."""
    those = found(run.id, run.grid, *unseen_period(run))
    return [f"{one.what}, {one.when}: {one.off}" for _, one in those[:count]]


def where_astray(
    name: str, grid: str, first: int, last: int, go: Callable[[Spot], None] | None = None
) -> None:  # fmt: skip
    """The list and what is chosen of it; `go` is called with it when one wants to go there."""
    st.subheader("Where and when it goes wrong")
    with st.spinner("Looking for what its errors have in common …"):
        cube = load_cube(grid)
        those = found(name, grid, first, last)
    if not those:
        st.caption(
            "Nothing beyond chance: its errors have no place, date, weekday or type in common."
        )
        return
    st.caption(
        "What its errors have in common beyond chance, what matters most first: dates at which they change, "
        "places where they stay, weekdays and types."
    )
    rows = st.dataframe(
        [{"what": one.what, "when": one.when, "off by": one.off, "worth": one.worth} for _, one in those],
        hide_index=True, on_select="rerun", selection_mode="single-row", key=f"astray_{name}",
        column_config={
            "what": st.column_config.TextColumn(width="medium"),
            "when": st.column_config.TextColumn(width="medium"),
            "off by": st.column_config.TextColumn(width="small"),
            "worth": st.column_config.NumberColumn(
                "worth, in fit", format="%.0f", width="small", help="What the forecast would gain if this were mended, in fit over the whole period."
            ),
        },
        alt="Where and when the forecast goes wrong",
    )  # fmt: skip
    number = chosen_row(rows.selection.rows, len(those)) or 0
    behind, one = those[number]
    left, right = st.columns([3, 2])
    dark = st.context.theme.type == "dark"
    chart(
        figure(name, cube, first, last, behind, dark), key=f"astray_{name}_drawn", place=left,
        alt=f"{one.what}, {one.when}",
    )  # fmt: skip
    right.markdown(f"**{text(one.what)}**")
    right.markdown(f"{text(one.when)}: {text(one.off)}.")
    if go is not None and right.button("Go to where this was worst", icon=":material/my_location:"):
        go(one)
    run = at_horizon(name)[0]
    if designer() and run in {one.id for one in list_runs(grid)}:
        to = {**st.query_params, "run": run, "step": cube.label(one.step)}
        right.page_link(
            "pages/layers.py", label="See what the layers did there", icon=":material/layers:",
            query_params=to | ({"cell": f"{one.cell[0]},{one.cell[1]}"} if one.cell else {}),
        )  # fmt: skip
