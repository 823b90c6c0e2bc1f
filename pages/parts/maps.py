"""The maps component: rasters of a grid, linked, on canvases of our own."""

from dataclasses import dataclass

import streamlit as st

from pages.parts.component import component


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


def maps(data: bytes, key: str) -> Asked:
    """Show a message of `plots.rasters`; returns what is asked of it."""

    def nothing() -> None:
        return None

    component("crimecast_maps", "maps.css", "canvas.js", "maps.js")(
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
