"""Unseen: does a design hold on later time, in places left out, in another city, after a break?"""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.forecasting.unseen import (
    RIVAL,
    Trial,
    find_break,
    gain,
    gain_map,
    trials,
    tuned,
    unseen_period,
    verdict,
)
from crimecast.grids.complete import not_whole
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import list_grids
from crimecast.inspect.saving import plain
from crimecast.judging.scoring import said
from crimecast.plots.judging import gain_maps_figure, reach_of
from crimecast.plots.rasters import Ground
from crimecast.reporting.unseen import unseen_report
from crimecast.runs.run import list_runs, load_run
from crimecast.views.ground import ground
from crimecast.views.words import FIT, forecast_title
from pages.parts.charts import chart
from pages.parts.frame import frame, grid_title, trained
from pages.parts.guarding import guarded
from pages.parts.judged import strongest
from pages.parts.text import text

here = frame(
    "Unseen",
    "What a network knows beyond what it was shown: designs on later time, places left out, another city, a break.",
)
run = trained(here)
cube = load_cube(run.grid)
first, last = unseen_period(run)
# Only those that have not been shown the period either.
fit = [r.id for r in list_runs(run.grid) if r.state == "done" and r.settings.validate <= first]
elsewhere = {
    g["grid"]: f"{g['city']} · {grid_title(g)}"
    for g in list_grids()
    if g["city"] != cube.city
    and g["shape"][1] == cube.counts.shape[1]
    and g["step"] == str(cube.step)
}
days = [date.fromisoformat(str(cube.times[i])[:10]) for i in (first, last - 1)]
columns = st.columns([4, 3, 2, 1], vertical_alignment="bottom")
asked = [name for name in st.query_params.get("with", "").split(",") if name in fit]
names = columns[0].multiselect(
    "Runs", fit, default=asked or [run.id, *(n for n in fit if n != run.id)][:4],
    help="Trained networks of this grid that have not been shown the period.",
)  # fmt: skip
start = st.query_params.get("away")
away = columns[1].selectbox(
    "Another city", [None, *elsewhere], format_func=lambda g: elsewhere.get(g, "none"),
    index=1 + list(elsewhere).index(start) if start in elsewhere else 0,
    help="A grid of another city with the same step and as many types. The network goes there as it is.",
)  # fmt: skip
when = columns[2].date_input(
    "A break", None, min_value=days[0], max_value=days[1],
    help="A day after which things changed: a lockdown, a new way of recording.",
)  # fmt: skip
if columns[3].button(
    "Find",
    width="stretch",
    help="The day on which the city's level changed most against the mixture's.",
):
    st.info(f"The level changed most on {text(str(cube.times[find_break(run)])[:10])}.")
if away:
    st.query_params["away"] = away
else:
    st.query_params.pop("away", None)
if not names:
    st.info("Choose at least one run.", icon=":material/arrow_upward:")
    st.stop()
st.query_params["with"] = ",".join(names)


@st.cache_data(show_spinner="Forecasting what was not seen …", max_entries=60)
def tried(name: str, at: str, away: str | None, when: int | None, key: str) -> dict[str, Any] | str:
    """The gain of a run in a trial, and where; a sentence where it can't be tried."""
    trial = next(t for t in trials(run, away, when) if t.name == at)
    try:
        return {**gain(name, trial), "map": gain_map(name, trial)}
    except UserError as error:
        return str(error)


def fill(row: dict[str, Any], name: str, trial: Trial, step: int | None) -> None:
    """Put a run's gain in a trial into its row; what can't be tried is said."""
    made = tried(name, trial.name, away, step, f"{run.id}-{first}-{trial.meaning}")
    if isinstance(made, str):
        st.caption(text(f"{name}, {trial.name}: {made}"))
    else:
        row[trial.name] = made


def judged(found: list[Trial], step: int | None) -> dict[str, dict[str, Any]]:
    """Run → trial → its gain."""
    table: dict[str, dict[str, Any]] = {name: {} for name in names}
    for name in names:
        for trial in found:
            fill(table[name], name, trial, step)
    return table


def fine_tuned(found: list[Trial], step: int | None) -> dict[str, dict[str, Any]]:
    """The same where a run was trained further in the other city."""
    table: dict[str, dict[str, Any]] = {}
    for trial in found:
        if trial.name == "another city" and away is not None:
            for name in names:
                for other in tuned(load_run(name), away):
                    row = table.setdefault(f"{name}, trained further there ({other.id})", {})
                    fill(row, other.id, trial, step)
    return table


def on(trial: Trial) -> Ground:
    """What a trial's maps are drawn on."""
    return ground(load_city(trial.cube.city), trial.cube, False)


def show() -> None:
    step = cube.index(str(when)) if when else None
    found = trials(run, away, step)
    table = judged(found, step)
    best, versus = strongest(run)
    another = best.split("@")[0] != RIVAL
    word, much = said(versus, swapped=True, unit=FIT.plain)
    judged_so = verdict(table)
    if another and names == [run.id]:
        judged_so = f"{judged_so.removesuffix('.')}, and {run.id} {word} the best simple forecast."
    st.subheader(text(judged_so))
    table |= fine_tuned(found, step)
    st.caption(
        f"Gain in {text(FIT.plain)} on *{text(forecast_title(RIVAL))}*, the simple forecast that can be fitted anywhere, to the same city's own past: above zero is better; "
        "95 % intervals over weeks."
    )
    if another:
        st.markdown(
            f"The best simple forecast on later time is another, *{text(forecast_title(best))}*: {text(run.id)} is {text(word)} it, {text(much)}."
        )
    if short := not_whole(load_cube(run.grid)):
        st.caption(text(short))
    st.dataframe(
        [
            {"run": name}
            | {
                trial.name: f"{p['difference']:+.4f} ({p['interval'][0]:+.4f} to {p['interval'][1]:+.4f})"
                for trial in found
                if (p := table[name].get(trial.name))
            }
            for name in table
        ],
        hide_index=True,
        column_config={
            trial.name: st.column_config.TextColumn(help=text(trial.meaning)) for trial in found
        },
        alt="Gain of every run in every trial",
    )
    for trial in found:
        st.caption(f"**{text(trial.name)}**: {text(trial.meaning)}.")
    if all(trial.name != "left-out places" for trial in found):
        st.info(
            "No run of this grid was trained without some places. Where a share of the city is left out in training, it shows "
            "whether a design holds where it was never taught.", icon=":material/grid_off:",
        )  # fmt: skip
    st.markdown("**Where**: fit per cell; orange gained, blue lost")
    dark = st.context.theme.type == "dark"
    grounds = {trial.name: on(trial) for trial in found}
    drawn = [made["map"] for row in table.values() for made in row.values()]
    reach = reach_of(drawn) if drawn else None
    for name in table:
        maps = {trial: made["map"] for trial, made in table[name].items()}
        if maps:
            st.caption(text(name))
            chart(
                gain_maps_figure(maps, dark, grounds, reach),
                key=f"maps_{name}",
                alt=f"Where {name} gained and lost",
            )
    with st.container(horizontal=True):
        st.download_button(
            "Save the report", lambda: unseen_report(run, found, table, names),
            f"{plain(run.id)}_unseen.html", "text/html", icon=":material/description:", on_click="ignore",
            help="One HTML file: gains with intervals, and where.",
        )  # fmt: skip
        st.download_button(
            "Save the numbers", lambda: numbers(found, table), f"{plain(run.id)}_unseen.csv",
            "text/csv", icon=":material/download:", on_click="ignore",
            help="The table as CSV: a row for each run and trial.",
        )  # fmt: skip


def numbers(found: list[Trial], table: dict[str, dict[str, Any]]) -> str:
    """The gains as CSV."""
    rows = [
        {
            "run": name, "trial": trial.name, "city": trial.cube.city, "grid": trial.cube.grid,
            "since": trial.cube.label(trial.first), "until": trial.cube.label(trial.last - 1), "against": RIVAL,
            "gain": p["difference"], "low": p["interval"][0], "high": p["interval"][1], "unit": "log-likelihood per event",
        }
        for name in table for trial in found if (p := table[name].get(trial.name))
    ]  # fmt: skip
    return pd.DataFrame(rows).to_csv(index=False)


guarded(show)
