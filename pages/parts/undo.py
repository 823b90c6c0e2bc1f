"""What was deleted just now, with the way back."""

import time

import streamlit as st

from crimecast.storage.bin import DAYS, take_back, thrown
from pages.parts.people import operator_button
from pages.parts.text import text

DELETED = "deleted"  # the session's latest entry of the bin
SHOWN = 180.0  # seconds


def undo_bar() -> None:
    """The latest that this session deleted and a button that takes it back; nothing a few minutes later."""
    entry = next((one for one in thrown()[:1] if one.id == st.session_state.get(DELETED)), None)
    if entry is None or time.time() - entry.at > SHOWN:
        st.session_state.pop(DELETED, None)
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(
            f"{text(entry.kind.capitalize())} {text(entry.name)} was deleted. It is in the bin on *Overview* for {DAYS} days."
        )
        if operator_button("Take it back", key="undo", icon=":material/undo:"):
            del st.session_state[DELETED]
            take_back(entry.id)
            st.rerun()
