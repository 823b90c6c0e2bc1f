"""Tomorrow: what is expected in the days to come, where to look, and how such forecasts have done."""

from functools import partial

import streamlit as st

from crimecast import UserError
from crimecast.inspect.saving import plain
from crimecast.judging.sequential import LEAST, sequence
from crimecast.live.log import Log
from crimecast.live.plan import RIVALS, live_folder, plan_of
from crimecast.live.round import go_round
from crimecast.live.standing import gains, said, standing
from crimecast.plots.figures import sequence_figure
from crimecast.reporting.tomorrow import printable
from crimecast.runs.run import list_runs, load_run
from crimecast.views.lasting import long_ago
from crimecast.views.tomorrow import (
    NOTICE,
    TomorrowView,
    exported,
    tomorrow_view,
)
from crimecast.views.words import FIT, forecast_title
from crimecast.views.yesterday import before
from pages.parts.charts import chart
from pages.parts.frame import frame, no_grid
from pages.parts.guarding import guarded, part
from pages.parts.judged import loses, stands, strongest
from pages.parts.live import take_over
from pages.parts.maps import asked_of, maps
from pages.parts.people import operator_button
from pages.parts.text import text

here = frame("Tomorrow", "What is expected in the days to come, where, and why there.")
if here.grid is None:
    no_grid(here)
grid, city = here.grid["grid"], here.city
plan = plan_of(city.name)
if plan is not None:
    grid = plan.grid  # of a live city what is newest
done = [run.id for run in list_runs(grid) if run.state == "done"]
# While one trains, the last that has.
own = [here.run.id] if here.run is not None and here.run.id in done else done[:1]
sealed_by = [name for name in plan.names if name not in (*own, *RIVALS)] if plan else []
names = [*own, *sealed_by, *RIVALS]
if plan is not None:  # what the city's forecast is stands first
    names = [*plan.names, *(name for name in names if name not in plan.names)]


def better_than(name: str) -> str | None:
    """The best simple forecast, where it is better than a run on days that the run never saw."""
    if name not in done:
        return None
    run = load_run(name)
    with st.spinner("Looking how it has done …"):
        if run.design.horizon > 1 or not loses(run):
            return None
        return strongest(run)[0]


better = better_than(own[0]) if own and plan is None else None
if better is not None:  # nobody is to act on what is known to be worse
    names = [better, *(name for name in names if name != better)]


def shown_step(view: TomorrowView) -> int:
    """The step asked for by the maps or the picker."""
    labels = [text(view.label(i)) for i in range(len(view.made.times))]
    asked = asked_of("tomorrow_maps").step
    if asked is not None and asked != st.session_state.get("tomorrow_seen"):
        st.session_state["tomorrow_seen"] = asked
        st.session_state["tomorrow_step"] = labels[min(asked, len(labels) - 1)]
    if st.session_state.get("tomorrow_step") not in labels:
        st.session_state["tomorrow_step"] = labels[0]
    chosen = st.segmented_control("When", labels, key="tomorrow_step", required=True)
    return labels.index(chosen or labels[0])


def ahead() -> None:
    with st.container(horizontal=True):
        name = st.selectbox(
            "Forecast by", names, key="tomorrow_by", width=320, format_func=forecast_title
        )
        with st.spinner("Forecasting …"):
            view = tomorrow_view(name, grid)
        kinds = view.made.kinds
        kind = len(kinds) - 1
        if len(kinds) > 1:
            order = [kinds[-1], *kinds[:-1]]
            kind = kinds.index(st.selectbox("Type", order, key="tomorrow_type"))
    if here.run is not None and here.run.active and not own:
        st.caption(
            f"{text(here.run.id)} still trains: until it has, {text(forecast_title(name))} forecasts."
        )
    if (best := better_than(name)) is not None:
        st.warning(
            f"On days that it never saw, {text(name)} is worse than {text(forecast_title(best))}: choose that to act on.",
            icon=":material/balance:",
        )
    elif name == better:
        st.caption(
            f"{text(forecast_title(name))} stands first: on unseen days it is better than {text(own[0])}."
        )
    for note in view.made.notices:
        st.warning(text(note), icon=":material/hourglass_bottom:")
    if old := long_ago(city, view.made):
        st.warning(text(old), icon=":material/history:")
    step = shown_step(view)
    expected, low, high = view.made.total(step, kind)
    columns = st.columns(3)
    columns[0].metric(
        f"Expected, {text(view.label(step))}", f"{expected:,.1f}", help="Events in the whole city."
    )
    columns[1].metric(
        "Most likely between", f"{low:,} and {high:,}",
        help="Nineteen times in twenty it will be, if the forecast is right about what it doesn't know.",
    )  # fmt: skip
    usual = text(view.usual_time(step))
    day = view.whole_day(step, kind)
    columns[2].metric(
        f"On {usual}", f"{view.alike[step, kind]:,.1f}",
        help="The mean of the last year, at that time of the week.",
    )  # fmt: skip
    if day is not None:
        st.markdown(
            f"The whole of {text(view.label(step).split(',')[0])}: **{day:,.1f}** expected."
        )
    share = st.slider("I can cover … % of the area", 1, 30, 5, key="tomorrow_cover")
    chosen = view.covered(step, kind, share)
    held = float(view.made.rate[step, kind][chosen].sum())
    st.markdown(
        f"The {chosen.sum():,d} cells where most is expected hold **{held:,.1f}** of the {expected:,.1f} expected "
        f"events ({held / max(expected, 1e-9):.0%})."
    )
    maps(view.message(step, kind, share), key="tomorrow_maps")
    st.subheader("Ten places to look at")
    st.markdown(
        f"The whole city: {text(view.beside_alike(step, kind))}. Usual is the mean of the last year, at that time of the week."
    )
    rows = view.places(step, kind)
    st.markdown(
        "\n".join(
            f"1. **{text(row['place'])}**: {row['expected']:.2f} expected ({text(row['95 %'])}), {row['usual']:.2f} on {usual}."
            + (f" {text(row['why'])}." if row["why"] else "")
            for row in rows.to_dict("records")
        )
    )
    for line in view.elsewhere(step, kind):
        st.markdown(f"Not among the ten, and known to be wrong: {text(line)}.")
    how_far_to_trust(name)
    behind = st.expander("As a table", on_change="rerun", key="tomorrow_table")
    if behind.open:
        behind.dataframe(
            rows, hide_index=True, key="tomorrow_places",
            column_config={
                "expected": st.column_config.NumberColumn(format="%.2f"),
                "chance of any": st.column_config.NumberColumn(format="%.0f %%"),
                "usual": st.column_config.NumberColumn(format="%.2f"),
            },
            alt="The ten places where most is expected",
        )  # fmt: skip
    save(view, kind)


def how_far_to_trust(name: str) -> None:
    """How it did on days that no network was shown, and where to look further."""
    st.subheader("How far to trust it")
    known = stands(load_run(own[0]), name) if own else None
    if known is None:
        st.markdown("Nothing has judged it yet: a network's training leaves days out, on which all are judged.")  # fmt: skip
        return
    st.markdown(text(known))
    with st.container(horizontal=True):
        for page, label, icon in (
            ("pages/forecast.py", "Where it was wrong", ":material/map:"),
            ("pages/compare.py", "Against other forecasts", ":material/balance:"),
        ):
            st.page_link(page, label=label, icon=icon, query_params=dict(st.query_params))


def save(view: TomorrowView, kind: int) -> None:
    """The forecast for others."""
    days = f"{view.made.label(0)} to {view.made.label(len(view.made.times) - 1)}"
    stem = plain(f"{city.name} {forecast_title(view.made.name)} {days}")
    with st.container(horizontal=True):
        for label, suffix, mime in (
            ("CSV", ".csv", "text/csv"),
            ("GeoJSON", ".geojson", "application/geo+json"),
            ("JSON", ".json", "application/json"),
        ):
            st.download_button(
                text(label), partial(exported, view.made, suffix), f"{stem}{suffix}", mime,
                key=f"tomorrow{suffix}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
        st.download_button(
            "A page to print", lambda: printable(view, kind).encode(), f"{stem}.html", "text/html",
            key="tomorrow_print", on_click="ignore", icon=":material/print:",
        )  # fmt: skip


def yesterday() -> None:
    """The last step that has come, beside what was forecast of it."""
    name = st.session_state.get("tomorrow_by", names[0])
    known = before(name, grid)
    if known is None:
        return
    st.subheader("The last day that has come" if known.cube.step.days == 1 else "The last step")
    st.markdown(
        f"{text(known.label.replace('T', ' '))}: **{known.counts[known.area].sum():,.0f}** events, {known.expected:,.1f} expected "
        f"({known.low:,d} to {known.high:,d})."
    )
    st.caption(
        f"Forecast and sealed {text(known.sealed[:16].replace('T', ' '))} UTC, before its records came."
        if known.sealed
        else "Not sealed at the time: made now, from what had come before that day."
    )
    if known.cube.outline_area is None:
        st.caption(
            "Here all cells are forecast in which something had happened before that day; *Forecast* leaves out those where it first did in its period."
        )
    fold = st.expander("On the map, beside what was forecast", on_change="rerun", key="yesterday")
    if fold.open:
        with fold:
            maps(known.message(), key="yesterday_maps")


def since_the_start() -> None:
    """How sealed forecasts have done, and the seal itself."""
    st.subheader("How it has done since it was first sealed")
    log = Log(live_folder(city.name))
    take_over(city.name)
    rows = standing(log)
    if not rows:
        st.caption(
            "Nothing that was sealed has come yet. A sealed forecast is stored before its day and can't be changed unseen; it is scored when the day's records are in."
        )
    else:
        for line in said(rows):
            st.warning(text(line), icon=":material/trending_down:")
        st.dataframe(
            [
                {
                    "forecast": forecast_title(row["name"]),
                    "days": row["steps"],
                    "events": row["events"],
                    "expected": row["expected"],
                    FIT.plain: row["log_likelihood_per_event"],
                    "drifts": row["drifts"],
                }
                for row in rows
            ],
            hide_index=True,
            column_config={
                "expected": st.column_config.NumberColumn(format="%.1f"),
                FIT.plain: st.column_config.NumberColumn(format="%.4f", help=FIT.help),
            },
            alt="Scores of sealed forecasts",
        )
        known = [row["name"] for row in rows]
        asked = st.session_state.get("tomorrow_by")
        first = next((name for name in known if name == asked), known[0])
        rival = next((name for name in RIVALS if name in known and name != first), None)
        if rival is not None:
            steps, gained = gains(log, first, rival)
            chart(
                sequence_figure(steps, *sequence(gained), "gain a day"),
                key="tomorrow_since",
                alt=f"Gain of {forecast_title(first)} on {forecast_title(rival)} since the start",
            )
            st.caption(
                f"{text(forecast_title(first))} against {text(forecast_title(rival))}, in fit a day; above zero is better. The band is "
                f"shown from {LEAST:d} days on and holds however often one looks."
            )
    try:
        count = log.verify()
        st.caption(f"The sealed log has {count:,d} entries, all as they were written.")
    except UserError as error:
        st.error(text(error), icon=":material/lock_open:")
    if operator_button(
        "Seal the forecasts of these days", icon=":material/lock:",
        help="Brings in what is new, scores what has come, and stores the forecasts of the next days for good.",
    ):  # fmt: skip
        with st.spinner("Bringing in what is new and forecasting …"):
            result = go_round(city.name, grid, tuple(names), guarded=True)
        st.success(
            f"{result['sealed']:,d} forecasts sealed, {result['scored']:,d} days of earlier ones scored."
        )


part(ahead)
guarded(yesterday)
guarded(since_the_start)
st.subheader("What it must not be used for")
st.markdown(text(NOTICE))
