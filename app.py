"""The app's entry: navigation only. `streamlit run app.py` starts it."""

import streamlit as st

from crimecast.sources.sample import ensure_sample
from pages.parts.navigation import ENTERED, navigation

st.session_state[ENTERED] = True
ensure_sample()
navigation().run()
