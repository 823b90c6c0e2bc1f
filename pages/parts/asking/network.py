"""What the layers cost and how they hang together."""

import streamlit as st

from crimecast.cities import City
from crimecast.runs.run import Run
from crimecast.views import insight, measures
from pages.parts.asking.shared import open_view
from pages.parts.graph import graph
from pages.parts.guarding import again
from pages.parts.text import text


def network(run: Run, _city: City, layer: str, _step: int, _channel: int) -> None:
    """The graph, coloured by a measure of one's choice, with the table behind it."""
    chosen = st.selectbox(
        "Colour the layers by", list(measures.MEASURES), key="measure", bind="query-params",
        help="The darker a layer, the higher its number.",
    )  # fmt: skip
    with st.spinner("Measuring every layer …"):
        made = measures.nodes(run.id, run.stamp)
        measure = measures.layer_measure(run.id, run.stamp, chosen)
    left, right = st.columns([2, 3])
    with left:
        clicked = graph(
            insight.items(made, measure),
            f"graph_{run.id}",
            layer,
            f"The layers of {run.id}",
        )
    if clicked and clicked != layer:
        st.session_state["at_layer"] = st.query_params["layer"] = clicked
        again()
    with right.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{text(layer)}**")
        for view in ("Activations", "What if", "Training", "Weights"):
            st.button(view, on_click=open_view, args=(view, layer))
    right.dataframe(
        [
            {
                "layer": n.name, "kind": n.kind, "takes": ", ".join(n.takes), "gives": "×".join(map(str, n.shape)),
                "weights": n.parameters, "multiply-adds": n.multiply_adds, "kB": n.bytes / 1000, "ms": n.milliseconds,
                chosen: measure.get(n.name),
            }
            for n in made
        ],
        hide_index=True, height=40 + 35 * len(made), placeholder="–",
        column_config={
            "kB": st.column_config.NumberColumn(format="%.0f", help="Size of what it puts out for one step."),
            "ms": st.column_config.NumberColumn(format="%.2f", help="Time for one step, on this machine's CPU."),
            chosen: st.column_config.NumberColumn(format="%.4f"),
        },
        alt="Layers with what they take, give and cost",
    )  # fmt: skip
