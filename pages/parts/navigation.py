"""The pages in the order of the loop, grouped."""

from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.parts.people import admit
from pages.parts.reader import designer

ENTERED = "entered"
ICON = Path(__file__).with_name("icon.png")


def navigation() -> StreamlitPage:
    """Set up the menu; returns the page that the address asks for."""
    # What only a designer needs is reached by links and addresses, but isn't in an analyst's menu.
    inside: Literal["visible", "hidden"] = "visible" if designer() else "hidden"
    # Without an icon of its own the browser's tab would fetch the page's from outside.
    st.set_page_config(page_title="CrimeCast", page_icon=str(ICON), layout="wide")
    return st.navigation(
        {
            "": [
                st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True)
            ],
            "Data": [
                st.Page("pages/city.py", title="City", icon=":material/location_city:"),
                st.Page("pages/new_city.py", title="New city", icon=":material/add_location_alt:"),
                st.Page("pages/grid.py", title="Grid", icon=":material/grid_on:"),
            ],
            "Build": [
                st.Page(
                    "pages/design.py",
                    title="Design & train",
                    icon=":material/account_tree:",
                    visibility=inside,
                ),
                st.Page("pages/runs.py", title="Runs", icon=":material/history:"),
            ],
            "Look": [
                st.Page("pages/tomorrow.py", title="Tomorrow", icon=":material/event_upcoming:"),
                st.Page("pages/forecast.py", title="Forecast", icon=":material/map:"),
                st.Page(
                    "pages/layers.py", title="Layers", icon=":material/layers:", visibility=inside
                ),
                st.Page("pages/findings.py", title="Findings", icon=":material/stethoscope:"),
            ],
            "Judge": [
                st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
                st.Page("pages/unseen.py", title="Unseen", icon=":material/travel_explore:"),
            ],
            "Help": [st.Page("pages/help.py", title="Help", icon=":material/help:")],
        },
        expanded=True,  # or the last of them hide behind "View more"
    )


def enter() -> None:
    """Go through the app's entry if this page was reached without it.

    Until the entry has run once, a new server takes the files of pages/ for the old kind of
    multipage app and runs the one in the address by itself.
    """
    if ENTERED not in st.session_state:
        navigation()
        st.rerun()
    admit()
