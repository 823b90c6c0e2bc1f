"""A chart, with the table behind it."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from crimecast.plots.plain import plain
from crimecast.plots.tables import table_of


def draw(figure: go.Figure, key: str, alt: str, place: Any = st) -> None:
    """Draw a figure without a table."""
    place.plotly_chart(plain(figure), key=key, config={"displaylogo": False}, alt=alt)


def chart(figure: go.Figure, key: str, alt: str, place: Any = st) -> None:
    """Draw a figure; what it shows opens as a table below it."""
    draw(figure, key, alt, place)
    table = place.expander("As a table", on_change="rerun", key=f"{key}_table")
    if table.open:
        table.dataframe(table_of(figure), hide_index=True, alt=f"{alt}, as a table")
