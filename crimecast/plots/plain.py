"""Names in a chart as they are: Plotly takes what looks like HTML in any text for links and styles."""

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go

MARKS = set("<>&")


def plain(figure: go.Figure) -> go.Figure:
    """The figure with every name of its data, axes and notes shown to the letter."""
    if not _is_marked(figure):
        return figure  # to copy one takes longer than all else of a chart
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


def _is_marked(figure: go.Figure) -> bool:
    """Whether any name of a figure holds what could be taken for HTML."""
    names = [getattr(trace, where, None) for trace in figure.data for where in ("name", "x", "y")]
    titles = [axis.title for axis in (*figure.select_xaxes(), *figure.select_yaxes())]
    notes: Any = figure.layout.annotations
    texts = [one.text for one in [*titles, *notes]]
    for value in names:
        several: Any = value if _has_names(value) else [value]
        texts += list(several)
    return any(isinstance(text, str) and not MARKS.isdisjoint(text) for text in texts)


def _has_names(values: Any) -> bool:
    if values is None or np.asarray(values).dtype.kind not in "OU":
        return False
    return any(isinstance(one, str) for one in values)


def _escaped(value: Any) -> Any:
    return html.escape(value, quote=False) if isinstance(value, str) else value
