"""Runs: every training, how it went, and what was changed from its parent."""

import difflib

import streamlit as st

from crimecast.errors import UserError
from crimecast.runs import Run, delete_run, list_runs, load_run
from crimecast.training import queue
from pages.parts.frame import frame, nothing_yet
from pages.parts.progress import live

place = frame(
    "Runs",
    "Every training on this grid: its state, how it did on validation, and what was changed.",
)
runs = list_runs(place.grid["grid"]) if place.grid else []
if not runs:
    nothing_yet(
        "Nothing was trained on this grid yet.", "pages/design.py", "Design and train a network"
    )


def tree(parent: str | None, depth: int) -> list[tuple[Run, int]]:
    """Runs under their parents, newest first."""
    known = {run.id for run in runs}
    rows = []
    for run in runs:
        if run.parent == parent or (parent is None and run.parent not in known):
            rows.append((run, depth))
            rows += tree(run.id, depth + 1)
    return rows


def where(run: Run) -> str | None:
    """The device it trained on, and whether on the cluster."""
    device, workers = run.summary.get("device"), run.settings.get("workers", 1)
    if "ray" not in run.settings:
        return device
    return " ".join([device or "", f"× {workers}" if workers > 1 else "", "on Ray"]).strip()


order = tree(None, 0)
table = st.dataframe(
    [
        {
            "run": "\u2003" * depth + ("↳ " if depth else "") + run.id,
            "state": run.state,
            "validation loss": run.summary.get("validation_loss"),
            "best epoch": run.summary.get("best_epoch"),
            "parameters": run.summary.get("parameters"),
            "seconds": run.summary.get("seconds"),
            "device": where(run),
            "seed": run.seed,
            "trained until": run.settings["train_until"][:10],
        }
        for run, depth in order
    ],
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    column_config={
        "validation loss": st.column_config.NumberColumn(format="%.5f", help="Lower is better."),
        "seconds": st.column_config.NumberColumn(format="%.0f"),
    },
    key="runs_table",
    placeholder="–",
    alt="Runs with their state and validation loss",
)
chosen = table.selection.rows
name = order[chosen[0]][0].id if chosen else (place.run.id if place.run else runs[0].id)
run = load_run(name)
st.subheader(run.id)
live(run.id)
with st.container(horizontal=True):
    to = {**st.query_params, "run": run.id}
    if run.state == "done":
        st.page_link("pages/forecast.py", label="Forecast", icon=":material/map:", query_params=to)
        st.page_link("pages/layers.py", label="Layers", icon=":material/layers:", query_params=to)
    if run.spec:
        st.page_link(
            "pages/design.py",
            label="Fork and change",
            icon=":material/call_split:",
            query_params={**to, "fork": run.id},
        )
    if run.state == "queued" and st.button(
        "Put first", icon=":material/vertical_align_top:", help="It starts before all that wait."
    ):
        queue.put_first(run.id)
        st.rerun()
    if not run.active and run.state != "interrupted":
        with st.popover("Train again", icon=":material/replay:"):
            st.write(f"Train {run.id} from the beginning? What it had learnt is forgotten.")
            if st.button("Train it again", type="primary"):
                queue.retry(run.id)
                st.rerun()
    if not run.active:
        with st.popover("Delete", icon=":material/delete:"):
            st.write(f"Delete {run.id} with its checkpoints? This can't be undone.")
            if st.button("Delete it", type="primary"):
                try:
                    delete_run(run.id)
                    st.rerun()
                except UserError as error:
                    st.error(str(error))
spec, changes, log = st.tabs(["Spec", "Changed from its parent", "Log"])
spec.code(run.spec or "A module of your own; see module.py in the run's folder.", language="toml")
if run.parent:
    before = load_run(run.parent).spec.splitlines()
    lines = list(
        difflib.unified_diff(before, run.spec.splitlines(), run.parent, run.id, lineterm="", n=2)
    )
    changes.code(
        "\n".join(lines) or "The spec is the same; see the settings and the seed.", language="diff"
    )
else:
    changes.caption("It was not forked from another run.")
path = run.folder / "log.txt"
log.code(
    path.read_text(encoding="utf-8", errors="replace")[-4000:]
    if path.exists() and path.stat().st_size
    else "Nothing was logged.",
    language=None,
)
