"""Charts: pure functions from numbers to Plotly figures, without a theme of their own."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from crimecast.plots.colours import colour_table

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8a8f98"
BAND = "95 % of Poisson counts"


def _bare(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
        **axes,
    )
    return figure


def _scale(kind: str, dark: bool) -> list[list[Any]]:
    """A colour table of ours as Plotly takes it."""
    stops = colour_table(kind, "dark" if dark else "light")[::15]
    return [[i / (len(stops) - 1), f"rgb({r},{g},{b})"] for i, (r, g, b) in enumerate(stops)]


def loss_figure(history: list[dict[str, Any]]) -> go.Figure:
    """Training and validation loss by epoch; lower is better."""
    figure = go.Figure()
    rows = [entry for entry in history if entry["phase"] == "fit"]
    epochs = [entry["epoch"] for entry in rows]
    for key, name, colour in (
        ("training_loss", "training", GREY),
        ("validation_loss", "validation", BLUE),
    ):
        figure.add_scatter(
            x=epochs,
            y=[entry[key] for entry in rows],
            name=name,
            mode="lines+markers",
            line={"color": colour},
        )
    values = [
        entry[key]
        for entry in rows
        for key in ("training_loss", "validation_loss")
        if entry[key] is not None
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.08 * (high - low) + 1e-6
    return _bare(
        figure,
        240,
        xaxis={"title": "epoch", "dtick": max(1, len(epochs) // 10)},
        yaxis={"title": "loss", "range": [low - room, high + room]},
    )


def counts_figure(times: np.ndarray, counts: np.ndarray, label: str) -> go.Figure:
    """Counts over time as a line."""
    figure = go.Figure(
        go.Scatter(x=times, y=counts, mode="lines", line={"color": BLUE, "width": 1}, name=label)
    )
    return _bare(figure, 260, yaxis={"title": label, "rangemode": "tozero"})


def coverage_figure(
    months: list[str], table: np.ndarray, holes: np.ndarray, dark: bool
) -> go.Figure:
    """Counts by month and day of the month; days without records are crossed."""
    figure = go.Figure(
        go.Heatmap(
            x=months, y=list(range(1, 32)), z=table, colorscale=_scale("sequential", dark), hoverongaps=False, zmin=0,
            zmax=float(np.nanquantile(table, 0.995)), colorbar={"title": "records", "thickness": 10},
            hovertemplate="%{x}-%{y}: %{z} records<extra></extra>",
        )
    )  # fmt: skip
    if len(holes):
        month = holes.astype("datetime64[M]")
        day = (holes - month).astype(int) + 1
        figure.add_scatter(
            x=month.astype(str), y=day, mode="markers", name="no records",
            marker={"symbol": "x", "color": ORANGE, "size": 7},
        )  # fmt: skip
    figure = _bare(
        figure,
        340,
        yaxis={"title": "day of the month", "autorange": "reversed"},
        xaxis={"type": "date"},
    )
    return figure.update_layout(hovermode="closest")


def bars_figure(names: list[str], values: list[int], label: str) -> go.Figure:
    """Horizontal bars, largest on top."""
    figure = go.Figure(
        go.Bar(x=values[::-1], y=names[::-1], orientation="h", marker={"color": BLUE})
    )
    figure = _bare(figure, max(160, 24 * len(names) + 60), xaxis={"title": label})
    return figure.update_layout(hovermode="closest")


def forecast_figure(
    times: np.ndarray, observed: np.ndarray, forecast: np.ndarray, at: str | None = None
) -> go.Figure:
    """Observed counts against the forecast with the interval that Poisson noise alone would give.

    The band is the 2.5 % and 97.5 % quantile of a Poisson count with the forecast as its mean; a
    line marks the moment `at`. `forecast` may be NaN where nothing was forecast.
    """
    from scipy.stats import poisson

    low, high = poisson.ppf(0.025, forecast), poisson.ppf(0.975, forecast)
    figure = go.Figure()
    figure.add_scatter(
        x=times, y=high, mode="lines", line={"width": 0}, name=f"{BAND}, to", showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=times, y=low, mode="lines", line={"width": 0}, fill="tonexty", fillcolor="rgba(0,114,178,.18)",
        name=BAND, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=times, y=observed, mode="lines", line={"color": ORANGE, "width": 1}, name="observed"
    )
    figure.add_scatter(
        x=times, y=forecast, mode="lines", line={"color": BLUE, "width": 1.8}, name="forecast"
    )
    if at is not None:
        figure.add_vline(x=at, line={"width": 1, "dash": "dot", "color": GREY})
    top = max(1.0, float(np.nanmax([np.nanmax(high, initial=0), observed.max(initial=0)])))
    return _bare(figure, 280, yaxis={"title": "events", "range": [0, 1.06 * top]})


def histogram_figure(values: np.ndarray, label: str) -> go.Figure:
    """How a layer's values are distributed over the cells."""
    figure = go.Figure(go.Histogram(x=values, nbinsx=50, marker={"color": BLUE}))
    figure = _bare(figure, 260, xaxis={"title": label}, yaxis={"title": "cells"})
    return figure.update_layout(hovermode="closest", bargap=0.03)


SERIES = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8a8f98",
)  # Okabe & Ito


def hits_figure(curves: dict[str, tuple[np.ndarray, np.ndarray]], most: float = 1.0) -> go.Figure:
    """Share of events inside the flagged cells, over the share of the area that is flagged."""
    figure = go.Figure()
    for number, (name, (share, hits)) in enumerate(curves.items()):
        best = name == "best possible"
        figure.add_scatter(
            x=100 * share, y=100 * hits, name=name, mode="lines",
            line={"color": GREY if best else SERIES[number % len(SERIES)], "width": 1.6,
                  "dash": "dot" if best else "solid"},
        )  # fmt: skip
    return _bare(
        figure, 380,
        xaxis={"title": "cells flagged, % of the city", "range": [0, 100 * most]},
        yaxis={"title": "events in them, %", "rangemode": "tozero"},
    )  # fmt: skip


def hits_gain_figure(
    curves: dict[str, tuple[np.ndarray, np.ndarray]], against: str, most: float = 1.0
) -> go.Figure:
    """The same curves above that of one of them, in percentage points."""
    share, base = curves[against]
    shown = share <= most + 1e-9
    figure = go.Figure()
    for number, (name, (_, hits)) in enumerate(curves.items()):
        if name not in (against, "best possible"):
            figure.add_scatter(
                x=100 * share[shown], y=100 * (hits - base)[shown], name=name, mode="lines",
                line={"color": SERIES[number % len(SERIES)], "width": 1.6},
            )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "dash": "dot", "width": 1})
    return _bare(
        figure, 380,
        xaxis={"title": "cells flagged, % of the city", "range": [0, 100 * most]},
        yaxis={"title": f"above {against}, percentage points"},
    )  # fmt: skip


def reliability_figure(made: dict[str, Any]) -> go.Figure:
    """Observed against forecast by bins of like forecasts; on the diagonal is right."""
    figure = go.Figure()
    everything = [v for one in made.values() for v in (*one.forecast, *one.observed) if v > 0]
    ends = [min(everything, default=0.01), max(everything, default=1.0)]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": GREY, "dash": "dot"}, name="exactly right"
    )
    for number, (name, one) in enumerate(made.items()):
        colour = SERIES[number % len(SERIES)]
        figure.add_scatter(
            x=one.forecast, y=one.observed, name=name, mode="lines+markers",
            line={"color": colour}, marker={"color": colour},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1,
                "array": np.maximum(one.high - one.forecast, 0),
                "arrayminus": np.maximum(one.forecast - one.low, 0),
            },
        )  # fmt: skip
    figure = _bare(
        figure, 380,
        xaxis={"title": "events forecast per cell and step", "type": "log"},
        yaxis={"title": "events observed", "type": "log"},
    )  # fmt: skip
    return figure.update_layout(hovermode="closest")


def pit_figure(made: dict[str, np.ndarray]) -> go.Figure:
    """PIT histograms as steps; flat at 1 is right, a U is too sure, a hump too unsure."""
    figure = go.Figure()
    for number, (name, heights) in enumerate(made.items()):
        edges = np.arange(len(heights) + 1) / len(heights)
        figure.add_scatter(
            x=edges, y=[*heights, heights[-1]], name=name, mode="lines",
            line={"shape": "hv", "color": SERIES[number % len(SERIES)]},
        )  # fmt: skip
    figure.add_hline(y=1, line={"color": GREY, "dash": "dot", "width": 1})
    return _bare(
        figure, 380,
        xaxis={"title": "where the count lies in its forecast distribution", "range": [0, 1]},
        yaxis={
            "title": "relative frequency",
            "range": [0, max(1.5, 1.1 * max((max(h) for h in made.values()), default=1.0))],
        },
    )  # fmt: skip


def signed_bars_figure(names: list[str], values: list[float], label: str) -> go.Figure:
    """Horizontal bars around zero: orange above, blue below; in the order given, first on top."""
    figure = go.Figure(
        go.Bar(
            x=values[::-1], y=names[::-1], orientation="h",
            marker={"color": [ORANGE if v > 0 else BLUE for v in values[::-1]]},
        )
    )  # fmt: skip
    figure = _bare(figure, max(180, 22 * len(names) + 70), xaxis={"title": label})
    return figure.update_layout(hovermode="closest")


def feedback_figure(patrolled: np.ndarray, happened: np.ndarray) -> go.Figure:
    """Share of patrols and of true events in the places patrolled most, step by step."""
    figure = go.Figure()
    steps = np.arange(1, len(patrolled) + 1)
    width = max(1, len(patrolled) // 24)
    smooth = np.convolve(
        np.pad(patrolled, (width - 1, 0), mode="edge"), np.ones(width) / width, "valid"
    )
    figure.add_scatter(
        x=steps, y=100 * smooth, mode="lines", name="of patrols", line={"color": ORANGE}
    )
    figure.add_scatter(
        x=steps, y=100 * happened, mode="lines", name="of what truly happens",
        line={"color": BLUE, "dash": "dot"},
    )  # fmt: skip
    return _bare(
        figure, 300, xaxis={"title": "steps"},
        yaxis={"title": "share in the tenth of cells patrolled most, %", "rangemode": "tozero"},
    )  # fmt: skip


def gain_maps_figure(maps: dict[str, np.ndarray], dark: bool) -> go.Figure:
    """Small maps side by side (H, W each, NaN beyond the city), every one on its own scale around
    zero: orange gained, blue lost."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=1, cols=len(maps), subplot_titles=list(maps), horizontal_spacing=0.02
    )
    for number, values in enumerate(maps.values(), 1):
        reach = float(np.nanquantile(np.abs(values), 0.99)) or 1.0
        figure.add_heatmap(
            z=values, zmin=-reach, zmax=reach, colorscale=_scale("diverging", dark), showscale=False,
            hovertemplate="row %{y}, column %{x}: %{z:.2f}<extra></extra>", row=1, col=number,
        )  # fmt: skip
        axis = "" if number == 1 else str(number)
        figure.update_layout(
            {
                f"xaxis{axis}": {"visible": False, "constrain": "domain"},
                f"yaxis{axis}": {"visible": False, "scaleanchor": f"x{axis}"},
            }
        )
    return figure.update_layout(height=300, margin={"l": 0, "r": 0, "t": 30, "b": 0})


def table_figure(
    rows: list[str], columns: list[str], values: np.ndarray, label: str, dark: bool,
    low: float = 0.0, high: float = 1.0,
) -> go.Figure:  # fmt: skip
    """A table of numbers as colours on a sequential scale from `low` to `high`."""
    figure = go.Figure(
        go.Heatmap(
            z=values, x=columns, y=rows, zmin=low, zmax=high, colorscale=_scale("sequential", dark),
            colorbar={"title": label, "thickness": 10},
            hovertemplate="%{y} · %{x}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return _bare(figure, max(280, 26 * len(rows) + 110)).update_layout(hovermode="closest")


def layers_over_training_figure(history: list[dict[str, Any]], key: str, label: str) -> go.Figure:
    """One number of every layer by epoch, on a logarithmic axis where it spans decades."""
    figure = go.Figure()
    rows = [e for e in history if e["phase"] == "fit"]
    names = list(dict.fromkeys(n for e in rows for n in e.get("layers", {})))
    values = []
    for i, name in enumerate(names):
        y = [e.get("layers", {}).get(name, {}).get(key) for e in rows]
        values += [v for v in y if v]
        shade = i / max(1, len(names) - 1)
        colour = f"rgb({int(213 * shade)},{int(114 - 20 * shade)},{int(178 * (1 - shade))})"
        figure.add_scatter(
            x=[e["epoch"] for e in rows],
            y=y,
            name=name,
            mode="lines+markers",
            line={"color": colour},
        )
    log = bool(values) and min(values) > 0 and max(values) / min(values) > 30
    axis = {"title": label, "type": "log"} if log else {"title": label}
    return _bare(figure, 340, xaxis={"title": "epoch"}, yaxis=axis)
