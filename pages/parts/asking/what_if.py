"""What if a channel or the past were another."""

import streamlit as st

from crimecast.cities import City
from crimecast.grids.cube import load_cube
from crimecast.plots.rasters import Panel
from crimecast.runs.run import Run
from crimecast.views import insight
from crimecast.views.place_names import place_name
from crimecast.views.words import FIT
from pages.parts.asking.shared import cell_of, follow
from pages.parts.maps import maps
from pages.parts.save import save
from pages.parts.text import text


def what_if(run: Run, city: City, layer: str, step: int, channel: int) -> None:
    """Switch channels off, or edit the past, and see the forecast change."""
    kind = (
        st.segmented_control(
            "Change",
            ["a channel", "the past"],
            default="a channel",
            key="change",
            bind="query-params",
        )
        or "a channel"
    )
    way = "zero"
    if kind == "a channel":
        way = (
            st.segmented_control(
                "How",
                ["zero", "mean", "swap"],
                default="zero",
                key="how",
                bind="query-params",
                help="Off; held at its mean; or as it was seven steps before.",
            )
            or "zero"
        )
        with st.spinner("Forecasting without it …"):
            before, after = insight.what_if(
                run.id, run.stamp, step, layer, (channel,), way, step - 7 if way == "swap" else None
            )
        title = (
            f"without {layer}, channel {channel}"
            if way != "swap"
            else f"{layer}, channel {channel} of 7 steps before"
        )
    else:
        cell = cell_of(run)
        columns = st.columns(3)
        radius = columns[0].slider("Within, cells", 0, 10, 1, key="within", bind="query-params")
        days = columns[1].slider(
            "Over the steps before", 1, 60, 14, key="before", bind="query-params"
        )
        add = columns[2].selectbox(
            "Do", ["erase all events", "add one event a step"], key="do", bind="query-params"
        )
        with st.spinner("Remembering another past …"):
            before, after = insight.edited_past(
                run.id,
                run.stamp,
                step,
                cell,
                radius,
                days,
                None if add.startswith("erase") else 1.0,
            )
        title = f"had it been another past at {place_name(city, load_cube(run.grid), *cell)}"

    def rate(name: str) -> Panel:
        return insight.rising(name, before, "events a cell and step", "rate", share=0.998)

    difference = after - before
    asked = maps(
        insight.maps_message(
            run, city,
            [(rate("forecast"), before), (rate(title), after), (insight.signed("difference", difference, "events"), difference)],
            f"what-{run.id}", cell_of(run) if kind != "a channel" else None,
        ), key="layer_what",
    )  # fmt: skip
    if kind != "a channel":
        follow(asked)
    save(run, "what if", {"before": before, "after": after})
    was, now = insight.step_score(run, step, before), insight.step_score(run, step, after)
    st.caption(
        f"The city's total goes from {before.sum():.1f} to {after.sum():.1f} events; against what happened in this step, "
        f"its {FIT.plain} from {was:.4f} to {now:.4f} ({now - was:+.4f}; higher is better)."
    )
    if kind == "a channel" and st.toggle(
        "Score it over the validation period", key="whole", bind="query-params",
        help="Makes the change in every step, not in this one alone.",
    ):  # fmt: skip
        with st.spinner("Changing every step …"):
            lost = insight.loss_of_period(run.id, run.stamp, layer, channel, way)
        said = (
            "the channel matters"
            if lost > 1e-4
            else "the channel does harm"
            if lost < -1e-4
            else "the channel makes no difference"
        )
        st.markdown(
            f"Over steps spread over the validation period the {text(FIT.plain)} changes by **{-lost:+.5f}**: {said}."
        )
    if kind == "a channel" and st.toggle(
        "Rank the channels", key="rank", bind="query-params",
        help="Tries the network without each of the layer's channels in turn.",
    ):  # fmt: skip
        rows = insight.channel_ablations(run.id, run.stamp, layer)
        st.caption(
            "What the fit per event loses on validation when a channel is held at its mean: high matters, below zero does harm."
        )
        st.dataframe(
            [{"channel": a.channel, "loss": a.loss} for a in rows],
            hide_index=True,
            column_config={"loss": st.column_config.NumberColumn(format="%.6f")},
        )
