"""For whom pages are drawn: an analyst reads what a forecast says and whether to trust it, a designer all of it.

The address keeps it (`for=analyst`), and so does the session.
"""

import streamlit as st

READERS = ["analyst", "designer"]
ASKED, KEPT, PICKED = "for", "reader", "pick_reader"


def designer() -> bool:
    """Whether all of a page is to be shown."""
    return _reader() != "analyst"


def choose_reader() -> None:
    """The switch; the address then says it."""
    st.session_state[PICKED] = reader = _reader()
    if st.query_params.get(ASKED) != ("analyst" if reader == "analyst" else None):
        _into_address(reader)

    def changed() -> None:
        chosen = st.session_state[PICKED]
        if chosen in READERS:
            st.session_state[KEPT] = chosen
            _into_address(chosen)

    st.segmented_control(
        "Show pages for", READERS, key=PICKED, required=True,
        on_change=changed,
        help="An analyst is shown what is forecast and whether to trust it; a designer also how the network does it.",
    )  # fmt: skip


def _reader() -> str:
    asked = st.query_params.get(ASKED)
    if asked in READERS:
        st.session_state[KEPT] = asked
    return str(st.session_state.get(KEPT, "designer"))


def _into_address(reader: str) -> None:
    if reader == "analyst":
        st.query_params[ASKED] = reader
    else:
        st.query_params.pop(ASKED, None)
