"""Charts of how well forecasts did: hits, reliability, PIT, gains on the map, feedback."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import plotly.graph_objects as go

from crimecast.plots.difference import TITLE
from crimecast.plots.figures import BLUE, GREY, ORANGE, bare, colour_scale
from crimecast.plots.rasters import Ground, scale_bar
from crimecast.plots.scale import top_of

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
    return bare(
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
    return bare(
        figure, 380,
        xaxis={"title": "cells flagged, % of the city", "range": [0, 100 * most]},
        yaxis={"title": f"above {against}, percentage points"},
    )  # fmt: skip


def intervals_figure(
    rows: dict[str, tuple[float, float, float]],
    against: str,
    unit: str = "log-likelihood per event",
) -> go.Figure:
    """Each forecast's gain on one of them (middle, low, high) as a dot with a whisker; above zero is better,
    and what reaches over zero isn't told apart."""
    names = list(rows)[::-1]
    middle, low, high = (np.array([rows[name][k] for name in names]) for k in range(3))
    figure = go.Figure()
    figure.add_scatter(
        x=middle, y=names, mode="markers", marker={"color": BLUE, "size": 9}, showlegend=False,
        error_x={
            "type": "data", "symmetric": False, "thickness": 2, "width": 5,
            "array": np.maximum(high - middle, 0), "arrayminus": np.maximum(middle - low, 0),
        },
        hovertemplate="%{y}: %{x:+.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "dash": "dot", "width": 1})
    figure = bare(
        figure, 90 + 26 * len(names),
        xaxis={"title": f"{unit} against {against}", "zeroline": False},
        yaxis={"type": "category", "automargin": True},
    )  # fmt: skip
    return figure.update_layout(hovermode="closest")


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
    figure = bare(
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
    return bare(
        figure, 380,
        xaxis={"title": "where the count lies in its forecast distribution", "range": [0, 1]},
        yaxis={
            "title": "relative frequency",
            "range": [0, max(1.5, 1.1 * max((max(h) for h in made.values()), default=1.0))],
        },
    )  # fmt: skip


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
    return bare(
        figure, 300, xaxis={"title": "steps"},
        yaxis={"title": "share in the tenth of cells patrolled most, %", "rangemode": "tozero"},
    )  # fmt: skip


def reach_of(maps: Iterable[np.ndarray]) -> float:
    """How far a scale around zero reaches that maps (H, W each, NaN beyond the city) share."""
    return max(top_of(np.abs(values[np.isfinite(values)]), 0.995) for values in maps)


def gain_maps_figure(
    maps: dict[str, np.ndarray],
    dark: bool,
    grounds: dict[str, Ground] | None = None,
    reach: float | None = None,
) -> go.Figure:
    """Small maps side by side (H, W each, NaN beyond the city) on one scale around zero, as far as `reach` if given:
    orange gained, blue lost; on their grounds, if given, with outlines and a scale bar."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=1, cols=len(maps), subplot_titles=list(maps), horizontal_spacing=0.02
    )
    reach = reach or reach_of(maps.values())
    for number, (name, values) in enumerate(maps.items(), 1):
        figure.add_heatmap(
            z=values, zmin=-reach, zmax=reach, colorscale=colour_scale("diverging", dark), showscale=number == 1,
            colorbar={"title": {"text": "fit gained", "side": "right"}, "thickness": 10, "len": 0.8},
            hovertemplate="row %{y}, column %{x}: %{z:.2f}<extra></extra>", row=1, col=number,
        )  # fmt: skip
        if grounds and grounds[name].tiles is None:
            _on_ground(figure, grounds[name], number)
        axis = "" if number == 1 else str(number)
        figure.update_layout(
            {
                f"xaxis{axis}": {"visible": False, "constrain": "domain"},
                f"yaxis{axis}": {"visible": False, "scaleanchor": f"x{axis}"},
            }
        )
    return figure.update_layout(height=300, margin={"l": 0, "r": 0, "t": 30, "b": 0})


def _on_ground(figure: go.Figure, ground: Ground, column: int) -> None:
    """A city's outline and a scale bar over a heatmap, whose cells have whole numbers as their middles."""
    x: list[float | None] = []
    y: list[float | None] = []
    for ring in ground.outline:
        x += [*(point[0] - 0.5 for point in ring), None]
        y += [*(point[1] - 0.5 for point in ring), None]
    line = {"color": GREY, "width": 1}
    hidden = {"mode": "lines", "showlegend": False, "hoverinfo": "skip", "line": line}
    figure.add_scatter(x=x, y=y, row=1, col=column, **hidden)
    metres, words = scale_bar(0.35 * ground.shape[1] * ground.cell)
    end = metres / ground.cell
    figure.add_scatter(
        x=[0, end], y=[-2, -2], row=1, col=column, **hidden | {"mode": "lines+text"},
        text=["", f" {words}"], textposition="middle right",
        textfont={"color": GREY},
    )  # fmt: skip


def cluster_figure(
    error: np.ndarray, cells: np.ndarray, ground: Ground | None, dark: bool
) -> go.Figure:
    """A map (H, W) of actual − forecast, NaN beyond the city, with some cells (K, 2) outlined."""
    made = gain_maps_figure({"": error}, dark, {"": ground} if ground is not None else None)
    made.update_traces(
        selector={"type": "heatmap"}, colorbar={"title": {"text": TITLE, "side": "right"}},
        hovertemplate="row %{y}, column %{x}: %{z:+.1f} events<extra></extra>",
    )  # fmt: skip
    inside = np.zeros(np.add(error.shape, 2), dtype=bool)
    inside[tuple(cells.T + 1)] = True
    x: list[float | None] = []
    y: list[float | None] = []
    for row, column in cells.tolist():
        for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            if not inside[row + 1 + down, column + 1 + right]:  # an edge of the whole
                ends = (-0.5, 0.5) if down else (0.5 * right, 0.5 * right)
                rise = (0.5 * down, 0.5 * down) if down else (-0.5, 0.5)
                x += [column + ends[0], column + ends[1], None]
                y += [row + rise[0], row + rise[1], None]
    made.add_scatter(
        x=x, y=y, mode="lines", showlegend=False, hoverinfo="skip",
        line={"color": "#ffffff" if dark else "#000000", "width": 2},
    )  # fmt: skip
    return made


def ratio_figure(
    weeks: np.ndarray, observed: np.ndarray, expected: np.ndarray, first: str, last: str
) -> go.Figure:
    """Events that came over those expected, by week (W,) and its first day, the days from `first` to `last`
    shaded; 1 is right."""
    made = go.Figure()
    made.add_vrect(x0=first, x1=last, fillcolor=ORANGE, opacity=0.1, line_width=0)
    made.add_hline(y=1, line={"color": GREY, "dash": "dot", "width": 1})
    made.add_scatter(
        x=weeks.astype(str), y=observed / np.maximum(expected, 1e-9), mode="lines+markers", line={"color": BLUE},
        name="week", hovertemplate="%{y:.2f}<extra></extra>",
    )  # fmt: skip
    return bare(made, 300, yaxis={"title": "came / expected"}).update_layout(showlegend=False)
