"""Runs: every training, how it went, and what was changed from its parent."""

import streamlit as st

from crimecast.designs.spec import to_toml
from crimecast.lineage.tree import NOTE, annotate, changed, known_effect
from crimecast.live.discarding import discard_run
from crimecast.runs import queue
from crimecast.runs.run import Run, list_runs, load_run
from crimecast.training.reached import kept
from crimecast.views.design import reached_items, spec_diff
from crimecast.views.words import FIT
from pages.parts.asked import chosen_row
from pages.parts.bin import delete_button
from pages.parts.effect import what_it_did
from pages.parts.frame import frame, no_grid, nothing_yet
from pages.parts.graph import graph
from pages.parts.guarding import guarded
from pages.parts.people import operator_button
from pages.parts.progress import live
from pages.parts.reader import designer
from pages.parts.text import text

LINES = 24  # of code that are seen before a fold is opened

here = frame(
    "Runs",
    "Every training on this grid: its state, what was changed, and what that did.",
)
if here.grid is None:
    no_grid(here)
everything = list_runs(here.grid["grid"])
put_away = sum(run.archived for run in everything)
runs = everything
if put_away and not st.toggle(
    f"Also the {put_away:d} that were put away", key="away", bind="query-params"
):
    runs = [run for run in everything if not run.archived]
if not everything:
    nothing_yet(
        "Nothing was trained on this grid yet.", "pages/design.py", "Design and train a network"
    )


def tree(parent: str | None, depth: int) -> list[tuple[Run, int]]:
    """Runs under their parents, pinned ones first, then the newest."""
    known = {run.id for run in runs}
    rows = []
    for run in sorted(runs, key=lambda run: not run.pinned):
        if run.parent == parent or (parent is None and run.parent not in known):
            rows.append((run, depth))
            rows += tree(run.id, depth + 1)
    return rows


def where(run: Run) -> str | None:
    """The device it trained on, and whether on the cluster."""
    device = run.summary.get("device_name") or run.summary.get("device")
    workers = run.settings.workers
    if not run.settings.cluster:
        return device
    return " ".join([device or "", f"× {workers}" if workers > 1 else "", "on Ray"]).strip()


def marked(run: Run, depth: int) -> str:
    """Its name under its parent's, with what marks it."""
    pin = "📌 " if run.pinned else ""
    return "\u2003" * depth + ("↳ " if depth else "") + pin + run.id


by_name = {run.id: run for run in everything}


def change(run: Run) -> str | None:
    """What was changed from its parent, in a line."""
    if run.parent not in by_name:
        return None
    return changed(run, by_name[run.parent])


order = tree(None, 0)
ANALYST = ("run", "state", "gain on its parent", "note", "trained until")
table = st.dataframe(
    [
        {
            "run": marked(run, depth),
            "state": run.state,
            "changed": change(run),
            "gain on its parent": (known_effect(run) or {}).get("difference"),
            "note": run.note or None,
            "validation loss": run.summary.get("validation_loss"),
            "best epoch": run.summary.get("best_epoch"),
            "weights": run.summary.get("parameters"),
            "seconds": run.summary.get("seconds"),
            "device": where(run),
            "seed": run.seed,
            "trained until": run.settings.train_until[:10],
        }
        for run, depth in order
    ],
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    column_config={
        "validation loss": st.column_config.NumberColumn(format="%.4f", help="Lower is better."),
        "gain on its parent": st.column_config.NumberColumn(
            format="%+.4f",
            help=f"In {FIT.plain}: above zero is better. Choose a run to have it measured.",
        ),
        "seconds": st.column_config.NumberColumn(format="%.0f"),
    },
    key="runs_table",
    column_order=None if designer() else ANALYST,
    placeholder="–",
    alt="Runs with their state and validation loss",
)
chosen = chosen_row(table.selection.rows, len(order))
shown = here.run or everything[0]
name = shown.id if chosen is None else order[chosen][0].id
run = load_run(name)
st.subheader(text(run.id))
live(run)


def say(field: str, key: str) -> None:
    """Write down what was just said of the run, that alone: others may have said something meanwhile."""
    said = {field: st.session_state[key]}

    def write() -> None:
        annotate(run.id, **said)

    guarded(write)


def remark() -> None:
    """Note, pin, put away; each shows what is stored, whoever said it."""
    keys = {"note": f"note_{run.id}", "pinned": f"pin_{run.id}", "archived": f"away_{run.id}"}
    for field, key in keys.items():
        st.session_state[key] = getattr(run, field)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Note", max_chars=NOTE, key=keys["note"], placeholder="What you tried, what you saw",
            on_change=say, args=("note", keys["note"]),
        )  # fmt: skip
        st.toggle(
            "Pin", key=keys["pinned"], help="Shown first.", on_change=say,
            args=("pinned", keys["pinned"]),
        )  # fmt: skip
        st.toggle(
            "Put away", key=keys["archived"], help="Kept, but not listed.", on_change=say,
            args=("archived", keys["archived"]),
        )  # fmt: skip


if run.state == "failed" and (reached := kept(run.folder)):
    with st.expander("How far its network came", expanded=True):
        graph(
            reached_items(reached),
            f"reached_{run.id}",
            None,
            f"The layers of {run.id} up to the one that fails",
        )
for warning in run.summary.get("warnings", []):
    st.warning(text(warning))
known = known_effect(run)
guarded(lambda: what_it_did(run))
if known is None and known_effect(run) is not None:
    st.rerun()  # the table above tells of it too
guarded(remark)
with st.container(horizontal=True):
    to = {**st.query_params, "run": run.id}
    if run.state == "done":
        st.page_link("pages/forecast.py", label="Forecast", icon=":material/map:", query_params=to)
        if designer():
            st.page_link(
                "pages/layers.py", label="Layers", icon=":material/layers:", query_params=to
            )
    if run.spec and designer():
        st.page_link(
            "pages/design.py",
            label="Fork and change",
            icon=":material/call_split:",
            query_params={**to, "fork": run.id},
        )
    if run.state == "queued" and operator_button(
        "Put first", icon=":material/vertical_align_top:", help="It starts before all that wait."
    ):
        queue.put_first(run.id)
        st.rerun()
    if not run.active and run.state != "interrupted":
        with st.popover("Train again", icon=":material/replay:"):
            st.write(f"Train {text(run.id)} from the beginning? What it had learnt is forgotten.")
            if operator_button("Train it again", type="primary"):
                queue.retry(run.id)
                st.rerun()
    if not run.active:
        delete_button(
            "Delete", f"Delete {run.id} with all that it learnt?", lambda: discard_run(run.id)
        )
if not designer():
    st.stop()
spec, diff, log = st.tabs(["Spec", "Changed from its parent", "Log"])


def code(what: str, language: str | None) -> None:
    """Shown as code; of what is long the beginning, and all of it in a fold."""
    lines = what.splitlines()
    if len(lines) <= LINES:
        st.code(what, language=language)
        return
    st.code("\n".join(lines[:LINES]), language=language)
    with st.expander(f"All {len(lines):d} lines"):
        st.code(what, language=language)


with spec:
    if run.spec and run.settings.epochs != run.design.training.epochs:
        st.caption(
            f"It was asked to train {run.settings.epochs:d} epochs at most, whatever its spec says."
        )
    code(run.spec or "A module of your own; see module.py in the run's folder.", "toml")
with diff:
    if run.parent and run.spec:
        before, after = (to_toml(one.design) for one in (load_run(run.parent), run))
        made = spec_diff(before, after, (run.parent, run.id))
        code(made or "The spec is the same; see the settings and the seed.", "diff")
    else:
        st.caption("It was not forked from another run.")
with log:
    path = run.folder / "log.txt"
    said = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    code(said[-4000:] or "Nothing was logged.", None)
