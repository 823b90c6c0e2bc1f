"""What Compare shows of forecasts beside their scores: hits, calibration, groups, fair use."""

import streamlit as st

from crimecast.cities import City
from crimecast.plots import figures, judging
from crimecast.views.compare import Comparison
from crimecast.views.words import FIT, forecast_title
from pages.parts.charts import chart
from pages.parts.reader import designer

NOT_FOR = (
    "Records show what was reported and recorded, not what happened; where police look more, they record more. "
    "A forecast here is of places and counts, never of persons. It is no ground for acting against anyone, and "
    "a high rate is no reason for suspicion of who lives or walks there."
)


def one_of(view: Comparison, key: str) -> str:
    """Which forecast to look at, of those that are not the one compared with."""
    others = [name for name in view.names if name != view.against]
    return st.selectbox("Forecast", others, key=key, width=260, format_func=forecast_title)


def hits(view: Comparison, _: City) -> None:
    """The hit rate over the whole range of area."""
    most = st.segmented_control(
        "Up to", [5, 20, 100], default=20, format_func=lambda v: f"{v:d} % of the city"
    )
    curves = {forecast_title(name): curve for name, curve in view.curves().items()}
    other, share = forecast_title(view.against), (most or 100) / 100
    left, right = st.columns(2)
    chart(
        judging.hits_figure(curves, share),
        key="hits",
        alt="Hit rate over area",
        place=left,
    )
    chart(
        judging.hits_gain_figure(curves, other, share),
        key="hits_gain",
        alt=f"Hit rate above that of {other}",
        place=right,
    )
    st.caption(
        "In each step the cells forecast highest are flagged; the curve is the share of all events inside them. "
        "Higher is better; the dotted line is what perfect foresight of each step would reach."
    )


def calibration(view: Comparison, _: City) -> None:
    """Whether rates can be taken at their word."""
    made = {forecast_title(name): view.calibration(name) for name in view.names[:7]}
    left, right = st.columns(2)
    left.markdown("**Reliability**: on the dotted line is right")
    chart(
        judging.reliability_figure({name: one for name, (one, _) in made.items()}),
        key="reliability",
        alt="Observed against forecast rates",
        place=left,
    )
    right.markdown("**Ranks of what came**: flat is right, a U is too sure")
    chart(
        judging.pit_figure({name: pit for name, (_, pit) in made.items()}),
        key="pit",
        alt="Histograms of the ranks of what came (PIT)",
        place=right,
    )
    scores = [
        row | {"forecast": forecast_title(row["forecast"])} for row in view.distribution_scores()
    ]
    kept = None if designer() else ("forecast", "observed / expected")
    st.dataframe(
        scores, hide_index=True, alt="How wide and how right each forecast is", column_order=kept,
        column_config={
            "CRPS": st.column_config.NumberColumn(format="%.5f", help="Continuous ranked probability score. Lower is better."),
            "sharpness": st.column_config.NumberColumn(
                format="%.5f", help="Mean standard deviation of the forecast counts. Among calibrated forecasts lower is better."
            ),
            "observed / expected": st.column_config.NumberColumn(format="%.3f", help="1 is right in total."),
            "gap to the truth": st.column_config.NumberColumn(
                format="%.5f", help="Fit per event lost against the true rates. 0 is perfect."
            ),
        },
    )  # fmt: skip


def groups(view: Comparison, city: City) -> None:
    """The score taken apart."""
    with st.container(horizontal=True):
        name = one_of(view, "compare_groups")
        options = ["weekday", "season", "neighbourhood", "count"]
        options += ["hour"] if view.cube.step.days < 1 else []
        options += ["type"] if len(view.cube.types) > 1 else []
        by = st.selectbox("By", options, width=200)
    frame = view.groups(name, by, city)
    shown = frame.sort_values("gain_per_event", ascending=False) if by == "neighbourhood" else frame
    ends = (
        shown if len(shown) <= 24 else shown.iloc[[*range(12), *range(len(shown) - 12, len(shown))]]
    )
    chart(
        figures.signed_bars_figure(
            ends[by].tolist(),
            ends["gain_per_event"].tolist(),
            f"gain on {forecast_title(view.against)}, per event of the whole",
        ),
        key="groups",
        alt=f"Gain by {by}",
    )
    if len(ends) < len(shown):
        st.caption("The twelve that gained most and least; all are in the table.")
    st.dataframe(
        shown, hide_index=True, alt=f"Scores by {by}",
        column_config={
            "expected": st.column_config.NumberColumn(format="%.1f"),
            "expected by the other": st.column_config.NumberColumn(format="%.1f"),
            "observed / expected": st.column_config.NumberColumn(format="%.3f"),
            "log_likelihood_per_event": st.column_config.NumberColumn(FIT.plain, format="%.4f", help=FIT.help),
            "gain_per_event": st.column_config.NumberColumn(
                "gain", format="%+.5f", help="What the group adds to the gain of the whole; the rows sum to it."
            ),
        },
    )  # fmt: skip


def fair_use(view: Comparison, city: City) -> None:
    """Who is watched, how a forecast feeds on itself, and what it can't be used for."""
    name = one_of(view, "compare_fair")
    st.warning(NOT_FOR, icon=":material/front_hand:")
    st.markdown(
        "**Attention by neighbourhood**: share of the 5 % flagged cells over share of recorded events"
    )
    st.dataframe(
        view.attention(name, city), hide_index=True, alt="Attention by neighbourhood",
        column_config={
            "expected": st.column_config.NumberColumn(format="%.1f"),
            "over-forecast": st.column_config.NumberColumn(format="percent", help="Above zero: more was forecast than recorded."),
            "share of events": st.column_config.NumberColumn(format="percent"),
            "share of flagged cells": st.column_config.NumberColumn(format="percent"),
            "attention": st.column_config.NumberColumn(
                format="%.2f", help="1: flagged as often as its share of records. Far above: watched beyond its share."
            ),
        },
    )  # fmt: skip
    st.markdown(
        "**If patrols followed it**: a year in which detection follows patrols, and the forecast the records"
    )
    with st.container(horizontal=True):
        share = st.slider("Cells patrolled, %", 1, 20, 5, key="fed_share")
        base = st.slider("Recorded without a patrol, %", 5, 95, 40, key="fed_base")
        watched = st.slider("Recorded with a patrol, %", 5, 100, 80, key="fed_watched")
    fed = view.feedback(name, share / 100, base / 100, max(base, watched) / 100)
    chart(
        judging.feedback_figure(fed.patrolled, fed.happened),
        key="feedback",
        alt="Patrols against what truly happens",
    )
    st.markdown(
        f"In the end the tenth of cells patrolled most gets **{fed.runaway:.1f} times** the patrols that its share of "
        "what truly happens would give it. What happens never changed; only what was recorded did."
    )
    st.caption(
        "After Lum & Isaac (2016) and Ensign et al. (2018). The forecast's mean rates stand for the truth."
    )
