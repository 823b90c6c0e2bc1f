"""A chart, with the table behind it."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from crimecast.plots.tables import table_of


def chart(figure: go.Figure, key: str, alt: str, place: Any = st) -> None:
    """Draw a figure; what it shows opens as a table below it."""
    place.plotly_chart(figure, key=key, config={"displaylogo": False}, alt=alt)
    table = place.expander("As a table", on_change="rerun", key=f"{key}_table")
    if table.open:
        table.dataframe(table_of(figure), hide_index=True, alt=f"{alt}, as a table")
