"""The progress of a run: a bar, a rate, the time left; read from the record, once a second."""

import streamlit as st

from crimecast.plots.figures import loss_figure
from crimecast.runs import queue, supervisor
from crimecast.runs.progress import line, share, time_left
from crimecast.runs.run import Run, list_runs, load_run
from pages.parts.charts import chart
from pages.parts.guarding import part
from pages.parts.people import operator_button
from pages.parts.reader import designer
from pages.parts.tell import tell
from pages.parts.text import text


def running_now() -> None:
    """What is running, for the sidebar; looked up more often while there is something."""
    busy = any(run.active for run in list_runs())
    part(_running_now, every=2 if busy else 20)


def _running_now() -> None:
    active = [run for run in list_runs() if run.active]
    tell(bool(active))
    if not active:
        return
    supervisor.ensure()
    st.caption("RUNNING NOW")
    for run in active:
        st.progress(share(run), text=text(f"{run.id}: {line(run)}"))


def live(run: Run) -> None:
    """A run as it trains: its losses, rate and time left, with stop and resume. `run` is what the rest of
    the page has seen of it: once it is in another state, the page is drawn again."""
    part(_live, run.id, run.state, every=1 if run.active else None)


def _live(name: str, seen: str) -> None:
    run = load_run(name)
    if run.state != seen:
        st.rerun()  # the rest of the page has more to show now
    at = run.progress()
    left, right = st.columns([3, 1], vertical_alignment="center")
    if run.active:
        left.progress(share(run), text=f"**{text(run.id)}**: {text(line(run))}")
        if run.request == "stop":
            right.caption("stopping …")
        else:
            with right:
                if operator_button("Stop", icon=":material/stop:", key=f"stop_{name}"):
                    queue.stop(name)
    else:
        left.markdown(f"**{text(run.id)}** is {text(run.state)}. {text(run.message)}")
        if run.state in ("stopped", "failed", "interrupted"):
            with right:
                if operator_button("Resume", icon=":material/play_arrow:", key=f"resume_{name}"):
                    queue.resume(name)
                    st.rerun()
    history = run.history()
    if at and designer():
        columns = st.columns(4)
        columns[0].metric(
            "Training loss",
            f"{at['training_loss']:.4f}" if at["training_loss"] is not None else "–",
            help="Mean of λ − n ln λ over cells and steps; lower is better.",
        )
        # Of all its epochs: a refit, which holds nothing out, has none of its own.
        held_out = [e["validation_loss"] for e in history if e["validation_loss"] is not None]
        columns[1].metric(
            "Best validation loss",
            f"{min(held_out):.4f}" if held_out else "–",
            help="On data not trained on; lower is better.",
        )
        columns[2].metric("Batches a second", f"{at['steps_a_second']:.1f}")
        if run.active:
            columns[3].metric(
                "Time left",
                text(time_left(at["seconds_left"])),
                help="At most: a run stops early when validation no longer improves.",
            )
    if history and designer():
        chart(loss_figure(history), key=f"loss_{name}", alt="Training and validation loss by epoch")
