"""The maps component: rasters of a grid, linked, on canvases of our own."""

from dataclasses import dataclass
from typing import Any

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
    """What was last asked of the component of that key, also before it is drawn. A browser may send
    anything: what no map could ask counts as nothing asked."""
    state = st.session_state.get(key) or {}
    try:
        at = state.get("at") or {}
        have = at.get("have")
        return Asked(
            _number(at.get("step")),
            (_number(state["cell"][0]), _number(state["cell"][1])) if state.get("cell") else None,
            _number(state.get("channel")),
            (str(at["key"]), _number(have[0]), _number(have[1])) if have else None,
            bool(at.get("resting", True)),
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return Asked()


def _number(value: Any) -> Any:
    """A step, row, column or channel, or none. Raises ValueError for what is neither."""
    if value is not None and not (type(value) is int and value >= 0):
        raise ValueError(value)
    return value
