"""What runs do on data they have not seen, as one HTML file: gains with intervals, and where."""

from html import escape
from typing import Any

from crimecast.cities import load_city
from crimecast.forecasting.unseen import RIVAL, Trial, verdict
from crimecast.plots.judging import reach_of
from crimecast.reporting.page import figure, page, paired, table
from crimecast.reporting.pictures import legend, picture
from crimecast.runs.run import Run
from crimecast.views.ground import ground
from crimecast.views.words import FIT, forecast_title


def unseen_report(
    run: Run, tried: list[Trial], gains: dict[str, dict[str, dict[str, Any]]], names: list[str]
) -> str:
    """The HTML document.

    run: whose grid it is; gains: run → trial → its gain with `interval` and `map`, (H, W); names: the runs among
    them that the verdict is about.
    """
    city = load_city(tried[0].cube.city)
    simulated = " · simulated city: nothing here happened" if city.simulated else ""
    rows = [
        [name, *(paired(gains[name].get(trial.name)) for trial in tried)] for name in gains
    ]  # fmt: skip
    meanings = "".join(
        f"<li><b>{escape(trial.name)}</b>: {escape(trial.meaning)}</li>" for trial in tried
    )
    return page(
        f"Unseen: {run.id}",
        [
            f"<h1>On unseen data</h1><p class='soft'>{escape(city.title)} · {tried[0].cube.cell:g} m · "
            f"{escape(str(tried[0].cube.step))}{simulated}</p>",
            f"<h2>How well</h2><p>{escape(verdict({name: gains[name] for name in names}))}</p>",
            f"<p class='soft'>Gain in {escape(FIT.plain)} on {escape(forecast_title(RIVAL))}, fitted to the same city's own "
            "past: above zero is better; 95 % intervals over weeks.</p>",
            table(["run", *(trial.name for trial in tried)], rows),
            f"<ul>{meanings}</ul>",
            "<h2>Where</h2><p class='soft'>Fit per place: orange gained, blue lost.</p>",
            *(_where(trial, gains) for trial in tried),
        ],
    )


def _where(trial: Trial, gains: dict[str, dict[str, dict[str, Any]]]) -> str:
    """The maps of a trial on one scale."""
    maps = {name: row[trial.name]["map"] for name, row in gains.items() if trial.name in row}
    if not maps:
        return ""
    reach = reach_of(maps.values())
    on = ground(load_city(trial.cube.city), trial.cube, False)
    colours = legend("diverging", -reach, reach, f"fit gained per {trial.cube.place}")
    drawn = "".join(
        figure(picture(values, trial.cells, "diverging", -reach, reach, on), name, colours)
        for name, values in maps.items()
    )
    return f"<h3>{escape(trial.name.capitalize())}</h3><div class='maps'>{drawn}</div>"
