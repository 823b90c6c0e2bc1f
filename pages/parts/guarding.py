"""What goes wrong while something is drawn is one sentence in its place, never a traceback. Quick to
load, since a server's first page waits for it."""

from collections.abc import Callable

import streamlit as st
from polars.exceptions import PanicException

from crimecast import UserError
from crimecast.storage.faults import sentence
from pages.parts.text import text


def guarded(draw: Callable[[], None]) -> None:
    """Draw, or say in one sentence why it can't be drawn and what to do."""
    try:
        draw()
    except UserError as error:
        st.error(text(error), icon=":material/error:")
    except (Exception, PanicException) as error:  # a library's panic is no Exception
        st.error(text(sentence(error)), icon=":material/error:")
