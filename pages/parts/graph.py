"""The graph component: a network's layers as boxes one can choose."""

import streamlit as st

from crimecast.plots.diagram import Item, diagram
from crimecast.plots.folding import fold
from pages.parts.asked import newly
from pages.parts.component import component, keyed
from pages.parts.guarding import again


def graph(items: list[Item], key: str, chosen: str | None, alt: str) -> str | None:
    """Draw layers, blocks that repeat folded until they are clicked; returns the layer that was clicked
    just now."""
    key = keyed(key)
    opened: set[str] = st.session_state.setdefault(f"opened_{key}", set())
    shown, inside = fold(items, opened)
    placed = diagram(shown)
    lines = {item.name: item for item in shown}
    data = {
        "width": placed.width, "height": placed.height, "chosen": inside.get(chosen or "", chosen), "alt": alt,
        "edges": [{"points": points} for _, _, points in placed.edges],
        "boxes": [
            {
                "name": name, "place": place, "source": name not in lines,
                "lines": lines[name].lines if name in lines else [name],
                "share": lines[name].share if name in lines else 0.0,
                "broken": name in lines and lines[name].broken,
            }
            for name, place in placed.boxes.items()
        ],
    }  # fmt: skip
    component("crimecast_graph", "graph.css", "graph.js")(
        data=data, key=key, on_layer_change=lambda: None
    )
    clicked = (st.session_state.get(key) or {}).get("layer")
    if opened:
        st.button("Fold blocks that repeat", on_click=opened.clear, key=f"fold_{key}")
    if not newly(clicked, key):
        return None
    if clicked in inside.values():
        opened.add(clicked)
        again()
    return clicked
