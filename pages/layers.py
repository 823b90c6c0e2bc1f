"""Layers: every channel of a layer on the city's outline, for the step of your choice."""

import streamlit as st

from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.plots.figures import histogram_figure
from crimecast.training.checkpoints import epochs_kept
from crimecast.views import address
from crimecast.views.activations import layer_maps
from crimecast.views.layers import (
    ORDERS,
    TOGETHER,
    enlarged,
    gallery,
    layer_names,
    layer_view,
    span,
    training_gallery,
)
from pages.parts.asked import newly
from pages.parts.asking import VIEWS
from pages.parts.charts import chart
from pages.parts.frame import among, choose, frame, trained
from pages.parts.guarding import part
from pages.parts.maps import asked_of, maps
from pages.parts.proof import badge, mark
from pages.parts.save import save
from pages.parts.text import text

FIRST, FINISHED = "Activations", "trained"
OF_A_LAYER = (
    "What if",
    "Training",
    "Weights",
    "Peaks",
    "Beside",
)  # the other views are of the whole network
OF_A_STEP = ("Why", "What if", "Attention", "Beside")

here = frame(
    "Layers",
    "What each layer of the network puts out for one step, channel by channel, on the city.",
)
run, city = trained(here), here.city


def step_now(first: int, last: int) -> int:
    """The step asked for: by the gallery, by the address, else the latest, as on Forecast."""
    cube = load_cube(run.grid)
    times = [str(t) for t in cube.times]
    asked = asked_of("layer_gallery").step
    if newly(asked, "layer_step") and first <= asked < last:
        st.query_params["step"] = cube.label(asked)
    label = st.query_params.get("step")
    step = next(
        (i for i in range(first, last) if label and times[i].startswith(label)),
        unseen_period(run)[1] - 1,
    )
    st.query_params["step"] = cube.label(step)
    return step


def slide(step: int, first: int, last: int) -> None:
    """The slider of the views that have none of their own: one step for all of the page."""
    labels = [*(text(load_cube(run.grid).label(number)) for number in range(first, last))]
    key = among("view_step", labels)
    st.session_state[key] = labels[step - first]

    def moved() -> None:
        at = first + labels.index(st.session_state[key])
        st.query_params["step"] = load_cube(run.grid).label(at)

    st.select_slider(
        "Step", labels, key=key, on_change=moved,
        help="The step that all views of this page look at, the gallery of activations too.",
    )  # fmt: skip


def chosen_view() -> str:
    """What is asked of the network; the address holds it."""
    asked = st.query_params.get("view")
    view = st.segmented_control(
        "Ask the network", [FIRST, *VIEWS], default=asked if asked in VIEWS else FIRST,
        label_visibility="collapsed", key="layer_view",
        help="What its layers put out, what they cost, why it forecasts so, what if a channel or the past were another, "
        "what it sees and attends to, how it learnt, which layers are alike, its weights.",
    ) or FIRST  # fmt: skip
    st.query_params["view"] = view
    return view


def look() -> None:
    with st.spinner("Loading the network and what it is given …"):
        names = layer_names(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        asks = chosen_view()
        badge(run)
    if asks != FIRST:
        layer = choose("layer", "Layer", names) if asks in OF_A_LAYER else None
        layer = layer or st.query_params.get("layer") or names[0]
        step = step_now(*span(run))
        if asks in OF_A_STEP:
            slide(step, *span(run))
        count = layer_maps(run, layer, step).shape[0] if layer in names else 1
        channel = address.number(st.query_params.get("channel"), count) or 0
        VIEWS[asks](run, city, layer if layer in names else names[0], step, channel)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = choose("layer", "Layer", names) or names[0]
        shared = st.toggle(
            "One scale for all channels",
            value=True,
            key="shared",
            bind="query-params",
            help="Off: each channel has its own scale, so weak ones show too.",
        )
        order = st.selectbox(
            "Order", ORDERS, key="order", bind="query-params", width=190,
            help="By how much channels differ over the city, with those alike side by side, or by what the score loses without each.",
        )  # fmt: skip
    step = step_now(*span(run))
    epochs = epochs_kept(run.folder)
    epoch, film = None, False
    if len(epochs) > 1:
        ends = [*(f"epoch {e:d}" for e in epochs), FINISHED]
        left, right = st.columns([4, 1], vertical_alignment="bottom")
        film = right.toggle(
            "Play it", key="film", help="Below, slide or play through training instead of through steps."
        )  # fmt: skip
        asked_epoch = FINISHED
        if film:
            left.caption(f"The step of {text(load_cube(run.grid).label(step))}, epoch by epoch.")
        else:
            asked_epoch = left.select_slider(
                "Travel through training", ends, value=FINISHED, key=among("epoch", ends), bind="query-params",
                help="The same step, as the network was after each epoch that was kept; colours keep their values.",
            )  # fmt: skip
        epoch = None if asked_epoch == FINISHED else int(asked_epoch.split()[1])
        at = asked_of("layer_film").step
        if film and at is not None and at < len(epochs):
            epoch = epochs[at]
    with st.spinner("Running the network …"):
        view = layer_view(run, layer, step, order, epoch)
    gallery_asks = asked_of("layer_film" if film else "layer_gallery")
    asked = gallery_asks.channel
    parts, part = -(-view.channels // TOGETHER), 0
    if parts > 1:
        part = st.selectbox(
            "Channels", range(parts), key=among("part", range(parts)), bind="query-params", width=190,
            format_func=lambda i: f"{i * TOGETHER} to {min(view.channels, (i + 1) * TOGETHER) - 1}",
        )  # fmt: skip
    clicked = None if asked is None else (layer, part * TOGETHER + asked)
    if newly(clicked, "channel") and clicked[1] < view.channels:
        st.query_params["channel"] = str(view.order[clicked[1]])
    written = address.number(st.query_params.get("channel", "0"), view.channels)
    channel = int(view.order[0]) if written is None else written
    height, width = view.values.shape[1:]
    st.caption(
        f"**{text(layer)}**: {view.channels:d} channels of {height:d}×{width:d}. Blue is below zero, orange above. Click a channel to enlarge it."
    )
    mark(run, layer)
    if film:
        maps(training_gallery(view, city, shared, channel, epochs, part), key="layer_film")
    else:
        new = gallery_asks.step is None
        maps(
            gallery(view, city, shared, channel, gallery_asks.have, part, new), key="layer_gallery"
        )
    rested: int = st.session_state.get("layer_rested", step)
    if not film and not gallery_asks.resting and rested in range(*span(run)):
        # On the way through many steps the rest stays as it was, so that the gallery isn't held up.
        view = layer_view(run, layer, rested, order, epoch)
    st.session_state["layer_rested"] = view.step
    with st.container(key="layer_large"):  # to where a click leads, if it is out of sight
        left, right = st.columns([3, 2])
    with left:
        maps(enlarged(view, city, channel), key="layer_one")
    inside = view.inside(channel)
    with right:
        st.markdown(f"**How channel {channel:d} is distributed over the city**")
        chart(
            histogram_figure(inside, "activation"),
            key="layer_histogram",
            alt="Histogram of the channel's values over the cells",
        )
        columns = st.columns(3)
        columns[0].metric("Mean", f"{inside.mean():.3f}")
        columns[1].metric(
            "Spread", f"{inside.std():.3f}", help="Standard deviation over the cells."
        )
        columns[2].metric(
            "Exactly zero",
            f"{100 * (inside == 0).mean():.0f} %",
            help="Share of cells where the channel is silent. All of them, at every step, is a dead channel.",
        )

    save(run, f"{layer} {str(load_cube(run.grid).times[view.step])[:16]}", {layer: view.values})


part(look)
