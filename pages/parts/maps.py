"""The maps component: rasters of a grid, linked, on canvases of our own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Asked:
    """What was asked of a component: a step, a cell, a channel. `have` is the key of the maps that
    the browser holds with the first and the last of their steps; `resting` whether it has stopped
    at the step, or is on its way through many."""

    step: int | None = None
    cell: tuple[int, int] | None = None
    channel: int | None = None
    have: tuple[str, int, int] | None = None
    resting: bool = True


@st.cache_resource
def _component() -> Callable:
    return st.components.v2.component(
        "crimecast_maps",
        css=(_HERE / "maps.css").read_text(encoding="utf-8"),
        js="".join((_HERE / name).read_text(encoding="utf-8") for name in ("canvas.js", "maps.js")),
    )


def maps(data: bytes, key: str) -> Asked:
    """Show a message of `plots.rasters`; returns what is asked of it."""

    def nothing() -> None:
        return None

    _component()(
        data=data,
        key=key,
        on_at_change=nothing,
        on_cell_change=nothing,
        on_channel_change=nothing,
    )
    return asked_of(key)


def asked_of(key: str) -> Asked:
    """What was last asked of the component of that key, also before it is drawn."""
    state = st.session_state.get(key) or {}
    at = state.get("at") or {}
    have = at.get("have")
    return Asked(
        at.get("step"),
        state.get("cell"),
        state.get("channel"),
        (at["key"], *have) if have else None,
        at.get("resting", True),
    )
