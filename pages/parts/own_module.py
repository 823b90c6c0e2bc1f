"""A network of one's own, trained from the page: its code is run, so that is asked first."""

from collections.abc import Callable

import streamlit as st

from crimecast.designs.build import module_classes, modules_allowed
from crimecast.designs.spec import Design
from crimecast.runs import queue
from pages.parts.columns import stored
from pages.parts.people import operator_button


def own_module(asked: Callable[[Design], queue.Request]) -> str | None:
    """Ask for a file and its class, and train it; the name of the run that was queued. `asked` makes the
    request for a design, with all that the page says of the training. Raises UserError for one that can't be."""
    if not modules_allowed():
        st.caption("This server doesn't run users' own modules.")
        return None
    st.caption(
        "A class of PyTorch's `nn.Module` with `forward(history, calendar, static)` that returns the logarithm of the rate, "
        "(batch, types, rows, columns). *Help* says what the inputs are."
    )
    file = st.file_uploader("A Python file", type=["py"], key="own_file")
    if file is None:
        return None
    with stored(file) as path:
        classes = module_classes(path)
        name = st.selectbox("Class", classes, key="own_class")
        trusted = st.checkbox(
            "I trust this file: its code runs where this app runs, with all that the app may do.",
            key="own_trusted",
        )
        if not operator_button(
            "Train this module", icon=":material/play_arrow:", disabled=not trusted
        ):
            return None
        with st.spinner("Trying it on a small batch …"):
            return queue.submit(asked(Design(path.stem, module=f"{path}:{name}"))).id
