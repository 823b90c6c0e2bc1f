"""The graph component: a network's layers as boxes one can choose."""

import streamlit as st

from crimecast.plots.diagram import Item, diagram
from pages.parts.asked import newly
from pages.parts.component import component, keyed


def graph(items: list[Item], key: str, chosen: str | None, alt: str) -> str | None:
    """Draw layers; returns the one that was clicked just now."""
    key = keyed(key)
    placed = diagram(items)
    lines = {item.name: item for item in items}
    data = {
        "width": placed.width, "height": placed.height, "chosen": chosen, "alt": alt,
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
    return clicked if newly(clicked, key) else None
