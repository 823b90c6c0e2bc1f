"""A file before it is brought in: how it would be read, and where its records are."""

import streamlit as st

from crimecast.plots.places import places_message
from crimecast.reading.files import File
from crimecast.records.look import Look, look
from crimecast.records.understanding import Request
from pages.parts.columns import show_notices
from pages.parts.places import places
from pages.parts.text import text


def show_look(file: File, upload: str, name: str, request: Request, key: str) -> None:
    """What an import of the file would read; `upload` tells one file from another of the same `name`."""
    seen = _look(file, upload, name, request, key)
    if seen.doubt:
        st.warning(text(seen.doubt), icon=":material/help:")
    show_notices(seen.notices, seen.read_as)
    months = list(seen.months)
    month = st.selectbox(
        "Records of",
        months,
        index=months.index(max(months, key=seen.months.__getitem__)),
        format_func=lambda month: f"{month}: {seen.months[month]:,} records",
        key=f"{key}_month_{upload}_{request.order}",
    )
    places(places_message(seen.city, seen.of_month(month)), f"{key}_look")


def _look(file: File, upload: str, name: str, request: Request, key: str) -> Look:
    """Read once, as long as nothing else is said of the file."""
    asked = (upload, request)
    held = st.session_state.get(f"{key}_seen")
    if held is None or held[0] != asked:
        with st.spinner("Reading …"):
            held = (asked, look(file, name, request))
        st.session_state[f"{key}_seen"] = held
    return held[1]
