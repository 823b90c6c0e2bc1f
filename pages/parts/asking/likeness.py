"""Which layers are alike, and what they know."""

import streamlit as st

from crimecast.cities import City
from crimecast.plots.figures import (
    table_figure,
)
from crimecast.runs.run import Run, list_runs
from crimecast.views import insight
from pages.parts.asking.shared import dark
from pages.parts.charts import chart
from pages.parts.frame import among


def likeness(run: Run, _city: City, _layer: str, _step: int, _channel: int) -> None:
    """Which layers say the same, here or in another run, and what each knows."""
    others = [r.id for r in list_runs(run.grid) if r.state == "done"]
    names = [run.id, *(r for r in others if r != run.id)]
    other = st.selectbox(
        "Compare with", names, key=among("likeness_with", names), bind="query-params"
    )
    with st.spinner("Comparing layers …"):
        again = next(r for r in list_runs(run.grid) if r.id == other)
        rows, columns, table = insight.likeness(run.id, run.stamp, other, again.stamp)
        known = insight.knowledge(run.id, run.stamp)
    chart(table_figure(rows, columns, table, "CKA", dark()), key="cka", alt="Likeness of layers")
    st.caption(
        "CKA: 1 where two layers hold the same up to rotation and scale, 0 where they have nothing in common."
    )
    st.markdown("**What each layer knows**")
    st.dataframe(
        known,
        hide_index=True,
        column_config={
            "used": st.column_config.NumberColumn(
                help="Directions that hold 99 % of the variance."
            ),
            **{
                k: st.column_config.NumberColumn(
                    format="%.2f",
                    help="R² of a linear probe on steps it wasn't fitted to; 1 is all, 0 nothing.",
                )
                for k in ("weekday", "season", "forecast", "count", "participation")
            },
        },
    )
