"""A tour of six stops through the loop; the address says at which one is (`tour=2`), so it can be left and taken up."""

import streamlit as st

from crimecast.views import address
from pages.parts.text import text

AT, LEFT = "tour", "tour_left"
STOPS = (
    ("pages/forecast.py", "Where is it wrong?", "What the network expected, what came, and the difference, on one scale. Drag the slider to another day; click a cell for its history."),
    ("pages/layers.py", "Which layer is to blame?", "Every small map is one thing that the chosen layer says of the city that day. Click one to enlarge it; the tabs ask why, what if, and what it can see."),
    ("pages/findings.py", "What is wrong with it?", "What measurements of the network say, the gravest first, each with the change that may mend it. A healthy one has none."),
    ("pages/design.py", "Change it", "The network as cards beside its picture. Change a width, add a layer, undo; *Train* begins in the background, and the page shows it."),
    ("pages/compare.py", "Did it help?", "Any networks and simple forecasts on the same unseen days. Whiskers that hold zero mean: not to be told apart."),
    ("pages/tomorrow.py", "What comes next?", "The days to come: ten places to look at and why there, and what such forecasts have been worth."),
)  # fmt: skip


def tour_bar() -> None:
    """The stop that the address names: what is to be seen there, the next one, and a way out."""
    at = address.number(st.query_params.get(AT, ""), len(STOPS) + 1)
    if not at:
        return
    st.session_state[LEFT] = at
    _, title, told = STOPS[at - 1]
    here = dict(st.query_params)
    with st.container(border=True, key="tour"):
        st.markdown(f"**{at:d} of {len(STOPS):d} · {text(title)}** {text(told)}")
        with st.container(horizontal=True):
            if at < len(STOPS):
                page, following, _ = STOPS[at]
                st.page_link(
                    page, label=text(f"Next: {following}"), icon=":material/arrow_forward:",
                    query_params={**here, AT: str(at + 1)},
                )  # fmt: skip
            st.button("Leave the tour", type="tertiary", on_click=_leave)


def _leave() -> None:
    st.query_params.pop(AT, None)


def tour_link() -> None:
    """Where the tour begins, or goes on where it was left."""
    at = int(st.session_state.get(LEFT, 1))
    page, title, _ = STOPS[at - 1]
    begun = LEFT in st.session_state
    st.page_link(
        page, label=text(f"Go on with the tour: {title}" if begun else "A tour of six stops"),
        icon=":material/tour:", query_params={**st.query_params, AT: str(at)},
    )  # fmt: skip
