"""Deleting and taking back."""

import hashlib
from collections.abc import Callable
from functools import partial

import streamlit as st

from crimecast.storage.bin import DAYS, Thrown, take_back, thrown
from pages.parts.frame import SAID
from pages.parts.guarding import guarded
from pages.parts.people import operator_button
from pages.parts.text import text
from pages.parts.undo import DELETED


def delete_button(label: str, what: str, delete: Callable[[], object]) -> None:
    """A button that says what would go to the bin before it does."""
    # Of this one alone: a popover that stayed open would ask of the next one there, under the same finger.
    one = hashlib.sha256(what.encode()).hexdigest()[:12]
    with st.popover(text(label), icon=":material/delete:", key=f"delete_{one}"):
        st.write(f"{text(what)} For {DAYS} days it can be taken back, from the bin on *Overview*.")
        if operator_button("Delete it", type="primary", key=f"delete_it_{one}"):
            _then_again(delete, f"It is in the bin on Overview for {DAYS} days.", deleted=True)


def _then_again(do: Callable[[], object], then: str, deleted: bool = False) -> None:
    """Do it and draw the page anew with a word on it, or say why it can't be done."""

    def done() -> None:
        do()
        st.session_state[SAID] = then
        if deleted:
            st.session_state[DELETED] = thrown()[0].id
        st.rerun()

    guarded(done)


def bin_panel() -> None:
    """What was deleted, each with a button that takes it back; nothing where nothing was."""
    entries = thrown()
    if not entries:
        return
    panel = st.expander(f"Bin: {len(entries)} deleted", icon=":material/delete:")
    with panel:
        for entry in entries[:50]:
            left, right = st.columns([4, 1], vertical_alignment="center")
            runs = len(entry.runs) if entry.kind != "run" else 0
            also = f"with {runs} run{'s' * (runs > 1)}" if runs else ""
            left.write(f"{text(entry.kind.capitalize())} {text(called(entry))} {text(also)} · gone for good in {entry.days_left:d} days")  # fmt: skip
            with right:
                if operator_button("Take back", key=f"back_{entry.id}"):
                    _then_again(partial(take_back, entry.id), f"{called(entry)} is there again.")


def called(entry: Thrown) -> str:
    """What an entry is called: of a grid its city, cell and step."""
    return " · ".join(entry.name.split("-")[:3]) if entry.kind == "grid" else entry.name
