"""Tell me when it's done: the browser is told what has ended, and says when one was last here."""

import time

import streamlit as st

from crimecast.live.since import since
from pages.parts.component import component
from pages.parts.text import text

LAST = "last_visit"


def tell(waiting: bool) -> None:
    """For the sidebar: what ended since this session began, in the tab's title and as a notification."""
    began = st.session_state.setdefault("session_began", time.time())
    ended = [one.line for one in since(began)]
    component("crimecast_tell", "tell.css", "tell.js")(
        data={"ended": ended, "waiting": waiting, "asks": LAST not in st.session_state}, key="tell",
        on_last_change=lambda: None,
    )  # fmt: skip
    last = (st.session_state.get("tell") or {}).get("last")
    if LAST not in st.session_state and isinstance(last, int | float) and 0 < last < began:
        st.session_state[LAST] = float(last)


def since_last_visit() -> None:
    """For the first page: what has ended since this browser was here, before this session."""
    last = st.session_state.get(LAST)
    if last is None or not (news := since(last)):
        return
    with st.expander(f"Since your last visit: {len(news):d}", icon=":material/notifications:"):
        for one in news:
            st.page_link(
                one.page, label=text(f"{one.when}: {one.line}"), query_params={**st.query_params, **one.query},
            )  # fmt: skip
