"""Names in a chart as they are: Plotly takes what looks like HTML in any text for links and styles."""

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go


def plain(figure: go.Figure) -> go.Figure:
    """The figure with every name of its data, axes and notes shown to the letter."""
    made = go.Figure(figure)
    for trace in made.data:
        for where in ("name", "x", "y"):
            value: Any = getattr(trace, where, None)
            if isinstance(value, str):
                setattr(trace, where, html.escape(value, quote=False))
            elif _has_names(value):
                setattr(trace, where, [_escaped(one) for one in value])
    titles = [axis.title for axis in (*made.select_xaxes(), *made.select_yaxes())]
    notes: Any = made.layout.annotations
    for one in [*titles, *notes]:
        if one.text:
            one.text = html.escape(one.text, quote=False)
    return made


def _has_names(values: Any) -> bool:
    if values is None or np.asarray(values).dtype.kind not in "OU":
        return False
    return any(isinstance(one, str) for one in values)


def _escaped(value: Any) -> Any:
    return html.escape(value, quote=False) if isinstance(value, str) else value
