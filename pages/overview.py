"""Overview: where things stand, and the next thing to do."""

import streamlit as st

from crimecast.forecasts import rivals
from crimecast.runs import list_runs
from crimecast.unseen import unseen_period
from pages.parts.frame import frame, guarded, nothing_yet
from pages.parts.judged import score_rows

place = frame(
    "Overview",
    "See why a forecasting network is wrong, change its design, and see whether it got better.",
)
if place.grid is None:
    nothing_yet(
        f"{place.city.title} has no grid yet. Bring in its records, then count them on a grid.",
        "pages/city.py",
        "Go to City",
    )

grid = place.grid
columns = st.columns(4)
columns[0].metric("Events in the grid", f"{grid['events']:,}")
columns[1].metric("Cells in the city", f"{grid['cells']:,}")
columns[2].metric(
    "Steps",
    f"{grid['shape'][0]:,}",
    help=f"{grid['first'][:10]} to {grid['last'][:10]}, {grid['step']} each",
)
columns[3].metric("Runs", len(list_runs(grid["grid"])))

if place.run is None or place.run.state != "done":
    nothing_yet("No trained network yet on this grid.", "pages/design.py", "Design and train one")
run = place.run


def standing() -> None:
    rows = score_rows(run, tuple(rivals(run, *unseen_period(run))))
    baselines = [row for row in rows if row["name"] != run.id]
    best = max(baselines, key=lambda row: row["log_likelihood_per_event"])
    versus = best["versus"]
    low, high = sorted(-v for v in versus["interval"])
    word = {"worse": "better than", "better": "worse than"}.get(
        versus["verdict"], "not to be told apart from"
    )
    st.subheader(f"{run.id} is {word} the best baseline")
    st.markdown(
        f"On unseen data from {run.settings['validate_until'][:10]} on, its log-likelihood per event is "
        f"**{-versus['difference']:+.4f}** against *{best['name']}* (95 % interval {low:+.4f} to {high:+.4f}, "
        "over weeks; above zero is better)."
    )
    st.dataframe(
        [
            {
                "forecast": row["name"],
                "log-likelihood per event": row["log_likelihood_per_event"],
                "hits in 1 % of the area": 100 * row["hit_rate@1"],
                "hits in 5 % of the area": 100 * row["hit_rate@5"],
                "deviance": row["poisson_deviance"],
            }
            for row in sorted(rows, key=lambda row: -row["log_likelihood_per_event"])
        ],
        hide_index=True,
        column_config={
            "log-likelihood per event": st.column_config.NumberColumn(
                format="%.4f", help="Higher is better."
            ),
            "hits in 1 % of the area": st.column_config.NumberColumn(
                format="%.1f %%",
                help="Share of events inside the 1 % of cells forecast highest. Higher is better.",
            ),
            "hits in 5 % of the area": st.column_config.NumberColumn(
                format="%.1f %%", help="The same for 5 % of the cells."
            ),
            "deviance": st.column_config.NumberColumn(
                format="%.4f", help="Mean Poisson deviance a cell and step. Lower is better."
            ),
        },
        alt="Scores of the run and the baselines",
    )


guarded(standing)
st.subheader("Look next")
with st.container(horizontal=True):
    for page, label, icon in (
        ("pages/forecast.py", "Forecast beside fact", ":material/map:"),
        ("pages/layers.py", "What each layer sees", ":material/layers:"),
        ("pages/design.py", "Change the design", ":material/account_tree:"),
    ):
        st.page_link(page, label=label, icon=icon, query_params=dict(st.query_params))
