"""What a fork did to its parent's score."""

import streamlit as st

from crimecast.lineage.tree import changed, effect
from crimecast.plots.judging import intervals_figure
from crimecast.runs.run import Run, load_run
from crimecast.views.words import FIT
from pages.parts.charts import chart
from pages.parts.text import text


def what_it_did(run: Run) -> None:
    """The edge to its parent: what was changed, and what that did; nothing where it can't be said."""
    with st.spinner("Comparing it with its parent …"):
        made = effect(run)
    if made is None or run.parent is None:
        return
    low, high = made["interval"]
    st.markdown(
        f"Against its parent {text(run.parent)}: **{made['difference']:+.4f}** in {text(FIT.plain)} on {text(made['on'])} "
        f"data (95 % interval {low:+.4f} to {high:+.4f}): **{text(made['verdict'])}**. Above zero is better. "
        f"Changed: {text(changed(run, load_run(run.parent)))}."
    )
    if made["on"] == "validation":
        st.caption(
            "On the period for choosing, so that the unseen one stays unseen while designs are tried. Whether it holds there, which is what "
            "counts in the end, *Compare* says; the two may differ."
        )
    chart(
        intervals_figure({run.id: (made["difference"], low, high)}, run.parent, FIT.plain),
        key=f"effect_{run.id}",
        alt=f"What {run.id} gained on {run.parent}, with its interval",
    )
