"""The app's entry: navigation only. `streamlit run app.py` starts it."""

import os

import streamlit as st

from crimecast.sources.sample import ensure_sample
from crimecast.training import courtesy
from crimecast.training.slots import WAITING
from pages.parts.collecting import leave_modules_out
from pages.parts.navigation import ENTERED, navigation
from pages.parts.people import admit

for name, value in WAITING.items():
    os.environ.setdefault(name, value)
courtesy.ask()
leave_modules_out()
st.session_state[ENTERED] = True
ensure_sample()
page = navigation()
admit()
page.run()
