"""Views of the Layers page that put channels beside each other: peaks of one, or any two."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from crimecast.cities import City
from crimecast.grids.cube import load_cube
from crimecast.plots.figures import spreads_figure
from crimecast.runs.run import Run, list_runs
from crimecast.training.checkpoints import epochs_kept
from crimecast.views.activations import layer_maps
from crimecast.views.beside import (
    Shown,
    beside,
    beside_message,
    channel_peaks,
    network_changes,
    peaks_message,
    spreads,
)  # fmt: skip
from crimecast.views.layers import layer_names, span
from pages.parts.asking.exciting import exciting
from pages.parts.charts import chart
from pages.parts.frame import among
from pages.parts.maps import maps
from pages.parts.save import save
from pages.parts.text import text

T = TypeVar("T")
KINDS = ("another step", "another layer", "another channel", "another epoch", "another run")


def pick_channel(run: Run, layer: str, step: int, channel: int) -> int:
    """A channel of a layer; the address holds it."""
    count = len(layer_maps(run, layer, step))
    chosen = int(st.number_input("Channel", 0, count - 1, min(channel, count - 1), width=140))
    st.query_params["channel"] = str(chosen)
    return chosen


def peaks(run: Run, city: City, layer: str, step: int, channel: int) -> None:
    """The steps and cells that excite a channel most, as small maps with their dates."""
    channel = pick_channel(run, layer, step, channel)
    with st.spinner("Looking through the unseen period …"):
        made = channel_peaks(run.id, run.stamp, layer, channel)
    st.caption(
        f"The steps of the unseen period in which channel {channel:d} of **{text(layer)}** reached its highest values: "
        "the number is the value, and the row and column of the cell where it was reached."
    )
    maps(peaks_message(run, city, layer, channel, made), key="layer_peaks")
    times = load_cube(run.grid).times
    with st.expander("As a table"):
        st.dataframe(
            [
                {"step": str(times[p.step])[:16], "row": p.cell[0], "column": p.cell[1], "value": p.value}
                for p in made
            ],
            hide_index=True, alt="The peaks",
        )  # fmt: skip
    save(run, f"peaks of {layer} {channel}", {str(times[p.step])[:16]: p.map for p in made})
    exciting(run, layer, channel)


def two(run: Run, city: City, layer: str, step: int, channel: int) -> None:
    """Two channels, two steps, two layers, two epochs or two runs, with the difference."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        channel = pick_channel(run, layer, step, channel)
        kind = st.selectbox("Beside", KINDS, key="beside", bind="query-params", width=180)
        one = Shown(run, layer, channel, step)
        other = second(one, kind)
    if other is None:
        st.info(f"There is not {text(kind)} to put beside it.", icon=":material/info:")
        return
    made = beside(one, other)
    maps(beside_message(one, other, made, city), key="layer_beside")
    st.caption(
        f"Correlation over the city **{made.correlation:+.3f}** (1 is the same pattern); the mean difference is "
        f"**{made.difference:.2f}** of the first one's spread over the city."
    )
    edges, *shares = spreads(one, other)
    st.markdown("**How the values of both layers spread**")
    names = [shown.title for shown in (one, other)]
    if names[0] == names[1]:  # two channels of a layer: it is the same one
        names[1] += " "
    chart(
        spreads_figure(edges, dict(zip(names, shares, strict=True)), "activation"),
        key="spreads",
        alt="Distributions of both layers' values over one another",
    )
    if other.run.id != run.id:
        with st.spinner("Comparing the networks …"):
            changes = network_changes(run, other.run)
        st.markdown("**Layers that differ**")
        if changes:
            st.dataframe(
                changes, hide_index=True, alt="Layers that differ between the two networks"
            )
        else:
            st.caption("None: both have the same layers, by the same names.")
    save(run, "beside", {"first": made.one, "second": made.two, "difference": made.two - made.one})


def second(one: Shown, kind: str) -> Shown | None:
    """What to put beside it."""
    first, last = span(one.run)
    if kind == "another step":
        steps, before = list(range(first, last)), max(0, one.step - 7 - first)
        at = pick("Step", steps, "other_step", before, load_cube(one.run.grid).label)
        return Shown(one.run, one.layer, one.channel, at)
    if kind == "another epoch":
        kept = epochs_kept(one.run.folder)
        if not kept:
            return None
        epoch = pick("Epoch", kept, "other_epoch")
        return Shown(one.run, one.layer, one.channel, one.step, epoch)
    run, layer = one.run, one.layer
    if kind == "another run":
        runs = {r.id: r for r in list_runs(run.grid) if r.state == "done" and r.id != run.id}
        if not runs:
            return None
        run = runs[pick("Run", list(runs), "other_run")]
    if kind in ("another layer", "another run"):
        names = layer_names(run)
        layer = pick("Layer", names, "other_layer", names.index(layer) if layer in names else 0)
    count = len(layer_maps(run, layer, one.step))
    start = one.channel + 1 if kind == "another channel" else one.channel
    channel = st.number_input(
        "Its channel", 0, count - 1, min(start, count - 1), width=140,
        key=among("other_channel", range(count)), bind="query-params",
    )  # fmt: skip
    return Shown(run, layer, int(channel), one.step)


def pick(
    label: str, options: list[T], key: str, index: int = 0, show: Callable[[T], str] = str
) -> T:
    """A choice that the address holds."""
    return st.selectbox(
        label, options, index, show, key=among(key, options), bind="query-params", width=180
    )
