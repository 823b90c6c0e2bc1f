"""The numbers of a chart, as a table: what a picture shows can be read without it."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go


def table_of(figure: go.Figure) -> pd.DataFrame:
    """A row each place on the axis, a column each series; of a map or a coloured table, its cells."""
    coloured = [trace for trace in figure.data if trace.type == "heatmap"]
    if coloured:
        return _coloured(coloured, [note.text for note in figure.layout.annotations])
    across = figure.layout.xaxis.title.text or "x"
    up = figure.layout.yaxis.title.text or "value"
    series = {}
    lines_first = sorted(figure.data, key=_edge_of_a_band)
    for number, trace in enumerate(lines_first, 1):
        if trace.type == "histogram":
            counts, edges = np.histogram(np.asarray(trace.x, dtype=float), trace.nbinsx or 10)
            return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "number": counts})
        flat = trace.type == "bar" and trace.orientation == "h"
        x, y = (trace.y, trace.x) if flat else (trace.x, trace.y)
        if x is None or y is None:
            continue
        name = trace.name or (across if flat else up)
        name = f"{name} {number}" if name in series else name
        if getattr(trace, "fill", None) == "tonexty":
            name += ", from"
        x, y = (x[::-1], y[::-1]) if flat else (x, y)  # as one reads: from the top
        at = (up if up != "value" else "name") if flat else across
        dated = np.asarray(x).dtype.kind == "M"
        at = "date" if dated and at == "x" else at
        series[name] = pd.DataFrame({at: _dates(x) if dated else list(x), name: list(y)})
    if not series:
        return pd.DataFrame()
    first, *rest = series.values()
    if all(one.iloc[:, 0].equals(first.iloc[:, 0]) for one in rest):
        return pd.concat([first, *(one.iloc[:, 1:] for one in rest)], axis=1)
    return pd.concat(
        [one.set_axis([one.columns[0], up], axis=1).assign(series=n) for n, one in series.items()]
    )


def _edge_of_a_band(trace: Any) -> bool:
    """Drawn without a line, or the filling up to one."""
    line = getattr(trace, "line", None)
    return getattr(trace, "fill", None) == "tonexty" or getattr(line, "width", None) == 0


def _dates(times: np.ndarray) -> list[str]:
    """Times as one writes them, days without an hour."""
    days = (times == times.astype("datetime64[D]")).all()
    return [text.replace("T", " ") for text in np.datetime_as_string(times, "D" if days else "m")]


def _coloured(traces: list[Any], titles: list[str]) -> pd.DataFrame:
    frames = []
    for number, trace in enumerate(traces):
        values = np.asarray(trace.z, dtype=float)
        rows = range(values.shape[0]) if trace.y is None else trace.y
        columns = range(values.shape[1]) if trace.x is None else trace.x
        frame = pd.DataFrame(
            values, index=[str(r) for r in rows], columns=[str(c) for c in columns]
        )
        if len(traces) == 1 and trace.x is not None:
            return frame.rename_axis("").reset_index()
        cells = frame.rename_axis("row").reset_index().melt("row", var_name="column").dropna()
        title = titles[number] if number < len(titles) else str(number + 1)
        frames.append(cells if len(traces) == 1 else cells.assign(map=title))
    return pd.concat(frames, ignore_index=True)
