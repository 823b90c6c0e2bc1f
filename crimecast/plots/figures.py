"""Charts: pure functions from numbers to Plotly figures, without a theme of their own."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from crimecast.plots.colours import colour_table

# Seen on white and on black alike.
BLUE, ORANGE, GREY = "#1B84C6", "#D55E00", "#8a8f98"
BAND = "95 % range of counts"


def bare(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    """A figure with thin margins, its legend above and one note for all lines at a place."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
        **axes,
    )
    return figure


def colour_scale(kind: str, dark: bool) -> list[list[Any]]:
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
    return bare(
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
    return bare(figure, 260, yaxis={"title": label, "rangemode": "tozero"})


def sequence_figure(
    steps: list[str], mean: np.ndarray, low: np.ndarray, high: np.ndarray, label: str
) -> go.Figure:
    """A mean as it came to be, with the interval that holds at all times."""
    figure = go.Figure()
    known = np.isfinite(low)
    shown = [step for step, one in zip(steps, known, strict=True) if one]
    figure.add_scatter(x=shown, y=high[known], mode="lines", line={"width": 0}, showlegend=False)
    figure.add_scatter(
        x=shown, y=low[known], mode="lines", line={"width": 0}, fill="tonexty",
        fillcolor="rgba(0,114,178,0.2)", name="95 % at all times",
    )  # fmt: skip
    few = (
        len(steps) < 8
    )  # a line of one step isn't seen, and an axis of time shows parts of its second
    mode, kind = ("lines+markers", "category") if few else ("lines", None)
    figure.add_scatter(x=steps, y=mean, mode=mode, line={"color": BLUE}, name=label)
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    return bare(figure, 240, yaxis={"title": label}, xaxis={"type": kind})


def shares_figure(shares: dict[str, np.ndarray], settled: int) -> go.Figure:
    """What share of a day's records has come, by age in days: the first is of all, the rest by type."""
    figure = go.Figure()
    until = min(len(next(iter(shares.values()))), max(settled + 4, 10))
    for i, (name, share) in enumerate(list(shares.items())[:8]):
        figure.add_scatter(
            x=list(range(until)),
            y=100 * share[:until],
            name=name,
            mode="lines",
            line={"width": 1} if i else {"width": 3, "color": BLUE},
        )
    return bare(
        figure,
        240,
        xaxis={"title": "days since"},
        yaxis={"title": "% have come", "range": [0, 104]},
    )


def coverage_figure(
    months: list[str], table: np.ndarray, holes: np.ndarray, dark: bool
) -> go.Figure:
    """Counts by month and day of the month; days without records are crossed."""
    figure = go.Figure(
        go.Heatmap(
            x=months, y=list(range(1, 32)), z=table, colorscale=colour_scale("sequential", dark), hoverongaps=False, zmin=0,
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
    figure = bare(
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
    figure = bare(figure, max(160, 24 * len(names) + 60), xaxis={"title": label})
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
    return bare(figure, 280, yaxis={"title": "events", "range": [0, 1.06 * top]})


def histogram_figure(values: np.ndarray, label: str) -> go.Figure:
    """How a layer's values are distributed over the cells."""
    figure = go.Figure(go.Histogram(x=values, nbinsx=50, marker={"color": BLUE}))
    figure = bare(figure, 260, xaxis={"title": label}, yaxis={"title": "cells"})
    return figure.update_layout(hovermode="closest", bargap=0.03)


def spreads_figure(edges: np.ndarray, shares: dict[str, np.ndarray], label: str) -> go.Figure:
    """Distributions over one another, each as an outline: edges (B + 1,), shares (B,)."""
    figure = go.Figure()
    for (name, share), colour in zip(shares.items(), (BLUE, ORANGE), strict=True):
        figure.add_scatter(
            x=np.repeat(edges, 2)[1:-1], y=100 * np.repeat(share, 2), name=name, mode="lines",
            line={"color": colour}, fill="tozeroy", opacity=0.7,
        )  # fmt: skip
    return bare(figure, 240, xaxis={"title": label}, yaxis={"title": "% of values"})


def signed_bars_figure(names: list[str], values: list[float], label: str) -> go.Figure:
    """Horizontal bars around zero: orange above, blue below; in the order given, first on top."""
    figure = go.Figure(
        go.Bar(
            x=values[::-1], y=names[::-1], orientation="h",
            marker={"color": [ORANGE if v > 0 else BLUE for v in values[::-1]]},
        )
    )  # fmt: skip
    figure = bare(figure, max(180, 22 * len(names) + 70), xaxis={"title": label})
    return figure.update_layout(hovermode="closest")


def table_figure(
    rows: list[str], columns: list[str], values: np.ndarray, label: str, dark: bool,
    low: float = 0.0, high: float = 1.0,
) -> go.Figure:  # fmt: skip
    """A table of numbers as colours on a sequential scale from `low` to `high`."""
    figure = go.Figure(
        go.Heatmap(
            z=values, x=columns, y=rows, zmin=low, zmax=high, colorscale=colour_scale("sequential", dark),
            colorbar={"title": label, "thickness": 10},
            hovertemplate="%{y} · %{x}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return bare(figure, max(280, 26 * len(rows) + 110)).update_layout(hovermode="closest")


DASHES, SYMBOLS = ("solid", "dash", "dot", "dashdot"), ("circle", "square", "diamond", "cross", "x")


def layers_over_training_figure(
    history: list[dict[str, Any]], key: str, label: str, chosen: str
) -> go.Figure:
    """One number of every layer by epoch, on a logarithmic axis where it spans decades; the chosen layer's line
    wide and in front, the others by shade from first to last, by dashes and by marks."""
    figure = go.Figure()
    rows = [e for e in history if e["phase"] == "fit"]
    names = list(dict.fromkeys(n for e in rows for n in e.get("layers", {})))
    values = []
    for name in sorted(names, key=lambda name: name == chosen):
        i = names.index(name)
        y = [e.get("layers", {}).get(name, {}).get(key) for e in rows]
        values += [v for v in y if v]
        shade = i / max(1, len(names) - 1)
        colour = f"rgb({int(150 * shade)},{int(114 + 40 * shade)},{int(178 - 10 * shade)})"
        figure.add_scatter(
            x=[e["epoch"] for e in rows],
            y=y,
            name=name,
            mode="lines+markers",
            line={"color": ORANGE, "width": 4}
            if name == chosen
            else {"color": colour, "width": 1.5, "dash": DASHES[i % 4]},
            marker={"symbol": SYMBOLS[i % 5], "size": 7},
            legendrank=i,
            hovertemplate="%{fullData.name}: %{y:.3g} in epoch %{x}<extra></extra>",
        )
    log = bool(values) and min(values) > 0 and max(values) / min(values) > 30
    axis: dict[str, Any] = {"title": label}
    if log:  # a tick for each decade
        axis |= {"type": "log", "dtick": 1, "exponentformat": "power"}
    epochs = {"title": "epoch", "dtick": max(1, len(rows) // 10)}
    figure = bare(figure, 340, xaxis=epochs, yaxis=axis)
    return figure.update_layout(hovermode="closest")
