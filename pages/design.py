"""Design & train: read a design, change it, and train it in the background."""

from datetime import date

import streamlit as st

from crimecast import UserError
from crimecast.designs.inputs import calendar_numbers, for_step, map_count
from crimecast.designs.shapes import as_far_as_it_goes
from crimecast.designs.shapes import lay_out as place_layers
from crimecast.designs.spec import Design, list_designs, load_design, parse_design, to_toml
from crimecast.grids.cube import load_cube, split
from crimecast.lineage.tree import design_changes
from crimecast.plots.diagram import Item
from crimecast.runs import queue, search
from crimecast.runs.run import list_runs, load_run
from crimecast.views.design import design_items, seen, spec_diff
from crimecast.views.words import forecast_title
from pages.parts.cards import cards, inputs_and_training
from pages.parts.draft import Draft
from pages.parts.frame import frame, no_grid
from pages.parts.graph import graph
from pages.parts.guarding import guarded
from pages.parts.own_module import own_module
from pages.parts.people import for_operators, operator_button
from pages.parts.progress import live
from pages.parts.text import text

here = frame(
    "Design & train",
    "A network as a list of named layers. Change it, train it, and look at what it does.",
)
if here.grid is None:
    no_grid(here)
cube = load_cube(here.grid["grid"])
runs = [run for run in list_runs(cube.grid) if run.spec]

fork = st.query_params.get("fork")
starts = [*list_designs(), *(run.id for run in runs)]
start = st.selectbox(
    "Start from", starts, index=starts.index(fork) if fork in starts else 0,
    format_func=lambda name: f"fork of {name}" if name not in list_designs() else f"{name} (ships with CrimeCast)",
    help="A design that ships, or an earlier run: its change is then shown under it in Runs.",
)  # fmt: skip
parent = start if start not in list_designs() else None
source = to_toml(load_run(parent).design) if parent else to_toml(load_design(start))

draft = Draft(start, source)
_, types, height, across = cube.counts.shape
design, used, laid, problem, fields = None, None, None, None, {}
try:
    if "search" in draft.text and (fields := search.marked_or_none(draft.text)):
        design = search.filled(draft.text, search.first_values(fields))
    else:
        design = parse_design(draft.text)
    width = calendar_numbers(design, cube.step)
    used = for_step(design, cube.step)
    laid = place_layers(used, types, height, across, width)
except UserError as error:
    problem = str(error)


@st.cache_data(show_spinner=False, max_entries=30)
def cells_seen(text: str, shape: tuple[int, ...]) -> dict[str, str]:
    """How far each layer of a spec sees, worked out once a version."""
    return seen(parse_design(text), *shape)


def pictured(items: list[Item], alt: str) -> None:
    """The diagram; a click on a layer opens its card."""
    if asked := graph(items, "design_graph", st.session_state.get("design_card"), alt):
        st.session_state["design_card"] = asked
        st.rerun()


left, right = st.columns([1, 1])
with left:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Undo", icon=":material/undo:", on_click=draft.go, args=(-1,), disabled=not draft.can_undo,
            help="Back to the spec before the last change.",
        )  # fmt: skip
        st.button(
            "Redo",
            icon=":material/redo:",
            on_click=draft.go,
            args=(1,),
            disabled=not draft.can_redo,
        )
    if draft.refused:
        st.warning(text(draft.refused), icon=":material/warning:")
    by_card, given, toml, changed = st.tabs(
        ["Layers", "Inputs & training", "TOML", "Changes"], on_change="rerun", key="design_tab"
    )
    if by_card.open:
        with by_card:
            if design is None:
                st.info("The spec can't be read: mend it under *TOML*, or undo.")
            elif fields:
                st.info(
                    f"{text(', '.join(fields))} is marked for a search: change this spec under *TOML*."
                )
            else:
                shape = (types, height, across, width)
                sees = {} if laid is None else cells_seen(to_toml(design), shape)
                with st.container(height=620, border=False):
                    cards(design, laid, sees, draft)
    with given:
        if given.open and design is not None and not fields:
            inputs_and_training(design, draft)
    if toml.open:
        written = f"{draft.key}_toml"
        toml.text_area(
            "Spec", draft.text, height=600, key=written, label_visibility="collapsed",
            on_change=lambda: draft.write(st.session_state[written]),
            help="TOML; every layer has a name, a kind and its options. Leave the field to apply.",
        )  # fmt: skip
    if changed.open:
        if design is not None and (lines := design_changes(design, parse_design(source))):
            changed.markdown("\n".join(f"- {text(line)}" for line in lines))
        changed.code(
            spec_diff(source, draft.text, (start, "this spec")) or "No change yet.", language="diff"
        )
with right:
    if problem or design is None or used is None or laid is None:
        st.error(text(problem), icon=":material/error:")
        if used is not None:
            fits = as_far_as_it_goes(used, types, height, across, width)
            pictured(design_items(*fits), f"The layers of {used.name}, as far as they fit")
    else:
        drawn, table = st.tabs(["Diagram", "Table"], on_change="rerun", key="drawn_as")
        with drawn:
            pictured(design_items(laid), f"The layers of {design.name}")
        if table.open:
            table.dataframe(
                [
                    {
                        "layer": p.layer.name,
                        "kind": p.layer.kind,
                        "takes": ", ".join(p.inputs),
                        "gives": "×".join(map(str, p.shape)),
                        "weights": p.parameters,
                    }
                    for p in laid
                ],
                hide_index=True,
                height=40 + 35 * len(laid),
                alt="The layers of the design with their shapes",
            )
        begins = (
            "nothing: it forecasts by itself"
            if design.offset == "none"
            else forecast_title(design.offset)
        )
        st.caption(
            f"{sum(p.parameters for p in laid):,} weights. Earlier steps it sees: {len(design.lags):d}; input maps: "
            f"{map_count(used, types):d}. It corrects {text(begins)}. "
            "A click on a layer opens its card."
        )
        if used != design:
            st.caption(
                "Memories of the same hour or weekday count only where steps are that short."
            )
st.subheader("Train it")
cuts = split(cube, None, None)
days = [date.fromisoformat(str(cube.times[i])[:10]) for i in (0, cuts.train, cuts.validate, -1)]
columns = st.columns(4)
train_until = columns[0].date_input(
    "Train until (without that day)",
    days[1],
    min_value=days[0],
    max_value=days[3],
    help="The network learns from steps before this day.",
)
validate_until = columns[1].date_input(
    "Validate until (without that day)",
    days[2],
    min_value=days[0],
    max_value=days[3],
    help="Steps from there to this day decide when to stop. What comes after stays unseen.",
)


def allowed() -> int:
    """The epochs that the spec says; of a fork that changes nothing of them, those that its parent was allowed."""
    if design is None:
        return 12
    if parent is None or load_run(parent).design.training.epochs != design.training.epochs:
        return design.training.epochs
    return load_run(parent).settings.epochs


epochs = columns[2].number_input(
    "Epochs at most",
    1,
    500,
    allowed(),
    help="Passes over the training period.",
)
seed = columns[3].number_input(
    "Seed",
    0,
    10_000,
    0,
    help="Different seeds give different networks; their spread says how much is luck.",
)
refit = st.checkbox(
    "Train once more with the validation period at the end",
    help="For as long as validation found best.",
)
left_out = st.slider(
    "Leave out places, % of the city",
    0,
    50,
    0,
    5,
    help="Blocks that training doesn't see; Unseen then shows whether the design holds there.",
)
if fields:
    trials = st.number_input(
        "Trials", 1, 1000, 20,
        help=f"Runs that try values of {text(', '.join(fields))}; those that fall behind are stopped early.",
    )  # fmt: skip


def asked(design: Design, parent: str | None) -> queue.Request:
    """A training of a design, as the fields above say."""
    return queue.Request(
        design, cube.grid, str(train_until), str(validate_until), int(epochs), int(seed), "auto", parent, refit,
        left_out=left_out / 100,
    )  # fmt: skip


def watch(name: str) -> None:
    """Show a run below, from now on."""
    st.session_state["watched"] = name
    st.query_params["run"] = st.session_state["at_run"] = name


go = operator_button(
    "Search" if fields else "Train",
    type="primary",
    icon=":material/play_arrow:",
    disabled=design is None or problem is not None,
    width="stretch",
)
if go and fields:
    try:
        name = search.start(
            draft.text, cube.grid, int(trials), int(seed), train_until=str(train_until),
            validate_until=str(validate_until), epochs=int(epochs),
        )  # fmt: skip
        st.success(f"{text(name)} has begun; its trials are runs like any other.")
    except UserError as error:
        st.error(text(error), icon=":material/error:")
elif go and design is not None:
    try:
        watch(queue.submit(asked(design, parent)).id)
    except UserError as error:
        st.error(text(error), icon=":material/error:")


def own() -> None:
    """Train a module of one's own with the settings above."""
    if name := own_module(lambda module: asked(module, None)):
        watch(name)


module = st.expander("Or a module of your own", on_change="rerun", key="own_module")
if module.open:
    with module:
        guarded(for_operators(own))

known = {run.id: run for run in list_runs(cube.grid)}
active = [name for name, run in known.items() if run.active]
chosen = here.run.id if here.run else None
watched = active[-1] if active else st.session_state.get("watched") or chosen
if watched in known:
    st.subheader(f"Training of {text(watched)}")
    live(known[watched])
    if known[watched].state == "done":
        with st.container(horizontal=True):
            to = {**st.query_params, "run": watched}
            st.page_link(
                "pages/layers.py", label="See its layers", icon=":material/layers:", query_params=to
            )
            st.page_link(
                "pages/forecast.py",
                label="See its forecast",
                icon=":material/map:",
                query_params=to,
            )
