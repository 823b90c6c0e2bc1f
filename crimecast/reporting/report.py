"""A run as one HTML file: scores with intervals, maps, layers, findings, lineage, spec, model card."""

from html import escape

import numpy as np

from crimecast.cities import City, load_city
from crimecast.diagnose import Finding
from crimecast.diagnose.kept import findings_of
from crimecast.forecasting.forecasts import rates, rivals, score_sums
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import Cube, load_cube
from crimecast.inspect.activations import activations
from crimecast.judging.scoring import said
from crimecast.judging.scoring import table as score_table
from crimecast.lineage.tree import changed, effect
from crimecast.plots.difference import TITLE, WORDS, difference
from crimecast.plots.scale import top_of
from crimecast.reporting.model_card import model_card
from crimecast.reporting.page import card, figure, page, paired, table
from crimecast.reporting.pictures import legend, picture
from crimecast.runs.run import Run, load_run
from crimecast.views.ground import ground

CHANNELS = 8  # of each layer that are shown


def report(run: Run) -> str:
    """The HTML document. It asks for nothing outside itself, and all text in it is escaped.

    Raises UserError if the run has no network yet, or nothing is left that it has not seen.
    """
    cube, city = load_cube(run.grid), load_city(load_cube(run.grid).city)
    first, last = unseen_period(run)
    made = rates(run.id, cube, first, last)
    period = f"{str(cube.times[first])[:10]} to {str(cube.times[last - 1])[:10]}"
    parts = [
        f"<h1>{escape(run.id)}</h1><p class='soft'>{escape(city.title)} · {cube.cell:g} m · {escape(str(cube.step))} · "
        f"{escape(', '.join(cube.types))}{' · simulated city: nothing here happened' if city.simulated else ''}</p>",
        _scores(run, cube, first, last, period),
        _maps(cube, city, first, last, made),
        _findings(findings_of(run)),
        _layers(run, cube, first),
        _lineage(run),
        f"<h2>Model card</h2>{card(model_card(run, cube, city, period))}",
        f"<h2>Spec</h2><pre>{escape(run.spec or 'A module of its own.')}</pre>",
    ]
    return page(run.id, parts)


def _scores(run: Run, cube: Cube, first: int, last: int, period: str) -> str:
    names = [run.id, *rivals(run, first, last)]
    rows = score_table(names, [score_sums(name, cube, first, last) for name in names])
    best = max(rows[1:], key=lambda r: r["log_likelihood_per_event"])
    word, much = said(best["versus"], swapped=True)  # the table compares each row with the run
    lines = []
    for row in sorted(rows, key=lambda r: -r["log_likelihood_per_event"]):
        a, b = row["intervals"]["log_likelihood_per_event"]
        lines.append(
            f"<tr><td>{escape(row['name'])}</td><td>{row['log_likelihood_per_event']:.4f}</td><td>{a:.4f} to {b:.4f}</td>"
            f"<td>{100 * row['hit_rate@1']:.1f} %</td><td>{100 * row['hit_rate@5']:.1f} %</td><td>{row['poisson_deviance']:.4f}</td></tr>"
        )
    return (
        f"<h2>How well</h2><p>On unseen steps, {period}, it is <b>{word}</b> the best of the quick baselines, "
        f"{escape(best['name'])}: {much}.</p>"
        "<table><tr><th>forecast</th><th>log-likelihood an event (high is good)</th><th>95 %</th><th>hits in 1 % of the area</th>"
        f"<th>in 5 %</th><th>deviance (low is good)</th></tr>{''.join(lines)}</table>"
    )


def _maps(cube: Cube, city: City, first: int, last: int, made: np.ndarray) -> str:
    area = cube.area(first)
    mean = made.sum(axis=1).mean(axis=0)
    fact = cube.counts[first:last].sum(axis=1).mean(axis=0)
    top = top_of(np.concatenate([mean[area], fact[area]]), 0.998)
    error = difference(fact, mean)
    off = top_of(np.abs(error[area]), 0.998)
    on, rates_ = ground(city, cube, False), legend("sequential", 0.0, top, cube.unit)
    return (
        f"<h2>Where</h2><p class='soft'>{cube.unit.capitalize()}, mean over the unseen steps; forecast and actual on one "
        "square-root scale.</p><div class='maps'>"
        + figure(picture(mean, area, "sequential", 0.0, top, on), "Forecast", rates_)
        + figure(picture(fact, area, "sequential", 0.0, top, on), "Actual", rates_)
        + figure(
            picture(error, area, "diverging", -off, off, on),
            TITLE,
            legend("diverging", -off, off, WORDS),
        )
        + "</div>"
    )


def _findings(found: list[Finding]) -> str:
    if not found:
        return "<h2>Findings</h2><p>Nothing was found.</p>"
    rows = "".join(
        f"<tr><td>{f.severity}</td><td>{escape(f.code)}</td><td>{escape(f.layer or '–')}</td><td class='words'>{escape(f.advice)}{_why(f)}</td></tr>"
        for f in found
    )
    return f"<h2>Findings</h2><table><tr><th>severity</th><th>finding</th><th>layer</th><th>advice</th></tr>{rows}</table>"


def _why(finding: Finding) -> str:
    under = [one.code.replace("_", " ") for one in finding.whole()[1:]]
    return f" Which is why: {escape(', '.join(under))}." if under else ""


def _layers(run: Run, cube: Cube, step: int) -> str:
    area = cube.area(step)
    parts = []
    for name, values in activations(run, step).items():
        if values.ndim != 3 or values.shape[1:] != area.shape:
            continue
        inside = values[:, area]
        order = np.argsort(-inside.std(axis=1), kind="stable")[:CHANNELS]
        top = float(np.quantile(np.abs(inside), 0.998)) + 1e-9
        shown = "".join(
            figure(picture(values[c], area, "diverging", -top, top), f"{name}, channel {c}")
            for c in order
        )
        parts.append(f"<h3>{escape(name)}</h3><div class='maps small'>{shown}</div>")
    return (
        f"<h2>Layers</h2><p class='soft'>The channels that vary most, for the step of {str(cube.times[step])[:10]}; "
        f"blue is below zero, orange above.</p>{''.join(parts)}"
    )


def _lineage(run: Run) -> str:
    rows: list[list[str]] = []
    at: Run | None = run
    while at is not None:
        parent = load_run(at.parent) if at.parent else None
        loss = at.summary.get("validation_loss")
        rows.append(
            [
                at.id,
                changed(at, parent) if parent else "–",
                paired(effect(at)),
                "–" if loss is None else format(loss, ".5f"),
            ]
        )
        at = parent
    heads = [
        "run",
        "changed",
        "gain on its parent, per event (95 %)",
        "validation loss (low is good)",
    ]
    return f"<h2>Lineage</h2>{table(heads, rows[::-1])}"
