"""What happens before a page is drawn: who looks is admitted, and the sample city is made ready."""

import importlib
import sys

import streamlit as st

from crimecast.machine import courtesy
from crimecast.machine.slots import wait_so
from crimecast.sample import sample_is_ready
from crimecast.storage.sweeping import sweep
from pages.parts.collecting import collect
from pages.parts.guarding import guarded
from pages.parts.navigation import ENTERED, navigation
from pages.parts.people import admit


def start() -> None:
    """Draw the page that is asked for, or say in one sentence why it can't be."""
    wait_so()
    courtesy.ask()
    collect()
    st.session_state[ENTERED] = True
    page = navigation()
    admit()

    def draw() -> None:
        _ready()
        page.run()

    guarded(draw)


def _ready() -> None:
    """What a server's first page waits for, with a word on it."""
    if "crimecast.diagnose" not in sys.modules:
        with st.spinner("Starting …"):
            importlib.import_module(
                "crimecast.diagnose"
            )  # with PyTorch, which takes seconds to load
            sweep()
    if not sample_is_ready():
        with st.spinner("Getting the sample city ready …"):
            from crimecast.sample.shipped import ensure_sample  # takes a second to load

            ensure_sample()
