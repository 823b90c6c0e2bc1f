"""Compare: runs and baselines on one period, with intervals; where, how sure and for whom."""

import streamlit as st

from crimecast.cities import City
from crimecast.forecasting.choosing import choices, first_choice, is_baseline, slow
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.complete import not_whole
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import said
from crimecast.lineage.tree import effect
from crimecast.plots import judging
from crimecast.reporting.comparison import comparison_report
from crimecast.runs.run import list_runs
from crimecast.views.compare import Comparison
from crimecast.views.words import FIT, MISFIT, OF_BEST, forecast_title
from pages.parts.astray import where_astray
from pages.parts.charts import chart
from pages.parts.compared import calibration, fair_use, groups, hits, one_of
from pages.parts.frame import frame, trained
from pages.parts.guarding import part
from pages.parts.judged import strongest
from pages.parts.maps import asked_of, maps
from pages.parts.reader import designer
from pages.parts.text import text

here = frame(
    "Compare",
    "Did it help? Any runs and simple forecasts on the same unseen steps, each pair on the same weeks.",
)
run = trained(here)
grid = run.grid
first, last = unseen_period(run)
known = choices(grid, here.city.simulated)

best_simple = strongest(run)[0]
asked = [name for name in st.query_params.get("with", "").split(",") if name in known]
if "compare_with" not in st.session_state or not set(st.session_state["compare_with"]) <= set(
    known
):
    st.session_state["compare_with"] = asked or [
        n for n in dict.fromkeys([*first_choice(run, first, last), best_simple]) if n in known
    ]


def named(name: str) -> str:
    title = forecast_title(name)
    return f"{title} (takes minutes)" if slow(name, grid, first, last) else title


left, right = st.columns([3, 1])
with left:
    names = st.multiselect(
        "Forecasts", known, key="compare_with", format_func=named,
        help="Runs of this grid, simple forecasts, and on the simulated city the true rates. "
        "`@3` after a name: three steps ahead.",
    )  # fmt: skip
    others = (
        [best_simple] if best_simple in names else [n for n in names if is_baseline(n)] or names
    )
start = st.query_params.get("against")
with right:
    against = st.selectbox(
        "Against", names, format_func=forecast_title,
        index=names.index(start) if start in names else names.index(others[0]) if names else None,
        help="The one that all others are measured against.",
    )  # fmt: skip
if len(names) < 2 or against is None:
    st.info("Choose at least two forecasts.", icon=":material/arrow_upward:")
    st.stop()
st.query_params["with"], st.query_params["against"] = ",".join(names), against

view = Comparison(load_cube(grid), first, last, tuple(names), against)


@st.cache_data(show_spinner="Forecasting and scoring …", max_entries=30)
def rows_of(grid: str, names: tuple[str, ...], against: str, first: int, last: int) -> list[dict]:
    return Comparison(load_cube(grid), first, last, names, against).table()


def scores(view: Comparison, _: City) -> None:
    """The table with intervals; who is told apart from the one compared with."""
    rows = rows_of(grid, view.names, view.against, first, last)
    best, other = rows[0], forecast_title(view.against)
    if best["name"] == view.against:
        st.subheader(f"None is better than {text(other)}")
    else:
        word, much = said(best["versus"], unit=FIT.plain)
        st.subheader(f"{text(forecast_title(best['name']))} is {text(word)} {text(other)}")
        st.markdown(f"{text(much)}, {text(view.period)}.")
    if run.parent in view.names and run.id in view.names and view.against != run.parent:
        (own,) = (
            r
            for r in rows_of(grid, (run.id, run.parent), run.parent, first, last)
            if r["name"] == run.id
        )
        word, much = said(own["versus"], unit=FIT.plain)
        st.markdown(
            f"{text(run.id)} is {text(word)} {text(run.parent)}, which it was forked from: {text(much)}."
        )
    known = {one.id: one for one in list_runs(grid)}
    for fork in (known[name] for name in view.names if name in known):
        chosen = (effect(fork) if fork.parent in view.names else None) or {}
        if chosen.get("on") == "validation":
            word, much = said(chosen, unit=FIT.plain)
            st.caption(
                f"On the period for choosing {text(fork.id)} was {text(word)} {text(fork.parent)}: {text(much)}. The unseen steps, on which they are "
                "judged here, had no part in any choice: they decide."
            )
    st.dataframe(
        [
            {
                "forecast": forecast_title(row["name"]),
                FIT.plain: row["log_likelihood_per_event"],
                f"against {other}": row["versus"]["difference"] if "versus" in row else None,
                "from": row["versus"]["interval"][0] if "versus" in row else None,
                "to": row["versus"]["interval"][1] if "versus" in row else None,
                "verdict": row["versus"]["verdict"] if "versus" in row else "compared with",
                "hits in 1 %": 100 * row["hit_rate@1"],
                "hits in 5 %": 100 * row["hit_rate@5"],
            }
            | ({OF_BEST.plain: row["pei@5"], MISFIT.plain: row["poisson_deviance"]} if designer() else {})
            for row in rows
        ],
        hide_index=True,
        column_config={
            FIT.plain: st.column_config.NumberColumn(format="%.4f", help=FIT.help),
            f"against {other}": st.column_config.NumberColumn(
                format="%+.4f", help="Difference of the fits per event, on the same weeks: above zero is better."
            ),
            "from": st.column_config.NumberColumn(format="%+.4f", help="Its 95 % interval."),
            "to": st.column_config.NumberColumn(format="%+.4f", help="Its 95 % interval."),
            "hits in 1 %": st.column_config.NumberColumn(
                format="%.1f %%", help="Share of events in the 1 % of cells forecast highest. Higher is better."
            ),
            "hits in 5 %": st.column_config.NumberColumn(format="%.1f %%", help="The same for 5 % of the cells."),
            OF_BEST.plain: st.column_config.NumberColumn(format="%.3f", help=f"For 5 %. {OF_BEST.help}"),
            MISFIT.plain: st.column_config.NumberColumn(format="%.4f", help=MISFIT.help),
        },
        placeholder="–",
        alt="Scores of every forecast with the paired comparison",
    )  # fmt: skip
    measured = {
        forecast_title(row["name"]): (row["versus"]["difference"], *row["versus"]["interval"])
        for row in rows
        if "versus" in row
    }
    chart(
        judging.intervals_figure(measured, other, FIT.plain),
        key="gains",
        alt="Gains with their intervals",
    )
    alike = [
        forecast_title(r["name"])
        for r in rows
        if r.get("versus", {}).get("verdict") == "not to be told apart"
    ]
    if alike:
        its = "Its interval holds" if len(alike) == 1 else "Their intervals hold"
        st.caption(f"Not told apart from {text(other)}: {text(', '.join(alike))}. {its} zero.")


def where(view: Comparison, city: City) -> None:
    """Maps of both forecasts and of the gain, for the whole period and each month."""
    name = one_of(view, "compare_where")
    maps(view.maps(name, city, asked_of("compare_maps").step or 0), key="compare_maps")
    where_astray(name, grid, first, last)


SECTIONS = {
    "Scores": scores, "Where": where, "Hits": hits, "Calibration": calibration, "Groups": groups,
    "Fair use": fair_use,
}  # fmt: skip
start_at = st.query_params.get("section")
section = st.segmented_control(
    "Section", list(SECTIONS), default=start_at if start_at in SECTIONS else "Scores",
    label_visibility="collapsed", key="compare_section",
)  # fmt: skip
st.query_params["section"] = section or "Scores"


def shown() -> None:
    SECTIONS[section or "Scores"](view, here.city)
    cells, events = view.not_counted
    if cells and view.cube.outline_area is None:
        st.caption(
            f"In no number here: {events:,.0f} events in {cells:,d} cells where nothing had happened before the period, so that nothing is forecast of them."
        )
    if short := not_whole(view.cube):
        st.caption(text(short))


part(shown)
if st.button(
    "Make a report", icon=":material/description:",
    help="One HTML file: scores with intervals, hits, where each gained, model cards.",
):  # fmt: skip
    with st.spinner("Writing …"):
        page = comparison_report(view)
    st.download_button("Save the report", page, f"{run.id}_compared.html", "text/html")
