"""How the layers learnt."""

import streamlit as st

from crimecast.cities import City
from crimecast.plots.figures import (
    layers_over_training_figure,
    table_figure,
)
from crimecast.runs.run import Run
from crimecast.views import insight, measures
from pages.parts.asking.shared import dark
from pages.parts.charts import chart
from pages.parts.text import text


def training(run: Run, _city: City, layer: str, _step: int, _channel: int) -> None:
    """Gradients, updates and activations of every layer over the epochs."""
    history = run.history()
    names = measures.NUMBERS
    key = st.selectbox("Number", list(names), format_func=lambda k: names[k])
    chart(
        layers_over_training_figure(history, key, names[key], layer),
        key="health",
        alt=f"{names[key]} of every layer by epoch",
    )
    rows = measures.layers_at_epoch(history)
    if rows:
        with st.expander(
            "All numbers of all layers, to sort", on_change="rerun", key="norms"
        ) as table:
            pass
        if table.open:
            last = len(rows)
            epoch = table.slider("Epoch", 1, last, last, key="norms_epoch") if last > 1 else last
            table.dataframe(
                rows[epoch - 1], hide_index=True, alt="Norms and activations of every layer",
                column_config={
                    "step / weights": st.column_config.NumberColumn(
                        format="%.2e",
                        help="How far one step moves the weights, relative to their size: about a thousandth is usual.",
                    ),
                    **{name: st.column_config.NumberColumn(format="%.3g") for name in ("weight norm", *names.values())},
                },
            )  # fmt: skip
    with st.spinner("Looking at every epoch that was kept …"):
        epochs, edges, shares = insight.spread_over_training(run.id, run.stamp, layer)
    if epochs:
        st.markdown(f"**How the values of {text(layer)} spread, by epoch**")
        middle = [f"{x:.3g}" for x in (edges[:-1] + edges[1:]) / 2]
        chart(
            table_figure(
                [f"epoch {e}" for e in epochs],
                middle,
                shares,
                "share",
                dark(),
                0.0,
                float(shares.max()),
            ),
            key="spread",
            alt="Histogram of the layer's values by epoch",
        )
