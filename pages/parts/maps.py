"""The maps component: rasters of a grid, linked, on canvases of our own."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


@st.cache_resource
def _component() -> Callable:
    return st.components.v2.component(
        "crimecast_maps",
        css=(_HERE / "maps.css").read_text(encoding="utf-8"),
        js=(_HERE / "maps.js").read_text(encoding="utf-8"),
    )


def maps(data: bytes, key: str) -> dict:
    """Show a message of `plots.rasters`; returns the state: `step`, `cell` or `channel` once chosen."""

    def nothing() -> None:
        return None

    return _component()(
        data=data,
        key=key,
        on_step_change=nothing,
        on_cell_change=nothing,
        on_channel_change=nothing,
    )
