"""How long memories last and how far they reach, and how they came there while they were trained."""

import numpy as np
import plotly.graph_objects as go

from crimecast.plots.figures import BLUE, ORANGE, bare


def memories_figure(half_lives: np.ndarray, spreads: np.ndarray, of_weekday: np.ndarray) -> go.Figure:  # fmt: skip
    """half_lives (E, J) days and spreads (E, J) metres of J memories at each of E moments of the training, the
    last one now; of_weekday (J,) bool."""
    figure = go.Figure()
    for chosen, colour, name in ((~of_weekday, BLUE, "of all steps"), (of_weekday, ORANGE, "of the same weekday")):  # fmt: skip
        if not chosen.any():
            continue
        for j in np.flatnonzero(chosen):
            figure.add_scatter(
                x=half_lives[:, j], y=spreads[:, j], mode="lines", line={"color": colour, "width": 1},
                opacity=0.5, showlegend=False, hoverinfo="skip",
            )  # fmt: skip
        figure.add_scatter(
            x=half_lives[-1, chosen], y=spreads[-1, chosen], mode="markers", name=name,
            marker={"color": colour, "size": 9},
            hovertemplate="half-life %{x:,.1f} days, spread %{y:,.0f} m<extra></extra>",
        )  # fmt: skip
    ticks = [1, 7, 30, 90, 365, 1000, 2000]
    figure = bare(
        figure, 300, yaxis={"title": "spread (m)", "rangemode": "tozero"},
        xaxis={"title": "half-life (days)", "type": "log", "tickvals": ticks, "ticktext": [f"{t:,}" for t in ticks]},
    )  # fmt: skip
    return figure.update_layout(hovermode="closest")
