"""What goes wrong while something is drawn is one sentence in its place, never a traceback. Quick to
load, since a server's first page waits for it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st
from polars.exceptions import PanicException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from crimecast import UserError
from crimecast.storage.faults import sentence
from pages.parts.text import text


def part(draw: Callable[..., None], *given: Any, every: float | None = None) -> None:
    """Draw a part of a page that is also drawn by itself, when something in it is chosen or `every` so
    many seconds; then nothing else of the page stands guard."""

    @wraps(draw)
    def drawn() -> None:
        guarded(lambda: draw(*given))

    st.fragment(drawn, run_every=every)()


def again() -> None:
    """Draw the part again that is being drawn, or the whole page where all of it is."""
    session = get_script_run_ctx()
    alone = session is not None and session.fragment_ids_this_run
    st.rerun(scope="fragment" if alone else "app")


def guarded(draw: Callable[[], None]) -> None:
    """Draw, or say in one sentence why it can't be drawn and what to do."""
    try:
        draw()
    except UserError as error:
        st.error(text(error), icon=":material/error:")
    except (Exception, PanicException) as error:  # a library's panic is no Exception
        st.error(text(sentence(error)), icon=":material/error:")
