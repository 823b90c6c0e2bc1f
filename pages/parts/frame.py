"""The frame of every page: the bar city ▸ grid ▸ run, and in the sidebar what is running now."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from crimecast.cities import City, list_cities, load_city
from crimecast.grids.grid import list_grids
from crimecast.live import keeper
from crimecast.live.standing import state_of
from crimecast.runs.run import Run, list_runs
from pages.parts.guarding import guarded
from pages.parts.navigation import enter
from pages.parts.people import who_is_here
from pages.parts.progress import live, running_now
from pages.parts.reader import choose_reader
from pages.parts.text import text
from pages.parts.tour import tour_bar
from pages.parts.undo import undo_bar

SAID = "said"  # what the next page is to say of what was just done
STYLE, DARK = (Path(__file__).with_name(f"{name}.html") for name in ("style", "dark"))


@dataclass(frozen=True)
class Chosen:
    """What is chosen in the bar; `grid` is a grid's summary."""

    city: City
    grid: dict[str, Any] | None
    run: Run | None


def choose(
    key: str, label: str, options: list[str], show: Callable[[str], str] = str
) -> str | None:
    """A picker whose value stands in the address, and stays when the page changes."""
    if not options:
        st.query_params.pop(key, None)  # another city's
        st.selectbox(
            label, ["none yet"], disabled=True, key=f"none_{key}", label_visibility="collapsed"
        )
        return None
    remembered = [st.query_params.get(key), st.session_state.get(f"at_{key}")]
    value = next((v for v in remembered if v in options), options[0])

    def changed() -> None:
        st.query_params[key] = st.session_state[f"at_{key}"] = st.session_state[f"pick_{key}"]
        for later in ("step", "cell", "layer", "channel"):
            st.query_params.pop(later, None)

    st.session_state[f"pick_{key}"] = st.session_state[f"at_{key}"] = value
    if st.query_params.get(key) != value:
        st.query_params[key] = value
    st.selectbox(
        label,
        options,
        key=f"pick_{key}",
        format_func=show,
        on_change=changed,
        label_visibility="collapsed",
        help=None,
    )
    return value


def among(key: str, options: Container[Any]) -> str:
    """The key of a widget, rid of a value that is no longer among its options."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    return key


def frame(title: str, purpose: str, about_city: bool = True) -> Chosen:
    """Draw the bar and the page's title; returns what is chosen.

    `about_city` is False on a page that doesn't show the chosen city.
    """
    enter()
    cities = {city.name: city for city in list_cities()}
    with st.container(horizontal=True, key="bar", vertical_alignment="center", gap="small"):
        start = "sample" if "sample" in cities else next(iter(cities))
        names = [start, *(name for name in cities if name != start)]
        name = choose("city", "City", names, lambda n: cities[n].title)
        city = load_city(name or start)
        grids = {entry["grid"]: entry for entry in list_grids(city.name)}
        everywhere = {run.id: run for run in list_runs()}
        runs = {name: run for name, run in everywhere.items() if run.grid in grids}
        asked = st.query_params.get("run")
        # A grid with runs is a better place to start than one without.
        order = sorted(grids, key=lambda g: not any(run.grid == g for run in runs.values()))
        grid = choose("grid", "Grid", order, lambda g: grid_title(grids[g]))
        own = [run.id for run in runs.values() if run.grid == grid]
        ended = sorted(own, key=lambda r: runs[r].state != "done")
        run = choose("run", "Run", ended, lambda r: f"{r} · {runs[r].state}")
    keeper.ensure()
    with st.sidebar:
        running_now()
        if line := state_of(city.name):
            st.caption(text(line))
        choose_reader()
        who_is_here()
    heading(title, purpose, about_city and city.simulated)
    if said := st.session_state.pop(SAID, None):
        st.toast(text(said), icon=":material/check:", duration="long")
    guarded(undo_bar)
    if asked and asked not in everywhere:
        st.warning(
            f"There is no run called {text(asked[:80])}: it was deleted, or its name is another. "
            + text(f"This is {run}." if run else ""),
            icon=":material/link_off:",
        )
    tour_bar()
    if about_city and grid is not None and (since := grids[grid].get("outdated")):
        st.warning(
            f"The records of {text(city.title)} were corrected on {text(since)}, after this grid was made: it and its runs show "
            "the old reading. Make it again.",
            icon=":material/history:",
        )
        st.page_link("pages/grid.py", label="Make the grid again", icon=":material/grid_on:")
    return Chosen(city, grids.get(grid or ""), runs.get(run or ""))


def heading(title: str, purpose: str, simulated: bool = False) -> None:
    """A page's name and what it is for."""
    enter()
    st.html(STYLE)
    if st.context.theme.type == "dark":
        st.html(DARK)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.title(title, anchor=False, width="content")
        if simulated:
            st.badge(
                "Simulated city: nothing here happened", icon=":material/science:", color="orange"
            )
    st.caption(purpose)


def grid_title(entry: dict[str, Any]) -> str:
    """A grid in a few words."""
    types = (
        entry["types"].replace(",", ", ")
        if len(entry["types"]) < 30
        else f"{len(entry['type_names'])} types"
    )
    span = (
        f", {entry['since'] or '…'} to {entry['until'] or '…'}"
        if entry["since"] or entry["until"]
        else ""
    )
    size = f"{entry['areas']} areas" if entry.get("areas") else f"{entry['cell']:g} m"
    return f"{size} · {entry['step']} · {types}{span}"


def no_grid(here: Chosen) -> NoReturn:
    """An empty page of a city without a grid."""
    nothing_yet(f"{text(here.city.title)} has no grid yet.", "pages/grid.py", "Make a grid")


def trained(here: Chosen) -> Run:
    """The trained run that is chosen; without one the page ends with what to do next."""
    if here.grid is None:
        no_grid(here)
    if here.run is not None and here.run.active:
        st.info(
            f"{text(here.run.id)} is being trained: this page shows it when it is done.",
            icon=":material/hourglass_top:",
        )
        live(here.run)
        st.stop()
    if here.run is None or here.run.state != "done":
        nothing_yet(
            "There is no trained network on this grid yet.",
            "pages/design.py",
            "Design and train one",
        )
    return here.run


def nothing_yet(text: str, page: str, label: str) -> NoReturn:
    """An empty page: what to do next, with the link that does it."""
    st.info(text, icon=":material/info:")
    st.page_link(
        page, label=label, icon=":material/arrow_forward:", query_params=dict(st.query_params)
    )
    st.stop()
