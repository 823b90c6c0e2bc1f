"""The app's entry: navigation only. `streamlit run app.py` starts it."""

import os

import streamlit as st

from crimecast.sources.sample import ensure_sample
from pages.parts.collecting import leave_modules_out
from pages.parts.navigation import ENTERED, navigation
from pages.parts.people import admit

# Threads that wait must not spin: the browser beside them needs the processor. Before torch comes.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
leave_modules_out()
st.session_state[ENTERED] = True
ensure_sample()
page = navigation()
admit()
page.run()
