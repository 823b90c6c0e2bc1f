"""What several of the views use."""

import streamlit as st

from crimecast.grids.cube import load_cube
from crimecast.runs.run import Run
from crimecast.views import address, insight
from pages.parts.asked import newly
from pages.parts.guarding import again
from pages.parts.maps import Asked


def dark() -> bool:
    """Whether the page is drawn on a dark ground."""
    return st.context.theme.type == "dark"


def open_view(view: str, layer: str) -> None:
    """Go to a view of a layer."""
    st.session_state["layer_view"] = view
    st.session_state["at_layer"] = st.query_params["layer"] = layer


def cell_of(run: Run) -> tuple[int, int]:
    """The cell in the address, else the busiest."""
    area = run.area(load_cube(run.grid))
    return address.cell(st.query_params.get("cell"), area) or insight.busiest(run)


def follow(asked: Asked) -> None:
    """A click on a map goes into the address, and the view is drawn for that cell."""
    if newly(asked.cell, "insight_cell"):
        st.query_params["cell"] = f"{asked.cell[0]},{asked.cell[1]}"
        again()
