"""The places component: records as dots, on a canvas of our own."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


@st.cache_resource
def _component() -> Callable:
    return st.components.v2.component(
        "crimecast_places",
        css=(_HERE / "places.css").read_text(encoding="utf-8"),
        js="".join(
            (_HERE / name).read_text(encoding="utf-8") for name in ("canvas.js", "places.js")
        ),
    )


def places(data: bytes, key: str) -> None:
    """Show a message of `plots.places`."""
    _component()(data=data, key=key)
