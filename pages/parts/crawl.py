"""The crawl of a city's portal, started, watched and stopped from its page."""

import streamlit as st

from crimecast.cities import City


def crawl_panel(city: City) -> None:
    """What the portal is."""
    if not city.sources:
        st.caption("No portal is known for this city; add a file instead.")
        return
    for source in city.sources:
        st.markdown(f"`{source.dataset}` at {source.portal}")
