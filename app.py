"""The app's entry: navigation only. `streamlit run app.py` starts it."""

import streamlit as st

from crimecast.sources.sample import ensure_sample

st.set_page_config(page_title="CrimeCast", page_icon="pages/parts/icon.png", layout="wide")
ensure_sample()

navigation = st.navigation(
    {
        "": [st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True)],
        "Data": [
            st.Page("pages/city.py", title="City", icon=":material/location_city:"),
            st.Page("pages/grid.py", title="Grid", icon=":material/grid_on:"),
        ],
        "Build": [
            st.Page("pages/design.py", title="Design & train", icon=":material/account_tree:"),
            st.Page("pages/runs.py", title="Runs", icon=":material/history:"),
        ],
        "Look": [
            st.Page("pages/forecast.py", title="Forecast", icon=":material/map:"),
            st.Page("pages/layers.py", title="Layers", icon=":material/layers:"),
        ],
        "Help": [st.Page("pages/help.py", title="Help", icon=":material/help:")],
    }
)
navigation.run()
