"""Forecast: predicted beside actual beside error, step by step, and what lies behind a cell."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import streamlit as st

from crimecast.forecasting.forecasts import rivals
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.complete import not_whole
from crimecast.grids.cube import load_cube
from crimecast.inspect.saving import plain
from crimecast.plots.figures import forecast_figure
from crimecast.views.astray import Spot
from crimecast.views.coverage import warning
from crimecast.views.forecast import TOGETHER, ForecastView, cell_events, forecast_view
from crimecast.views.forecast_file import SUFFIXES, step_file
from crimecast.views.two_days import SAYS, two_days
from crimecast.views.words import forecast_title
from pages.parts.asked import changed, chosen_row, newly
from pages.parts.astray import where_astray
from pages.parts.charts import chart
from pages.parts.frame import frame, trained
from pages.parts.guarding import again, part
from pages.parts.judged import strongest
from pages.parts.maps import asked_of, maps
from pages.parts.reader import designer
from pages.parts.text import text

FILES = {
    ".csv": "CSV: a row a cell, expected and recorded",
    ".geojson": "GeoJSON: cells on a map",
    ".tif": "GeoTIFF: a raster",
}
here = frame(
    "Forecast", "What the network expected, what happened, and where it was wrong, on one scale."
)
run, city = trained(here), here.city
first, last = unseen_period(run)
times = load_cube(run.grid).times
if late := warning(
    city, times[first].astype("datetime64[D]"), times[last - 1].astype("datetime64[D]")
):
    st.warning(text(late), icon=":material/hourglass_bottom:")


def others(ahead: int) -> list[str]:
    """The baselines that are quick or made already, the strongest first."""
    names = rivals(run, first, last, ahead)[::-1]
    first_of = strongest(run)[0] if ahead == run.design.horizon else "memory_mixture"
    return sorted(names, key=lambda name: (name != first_of, not name.startswith("memory_mixture")))


types = here.grid["type_names"] if here.grid else []
with st.container(horizontal=True):
    kind = TOGETHER
    if len(types) > 1:
        kind = st.selectbox("Type", [TOGETHER, *types], key="forecast_type")
    ahead = run.design.horizon
    if len(run.design.horizons) > 1:
        ahead = st.selectbox(
            "Steps ahead", run.design.horizons, key="forecast_ahead", width=140,
            help="How long before its step a forecast is made, from what was known then.",
        )  # fmt: skip
    name = run.id if ahead == run.design.horizon else f"{run.id}@{ahead}"
    other = st.selectbox(
        "Compared with", others(ahead), key="forecast_other", width=320, format_func=forecast_title,
        help="The curve above the steps shows how much better (up) or worse (down) the network did than this one.",
    )  # fmt: skip


def chosen_step(view: ForecastView) -> int:
    """The step asked for: by the maps, by a list, by the address, else the latest."""
    asked = asked_of("forecast_maps").step
    if newly(asked, "forecast_step"):
        st.session_state["forecast_step"] = asked
    step = st.session_state.get("forecast_step")
    if step is None or not view.first <= step < view.last:
        step = view.step_of(st.query_params.get("step"))
    st.session_state["forecast_step"] = step
    st.query_params["step"] = view.label(step)
    return step


def chosen_cell(view: ForecastView) -> tuple[int, int] | None:
    asked = asked_of("forecast_maps").cell
    if newly(asked, "forecast_cell"):
        st.query_params["cell"] = f"{asked[0]},{asked[1]}"
    return view.cell_of(st.query_params.get("cell"))


def look() -> None:
    with st.spinner("Forecasting …"):
        view = forecast_view(name, other, kind, first, last)
    step, cell = chosen_step(view), chosen_cell(view)
    maps(view.message(city, step, cell), key="forecast_maps")
    observed, expected = view.step_totals(step)
    said, day = st.columns([4, 1], vertical_alignment="center")
    said.markdown(
        f"**{text(view.said(step))}**: {observed:,.0f} events, {expected:,.1f} expected in the city."
    )
    with day:
        calendar(view, step)
        save_step(view, step)
    if short := not_whole(view.cube):
        st.caption(text(short))
    unknown = int((view.cube.area(len(view.cube.times)) & ~view.area).sum())
    if unknown:
        st.caption(
            f"Cells left blank: {unknown:d}. Nothing had happened there before {text(view.said(view.first))}, so nothing is forecast of them, "
            f"and their {view.not_counted():,.0f} events of the period are in no total here."
        )
    if cell is None:
        st.caption("Click a cell on a map for its history, its forecast and its events.")
    else:
        behind(view, step, cell)
    worst(view)


def beside_another() -> None:
    """The step that is shown beside one of another day, under one handle."""
    view = forecast_view(name, other, kind, first, last)
    step = chosen_step(view)
    with st.expander("Beside another day", key="beside_another", on_change="rerun") as fold:
        if not fold.open:
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            what = st.segmented_control(
                "What", SAYS, default=SAYS[0], key="two_days_what", required=True
            )
            week = max(view.day(view.first), view.day(step) - timedelta(days=7))
            day = st.date_input(
                "The other day", week, min_value=view.day(view.first), max_value=view.day(view.last - 1),
                key=f"two_days_{run.grid}_{first:d}", width=180,
            )  # fmt: skip
        if not isinstance(day, date):
            return
        second = view.step_on(day)
        maps(two_days(view, city, step, second, what or SAYS[0]), key="two_days_maps")
        counts = [view.step_totals(one)[what == SAYS[0]] for one in (step, second)]
        st.caption(
            f"In the city {counts[0]:,.1f} {text(what)} on the first and {counts[1]:,.1f} on the second day. *Wipe* lays one over the other."
        )


def astray() -> None:
    """What its errors have in common."""
    where_astray(name, run.grid, first, last, go_to)


def go_to(spot: Spot) -> None:
    """The step and cell of something that was found."""
    go_to_step(spot.step)
    if spot.cell:
        st.query_params["cell"] = f"{spot.cell[0]},{spot.cell[1]}"
    st.rerun()


def calendar(view: ForecastView, step: int) -> None:
    """The day of the step that is shown, and any other to go to."""
    if changed(step, "forecast_day_of") is not None:  # else it may just be being typed
        st.session_state["forecast_day"] = view.day(step)
    chosen = st.date_input(
        "Go to a day", min_value=view.day(view.first), max_value=view.day(view.last - 1), key="forecast_day",
    )  # fmt: skip
    if isinstance(chosen, date) and chosen != view.day(step):
        go_to_step(view.step_on(chosen))
        again()


def save_step(view: ForecastView, step: int) -> None:
    """The step that is shown, for others."""
    stem = plain(f"{name} {view.label(step)}")
    with st.popover("Save this step", icon=":material/download:"):
        for suffix, mime in SUFFIXES.items():
            if suffix == ".tif" and view.cube.areas is not None:
                continue  # has cells, and these counts are of areas
            st.download_button(
                FILES[suffix], partial(step_file, name, run.grid, first, last, step, suffix),
                f"{stem}{suffix}", mime, key=f"save_step{suffix}", on_click="ignore",
            )  # fmt: skip


def behind(view: ForecastView, step: int, cell: tuple[int, int]) -> None:
    """What lies behind one cell."""
    row, column = cell
    st.subheader(text(view.name(row, column)))
    st.caption(f"Row {row:d}, column {column:d} of the map, from the south-west.")
    observed, expected = view.cell_series(cell)
    n, rate = observed[step - view.first], expected[step - view.first]
    st.markdown(
        f"{text(view.said(step))}: **{n:.0f}** events, **{rate:.3f}** expected. Over the whole period: "
        f"{observed.sum():.0f} events, {expected.sum():.1f} expected."
    )
    history, near = st.columns([3, 2])
    history.caption("Its whole history, in blocks of about a week")
    chart(
        forecast_figure(*view.cell_history(cell), str(view.times[step])),
        key="cell_chart",
        alt="The cell's counts and forecast over time",
        place=history,
    )
    near.caption("Its neighbours in this step: observed / expected (north on top)")
    near.dataframe(
        view.neighbours(cell, step), hide_index=True, key="cell_near", alt="Neighbouring cells"
    )
    events = cell_events(run.grid, city, view.times[step], cell)
    near.caption(f"Its events in this step: {len(events)}")
    if len(events):
        near.dataframe(
            events, hide_index=True, key="cell_events", alt="Events of this cell in this step"
        )
    if designer() and near.button("See what the layers do here", icon=":material/layers:"):
        st.switch_page("pages/layers.py", query_params=dict(st.query_params))


def worst(view: ForecastView) -> None:
    """Where it lost most against the baseline; a choice jumps there."""
    st.subheader(f"Where it lost most against {text(forecast_title(other))}")
    st.caption(
        "Days and places of the whole period by their gain in fit: the most negative lost most. Choose a row to go there; of a place, to its worst day."
    )
    steps, cells = view.worst()
    left, right = st.columns([2, 3])
    chosen = left.dataframe(
        steps,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="worst_steps",
        column_config={"against the other": "gain"},
        alt="Worst steps",
    )
    picked = right.dataframe(
        cells,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="worst_cells",
        column_config={"cell": st.column_config.TextColumn(width="medium")}
        | {
            name: st.column_config.NumberColumn(label, width="small")
            for name, label in (
                ("against the other", "gain"),
                ("observed", None),
                ("expected", None),
            )
        },
        alt="Worst cells",
    )
    row = chosen_row(chosen.selection.rows, len(steps))
    jump("worst_steps_seen", row, lambda i: go_to_step(int(steps.index[i])))
    row = chosen_row(picked.selection.rows, len(cells))
    jump("worst_cells_seen", row, lambda i: go_to_cell(view, cells.index[i]))


def jump(key: str, row: int | None, go: Callable[[int], None]) -> None:
    """Go where a newly chosen row says."""
    if newly(row, key):
        go(row)
        again()


def go_to_step(step: int) -> None:
    st.session_state["forecast_step"] = step


def go_to_cell(view: ForecastView, label: str) -> None:
    """To a cell, on the day on which it lost most."""
    st.query_params["cell"] = label
    row, column = map(int, label.split(","))
    go_to_step(view.first + int(view.gain[:, row, column].argmin()))


part(look)
part(beside_another)
part(astray)


def totals() -> None:
    view = forecast_view(name, other, kind, first, last)
    st.subheader("The whole city")
    times, observed, expected = view.totals()
    chart(
        forecast_figure(times, observed, expected),
        key="city_chart",
        alt="The city's counts and forecast over time",
    )


part(totals)
