"""A comparison as one HTML file: scores with paired intervals, hits over area, where each gained."""

from html import escape
from typing import Any

import numpy as np

from crimecast.cities import City, load_city
from crimecast.forecasting.forecasts import need_two
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube, on_map
from crimecast.judging.scoring import said
from crimecast.plots.scale import top_of
from crimecast.reporting.model_card import model_card
from crimecast.reporting.page import card, figure, page, paired, table
from crimecast.reporting.pictures import legend, picture
from crimecast.runs.run import Run, list_runs
from crimecast.views.compare import Comparison
from crimecast.views.ground import ground

SHARES = (0.5, 1, 2, 5, 10, 20)  # of the area, in per cent


def compared(run: Run, others: list[str]) -> Comparison:
    """A run and other forecasts over its unseen period, measured against the first of these."""
    return Comparison(load_cube(run.grid), *unseen_period(run), (run.id, *others), others[0])


def comparison_report(view: Comparison) -> str:
    """The HTML document of several forecasts against one of them, on the same steps.

    Raises UserError for fewer than two forecasts.
    """
    need_two({*view.names, view.against})
    city = load_city(view.cube.city)
    title = f"{', '.join(n for n in view.names if n != view.against)} against {view.against}"
    simulated = " · simulated city: nothing here happened" if city.simulated else ""
    return page(
        title,
        [
            f"<h1>{escape(title)}</h1><p class='soft'>{escape(city.title)} · {view.cube.cell:g} m · "
            f"{escape(str(view.cube.step))} · {view.period}{simulated}</p>",
            _scores(view.table(), view.against),
            _hits(view),
            *(_where(view, name) for name in view.names if name != view.against),
            _cards(view, city),
        ],
    )


def _scores(rows: list[dict[str, Any]], against: str) -> str:
    best = rows[0]
    if best["name"] == against:
        best_said = f"None is better than {against}."
    else:
        word, much = said(best["versus"])
        best_said = f"{best['name']} is {word} {against}: {much}."
    lines = []
    for row in rows:
        versus = row.get("versus")
        lines.append(
            [
                row["name"], f"{row['log_likelihood_per_event']:.4f}", paired(versus),
                versus["verdict"] if versus else "compared with", f"{100 * row['hit_rate@1']:.1f} %",
                f"{100 * row['hit_rate@5']:.1f} %", f"{row['poisson_deviance']:.4f}",
            ]
        )  # fmt: skip
    heads = [
        "forecast", "log-likelihood per event (high is good)", f"against {against} (95 %)", "verdict",
        "hits in 1 % of the area", "in 5 %", "deviance (low is good)",
    ]  # fmt: skip
    return f"<h2>How well</h2><p>{escape(best_said)}</p>{table(heads, lines)}"


def _hits(view: Comparison) -> str:
    rows = [
        [name, *(f"{100 * np.interp(share / 100, area, hits):.1f} %" for share in SHARES)]
        for name, (area, hits) in view.curves().items()
    ]
    heads = ["forecast", *(f"{share:g} % of the area" for share in SHARES)]
    return (
        "<h2>Hits</h2><p class='soft'>Share of the events inside the cells that were forecast highest.</p>"
        + table(heads, rows)
    )


def _where(view: Comparison, name: str) -> str:
    judged = view.judged(name)
    area = judged.area
    gain = judged.gain.sum(axis=(0, 1))
    one, other = (r.sum(axis=1).mean(axis=0) for r in (judged.one, judged.other))
    top = top_of(np.concatenate([one, other]), 0.998)
    reach = top_of(np.abs(gain), 0.995)
    on = ground(load_city(view.cube.city), view.cube, False)
    rates_ = legend("sequential", 0.0, top, view.cube.unit)
    return (
        f"<h2>Where {escape(name)} gained</h2><p class='soft'>Mean rates on one square-root scale; the gain in log-likelihood: "
        f"orange where {escape(name)} was better, blue where {escape(view.against)} was.</p><div class='maps'>"
        + figure(picture(on_map(area, one), area, "sequential", 0.0, top, on), name, rates_)
        + figure(
            picture(on_map(area, other), area, "sequential", 0.0, top, on), view.against, rates_
        )
        + figure(
            picture(on_map(area, gain), area, "diverging", -reach, reach, on),
            "Gain",
            legend("diverging", -reach, reach, f"log-likelihood per {view.cube.place}"),
        )
        + "</div>"
    )


def _cards(view: Comparison, city: City) -> str:
    """What each run among the forecasts is, and what none of them can be used for."""
    runs = {run.id: run for run in list_runs(view.cube.grid)}
    parts = []
    for name in view.names:
        if name in runs:
            parts.append(f"<h2>Model card of {escape(name)}</h2>")
            parts.append(card(model_card(runs[name], view.cube, city, view.period)))
    return "".join(parts)
