"""What happens before a page is drawn: who looks is admitted, and the sample city is made ready."""

import importlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

import streamlit as st

from crimecast.machine import courtesy
from crimecast.machine.slots import wait_so
from crimecast.sample import sample_is_ready
from crimecast.storage.sweeping import sweep
from pages.parts.collecting import collect
from pages.parts.guarding import guarded
from pages.parts.navigation import ENTERED, navigation
from pages.parts.people import admit
from pages.parts.text import text

HEAVY = "crimecast.diagnose"  # with PyTorch, which takes seconds to load
APART = ("new_city", "help")  # what they show needs neither that nor the sample city
OF_ONE_CITY = ("city", "grid")

_lock = threading.Lock()
_worker = ThreadPoolExecutor(1, "ready")
_work: list[tuple[Future[None], str]] = []


def start() -> None:
    """Draw the page that is asked for, or say in one sentence why it can't be."""
    wait_so()
    courtesy.ask()
    collect()
    st.session_state[ENTERED] = True
    page = navigation()
    admit()

    def draw() -> None:
        _ready(page.url_path)
        page.run()

    guarded(draw)


def _ready(page: str) -> None:
    """Get ready what a server's first page needs, with a word on it; page: its path in the address.

    A page that needs none of it is drawn at once, and it is made beside.
    """
    global _work
    with _lock:
        ended = all(part.done() for part, _ in _work)
        if _work and ended and sample_is_ready():
            return
        if ended:
            _work = [
                (_worker.submit(_load), "Starting …"),
                (_worker.submit(_make_sample), "Getting the sample city ready …"),
            ]
        work = _work
    city = st.query_params.get("city") or st.session_state.get("at_city")
    if page in APART or (page in OF_ONE_CITY and city not in (None, "sample")):
        return
    for part, words in work:
        if not part.done():
            with st.spinner(text(words)):
                wait([part])
        part.result()


def _load() -> None:
    importlib.import_module(HEAVY)
    sweep()


def _make_sample() -> None:
    if not sample_is_ready():
        from crimecast.sample.shipped import ensure_sample  # takes a second to load

        ensure_sample()
