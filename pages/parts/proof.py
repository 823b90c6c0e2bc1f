"""The badge that says what is proven of a network, with the list behind it."""

import streamlit as st

from crimecast.runs.run import Run
from crimecast.views import proof
from pages.parts.guarding import part
from pages.parts.text import text


def badge(run: Run) -> None:
    """A small badge; while the proof is being made it looks again by itself."""
    if proof.proof(run) is None:
        part(_waiting, run, every=2.0)
    else:
        _known(run)


def _waiting(run: Run) -> None:
    if proof.proof(run) is None:
        st.badge("Being proven", icon=":material/hourglass_top:", color="gray")
    else:
        _known(run)


def _known(run: Run) -> None:
    made = proof.proof(run)
    assert made is not None
    doubts = [proof.said(check) for check in made.doubts]
    label = "Proven" if made.proven else f"{len(doubts)} not proven"
    icon = ":material/verified:" if made.proven else ":material/help:"
    with st.popover(label, icon=icon):
        if doubts:
            st.markdown("**Not proven**\n" + "\n".join(f"- {text(one)}" for one in doubts[:20]))
        st.markdown("**Proven**\n" + "\n".join(f"- {text(one)}" for one in proof.passed(made)))


def mark(run: Run, layer: str) -> None:
    """Says at a layer, or at the forecast, what of it is shown where that isn't all, and what isn't proven."""
    how, doubts = proof.said_of(run, layer)
    if how:
        st.caption(f"{text(how).capitalize()}.")
    for doubt in doubts[:3]:
        st.caption(f":material/help: Not proven: {text(doubt)}.")
