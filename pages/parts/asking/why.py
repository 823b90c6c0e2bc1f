"""Why this forecast in this cell."""

import math

import streamlit as st

from crimecast.cities import City
from crimecast.grids.cube import load_cube
from crimecast.inspect.attribution import METHODS
from crimecast.plots.figures import (
    signed_bars_figure,
)
from crimecast.runs.run import Run
from crimecast.views import insight
from crimecast.views.place_names import place_name
from pages.parts.asking.shared import cell_of, follow
from pages.parts.charts import draw
from pages.parts.frame import among
from pages.parts.maps import maps
from pages.parts.save import save
from pages.parts.text import text


def why(run: Run, city: City, _layer: str, step: int, _channel: int) -> None:
    """Attribution of one cell's forecast."""
    cell = cell_of(run)
    method = (
        st.segmented_control(
            "Method",
            METHODS,
            default=METHODS[0],
            key="method",
            bind="query-params",
            format_func=lambda m: text(m.replace("_", " ")),
            help="Integrated gradients add up to the forecast's change from an empty past; the others are quicker to compute and only rank.",
        )
        or METHODS[0]
    )
    types = list(load_cube(run.grid).types)
    kind = types[0]
    if len(types) > 1:
        kind = st.selectbox("Type", types, key=among("type", types), bind="query-params", width=320)
    with st.spinner("Asking the network …"):
        made, parts = insight.attribution(run.id, run.stamp, step, cell, types.index(kind), method)
    st.caption(
        f"What moved the log rate of {text(place_name(city, load_cube(run.grid), *cell))}: +0.1 is 10 % more. From an empty past to this one it "
        f"changes by {made.change:+.3f}"
        + (
            f"; the parts add up to all but {made.error:+.4f} of it."
            if math.isfinite(made.error)
            else "."
        )
        + " Click a cell of the map to ask for another."
    )
    left, right = st.columns(2)
    with left:
        total = made.history.sum(axis=0) + made.static.sum(axis=0)
        panel = insight.signed("where it comes from", total, "log rate")
        asked = maps(
            insight.maps_message(run, city, [(panel, total)], f"why-{run.id}-{kind}", cell),
            key="layer_why",
        )
        follow(asked)
    with right:
        top = parts[:14]
        draw(
            signed_bars_figure([n for n, _ in top], [v for _, v in top], "added to the log rate"),
            key="why_bars",
            alt="What each input added",
        )
    save(run, "why", {"history": made.history, "static": made.static})
    with st.expander("All inputs as a table"):
        st.dataframe([{"input": n, "added to the log rate": v} for n, v in parts], hide_index=True)
