"""Grid: count a city's events on cells and steps."""

from typing import Any

import streamlit as st

from crimecast.grids.complete import not_whole
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import list_grids, make_grid
from crimecast.live.discarding import delete_grid
from crimecast.records.snapshot import snapshot
from crimecast.runs.run import list_runs
from crimecast.views.grid import advised, grid_message, thinness
from pages.parts.bin import delete_button
from pages.parts.frame import frame, grid_title, nothing_yet
from pages.parts.guarding import guarded, part
from pages.parts.maps import asked_of, maps
from pages.parts.people import locked
from pages.parts.reader import designer
from pages.parts.text import text

here = frame(
    "Grid",
    "Count the city's events on square cells and steps of time: what every network learns from.",
)
city = here.city
held = snapshot(city)
if not held.months and here.grid is None:
    nothing_yet(f"{text(city.title)} has no events yet.", "pages/city.py", "Bring in records")


LENGTHS = {
    "1h": "1 hour",
    "6h": "6 hours",
    "8h": "8 hours",
    "1d": "1 day",
    "1w": "1 week",
    "1mo": "1 month",
}


def form() -> None:
    width, length, why = advised(held)
    with st.form("grid", border=True):
        st.caption(text(why))
        columns = st.columns(3)
        cell = columns[0].number_input(
            "Cell, metres", 100, 5000, min(5000, int(width)), step=50, key=f"cell_{city.name}",
            help="Side of a square cell. Smaller cells are emptier.",
        )  # fmt: skip
        step = columns[1].selectbox(
            "Step", list(LENGTHS), list(LENGTHS).index(length), key=f"length_{city.name}", format_func=LENGTHS.__getitem__,
            help="Length of a step in the city's own time.",
        )  # fmt: skip
        known = list(held.type_counts)
        types = columns[2].multiselect(
            "Types", [*city.groups, *known], placeholder="all, as one",
            help="Each is counted apart. Groups sum their types. None chosen: all events as one.",
        )  # fmt: skip
        if st.form_submit_button("Make the grid", type="primary", **locked()):
            with st.spinner("Counting …"):
                made = make_grid(city.name, float(cell), step, ",".join(types) or "all")
            st.query_params["grid"] = st.session_state["at_grid"] = made["grid"]
            st.rerun()


if held.months:
    guarded(form)


def look(grid: dict[str, Any]) -> None:
    """The counts on the map; the blur is for the eye only."""
    with st.container(horizontal=True):
        names = grid["type_names"]
        kind = (
            st.selectbox("Type", ["all together", *names], width=260)
            if len(names) > 1
            else "all together"
        )
        sigma = st.slider(
            "Blur, cells",
            0.0,
            4.0,
            0.0,
            0.5,
            width=260,
            help="A Gaussian blur for the eye. What is stored and trained on are the counts.",
        )
    steps = grid["shape"][0]
    step = asked_of("grid_maps").step
    step = step if step is not None and step < steps else steps // 2
    maps(
        grid_message(city, grid["grid"], names.index(kind) if kind in names else -1, sigma, step),
        key="grid_maps",
    )


if here.grid is not None:
    grid = here.grid
    st.subheader(text(grid_title(grid)))
    columns = st.columns(4)
    columns[0].metric(
        "Events counted", f"{grid['events']:,}", help=f"Of {grid['records']:,} records."
    )
    columns[1].metric(
        "Areas" if grid.get("areas") else "Cells in the study area", f"{grid['cells']:,}"
    )
    columns[2].metric("Steps", f"{grid['shape'][0]:,}")
    columns[3].metric(
        "Empty",
        f"{100 * grid['empty_share']:.1f} %",
        help="Share of cell-steps without an event. The emptier, the less a single step can tell.",
    )
    st.caption(f"{text(grid['first'][:10])} to {text(grid['last'][:10])}")
    if designer():
        st.caption(
            f"{text(grid['grid'])} · shape {text(' × '.join(map(str, grid['shape'])))} (time, type, y, x)"
        )
    enough, said = thinness(grid)
    if enough:
        st.caption(text(said))
    else:
        st.info(text(said), icon=":material/grain:")
    if short := not_whole(load_cube(grid["grid"])):
        st.caption(text(short))
    lost = [
        {"reason": reason, "records": count} for reason, count in grid["dropped_by_reason"].items()
    ]
    for note in grid.get("notes", []):
        st.caption(text(note))
    if lost:
        st.dataframe(lost, hide_index=True, alt="Records not counted, by reason")
    else:
        st.caption("No record was left out.")
    part(look, grid)
    others = list_grids(city.name)
    if len(others) > 1:
        st.caption(
            f"{len(others)} grids of {text(city.title)} are stored; choose one in the bar above."
        )
    trained = len(list_runs(grid["grid"]))
    delete_button(
        "Delete this grid",
        f"Delete {grid_title(grid)}"
        + (f" with its {trained} run{'s' * (trained > 1)}?" if trained else "?"),
        lambda: delete_grid(grid["grid"]),
    )
    st.page_link(
        "pages/design.py",
        label="Design and train a network on it",
        icon=":material/arrow_forward:",
        query_params=dict(st.query_params),
    )
