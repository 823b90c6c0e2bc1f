"""Charts: pure functions from numbers to Plotly figures, without a theme of their own."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from crimecast.plots.colours import colour_table

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8a8f98"


def _bare(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.12, "x": 0},
        hovermode="x unified",
        **axes,
    )
    return figure


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
    stops = colour_table("sequential", "dark" if dark else "light")[::17]
    scale = [[i / (len(stops) - 1), f"rgb({r},{g},{b})"] for i, (r, g, b) in enumerate(stops)]
    figure = go.Figure(
        go.Heatmap(
            x=months, y=list(range(1, 32)), z=table, colorscale=scale, hoverongaps=False, zmin=0,
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
        x=times, y=high, mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip"
    )
    figure.add_scatter(
        x=times, y=low, mode="lines", line={"width": 0}, fill="tonexty", fillcolor="rgba(0,114,178,.18)",
        name="95 % of Poisson counts", hoverinfo="skip",
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
