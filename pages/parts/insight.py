"""The views of the Layers page beside the gallery: one function a view, drawn only when chosen."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from crimecast.cities import City
from crimecast.inspect.attribution import METHODS
from crimecast.inspect.receptive import radius_holding
from crimecast.plots.figures import (
    bars_figure,
    layers_over_training_figure,
    signed_bars_figure,
    table_figure,
)
from crimecast.plots.rasters import Panel
from crimecast.runs import Run, list_runs
from crimecast.views import insight
from crimecast.windows import load_cube
from pages.parts import beside
from pages.parts.frame import among
from pages.parts.graph import graph
from pages.parts.maps import Asked, maps
from pages.parts.save import save

PLAIN = {"displaylogo": False}


def dark() -> bool:
    """Whether the page is drawn on a dark ground."""
    return st.context.theme.type == "dark"


def open_view(view: str, layer: str) -> None:
    """Go to a view of a layer."""
    st.session_state["layer_view"] = view
    st.session_state["at_layer"] = st.query_params["layer"] = layer


def network(run: Run, _city: City, layer: str, _step: int, _channel: int) -> None:
    """The graph, coloured by a measure of one's choice, with the table behind it."""
    made = insight.nodes(run.id, run.stamp)
    chosen = st.selectbox(
        "Colour the layers by", list(insight.MEASURES), key="measure", bind="query-params",
        help="The darker a layer, the higher its number.",
    )  # fmt: skip
    with st.spinner("Measuring every layer …"):
        measure = insight.layer_measure(run.id, run.stamp, chosen)
    left, right = st.columns([2, 3])
    with left:
        clicked = graph(
            insight.items(made, measure),
            f"graph_{run.id}",
            layer,
            f"The layers of {run.id}",
        )
    if clicked and clicked != layer:
        st.session_state["at_layer"] = st.query_params["layer"] = clicked
        st.rerun(scope="fragment")
    with right.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{layer}**")
        for view in ("Activations", "What if", "Training", "Weights"):
            st.button(view, on_click=open_view, args=(view, layer))
    right.dataframe(
        [
            {
                "layer": n.name, "kind": n.kind, "takes": ", ".join(n.takes), "gives": "×".join(map(str, n.shape)),
                "weights": n.parameters, "multiply-adds": n.multiply_adds, "kB": n.bytes / 1000, "ms": n.milliseconds,
                chosen: measure.get(n.name),
            }
            for n in made
        ],
        hide_index=True, height=40 + 35 * len(made), placeholder="–",
        column_config={
            "kB": st.column_config.NumberColumn(format="%.0f", help="Size of what it puts out for one step."),
            "ms": st.column_config.NumberColumn(format="%.2f", help="Time for one step, on this machine's CPU."),
            chosen: st.column_config.NumberColumn(format="%.4f"),
        },
        alt="Layers with what they take, give and cost",
    )  # fmt: skip


def why(run: Run, city: City, _layer: str, step: int, _channel: int) -> None:
    """Attribution of one cell's forecast."""
    cell = _cell(run)
    method = (
        st.segmented_control(
            "Method",
            METHODS,
            default=METHODS[0],
            key="method",
            bind="query-params",
            format_func=lambda m: m.replace("_", " "),
            help="Integrated gradients add up to the forecast's change from an empty past; the others are quicker to compute and only rank.",
        )
        or METHODS[0]
    )
    types = list(load_cube(run.grid).types)
    kind = types[0]
    if len(types) > 1:
        kind = st.selectbox("Type", types, key=among("type", types), bind="query-params", width=320)
    with st.spinner("Asking the network …"):
        made, parts = insight.attribution(run.id, run.stamp, step, cell, types.index(kind), method)
    st.caption(
        f"What moved the log rate of the cell at row {cell[0]}, column {cell[1]}: +0.1 is 10 % more. From an empty past to this one it "
        f"changes by {made.change:+.3f}"
        + (
            f"; the parts add up to all but {made.error:+.4f} of it."
            if np.isfinite(made.error)
            else "."
        )
        + " Click a cell of the map to ask for another."
    )
    left, right = st.columns(2)
    with left:
        total = made.history.sum(axis=0) + made.static.sum(axis=0)
        panel = insight.signed("where it comes from", total, "log rate")
        asked = maps(
            insight.maps_message(run, city, [(panel, total)], f"why-{run.id}-{kind}", cell),
            key="layer_why",
        )
        _follow(asked)
    with right:
        top = parts[:14]
        st.plotly_chart(
            signed_bars_figure([n for n, _ in top], [v for _, v in top], "added to the log rate"),
            key="why_bars",
            config=PLAIN,
            alt="What each input added",
        )
    save(run, "why", {"history": made.history, "static": made.static})
    with st.expander("All inputs as a table"):
        st.dataframe([{"input": n, "added to the log rate": v} for n, v in parts], hide_index=True)


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
        before, after = insight.what_if(
            run.id,
            run.stamp,
            step,
            layer,
            (channel,),
            way,
            step - 7 if way == "swap" else None,
        )
        title = (
            f"without {layer}, channel {channel}"
            if way != "swap"
            else f"{layer}, channel {channel} of 7 steps before"
        )
    else:
        cell = _cell(run)
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
        title = f"had it been another past at row {cell[0]}, column {cell[1]}"
    top = float(np.quantile(before, 0.998))

    def rate(name: str) -> Panel:
        return Panel(name, unit="events a cell and step", high=top, size=2, group="rate")

    difference = after - before
    asked = maps(
        insight.maps_message(
            run, city,
            [(rate("forecast"), before), (rate(title), after), (insight.signed("difference", difference, "events"), difference)],
            f"what-{run.id}", _cell(run) if kind != "a channel" else None,
        ), key="layer_what",
    )  # fmt: skip
    if kind != "a channel":
        _follow(asked)
    save(run, "what if", {"before": before, "after": after})
    was, now = insight.step_score(run, step, before), insight.step_score(run, step, after)
    st.caption(
        f"The city's total goes from {before.sum():.1f} to {after.sum():.1f} events; against what happened in this step, "
        f"its log-likelihood per event from {was:.4f} to {now:.4f} ({now - was:+.4f}; higher is better)."
    )
    if kind == "a channel" and st.toggle(
        "Score it over the validation period", key="whole", bind="query-params",
        help="Makes the change in every step, not in this one alone.",
    ):  # fmt: skip
        with st.spinner("Changing every step …"):
            lost = insight.loss_of_period(run.id, run.stamp, layer, channel, way)
        said = (
            "the channel matters"
            if lost > 1e-5
            else "the channel does harm"
            if lost < -1e-5
            else "the channel makes no difference"
        )
        st.markdown(
            f"Over steps spread over the validation period the log-likelihood per event changes by **{-lost:+.5f}**: {said}."
        )
    if kind == "a channel" and st.toggle(
        "Rank the channels", key="rank", bind="query-params",
        help="Tries the network without each of the layer's channels in turn.",
    ):  # fmt: skip
        rows = insight.channel_ablations(run.id, run.stamp, layer)
        st.caption(
            "What the log-likelihood an event loses on validation when a channel is held at its mean: high matters, below zero does harm."
        )
        st.dataframe(
            [{"channel": a.channel, "loss": a.loss} for a in rows],
            hide_index=True,
            column_config={"loss": st.column_config.NumberColumn(format="%.6f")},
        )


def sight(run: Run, city: City, _layer: str, _step: int, _channel: int) -> None:
    """What a cell's forecast can see, does see, and what would be there to see."""
    cell = _cell(run)
    metres = load_cube(run.grid).cell
    field, effective = insight.sight(run.id, run.stamp, cell)
    near = insight.excitation(run.grid, run.settings["train"])
    columns = st.columns(3)
    columns[0].metric(
        "Can see",
        f"{metres * field.reach(cell) / 1000:.1f} km",
        help="How far beyond the cell the network's layers reach, in its lagged frames and input maps; exact, from the network itself. Blurred memories gather more.",
    )
    held = radius_holding(effective, cell, 0.9)
    columns[1].metric(
        "Does see",
        f"{metres * held / 1000:.1f} km",
        help="Nine tenths of what moves the forecast lies within. More than it can see where the statistics of a normalisation carry a little of the whole map.",
    )
    reach = near.reach()
    columns[2].metric(
        "Crimes excite others within",
        f"{metres * reach / 1000:.1f} km" if reach >= 0 else "nowhere",
        help="How far events are followed by more events the next step than four weeks later, beyond chance (Knox ratio).",
    )
    if field.whole:
        st.caption(f"Through {', '.join(field.whole)} it sees the whole map.")
    left, right = st.columns(2)
    with left:
        seen = np.sqrt(effective)
        top = float(seen.max()) + 1e-12
        asked = maps(
            insight.maps_message(
                run,
                city,
                [
                    (
                        Panel(
                            "what moves its forecast",
                            "sequential",
                            "square root of the gradient",
                            high=top,
                            size=2,
                        ),
                        seen,
                    )
                ],
                f"sight-{run.id}",
                cell,
            ),
            key="layer_sight",
        )
        _follow(asked)
    with right:
        st.markdown("**How much more often events follow nearby than by chance**")
        rings = [f"{metres * i / 1000:g} km" for i in range(len(near.ratio))]
        st.plotly_chart(
            table_figure(
                rings,
                [f"{lag} later" for lag in near.lags],
                near.ratio,
                "ratio",
                dark(),
                1.0,
                max(1.05, float(near.ratio.max())),
            ),
            key="near",
            config=PLAIN,
            alt="Near-repeat ratio by distance and lag",
        )


def training(run: Run, _city: City, layer: str, _step: int, _channel: int) -> None:
    """Gradients, updates and activations of every layer over the epochs."""
    history = run.history()
    names = {
        "gradient": "gradient norm",
        "update": "change of the weights a step",
        "zero": "share of exact zeros",
        "full": "share of values at ±1",
        "mean": "mean activation",
        "spread": "spread of activations",
    }
    key = st.selectbox("Number", list(names), format_func=lambda k: names[k])
    st.plotly_chart(
        layers_over_training_figure(history, key, names[key]),
        key="health",
        config=PLAIN,
        alt=f"{names[key]} of every layer by epoch",
    )
    epochs, edges, shares = insight.spread_over_training(run.id, run.stamp, layer)
    if epochs:
        st.markdown(f"**How the values of {layer} spread, by epoch**")
        middle = [f"{x:.3g}" for x in (edges[:-1] + edges[1:]) / 2]
        st.plotly_chart(
            table_figure(
                [f"epoch {e}" for e in epochs],
                middle,
                shares,
                "share",
                dark(),
                0.0,
                float(shares.max()),
            ),
            key="spread",
            config=PLAIN,
            alt="Histogram of the layer's values by epoch",
        )


def likeness(run: Run, _city: City, _layer: str, _step: int, _channel: int) -> None:
    """Which layers say the same, here or in another run, and what each knows."""
    others = [r.id for r in list_runs(run.grid) if r.state == "done"]
    names = [run.id, *(r for r in others if r != run.id)]
    other = st.selectbox(
        "Compare with", names, key=among("likeness_with", names), bind="query-params"
    )
    with st.spinner("Comparing layers …"):
        again = next(r for r in list_runs(run.grid) if r.id == other)
        rows, columns, table = insight.likeness(run.id, run.stamp, other, again.stamp)
        known = insight.knowledge(run.id, run.stamp)
    st.plotly_chart(
        table_figure(rows, columns, table, "CKA", dark()),
        key="cka",
        config=PLAIN,
        alt="Likeness of layers",
    )
    st.caption(
        "CKA: 1 where two layers hold the same up to rotation and scale, 0 where they have nothing in common."
    )
    st.markdown("**What each layer knows**")
    st.dataframe(
        known,
        hide_index=True,
        column_config={
            "used": st.column_config.NumberColumn(
                help="Directions that hold 99 % of the variance."
            ),
            **{
                k: st.column_config.NumberColumn(
                    format="%.2f",
                    help="R² of a linear probe on steps it wasn't fitted to; 1 is all, 0 nothing.",
                )
                for k in ("weekday", "season", "forecast", "count", "participation")
            },
        },
    )


def weights(run: Run, _city: City, layer: str, _step: int, channel: int) -> None:
    """The layer's weights: norms, spectrum, change, kernels."""
    own = insight.layer_weights(run.id, run.stamp, layer)
    if not own:
        st.caption(f"{layer} has no weights.")
    else:
        save(run, f"weights of {layer}", {one.name: one.values for one in own})
    for one in own:
        st.markdown(
            f"**{one.name}** · {'×'.join(map(str, one.values.shape))} · moved {100 * one.change:.0f} % of its length since the start"
            if np.isfinite(one.change)
            else f"**{one.name}** · {'×'.join(map(str, one.values.shape))}"
        )
        left, right = st.columns(2)
        left.plotly_chart(
            bars_figure(
                [str(i) for i in range(len(one.norms))], one.norms.tolist(), "norm of each channel"
            ),
            key=f"norm_{one.name}",
            config=PLAIN,
            alt="Norm of each output channel's weights",
        )
        right.plotly_chart(
            bars_figure(
                [str(i + 1) for i in range(len(one.spectrum))],
                one.spectrum.tolist(),
                "singular values",
            ),
            key=f"spectrum_{one.name}",
            config=PLAIN,
            alt="Singular values",
        )
        kernels = one.kernels()
        if kernels is not None:
            flat = kernels[min(channel, len(kernels) - 1)]
            across = flat.reshape(flat.shape[0], -1)
            top = float(np.abs(across).max()) + 1e-12
            st.plotly_chart(
                table_figure(
                    [f"from {i}" for i in range(len(across))],
                    [str(i) for i in range(across.shape[1])],
                    np.abs(across),
                    "size of the weight",
                    dark(),
                    0.0,
                    top,
                ),
                key=f"kernel_{one.name}",
                config=PLAIN,
                alt="The kernel of the chosen channel",
            )


VIEWS: dict[str, Callable[[Run, City, str, int, int], None]] = {
    "Network": network,
    "Why": why,
    "What if": what_if,
    "Sight": sight,
    "Training": training,
    "Likeness": likeness,
    "Weights": weights,
    "Peaks": beside.peaks,
    "Beside": beside.two,
}


def _cell(run: Run) -> tuple[int, int]:
    """The cell in the address, else the busiest."""
    parts = (st.query_params.get("cell") or "").split(",")
    area = load_cube(run.grid).area(run.settings["train"])
    if len(parts) == 2 and all(p.isdigit() for p in parts):
        row, column = int(parts[0]), int(parts[1])
        if row < area.shape[0] and column < area.shape[1] and area[row, column]:
            return row, column
    return insight.busiest(run)


def _follow(asked: Asked) -> None:
    """A click on a map goes into the address, and the view is drawn for that cell."""
    if asked.cell and asked.cell != st.session_state.get("insight_cell"):
        st.session_state["insight_cell"] = asked.cell
        st.query_params["cell"] = f"{asked.cell[0]},{asked.cell[1]}"
        st.rerun(scope="fragment")
